"""Metrics of dates and timestamps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from airpy.contract import TimeMetrics
from airpy.engine.profile.tallies import TIME_UNITS
from airpy.engine.units import DAY_S

if TYPE_CHECKING:
    from airpy.engine.profile.states import ColumnState

__all__ = ["second_of", "time_metrics"]

TICKS = {"ms": 10**3, "us": 10**6, "ns": 10**9}


def second_of(dtype: pl.DataType) -> float:
    """How many ticks of the type a second has."""
    return TICKS[dtype.time_unit] if isinstance(dtype, pl.Datetime) else 1 / DAY_S


def time_metrics(column: ColumnState, dtype: pl.DataType, count: int) -> TimeMetrics:
    """Range, finest unit, midnights; and step, gaps and duplicates where every time is known."""
    second, ticks, counts = second_of(dtype), column.ranks.values, column.tallies.counts
    finest = "day" if dtype == pl.Date else "nanosecond"
    metrics = TimeMetrics(
        range_s=(int(ticks[-1]) - int(ticks[0])) / second,
        finest=next((unit for unit in TIME_UNITS if counts.get(unit) == count), finest),
        midnight_share=1.0 if dtype == pl.Date else counts["day"] / count,
        timezone=dtype.time_zone if isinstance(dtype, pl.Datetime) else None,
    )
    if column.ranks.exact and len(ticks) > 1:
        # The distance of two integers may be greater than any of their type; without a sign it is none.
        steps, often = np.unique(np.diff(ticks.astype(np.int64).view(np.uint64)), return_counts=True)
        step = steps[np.argmax(often)]
        metrics.step_s = float(step) / second
        metrics.gaps = int(often[steps > step].sum())
    if column.ranks.exact:
        metrics.duplicates = column.ranks.total - len(ticks)
    return metrics
