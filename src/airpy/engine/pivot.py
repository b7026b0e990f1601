"""Turns rows into columns: one for each value of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from airpy.contract import Aggregation
from airpy.engine.aggregations import AGGREGATIONS, aggregated
from airpy.engine.columns import Columns, inner, outer, repeated, type_word
from airpy.engine.encoding import json_forms
from airpy.engine.families import ORDERED
from airpy.engine.literals import zone
from airpy.engine.native import in_order
from airpy.engine.native_shapes import CELL, end_cells, spread_cells, values_of
from airpy.errors import CapExceeded, InvalidPlan, TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from airpy.contract import AggregateFunction, Pivot
    from airpy.engine.columns import Frame

__all__ = ["check_pivot", "pivoted"]

MOST_COLUMNS = 10_000
"""What `max_columns` may be."""


def check_pivot(pivot: Pivot, field: str) -> None:
    """Refuse a pivot that names a column twice, whatever the data.

    Raises:
        InvalidPlan: A column is named twice.
    """
    if twice := repeated([pivot.on, *pivot.index]):
        raise InvalidPlan(
            f"{listed(twice)} cannot stand twice in a pivot",
            field=f"{field}.index",
            constraint="each column once, as `on` or in `index`",
        )


def pivoted(frame: Frame, pivot: Pivot, field: str) -> Frame:
    """A row for each combination of the index, in their order, and a column for each value of `on`.

    The values are looked for here and now: what columns an answer has is known before it is computed. That
    runs the plan up to here once.

    Raises:
        UnknownColumn: It names a column that is not there.
        TypeMismatch: `on` holds no single values, or `fn` does not take the type of `values`.
        InvalidPlan: Two columns would have one name.
        CapExceeded: There are more values than columns may be.
    """
    columns = Columns(frame)
    on, *index = columns.names([pivot.on], f"{field}.on") + columns.names(pivot.index, f"{field}.index")
    column = columns.name(pivot.values, f"{field}.values")
    if not isinstance(columns.dtype(pivot.on), ORDERED):
        raise TypeMismatch(
            f'"{shortened(pivot.on)}" of type {type_word(columns.dtype(pivot.on))} gives no names of columns',
            field=f"{field}.on",
            constraint="a column of single values",
        )
    match pivot.fn:
        case "first" | "last":
            cells = end_cells(frame, [*index, on], column, pivot.fn)
        case fn:
            _check_function(fn, columns, pivot.values, f"{field}.fn")
            cell = Aggregation.model_validate({"col": pivot.values, "fn": fn, "as": outer(CELL)})
            cells = aggregated(frame, [*index, on], [cell], zone(None))
    values, count = values_of(frame, on, pivot.max_columns)
    if count > pivot.max_columns:
        raise CapExceeded(
            f'"{shortened(pivot.on)}" has {count:,} values, and the pivot may make {pivot.max_columns:,} '
            "columns of them",
            field=f"{field}.max_columns",
            constraint=f"no fewer than {count:,}; or filters that leave fewer values",
            reason="TOO_LARGE",
            suggestion=[str(count)] if count <= MOST_COLUMNS else [],
        )
    names = _names(values)
    if twice := repeated([*names, *pivot.index]):
        raise InvalidPlan(
            f"the pivot would make two columns called {listed(twice)}",
            field=f"{field}.on",
            constraint="values whose texts differ, and are no names of `index`",
        )
    wide = spread_cells(cells, index, on, values, [inner(name) for name in names])
    if pivot.fn == "count":
        wide = wide.with_columns(nw.col(inner(name)).fill_null(0) for name in names)
    return in_order(wide, index)


def _check_function(fn: AggregateFunction, columns: Columns, column: str, field: str) -> None:
    """Refuse a function that does not take the column's type."""
    dtype, accepts = columns.dtype(column), AGGREGATIONS[fn].accepts
    if accepts and not isinstance(dtype, accepts):
        raise TypeMismatch(
            f'"{fn}" cannot be taken of column "{shortened(column)}" of type {type_word(dtype)}',
            field=field,
            constraint="a function for this type",
            suggestion=["first", "last", "count"],
        )


def _names(values: pl.Series) -> list[str]:
    """The values as text, in the forms that they have in JSON; null is `null`."""
    forms = json_forms(values.to_frame()).to_series()
    if isinstance(forms.dtype, pl.Duration):
        forms = forms.dt.to_string("iso")
    # Zero is one value, which of its signs has come first.
    return forms.cast(pl.String).replace("-0.0", "0.0").fill_null("null").to_list()
