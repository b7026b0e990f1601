"""The greatest groups and what is left of the others, against a plain-Python reading of the contract."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy.contract import Plan
from airpy.engine.execute import execute
from airpy.engine.plan import check_plan

TYPES = {"region": pl.String(), "site": pl.String(), "day": pl.Int64(), "x": pl.Float64(), "tag": pl.String()}
# Quarters add up exactly, so that no order of summation gives another sum.
QUARTERS = st.integers(-20, 20).map(lambda quarters: quarters / 4)
ROWS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["n", "s"]),
        st.none() | st.sampled_from(["a", "b", "c", "other"]),
        st.none() | st.integers(1, 3),
        st.none() | QUARTERS,
        st.none() | st.sampled_from(["u", "v", "w"]),
    ),
    max_size=40,
)
AGGS = [
    {"fn": "count"},
    {"col": "x", "fn": "sum", "as": "sum"},
    {"col": "x", "fn": "mean", "as": "mean"},
    {"col": "x", "fn": "median", "as": "median"},
    {"col": "tag", "fn": "n_unique", "as": "n_unique"},
    {"col": "x", "fn": "max", "as": "max"},
]
AGGREGATES = ["count", "sum", "mean", "median", "n_unique", "max"]


def aggregates(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The aggregates of rows."""
    values = [row[3] for row in rows if row[3] is not None]
    return (
        len(rows),
        sum(values) if values else None,
        statistics.fmean(values) if values else None,
        statistics.median(values) if values else None,
        len({row[4] for row in rows} - {None}),
        max(values, default=None),
    )


def last_if_null(value: Any) -> tuple[bool, Any]:
    """Where a key comes among others."""
    return value is None, 0 if value is None else value


def expected(rows: list[tuple[Any, ...]], plan: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The answer's rows."""
    names, keys, top = [*TYPES], plan["groupby"], plan["top_n"]
    groups: defaultdict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[names.index(key)] for key in keys)].append(row)
    partitions: defaultdict[Any, list[Any]] = defaultdict(list)
    for key in sorted(groups, key=lambda key: tuple(map(last_if_null, key))):
        partitions[tuple(key[keys.index(name)] for name in top["partition_by"])].append(key)

    answer = []
    place = AGGREGATES.index(top["by"])
    sign = 1 if top["dir"] == "asc" else -1
    for partition in sorted(partitions, key=lambda partition: tuple(map(last_if_null, partition))):

        def rank(key: Any) -> tuple[bool, Any]:
            value = aggregates(groups[key])[place]
            return value is None, 0 if value is None else sign * value

        ranked = sorted(partitions[partition], key=rank)
        answer += [(*key, *aggregates(groups[key])) for key in ranked[: top["n"]]]
        others = [row for key in ranked[top["n"] :] for row in groups[key]]
        if others and top["other"]:
            merged = dict.fromkeys(keys, None) | {key: "other" for key in keys if TYPES[key] == pl.String}
            merged |= dict(zip(top["partition_by"], partition, strict=True))
            answer.append((*merged.values(), *aggregates(others)))
    return answer


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """Groups, and which of them are chosen."""
    keys = draw(st.lists(st.sampled_from(["region", "site", "day"]), min_size=1, unique=True))
    return {
        "groupby": keys,
        "aggs": AGGS,
        "top_n": {
            "n": draw(st.integers(1, 4)),
            "by": draw(st.sampled_from(AGGREGATES)),
            "dir": draw(st.sampled_from(["asc", "desc"])),
            "partition_by": draw(st.lists(st.sampled_from(keys), unique=True)),
            "other": draw(st.booleans()),
        },
    }


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, plan=plans())
def test_the_greatest_and_the_others_agree_with_plain_python(
    rows: list[tuple[Any, ...]], plan: dict[str, Any]
) -> None:
    top = {key: value for key, value in plan["top_n"].items() if value != []}
    query = Plan.model_validate({"dataset": "table", **plan, "top_n": top})
    check_plan(query)

    answer = execute(query, pl.LazyFrame(rows, TYPES, orient="row")).collect(engine="streaming")

    assert answer.columns == [*plan["groupby"], *AGGREGATES]
    assert answer.rows() == expected(rows, plan)
