"""What aggregation functions compute, as expressions of native Polars over the rows of a group.

Integers are summed in 64 bits, as fast as any, and then put right: a sum that wrapped round is off by a
multiple of 2⁶⁴, and the mean, which Polars takes of floats, tells by which. Rounding alone leads that astray
as far only after 2²⁶ rows at the ends of the type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import polars as pl

from airpy.engine.families import FLOATS, INTEGERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from narwhals.dtypes import DType

    from airpy.contract import Aggregation

__all__ = [
    "Measured",
    "approximately_distinct",
    "arg_extreme",
    "bounded",
    "correlation",
    "count",
    "count_missing",
    "defined",
    "deviation_from_median",
    "distinct",
    "joined_text",
    "listed_values",
    "mean",
    "of_floats",
    "ordered",
    "product",
    "quantile",
    "share",
    "spread",
    "total",
    "truth",
    "weighted_mean",
]

WRAP = 2**64
SAFE_PRECISION = 38 - 19
"""Digits of a decimal that no number of rows adds up beyond 38 digits: there are never 10¹⁹ rows."""
SAFE_PRODUCT = 1e38
"""Less than 2¹²⁷ by more than a float rounds."""
MOST_VALUES = 1_000
SEPARATOR = ", "
DAY_IN_MICROSECONDS = 86_400_000_000
DURATIONS = {"ns": pl.Duration("ns"), "us": pl.Duration("us"), "ms": pl.Duration("ms")}


class Measured(NamedTuple):
    """What is measured: columns that are null in the rows which the aggregate's own filter leaves out."""

    item: Aggregation
    dtype: DType
    column: pl.Expr
    raw: pl.Expr
    """The column with all its rows."""
    passes: pl.Expr | None
    """Whether the own filter is true."""
    other: pl.Expr
    """The second column, of those functions that take two; else the column again."""


def count(of: Measured) -> pl.Expr:
    """Rows."""
    return _counted(pl.len() if of.passes is None else of.passes.sum())


def count_missing(of: Measured) -> pl.Expr:
    """Nulls."""
    return _counted(of.raw.null_count() if of.passes is None else (of.passes & of.raw.is_null()).sum())


def distinct(of: Measured) -> pl.Expr:
    """Distinct values."""
    return _counted(of.column.drop_nulls().n_unique())


def approximately_distinct(of: Measured) -> pl.Expr:
    """About as many distinct values, by HyperLogLog in 256 registers: a standard error of 1.04 / √256."""
    return _counted(of.column.drop_nulls().approx_n_unique())


def total(of: Measured) -> pl.Expr:
    """The sum, null where there is nothing to sum."""
    column, dtype = of.column, of.dtype
    if isinstance(dtype, (nw.Int64, nw.UInt64)):
        return _exact_sum(column, pl.UInt64 if isinstance(dtype, nw.UInt64) else pl.Int64)
    if isinstance(dtype, nw.Duration):
        return _exact_sum(column.cast(pl.Int64), pl.Int64).cast(DURATIONS[dtype.time_unit])
    if isinstance(dtype, INTEGERS):
        # No 2³² rows of 32 bits or less add up beyond 64.
        wide = pl.UInt64 if isinstance(dtype, nw.UInt32) else pl.Int64
        return bounded(column, column.cast(wide).sum().cast(pl.Int64))
    summed = column.sum()
    # Wider ones may wrap round; cast to the same type, their estimate fails instead.
    if isinstance(dtype, (nw.Int128, nw.UInt128)):
        widest = pl.UInt128 if isinstance(dtype, nw.UInt128) else pl.Int128
        summed = pl.when(column.cast(pl.Float64).sum().cast(widest).is_not_null()).then(summed)
    if isinstance(dtype, nw.Decimal) and dtype.precision > SAFE_PRECISION:
        estimate = column.cast(pl.Float64).sum().cast(pl.Decimal(38, dtype.scale))
        summed = pl.when(estimate.is_not_null()).then(summed)
    return bounded(column, summed)


def product(of: Measured) -> pl.Expr:
    """The product; of integers exactly, or not at all."""
    column, dtype = of.column, of.dtype
    if isinstance(dtype, FLOATS):
        return bounded(column, column.product())
    narrow = pl.UInt64 if isinstance(dtype, nw.UInt64) else pl.Int64
    size = column.cast(pl.Float64).product()
    fits = (column == 0).any() | (size.abs() < SAFE_PRODUCT)
    exact = pl.when(fits).then(column.cast(pl.Int128).product()).cast(narrow)
    return bounded(column, pl.coalesce(exact, pl.when(~fits).then(size).cast(narrow)))


def of_floats(measure: Callable[[pl.Expr, Aggregation], pl.Expr]) -> Callable[[Measured], pl.Expr]:
    """The measure, whose value is a float, of any numbers: decimals are taken for floats."""

    def apply(of: Measured) -> pl.Expr:
        is_plain = isinstance(of.dtype, (*INTEGERS, *FLOATS, nw.Duration))
        return measure(of.column if is_plain else of.column.cast(pl.Float64), of.item)

    return apply


def mean(of: Measured) -> pl.Expr:
    """The arithmetic mean, a float; of decimals by their exact sum, where no number of rows wraps that."""
    if isinstance(of.dtype, nw.Decimal) and of.dtype.precision <= SAFE_PRECISION:
        return of.column.mean()
    return of_floats(lambda column, _: column.mean())(of)


def quantile(q: float) -> Callable[[pl.Expr, Aggregation], pl.Expr]:
    """The value below which this share of the others lies, between two by linear interpolation."""
    return lambda column, _: column.quantile(q, interpolation="linear")


def deviation_from_median(column: pl.Expr, _: Aggregation) -> pl.Expr:
    """The median of the distances from the median."""
    return (column.cast(pl.Float64) - column.median()).abs().median()


def defined(value: pl.Expr) -> pl.Expr:
    """The value, null where it is none, as in the skewness of a constant."""
    return value.fill_nan(None)


def bounded(column: pl.Expr, value: pl.Expr) -> pl.Expr:
    """The value, null where the column has no values."""
    return pl.when(column.count() > 0).then(value)


def spread(of: Measured) -> pl.Expr:
    """The greatest less the least value; a duration where they are times."""
    low, high, dtype = of.column.min(), of.column.max(), of.dtype
    if isinstance(dtype, (*FLOATS, nw.Decimal)):
        return high - low

    def wide(end: pl.Expr) -> pl.Expr:
        return end.to_physical().cast(pl.Int128)

    between = wide(high) - wide(low)
    if isinstance(dtype, nw.Date):
        return (between * DAY_IN_MICROSECONDS).cast(pl.Int64).cast(pl.Duration("us"))
    if isinstance(dtype, (nw.Datetime, nw.Duration)):
        return between.cast(pl.Int64).cast(DURATIONS[dtype.time_unit])
    if isinstance(dtype, nw.Time):
        return between.cast(pl.Int64).cast(pl.Duration("ns"))
    return between.cast(pl.UInt64 if isinstance(dtype, nw.UInt64) else pl.Int64)


def ordered(of: Measured) -> pl.Expr:
    """The first or last value in the order of another column, in that of the rows where they are equal.

    Rows in which the other is null are taken only where there are no others.
    """
    is_first = of.item.fn == "first"
    column, by = (
        (of.raw, of.other) if of.passes is None else (of.raw.filter(of.passes), of.other.filter(of.passes))
    )
    in_order = column.sort_by(by, nulls_last=is_first, maintain_order=True)
    return in_order.first() if is_first else in_order.last()


def arg_extreme(of: Measured) -> pl.Expr:
    """The value where another column is least or greatest, the first of several."""
    by = pl.when(of.column.is_not_null()).then(of.other)
    return of.column.filter(by == (by.min() if of.item.fn == "arg_min" else by.max())).first()


def correlation(of: Measured) -> pl.Expr:
    """Pearson's coefficient of the rows in which both columns have values."""
    both = of.column.is_not_null() & of.other.is_not_null()
    # Nulls, and not a filter, leave the others out: only so is it computed while rows stream by.
    one, two = (pl.when(both).then(side).cast(pl.Float64) for side in (of.column, of.other))
    # Of a constant, rounding would make a coefficient where there is none.
    vary = (one.min() < one.max()) & (two.min() < two.max())
    return pl.when(vary).then(defined(pl.corr(one, two)).clip(-1, 1))


def weighted_mean(of: Measured) -> pl.Expr:
    """The mean by weights, null where they add up to nothing."""
    value, weight = of.column.cast(pl.Float64), of.other.cast(pl.Float64)
    weights = pl.when(value.is_not_null()).then(weight).sum()
    return pl.when(weights != 0).then((value * weight).sum() / weights)


def share(name: str, dtype: DType) -> pl.Expr:
    """A column of sums by their own sum, under the same name."""
    value = pl.col(name)
    if isinstance(dtype, INTEGERS):
        whole = value.cast(pl.Int128).sum().cast(pl.Float64)
    else:
        whole = value.cast(pl.Float64).sort().sum()  # in one order whatever that of the groups
    return pl.when(whole != 0).then(value.cast(pl.Float64) / whole).alias(name)


def truth(of: Measured) -> pl.Expr:
    """Whether all are true, or any."""
    return bounded(of.column, of.column.all() if of.item.fn == "all" else of.column.any())


def listed_values(of: Measured) -> pl.Expr:
    """The values in the order of the rows, as a list."""
    values = of.column.drop_nulls().head(of.item.max or MOST_VALUES).implode()
    return bounded(of.column, values)


def joined_text(of: Measured) -> pl.Expr:
    """The values in the order of the rows, as one text."""
    values = of.column.cast(pl.String).drop_nulls().head(of.item.max or MOST_VALUES)
    separator = SEPARATOR if of.item.sep is None else of.item.sep
    return bounded(of.column, values.str.join(separator))


def _counted(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.Int64)


def _exact_sum(column: pl.Expr, dtype: type[pl.DataType]) -> pl.Expr:
    summed = column.sum()
    rounds = ((column.mean() * column.count() - summed.cast(pl.Float64)) / float(WRAP)).round()
    turns = rounds.cast(pl.Int128) * pl.lit(WRAP, dtype=pl.Int128)
    return (summed.cast(pl.Int128) + turns).cast(dtype)
