"""Aggregation functions, a table from name to expression.

Nulls are left out of all but `count` and `count_missing`. Counts are `int64`, whatever the engine counts in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw

from airpy.engine.columns import inner, type_word
from airpy.errors import TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from narwhals.dtypes import DType

    from airpy.contract import AggregateFunction, Aggregation
    from airpy.engine.columns import Columns

__all__ = ["AGGREGATIONS", "NUMBERS", "ORDERED", "aggregate", "aggregate_name"]

INTEGERS: tuple[type[DType], ...] = (
    nw.Int8,
    nw.Int16,
    nw.Int32,
    nw.Int64,
    nw.UInt8,
    nw.UInt16,
    nw.UInt32,
    nw.UInt64,
)
NUMBERS: tuple[type[DType], ...] = (
    *INTEGERS,
    nw.Int128,
    nw.UInt128,
    nw.Float16,
    nw.Float32,
    nw.Float64,
    nw.Decimal,
)
ORDERED: tuple[type[DType], ...] = (
    *NUMBERS,
    nw.Boolean,
    nw.String,
    nw.Categorical,
    nw.Enum,
    nw.Date,
    nw.Datetime,
    nw.Time,
    nw.Duration,
)
ANY: tuple[type[DType], ...] = ()

SAFE_PRECISION = 38 - 19
"""Digits of a decimal that no number of rows adds up beyond 38 digits: there are never 10¹⁹ rows."""


class Aggregate(NamedTuple):
    """How a function becomes an expression of a column and its type, and the types it takes."""

    apply: Callable[[nw.Expr, DType], nw.Expr]
    accepts: tuple[type[DType], ...]
    """Every type when it names none."""


def total(column: nw.Expr, dtype: DType) -> nw.Expr:
    """The sum, null where there is nothing to sum; integers add up in 128 bits, so that none wraps round."""
    if isinstance(dtype, INTEGERS):
        summed = (
            column.cast(nw.Int128()).sum().cast(nw.UInt64() if isinstance(dtype, nw.UInt64) else nw.Int64())
        )
    elif isinstance(dtype, nw.Duration):
        summed = column.cast(nw.Int64()).cast(nw.Int128()).sum().cast(nw.Int64()).cast(dtype)
    elif isinstance(dtype, nw.Decimal) and dtype.precision > SAFE_PRECISION:
        # Polars lets the sum of a group wrap round; cast to the same type, its estimate fails instead.
        estimate = column.cast(nw.Float64()).sum().cast(nw.Decimal(38, dtype.scale))
        summed = nw.when(~estimate.is_null()).then(column.sum())
    else:
        summed = column.sum()
    return nw.when(column.count() > 0).then(summed)


def mean(column: nw.Expr, _: DType) -> nw.Expr:
    """The arithmetic mean."""
    return column.mean()


AGGREGATIONS: dict[AggregateFunction, Aggregate] = {
    "count": Aggregate(lambda _column, _: nw.len().cast(nw.Int64()), ANY),
    "count_valid": Aggregate(lambda column, _: column.count().cast(nw.Int64()), ANY),
    "count_missing": Aggregate(lambda column, _: column.null_count().cast(nw.Int64()), ANY),
    "n_unique": Aggregate(lambda column, _: column.drop_nulls().n_unique().cast(nw.Int64()), ORDERED),
    "sum": Aggregate(total, (*NUMBERS, nw.Duration)),
    "mean": Aggregate(mean, (*NUMBERS, nw.Duration)),
    "avg": Aggregate(mean, (*NUMBERS, nw.Duration)),
    "min": Aggregate(lambda column, _: column.min(), ORDERED),
    "max": Aggregate(lambda column, _: column.max(), ORDERED),
    "median": Aggregate(lambda column, _: column.median(), NUMBERS),
    "std": Aggregate(lambda column, _: column.std(ddof=1), NUMBERS),
    "var": Aggregate(lambda column, _: column.var(ddof=1), NUMBERS),
}


def aggregate_name(item: Aggregation) -> str:
    """The aggregate's name in the answer: `as`, else `{col}_{fn}`; `count` alone for rows."""
    if item.as_ is not None:
        return item.as_
    return item.fn if item.col in {None, "*"} and item.fn == "count" else f"{item.col}_{item.fn}"


def aggregate(columns: Columns, item: Aggregation, field: str) -> nw.Expr:
    """The aggregate as an expression under its name.

    Raises:
        UnknownColumn: It names a column that is not there.
        TypeMismatch: The function does not take the column's type.
    """
    function = AGGREGATIONS[item.fn]
    alias = inner(aggregate_name(item))
    if item.col is None or (item.fn == "count" and item.col == "*" and "*" not in columns):
        return function.apply(nw.len(), nw.Int64()).alias(alias)
    column = columns.column(item.col, f"{field}.col")
    dtype = columns.dtype(item.col)
    if function.accepts and not isinstance(dtype, function.accepts):
        allowed = [
            name
            for name, other in AGGREGATIONS.items()
            if not other.accepts or isinstance(dtype, other.accepts)
        ]
        raise TypeMismatch(
            f'"{item.fn}" cannot be taken of column "{shortened(item.col)}" of type {type_word(dtype)}; '
            f"allowed: {listed(allowed)}",
            field=f"{field}.fn",
            constraint=f"one of: {listed(allowed)}",
            suggestion=allowed,
        )
    return function.apply(column, dtype).alias(alias)
