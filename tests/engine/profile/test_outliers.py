from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any, NamedTuple, get_args

import polars as pl
import pytest

from airpy.contract import AnalyzeOptions, OutlierMethod
from airpy.engine.profile.outliers import OUTLIER_METHODS, GroupBounds, bounds_by_group
from airpy.engine.profile.report import report

FIRST = re.compile(r" on (\d{4}-\d{2}-\d{2})")


class Outliers(NamedTuple):
    """What a report says of the outliers of a column."""

    rows: int | None
    low: float
    high: float
    first_at: dt.date | None


def found_in(frame: pl.DataFrame, method: OutlierMethod) -> dict[str, Outliers]:
    """By column, what its report says of outliers."""
    options = AnalyzeOptions(outlier_method=method, include_correlations=False)
    told = report(frame.lazy(), "profile", options)
    firsts = {
        issue.column: dt.date.fromisoformat(first[1])
        for issue in told.issues
        if issue.code == "OUTLIERS" and (first := FIRST.search(issue.detail))
    }
    return {
        column.name: Outliers(
            column.outliers, column.outlier_bounds.low, column.outlier_bounds.high, firsts.get(column.name)
        )
        for column in told.metrics.column_metrics or []
        if column.outlier_bounds is not None
    }


def found(values: Any, method: OutlierMethod) -> tuple[Any, ...] | None:
    """The outliers of a frame's only column."""
    return found_in(pl.DataFrame({"v": values}), method).get("v")


def test_each_method_of_the_contract_is_there() -> None:
    assert set(OUTLIER_METHODS) == set(get_args(get_args(OutlierMethod.__value__)[0]))


def test_iqr_finds_what_lies_beyond_tukeys_fences() -> None:
    # Quartiles 3 and 7, so the fences are 3 − 6 and 7 + 6.
    outliers = found([1, 2, 3, 4, 5, 6, 7, 8, 100], "iqr")

    assert outliers == (1, -3.0, 13.0, None)


def test_a_value_on_the_fence_is_none_and_one_beyond_it_is() -> None:
    on = found([1, 2, 3, 4, 5, 6, 7, 8, 13], "iqr")
    beyond = found([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 13.001], "iqr")
    below = found([-4.001, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], "iqr")

    # Sorted, the last has the quartiles 2 and 6: the lower fence is −4.
    assert on == (0, -3.0, 13.0, None)
    assert beyond == (1, -3.0, 13.0, None)
    assert below == (1, -4.0, 12.0, None)


def test_zscore_finds_what_is_more_than_three_deviations_from_the_mean() -> None:
    # Mean 1 and variance (10 · 1 + 100) / 10 = 11; the bound 1 + 3 · √11 is 10.95.
    outliers = found([0] * 10 + [11], "zscore")

    assert outliers == (1, pytest.approx(1 - 3 * math.sqrt(11)), pytest.approx(1 + 3 * math.sqrt(11)), None)


def test_zscore_lets_a_value_within_three_deviations_pass() -> None:
    # Mean 1 and variance (9 · 1 + 81) / 9 = 10; the bound 1 + 3 · √10 is 10.49.
    outliers = found([0] * 9 + [10], "zscore")

    assert outliers is not None
    assert outliers[0] == 0


def test_mad_finds_what_has_a_modified_z_score_over_3_5() -> None:
    # Median 3, deviations 2, 1, 0, 1, 97, their median 1; so the reach is 3.5 / 0.6745.
    outliers = found([1, 2, 3, 4, 100], "mad")

    assert outliers == (1, pytest.approx(3 - 3.5 / 0.6745), pytest.approx(3 + 3.5 / 0.6745), None)


def test_mad_has_no_bounds_when_more_than_half_are_equal() -> None:
    assert found([5, 5, 5, 5, 9], "mad") is None


@pytest.mark.parametrize("value", [0.1, 1 / 3, 5.0])
def test_equal_values_are_no_outliers(value: float) -> None:
    assert found([value] * 1000, "iqr") == (0, value, value, None)
    assert found([value] * 1000, "zscore") is None


def test_nulls_and_nan_are_no_outliers() -> None:
    outliers = found([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 100.0, None, math.nan], "iqr")

    assert outliers == (1, -3.0, 13.0, None)


def test_an_infinite_value_is_an_outlier_of_iqr_and_mad() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, math.inf]
    by_iqr, by_mad, by_zscore = (found(values, method) for method in ("iqr", "mad", "zscore"))

    # The median deviation from 5 is 2.
    assert by_iqr == (1, -3.0, 13.0, None)
    assert by_mad == (1, pytest.approx(5 - 7 / 0.6745), pytest.approx(5 + 7 / 0.6745), None)
    assert by_zscore is None


@pytest.mark.parametrize("method", ["iqr", "zscore", "mad"])
@pytest.mark.parametrize("values", [[], [None, None], [math.nan]])
def test_without_values_there_are_no_bounds(values: list[float | None], method: OutlierMethod) -> None:
    assert found(pl.Series(values, dtype=pl.Float64), method) is None


def test_one_value_has_fences_and_no_deviation() -> None:
    assert found([5], "iqr") == (0, 5.0, 5.0, None)
    assert found([5], "zscore") is None
    assert found([5], "mad") is None


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Decimal(10, 2)])
def test_numbers_of_every_type_are_looked_at(dtype: Any) -> None:
    values = pl.Series([1, 2, 3, 4, 5, 6, 7, 8, 100]).cast(dtype)

    assert found(values, "iqr") == (1, -3.0, 13.0, None)


def test_only_columns_of_numbers_are_looked_at() -> None:
    frame = pl.DataFrame({"s": ["a", "b"], "b": [True, False], "l": [[1], [2]], "^.*$": [1, 2]})

    assert found_in(frame, "iqr") == {"^.*$": (0, 0.5, 2.5, None)}


VALUES = [100, 1, 2, 3, 4, 5, 6, 7, 8, -50]
"""Quartiles 2.25 and 6.75: the fences are −4.5 and 13.5, the first and the last value beyond them."""


def test_the_first_row_with_an_outlier_has_its_date() -> None:
    days = [dt.date(2025, 9, day) for day in (9, 1, 2, 3, 4, 5, 6, 7, 8, 7)]
    outliers = found_in(pl.DataFrame({"v": VALUES, "day": days}), "iqr")

    assert outliers == {"v": (2, -4.5, 13.5, dt.date(2025, 9, 9))}


def test_a_date_is_that_of_utc() -> None:
    times = pl.Series([dt.datetime(2025, 9, 7, 22)] * 10).dt.replace_time_zone("America/New_York")  # noqa: DTZ001
    outliers = found_in(pl.DataFrame({"v": VALUES, "at": times}), "iqr")

    assert outliers["v"].first_at == dt.date(2025, 9, 8)


def test_an_outlier_without_a_time_has_no_date() -> None:
    days = [None, *[dt.date(2025, 9, 1)] * 8, None]
    outliers = found_in(pl.DataFrame({"v": VALUES, "day": days}), "iqr")

    assert outliers["v"] == (2, -4.5, 13.5, None)


def test_two_columns_of_time_leave_it_open_which_is_meant() -> None:
    days = [dt.date(2025, 9, 1)] * 10
    outliers = found_in(pl.DataFrame({"v": VALUES, "from": days, "to": days}), "iqr")

    assert outliers["v"].first_at is None


def test_without_outliers_there_is_no_first() -> None:
    outliers = found_in(pl.DataFrame({"v": [1, 2], "day": [dt.date(2025, 9, 1)] * 2}), "iqr")

    assert outliers["v"] == (0, 0.5, 2.5, None)


@pytest.mark.parametrize(
    "times",
    [
        pl.Series([2**31 - 1] * 10, dtype=pl.Int32).cast(pl.Date),
        pl.Series([2**63 - 1] * 10).cast(pl.Datetime("us")),
    ],
)
def test_a_date_that_no_calendar_shows_is_none(times: pl.Series) -> None:
    outliers = found_in(pl.DataFrame({"v": VALUES, "day": times}), "iqr")

    assert outliers["v"] == (2, -4.5, 13.5, None)


def test_decimals_are_looked_at_exactly_enough() -> None:
    values = pl.Series([Decimal("0.10"), Decimal("0.20"), Decimal("0.30"), Decimal("0.40"), Decimal("9.99")])

    # Median 0.30, deviations 0.2, 0.1, 0, 0.1, 9.69, their median 0.1.
    assert found(values, "mad") == (
        1,
        pytest.approx(0.3 - 0.35 / 0.6745),
        pytest.approx(0.3 + 0.35 / 0.6745),
        None,
    )


GROUPED = pl.DataFrame(
    {
        "site": ["a"] * 9 + ["b"] * 9 + [None] * 3,
        "kwh": [1, 2, 3, 4, 5, 6, 7, 8, 100, 101, 102, 103, 104, 105, 106, 107, 108, -50, 1, 1, 9],
    }
)
"""Of site b, the quartiles are 102 and 106; 100 is an outlier of a, and would be none of all."""


def named(one: GroupBounds) -> list[tuple[str | None, str | None, object]]:
    """The filters that select the rows of a group: column, operator, value."""
    return [(each.col, each.op, each.val) for each in one.group]


def test_each_group_has_the_bounds_of_its_own_values() -> None:
    a, b = bounds_by_group(GROUPED.lazy(), "kwh", ["site"], "iqr")

    assert (named(a), a.bounds) == ([("site", "=", "a")], (-3.0, 13.0))
    assert (named(b), b.bounds) == ([("site", "=", "b")], (96.0, 112.0))


def test_groups_have_the_bounds_of_every_method() -> None:
    # Of a, the squares of deviations from the mean of 136 / 9 add up to 10204 − 136² / 9; their median is 2.
    (deviates,) = bounds_by_group(GROUPED[:9].lazy(), "kwh", ["site"], "mad")

    assert [*deviates.bounds] == pytest.approx([5 - 7 / 0.6745, 5 + 7 / 0.6745])
    std = math.sqrt((10204 - 136**2 / 9) / 8)
    assert 136 / 9 + 3 * std > 100
    assert bounds_by_group(GROUPED[:9].lazy(), "kwh", ["site"], "zscore") == []


def test_rows_without_a_group_are_a_group() -> None:
    frame = pl.DataFrame({"site": [None] * 9, "kwh": [1, 2, 3, 4, 5, 6, 7, 8, 100]})

    (only,) = bounds_by_group(
        frame.with_columns(pl.col("site").cast(pl.String)).lazy(), "kwh", ["site"], "iqr"
    )

    assert (named(only), only.bounds) == ([("site", "is_null", None)], (-3.0, 13.0))


def test_several_columns_name_a_group() -> None:
    frame = GROUPED[:18].with_columns(year=2025)

    assert [named(each) for each in bounds_by_group(frame.lazy(), "kwh", ["year", "site"], "iqr")] == [
        [("year", "=", 2025), ("site", "=", "a")],
        [("year", "=", 2025), ("site", "=", "b")],
    ]
