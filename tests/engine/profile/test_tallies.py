from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from airpy.engine.profile.tallies import Tallies, merged_tallies, tallies_of
from airpy.engine.profile.values import Counted

NAN, INF = float("nan"), float("inf")


def tallied(values: Any, counts: list[int]) -> Tallies:
    column = pl.Series("value", values)
    return tallies_of(Counted(column.dtype, column, np.array(counts), np.array(counts, np.uint64)))


def test_each_value_counts_as_often_as_it_is_there() -> None:
    assert tallied([-1, 0, 5], [2, 3, 4]).counts == {"zeros": 3, "negatives": 2}
    assert tallied([-INF, -0.0, INF, NAN], [1, 2, 3, 4]).counts == {
        "zeros": 2,
        "negatives": 1,
        "nan": 4,
        "infinite": 4,
    }


def test_texts_are_told_by_what_they_look_like() -> None:
    found = tallied(
        ["", " \t", " x", "N/A", "12.5", "007", "2025-01-31", "CafÃ©", "é"], [1, 2, 3, 4, 5, 6, 7, 8, 9]
    )

    assert found.counts == {
        "blank": 3,
        "whitespace": 3,
        "markers": 4,
        "damage": 8,
        "numbers": 11,
        "dates": 7,
        "leading_zeros": 6,
    }
    # Letters by their number: 0, 2, 2, 3, 4, 3, 10, 5 and 1.
    assert found.characters == 2 * 2 + 3 * 2 + 4 * 3 + 5 * 4 + 6 * 3 + 7 * 10 + 8 * 5 + 9
    assert (found.shortest, found.longest) == (0, 10)


@pytest.mark.parametrize("dtype", [pl.Boolean, pl.Time, pl.Duration("us")])
def test_of_other_types_nothing_is_told(dtype: Any) -> None:
    assert tallied(pl.Series([], dtype=dtype), []) == Tallies({})


def test_parts_merge_into_their_sums() -> None:
    assert merged_tallies([Tallies({"blank": 1}, 5, 2, 3), Tallies({"blank": 2}, 4, 1, 2), Tallies({})]) == (
        {"blank": 3},
        9,
        1,
        3,
    )
