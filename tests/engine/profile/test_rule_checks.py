from __future__ import annotations

from typing import Any

import pytest

from airpy.errors import InvalidOptions
from tests.engine.profile.judging import refusal

A = {"col": "a"}
KEY = {"rule": "foreign_key", "dataset": "sites"}


def deep(levels: int) -> dict[str, Any]:
    """A condition so many times negated."""
    condition: dict[str, Any] = {"col": "a", "op": "is_null"}
    for _ in range(levels):
        condition = {"not": condition}
    return condition


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        ({"rule": "length_between", **A}, "", 'rule "length_between" needs min, max or both'),
        ({"rule": "mean_between", **A}, "", 'rule "mean_between" needs min, max or both'),
        ({"rule": "sum_between", **A}, "", 'rule "sum_between" needs min, max or both'),
        ({"rule": "quantile_between", **A, "q": 0.5}, "", 'rule "quantile_between" needs min, max or both'),
        ({"rule": "distinct_between", **A}, "", 'rule "distinct_between" needs min, max or both'),
        ({"rule": "length_between", **A, "min": 3, "max": 2}, ".min", "min 3 is greater than max 2"),
        ({"rule": "mean_between", **A, "min": 1.5, "max": 1}, ".min", "min 1.5 is greater than max 1.0"),
        ({"rule": "distinct_between", **A, "min": 1, "max": 0}, ".min", "min 1 is greater than max 0"),
        (
            {"rule": "compare_columns", **A, "op": "<", "col2": "a"},
            ".col2",
            'column "a" is compared with itself',
        ),
        (
            {"rule": "columns_are", "cols": ["a", "b", "a"]},
            ".cols",
            "a frame has a column once, and a is named twice",
        ),
        (KEY | {"cols": ["a", "a"]}, ".cols", "a key names a column once, and a stands there twice"),
        (
            KEY | {"cols": ["a", "b"], "dataset_cols": ["c", "c"]},
            ".dataset_cols",
            "a key names a column once, and c stands there twice",
        ),
        (
            KEY | {"cols": ["a", "b"], "dataset_cols": ["c"]},
            ".dataset_cols",
            "2 columns here are compared with 1 there",
        ),
        (KEY | {"cols": [f"{n}" for n in range(17)]}, ".cols", "a key of 17 columns is too wide"),
        (
            {"rule": "satisfies", "condition": {"col": "a", "op": "in", "val": 1}},
            ".condition.val",
            'operator "in" takes a list of values, not 1',
        ),
        (
            {"rule": "satisfies", "condition": deep(32)},
            ".condition" + ".not" * 32,
            "filters are nested more than 32 deep",
        ),
        (
            {"rule": "increasing", **A, "strict": True, "filter": [deep(31)]},
            ".filter[0]" + ".not" * 32,
            "filters are nested more than 32 deep",
        ),
        (
            {"rule": "unique", "cols": ["a"], "filter": [{"col": "a"}]},
            ".filter[0].op",
            "a comparison needs `op`",
        ),
        (
            {"rule": "not_null", **A, "filter": [{"col": "a"}]},
            ".filter[0].op",
            "a comparison needs `op`",
        ),
        (
            {"rule": "mean_between", **A, "min": 0, "filter": [{"col": "a", "op": "regex", "val": "("}]},
            ".filter[0].val",
            "'(' is no regular expression: unclosed group",
        ),
        (
            {"rule": "not_null", **A, "severity": "warning", "warn_within": {"rows": 1}},
            ".warn_within",
            'warn_within says when an error is a warning, and severity is "warning"',
        ),
        (
            {"rule": "not_null", **A, "tolerance": {"share": 0.2}, "warn_within": {"share": 0.1}},
            ".warn_within",
            "warn_within is narrower than tolerance, and so nothing is left to warn of",
        ),
        (
            {"rule": "not_null", **A, "tolerance": {"rows": 2}, "warn_within": {"rows": 1}},
            ".warn_within",
            "warn_within is narrower than tolerance, and so nothing is left to warn of",
        ),
    ],
)
def test_a_rule_that_says_nothing_is_refused_without_data(
    rule: dict[str, Any], field: str, message: str
) -> None:
    error = refusal(InvalidOptions, {"rule": "row_count_between", "min": 0}, rule)

    assert (error.field, error.message) == (f"options.rules[1]{field}", message)
    assert error.constraint


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "in_set", **A, "values": []},
        {"rule": "null_ratio_below", **A, "max": 0},
        {"rule": "satisfies", "condition": deep(31)},
        {"rule": "increasing", **A, "strict": True, "filter": [deep(30)]},
        {"rule": "not_null", **A, "tolerance": {"rows": 2}, "warn_within": {"share": 0.1}},
        {"rule": "not_null", **A, "tolerance": {"rows": 2}, "warn_within": {"rows": 2}},
        KEY | {"cols": ["a"], "dataset_cols": ["b"]},
    ],
)
def test_a_rule_that_may_hold_of_some_data_is_not_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        refusal(InvalidOptions, rule)
