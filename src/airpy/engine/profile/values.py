"""The different values of a column, counted: numbers by sorting, text by grouping it or by its hashes."""

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

LOOKED_AT = 2_000
MANY = 0.5
"""The share of different values among the first ones from which text is counted by its hashes."""
MOST_DIGITS = 18
"""Of decimals whose digits fit into 64 bits."""
INT64 = 64


class Counted(NamedTuple):
    """Different values, and how many rows have each; null is none."""

    values: pl.Series
    """Numbers and times in ascending order, NaN last."""
    counts: NDArray[np.int64]
    hashes: NDArray[np.uint64]


def counted_values(column: pl.Series, ticks: Ticks | None) -> Counted:
    """The different values of a column without nulls.

    Args:
        column: The column.
        ticks: What `ticks_of` makes of it.
    """
    if ticks is not None:
        return _sorted(ticks, column.dtype)
    if isinstance(column.dtype, TEXTS):
        column = column.cast(pl.String)
        first = column.head(LOOKED_AT)
        if first.n_unique() > MANY * len(first):
            return _hashed(column)
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
    values = _restored(ordered[starts], dtype)
    return Counted(values, counts, values.hash().to_numpy())


def _grouped(column: pl.Series) -> Counted:
    found = (
        column.alias("value")
        .to_frame()
        .lazy()
        .group_by("value")
        .agg(pl.len().cast(pl.Int64).alias("count"))
        .sort("value" if column.dtype.is_numeric() else [])
        .with_columns(pl.col("value").hash().alias("hash"))
        .collect()
    )
    return Counted(found["value"], found["count"].to_numpy(), found["hash"].to_numpy())


def _hashed(column: pl.Series) -> Counted:
    """Texts that are nearly all different: sorting their hashes takes a third of the time of grouping."""
    hashes = column.hash().to_numpy()
    order = np.argsort(hashes)
    ordered = hashes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    counts = np.diff(np.append(starts, len(ordered)))
    return Counted(column.gather(order[starts]), counts, ordered[starts])


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
