"""Derived columns that only native Polars has words for: casts, pieces of texts, bins of numbers."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from airpy.engine.families import INTEGERS, TEXT
from airpy.engine.native import lossless
from airpy.engine.operands import LONG, MOST_DIGITS, decimal_type
from airpy.engine.schema import CASTS
from airpy.errors import InvalidPlan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from narwhals.dtypes import DType

    from airpy.contract import Bin, CastColumn, SplitPart
    from airpy.engine.columns import Columns, Frame

__all__ = ["binned", "cast", "check_bin", "split_part", "with_column"]


GREATEST_END = 10.0**19
"""Of a decimal bin; of greater ones, bins are floats."""


def with_column(frame: Frame, name: str, column: nw.Expr | pl.Expr) -> Frame:
    """The frame with a column under this name, whichever library computes it."""
    if isinstance(column, nw.Expr):
        return frame.with_columns(column.alias(name))
    return nw.from_native(frame.to_native().with_columns(column.alias(name)))


def cast(columns: Columns, item: CastColumn, _: ZoneInfo, field: str) -> pl.Expr:
    """The column in another type, without loss; a value that cannot be cast fails the query."""
    name, target = columns.name(item.col, f"{field}.col"), CASTS[item.type]
    column = pl.col(name)
    if isinstance(columns.dtype(item.col), TEXT):
        column = column.cast(pl.String)
    return column.map_batches(
        lambda values: lossless(values, target), return_dtype=target, is_elementwise=True
    )


def split_part(columns: Columns, item: SplitPart, _: ZoneInfo, field: str) -> pl.Expr:
    """The piece between separators, null where there are fewer."""
    pieces = pl.col(columns.name(item.col, f"{field}.col")).cast(pl.String).str.split(item.sep)
    return pieces.list.get(item.part - 1 if item.part > 0 else item.part, null_on_oob=True)


def check_bin(item: Bin, field: str) -> None:
    """Refuse bins by both width and edges, or neither, and edges that do not ascend.

    Raises:
        InvalidPlan: They are wrong.
    """
    if (item.width is None) == (item.edges is None):
        raise InvalidPlan(
            "bins have either a `width` or `edges`", field=field, constraint="exactly one of: width, edges"
        )
    edges = item.edges or []
    for index, (low, high) in enumerate(pairwise(edges), start=1):
        if low >= high:
            raise InvalidPlan(
                f"edges ascend, and {high:g} comes after {low:g}",
                field=f"{field}.edges[{index}]",
                constraint=f"more than {low:g}",
            )


def binned(columns: Columns, item: Bin, _: ZoneInfo, field: str) -> pl.Expr:
    """The lower end of the bin: an `int64` of integers by whole ends, a decimal of decimals, or a `float64`.

    Ends are the decimals that they are written as: 0.3 is in the bin from 0.3 on when bins are 0.1 wide. What
    is no number has no bin.
    """
    name, dtype = columns.name(item.col, f"{field}.col"), columns.dtype(item.col)
    ends = item.edges if item.edges is not None else [item.width or 1.0]
    target = _type_of_ends(dtype, ends)
    column = pl.col(name).cast(target)
    if item.edges is not None:
        return _between(column, [_end(end, target) for end in ends], target)
    width = _end(ends[0], target)
    if isinstance(target, pl.Float64):
        return _stepped(column, ends[0])
    return column - column % pl.lit(width, dtype=target)


def _type_of_ends(dtype: DType, ends: Sequence[float]) -> pl.DataType:
    if isinstance(dtype, nw.UInt64) and all(end.is_integer() and 0 <= end < 2**64 for end in ends):
        return pl.UInt64()
    if isinstance(dtype, INTEGERS) and all(end.is_integer() and abs(end) < 2**63 for end in ends):
        return pl.Int64()
    if isinstance(dtype, (nw.Decimal, *LONG)):
        places = max(decimal_type(dtype).scale, *(decimal_type(end).scale for end in ends))
        if places < MOST_DIGITS and max(map(abs, ends)) < GREATEST_END:
            return pl.Decimal(MOST_DIGITS, places)
    return pl.Float64()


def _end(end: float, target: pl.DataType) -> float | Decimal:
    if isinstance(target, pl.Decimal):
        return Decimal(str(end))
    return end if isinstance(target, pl.Float64) else int(end)


def _stepped(column: pl.Expr, width: float) -> pl.Expr:
    """The greatest multiple of the width that is not above the number.

    A multiple is computed as the fraction that the width is written as, so that it is rounded but once; the
    quotient may be off by one.
    """
    numerator, denominator = map(float, Decimal(str(width)).as_integer_ratio())
    # Polars divides by a constant with its inverse, and so rounds twice.
    nothing = column.is_null().cast(pl.Float64) * 0.0
    steps = (column * denominator / (nothing + numerator)).floor()

    def end(number: pl.Expr) -> pl.Expr:
        return number * numerator / (nothing + denominator)

    steps = (
        pl.when(end(steps + 1) <= column)
        .then(steps + 1)
        .when(end(steps) > column)
        .then(steps - 1)
        .otherwise(steps)
    )
    return pl.when(column.is_finite() & (steps == 0)).then(0.0).when(column.is_finite()).then(end(steps))


def _between(column: pl.Expr, edges: Sequence[float | Decimal], target: pl.DataType) -> pl.Expr:
    ends = pl.Series(edges, dtype=target)

    def lower_ends(values: pl.Series) -> pl.Series:
        place = ends.search_sorted(values, side="right").cast(pl.Int64) - 1
        at_last = (values == ends[-1]).fill_null(value=False)
        place = place.zip_with(
            ~at_last, pl.Series([len(ends) - 2], dtype=pl.Int64).new_from_index(0, len(values))
        )
        inside = ((place >= 0) & (place < len(ends) - 1)).fill_null(value=False) & values.is_not_null()
        return ends.gather(
            place.zip_with(inside, pl.Series([None], dtype=pl.Int64).new_from_index(0, len(values)))
        )

    return column.map_batches(lower_ends, return_dtype=target, is_elementwise=True)
