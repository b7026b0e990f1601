"""Filters and groups against a plain-Python reading of the contract, on random frames."""

from __future__ import annotations

import math
import operator
import statistics
from collections import defaultdict
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy.contract import Plan
from airpy.engine.execute import execute
from airpy.engine.plan import check_plan

TYPES = {
    "s": pl.String(),
    "t": pl.String(),
    "x": pl.Float64(),
    "n": pl.Int64(),
    "m": pl.Int64(),
    "b": pl.Boolean(),
}
# Quarters add up exactly, so that no order of summation gives another sum.
NUMBERS = st.one_of(st.integers(-20, 20).map(lambda quarters: quarters / 4), st.just(-0.0))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "s": st.sampled_from(["", "a", "ab", "b", "é", "Z"]),
    "t": st.sampled_from(["x", "y"]),
    "x": NUMBERS,
    "n": st.integers(-3, 3),
    "m": st.sampled_from([-(2**63), -(2**62), -1, 0, 1, 2**53 + 1, 2**62, 2**63 - 1]),
    "b": st.booleans(),
}
CELLS = {**VALUES, "x": NUMBERS | st.just(math.nan)}
ROWS = st.lists(st.tuples(*(st.none() | cells for cells in CELLS.values())), max_size=25)
COMPARISONS = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TEXT_TESTS: dict[str, Any] = {
    "contains": operator.contains,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}
FUNCTIONS = ["count", "count_valid", "count_missing", "n_unique", "min", "max"]
STATISTICS = ["mean", "avg", "median", "std", "var"]
FUNCTIONS_OF = {
    "x": [*FUNCTIONS, "sum", *STATISTICS],
    "n": [*FUNCTIONS, "sum", *STATISTICS],
    # Their mean is a float, and its last digits are another number's first ones.
    "m": [*FUNCTIONS, "sum"],
}


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    """A filter that fits its column."""
    col = draw(st.sampled_from([*VALUES]))
    text_tests = [*TEXT_TESTS] if TYPES[col] == pl.String else []
    op = draw(st.sampled_from([*COMPARISONS, "between", "in", "not_in", "is_null", "not_null", *text_tests]))
    values = VALUES[col]
    if op in {"is_null", "not_null"}:
        return {"col": col, "op": op}
    if op == "between":
        return {"col": col, "op": op, "val": draw(st.lists(values, min_size=2, max_size=2))}
    return {"col": col, "op": op, "val": draw(st.lists(values, max_size=3) if op.endswith("in") else values)}


TREES = st.recursive(
    filters(),
    lambda parts: st.one_of(
        st.builds(lambda tree: {"not": tree}, parts),
        st.builds(
            lambda key, trees: {key: trees},
            st.sampled_from(["all", "any"]),
            st.lists(parts, min_size=1, max_size=3),
        ),
    ),
    max_leaves=5,
)


@st.composite
def aggregates(draw: st.DrawFn) -> dict[str, Any]:
    """An aggregate that fits its column."""
    col = draw(st.sampled_from([*VALUES]))
    item = {"col": col, "fn": draw(st.sampled_from(FUNCTIONS_OF.get(col, FUNCTIONS)))}
    return item | ({"filter": draw(TREES)} if draw(st.booleans()) else {})


def rank(cell: Any) -> tuple[bool, bool, Any]:
    """Where a cell stands in an order: NaN after every number, null after everything."""
    is_nan = isinstance(cell, float) and math.isnan(cell)
    return cell is None, is_nan, 0 if cell is None or is_nan else cell


def holds(row: tuple[Any, ...], item: dict[str, Any]) -> bool | None:
    """Whether a row passes a filter; None where that is not known."""
    if "not" in item:
        inside = holds(row, item["not"])
        return None if inside is None else not inside
    for key, settles in (("all", False), ("any", True)):
        if key in item:
            verdicts = [holds(row, part) for part in item[key]]
            return settles if settles in verdicts else None if None in verdicts else not settles
    return passes(row[[*TYPES].index(item["col"])], item)


def passes(cell: Any, item: dict[str, Any]) -> bool | None:
    """Whether a cell passes a filter; None where that is not known."""
    op: str = item["op"]
    val: Any = item.get("val")
    if op in {"is_null", "not_null"}:
        return (cell is None) == (op == "is_null")
    if cell is None:
        return None
    if op == "between":
        return rank(val[0]) <= rank(cell) <= rank(val[1])
    if op in {"in", "not_in"}:
        return (rank(cell) in map(rank, val)) == (op == "in")
    if op in TEXT_TESTS:
        return bool(TEXT_TESTS[op](cell, val))
    return bool(COMPARISONS[op](rank(cell), rank(val)))


def taken(function: str, cells: list[Any]) -> Any:
    """The aggregate of a group's cells."""
    values = sorted((cell for cell in cells if cell is not None), key=rank)
    numbers = [value for value in values if not rank(value)[1]]
    middle = values[(len(values) - 1) // 2 : len(values) // 2 + 1]
    whole = math.nan if len(numbers) < len(values) else None
    results: dict[str, Any] = {
        "count": lambda: len(cells),
        "count_valid": lambda: len(values),
        "count_missing": lambda: len(cells) - len(values),
        "n_unique": lambda: len(set(map(rank, values))),
        "min": lambda: (numbers or values or [None])[0],
        "max": lambda: (numbers or values or [None])[-1],
        "median": lambda: statistics.fmean(middle) if middle else None,
        "sum": lambda: (whole or sum(values)) if values else None,
        "mean": lambda: (whole or statistics.fmean(values)) if values else None,
        "std": lambda: (whole or statistics.stdev(values)) if len(values) > 1 else None,
        "var": lambda: (whole or statistics.variance(values)) if len(values) > 1 else None,
    }
    return results["mean" if function == "avg" else function]()


def expected(rows: list[tuple[Any, ...]], plan: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The answer's rows."""
    names = [*TYPES]
    kept = [row for row in rows if all(holds(row, item) for item in plan["filters"])]
    if not plan["groupby"] and not plan["aggs"]:
        return kept
    groups: defaultdict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    if not plan["groupby"]:
        groups[()] = kept
    else:
        for row in kept:
            groups[tuple(rank(row[names.index(key)]) for key in plan["groupby"])].append(row)
    return [
        (
            *(groups[ranks][0][names.index(key)] for key in plan["groupby"]),
            *(
                taken(
                    item["fn"],
                    [
                        row[names.index(item["col"])]
                        for row in groups[ranks]
                        if "filter" not in item or holds(row, item["filter"])
                    ],
                )
                for item in plan["aggs"]
            ),
        )
        for ranks in sorted(groups)
    ]


def same(one: Any, two: Any) -> bool:
    """Whether two cells are equal, floats within their last digits."""
    if isinstance(one, float) and isinstance(two, (int, float)) and not isinstance(two, bool):
        return (math.isnan(one) and math.isnan(two)) or math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(two) and bool(one == two)


def fits(rows: list[tuple[Any, ...]], plan: dict[str, Any]) -> bool:
    """Whether every sum of integers is an int64."""
    if not plan["aggs"]:
        return True
    totals = [
        value
        for row in expected(rows, plan)
        for value, item in zip(row[len(plan["groupby"]) :], plan["aggs"], strict=True)
        if item["fn"] == "sum" and item["col"] == "m" and value is not None
    ]
    return all(-(2**63) <= total < 2**63 for total in totals)


@settings(max_examples=300, deadline=None)
@given(
    rows=ROWS,
    filters=st.lists(TREES, max_size=3),
    groupby=st.lists(st.sampled_from([*TYPES]), max_size=3, unique=True),
    aggs=st.lists(aggregates(), max_size=4, unique_by=lambda item: (item["col"], item["fn"])),
)
def test_filters_and_groups_agree_with_plain_python(
    rows: list[tuple[Any, ...]],
    filters: list[dict[str, Any]],
    groupby: list[str],
    aggs: list[dict[str, Any]],
) -> None:
    plan = {"filters": filters, "groupby": groupby, "aggs": aggs}
    query = Plan.model_validate({"dataset": "table", **plan})
    check_plan(query)
    answer = execute(query, pl.LazyFrame(rows, TYPES, orient="row"))
    if not fits(rows, plan):
        with pytest.raises(pl.exceptions.InvalidOperationError, match="conversion from `i128` to `i64`"):
            answer.collect()
        return
    given_rows, wanted_rows = answer.collect().rows(), expected(rows, plan)

    assert len(given_rows) == len(wanted_rows)
    for given_row, wanted_row in zip(given_rows, wanted_rows, strict=True):
        assert all(map(same, given_row, wanted_row)), (given_row, wanted_row)
