from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from airpy.errors import InvalidRequest
from airpy.web.spec import internal, load
from airpy.web.violations import Checker, compile_checker, in_json_schema


@cache
def checker(name: str) -> Checker:
    return compile_checker(in_json_schema(internal(load())), {"$ref": f"#/components/schemas/{name}"}, "body")


def violation(name: str, value: object) -> InvalidRequest:
    """The refusal of a value that breaks a schema of the contract."""
    with pytest.raises(InvalidRequest) as caught:
        checker(name).check(value)
    error = caught.value
    assert error.reason == "SCHEMA_VIOLATION"
    assert error.message.startswith(f"{error.field}: ")
    return error


def query(**plan: Any) -> dict[str, Any]:
    return {"datasource_id": "energy-files", "plan": {"dataset": "energy", **plan}}


def rules(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"job_kind": "validate", "options": {"rules": list(rules)}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QueryRequest", query()),
        ("QueryRequest", query(filters=[{"col": "a", "op": "in", "val": [1, "b", 2.5, True]}])),
        ("QueryRequest", query(clean=[{"op": "trim"}, {"op": "cast", "col": "a", "type": "int64"}])),
        ("AnalyzeRequest", rules({"rule": "unique", "cols": ["a"]}, {"rule": "row_count_between", "min": 0})),
        ("JobError", None),
    ],
)
def test_what_the_contract_allows_is_let_through(name: str, value: object) -> None:
    checker(name).check(value)


@pytest.mark.parametrize(
    ("value", "field", "constraint", "message"),
    [
        ([], "body", "type: object", '[] is not of type "object"'),
        (None, "body", "type: object", 'null is not of type "object"'),
        ({**query(), "datasource_id": 5}, "datasource_id", "type: string", '5 is not of type "string"'),
        (query(limit=0), "plan.limit", "minimum: 1", "0 is less than the minimum of 1"),
        (query(limit=5.0), "plan.limit", "type: integer", '5.0 is not of type "integer"'),
        (query(limit=True), "plan.limit", "type: integer", 'true is not of type "integer"'),
        (query(limit="5"), "plan.limit", "type: integer", '"5" is not of type "integer"'),
        (query(limit=None), "plan.limit", "type: integer", 'null is not of type "integer"'),
        (query(filters={}), "plan.filters", "type: array", '{} is not of type "array"'),
        (query(select=["a", 5]), "plan.select[1]", "type: string", '5 is not of type "string"'),
        (query(dataset=""), "plan.dataset", "minLength: 1", '"" is shorter than 1 character'),
        (query(select=["a"] * 10_001), "plan.select", "maxItems: 10000", "does not fit maxItems: 10000"),
        (query(timezone="x" * 300), "plan.timezone", "maxLength: 64", "does not fit maxLength: 64"),
        (
            query(timezone="a b"),
            "plan.timezone",
            "pattern: ^[A-Za-z0-9_+/-]+$",
            "'a b' does not have the form",
        ),
        (query(joins=[{"on": ["a"]}]), "plan.joins[0].dataset", "required", "is required"),
    ],
)
def test_a_violation_names_field_and_constraint(
    value: object, field: str, constraint: str, message: str
) -> None:
    error = violation("QueryRequest", value)

    assert error.field == field
    assert error.constraint == constraint
    assert error.message.startswith(f"{field}: {message}")
    assert error.violations == []


@pytest.mark.parametrize(
    ("value", "field", "nearest"),
    [
        ({**query(), "outputt": "json"}, "outputt", ["output"]),
        ({**query(), "OUTPUT": "json"}, "OUTPUT", ["output"]),
        (query(group_by=["a"]), "plan.group_by", ["groupby"]),
        (query(filters=[{"col": "a", "op": "=", "value": 1}]), "plan.filters[0].value", ["val"]),
        (query(clean=[{"op": "trim", "col": "a"}]), "plan.clean[0].col", ["cols"]),
    ],
)
def test_an_unknown_key_suggests_the_nearest(value: object, field: str, nearest: list[str]) -> None:
    error = violation("QueryRequest", value)

    key = field.rpartition(".")[2]
    assert error.field == field
    assert error.suggestion == nearest
    assert error.message == f'{field}: "{key}" is not known here; did you mean "{nearest[0]}"?'
    assert error.constraint is not None
    assert error.constraint.startswith("one of: ")
    assert nearest[0] in error.constraint


def test_a_key_like_no_other_has_no_suggestion() -> None:
    error = violation("DiscoverRequest", {"datasource_id": "e", "uri": "x", "sql": "select 1"})

    assert error.message == 'sql: "sql" is not known here'
    assert error.constraint == "one of: datasource_id, max_files, recurse, uri"
    assert error.suggestion == []


@pytest.mark.parametrize(
    ("value", "field", "nearest", "allowed"),
    [
        ({**query(), "output": "arow"}, "output", "arrow", "json, arrow, parquet"),
        (query(order=[{"col": "a", "dir": "dsc"}]), "plan.order[0].dir", "desc", "asc, desc"),
        (
            query(joins=[{"dataset": "b", "on": ["a"], "how": "LEFT"}]),
            "plan.joins[0].how",
            "left",
            "inner, left, right, full, semi, anti, cross, asof",
        ),
        (
            query(aggs=[{"fn": "count"}, {"col": "a", "fn": "avrg"}]),
            "plan.aggs[1].fn",
            "avg",
            (
                "count, count_valid, count_missing, n_unique, approx_n_unique, sum, mean, avg, min, max, "
                "median, quantile, q1, q3, std, var, stderr, first, last, any, mode, product, skew, "
                "kurtosis, mad, iqr, range, arg_min, arg_max, corr and 6 more"
            ),
        ),
    ],
)
def test_a_value_outside_an_enum_suggests_the_nearest(
    value: object, field: str, nearest: str, allowed: str
) -> None:
    error = violation("QueryRequest", value)

    assert error.field == field
    assert error.constraint == f"enum: {allowed}"
    assert error.suggestion[0] == nearest
    assert f"is not one of: {allowed}; did you mean " in error.message


def test_a_value_of_another_type_outside_an_enum_has_no_suggestion() -> None:
    error = violation("QueryRequest", {**query(), "output": 5})

    assert error.suggestion == []
    assert error.message in {
        'output: 5 is not of type "string"',
        "output: 5 is not one of: json, arrow, parquet",
    }


@pytest.mark.parametrize("value", [{}, [[1]], [{}], None])
def test_a_filter_value_of_the_wrong_kind_lists_the_kinds(value: object) -> None:
    error = violation("QueryRequest", query(filters=[{"col": "a", "op": "=", "val": value}]))

    assert error.field is not None
    assert error.field.startswith("plan.filters[0].val")
    assert error.message.startswith("plan.filters[0].val: must be one of: ")
    for kind in ("boolean", "integer", "number", "string"):
        assert kind in error.message


def test_the_discriminator_chooses_the_branch_that_is_explained() -> None:
    error = violation(
        "QueryRequest", query(clean=[{"op": "trim"}, {"op": "cast", "col": "a", "type": "int63"}])
    )

    assert error.field == "plan.clean[1].type"
    assert error.suggestion[0] == "int64"
    assert error.violations == []


@pytest.mark.parametrize(
    ("name", "value", "field", "nearest"),
    [
        ("QueryRequest", query(clean=[{"op": "trimm"}]), "plan.clean[0].op", "trim"),
        ("QueryRequest", query(clean=[{"op": "drop_null"}]), "plan.clean[0].op", "drop_nulls"),
        ("AnalyzeRequest", rules({"rule": "notnull", "col": "a"}), "options.rules[0].rule", "not_null"),
    ],
)
def test_an_unknown_discriminator_suggests_the_nearest(
    name: str, value: object, field: str, nearest: str
) -> None:
    error = violation(name, value)

    assert error.field == field
    assert error.suggestion[0] == nearest
    assert error.violations == []


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        (query(clean=[{"cols": ["a"]}]), "plan.clean[0].op", "is required"),
        (query(clean=[7]), "plan.clean[0]", "must be an object"),
        (query(clean=["trim"]), "plan.clean[0]", "must be an object"),
        (query(clean=[{"op": 5}]), "plan.clean[0].op", "5 is not one of: trim, null_markers"),
        (query(clean=[{"op": ["trim"]}]), "plan.clean[0].op", "['trim'] is not one of: trim, null_markers"),
    ],
)
def test_a_union_without_a_usable_discriminator_says_so(value: object, field: str, message: str) -> None:
    error = violation("QueryRequest", value)

    assert error.field == field
    assert error.message.startswith(f"{field}: {message}")


def test_every_violation_is_listed() -> None:
    error = violation(
        "QueryRequest",
        {
            "datasource_id": "../etc",
            "plan": {
                "filters": [{"col": "a", "op": "="}, {"col": "b", "op": "lik"}],
                "clean": [{"op": "cast", "type": "int63", "extra": 1}],
                "limit": 0,
            },
        },
    )

    assert {one.field for one in error.violations} == {
        "datasource_id",
        "plan.dataset",
        "plan.filters[1].op",
        "plan.clean[0].col",
        "plan.clean[0].type",
        "plan.clean[0].extra",
        "plan.limit",
    }
    assert error.field == error.violations[0].field
    assert error.message == f"{error.violations[0].field}: {error.violations[0].message}"
    assert all(one.constraint and one.message for one in error.violations)


def test_a_flood_of_violations_is_cut() -> None:
    error = violation("QueryRequest", {**query(), **{f"key_{number}": 1 for number in range(500)}})

    assert len(error.violations) == 20


def test_a_name_beyond_reason_is_cut() -> None:
    error = violation("QueryRequest", {**query(), "x" * 10_000: 1})

    assert error.field is not None
    assert len(error.field) == 80
    assert len(error.message) < 400


def test_null_is_allowed_where_the_contract_says_nullable() -> None:
    checker("ErrorDetails").check(
        {"field": None, "constraint": None, "reason": "INTERNAL", "retryable": False}
    )

    error = violation(
        "ErrorDetails", {"field": 5, "constraint": None, "reason": "INTERNAL", "retryable": False}
    )
    assert error.field == "field"
