from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from airpy.engine.profile.orders import Order, merged_order, order_of
from airpy.engine.profile.values import ticks_of

NAN = float("nan")


def order(column: pl.Series) -> Order:
    there = column.drop_nulls()
    return order_of(there, ticks_of(there))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([1, 2, 3], "strictly_ascending"),
        ([1, None, 1, 2], "ascending"),
        ([7, 7, 7], "constant"),
        ([3, 2, 2], "descending"),
        ([3, None, 2], "strictly_descending"),
        ([1, 2, 1], "none"),
        ([1], None),
        ([None, 1, None], None),
        ([], None),
        ([1.0, float("inf"), NAN], "strictly_ascending"),
        ([NAN, NAN], "constant"),
        ([-0.0, 0.0], "constant"),
        (["a", "b", "ä"], "strictly_ascending"),
        ([dt.date(2025, 1, 2), dt.date(2025, 1, 1)], "strictly_descending"),
        ([dt.timedelta(1), dt.timedelta(1)], "constant"),
    ],
)
def test_order_is_told_the_same_of_a_whole_and_of_its_parts(values: list[Any], name: str | None) -> None:
    column = pl.Series(values, dtype=None if any(value is not None for value in values) else pl.Int64)

    assert order(column).name == name
    for cut in range(len(values) + 1):
        parts = [order(part) for part in (column[:cut], column[cut:])]
        assert merged_order(parts).name == name


def test_values_that_rise_at_first_and_fall_late_have_no_order() -> None:
    column = pl.Series([*range(5_000), 17])

    assert order(column[:-1]).name == "strictly_ascending"
    assert order(column).name == "none"
    assert order(pl.Series([*range(3_000), *[2_999] * 3])).name == "ascending"
