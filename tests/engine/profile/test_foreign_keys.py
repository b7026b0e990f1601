from __future__ import annotations

import datetime as dt
import math
from typing import Any

import polars as pl
import pytest

from airpy.contract import Plan, Rule, RuleResult
from airpy.engine.execute import execute
from airpy.engine.plan import check_plan
from airpy.engine.profile.rule_checks import check_rules
from airpy.engine.profile.rules import Around, validate
from airpy.errors import AirError, TypeMismatch, UnknownColumn
from tests.engine.profile.judging import RULE

READINGS = {
    "site": ["a", "b", None, "x", "x", "a"],
    "meter": [1, 2, 3, 4, 5, None],
    "kwh": [1, 2, 3, 4, 5, 6],
}
SITES = {"site": ["a", "b", "b", None], "meter": [1, 1, 2, 3]}


def judged(frame: dict[str, Any], other: dict[str, Any], plan: Plan | None = None, **rule: Any) -> RuleResult:
    """How the frame meets a foreign key into the other one."""
    rules: list[Rule] = [RULE.validate_python({"rule": "foreign_key", "dataset": "sites"} | rule)]
    check_rules(rules)
    around = Around(others={0: pl.LazyFrame(other)}, plan=plan, datasource_id="energy")
    (result,) = validate(pl.LazyFrame(frame), rules, around).rules
    return result


def test_rows_without_a_partner_are_counted_and_shown() -> None:
    result = judged(READINGS, SITES, cols=["site"])

    assert (result.name, result.passed, result.rows_checked, result.rows_failed) == (
        "foreign_key(site)",
        False,
        5,
        2,
    )
    assert (result.observed, result.share) == ("2 rows without a partner", 0.4)
    assert [(one.row, one.values.model_dump()) for one in result.examples or []] == [
        (4, {"site": "x", "meter": 4, "kwh": 4}),
        (5, {"site": "x", "meter": 5, "kwh": 5}),
    ]
    assert (result.filter, result.plan) == (None, None)


def test_a_key_may_be_of_several_columns_of_other_names() -> None:
    other = {"place": ["a", "b"], "number": [1, 1]}

    result = judged(READINGS, other, cols=["site", "meter"], dataset_cols=["place", "number"])

    # Of (a, 1), (b, 2), (x, 4) and (x, 5) the first alone is there; the others have a null.
    assert (result.rows_checked, result.rows_failed) == (4, 3)


@pytest.mark.parametrize(
    ("here", "there", "failed"),
    [
        ([1, 2], pl.Series([2, 3], dtype=pl.UInt8), 1),
        ([math.nan, 1.0], [math.nan], 1),
        ([0.0], [-0.0], 0),
        ([None, None], ["a"], 0),
        (pl.Series(["a", "b"], dtype=pl.Categorical), pl.Series(["b"], dtype=pl.Categorical), 1),
        (pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])), ["b"], 1),
        ([dt.datetime(2025, 9, 1)], pl.Series([dt.datetime(2025, 9, 1)], dtype=pl.Datetime("ms")), 0),  # noqa: DTZ001
        ([1], pl.Series([], dtype=pl.Int64), 1),
        (pl.Series([], dtype=pl.Int64), [1], 0),
    ],
)
def test_keys_are_equal_by_value(here: Any, there: Any, failed: int) -> None:
    assert judged({"k": here}, {"k": there}, cols=["k"]).rows_failed == failed


def test_an_own_filter_and_a_tolerance_are_heard() -> None:
    late = [{"col": "kwh", "op": ">", "val": 4}]

    result = judged(READINGS, SITES, cols=["site"], filter=late, tolerance={"share": 0.5})

    assert (result.passed, result.rows_checked, result.rows_failed) == (True, 2, 1)


@pytest.mark.parametrize(
    ("rule", "error", "field"),
    [
        ({"cols": ["sit"]}, UnknownColumn, "cols[0]"),
        ({"cols": ["kwh"]}, UnknownColumn, "cols[0]"),  # it is here, and not there
        ({"cols": ["site"], "dataset_cols": ["sitee"]}, UnknownColumn, "dataset_cols[0]"),
        ({"cols": ["site"], "dataset_cols": ["meter"]}, TypeMismatch, "dataset_cols"),
    ],
)
def test_a_key_that_is_none_is_refused(rule: dict[str, Any], error: type[AirError], field: str) -> None:
    with pytest.raises(error) as caught:
        judged(READINGS, SITES, **rule)

    assert caught.value.field == f"options.rules[0].{field}"


def strangers(plan: Plan, **rule: Any) -> list[int]:
    """The kwh of the rows that the plan of failing rows yields."""
    frame = execute(plan, pl.LazyFrame(READINGS)).collect()
    found = judged(frame.to_dict(as_series=False), SITES, plan, **rule)
    assert found.plan is not None
    check_plan(found.plan)
    rows = execute(found.plan, pl.LazyFrame(READINGS), [pl.LazyFrame(SITES)]).collect()
    assert rows.height == found.rows_failed
    return rows["kwh"].to_list()


def test_a_plan_yields_the_rows_that_failed() -> None:
    assert strangers(Plan(dataset="readings"), cols=["site"]) == [4, 5]
    assert strangers(Plan(dataset="readings"), cols=["site", "meter"]) == [4, 5]
    narrow = Plan.model_validate(
        {
            "dataset": "readings",
            "filters": [{"col": "kwh", "op": "<", "val": 5}],
            "select": ["site", "kwh"],
        }
    )
    assert strangers(narrow, cols=["site"]) == [4]
    own = [{"col": "kwh", "op": ">", "val": 4}]
    assert strangers(Plan(dataset="readings"), cols=["site"], filter=own) == [5]


@pytest.mark.parametrize(
    ("plan", "rule"),
    [
        ({"limit": 5}, {}),
        ({"distinct": True}, {}),
        ({"derive": [{"as": "site", "fn": "upper", "col": "meter"}]}, {}),
        ({"filters": [{"rows": {"are": "shared", "cols": ["kwh"]}}]}, {}),
        ({}, {"datasource_id": "elsewhere"}),
        ({}, {"filter": [{"not": {"rows": {"are": "shared", "cols": ["kwh"]}}}]}),
    ],
)
def test_where_no_plan_is_sure_to_yield_them_none_is_given(
    plan: dict[str, Any], rule: dict[str, Any]
) -> None:
    whole = Plan.model_validate({"dataset": "readings"} | plan)

    result = judged(READINGS, SITES, whole, cols=["site"], **rule)

    assert (result.rows_failed, result.plan) == (2, None)


def test_no_plan_is_given_where_all_have_a_partner() -> None:
    assert judged({"site": ["a"]}, SITES, Plan(dataset="readings"), cols=["site"]).plan is None
