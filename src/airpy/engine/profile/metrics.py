"""Per-column and whole-frame metrics, computed in one scan.

Quartiles and median are by linear interpolation (Hyndman and Fan's type 7), the standard deviation is that
of a sample (n − 1). NaN is a value, and no null, where values are counted; statistics leave it out.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from airpy.contract import ColumnMetrics
from airpy.engine.encoding import json_ready
from airpy.engine.schema import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from airpy.contract import NullableScalar

__all__ = ["column_metrics", "duplicate_rows", "numbers", "numeric_columns", "temporal_columns"]

ORDERED = (pl.Boolean, pl.String, pl.Categorical, pl.Enum, pl.Date, pl.Datetime, pl.Time)


def _mean(column: pl.Expr) -> pl.Expr:
    # Equal values are their own mean; a rounded sum of them may not be.
    return pl.when(column.min() == column.max()).then(column.min()).otherwise(column.mean())


def _std(column: pl.Expr) -> pl.Expr:
    equal = (column.min() == column.max()) & (column.count() > 1)
    return pl.when(equal).then(0.0).otherwise(column.std())


# Metrics of a column of numbers by name, each an expression of its finite or infinite values.
NUMERIC: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "mean": _mean,
    "std": _std,
    "median": pl.Expr.median,
    "q1": lambda column: column.quantile(0.25, "linear"),
    "q3": lambda column: column.quantile(0.75, "linear"),
    "zeros": lambda column: (column == 0).sum(),
}


def numbers(index: int) -> pl.Expr:
    """The column at this place as floats, NaN and null both left out."""
    return pl.nth(index).cast(pl.Float64).fill_nan(None)


def numeric_columns(frame: pl.DataFrame) -> list[int]:
    """Places of the columns of numbers."""
    return [index for index, dtype in enumerate(frame.dtypes) if dtype.is_numeric()]


def temporal_columns(frame: pl.DataFrame) -> list[int]:
    """Places of the columns of dates and timestamps."""
    return [index for index, dtype in enumerate(frame.dtypes) if isinstance(dtype, (pl.Date, pl.Datetime))]


def column_metrics(frame: pl.DataFrame) -> list[ColumnMetrics]:
    """Metrics of every column, in order; `outliers` is for `outliers.py` to fill in."""
    wanted: dict[str, pl.Expr] = {}
    for index, dtype in enumerate(frame.dtypes):
        column = pl.nth(index)
        wanted[f"{index}:missing"] = column.null_count()
        if dtype.is_nested() or isinstance(dtype, (pl.Binary, pl.Null)):
            continue
        wanted[f"{index}:unique"] = column.drop_nulls().n_unique()
        if dtype.is_numeric():
            values = numbers(index)
            exact = column.fill_nan(None) if dtype.is_float() else column
            wanted[f"{index}:min"], wanted[f"{index}:max"] = exact.min(), exact.max()
            wanted |= {f"{index}:{name}": measure(values) for name, measure in NUMERIC.items()}
        elif isinstance(dtype, ORDERED):
            wanted[f"{index}:min"] = json_ready(column.min(), dtype)
            wanted[f"{index}:max"] = json_ready(column.max(), dtype)
    if not wanted:
        return []
    measured = frame.select(expression.alias(name) for name, expression in wanted.items()).row(0, named=True)
    return [
        _described(name, dtype, frame.height, partial(_metric, measured, index))
        for index, (name, dtype) in enumerate(frame.schema.items())
    ]


def duplicate_rows(frame: pl.DataFrame) -> int | None:
    """Rows that equal an earlier row in every column; null where nested columns make rows incomparable."""
    if frame.width == 0 or any(dtype.is_nested() for dtype in frame.dtypes):
        return None
    return frame.height - frame.n_unique()


def _metric(measured: dict[str, Any], index: int, name: str) -> Any:  # noqa: ANN401  a metric of any type
    return measured.get(f"{index}:{name}")


def _described(name: str, dtype: pl.DataType, rows: int, metric: Callable[[str], Any]) -> ColumnMetrics:
    missing = metric("missing")
    return ColumnMetrics(
        name=name,
        type=type_name(dtype),
        count=rows - missing,
        missing=missing,
        unique=metric("unique"),
        min=_scalar(metric("min")),
        max=_scalar(metric("max")),
        mean=_finite(metric("mean")),
        std=_finite(metric("std")),
        median=_finite(metric("median")),
        q1=_finite(metric("q1")),
        q3=_finite(metric("q3")),
        zeros=metric("zeros"),
        outliers=None,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _scalar(value: Any) -> NullableScalar:  # noqa: ANN401  whatever a column of any type holds
    """The value in the contract's form for JSON."""
    match value:
        case float():
            return _finite(value)
        case Decimal():
            return f"{value:f}"
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return value  # type: ignore[no-any-return]
