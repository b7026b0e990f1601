"""Random plans over random frames, run by us and, as SQL that is written from the plan, by DuckDB.

What the two are known to do differently stands in sql.py beside the words that make up for it.
"""

from __future__ import annotations

import datetime as dt
import math
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airpy.contract import Plan
from airpy.engine.execute import execute
from airpy.engine.failures import failure
from airpy.engine.plan import check_plan
from tests.engine.sql import sql_of

if TYPE_CHECKING:
    from collections.abc import Iterator


EXAMPLES = 500 if os.environ.get("AIRPY_PLANS") == "full" else 60
"""Of each of the four kinds of plans; `make test-plans` runs them all."""

TYPES: dict[str, pl.DataType] = {
    "n": pl.Int64(),
    "i": pl.Int64(),
    "k": pl.Int32(),
    "m": pl.Int32(),
    "x": pl.Float64(),
    "y": pl.Float64(),
    "q": pl.Float64(),
    "p": pl.Decimal(12, 2),
    "s": pl.String(),
    "t": pl.String(),
    "b": pl.Boolean(),
    "d": pl.Date(),
    "w": pl.Datetime("us"),
}
TEXTS = ["", " ", "a", "Ab", "a%b", "a_b", "é", "Zoë", "x-y-z", " pad ", "N/A"]
WORDS = ["x", "y", "z"]
# Quarters add up exactly, so that no order of summation gives another sum.
QUARTERS = st.integers(-40, 40).map(lambda number: number / 4)
DAYS = st.dates(dt.date(1969, 12, 25), dt.date(2025, 12, 31))


def around(hour: str) -> st.SearchStrategy[dt.datetime]:
    """Times of three hours before and after."""
    middle = dt.datetime.fromisoformat(hour)
    return st.integers(-180, 180).map(lambda minutes: middle + dt.timedelta(minutes=minutes))


HOURS = st.one_of(
    st.datetimes(*map(dt.datetime.fromisoformat, ("1969-12-25", "2025-12-31"))),
    around("2025-03-30T01:00"),  # an hour that a summer takes
    around("2025-10-26T01:00"),  # and gives back
)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "i": st.sampled_from([-(2**63), -(2**62), -1, 0, 1, 2**53 + 1, 2**62, 2**63 - 1]),
    "k": st.integers(-3, 3),
    "m": st.integers(-3, 3),
    "x": QUARTERS | st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 1e300]),
    "y": QUARTERS,
    "q": QUARTERS,
    "p": st.integers(-999, 999).map(lambda cents: Decimal(cents).scaleb(-2)),
    "s": st.sampled_from(TEXTS),
    "t": st.sampled_from(WORDS),
    "b": st.booleans(),
    "d": DAYS,
    "w": HOURS,
}
WHOLE = {"n", "m", "q"}
"""Columns without nulls."""
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]
PATTERNS = ["a", "^a", "b$", "[xyz]-", ".", "é|ë"]
LIKES = ["%", "a%", "%b", "a_b", "a\\_b", "a\\%b", "_", ""]


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """A frame of all the types, with nulls, and with a number for each row."""
    rows = draw(
        st.lists(
            st.tuples(*(cells if name in WHOLE else st.none() | cells for name, cells in CELLS.items())),
            max_size=20,
        )
    )
    columns = dict(zip(CELLS, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(CELLS, ())
    numbers = {"n": range(len(rows)), **columns}
    return pl.DataFrame(
        {name: pl.Series(name, list(numbers[name]), dtype=dtype) for name, dtype in TYPES.items()}
    )


def written(value: Any) -> Any:
    """The value as JSON has it."""
    match value:
        case dt.datetime():
            return f"{value.isoformat()}Z"
        case dt.date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


@st.composite
def leaves(draw: st.DrawFn, types: dict[str, pl.DataType]) -> dict[str, Any]:
    """A condition that fits its column."""
    col = draw(st.sampled_from(sorted(set(types) & set(CELLS))))
    ops = ["=", "==", "!=", "<>", "<", "<=", ">", ">=", "between", "in", "not_in", "is_null", "not_null"]
    ops += ["is_distinct_from", "two columns"]
    text, floating = types[col] == pl.String, types[col] == pl.Float64
    if text:
        ops += ["like", "not_like", "ilike", "contains", "icontains", "starts_with", "ends_with"]
        ops += ["regex", "not_regex", "is_blank"]
    if floating:
        ops += ["is_nan", "is_finite"]
    op = draw(st.sampled_from(ops))
    # A plan's numbers are finite.
    values = CELLS[col].filter(lambda cell: not isinstance(cell, float) or math.isfinite(cell)).map(written)
    if op in {"is_null", "not_null", "is_nan", "is_finite", "is_blank"}:
        return {"col": col, "op": op}
    if op == "between":
        closed = draw(st.sampled_from(["both", "left", "right", "none"]))
        return {"col": col, "op": op, "val": [draw(values), draw(values)], "closed": closed}
    if op in {"in", "not_in"}:
        return {"col": col, "op": op, "val": draw(st.lists(values, max_size=3))}
    if op == "two columns":
        alike = sorted(name for name in set(types) & set(CELLS) if types[name] == types[col])
        return {
            "col": col,
            "op": draw(st.sampled_from(["=", "<", ">=", "!=", "is_distinct_from"])),
            "col2": draw(st.sampled_from(alike)),
        }
    if op in {"like", "not_like", "ilike"}:
        return {"col": col, "op": op, "val": draw(st.sampled_from(LIKES))}
    if op in {"regex", "not_regex"}:
        return {"col": col, "op": op, "val": draw(st.sampled_from(PATTERNS))}
    return {"col": col, "op": op, "val": draw(values)}


def trees(types: dict[str, pl.DataType]) -> st.SearchStrategy[dict[str, Any]]:
    """A condition, or several of them under `all`, `any` and `not`."""
    return st.recursive(
        leaves(types),
        lambda inside: st.one_of(
            st.lists(inside, min_size=1, max_size=3).map(lambda items: {"all": items}),
            st.lists(inside, min_size=1, max_size=3).map(lambda items: {"any": items}),
            inside.map(lambda item: {"not": item}),
        ),
        max_leaves=4,
    )


@st.composite
def relations(draw: st.DrawFn) -> dict[str, Any]:
    """How rows stand among others, perhaps in a tree."""
    are = draw(st.sampled_from(["repeated", "shared", "falling", "level", "rising", "after_gap"]))
    rows: dict[str, Any] = {"are": are}
    match are:
        case "repeated" | "shared":
            rows["cols"] = draw(st.sampled_from([["k"], ["t"], ["s", "t"], ["b", "k"], ["p"], ["d", "t"]]))
        case "after_gap":
            rows["cols"] = draw(st.sampled_from([["w"], ["d"]]))
            widths = ["1 day", "3 days", "1 week", "1 month", "2 quarters", "1 year"]
            widths += ["45 seconds", "20 minutes", "24 hours"] if rows["cols"] == ["w"] else []
            rows["every"] = draw(st.sampled_from(widths))
        case _:
            rows["cols"] = [draw(st.sampled_from(["i", "k", "x", "y", "p", "t", "b", "d", "w"]))]
    if draw(st.booleans()):
        rows["by"] = draw(st.sampled_from([["t"], ["b"], ["t", "b"], ["k"]]))
    leaf: dict[str, Any] = {"rows": rows}
    if draw(st.booleans()):
        leaf["among"] = draw(st.lists(trees(TYPES), max_size=2))
    other = draw(leaves(TYPES))
    return draw(st.sampled_from([leaf, {"not": leaf}, {"all": [leaf, other]}, {"any": [other, leaf]}]))


FUNCTIONS: dict[str, list[str]] = {
    "n": ["sum", "min", "max", "count_valid", "mean"],
    "i": ["sum", "min", "max", "count_valid", "count_missing", "n_unique", "range"],
    "k": [
        *(
            "sum",
            "mean",
            "avg",
            "min",
            "max",
            "median",
            "quantile",
            "q1",
            "q3",
            "iqr",
            "std",
            "var",
            "stderr",
        ),
        *("first", "last", "any", "mad", "range", "arg_min", "arg_max", "n_unique", "share_of_total"),
    ],
    "x": ["count_valid", "count_missing", "n_unique", "min", "max"],
    "y": [
        *("sum", "mean", "min", "max", "median", "quantile", "q1", "q3", "iqr", "std", "var", "stderr"),
        *("first", "last", "any", "mad", "range", "arg_min", "arg_max", "weighted_mean", "product"),
    ],
    "p": ["sum", "min", "max", "mean", "n_unique"],
    "s": ["min", "max", "n_unique", "first", "last", "any", "join_text", "count_valid"],
    "b": ["all", "any_true", "min", "max", "n_unique"],
    "d": ["min", "max", "n_unique", "first"],
    "w": ["min", "max", "n_unique", "last"],
}


@st.composite
def aggregates(draw: st.DrawFn, types: dict[str, pl.DataType], name: str) -> dict[str, Any]:
    """An aggregate that fits its column."""
    if draw(st.integers(0, 9)) == 0:
        item: dict[str, Any] = {"fn": "count", "as": name}
    else:
        col = draw(st.sampled_from(sorted(FUNCTIONS)))
        item = {"col": col, "fn": draw(st.sampled_from(FUNCTIONS[col])), "as": name}
    match item["fn"]:
        case "quantile":
            item["q"] = draw(st.sampled_from([0, 0.1, 0.5, 0.9, 1]))
        case "std" | "var" | "stderr":
            item["ddof"] = draw(st.sampled_from([0, 1]))
        case "first" | "last" | "arg_min" | "arg_max":
            item["by"] = draw(st.sampled_from(["n", "m", "q"]))
        case "weighted_mean":
            item["weight"] = "k"
    if item["fn"] != "share_of_total" and draw(st.integers(0, 2)) == 0:
        item["filter"] = draw(trees(types))
    return item


@st.composite
def derivations(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A column computed of others."""
    whole, real = st.sampled_from(["i", "k", "m", "n"]), st.sampled_from(["y", "q"])
    match draw(st.sampled_from(["integers", "floats", "one", "date", "text", "either"])):
        case "integers":
            fn = draw(st.sampled_from(["add", "sub", "mul", "mod", "div"]))
            two = draw(whole.map(lambda col: {"col": col}) | st.integers(-3, 3).map(lambda val: {"val": val}))
            return {"as": name, "fn": fn, "args": [{"col": draw(whole)}, two]}
        case "floats":
            fn = draw(st.sampled_from(["add", "sub", "mul", "div"]))
            return {"as": name, "fn": fn, "args": [{"col": draw(real)}, {"col": draw(real)}]}
        case "one":
            fn = draw(st.sampled_from(["abs", "floor", "ceil", "exp", "sqrt", "log"]))
            return {"as": name, "fn": fn, "col": draw(real)}
        case "date":
            parts = ["year", "quarter", "month", "week", "day", "hour", "minute", "second", "weekday", "date"]
            return {"as": name, "fn": draw(st.sampled_from(parts)), "col": "w"}
        case "text":
            return {"as": name, **draw(texts())}
        case _:
            if draw(st.booleans()):
                return {"as": name, "fn": "coalesce", "args": [{"col": "k"}, {"col": "m"}]}
            cases = [
                {"when": draw(trees(TYPES)), "then": {"val": val}} for val in draw(st.permutations(WORDS))[:2]
            ]
            item: dict[str, Any] = {"as": name, "fn": "case", "cases": cases}
            return {**item, "else": {"col": "s"}} if draw(st.booleans()) else item


@st.composite
def texts(draw: st.DrawFn) -> dict[str, Any]:
    """A text computed of others."""
    match draw(st.sampled_from(["one", "substring", "concat", "replace", "split_part"])):
        case "one":
            return {"fn": draw(st.sampled_from(["lower", "upper", "trim", "length"])), "col": "s"}
        case "substring":
            start = draw(st.sampled_from([1, 2, 3, 9, -1, -2]))
            return {"fn": "substring", "col": "s", "start": start, "length": draw(st.integers(0, 3))}
        case "concat":
            return {"fn": "concat", "args": [{"col": "s"}, {"col": "t"}, {"val": "!"}], "sep": "-"}
        case "replace":
            return {"fn": "replace", "col": "s", "old": draw(st.sampled_from(["a", "%", "-"])), "new": "o"}
        case _:
            return {"fn": "split_part", "col": "s", "sep": "-", "part": draw(st.sampled_from([1, 2, 3, -1]))}


@st.composite
def orders(draw: st.DrawFn, names: list[str]) -> list[dict[str, Any]]:
    """How to sort by some of the columns."""
    return [
        {
            "col": name,
            "dir": draw(st.sampled_from(["asc", "desc"])),
            "nulls": draw(st.sampled_from(["first", "last"])),
        }
        for name in draw(st.permutations(names))[: draw(st.integers(0, 2))]
    ]


@st.composite
def windows(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A window function, of a column that has no nulls."""
    fn = draw(
        st.sampled_from(
            [
                *(
                    "row_number",
                    "rank",
                    "dense_rank",
                    "ntile",
                    "lag",
                    "lead",
                    "cum_sum",
                    "cum_max",
                    "cum_min",
                ),
                *("cum_count", "rolling_mean", "rolling_sum", "rolling_min", "rolling_max", "diff"),
                *("pct_change", "share_of_total"),
            ]
        )
    )
    item: dict[str, Any] = {"as": name, "fn": fn}
    if fn not in {"row_number", "rank", "dense_rank", "ntile"}:
        item["col"] = draw(st.sampled_from(["m", "q"]))
    if fn in {"lag", "lead", "diff", "ntile"}:
        item["n"] = draw(st.integers(1, 3))
    if fn.startswith("rolling"):
        rows = draw(st.integers(1, 4))
        item["frame"] = {"rows": rows, "min_rows": draw(st.integers(1, rows))}
    if draw(st.booleans()):
        item["partition_by"] = draw(st.sampled_from([["t"], ["b"], ["t", "b"]]))
    if fn != "share_of_total":
        by = draw(orders(["m", "q", "s", "d"]))
        item["order_by"] = by or [{"col": "n"}]
    return item


@st.composite
def cleaning(draw: st.DrawFn) -> dict[str, Any]:
    """A cleaning step."""
    return draw(
        st.sampled_from(
            [
                {"op": "trim", "cols": ["s"]},
                {"op": "null_markers", "cols": ["s"], "markers": ["N/A", ""]},
                {"op": "fill_null", "cols": ["k"], "value": 7},
                {"op": "fill_null", "cols": ["k", "s"], "strategy": "forward"},
                {"op": "fill_null", "cols": ["y"], "strategy": "backward"},
                {"op": "drop_nulls", "cols": ["k", "t"]},
                {"op": "dedupe", "cols": ["t", "b"]},
                {"op": "dedupe", "cols": ["k"], "keep": "last"},
                {"op": "clip", "cols": ["k"], "min": -1, "max": 2},
                {"op": "replace", "cols": ["t"], "map": {"x": "why", "y": "x"}},
            ]
        )
    )


@st.composite
def row_plans(draw: st.DrawFn) -> dict[str, Any]:
    """A plan whose answer is rows of the data set, with windows and derived columns."""
    derived = [draw(derivations(f"d{n}")) for n in range(draw(st.integers(0, 2)))]
    windowed = [draw(windows(f"v{n}")) for n in range(draw(st.integers(0, 2)))]
    names = [*TYPES, *(item["as"] for item in [*derived, *windowed])]
    plan: dict[str, Any] = {
        "clean": draw(st.lists(cleaning(), max_size=2)),
        "derive": derived,
        "filters": draw(st.lists(trees(TYPES) | relations(), max_size=2)),
        "timezone": draw(st.sampled_from(ZONES)),
        "window": windowed,
        "order": draw(orders(["m", "q", "s", "d", "p", "b", "x"])),
    }
    if draw(st.booleans()):
        plan["top_n"] = {"n": draw(st.integers(1, 3)), "by": draw(st.sampled_from(["m", "k", "d"]))}
        if draw(st.booleans()):
            plan["top_n"]["partition_by"] = ["t"]
        plan["top_n"]["dir"] = draw(st.sampled_from(["asc", "desc"]))
    if draw(st.booleans()):
        plan["limit"], plan["offset"] = draw(st.integers(1, 5)), draw(st.integers(0, 3))
    if draw(st.booleans()):
        ordered = {item["col"] for item in plan["order"]}
        plan["select"] = [name for name in names if name in ordered or draw(st.booleans())] or ["n"]
    return plan


@st.composite
def group_plans(draw: st.DrawFn) -> dict[str, Any]:
    """A plan whose answer is groups, with their aggregates filtered."""
    keys = draw(st.sampled_from([[], ["t"], ["b"], ["t", "k"], ["s"], ["d"], ["x"]]))
    aggs = [draw(aggregates(TYPES, f"a{n}")) for n in range(draw(st.integers(1, 4)))]
    aggs.append({"fn": "count", "as": "rows"})
    plan: dict[str, Any] = {
        "filters": draw(st.lists(trees(TYPES), max_size=1)),
        "groupby": keys,
        "aggs": aggs,
        "having": draw(st.sampled_from([[], [{"col": "rows", "op": ">", "val": 1}]])),
        "order": draw(orders([*keys, "rows"])),
    }
    if draw(st.booleans()):
        plan["top_n"] = {"n": draw(st.integers(1, 3)), "by": "rows"}
    if draw(st.booleans()):
        plan["limit"] = draw(st.integers(1, 3))
    return plan


@st.composite
def time_plans(draw: st.DrawFn) -> dict[str, Any]:
    """A plan that groups by time."""
    grain = draw(
        st.sampled_from(["1 day", "1 week", "1 month", "1 quarter", "1 year", "1 hour", "15 minutes"])
    )
    aggs = [draw(aggregates(TYPES, f"a{n}")) for n in range(draw(st.integers(1, 2)))]
    return {
        "grain": grain,
        "time_col": "w",
        "timezone": draw(st.sampled_from(ZONES)),
        "filters": draw(st.lists(trees(TYPES), max_size=1)),
        "groupby": draw(st.sampled_from([[], ["t"]])),
        "aggs": aggs,
    }


@st.composite
def join_plans(draw: st.DrawFn) -> dict[str, Any]:
    """A plan that joins another frame, by numbers or texts."""
    keys = draw(st.sampled_from([["k"], ["t"], ["k", "t"], ["s"]]))
    how = draw(st.sampled_from(["inner", "left", "right", "full", "semi", "anti"]))
    plan: dict[str, Any] = {"joins": [{"dataset": "other", "on": keys, "how": how}]}
    if draw(st.booleans()):
        plan["groupby"], plan["aggs"] = keys, [draw(aggregates(TYPES, "a")), {"fn": "count", "as": "rows"}]
    else:
        plan["select"] = [*keys, "y"] if how in {"semi", "anti"} else [*keys, "y", "y_right", "d_right"]
    return plan


KINDS = {"rows": row_plans(), "groups": group_plans(), "times": time_plans(), "joins": join_plans()}


@pytest.fixture(scope="module")
def duck() -> Iterator[Any]:
    """DuckDB, whose own time zone is UTC."""
    with duckdb.connect() as connection:
        connection.sql("set timezone = 'UTC'")
        connection.sql("set threads = 1")
        yield connection


def ours(plan: dict[str, Any], source: pl.DataFrame, other: pl.DataFrame) -> Any:
    """Our answer, or nothing where the plan fails on a value."""
    request = Plan.model_validate({"dataset": "source", **plan})
    check_plan(request)
    try:
        return execute(request, source.lazy(), [other.lazy()] if plan.get("joins") else []).collect()
    except pl.exceptions.PolarsError as error:
        assert failure(error).code != "INTERNAL_ERROR"  # noqa: PT017
        return None


def theirs(duck: Any, query: str, source: pl.DataFrame, other: pl.DataFrame) -> Any:
    """DuckDB's answer, or nothing where the query fails on a value."""
    duck.register("source", source.to_arrow())
    duck.register("other", other.to_arrow())
    try:
        return duck.sql(query).fetchall()
    except (duckdb.OutOfRangeException, duckdb.ConversionException):
        return None


def is_same(one: Any, two: Any) -> bool:
    """Whether two cells are the same value, of whatever type."""
    if one is None or two is None:
        return one is None and two is None
    if isinstance(one, (float, Decimal)) or isinstance(two, (float, Decimal)):
        one, two = float(one), float(two)
        return (math.isnan(one) and math.isnan(two)) or math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == two)


def by_text(row: tuple[Any, ...]) -> list[str]:
    """An order of rows that have none."""
    return [repr(float(cell) + 0.0 if isinstance(cell, (int, float, Decimal)) else cell) for cell in row]


@pytest.mark.parametrize("kind", KINDS)
def test_random_plans_give_what_duckdb_gives(kind: str, duck: Any) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(plan=KINDS[kind], source=frames(), other=frames())
    def agree(plan: dict[str, Any], source: pl.DataFrame, other: pl.DataFrame) -> None:
        query = sql_of(plan, source.schema, other.columns)
        answer, expected = ours(plan, source, other), theirs(duck, query, source, other)

        assert (answer is None) == (expected is None), query
        if answer is None:
            return
        rows = answer.rows()
        if kind == "joins":  # a join's rows come in an order of ours
            rows, expected = sorted(rows, key=by_text), sorted(expected, key=by_text)
        assert len(rows) == len(expected), query
        for one, two in zip(rows, expected, strict=True):
            assert len(one) == len(two)
            assert all(map(is_same, one, two)), (one, two, query)

    agree()
