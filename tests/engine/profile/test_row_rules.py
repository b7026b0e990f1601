from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from airpy.engine.profile.row_rules import ROW_RULES
from airpy.errors import TypeMismatch, UnknownColumn
from tests.engine.profile.judging import judged, outcome, refusal

NAN = math.nan
TIMES = [dt.datetime(2025, 9, 1, hour, tzinfo=dt.UTC) for hour in (0, 1, 2, 5, 6)]
DAYS = [dt.date(2025, 9, day) for day in (1, 2, 5)]


def test_values_in_the_set_of_forbidden_ones_are_shown() -> None:
    frame = {"a": ["x", "N/A", None, "N/A", "-"]}

    assert outcome(frame, rule="not_in_set", col="a", values=["N/A", "-"]) == (
        False,
        4,
        3,
        "in the set: N/A, -",
    )
    assert outcome(frame, rule="not_in_set", col="a", values=["?"]) == (True, 4, 0, "none in the set")


@pytest.mark.parametrize(
    ("ends", "failed", "observed"),
    [
        ({"min": 2}, 1, "of another length: é"),
        ({"max": 2}, 1, "of another length: a\nb"),
        ({"min": 3, "max": 3}, 2, "of another length: é, 中文"),
        ({"min": 0, "max": 10_000}, 0, "all of this length"),
        ({"max": 0}, 3, "of another length: é, 中文, a\nb"),
        ({"min": 10_000}, 3, "of another length: é, 中文, a\nb"),
    ],
)
def test_a_length_is_in_characters_of_which_a_line_end_is_one(
    ends: dict[str, int], failed: int, observed: str
) -> None:
    frame = {"a": ["é", "中文", "a\nb", None]}

    assert outcome(frame, rule="length_between", col="a", **ends) == (failed == 0, 3, failed, observed)


def test_the_longest_length_that_may_be_asked_is_told_from_one_more() -> None:
    frame = {"a": ["é" * 10_000, "é" * 10_001, "é" * 9_999]}

    assert outcome(frame, rule="length_between", col="a", max=10_000)[:3] == (False, 3, 1)
    assert outcome(frame, rule="length_between", col="a", min=10_000)[:3] == (False, 3, 1)


@pytest.mark.parametrize(
    ("values", "rule", "failed"),
    [
        ([1, 2, 2, 3], {"rule": "increasing"}, 0),
        ([1, 2, 2, 3], {"rule": "increasing", "strict": True}, 1),
        ([1, 3, 2, 4, 3], {"rule": "increasing"}, 2),
        ([1, None, 0, None, 5], {"rule": "increasing"}, 1),
        ([1.0, NAN, 2.0], {"rule": "increasing"}, 1),
        ([1.0, 2.0, NAN, NAN], {"rule": "increasing"}, 0),
        ([1.0, 2.0, NAN, NAN], {"rule": "increasing", "strict": True}, 1),
        ([3, 2, 2, 1], {"rule": "decreasing"}, 0),
        ([3, 2, 2, 1], {"rule": "decreasing", "strict": True}, 1),
        ([3, None, 4, 1], {"rule": "decreasing"}, 1),
        (["a", "b", "B"], {"rule": "increasing"}, 1),
        ([False, True, True], {"rule": "increasing"}, 0),
        ([Decimal("1.10"), Decimal("1.05")], {"rule": "increasing"}, 1),
        (TIMES, {"rule": "increasing", "strict": True}, 0),
        ([], {"rule": "increasing"}, 0),
        ([None, None], {"rule": "decreasing"}, 0),
    ],
)
def test_an_order_is_broken_in_the_rows_that_turn_back(
    values: list[Any], rule: dict[str, Any], failed: int
) -> None:
    present = sum(value is not None for value in values)

    word = "row" if failed == 1 else "rows"
    assert outcome({"a": values}, **rule, col="a") == (
        failed == 0,
        present,
        failed,
        f"{failed} {word} out of order",
    )


def test_an_order_may_be_that_of_each_group() -> None:
    frame = {"site": ["x", "y", "x", "y"], "a": [1, 9, 2, 9]}

    assert outcome(frame, rule="increasing", col="a")[2] == 1
    assert outcome(frame, rule="increasing", col="a", by=["site"])[2] == 0
    assert outcome(frame, rule="increasing", col="a", by=["site"], strict=True)[2] == 1
    assert outcome(frame, rule="decreasing", col="a")[2] == 2
    assert outcome(frame, rule="decreasing", col="a", by=["site"])[2] == 1


@pytest.mark.parametrize(
    ("values", "every", "failed"),
    [
        (TIMES, "1 hour", 1),
        (TIMES, "3 hours", 0),
        (TIMES, "PT1H", 1),
        (TIMES[::-1], "1 hour", 1),
        ([*TIMES, None], "1 hour", 1),
        (DAYS, "1 day", 1),
        (DAYS, "3 days", 0),
        (DAYS[:1], "1 day", 0),
        ([], "1 day", 0),
    ],
)
def test_a_gap_is_where_times_are_further_apart(values: list[Any], every: str, failed: int) -> None:
    column = pl.Series(values, dtype=None if values else pl.Date)
    present = len(values) - values.count(None)

    word = "gap" if failed == 1 else "gaps"
    assert outcome({"t": column}, rule="no_gaps", col="t", every=every) == (
        failed == 0,
        present,
        failed,
        f"{failed} {word} wider than {every}",
    )


def test_a_gap_may_be_that_of_each_group() -> None:
    frame = {"site": ["x", "y", "x"], "t": [TIMES[0], TIMES[1], TIMES[2]]}

    assert outcome(frame, rule="no_gaps", col="t", every="1 hour")[2] == 0
    assert outcome(frame, rule="no_gaps", col="t", every="1 hour", by=["site"])[2] == 1


@pytest.mark.parametrize(("op", "failed"), [("=", 2), ("!=", 1), ("<", 2), ("<=", 1), (">", 2), (">=", 1)])
def test_columns_are_compared_where_neither_is_null(op: str, failed: int) -> None:
    frame = {"a": [1, 2, 3, None, 1], "b": [2.0, 2.0, 1.5, 1.0, None]}

    word = "row" if failed == 1 else "rows"
    assert outcome(frame, rule="compare_columns", col="a", op=op, col2="b") == (
        False,
        3,
        failed,
        f"not a {op} b in {failed} {word}",
    )


def test_columns_that_compare_so_in_every_row_pass() -> None:
    frame = {"start": [TIMES[0], TIMES[1]], "end": [TIMES[0], None]}

    assert outcome(frame, rule="compare_columns", col="start", op="<=", col2="end")[:3] == (True, 1, 0)
    assert outcome({"a": [1.0], "b": [NAN]}, rule="compare_columns", col="a", op="<", col2="b")[0]


def test_a_condition_fails_where_it_is_false_and_not_where_it_is_unknown() -> None:
    frame = {"a": [1, 5, None], "b": ["x", "x", "y"]}
    condition = {"any": [{"col": "a", "op": "<", "val": 3}, {"col": "b", "op": "=", "val": "z"}]}

    assert outcome(frame, rule="satisfies", condition=condition) == (False, 3, 1, "false in 1 row")
    assert outcome(frame, rule="satisfies", condition={"col": "b", "op": "in", "val": ["x", "y"]})[0]


def test_a_condition_may_be_of_rows_among_others() -> None:
    repeated = {"not": {"rows": {"are": "repeated", "cols": ["a"]}}}

    assert outcome({"a": [1, 1, 2]}, rule="satisfies", condition=repeated)[:3] == (False, 3, 1)


OWN: dict[str, dict[str, Any]] = {
    "not_null": {"col": "n"},
    "unique": {"cols": ["n"]},
    "in_set": {"col": "n", "values": [1]},
    "not_in_set": {"col": "n", "values": [2]},
    "in_range": {"col": "n", "max": 1},
    "matches": {"col": "s", "pattern": "^a"},
    "length_between": {"col": "s", "max": 1},
    "increasing": {"col": "n"},
    "decreasing": {"col": "n"},
    "no_gaps": {"col": "t", "every": "1 day"},
    "compare_columns": {"col": "n", "op": "<", "col2": "m"},
    "satisfies": {"condition": {"col": "n", "op": "<", "val": 2}},
}
FRAME = pl.DataFrame(
    {
        "n": [1, 2, 2, None, 1],
        "m": [2, 2, 3, 4, 0],
        "s": ["a", "bb", "ab", None, "b"],
        "t": [dt.date(2025, 9, day) for day in (1, 2, 9, 3, 20)],
        "kept": [True, True, False, True, True],
    }
)


@pytest.mark.parametrize(
    ("name", "checked", "failed"),
    [
        ("not_null", 4, 1),
        ("unique", 3, 2),  # the second 2 is not looked at, and so the first one stands alone
        ("in_set", 3, 1),
        ("not_in_set", 3, 1),
        ("in_range", 3, 1),
        ("matches", 3, 2),
        ("length_between", 3, 1),
        ("increasing", 3, 1),
        ("decreasing", 3, 1),
        ("no_gaps", 4, 1),  # the 9th is not looked at, and from the 3rd to the 20th is one gap
        ("compare_columns", 3, 2),
        ("satisfies", 4, 1),
    ],
)
def test_an_own_filter_says_which_rows_are_looked_at(name: str, checked: int, failed: int) -> None:
    assert set(OWN) == set(ROW_RULES)

    result = judged(FRAME, rule=name, **OWN[name], filter=[{"col": "kept", "op": "=", "val": True}])

    assert (result.rows_checked, result.rows_failed) == (checked, failed)
    assert result.share == failed / checked


OPEN = [{"col": "open", "op": "=", "val": True}]
ORDERS = {
    "order": [1, 2, 1, 2, 3, 2],
    "open": [True, True, False, True, None, None],
    "shop": ["x", "x", "x", "y", "y", "x"],
    "n": [1, 5, 9, 4, 0, 7],
    "day": [dt.date(2025, 9, day) for day in (1, 2, 3, 9, 4, 5)],
}


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ({"rule": "unique", "cols": ["order"]}, [2, 4]),
        ({"rule": "unique", "cols": ["order", "shop"]}, []),
        ({"rule": "increasing", "col": "n"}, [4]),
        ({"rule": "increasing", "col": "order", "strict": True}, [4]),
        ({"rule": "increasing", "col": "n", "by": ["shop"]}, []),
        ({"rule": "decreasing", "col": "n"}, [2]),
        ({"rule": "no_gaps", "col": "day", "every": "6 days"}, [4]),
        ({"rule": "no_gaps", "col": "day", "every": "7 days"}, []),
    ],
)
def test_what_a_rules_own_filter_leaves_out_is_compared_with_nothing(
    rule: dict[str, Any], rows: list[int]
) -> None:
    result = judged(ORDERS, **rule, filter=OPEN)

    assert (result.rows_checked, [one.row for one in result.examples or []]) == (3, rows)


def test_an_own_filter_may_itself_be_of_rows_among_others() -> None:
    latest = [{"not": {"rows": {"are": "repeated", "cols": ["id"]}}}]
    frame = {"id": [1, 1, 2, 2, 3], "n": [5, 9, 6, 1, 4]}

    result = judged(frame, rule="increasing", col="n", filter=latest)

    assert (result.rows_checked, [one.row for one in result.examples or []]) == (3, [5])


def test_as_many_filters_as_there_may_be_are_among_one_another() -> None:
    many = [{"col": "n", "op": ">=", "val": -number} for number in range(1000)]

    assert outcome({"n": [1, 1, -1]}, rule="unique", cols=["n"], filter=many)[:3] == (False, 2, 2)


def test_an_own_filter_may_tell_times_from_when_the_request_came() -> None:
    frame = {"t": [dt.date(2025, 9, 1), dt.date(2025, 9, 9)], "a": [None, None]}
    lately = [{"col": "t", "op": ">", "val": {"ago": "3 days", "start_of": "day"}}]

    assert outcome(frame, rule="not_null", col="a", filter=lately)[:3] == (False, 1, 1)


@pytest.mark.parametrize("name", sorted(ROW_RULES))
def test_no_rule_of_rows_is_broken_by_a_frame_without_rows(name: str) -> None:
    assert outcome(FRAME.clear(), rule=name, **OWN[name])[:3] == (True, 0, 0)


@pytest.mark.parametrize("name", sorted(set(ROW_RULES) - {"not_null", "satisfies"}))
@pytest.mark.parametrize("dtype", [None, pl.Null])
def test_only_not_null_judges_nulls(name: str, dtype: Any) -> None:
    nulls = pl.DataFrame({key: pl.Series([None] * 3, dtype=dtype or FRAME[key].dtype) for key in "nmst"})

    assert outcome(nulls, rule=name, **OWN[name])[:3] == (True, 0, 0)


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        (
            {"rule": "increasing", "col": "list"},
            "col",
            '"increasing" needs a column of values that have an order; "list" is of type list',
        ),
        (
            {"rule": "no_gaps", "col": "n", "every": "1 day"},
            "col",
            '"no_gaps" needs a column of dates or timestamps; "n" is of type int64',
        ),
        (
            {"rule": "no_gaps", "col": "t", "every": "1 hour"},
            "every",
            'column "t" holds dates, which have no hour',
        ),
        (
            {"rule": "length_between", "col": "n", "min": 1},
            "col",
            '"length_between" needs a column of strings; "n" is of type int64',
        ),
        (
            {"rule": "compare_columns", "col": "n", "op": "<", "col2": "s"},
            "col2",
            'column "n" of type int64 cannot be compared without loss with "s" of type string',
        ),
        (
            {"rule": "not_in_set", "col": "n", "values": [1, "x"]},
            "values[1]",
            "'x' cannot be compared with column \"n\" of type int64",
        ),
        (
            {"rule": "satisfies", "condition": {"not": {"col": "n", "op": "<", "val": "x"}}},
            "condition.not.val",
            "'x' cannot be compared with column \"n\" of type int64",
        ),
        (
            {"rule": "not_null", "col": "n", "filter": [{"col": "n", "op": "<", "val": "x"}]},
            "filter[0].val",
            "'x' cannot be compared with column \"n\" of type int64",
        ),
    ],
)
def test_what_a_columns_type_cannot_do_is_refused_where_the_rule_asks_it(
    rule: dict[str, Any], field: str, message: str
) -> None:
    error = refusal(
        TypeMismatch, rule, frame={"n": [1], "s": ["a"], "t": [dt.date(2025, 9, 1)], "list": [[1]]}
    )

    assert (error.field, error.message) == (f"options.rules[0].{field}", message)
    assert error.constraint


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"rule": "increasing", "col": "n", "by": ["n", "nn"]}, "by[1]"),
        ({"rule": "no_gaps", "col": "t", "every": "1 day", "by": ["nn"]}, "by[0]"),
        ({"rule": "compare_columns", "col": "n", "op": "<", "col2": "nn"}, "col2"),
        ({"rule": "satisfies", "condition": {"col": "nn", "op": "is_null"}}, "condition.col"),
        ({"rule": "not_null", "col": "n", "filter": [{"col": "nn", "op": "is_null"}]}, "filter[0].col"),
    ],
)
def test_an_unknown_column_is_named_wherever_it_stands(rule: dict[str, Any], field: str) -> None:
    error = refusal(UnknownColumn, rule, frame={"n": [1], "t": [dt.date(2025, 9, 1)]})

    assert error.field == f"options.rules[0].{field}"
    assert error.suggestion == ["n"]
