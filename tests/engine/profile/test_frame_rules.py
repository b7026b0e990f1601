from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from airpy.engine.profile.frame_rules import FRAME_RULES
from airpy.errors import InvalidOptions, TypeMismatch, UnknownColumn
from tests.engine.profile.judging import judged, outcome, refusal

# Rules are judged as of noon of 2025-09-10, UTC.
SMALL = {"a": [1, 2, 3, 6, None]}


def test_a_column_is_there_or_is_not() -> None:
    frame = {"kwh": [1, 2]}

    assert outcome(frame, rule="column_exists", col="kwh") == (True, 2, 0, "it is there")
    assert outcome(frame, rule="column_exists", col="kwhh") == (
        False,
        2,
        2,
        'it is not there; did you mean "kwh"?',
    )
    assert outcome({}, rule="column_exists", col="kwh")[:3] == (False, 0, 0)


@pytest.mark.parametrize(
    ("cols", "ordered", "held", "observed"),
    [
        (["b", "a"], False, True, "2 columns"),
        (["a", "b"], True, True, "2 columns"),
        (["b", "a"], True, False, "in another order: a, b"),
        (["a", "c"], False, False, "missing: c; not expected: b"),
        (["a", "b", "c"], True, False, "missing: c"),
        (["a"], False, False, "not expected: b"),
    ],
)
def test_columns_are_compared_by_name(cols: list[str], observed: str, *, ordered: bool, held: bool) -> None:
    frame = {"a": [1], "b": [2]}

    assert outcome(frame, rule="columns_are", cols=cols, ordered=ordered) == (held, 1, 1 - held, observed)


@pytest.mark.parametrize(
    ("rule", "ends", "held", "observed"),
    [
        ("mean_between", {"min": 3, "max": 3}, True, "mean 3"),
        ("mean_between", {"min": 3.1}, False, "mean 3"),
        ("mean_between", {"max": 2.9}, False, "mean 3"),
        ("sum_between", {"min": 12, "max": 12}, True, "sum 12"),
        ("sum_between", {"max": 11}, False, "sum 12"),
        # Of 1, 2, 3, 6: at place 0.5 · 3 lies 2.5, at 0.9 · 3 = 2.7 lies 3 + 0.7 · 3.
        ("quantile_between", {"q": 0.5, "min": 2.5, "max": 2.5}, True, "quantile 0.5 2.5"),
        ("quantile_between", {"q": 0.9, "max": 5}, False, "quantile 0.9 5.1"),
        ("quantile_between", {"q": 0, "min": 1, "max": 1}, True, "quantile 0 1"),
        ("quantile_between", {"q": 1, "min": 6, "max": 6}, True, "quantile 1 6"),
        ("distinct_between", {"min": 4, "max": 4}, True, "4 distinct values"),
        ("distinct_between", {"min": 5}, False, "4 distinct values"),
        ("distinct_between", {"max": 3}, False, "4 distinct values"),
    ],
)
def test_a_measure_of_the_values_lies_between_the_ends(
    rule: str, ends: dict[str, float], observed: str, *, held: bool
) -> None:
    assert outcome(SMALL, rule=rule, col="a", **ends) == (held, 4, 0 if held else 4, observed)


def test_sums_are_exact() -> None:
    integers = {"a": pl.Series([2**53, 1], dtype=pl.Int64)}
    decimals = {"a": [Decimal("0.10"), Decimal("0.20")]}

    assert outcome(integers, rule="sum_between", col="a", max=2**53)[0] is False
    assert outcome(decimals, rule="sum_between", col="a", min=0.3)[3] == "sum 0.30"
    assert outcome(decimals, rule="sum_between", col="a", max=0.25)[0] is False


def test_nan_is_greater_than_every_end() -> None:
    frame = {"a": [1.0, math.nan]}

    for rule in ("mean_between", "sum_between"):
        assert outcome(frame, rule=rule, col="a", max=1e308)[:3] == (False, 2, 2)
        assert outcome(frame, rule=rule, col="a", min=0)[:3] == (True, 2, 0)
    assert outcome({"a": [math.nan] * 3}, rule="distinct_between", col="a", min=1, max=1)[0]


@pytest.mark.parametrize("rule", ["mean_between", "sum_between", "quantile_between"])
@pytest.mark.parametrize("dtype", [pl.Float64, pl.Int32, pl.Decimal(10, 2), pl.Null])
@pytest.mark.parametrize("rows", [0, 2])
def test_what_is_not_known_breaks_no_rule(rule: str, dtype: Any, rows: int) -> None:
    frame = {"a": pl.Series([None] * rows, dtype=dtype)}
    told = {"q": 0.5} if rule == "quantile_between" else {}

    assert outcome(frame, rule=rule, col="a", min=5, **told) == (True, 0, 0, "no values")


def test_no_values_are_no_distinct_ones() -> None:
    for dtype in (pl.Int64, pl.Null):
        frame = {"a": pl.Series([None], dtype=dtype)}

        assert outcome(frame, rule="distinct_between", col="a", max=0) == (True, 0, 0, "0 distinct values")
        assert outcome(frame, rule="distinct_between", col="a", min=1)[0] is False


@pytest.mark.parametrize(
    ("values", "most", "held", "observed"),
    [
        ([1, None, 3, 4], 0.25, False, "1 null in 4 rows"),
        ([1, None, 3, 4], 0.26, True, "1 null in 4 rows"),
        ([1, 2], 0, True, "0 nulls in 2 rows"),
        ([None, None], 1, False, "2 nulls in 2 rows"),
        ([], 0, True, "0 nulls in 0 rows"),
    ],
)
def test_the_share_of_nulls_is_below_the_greatest_or_nothing(
    values: list[Any], most: float, observed: str, *, held: bool
) -> None:
    rows = len(values)

    assert outcome({"a": values}, rule="null_ratio_below", col="a", max=most) == (
        held,
        rows,
        0 if held else rows,
        observed,
    )


NINTH = dt.datetime(2025, 9, 9, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("values", "age", "held"),
    [
        ([NINTH, None, dt.datetime(2020, 1, 1, tzinfo=dt.UTC)], "1 day", True),
        ([NINTH - dt.timedelta(seconds=1)], "1 day", False),
        ([NINTH - dt.timedelta(seconds=1)], "P2D", True),
        ([NINTH + dt.timedelta(days=400)], "1 second", True),
        ([dt.date(2025, 9, 10)], "12 hours", True),  # as its midnight
        ([dt.date(2025, 9, 10)], "11 hours", False),
        ([dt.date(2025, 8, 11)], "1 month", True),
        ([dt.date(2025, 8, 10)], "1 month", False),
        ([dt.datetime(2025, 8, 10, 12)], "1 month", True),  # noqa: DTZ001  without a zone, in UTC
        ([None], "1 day", False),
        ([], "1 day", False),
    ],
)
def test_the_latest_value_is_held_against_when_the_request_came(
    values: list[Any], age: str, *, held: bool
) -> None:
    frame = {"t": pl.Series(values, dtype=None if any(values) else pl.Datetime("us"))}

    assert judged(frame, rule="fresher_than", col="t", age=age).passed is held


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_the_latest_value_is_told_whatever_its_unit(unit: Any) -> None:
    frame = {"t": pl.Series([NINTH]).cast(pl.Datetime(unit, "UTC"))}

    result = judged(frame, rule="fresher_than", col="t", age="6 hours")

    assert result.observed == "latest 2025-09-09T12:00:00Z, oldest allowed 2025-09-10T06:00:00Z"
    assert (result.passed, result.rows_checked, result.rows_failed) == (False, 1, 1)


def test_times_that_no_calendar_shows_are_fresh() -> None:
    for column in (
        pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date),
        pl.Series([2**62]).cast(pl.Datetime("us")),
    ):
        assert judged({"t": column}, rule="fresher_than", col="t", age="1 day").passed


OWN: dict[str, dict[str, Any]] = {
    "row_count_between": {"max": 2},
    "mean_between": {"col": "a", "max": 1.5},
    "sum_between": {"col": "a", "max": 3},
    "quantile_between": {"col": "a", "q": 1, "max": 2},
    "null_ratio_below": {"col": "a", "max": 0},
    "distinct_between": {"col": "a", "max": 2},
}


@pytest.mark.parametrize("name", sorted(OWN))
def test_an_own_filter_says_of_which_rows_the_rule_is(name: str) -> None:
    frame = {"a": [1, 2, 99, None], "kept": [True, True, False, None]}
    kept = [{"col": "kept", "op": "=", "val": True}]

    assert outcome(frame, rule=name, **OWN[name], filter=kept)[:3] == (True, 2, 0)
    assert outcome(frame, rule=name, **OWN[name])[0] is False


def test_the_latest_value_may_be_that_of_some_rows() -> None:
    frame = {"t": [NINTH, NINTH - dt.timedelta(days=9)], "site": ["x", "y"]}

    assert outcome(frame, rule="fresher_than", col="t", age="2 days")[0]
    of_y = [{"col": "site", "op": "=", "val": "y"}]
    assert outcome(frame, rule="fresher_than", col="t", age="2 days", filter=of_y)[:3] == (False, 1, 1)


def test_an_own_filter_may_be_of_rows_among_others() -> None:
    repeated = [{"rows": {"are": "repeated", "cols": ["a"]}}]

    assert outcome({"a": [1, 1, 2]}, rule="row_count_between", max=1, filter=repeated)[:3] == (True, 1, 0)
    assert outcome({"a": [1, 1, 2]}, rule="sum_between", col="a", min=1, max=1, filter=repeated)[0]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"rule": "mean_between", "min": 0},
            '"mean_between" needs a column of numbers; "s" is of type string',
        ),
        ({"rule": "sum_between", "min": 0}, '"sum_between" needs a column of numbers; "s" is of type string'),
        (
            {"rule": "quantile_between", "q": 0.5, "min": 0},
            '"quantile_between" needs a column of numbers; "s" is of type string',
        ),
        (
            {"rule": "fresher_than", "age": "1 day"},
            '"fresher_than" needs a column of dates or timestamps; "s" is of type string',
        ),
    ],
)
def test_a_measure_of_another_type_is_refused(rule: dict[str, Any], message: str) -> None:
    error = refusal(TypeMismatch, rule | {"col": "s"}, frame={"s": ["x"], "n": [1], "t": [NINTH]})

    assert (error.field, error.message) == ("options.rules[0].col", message)
    assert error.suggestion in (["n"], ["t"])


@pytest.mark.parametrize("name", sorted({*OWN, "fresher_than"} - {"row_count_between"}))
def test_an_unknown_column_is_no_reason_to_fail_the_data(name: str) -> None:
    told = OWN.get(name, {"age": "1 day"}) | {"rule": name, "col": "aa"}

    assert refusal(UnknownColumn, told, frame={"a": [1]}).field == "options.rules[0].col"


def test_an_age_before_the_first_year_is_refused() -> None:
    error = refusal(
        InvalidOptions, {"rule": "fresher_than", "col": "t", "age": "9999 years"}, frame={"t": [NINTH]}
    )

    assert error.field == "options.rules[0].age"
    assert error.message == "9999 years ago was before the year 1"


def test_a_rule_of_the_whole_frame_selects_no_rows() -> None:
    assert set(FRAME_RULES) >= set(OWN)

    result = judged(SMALL, rule="mean_between", col="a", min=9)

    assert (result.filter, result.examples, result.share) == (None, None, None)
