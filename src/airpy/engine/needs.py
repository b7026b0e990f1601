"""Which columns of a data set a plan's answer depends on, so that no others need be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from airpy.engine.aggregations import is_ordered_by_time
from airpy.engine.plan import bucket_name, is_grouped

if TYPE_CHECKING:
    from airpy.contract import Plan

__all__ = ["columns_in", "named_columns"]

COLUMN_FIELDS = frozenset({"col", "col2", "by", "weight", "cols", "partition_by"})
"""The fields of a plan's parts that hold names of columns."""


def named_columns(plan: Plan) -> set[str] | None:
    """The data set's columns on which the answer depends; nothing when others may matter to it as well."""
    grouped = is_grouped(plan)
    reshaped = (plan.union, plan.clean, plan.unpivot, plan.explode, plan.joins, plan.pivot)
    timed = plan.grain or plan.resample or any(map(is_ordered_by_time, plan.aggs or []))
    if not (grouped or plan.select) or any(reshaped) or (timed and plan.time_col is None):
        return None
    names = {plan.time_col, *(plan.groupby or []), *(plan.select or [])} - {bucket_name(plan)}
    names |= columns_in(plan.aggs) if grouped else columns_in([plan.window, plan.top_n, plan.order])
    if not grouped:
        names -= {item.as_ for item in plan.window or []}
    names |= columns_in(plan.filters)
    for item in reversed(plan.derive or []):
        names.discard(item.as_)
        names |= columns_in(item)
    return {name for name in names if name is not None and name != "*"}


def columns_in(part: object) -> set[str]:
    """The columns that a part of a plan names, however deep."""
    if isinstance(part, list):
        return set().union(*map(columns_in, part))
    if not isinstance(part, BaseModel):
        return set()
    names: set[str] = set()
    for field, value in part:
        if field in COLUMN_FIELDS and isinstance(value, (str, list)):
            names |= {value} if isinstance(value, str) else {name for name in value if isinstance(name, str)}
        else:
            names |= columns_in(value)
    return names
