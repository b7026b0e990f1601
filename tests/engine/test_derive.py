from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy import contract
from airpy.engine.derive import DERIVATIONS
from airpy.engine.execute import execute
from airpy.engine.failures import failure
from airpy.engine.plan import check_plan
from airpy.errors import InvalidPlan
from tests.engine.test_plans import cases

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

INTEGERS = st.integers(-(2**63), 2**63 - 1)
NEAR = st.one_of(INTEGERS, st.integers(-9, 9))
LETTERS = st.text(st.sampled_from("abé日\u0301😀"), max_size=6)


def derived(rows: pl.DataFrame | pl.LazyFrame, *derive: dict[str, Any], **plan: Any) -> pl.LazyFrame:
    """The rows with derived columns."""
    request = contract.Plan.model_validate({"dataset": "table", "derive": derive, **plan})
    check_plan(request)
    return execute(request, rows.lazy())


def column(rows: pl.DataFrame, item: dict[str, Any], **plan: Any) -> list[Any]:
    """The values of one derived column."""
    return derived(rows, {"as": "answer", **item}, **plan).collect()["answer"].to_list()


def test_every_function_of_the_contract_is_in_the_table() -> None:
    wanted = {name for kind in functions() for name in kind}

    assert set(DERIVATIONS) == wanted


def test_every_function_of_the_contract_has_a_case_that_gives_rows() -> None:
    used = {
        item["fn"]
        for case in cases()
        if "gives" in case.values[0]
        for item in case.values[0]["plan"].get("derive", [])
    }

    assert {name for kind in functions() for name in kind} - used == set()


def functions() -> Iterable[list[str]]:
    """The names of `fn` in every kind of derivation."""
    schema = contract.Plan.model_json_schema()["$defs"]
    for kind in schema["Derivation"]["oneOf"]:
        fn = schema[kind["$ref"].rpartition("/")[2]]["properties"]["fn"]
        yield fn.get("enum") or [fn["const"]]


@given(st.tuples(NEAR, NEAR), st.sampled_from(["add", "sub", "mul"]))
@settings(deadline=None)
def test_integers_are_reckoned_with_exactly_or_not_at_all(pair: tuple[int, int], fn: str) -> None:
    a, b = pair
    exact = {"add": a + b, "sub": a - b, "mul": a * b}[fn]
    rows = pl.DataFrame({"a": [a], "b": [b]}, schema={"a": pl.Int64, "b": pl.Int64})
    item = {"fn": fn, "args": [{"col": "a"}, {"col": "b"}]}

    if -(2**63) <= exact < 2**63:
        assert column(rows, item) == [exact]
    else:
        with pytest.raises(pl.exceptions.InvalidOperationError) as raised:
            column(rows, item)
        assert failure(raised.value).reason == "CAST_FAILED"


@given(st.lists(st.tuples(NEAR, NEAR), min_size=1))
@settings(deadline=None)
def test_a_remainder_has_the_sign_of_the_divisor(pairs: list[tuple[int, int]]) -> None:
    rows = pl.DataFrame(pairs, {"a": pl.Int64, "b": pl.Int64}, orient="row")

    found = column(rows, {"fn": "mod", "args": [{"col": "a"}, {"col": "b"}]})

    assert found == [a % b if b else None for a, b in pairs]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.integers(-20, 20))
@settings(deadline=None)
def test_a_quotient_is_the_nearest_float_even_of_a_number_of_the_plan(numbers: list[float], by: int) -> None:
    rows = pl.DataFrame({"a": numbers}, schema={"a": pl.Float64})

    found = column(rows, {"fn": "div", "args": [{"col": "a"}, {"val": by}]})

    assert found == [number / by if by else None for number in numbers]


@given(
    st.lists(
        st.one_of(
            st.floats(-1e9, 1e9),
            st.tuples(st.integers(-(10**6), 10**6), st.integers(1, 6)).map(lambda n: n[0] / 10 ** n[1]),
        ),
        min_size=1,
    ),
    st.integers(0, 6),
)
@settings(deadline=None)
def test_floats_are_rounded_as_they_are_written(numbers: list[float], digits: int) -> None:
    rows = pl.DataFrame({"a": numbers}, schema={"a": pl.Float64})

    found = column(rows, {"fn": "round", "col": "a", "digits": digits})

    step = Decimal(1).scaleb(-digits)
    assert found == [
        float(Decimal(repr(number)).quantize(step, rounding=ROUND_HALF_UP)) for number in numbers
    ]


@given(
    st.lists(st.integers(-(10**6), 10**6).map(lambda n: n / 1000), min_size=1),
    st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.7, 2.5, 10.0]),
)
@settings(deadline=None)
def test_bins_begin_at_multiples_as_they_are_written(numbers: list[float], width: float) -> None:
    rows = pl.DataFrame({"a": numbers}, schema={"a": pl.Float64})

    found = column(rows, {"fn": "bin", "col": "a", "width": width})

    step = Decimal(repr(width))
    assert found == [float(_floor(number, step)) for number in numbers]


def _floor(number: float, step: Decimal) -> Decimal:
    exact = Decimal(repr(number))
    return exact - ((exact % step) + step) % step


@given(
    st.lists(LETTERS, min_size=1),
    st.integers(-8, 8).filter(bool),
    st.one_of(st.none(), st.integers(0, 8)),
)
@settings(deadline=None)
def test_substrings_are_those_of_letters(texts: list[str], start: int, length: int | None) -> None:
    rows = pl.DataFrame({"t": texts})

    found = column(rows, {"fn": "substring", "col": "t", "start": start, "length": length})

    def part(text: str) -> str:
        begin = start - 1 if start > 0 else len(text) + start
        end = len(text) if length is None else max(begin + length, 0)
        return text[max(begin, 0) : end]

    assert found == [part(text) for text in texts]


MOMENTS = st.datetimes(dt.datetime.fromisoformat("1990-01-01"), dt.datetime.fromisoformat("2040-01-01"))


@given(MOMENTS, MOMENTS, st.sampled_from(["hour", "day", "week", "month", "quarter", "year"]))
@settings(deadline=None)
def test_whole_units_are_counted_as_python_counts_them(a: dt.datetime, b: dt.datetime, unit: str) -> None:
    rows = pl.DataFrame({"a": [a], "b": [b]}, schema={"a": pl.Datetime("us"), "b": pl.Datetime("us")})
    item = {"fn": "date_diff", "start": {"col": "a"}, "end": {"col": "b"}, "unit": unit}

    found = column(rows, item, timezone="Europe/Berlin")

    assert found == [_between(a, b, unit)]


def _between(a: dt.datetime, b: dt.datetime, unit: str) -> int:
    if a > b:
        return -_between(b, a, unit)
    if unit == "hour":
        return (b - a) // dt.timedelta(hours=1)
    local = [
        moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
        for moment in (a, b)
    ]
    if unit in {"day", "week"}:
        return (local[1].date() - local[0].date()).days // {"day": 1, "week": 7}[unit]
    months = (local[1].year - local[0].year) * 12 + local[1].month - local[0].month
    behind = (local[1].day, local[1].time()) < (local[0].day, local[0].time())
    return max(months - behind, 0) // {"month": 1, "quarter": 3, "year": 12}[unit]


@pytest.mark.parametrize(
    "item",
    [
        {"fn": "mul", "args": [{"col": "a"}, {"col": "b"}]},
        {"fn": "cast", "col": "a", "type": "string"},
        {"fn": "bin", "col": "a", "edges": [0, 5, 10]},
        {"fn": "date_diff", "start": {"val": "2025-01-01"}, "end": {"col": "d"}, "unit": "month"},
        {"fn": "case", "cases": [{"when": {"col": "a", "op": ">", "val": 2}, "then": {"col": "b"}}]},
        {"fn": "replace", "col": "t", "old": "(x)", "new": "$1", "regex": True},
    ],
    ids=lambda item: item["fn"],
)
def test_filters_and_selections_reach_the_files_through_derived_columns(
    item: dict[str, Any], tmp_path: Path
) -> None:
    pl.DataFrame(
        {"a": [1, 2, 3], "b": [4, 5, 6], "t": ["x", "y", "z"], "d": [dt.date(2025, 1, 1)] * 3, "z": [1, 2, 3]}
    ).write_parquet(tmp_path / "table.parquet")
    source = pl.scan_parquet(tmp_path / "table.parquet")

    plan = derived(
        source,
        {"as": "answer", **item},
        filters=[{"col": "b", "op": ">", "val": 4}],
        select=["answer"],
    )

    explained = plan.explain()
    assert 'SELECTION: col("b") > 4' in explained
    assert "FILTER" not in explained
    assert "*/5" not in explained
    assert plan.collect().height == 2


def test_a_thousand_cases_and_edges_are_still_an_expression() -> None:
    cases = [{"when": {"col": "a", "op": "=", "val": n}, "then": {"val": -n}} for n in range(1000)]
    rows = pl.DataFrame({"a": [0, 999, 1000]})

    assert column(rows, {"fn": "case", "cases": cases}) == [0, -999, None]
    assert column(rows, {"fn": "bin", "col": "a", "edges": list(range(1000))}) == [0, 998, None]


def test_a_replacement_of_a_pattern_takes_linear_time() -> None:
    rows = pl.DataFrame({"t": ["a" * 100_000 + "!"]})

    assert column(rows, {"fn": "replace", "col": "t", "old": "(a+)+$", "new": "", "regex": True}) == [
        "a" * 100_000 + "!"
    ]


def test_derived_columns_are_refused_before_there_is_data() -> None:
    plan = contract.Plan.model_validate(
        {"dataset": "table", "derive": [{"as": "x", "fn": "substring", "col": "t", "start": 0}]}
    )

    with pytest.raises(InvalidPlan):
        check_plan(plan)
