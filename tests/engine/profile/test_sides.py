from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from airpy.contract import AnalyzeOptions
from airpy.engine.profile.measuring import measured
from airpy.engine.profile.report import report
from airpy.engine.profile.sides import sides_of

PAIR = {"a": [1, 1, 2, 2], "b": [1, 2, 1, 2]}


def keys_of(before: dict[str, Any], after: dict[str, Any]) -> list[list[list[str]]]:
    """The keys of the two sides."""
    one, two = (measured(pl.DataFrame(frame).lazy()) for frame in (before, after))
    return [list(map(list, side.keys)) for side in sides_of(one, two)]


@pytest.mark.parametrize(
    ("frame", "keys"),
    [
        ({"id": [3, 1, 2], "s": ["x", "y", "x"]}, [["id"]]),
        ({"id": [3, 1, 2], "s": ["x", "y", "z"]}, [["id"], ["s"]]),
        ({"id": [3, 1, None], "s": ["x", "y", "x"]}, []),
        (PAIR, [["a", "b"]]),
        ({"a": [1.0, 1.0, 2.0, 2.0], "b": [1, 2, 1, 2]}, []),
        ({"l": [[1], [2]], "c": [1, 1]}, []),
        ({"id": [1]}, []),
        ({"id": []}, []),
    ],
)
def test_the_keys_of_a_side_are_those_of_its_profile(frame: dict[str, Any], keys: list[list[str]]) -> None:
    assert keys_of(frame, PAIR) == [keys, [["a", "b"]]]
    assert (
        report(pl.DataFrame(frame).lazy(), "profile", AnalyzeOptions()).metrics.candidate_keys or []
    ) == keys


def test_keys_of_two_columns_are_left_out_where_one_side_was_not_looked_through_for_such() -> None:
    many = {"g": [number % 100 for number in range(150_000)]}

    assert keys_of(PAIR, many) == [[], []]
