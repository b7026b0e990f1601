"""The values of a column, counted: numbers by sorting, text by its hashes where it repeats itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ticks = NDArray[Any]

__all__ = ["TEXTS", "TIMES", "Counted", "counted_values", "run_starts", "ticks_of"]

TIMES = (pl.Date, pl.Datetime)
TEXTS = (pl.String, pl.Categorical, pl.Enum)

FEW_ROWS = 16_384
"""Texts of fewer rows are told apart in any case."""
MANY = 0.5
"""The share of different ones from which more texts are left as they are."""
FEW_VALUES = 64
"""Different texts that are looked for one by one."""
MOST_DIGITS = 18
"""Of decimals whose digits fit into 64 bits."""
INT64 = 64


class Counted(NamedTuple):
    """Values, and how many rows have each; null is none."""

    dtype: pl.DataType
    """That of the column."""
    values: pl.Series
    """In ascending order, NaN last; numbers and times of at most 64 bits as their ticks."""
    counts: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    different: bool = True
    """Whether each is there once; text that is nearly all different is there row by row, as it comes."""

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
        return _hashed(column.cast(pl.String))
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


def run_starts(ordered: NDArray[Any]) -> NDArray[np.int64]:
    """Where a value is another than the one before it, the first place among them."""
    return np.flatnonzero(np.append(len(ordered) > 0, ordered[1:] != ordered[:-1])[: len(ordered)])


def _sorted(ticks: Ticks, dtype: pl.DataType) -> Counted:
    ordered = np.sort(ticks)
    if len(ordered) and np.isnan(ordered[-1]):  # they equal one another, whatever IEEE 754 says
        nans = len(ordered) - int(np.searchsorted(ordered, np.nan))
        ordered = ordered[: len(ordered) - nans + 1]
    else:
        nans = 1
    starts = run_starts(ordered)
    counts = np.diff(starts, append=len(ordered))
    if nans > 1:
        counts[-1] = nans
    values = pl.Series("value", ordered[starts])
    return Counted(dtype, values, counts, values.hash().to_numpy())


def _hashed(texts: pl.Series) -> Counted:
    """Texts by their hashes of 64 bits, which no two of some million different ones are likely to share."""
    hashes = texts.hash().to_numpy()
    ordered = np.sort(hashes)
    starts = run_starts(ordered)
    if len(texts) > FEW_ROWS and len(starts) > MANY * len(texts):
        return Counted(texts.dtype, texts, np.ones(len(texts), np.int64), hashes, different=False)
    hashes_there = ordered[starts]
    if len(starts) <= FEW_VALUES:
        places = np.array([(hashes == each).argmax() for each in hashes_there], dtype=np.int64)
    else:
        places = np.argsort(hashes)[starts]
    values = texts[places]
    ascending = values.arg_sort().to_numpy()
    counts = np.diff(starts, append=len(ordered))
    return Counted(texts.dtype, values[ascending], counts[ascending], hashes_there[ascending])


def _grouped(column: pl.Series) -> Counted:
    found = column.alias("value").to_frame().group_by("value").len("count").sort("value")
    values = found["value"]
    return Counted(column.dtype, values, found["count"].cast(pl.Int64).to_numpy(), values.hash().to_numpy())


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
