from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any, get_args

import polars as pl
import pytest

from airpy.contract import Rule
from airpy.engine.profile.rule_checks import check_rules
from airpy.engine.profile.rules import RULES, validate
from airpy.errors import InvalidOptions, TypeMismatch, UnknownColumn
from tests.engine.profile.judging import RULE, judged, outcome, refusal


def test_each_rule_of_the_contract_is_there() -> None:
    union, *_ = get_args(Rule.__value__)
    names = {get_args(kind.model_fields["rule"].annotation)[0] for kind in get_args(union)}

    assert names == set(RULES)


def test_a_column_without_nulls_passes_and_one_with_some_fails() -> None:
    frame = {"a": [1, None, 3, None], "b": [1, 2, 3, 4], "nan": [math.nan] * 4}

    assert outcome(frame, rule="not_null", col="a") == (False, 4, 2, "2 nulls")
    assert outcome(frame, rule="not_null", col="b") == (True, 4, 0, "0 nulls")
    assert outcome(frame, rule="not_null", col="nan") == (True, 4, 0, "0 nulls")
    assert outcome({"a": [None]}, rule="not_null", col="a") == (False, 1, 1, "1 null")


def test_values_that_occur_twice_fail_in_all_their_rows() -> None:
    frame = {"a": [1, 1, 1, 2, 3], "b": ["x", "x", "y", "x", "x"]}

    assert outcome(frame, rule="unique", cols=["a"]) == (
        False,
        5,
        3,
        "3 rows share their values with another",
    )
    assert outcome(frame, rule="unique", cols=["a", "b"]) == (
        False,
        5,
        2,
        "2 rows share their values with another",
    )
    assert outcome({"a": [1, 2, 3]}, rule="unique", cols=["a"]) == (
        True,
        3,
        0,
        "0 rows share their values with another",
    )


def test_rows_with_a_null_are_not_compared() -> None:
    frame = {"a": [1, 1, None, None, 2], "b": ["x", None, "y", "y", "z"]}

    assert outcome(frame, rule="unique", cols=["a", "b"])[:3] == (True, 2, 0)
    assert outcome(frame, rule="unique", cols=["a"])[:3] == (False, 3, 2)


@pytest.mark.parametrize("values", [[[1], [1]], [{"x": 1}, {"x": 1}], [math.nan, math.nan], [0.0, -0.0]])
def test_values_of_any_type_can_be_the_same(values: list[Any]) -> None:
    assert outcome({"a": values}, rule="unique", cols=["a"])[:3] == (False, 2, 2)


def test_a_column_named_twice_is_one() -> None:
    assert outcome({"*": [1, 2]}, rule="unique", cols=["*", "*"])[:3] == (True, 2, 0)


def test_values_outside_the_set_are_shown() -> None:
    frame = {"site": ["a", "b", "c", "c", None]}

    assert outcome(frame, rule="in_set", col="site", values=["a", "b", "c"]) == (True, 4, 0, "all in the set")
    assert outcome(frame, rule="in_set", col="site", values=["a"]) == (False, 4, 3, "not in the set: b, c")


def test_five_examples_are_enough_and_long_ones_are_cut() -> None:
    many = outcome({"a": list("abcdefg")}, rule="in_set", col="a", values=["z"])
    long = outcome({"a": ["x" * 500]}, rule="in_set", col="a", values=["z"])

    assert many[3] == "not in the set: a, b, c, d, e"
    assert long[3] == f"not in the set: {'x' * 79}…"


def test_an_empty_string_outside_the_set_is_said_to_be_outside() -> None:
    passed, _, failed, observed = outcome({"a": ["", ""]}, rule="in_set", col="a", values=["x"])

    assert (passed, failed, observed) == (False, 2, "not in the set: ")


@pytest.mark.parametrize(
    ("column", "inside", "outside"),
    [
        (pl.Series([1, 2], dtype=pl.Int8), 1, "2"),
        (pl.Series([2**64 - 1, 0], dtype=pl.UInt64), 2**64 - 1, "0"),
        (pl.Series([0.1, 0.2], dtype=pl.Float64), 0.1, "0.2"),
        (pl.Series([0.5, 0.25], dtype=pl.Float32), 0.5, "0.25"),
        (pl.Series([Decimal("1.50"), Decimal("2.25")], dtype=pl.Decimal(10, 2)), "1.5", "2.25"),
        (pl.Series(["x", "y"], dtype=pl.Categorical), "x", "y"),
        (pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])), "x", "y"),
        (pl.Series([True, False]), True, "False"),
        (pl.Series([dt.date(2025, 9, 1), dt.date(2025, 9, 2)]), "2025-09-01", "2025-09-02"),
        (pl.Series([dt.time(1), dt.time(2, 30)]), "01:00:00", "02:30:00"),
        (
            pl.Series([dt.datetime(2025, 9, 1), dt.datetime(2025, 9, 2)], dtype=pl.Datetime("ns")),  # noqa: DTZ001
            "2025-09-01T00:00:00Z",
            "2025-09-02T00:00:00Z",
        ),
        (
            pl.Series(
                [dt.datetime(2025, 8, day, 22, tzinfo=dt.UTC) for day in (30, 31)]
            ).dt.convert_time_zone("Europe/Berlin"),
            "2025-08-30T22:00:00Z",
            "2025-08-31T22:00:00Z",
        ),
    ],
)
def test_values_are_compared_in_the_columns_type(column: pl.Series, inside: Any, outside: str) -> None:
    assert outcome({"a": column}, rule="in_set", col="a", values=[inside]) == (
        False,
        2,
        1,
        f"not in the set: {outside}",
    )


def test_single_floats_are_the_numbers_they_were_written_as() -> None:
    column = pl.Series([0.1], dtype=pl.Float32)

    assert judged({"a": column}, rule="in_set", col="a", values=[0.1]).passed
    assert judged({"a": column}, rule="in_range", col="a", min=0.1, max=0.1).passed


def test_nan_is_in_no_set_of_numbers() -> None:
    assert outcome({"a": [1.0, math.nan]}, rule="in_set", col="a", values=[1.0]) == (
        False,
        2,
        1,
        "not in the set: nan",
    )


@pytest.mark.parametrize(
    ("ends", "failed"),
    [
        ({"min": 2}, 1),
        ({"max": 2}, 2),
        ({"min": 1, "max": 4}, 0),
        ({"min": 2, "max": 3}, 2),
        ({"min": 5}, 4),
    ],
)
def test_the_ends_of_a_range_are_in_it_and_nulls_are_not_asked(ends: dict[str, int], failed: int) -> None:
    assert outcome({"a": [1, 2, 3, 4, None]}, rule="in_range", col="a", **ends) == (
        failed == 0,
        4,
        failed,
        "from 1 to 4",
    )


@pytest.mark.parametrize(
    ("column", "ends", "observed"),
    [
        (pl.Series(["a", "m", "z"]), {"min": "b", "max": "y"}, "from a to z"),
        (
            pl.Series([Decimal("1.00"), Decimal("1.75"), Decimal("3.00")]),
            {"min": "1.5", "max": 2},
            "from 1.00 to 3.00",
        ),
        (
            pl.Series([dt.date(2025, 8, 31), dt.date(2025, 9, 1), dt.date(2025, 10, 1)]),
            {"min": "2025-09-01", "max": "2025-09-30"},
            "from 2025-08-31 to 2025-10-01",
        ),
        (
            pl.Series([dt.datetime(2025, 9, day, tzinfo=dt.UTC) for day in (1, 2, 3)]),
            {"min": "2025-09-02T02:00:00+02:00", "max": "2025-09-02T00:00:00Z"},
            "from 2025-09-01T00:00:00Z to 2025-09-03T00:00:00Z",
        ),
    ],
)
def test_a_range_is_of_the_columns_type(column: pl.Series, ends: dict[str, Any], observed: str) -> None:
    assert outcome({"a": column}, rule="in_range", col="a", **ends) == (False, 3, 2, observed)


def test_nan_is_greater_than_every_number() -> None:
    frame = {"a": [1.0, math.nan]}

    assert outcome(frame, rule="in_range", col="a", max=1e308)[:3] == (False, 2, 1)
    assert outcome(frame, rule="in_range", col="a", min=0)[:3] == (True, 2, 0)


def test_times_that_no_calendar_shows_can_be_judged() -> None:
    date = pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date)
    moment = pl.Series([2**62]).cast(pl.Datetime("us"))

    assert outcome({"a": date}, rule="in_range", col="a", min="2025-09-01")[:3] == (True, 1, 0)
    assert outcome({"a": moment}, rule="in_range", col="a", max="2025-09-01T00:00:00Z")[:3] == (False, 1, 1)
    assert outcome({"a": date}, rule="in_set", col="a", values=["2025-09-01"]) == (
        False,
        1,
        1,
        "not in the set: a time that no calendar shows",
    )


def test_strings_that_stand_for_numbers_are_compared_as_numbers() -> None:
    assert judged({"a": [9, 10]}, rule="in_range", col="a", min="9", max="10").passed


def test_moments_are_compared_as_moments_whatever_their_offset() -> None:
    frame = {"a": [dt.datetime(2025, 8, 31, 22, 30, tzinfo=dt.UTC)]}
    ends = {"min": "2025-09-01T00:00:00+02:00", "max": "2025-08-31T23:00:00Z"}

    assert judged(frame, rule="in_range", col="a", **ends).passed


def test_a_pattern_may_match_anywhere_unless_it_is_anchored() -> None:
    frame = {"a": ["site_001", "site_x", None, "my site_002"]}

    assert outcome(frame, rule="matches", col="a", pattern=r"site_[0-9]+") == (
        False,
        3,
        1,
        "without a match: site_x",
    )
    assert outcome(frame, rule="matches", col="a", pattern=r"^site_[0-9]+$") == (
        False,
        3,
        2,
        "without a match: site_x, my site_002",
    )
    assert outcome(frame, rule="matches", col="a", pattern="site") == (True, 3, 0, "all match")


def test_an_empty_string_without_a_match_is_said_to_have_none() -> None:
    passed, _, failed, observed = outcome({"a": [""]}, rule="matches", col="a", pattern="x")

    assert (passed, failed, observed) == (False, 1, "without a match: ")


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["x", "y"])])
def test_categories_are_strings(dtype: Any) -> None:
    column = pl.Series(["x", "y", None], dtype=dtype)

    assert outcome({"a": column}, rule="matches", col="a", pattern="x")[:3] == (False, 2, 1)


def test_a_type_is_the_contracts_name() -> None:
    frame = pl.DataFrame({"n": [1, None], "s": ["x", "y"], "l": [[1], [2]]})

    assert outcome(frame, rule="type", col="n", type="int64") == (True, 2, 0, "type int64")
    assert outcome(frame, rule="type", col="l", type="list") == (True, 2, 0, "type list")
    assert outcome(frame, rule="type", col="s", type="int64") == (False, 2, 2, "type string")


def test_a_wrong_type_fails_even_without_rows() -> None:
    frame = pl.DataFrame(schema={"a": pl.Int64})

    assert outcome(frame, rule="type", col="a", type="string") == (False, 0, 0, "type int64")


@pytest.mark.parametrize(
    ("ends", "failed"),
    [
        ({"min": 3}, 0),
        ({"min": 4}, 1),
        ({"max": 3}, 0),
        ({"max": 1}, 2),
        ({"min": 0, "max": 5}, 0),
        ({"min": 0, "max": 0}, 3),
    ],
)
def test_rows_are_counted_against_both_ends(ends: dict[str, int], failed: int) -> None:
    assert outcome({"a": [None] * 3}, rule="row_count_between", **ends) == (failed == 0, 3, failed, "3 rows")


@pytest.mark.parametrize(
    ("rule", "observed"),
    [
        ({"rule": "not_null", "col": "a"}, "0 nulls"),
        ({"rule": "unique", "cols": ["a"]}, "0 rows share their values with another"),
        ({"rule": "in_set", "col": "a", "values": ["x"]}, "all in the set"),
        ({"rule": "in_range", "col": "a", "min": "x"}, "no values"),
        ({"rule": "matches", "col": "a", "pattern": "x"}, "all match"),
        ({"rule": "row_count_between", "max": 0}, "0 rows"),
    ],
)
def test_a_frame_without_rows_breaks_no_rule_of_values(rule: dict[str, Any], observed: str) -> None:
    assert outcome(pl.DataFrame(schema={"a": pl.String}), **rule) == (True, 0, 0, observed)


@pytest.mark.parametrize(
    ("rule", "dtypes"),
    [
        ({"rule": "unique", "cols": ["a"]}, [pl.Null, pl.Int64]),
        ({"rule": "in_set", "col": "a", "values": [1]}, [pl.Null, pl.Int64]),
        ({"rule": "in_range", "col": "a", "min": 1, "max": 2}, [pl.Null, pl.Int64]),
        ({"rule": "matches", "col": "a", "pattern": "x"}, [pl.Null, pl.String]),
    ],
)
def test_a_column_of_nulls_breaks_no_rule_of_values(rule: dict[str, Any], dtypes: list[Any]) -> None:
    for dtype in dtypes:
        found = outcome({"a": pl.Series([None, None], dtype=dtype)}, **rule)

        assert found[:3] == (True, 0, 0)


@pytest.mark.parametrize("name", ["*", "^a$", "^.*$", ""])
def test_a_name_that_polars_reads_as_a_pattern_is_a_name(name: str) -> None:
    frame = pl.DataFrame({"a": [1], name: pl.Series([None], dtype=pl.Int64)})

    assert outcome(frame, rule="not_null", col=name) == (False, 1, 1, "1 null")


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"rule": "not_null", "col": "kwhh"}, "options.rules[1].col"),
        ({"rule": "unique", "cols": ["kwh", "kwhh"]}, "options.rules[1].cols[1]"),
        ({"rule": "in_set", "col": "kwhh", "values": [1]}, "options.rules[1].col"),
        ({"rule": "in_range", "col": "kwhh", "min": 1}, "options.rules[1].col"),
        ({"rule": "matches", "col": "kwhh", "pattern": "x"}, "options.rules[1].col"),
        ({"rule": "type", "col": "kwhh", "type": "int64"}, "options.rules[1].col"),
    ],
)
def test_an_unknown_column_suggests_the_nearest_name(rule: dict[str, Any], field: str) -> None:
    error = refusal(
        UnknownColumn, {"rule": "row_count_between", "min": 0}, rule, frame={"kwh": [1], "cost": [2]}
    )

    assert error.message == 'unknown column "kwhh"; did you mean "kwh"?'
    assert error.field == field
    assert error.suggestion == ["kwh"]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"rule": "in_set", "col": "a", "values": [1, "x"]}, "options.rules[0].values[1]"),
        ({"rule": "in_range", "col": "a", "min": "x", "max": 2}, "options.rules[0].min"),
        ({"rule": "in_range", "col": "a", "min": 1, "max": 2.5}, "options.rules[0].max"),
        ({"rule": "in_range", "col": "list", "min": 1}, "options.rules[0].min"),
        ({"rule": "matches", "col": "a", "pattern": "1"}, "options.rules[0].col"),
    ],
)
def test_a_value_that_is_not_of_the_columns_type_is_refused(rule: dict[str, Any], field: str) -> None:
    error = refusal(TypeMismatch, rule, frame={"a": [1], "list": [[1]]})

    assert error.field == field


def test_a_pattern_for_numbers_is_refused_by_the_contracts_type_name() -> None:
    error = refusal(TypeMismatch, {"rule": "matches", "col": "a", "pattern": "1"}, frame={"a": [1]})

    assert error.message == '"matches" needs a column of strings; "a" is of type int64'


@pytest.mark.parametrize("rule", ["in_range", "row_count_between"])
def test_a_range_without_an_end_is_refused_without_data(rule: str) -> None:
    told = {"rule": rule} | ({"col": "a"} if rule == "in_range" else {})
    error = refusal(InvalidOptions, {"rule": "not_null", "col": "a"}, told)

    assert error.message == f'rule "{rule}" needs min, max or both'
    assert error.field == "options.rules[1]"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"rule": "in_range", "col": "a", "min": 2, "max": 1}, "min 2 is greater than max 1"),
        ({"rule": "in_range", "col": "a", "min": 2, "max": 1.5}, "min 2 is greater than max 1.5"),
        ({"rule": "row_count_between", "min": 1, "max": 0}, "min 1 is greater than max 0"),
    ],
)
def test_numbers_the_wrong_way_round_are_refused_without_data(rule: dict[str, Any], message: str) -> None:
    error = refusal(InvalidOptions, rule)

    assert (error.message, error.field) == (message, "options.rules[0].min")
    assert error.constraint == "no greater than max"


def test_other_values_the_wrong_way_round_are_refused_with_the_data() -> None:
    rule = {"rule": "in_range", "col": "a", "min": "2025-09-02", "max": "2025-09-01"}
    check_rules([RULE.validate_python(rule)])

    error = refusal(InvalidOptions, rule, frame={"a": [dt.date(2025, 9, 1)]})

    assert error.message == "min 2025-09-02 is greater than max 2025-09-01"
    assert error.field == "options.rules[0].min"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(b", "unclosed group"),
        ("(?=b)", "look-around, including look-ahead and look-behind, is not supported"),
        (r"(a{1000}){1000}{1000}", "Compiled regex exceeds size limit of 10485760 bytes."),
    ],
)
def test_what_is_no_regular_expression_is_refused_without_data(pattern: str, reason: str) -> None:
    error = refusal(InvalidOptions, {"rule": "matches", "col": "a", "pattern": pattern})

    assert error.message == f"the pattern is not a regular expression: {reason}"
    assert error.field == "options.rules[0].pattern"


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [{"rule": "in_range", "col": "a", "min": 1, "max": 1}],
        [{"rule": "in_range", "col": "a", "min": "b", "max": "a"}],
        [{"rule": "in_range", "col": "a", "max": "a"}],
        [{"rule": "row_count_between", "min": 0}],
        [{"rule": "matches", "col": "a", "pattern": "^x$"}, {"rule": "unique", "cols": ["a"]}],
    ],
)
def test_rules_that_may_hold_of_some_data_are_not_refused(rules: list[dict[str, Any]]) -> None:
    check_rules([RULE.validate_python(rule) for rule in rules])


@pytest.mark.parametrize(
    ("broken", "verdict"),
    [
        ([], "pass"),
        (["info"], "pass"),
        (["warning"], "warn"),
        (["info", "warning"], "warn"),
        (["warning", "error"], "fail"),
        ([None], "fail"),
    ],
)
def test_the_verdict_is_that_of_the_worst_rule_not_met(broken: list[str | None], verdict: str) -> None:
    met = {"rule": "not_null", "col": "whole", "severity": "error"}
    rules = [met] + [
        {"rule": "not_null", "col": "holed"} | ({"severity": severity} if severity else {})
        for severity in broken
    ]
    found = validate(
        pl.LazyFrame({"whole": [1], "holed": [None]}), [RULE.validate_python(rule) for rule in rules]
    )

    assert found.verdict == verdict
    assert [result.passed for result in found.rules] == [True] + [False] * len(broken)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ({"rule": "not_null", "col": "a"}, "not_null(a)"),
        ({"rule": "unique", "cols": ["a", "b"]}, "unique(a, b)"),
        ({"rule": "row_count_between", "min": 0}, "row_count_between"),
        ({"rule": "not_null", "col": "a", "name": "every reading has a value"}, "every reading has a value"),
    ],
)
def test_a_rule_is_named_by_itself_and_its_columns_unless_it_has_a_name(
    rule: dict[str, Any], name: str
) -> None:
    result = judged({"a": [1], "b": [1]}, **rule)

    assert (result.name, result.rule, result.severity) == (name, rule["rule"], "error")
