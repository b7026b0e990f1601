"""Prepares a data set that a plan joins or unites: cleaned, filtered and narrowed by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.contract import Join
from airpy.engine.aggregations import aggregate_name, aggregated, check_aggregates
from airpy.engine.cleaning import check_cleaning, cleaned
from airpy.engine.columns import Columns, repeated
from airpy.engine.filter_trees import check_filters, check_having, relations_in
from airpy.engine.filters import filtered
from airpy.engine.native import in_order
from airpy.errors import InvalidPlan, listed

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from airpy.contract import UnionedDataset
    from airpy.engine.columns import Frame

__all__ = ["check_prepared", "prepared"]


def check_prepared(part: Join | UnionedDataset, field: str) -> None:
    """Refuse what a data set's own `clean`, `filters` and `select` cannot say, whatever the data.

    Raises:
        InvalidPlan: One of them contradicts itself.
    """
    check_cleaning(part.clean or [], f"{field}.clean")
    check_filters(part.filters or [], f"{field}.filters")
    if isinstance(part, Join):
        _check_groups(part, field)
    if twice := repeated(part.select or []):
        raise InvalidPlan(
            f"a data set has a column once, and {listed(twice)} is selected twice",
            field=f"{field}.select",
            constraint="different names",
        )


def prepared(frame: Frame, part: Join | UnionedDataset, field: str, timezone: ZoneInfo) -> Frame:
    """The data set's rows, cleaned and filtered, or their groups, with the columns of its `select`.

    Args:
        frame: The data set as it was opened, under inner names.
        part: What the plan says of it.
        field: Where that stands in the plan, as in `plan.joins[0]`.
        timezone: Where times in its filters are that carry no offset.

    Raises:
        UnknownColumn: One of them names a column that the data set does not have.
        TypeMismatch: One of them asks of a column what its type cannot do.
    """
    frame = cleaned(frame, part.clean or [], f"{field}.clean")
    frame = filtered(frame, part.filters or [], timezone, f"{field}.filters")
    if isinstance(part, Join) and part.groupby:
        keys = Columns(frame).names(part.groupby, f"{field}.groupby")
        if part.aggs:
            frame = aggregated(frame, keys, part.aggs, timezone, field=f"{field}.aggs")
        else:
            frame = frame.select(*keys).unique()
        if any(relations_in(part.having or [])):
            frame = in_order(frame, keys)
        frame = filtered(frame, part.having or [], timezone, f"{field}.having")
    return frame.select(*Columns(frame).names(part.select, f"{field}.select")) if part.select else frame


def _check_groups(join: Join, field: str) -> None:
    """Refuse groups that no data can make."""
    keys, aggregates = join.groupby or [], join.aggs or []
    if not keys and (aggregates or join.having):
        raise InvalidPlan(
            "a joined data set has aggregates of groups, and is grouped by nothing",
            field=f"{field}.groupby",
            constraint="required with aggs and having",
        )
    check_aggregates(aggregates, f"{field}.aggs")
    names = [*keys, *map(aggregate_name, aggregates)]
    if twice := repeated(names):
        raise InvalidPlan(
            f"the groups would have two columns called {listed(twice)}; name one of them with `as`",
            field=f"{field}.{'groupby' if repeated(keys) else 'aggs'}",
            constraint="different names",
        )
    check_having(join.having or [], names, f"{field}.having")
