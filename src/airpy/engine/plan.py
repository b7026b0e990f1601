"""Reads a plan: what the contract's types cannot say about it.

Everything here is known without the data, so that a plan which cannot be run is refused before a token is
issued.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.engine.aggregations import aggregate_name, check_aggregates
from airpy.engine.cleaning import check_cleaning
from airpy.engine.columns import repeated
from airpy.engine.derive import check_derivations
from airpy.engine.filter_trees import check_filters, check_having, check_size
from airpy.engine.grain import check_time
from airpy.engine.joins import check_join
from airpy.engine.literals import zone
from airpy.engine.pivot import check_pivot
from airpy.engine.reshape import check_explode, check_unpivot
from airpy.engine.sampling import check_sample
from airpy.engine.sources import check_prepared
from airpy.engine.top import check_top
from airpy.engine.units import read_grain
from airpy.engine.windows import check_windows
from airpy.errors import InvalidPlan, did_you_mean, listed, nearest, shortened

if TYPE_CHECKING:
    from airpy.contract import Plan

__all__ = ["bucket_name", "check_plan", "group_keys", "is_grouped"]


def check_plan(plan: Plan) -> None:
    """Refuse a plan that cannot be run, whatever the data.

    Raises:
        InvalidPlan: Its parts contradict one another.
    """
    zone(plan.timezone)
    check_size(plan, "plan")
    check_cleaning(plan.clean or [], "plan.clean")
    check_derivations(plan.derive or [], "plan.derive")
    check_filters(plan.filters or [], "plan.filters")
    check_time(plan)
    check_aggregates(plan.aggs or [], "plan.aggs")
    _check_names(plan)
    _check_shapes(plan)
    _check_having(plan)
    for index, part in enumerate(plan.union or []):
        check_prepared(part, f"plan.union[{index}]")
    _check_joins(plan)


def is_grouped(plan: Plan) -> bool:
    """Whether the answer has group keys and aggregates rather than the data set's columns."""
    return bool(plan.groupby or plan.aggs or plan.grain or plan.resample)


def bucket_name(plan: Plan) -> str | None:
    """The name of the grain's bucket in the answer, in `groupby` and in `order`: its unit."""
    every = plan.resample.every if plan.resample else plan.grain
    return read_grain(every).unit if every else None


def group_keys(plan: Plan) -> list[str]:
    """The group keys in the answer's order; a bucket that `groupby` does not name comes first."""
    keys = list(plan.groupby or [])
    bucket = bucket_name(plan)
    return [bucket, *keys] if bucket and bucket not in keys else keys


def _check_having(plan: Plan) -> None:
    """`having` may name only group keys and aggregates."""
    filters = plan.having or []
    if filters and not is_grouped(plan):
        raise InvalidPlan(
            "plan.having keeps groups, and the plan makes none; plan.filters keeps rows",
            field="plan.having",
            constraint="only together with groupby, aggs, grain or resample",
            suggestion=["filters"],
        )
    check_having(filters, [*group_keys(plan), *map(aggregate_name, plan.aggs or [])], "plan.having")


def _check_names(plan: Plan) -> None:
    """The answer's columns must differ, and `order` may name only them."""
    if is_grouped(plan):
        keys = group_keys(plan)
        names = [*keys, *map(aggregate_name, plan.aggs or [])]
        where = "plan.groupby" if repeated(keys) else "plan.aggs"
    else:
        names = list(plan.select or [])
        where = "plan.select"
    if twice := repeated(names):
        raise InvalidPlan(
            f"the answer would have two columns called {listed(twice)}; name one of them with `as`",
            field=where,
            constraint="different names",
        )
    check_windows(plan.window or [], names if is_grouped(plan) else [], "plan.window")
    if not names or plan.pivot:  # only the data tell what columns a pivot makes
        return
    if is_grouped(plan):
        names += [item.as_ for item in plan.window or []]
    for index, item in enumerate(plan.order or []):
        if item.col not in names:
            close = nearest(item.col, names)
            raise InvalidPlan(
                f'the answer has no column "{shortened(item.col)}" to order by{did_you_mean(close)}',
                field=f"plan.order[{index}].col",
                constraint=f"one of: {listed(names)}",
                suggestion=close,
            )


def _check_shapes(plan: Plan) -> None:
    """Stages that make other rows, or fewer."""
    if plan.unpivot:
        check_unpivot(plan.unpivot, "plan.unpivot")
    check_explode(plan.explode or [], "plan.explode")
    if plan.sample:
        check_sample(plan.sample, "plan.sample")
    if plan.pivot:
        check_pivot(plan.pivot, "plan.pivot")
    if plan.top_n:
        names, keys = None, []
        if is_grouped(plan) and not plan.pivot:
            keys = group_keys(plan)
            names = [*keys, *map(aggregate_name, plan.aggs or []), *(item.as_ for item in plan.window or [])]
        check_top(plan.top_n, names, keys, "plan.top_n")


def _check_joins(plan: Plan) -> None:
    for index, join in enumerate(plan.joins or []):
        check_join(join, f"plan.joins[{index}]")
        check_prepared(join, f"plan.joins[{index}]")
