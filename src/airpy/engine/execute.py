"""Runs a plan over a lazy frame: a tuple of stages, read top to bottom.

Nothing is computed here: the answer is a lazy frame too, and whoever collects it pays. So filters and
projections reach down into the files that the frame was scanned from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airpy.engine.aggregations import aggregated
from airpy.engine.cleaning import cleaned
from airpy.engine.columns import Columns, inner, opened, revealed
from airpy.engine.derive import derived
from airpy.engine.filter_trees import relations_in
from airpy.engine.filters import filtered
from airpy.engine.grain import bucketed
from airpy.engine.joins import joined
from airpy.engine.literals import zone
from airpy.engine.native import in_order, sliced, stable_sort, stable_unique
from airpy.engine.pivot import pivoted
from airpy.engine.plan import bucket_name, group_keys, is_grouped
from airpy.engine.resample import resampled
from airpy.engine.reshape import exploded, unpivoted
from airpy.engine.sampling import sampled
from airpy.engine.sources import prepared
from airpy.engine.steps import OnStep, counted, ignore_steps
from airpy.engine.top import Grouping, topmost
from airpy.engine.unions import unioned
from airpy.engine.windows import windowed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from airpy.contract import Order, Plan
    from airpy.engine.columns import Frame

__all__ = ["execute"]

BUCKET = "\0bucket"
"""The bucket's name while it is grouped by; no column of the caller's has it."""


MOST_ROWS = 2**32 - 1
"""The engine counts a frame's rows in 32 bits; a higher limit leaves none out, and it takes none."""


@dataclass
class Task:
    """What the stages share."""

    plan: Plan
    joined: Sequence[Frame]
    unioned: Sequence[Frame]
    on_step: OnStep
    max_join_rows: int | None
    grouping: Grouping | None = None
    """What was grouped, once it is."""


def execute(
    plan: Plan,
    source: pl.LazyFrame,
    joined: Sequence[pl.LazyFrame] = (),
    unioned: Sequence[pl.LazyFrame] = (),
    on_step: OnStep = ignore_steps,
    max_join_rows: int | None = None,
) -> pl.LazyFrame:
    """The plan's answer, lazily, in an order that is the same for the same data.

    Args:
        plan: What to compute; `check_plan` has passed it.
        source: The data set.
        joined: The data sets of `plan.joins`, in their order.
        unioned: The data sets of `plan.union`, in their order.
        on_step: Told of `applying_filters` and `aggregating`.
        max_join_rows: How many rows a join may make; whoever collects more of them is stopped.

    Raises:
        UnknownColumn: The plan names a column that the data does not have.
        TypeMismatch: The plan asks of a column what its type cannot do.
        InvalidPlan: The plan contradicts the data in another way.
    """
    task = Task(
        plan,
        [opened(other) for other in joined],
        [opened(other) for other in unioned],
        on_step,
        max_join_rows,
    )
    frame = opened(source)
    for stage in STAGES:
        frame = stage(frame, task)
    return revealed(frame.to_native())


def union(frame: Frame, task: Task) -> Frame:
    """The rows, followed by those of other data sets."""
    others = [
        prepared(other, part, f"plan.union[{index}]", zone(task.plan.timezone))
        for index, (other, part) in enumerate(zip(task.unioned, task.plan.union or [], strict=True))
    ]
    return unioned(frame, others, "plan.union") if others else frame


def clean(frame: Frame, task: Task) -> Frame:
    """The rows, cleaned."""
    return cleaned(frame, task.plan.clean or [], "plan.clean")


def unpivot(frame: Frame, task: Task) -> Frame:
    """One row for each of some columns."""
    return unpivoted(frame, task.plan.unpivot, "plan.unpivot") if task.plan.unpivot else frame


def explode(frame: Frame, task: Task) -> Frame:
    """One row for each value of a list."""
    return exploded(frame, task.plan.explode, "plan.explode") if task.plan.explode else frame


def join(frame: Frame, task: Task) -> Frame:
    """The rows, joined with those of other data sets."""
    # A sample and how rows stand among others depend on the order of the rows, groups do not.
    ordered = bool(task.plan.sample) or any(relations_in(task.plan)) or not is_grouped(task.plan)
    for index, (other, how) in enumerate(zip(task.joined, task.plan.joins or [], strict=True)):
        field = f"plan.joins[{index}]"
        right = prepared(other, how, field, zone(task.plan.timezone))
        frame = joined(frame, right, how, field, ordered=ordered, most_rows=task.max_join_rows)
    return frame


def derive(frame: Frame, task: Task) -> Frame:
    """The rows with columns computed of others."""
    return derived(frame, task.plan.derive or [], zone(task.plan.timezone))


def keep(frame: Frame, task: Task) -> Frame:
    """The rows that pass the filters."""
    filters = task.plan.filters or []
    task.on_step(
        "applying_filters",
        f"Applying {counted(len(filters), 'filter')}" if filters else "No filters to apply",
    )
    return filtered(frame, filters, zone(task.plan.timezone), "plan.filters")


def sample(frame: Frame, task: Task) -> Frame:
    """Some of the rows, by chance."""
    return sampled(frame, task.plan.sample) if task.plan.sample else frame


def group(frame: Frame, task: Task) -> Frame:
    """One row for each group, with its keys and aggregates."""
    plan = task.plan
    if not is_grouped(plan):
        task.on_step("aggregating", "No aggregates asked for; collecting rows")
        return frame
    task.on_step("aggregating", _grouping(plan))
    columns = Columns(frame)
    columns.names(plan.select or [], "plan.select")
    bucket = bucket_name(plan)
    keys = [
        BUCKET if name == bucket else columns.name(name, f"plan.groupby[{n}]")
        for n, name in enumerate(group_keys(plan))
    ]
    if bucket:
        frame = bucketed(frame, plan, BUCKET)

    def by(rows: Frame, keys: Sequence[str]) -> Frame:
        if not plan.aggs:
            return rows.select(*keys).unique()
        return aggregated(rows, keys, plan.aggs, zone(plan.timezone), plan.time_col)

    task.grouping = Grouping(
        frame, {inner(bucket) if bucket and key == BUCKET else key: key for key in keys}, by
    )
    grouped = by(frame, keys)
    if plan.resample:
        grouped = resampled(grouped, plan, [key for key in keys if key != BUCKET], BUCKET)
    return grouped.rename({BUCKET: inner(bucket)}) if bucket else grouped


def settle(frame: Frame, task: Task) -> Frame:
    """The groups in the order of their keys, where what follows depends on one."""
    plan = task.plan
    if task.grouping is None or not (plan.pivot or plan.top_n):
        return frame
    return in_order(frame, list(task.grouping.keys))


def having(frame: Frame, task: Task) -> Frame:
    """The groups that pass `having`; ordered by their keys, where it asks how they stand among others."""
    filters = task.plan.having or []
    if task.grouping is not None and any(relations_in(filters)):
        frame = in_order(frame, list(task.grouping.keys))
    return filtered(frame, filters, zone(task.plan.timezone), "plan.having")


def window(frame: Frame, task: Task) -> Frame:
    """The rows with columns computed of each and its neighbours."""
    plan = task.plan
    ties = [inner(key) for key in group_keys(plan)] if is_grouped(plan) else []
    return windowed(frame, plan.window or [], zone(plan.timezone), ties)


def pivot(frame: Frame, task: Task) -> Frame:
    """One column for each value of one."""
    return pivoted(frame, task.plan.pivot, "plan.pivot") if task.plan.pivot else frame


def top(frame: Frame, task: Task) -> Frame:
    """The greatest rows, and perhaps what is left of the others."""
    return topmost(frame, task.plan.top_n, task.grouping, "plan.top_n") if task.plan.top_n else frame


def select(frame: Frame, task: Task) -> Frame:
    """The columns asked for, in their order."""
    if is_grouped(task.plan) or not task.plan.select:
        return frame
    return frame.select(*Columns(frame).names(task.plan.select, "plan.select"))


def order(frame: Frame, task: Task) -> Frame:
    """The rows sorted; ties broken by the group keys, or by the order they came in.

    A pivot has its own order, and so has a choice of the greatest.
    """
    plan = task.plan
    columns = Columns(frame)
    by: dict[str, Order] = {}
    for index, item in enumerate(plan.order or []):
        by.setdefault(columns.name(item.col, f"plan.order[{index}].col"), item)
    is_settled = plan.pivot or plan.top_n or not is_grouped(plan)
    ties = [] if is_settled else [inner(key) for key in group_keys(plan) if inner(key) not in by]
    if not by and not ties:
        return frame
    return stable_sort(
        frame,
        [*by, *ties],
        descending=[item.dir == "desc" for item in by.values()] + [False] * len(ties),
        nulls_last=[item.nulls == "last" for item in by.values()] + [True] * len(ties),
    )


def distinct(frame: Frame, task: Task) -> Frame:
    """The rows without those that repeat another."""
    return stable_unique(frame, None, "first") if task.plan.distinct else frame


def limit(frame: Frame, task: Task) -> Frame:
    """The rows from the offset on, and no more of them than the plan wants."""
    offset, wanted = task.plan.offset or 0, task.plan.limit
    if wanted is not None and wanted > MOST_ROWS:
        wanted = None
    if not offset:
        return frame if wanted is None else frame.head(wanted)
    return sliced(frame, offset, wanted)


STAGES: tuple[Callable[[Frame, Task], Frame], ...] = (
    union,
    clean,
    unpivot,
    explode,
    join,
    derive,
    keep,
    sample,
    group,
    having,
    settle,
    window,
    pivot,
    top,
    select,
    distinct,
    order,
    limit,
)


def _grouping(plan: Plan) -> str:
    keys = ", ".join(group_keys(plan))
    return f"Computing {counted(len(plan.aggs or []), 'aggregate')}" + (f" by {keys}" if keys else "")
