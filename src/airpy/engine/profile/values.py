"""The values of a column, counted: numbers by sorting, text by grouping it where it repeats itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ticks = NDArray[Any]

__all__ = ["TEXTS", "TIMES", "Counted", "counted_values", "ticks_of"]

TIMES = (pl.Date, pl.Datetime)
TEXTS = (pl.String, pl.Categorical, pl.Enum)

FEW = 16_384
"""Texts that are grouped in any case."""
LOOKED_AT = 2_000
MANY = 0.5
"""The share of different values among the first ones from which more texts are left as they are."""
MOST_DIGITS = 18
"""Of decimals whose digits fit into 64 bits."""
INT64 = 64


class Counted(NamedTuple):
    """Values, and how many rows have each; null is none."""

    dtype: pl.DataType
    """That of the column."""
    values: pl.Series
    """Numbers and times in ascending order, NaN last, those of at most 64 bits as their ticks."""
    counts: NDArray[np.int64]
    different: bool = True
    """Whether each is there once; text that is nearly all different is there row by row."""

    def restored(self, values: pl.Series) -> pl.Series:
        """Some of the values in the type of the column."""
        return values if values.dtype == self.dtype else _restored(values.to_numpy(), self.dtype)

    def floats(self) -> NDArray[np.float64]:
        """Numbers as floats; times as those of their ticks."""
        if isinstance(self.dtype, pl.Decimal) and self.values.dtype != self.dtype:
            return np.asarray(self.values.to_numpy() / 10**self.dtype.scale, dtype=np.float64)
        return self.values.cast(pl.Float64).to_numpy()


def counted_values(column: pl.Series, ticks: Ticks | None) -> Counted:
    """The values of a column without nulls.

    Args:
        column: The column.
        ticks: What `ticks_of` makes of it.
    """
    if ticks is not None:
        return _sorted(ticks, column.dtype)
    if isinstance(column.dtype, TEXTS):
        column = column.cast(pl.String)
        first = column.head(LOOKED_AT)
        if len(column) > FEW and first.n_unique() > MANY * len(first):
            return Counted(column.dtype, column, np.ones(len(column), np.int64), different=False)
    return _grouped(column)


def ticks_of(column: pl.Series) -> Ticks | None:
    """The values of a column without nulls as numbers of the same order, if there are any.

    Of times the ticks of their type, of decimals their digits; None of what 64 bits do not hold.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Decimal):
        if dtype.precision > MOST_DIGITS:
            return None
        return column.to_physical().cast(pl.Int64).to_numpy()
    if dtype.is_float():
        return column.cast(pl.Float64).to_numpy() + 0.0  # which makes −0.0 what it equals
    if isinstance(dtype, TIMES):
        return column.to_physical().cast(pl.Int64).to_numpy()
    if dtype.is_integer() and dtype not in {pl.Int128, pl.UInt128}:
        return column.cast(pl.Int64 if dtype.is_signed_integer() else pl.UInt64).to_numpy()
    return None


def _sorted(ticks: Ticks, dtype: pl.DataType) -> Counted:
    ordered = np.sort(ticks)
    if len(ordered) and np.isnan(ordered[-1]):  # they equal one another, whatever IEEE 754 says
        nans = len(ordered) - int(np.searchsorted(ordered, np.nan))
        ordered = ordered[: len(ordered) - nans + 1]
    else:
        nans = 1
    starts = (
        np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        if len(ordered)
        else np.empty(0, np.int64)
    )
    counts = np.diff(np.append(starts, len(ordered)))
    if nans > 1:
        counts[-1] = nans
    return Counted(dtype, pl.Series("value", ordered[starts]), counts)


def _grouped(column: pl.Series) -> Counted:
    found = column.alias("value").to_frame().group_by("value").len("count")
    if column.dtype.is_numeric():
        found = found.sort("value")
    return Counted(column.dtype, found["value"], found["count"].cast(pl.Int64).to_numpy())


def _restored(ticks: Ticks, dtype: pl.DataType) -> pl.Series:
    """The values that such ticks are of."""
    if isinstance(dtype, pl.Decimal):
        halves = np.empty((len(ticks), 2), np.int64)
        halves[:, 0], halves[:, 1] = ticks, ticks >> (INT64 - 1)
        kind = pa.decimal128(dtype.precision, dtype.scale)
        digits = pa.Array.from_buffers(kind, len(ticks), [None, pa.py_buffer(halves)])
        return pl.Series("value", pl.from_arrow(digits))
    if dtype == pl.Date:
        return pl.Series("value", ticks.astype(np.int32)).cast(pl.Date)
    return pl.Series("value", ticks).cast(dtype)
