"""Plans that yield the points of charts, 2,000 at most: parts of a plan by chart, and how a plan takes them.

The answer's columns are called what the chart calls its axes: `x`, `y` and `color` of the hint, but for a
time in buckets, which is called by its unit, and a number in bins, which is `bin(…)`.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airpy.contract import Plan
from airpy.engine.plan import check_plan, is_grouped
from airpy.engine.profile.chart_scales import MOST_POINTS, bucket
from airpy.errors import AirError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import AggregateFunction, ColumnMetrics

__all__ = [
    "QUARTILES",
    "Parts",
    "binned",
    "binned_name",
    "by_groups",
    "correlated",
    "extended",
    "is_finished",
    "is_finite",
    "over_time",
    "own_rows",
    "quartiles",
    "single_rows",
    "written",
]

FRAME = "frame"
"""What the data set of a frame is called that was sent."""
SEED = 0
QUARTILES: tuple[AggregateFunction, ...] = ("min", "q1", "median", "q3", "max")
FINISHING = ("having", "window", "pivot", "top_n", "distinct", "offset", "limit")
"""Stages whose rows no stage can group."""

EXTENDED = ("derive", "filters")
"""Stages that are lists, whose own items come first."""

Parts = dict[str, Any]
"""Members of a plan by name, as in JSON."""


def is_finished(source: Plan | None) -> bool:
    """Whether the plan's rows cannot be grouped, since its grouping or what comes after it made them."""
    return source is not None and (is_grouped(source) or any(getattr(source, stage) for stage in FINISHING))


def extended(source: Plan | None, parts: Parts) -> Plan | None:
    """The plan with these parts added; nothing where it would be none, as one of 10,001 comparisons.

    Its own choice and order of columns are dropped: the parts make others.
    """
    base = Plan(dataset=FRAME) if source is None else source
    plan = base.model_dump(by_alias=True, exclude_unset=True)
    if not is_finished(source):
        plan = {name: value for name, value in plan.items() if name not in {"select", "order"}}
    added = {stage: [*(plan.get(stage) or []), *parts[stage]] for stage in EXTENDED if stage in parts}
    try:
        wanted = Plan.model_validate({**plan, **parts, **added})
        check_plan(wanted)
    except (ValidationError, AirError):
        return None
    return wanted


def own_rows(source: Plan | None) -> Parts:
    """The source's rows as they are."""
    most = source.limit if source is not None and source.limit is not None else MOST_POINTS
    return {"limit": min(most, MOST_POINTS)}


def single_rows(columns: Sequence[ColumnMetrics], source: Plan | None, rows: int) -> Parts | None:
    """The rows in which all of the columns have a value; of many, some by chance.

    Nothing, where there are many and the source is a sample itself: it takes no other.
    """
    parts: Parts = {"select": [column.name for column in columns], "limit": MOST_POINTS}
    if source is not None and source.sample:
        # What it leaves out depends on the rows that pass its filters.
        return parts if rows <= MOST_POINTS else None
    if filters := [has_value for column in columns if (has_value := _has_value(column))]:
        parts["filters"] = filters
    if rows > MOST_POINTS:
        parts["sample"] = {"n": MOST_POINTS, "seed": SEED}
    return parts


def over_time(
    time: ColumnMetrics, grain: str, color: ColumnMetrics | None, item: Parts, zone: str | None
) -> Parts:
    """One row for each bucket of time, and each value of a category; in the order of time."""
    keys = [(bucket(grain), bool(time.missing))]
    parts: Parts = {"time_col": time.name, "grain": grain}
    if color is not None:
        keys.append((color.name, bool(color.missing)))
        parts["groupby"] = [color.name]
    if zone is not None:
        parts["timezone"] = zone
    return {**parts, **_grouped(keys, [item])}


def by_groups(categories: Sequence[ColumnMetrics], item: Parts, *, greatest_first: bool = False) -> Parts:
    """One row for each combination of values."""
    keys = [(category.name, bool(category.missing)) for category in categories]
    parts = {"groupby": [name for name, _ in keys], **_grouped(keys, [item])}
    return {**parts, "order": [{"col": item["as"], "dir": "desc"}]} if greatest_first else parts


def quartiles(number: ColumnMetrics, category: ColumnMetrics | None) -> Parts:
    """One row of extremes and quartiles, or one for each value of a category."""
    items = [aggregate(fn, number) for fn in QUARTILES]
    if category is None:
        return _grouped([], items)
    return {"groupby": [category.name], **_grouped([(category.name, bool(category.missing))], items)}


def binned(numbers: Sequence[tuple[ColumnMetrics, float]]) -> Parts:
    """The rows in each bin of these numbers, by the widths of their bins."""
    # What is not finite has no bin either.
    keys = [
        (binned_name(number.name), bool(number.missing) or not is_finite(number)) for number, _ in numbers
    ]
    return {
        "derive": [
            {"as": name, "fn": "bin", "col": number.name, "width": width}
            for (name, _), (number, width) in zip(keys, numbers, strict=True)
        ],
        "groupby": [name for name, _ in keys],
        **_grouped(keys, [aggregate("count", None)]),
    }


def correlated(numbers: Sequence[ColumnMetrics]) -> Parts:
    """One row: Pearson's r of each pair, called `corr(a, b)`."""
    items = [
        {"fn": "corr", "col": one.name, "col2": two.name, "as": f"corr({one.name}, {two.name})"}
        for one, two in combinations(numbers, 2)
    ]
    return _grouped([], items)


def aggregate(fn: AggregateFunction, number: ColumnMetrics | None, name: str | None = None) -> Parts:
    """The aggregate of the number, or of rows, under this name; of finite numbers alone."""
    if number is None:
        return {"fn": fn, "as": name or written(fn)}
    item: Parts = {"fn": fn, "col": number.name, "as": name or written(fn, number.name)}
    return item if is_finite(number) else {**item, "filter": {"col": number.name, "op": "is_finite"}}


def written(fn: AggregateFunction, column: str = "*") -> str:
    """A function of a column, as hints write it: `sum(cost)`, `count(*)`."""
    return f"{fn}({column})"


def binned_name(column: str) -> str:
    """What a column of bins is called."""
    return f"bin({column})"


def is_finite(number: ColumnMetrics) -> bool:
    """Whether no value is known to be NaN or infinite."""
    return not (number.nan or number.infinite)


def _grouped(keys: Sequence[tuple[str, bool]], items: Sequence[Parts]) -> Parts:
    """The aggregates, without the groups in which a key is null, if it may be."""
    parts: Parts = {"aggs": list(items), "limit": MOST_POINTS}
    if having := [{"col": name, "op": "not_null"} for name, may_be_null in keys if may_be_null]:
        parts["having"] = having
    return parts


def _has_value(column: ColumnMetrics) -> Parts | None:
    if not is_finite(column):
        return {"col": column.name, "op": "is_finite"}
    return {"col": column.name, "op": "not_null"} if column.missing else None
