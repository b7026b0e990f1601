from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from airpy import contract
from airpy.contract import Plan
from airpy.engine import words
from airpy.engine.explain import STAGES, explained

CASES = yaml.load((Path(__file__).parent / "explanations.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
NO_STAGES = {"groupby", "time_col", "timezone", "week_start", "origin"}
"""Keys of a plan that say how another stage does its work."""


def fns_of(name: str) -> set[str]:
    """The values of `fn` or `op` that a union of the contract has."""
    [union, _] = get_args(getattr(contract, name).__value__)
    return {
        value
        for part in get_args(union)
        for value in get_args(part.model_fields["fn" if name == "Derivation" else "op"].annotation)
    }


@pytest.mark.parametrize("case", CASES)
def test_a_plan_is_put_into_words(case: dict[str, Any]) -> None:
    plan = Plan.model_validate({"dataset": "readings", **case["plan"]})

    first, *others = explained(plan)

    assert (first.stage, first.text) == ("dataset", "Read the data set readings.")
    assert [[each.stage, each.text] for each in others] == case["says"]


@pytest.mark.parametrize("stage", sorted(set(STAGES) - {"dataset"}))
def test_every_stage_is_put_into_words(stage: str) -> None:
    assert stage in {said for case in CASES for said, _ in case["says"]}


def test_every_key_of_a_plan_is_a_stage() -> None:
    assert set(STAGES) == set(Plan.model_fields) - NO_STAGES


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (words.FILTERS, set(get_args(get_args(contract.FilterOperator.__value__)[0]))),
        (words.RELATIONS, set(get_args(get_args(contract.RowRelation.__value__)[0]))),
        (words.AGGREGATES, set(get_args(get_args(contract.AggregateFunction.__value__)[0]))),
        (words.WINDOWS, set(get_args(get_args(contract.WindowFunction.__value__)[0]))),
        (words.JOINS, set(get_args(get_args(contract.JoinKind.__value__)[0]))),
        (words.CLEANING, fns_of("CleanStep")),
        (words.DERIVATIONS, fns_of("Derivation") - {"case"}),
        (words.FILLS, set(get_args(contract.Resample.model_fields["fill"].annotation))),
    ],
)
def test_every_name_of_the_contract_has_its_words(table: dict[str, Any], names: set[str]) -> None:
    assert set(table) == names


@pytest.mark.parametrize("fn", sorted(words.AGGREGATES))
def test_every_aggregate_is_put_into_words(fn: str) -> None:
    item = {"col": "kwh", "fn": fn, "by": "time", "col2": "cost", "weight": "cost", "q": 0.5, "as": "x"}

    [_, said] = explained(Plan.model_validate({"dataset": "readings", "aggs": [item]}))

    assert said.text.startswith("Over all rows, compute ")
    assert ("kwh" in said.text) == (fn != "count")


@pytest.mark.parametrize(
    "fn", sorted(set(words.DERIVATIONS) & {*words.PARTS, "abs", "floor", "ceil", "exp", "sqrt"})
)
def test_a_function_of_one_column_is_put_into_words(fn: str) -> None:
    item = {"as": "x", "fn": fn, "col": "kwh"}

    [_, said] = explained(Plan.model_validate({"dataset": "readings", "derive": [item]}))

    assert "kwh" in said.text


@pytest.mark.parametrize(
    ("fn", "says"), [("add", "a + 1"), ("sub", "a − 1"), ("mul", "a × 1"), ("div", "a ÷ 1")]
)
def test_arithmetic_is_put_into_words(fn: str, says: str) -> None:
    item = {"as": "x", "fn": fn, "args": [{"col": "a"}, {"val": 1}]}

    [_, said] = explained(Plan.model_validate({"dataset": "readings", "derive": [item]}))

    assert said.text == f"Compute x: {says}."


def test_a_long_list_is_cut() -> None:
    plan = Plan.model_validate({"dataset": "readings", "select": [f"c{n}" for n in range(100)]})

    assert explained(plan)[1].text.endswith("c11 and 88 more.")
