"""What is refused of a plan without its data."""

from __future__ import annotations

from typing import Any

import pytest

from airpy.contract import Plan
from airpy.engine.needs import named_columns
from airpy.engine.plan import check_plan, group_keys, is_grouped
from airpy.errors import InvalidPlan


def plan(**parts: Any) -> Plan:
    """A plan over some data set."""
    return Plan.model_validate({"dataset": "table", **parts})


def refusal(**parts: Any) -> InvalidPlan:
    """What the plan is refused with."""
    with pytest.raises(InvalidPlan) as raised:
        check_plan(plan(**parts))
    return raised.value


def test_plan_of_nothing_is_accepted() -> None:
    check_plan(plan())

    assert not is_grouped(plan(groupby=[], aggs=[], select=["a"]))


def test_plan_of_everything_is_accepted() -> None:
    check_plan(
        plan(
            clean=[
                {"op": "trim"},
                {"op": "fill_null", "value": False},
                {"op": "fill_null", "strategy": "zero"},
            ],
            joins=[
                {"dataset": "b", "on": ["k"]},
                {"dataset": "c", "left_on": ["k", "l"], "right_on": ["l", "k"]},
            ],
            filters=[{"col": "a", "op": "is_null"}, {"col": "a", "op": "in", "val": []}],
            select=["a", "b"],
            groupby=["site", "day"],
            aggs=[{"fn": "count"}, {"col": "a", "fn": "sum"}, {"col": "a", "fn": "sum", "as": "total"}],
            grain="1 day",
            time_col="moment",
            timezone="Europe/Berlin",
            order=[{"col": "day"}, {"col": "total"}, {"col": "count"}],
            limit=1,
        )
    )


@pytest.mark.parametrize(
    ("parts", "keys"),
    [
        ({}, []),
        ({"groupby": ["b", "a"]}, ["b", "a"]),
        ({"aggs": [{"fn": "count"}]}, []),
        ({"grain": "PT15M"}, ["minute"]),
        ({"grain": "1 day", "groupby": ["site"]}, ["day", "site"]),
        ({"grain": "1 day", "groupby": ["site", "day"]}, ["site", "day"]),
    ],
)
def test_bucket_is_the_first_group_key_unless_groupby_places_it(
    parts: dict[str, Any], keys: list[str]
) -> None:
    assert group_keys(plan(**parts)) == keys
    assert is_grouped(plan(**parts)) is (parts != {})


@pytest.mark.parametrize(
    ("op", "val", "constraint"),
    [
        ("=", None, "one value"),
        ("=", [1], "one value"),
        ("<", [], "one value"),
        ("contains", None, "a string"),
        ("like", 5, "a string"),
        ("regex", ["a"], "a string"),
        ("is_distinct_from", [], "one value or none"),
        ("is_nan", 0, "no value"),
        ("between", None, "two values"),
        ("between", 1, "two values"),
        ("between", [1], "two values"),
        ("between", [1, 2, 3], "two values"),
        ("in", None, "a list of values"),
        ("in", "abc", "a list of values"),
        ("not_in", 0, "a list of values"),
        ("is_null", 0, "no value"),
        ("is_null", False, "no value"),
        ("not_null", [], "no value"),
    ],
)
def test_value_of_the_wrong_kind_for_the_operator_is_refused(op: str, val: Any, constraint: str) -> None:
    value = {} if val is None else {"val": val}
    error = refusal(filters=[{"col": "a", "op": "not_null"}, {"col": "a", "op": op, **value}])

    assert error.reason == "INVALID_PLAN"
    assert error.field == "plan.filters[1].val"
    assert error.constraint == constraint
    assert error.message == f'operator "{op}" takes {constraint}, not {val!r}'


@pytest.mark.parametrize("op", ["in", "between", "contains", "like", "regex", "is_null"])
def test_relative_time_is_compared_alone(op: str) -> None:
    error = refusal(filters=[{"col": "a", "op": op, "val": {"ago": "1 day"}}])

    assert error.field == "plan.filters[0].val"


@pytest.mark.parametrize(
    ("item", "field", "says"),
    [
        ({}, "", "either a comparison"),
        ({"col": "a"}, ".op", "needs `op`"),
        ({"op": "is_null"}, ".col", "needs `col`"),
        ({"col": "a", "op": "is_null", "all": [{"col": "a", "op": "is_null"}]}, "", "either a comparison"),
        ({"val": 1, "not": {"col": "a", "op": "is_null"}}, "", "either a comparison"),
        ({"any": [{"col": "a", "op": "is_null"}], "not": {"col": "a", "op": "is_null"}}, "", "either a comp"),
        ({"any": [{"not": {"all": [{"col": "a", "op": "="}]}}]}, ".any[0].not.all[0].val", "takes one value"),
        ({"col": "a", "op": "=", "val": 1, "closed": "left"}, ".closed", "no ends"),
        (
            {"col": "a", "op": "=", "val": 1, "col2": "b"},
            ".col2",
            "either with a value or with another column",
        ),
        ({"col": "a", "op": "like", "col2": "b"}, ".col2", '"like" does not compare two columns'),
        ({"col": "a", "op": "is_null", "col2": "b"}, ".col2", "does not compare two columns"),
        ({"col": "a", "op": "like", "val": "a\\b"}, ".val", "has a backslash before what needs none"),
        ({"col": "a", "op": "ilike", "val": "a\\"}, ".val", "has a backslash before what needs none"),
        ({"col": "a", "op": "regex", "val": "(a"}, ".val", "unclosed group"),
        ({"col": "a", "op": "not_regex", "val": r"(?=a)"}, ".val", "look-around"),
    ],
)
def test_filter_of_the_wrong_shape_is_refused(item: dict[str, Any], field: str, says: str) -> None:
    for place in ("filters", "having"):
        error = refusal(**{place: [{"col": "a", "op": "not_null"}, item], "groupby": ["a", "b"]})

        assert error.field == f"plan.{place}[1]{field}"
        assert says in error.message
        assert error.constraint


def test_like_that_is_refused_is_offered_with_its_backslashes_doubled() -> None:
    error = refusal(filters=[{"col": "a", "op": "like", "val": r"C:\dir\%_"}])

    assert error.suggestion == [r"C:\\dir\%_"]


@pytest.mark.parametrize("value", [0, False, "", 0.0])
def test_values_that_python_calls_false_are_values(value: Any) -> None:
    check_plan(
        plan(filters=[{"col": "a", "op": "=", "val": value}], clean=[{"op": "fill_null", "value": value}])
    )


def test_long_value_is_cut_in_the_message() -> None:
    error = refusal(filters=[{"col": "a", "op": "=", "val": ["x" * 1000]}])

    assert len(error.message) < 150


def test_unknown_zone_is_refused_and_the_nearest_suggested() -> None:
    error = refusal(timezone="Europe/Berln")

    assert error.reason == "INVALID_PLAN"
    assert error.field == "plan.timezone"
    assert error.constraint == "an IANA time zone, as in Europe/Berlin"
    assert error.suggestion[0] == "Europe/Berlin"
    assert error.message.startswith('"Europe/Berln" is not an IANA time zone; did you mean "Europe/Berlin"')


def test_time_col_without_a_grain_is_refused() -> None:
    error = refusal(time_col="moment", groupby=["site"])

    assert error.reason == "INVALID_PLAN"
    assert error.field == "plan.time_col"
    assert error.constraint == "only together with plan.grain or plan.resample"


@pytest.mark.parametrize(
    ("parts", "field", "says"),
    [
        ({"grain": "1 day", "resample": {"every": "1 day"}}, "plan.resample", "both are given"),
        ({"origin": "2025-01-01"}, "plan.origin", "there is neither plan.grain nor plan.resample"),
        (
            {"resample": {"every": "1 day", "fill": "zero"}, "groupby": ["a"]},
            "plan.resample.fill",
            "there are none",
        ),
        (
            {"resample": {"every": "1 day", "origin": "2025-01-01"}, "origin": "2025-01-01"},
            "plan.origin",
            "are both given",
        ),
        ({"grain": "1 day", "origin": "noon"}, "plan.origin", '"noon" is no moment'),
        ({"grain": "1 day", "origin": "2025-02-30"}, "plan.origin", '"2025-02-30" is no moment'),
        ({"grain": "1 day", "origin": "0001-01-01T00:00:00+09:00"}, "plan.origin", "is no moment"),
        ({"grain": "1 day", "origin": "2025-01-01T00:00:00.0001"}, "plan.origin", "finer than a millisecond"),
        (
            {"grain": "1 day", "origin": "2025-01-01T00:00:00.0000001"},
            "plan.origin",
            "finer than a millisecond",
        ),
        ({"grain": "1 month", "origin": "2025-01-29"}, "plan.origin", "not every month has a day 29"),
        (
            {"resample": {"every": "1 year", "origin": "2024-02-29"}},
            "plan.resample.origin",
            "not every month has a day 29",
        ),
        (
            {"grain": "1 week", "origin": "2025-01-01", "week_start": "sunday"},
            "plan.week_start",
            "a week cannot begin on Sunday and at 2025-01-01 00:00:00, a Wednesday",
        ),
    ],
)
def test_what_a_plan_says_of_buckets_and_cannot_mean_is_refused(
    parts: dict[str, Any], field: str, says: str
) -> None:
    error = refusal(**parts)

    assert error.reason == "INVALID_PLAN"
    assert error.field == field
    assert error.constraint
    assert says in error.message


@pytest.mark.parametrize("function", ["count_valid", "count_missing", "n_unique", "sum", "avg", "max", "std"])
def test_every_aggregate_but_count_needs_a_column(function: str) -> None:
    error = refusal(aggs=[{"fn": "count"}, {"fn": function}])

    assert error.reason == "INVALID_PLAN"
    assert error.field == "plan.aggs[1].col"
    assert error.constraint == "the name of a column"
    assert error.message == f'aggregate "{function}" needs a column; only "count" counts rows without one'


@pytest.mark.parametrize(
    ("parts", "field", "names"),
    [
        ({"select": ["b", "a", "b", "a"]}, "plan.select", "a, b"),
        ({"groupby": ["site", "site"]}, "plan.groupby", "site"),
        ({"aggs": [{"fn": "count"}, {"col": "*", "fn": "count"}]}, "plan.aggs", "count"),
        ({"aggs": [{"col": "a", "fn": "sum"}, {"col": "a", "fn": "sum"}]}, "plan.aggs", "a_sum"),
        ({"aggs": [{"col": "a", "fn": "sum"}, {"fn": "count", "as": "a_sum"}]}, "plan.aggs", "a_sum"),
        ({"groupby": ["a"], "aggs": [{"col": "b", "fn": "sum", "as": "a"}]}, "plan.aggs", "a"),
        ({"grain": "1 day", "aggs": [{"fn": "count", "as": "day"}]}, "plan.aggs", "day"),
    ],
)
def test_two_columns_of_one_name_are_refused(parts: dict[str, Any], field: str, names: str) -> None:
    error = refusal(**parts)

    assert error.reason == "INVALID_PLAN"
    assert error.field == field
    assert error.constraint == "different names"
    assert f"two columns called {names};" in error.message


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ({"select": ["a", "b"]}, "a, b"),
        ({"groupby": ["site"], "aggs": [{"col": "a", "fn": "sum"}]}, "site, a_sum"),
        ({"aggs": [{"fn": "count"}, {"col": "a", "fn": "sum", "as": "total"}]}, "count, total"),
        ({"grain": "1 week", "groupby": ["site"]}, "week, site"),
    ],
)
def test_order_may_name_the_columns_of_the_answer_alone(parts: dict[str, Any], names: str) -> None:
    first, _, _ = names.partition(", ")
    error = refusal(**parts, order=[{"col": first}, {"col": "elsewhere"}])

    assert error.reason == "INVALID_PLAN"
    assert error.field == "plan.order[1].col"
    assert error.constraint == f"one of: {names}"
    assert error.message == 'the answer has no column "elsewhere" to order by'


def test_order_suggests_the_nearest_column_of_the_answer() -> None:
    error = refusal(groupby=["site"], aggs=[{"col": "kwh", "fn": "sum"}], order=[{"col": "kwhsum"}])

    assert error.suggestion == ["kwh_sum"]
    assert error.message == 'the answer has no column "kwhsum" to order by; did you mean "kwh_sum"?'


def test_order_of_all_columns_waits_for_the_data() -> None:
    check_plan(plan(order=[{"col": "anything"}]))


def test_joins_of_every_kind_are_accepted() -> None:
    kinds = ["inner", "left", "right", "full", "semi", "anti"]
    check_plan(plan(joins=[{"dataset": "b", "on": ["k"], "how": how, "validate": "1:m"} for how in kinds]))
    check_plan(plan(joins=[{"dataset": "b", "how": "cross"}]))
    asof = {"how": "asof", "by": ["s"], "strategy": "nearest", "tolerance": "5 minutes"}
    check_plan(plan(joins=[{"dataset": "b", "left_on": ["t"], "right_on": ["u"], **asof}]))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"left_on": ["a"]},
        {"right_on": ["a"]},
        {"left_on": ["a", "b"], "right_on": ["a"]},
        {"on": ["a"], "left_on": ["a"]},
        {"on": ["a"], "right_on": ["a"]},
        {"on": ["a"], "left_on": ["a"], "right_on": ["a"]},
    ],
)
def test_join_that_does_not_pair_its_columns_is_refused(keys: dict[str, list[str]]) -> None:
    error = refusal(joins=[{"dataset": "b", "on": ["k"]}, {"dataset": "c", **keys}])

    assert error.reason == "INVALID_PLAN"
    assert error.field == "plan.joins[1]"
    assert error.constraint == "either on, or left_on and right_on"


@pytest.mark.parametrize(
    ("join", "place", "constraint"),
    [
        ({"how": "cross", "on": ["a"]}, ".on", "only with every kind of join but cross"),
        ({"how": "cross", "right_on": ["a"]}, ".right_on", "only with every kind of join but cross"),
        ({"how": "cross", "validate": "m:m"}, ".validate", "only with every kind of join but cross"),
        ({"how": "cross", "tolerance": 1}, ".tolerance", "only with asof joins"),
        ({"how": "left", "on": ["a"], "strategy": "forward"}, ".strategy", "only with asof joins"),
        ({"on": ["a"], "by": ["b"]}, ".by", "only with asof joins"),
        ({"how": "asof"}, "", "either on, or left_on and right_on"),
        ({"how": "asof", "on": ["a", "b"]}, ".on", "one column"),
        ({"how": "asof", "left_on": ["a", "b"], "right_on": ["a", "b"]}, ".left_on", "one column"),
        (
            {"how": "asof", "on": ["a"], "validate": "1:1"},
            ".validate",
            "only with every kind of join but asof, which finds one row at most",
        ),
        ({"how": "asof", "on": ["a"], "by": ["b", "a"]}, ".on", "different names"),
        ({"how": "asof", "on": ["a"], "by": ["b", "b"]}, ".by", "different names"),
        ({"on": ["a"], "select": ["b", "b"]}, ".select", "different names"),
    ],
)
def test_join_whose_kind_does_not_take_what_is_said_is_refused(
    join: dict[str, Any], place: str, constraint: str
) -> None:
    error = refusal(joins=[{"dataset": "b", "on": ["k"]}, {"dataset": "c", **join}])

    assert error.reason == "INVALID_PLAN"
    assert error.field == f"plan.joins[1]{place}"
    assert error.constraint == constraint


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"on": ["a", "b", "a"]}, "on"),
        ({"left_on": ["a", "a"], "right_on": ["b", "c"]}, "left_on"),
        ({"left_on": ["b", "c"], "right_on": ["a", "a"]}, "right_on"),
    ],
)
def test_join_that_names_a_column_twice_is_refused(keys: dict[str, list[str]], place: str) -> None:
    error = refusal(joins=[{"dataset": "b", **keys}])

    assert error.reason == "INVALID_PLAN"
    assert error.field == f"plan.joins[0].{place}"
    assert error.constraint == "different names"
    assert error.message == "a join names a column once, and a stands there twice"


@pytest.mark.parametrize(
    "filling", [{}, {"value": 0, "strategy": "zero"}, {"value": False, "strategy": "mean"}]
)
def test_fill_null_takes_either_a_value_or_a_strategy(filling: dict[str, Any]) -> None:
    error = refusal(clean=[{"op": "trim"}, {"op": "fill_null", **filling}])

    assert error.reason == "INVALID_PLAN"
    assert error.field == "plan.clean[1]"
    assert error.constraint == "exactly one of: value, strategy"


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%Y-%m-%d %H:%M", "%F %T", "%+", "%s", "%Y%%%m", "%c", "%D %r"])
def test_format_of_a_date_or_of_a_whole_time_is_accepted(form: str) -> None:
    check_plan(plan(clean=[{"op": "parse_dates", "col": "a", "format": form}]))


@pytest.mark.parametrize("form", ["%Y-%m-%d %H", "%Y-%m-%d %-I %p", "%Y-%m-%d %M"])
def test_format_of_half_a_time_is_refused(form: str) -> None:
    error = refusal(clean=[{"op": "trim"}, {"op": "parse_dates", "col": "a", "format": form}])

    assert error.reason == "INVALID_PLAN"
    assert error.field == "plan.clean[1].format"
    assert error.constraint == "both hours and minutes, or neither"


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ({"select": ["a"], "filters": [{"col": "b", "op": "is_null"}]}, {"a", "b"}),
        ({"groupby": ["a"], "aggs": [{"fn": "count"}, {"col": "b", "fn": "sum"}]}, {"a", "b"}),
        ({"aggs": [{"col": "*", "fn": "count"}]}, set()),
        ({"groupby": ["day"], "grain": "1 day", "time_col": "moment"}, {"moment"}),
        ({"groupby": ["day"], "grain": "1 day"}, None),
        ({"filters": [{"col": "b", "op": "is_null"}]}, None),
        ({"select": ["a"], "clean": [{"op": "drop_nulls"}]}, None),
        ({"select": ["a"], "joins": [{"dataset": "b", "on": ["k"]}]}, None),
    ],
)
def test_columns_are_named_by_a_plan_that_no_others_matter_to(
    parts: dict[str, Any], names: set[str] | None
) -> None:
    assert named_columns(plan(**parts)) == names


def test_relations_of_rows_count_among_the_comparisons_of_a_plan() -> None:
    level = {"rows": {"are": "level", "cols": ["kwh"]}}
    filters = [{"any": [level] * 1000}] * 10
    check_plan(plan(filters=filters))

    assert refusal(filters=[*filters, level]).message.startswith("10001 comparisons are too many")
