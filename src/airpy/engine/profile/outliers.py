"""Outlier bounds and counts, by method.

`iqr`: Tukey's fences, below Q1 − 1.5 IQR or above Q3 + 1.5 IQR. `zscore`: more than 3 sample standard
deviations from the mean. `mad`: a modified z-score over 3.5, 0.6745 · |x − median| / MAD (Iglewicz and
Hoaglin, 1993).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.encoding import json_ready
from airpy.engine.profile.metrics import numbers, numeric_columns, temporal_columns

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from airpy.contract import ColumnMetrics, OutlierMethod

__all__ = ["OUTLIER_METHODS", "Outliers", "find_outliers"]

FENCE = 1.5
SIGMAS = 3.0
MODIFIED_Z = 3.5
MAD_TO_SIGMA = 0.6745


class Outliers(NamedTuple):
    """The values of one column that lie beyond its bounds."""

    rows: int
    low: float
    high: float
    first_at: dt.date | None
    """When the first of them was, if the frame has one temporal column."""


Bounds = tuple[float, float]


def iqr(column: ColumnMetrics, _values: pl.Series) -> Bounds | None:
    """Tukey's fences."""
    if column.q1 is None or column.q3 is None:
        return None
    reach = FENCE * (column.q3 - column.q1)
    return column.q1 - reach, column.q3 + reach


def zscore(column: ColumnMetrics, _values: pl.Series) -> Bounds | None:
    """Three standard deviations from the mean."""
    if column.mean is None or column.std is None:
        return None
    return column.mean - SIGMAS * column.std, column.mean + SIGMAS * column.std


def mad(column: ColumnMetrics, values: pl.Series) -> Bounds | None:
    """Where the modified z-score is 3.5; none when over half of the values are equal."""
    if column.median is None:
        return None
    deviation = (values - column.median).abs().median()
    if not isinstance(deviation, float) or deviation == 0:
        return None
    reach = MODIFIED_Z * deviation / MAD_TO_SIGMA
    return column.median - reach, column.median + reach


OUTLIER_METHODS: dict[OutlierMethod, Callable[[ColumnMetrics, pl.Series], Bounds | None]] = {
    "iqr": iqr,
    "zscore": zscore,
    "mad": mad,
}


def find_outliers(
    frame: pl.DataFrame, metrics: Sequence[ColumnMetrics], method: OutlierMethod
) -> dict[str, Outliers]:
    """The outliers of every column of numbers that has bounds, by column name."""
    times = temporal_columns(frame)
    clock = pl.nth(times[0]).cast(pl.Date) if len(times) == 1 else pl.lit(None, dtype=pl.Date)
    found: dict[str, Outliers] = {}
    for place in numeric_columns(frame):
        values = frame.select(numbers(place)).to_series()
        bounds = OUTLIER_METHODS[method](metrics[place], values)
        if bounds is None:
            continue
        low, high = bounds
        beyond = (pl.lit(values) < low) | (pl.lit(values) > high)
        first = json_ready(clock.filter(beyond).min(), pl.Date())
        count, first_at = frame.select(beyond.sum().alias("count"), first.alias("first_at")).row(0)
        found[frame.columns[place]] = Outliers(count, low, high, first_at)
    return found
