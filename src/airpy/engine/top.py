"""The greatest rows, and what is left of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw

from airpy.engine.columns import Columns, repeated
from airpy.engine.families import TEXT
from airpy.engine.native import in_order, stable_sort
from airpy.engine.native_shapes import first_of_each, looked_up, numbered
from airpy.errors import InvalidPlan, UnknownColumn, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airpy.contract import TopN
from airpy.engine.columns import Frame

__all__ = ["Grouping", "check_top", "topmost"]

RANK, IS_OTHER = "\0rank", "\0other"
"""Which row of its partition a group is, from 0 on; and whether it is none of the greatest."""
OTHER = "other"


class Grouping(NamedTuple):
    """Rows that were grouped, for a stage that groups some of them anew."""

    rows: Frame
    keys: Mapping[str, str]
    """The groups' keys, and what they are called among the rows."""
    group: Callable[[Frame, Sequence[str]], Frame]
    """Gives the keys and aggregates of rows, grouped by such of their columns."""


def check_top(top: TopN, names: Sequence[str] | None, keys: Sequence[str], field: str) -> None:
    """Refuse a choice by what the answer does not have, whatever the data.

    Args:
        top: What is chosen.
        names: The columns that it is chosen by, where they are known without the data.
        keys: The group keys.
        field: Where it stands in the plan.

    Raises:
        UnknownColumn: It names a column that is not among them.
        InvalidPlan: It asks for the others where there are no groups, or names a column twice.
    """
    partition = top.partition_by or []
    if names is not None:
        for name, place in (
            (top.by, "by"),
            *((name, f"partition_by[{n}]") for n, name in enumerate(partition)),
        ):
            if name not in names:
                raise UnknownColumn.among(name, names, f"{field}.{place}")
    if twice := repeated(partition):
        raise InvalidPlan(
            f"{listed(twice)} stands twice in partition_by",
            field=f"{field}.partition_by",
            constraint="different names",
        )
    if not top.other:
        return
    if not keys:
        raise InvalidPlan(
            "other adds up groups, and the plan makes none",
            field=f"{field}.other",
            constraint="only together with groupby, grain or resample, and without pivot",
        )
    for n, name in enumerate(partition):
        if name not in keys:
            raise UnknownColumn.among(name, keys, f"{field}.partition_by[{n}]")


def topmost(frame: Frame, top: TopN, grouping: Grouping | None, field: str) -> Frame:
    """The greatest rows of each partition, the greatest first; rows that are equal come as they came.

    Args:
        frame: The rows.
        top: How many of them, and which.
        grouping: What they are groups of; the others are grouped anew as one.
        field: Where `top` stands in the plan.

    Raises:
        UnknownColumn: It names a column that is not there.
    """
    columns = Columns(frame)
    partition = columns.names(top.partition_by or [], f"{field}.partition_by")
    by = columns.name(top.by, f"{field}.by")
    descending = top.dir == "desc"
    if partition and by not in partition and not top.other:
        return in_order(first_of_each(frame, partition, by, top.n, descending=descending), partition)
    order = list(dict.fromkeys([*partition, by]))
    ranked = stable_sort(
        frame,
        order,
        descending=[name not in partition and descending for name in order],
        nulls_last=[True] * len(order),
    )
    if not (partition or top.other):
        return ranked.head(top.n)
    ranked = numbered(ranked, partition, RANK)
    greatest = ranked.filter(nw.col(RANK) < top.n)
    if top.other and grouping:
        others = _others(ranked, top, partition, grouping)
        greatest = in_order(nw.concat([greatest, others]), [*partition, RANK])
    return greatest.drop(RANK)


def _others(ranked: Frame, top: TopN, partition: Sequence[str], grouping: Grouping) -> Frame:
    """A row for what is left in each partition, in the columns of the groups; what no aggregate is is null.

    The rows of all groups are grouped anew, the greatest as well, since some aggregates are shares of all.
    """
    labels = ranked.select(
        *(nw.col(key).alias(name) for key, name in grouping.keys.items()),
        (nw.col(RANK) >= top.n).alias(IS_OTHER),
    )
    rows = looked_up(grouping.rows, labels, list(grouping.keys.values()))
    names = {grouping.keys[key]: key for key in partition}
    left = grouping.group(rows, [*names, IS_OTHER]).filter(nw.col(IS_OTHER)).rename(names)
    known = left.collect_schema()
    merged = set(grouping.keys) - set(partition)
    return left.select(
        nw.col(name)
        if name in known and name not in merged
        else nw.lit(OTHER if name in merged and isinstance(dtype, TEXT) else None).cast(dtype).alias(name)
        for name, dtype in ranked.collect_schema().items()
    )
