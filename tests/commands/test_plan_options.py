from __future__ import annotations

from typing import Any

import pytest

from airpy.commands.plan_options import aggregates, conditions, names, orders
from airpy.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("kwh > 3", {"col": "kwh", "op": ">", "val": 3}),
        ("kwh>=3.5", {"col": "kwh", "op": ">=", "val": 3.5}),
        ("delta = -3", {"col": "delta", "op": "=", "val": -3}),
        ("open = True", {"col": "open", "op": "=", "val": True}),
        ("site_id <> site_001", {"col": "site_id", "op": "<>", "val": "site_001"}),
        ("zip = 01234", {"col": "zip", "op": "=", "val": "01234"}),
        ("zip = '1234'", {"col": "zip", "op": "=", "val": "1234"}),
        ("x = 1e400", {"col": "x", "op": "=", "val": "1e400"}),
        ("t >= 2025-09-01T00:00:00Z", {"col": "t", "op": ">=", "val": "2025-09-01T00:00:00Z"}),
        ("name contains New York", {"col": "name", "op": "contains", "val": "New York"}),
        ("'a col' = 'it''s'", {"col": "a col", "op": "=", "val": "it's"}),
        ('`a "b"` != ""', {"col": 'a "b"', "op": "!=", "val": ""}),
        ("note = 'salt and pepper = good'", {"col": "note", "op": "=", "val": "salt and pepper = good"}),
        ("site in (a, 'b, c', 3)", {"col": "site", "op": "in", "val": ["a", "b, c", 3]}),
        ("site not in [a]", {"col": "site", "op": "not_in", "val": ["a"]}),
        ("site in a,b", {"col": "site", "op": "in", "val": ["a", "b"]}),
        (
            "t BETWEEN 2025-09-01 AND 2025-09-02",
            {"col": "t", "op": "between", "val": ["2025-09-01", "2025-09-02"]},
        ),
        ("n between 1, 2", {"col": "n", "op": "between", "val": [1, 2]}),
        ("cost is null", {"col": "cost", "op": "is_null"}),
        ("cost IS  NOT null", {"col": "cost", "op": "not_null"}),
        ("cost not_null", {"col": "cost", "op": "not_null"}),
        ("kwh ~ 3", {"col": "kwh", "op": "~", "val": 3}),  # which the contract refuses
        ("site like 'site_0%'", {"col": "site", "op": "like", "val": "site_0%"}),
        ("site NOT  LIKE 5%", {"col": "site", "op": "not_like", "val": "5%"}),
        ("zip contains 10", {"col": "zip", "op": "contains", "val": "10"}),
        ("zip regex ^[0-9]{5}$", {"col": "zip", "op": "regex", "val": "^[0-9]{5}$"}),
        ("kwh is distinct from 3", {"col": "kwh", "op": "is_distinct_from", "val": 3}),
        ("kwh is_nan", {"col": "kwh", "op": "is_nan"}),
    ],
)
def test_a_condition_becomes_a_filter(text: str, condition: dict[str, Any]) -> None:
    assert conditions([text]) == [condition]


@pytest.mark.parametrize("text", ["", "kwh", "kwh >", "> 3", "year(t) = 2025", "'kwh > 3"])
def test_what_is_no_condition_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidRequest, match="is no condition") as refused:
        conditions([text])

    assert refused.value.field == "--where"
    assert "kwh > 3" in refused.value.suggestion


@pytest.mark.parametrize("text", ["a = 1 and b = 2", "a > 1 OR b is null", "a = x and 'b c' < 3"])
def test_two_conditions_in_one_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="is more than one condition"):
        conditions([text])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(kwh)", [{"col": "kwh", "fn": "sum"}]),
        ("SUM( kwh ) AS total", [{"col": "kwh", "fn": "sum", "as": "total"}]),
        ("count(*), count()", [{"col": "*", "fn": "count"}, {"fn": "count"}]),
        ("mean('a, b') as 'the mean'", [{"col": "a, b", "fn": "mean", "as": "the mean"}]),
        ("max(a b)", [{"col": "a b", "fn": "max"}]),
    ],
)
def test_aggregates_are_read(text: str, expected: list[dict[str, Any]]) -> None:
    assert aggregates([text]) == expected


@pytest.mark.parametrize("text", ["sum kwh", "sum(kwh", "sum(kwh) total", "(kwh)"])
def test_what_is_no_aggregate_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidRequest, match="is no aggregate") as refused:
        aggregates([text])

    assert "sum(kwh) as kwh" in refused.value.suggestion


def test_orders_are_read() -> None:
    assert orders(["kwh:desc, site_id", "t DESC nulls first", "a:b:asc:nulls:last", "'x:desc'"]) == [
        {"col": "kwh", "dir": "desc"},
        {"col": "site_id"},
        {"col": "t", "dir": "desc", "nulls": "first"},
        {"col": "a:b", "dir": "asc", "nulls": "last"},
        {"col": "x:desc"},
    ]


def test_names_may_be_quoted() -> None:
    assert names(["a, b", "'c,d',\"e\",f g"]) == ["a", "b", "c,d", "e", "f g"]
