"""Numbers over time: those of the longest series of a frame, what repeats itself, and what drifts.

Seasonality is the autocorrelation at a lag, once the linear trend is taken away. Stationarity is judged by
the augmented Dickey-Fuller test with a constant (Said and Dickey, 1984), lags by Schwert (1989),
and the critical value at 5 % by MacKinnon (2010).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.fft import irfft, rfft

from airpy.contract import SeriesMetrics
from airpy.engine.encoding import json_values
from airpy.engine.profile.measuring import numbers_of
from airpy.engine.profile.times import second_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from airpy.contract import ColumnMetrics
    from airpy.engine.profile.time_axis import Clock

__all__ = ["adf_statistic", "autocorrelation", "critical_value", "series_metrics"]

MOST_POINTS = 20_000
"""Of a series; the last ones of more."""
MOST_COLUMNS = 8
LEAST_POINTS = 20
LEAST_TESTED = 50
"""Points from which noise is told from what drifts, nine times out of ten."""
PROMINENT = 0.2
"""How much a peak of the autocorrelation rises above the lowest before it."""


def series_metrics(
    frame: pl.LazyFrame, clock: Clock, columns: Sequence[ColumnMetrics]
) -> list[SeriesMetrics]:
    """What was found of each number over time, in the longest of the series; of at most 8 numbers."""
    names = frame.collect_schema().names()
    numbers = [each.name for each in columns if each.mean is not None and (each.unique or 0) > 1]
    wanted = [name for name in numbers if name not in clock.by][:MOST_COLUMNS]
    if clock.step_s is None or not wanted:
        return []
    rows, group = _longest(frame, clock, names, wanted)
    step = clock.step_s * second_of(rows.schema["time"])
    every_tick = rows["time"].to_physical().cast(pl.Int64).to_numpy()
    found = []
    for place, name in enumerate(wanted):
        ticks, there = _points(every_tick, rows[f"y{place}"].to_numpy())
        values = _on_grid(ticks[-MOST_POINTS:], there[-MOST_POINTS:], step)
        if values is None:
            continue
        metrics = SeriesMetrics(time=clock.time, column=name, points=len(ticks), step_s=clock.step_s)
        if group:
            metrics.group = group
        period = seasonal_period(values)
        metrics.period, metrics.seasonality = period or (None, None)
        adf, critical = adf_statistic(values), critical_value(len(values))
        if adf is not None and len(values) >= LEAST_TESTED:
            metrics.adf, metrics.adf_critical, metrics.stationary = adf, critical, adf < critical
        found.append(metrics)
    return found


def autocorrelation(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """The autocorrelation at each lag from 0 to `most`, the sums of squares over all values."""
    apart = values - values.mean()
    size = 1 << (2 * len(apart) - 1).bit_length()
    spectrum = rfft(apart, size)
    found = irfft(spectrum * np.conj(spectrum), size)[: most + 1]
    return np.asarray(found / found[0]) if found[0] > 0 else np.zeros(most + 1)


def seasonal_period(values: NDArray[np.float64]) -> tuple[int, float] | None:
    """The lag of the highest peak of the autocorrelation without trend, and its height; None without a peak.

    A lag counts that lies three times in the series, and whose peak stands out: neighbours are alike in any
    smooth series, and less so before it repeats itself.
    """
    places, apart = np.arange(len(values)) - (len(values) - 1) / 2, values - values.mean()
    rest = apart - places * float(places @ apart) / float(places @ places)
    if float(np.ptp(rest)) <= 1e-9 * max(float(np.abs(values).max()), 1e-300):
        return None
    r = autocorrelation(rest, len(values) // 3)
    lowest = np.minimum.accumulate(r)
    stands_out = (r[1:-1] > 0) & (r[1:-1] - lowest[1:-1] >= PROMINENT)
    peaks = np.flatnonzero((r[1:-1] > r[:-2]) & (r[1:-1] >= r[2:]) & stands_out) + 1
    if not len(peaks):
        return None
    # Multiples of a period are nearly as high as it is: it is the first that is as good, or near that one
    # the highest, since the top of a broad peak is ragged.
    first = peaks[np.argmax(r[peaks] >= 0.95 * r[peaks].max())]
    near = peaks[(peaks >= first) & (peaks < 1.5 * first)]
    period = int(near[np.argmax(r[near])])
    return period, float(r[period])


def adf_statistic(values: NDArray[np.float64]) -> float | None:
    """The augmented Dickey-Fuller statistic with a constant; None where there are too few points."""
    lags = _lags(len(values))
    change = np.diff(values)
    used = len(change) - lags
    if used < lags + 10 or float(np.ptp(values)) == 0:
        return None
    lagged = [change[lags - lag : len(change) - lag] for lag in range(1, lags + 1)]
    x, y = [values[lags:-1], *lagged, np.ones(used)], change[lags:]
    # Of the last column, what the others do not tell stands last.
    r = np.asarray(np.linalg.qr(np.column_stack([*x, y]), mode="r"))
    size = np.abs(np.diag(r))[:-1]
    if size.min() <= 1e-10 * size.max():
        return None
    inverse = np.linalg.inv(r[:-1, :-1])
    solved = inverse @ r[:-1, -1]
    noise = float(r[-1, -1] ** 2)
    if noise <= 1e-20 * float(y @ y):
        return None
    variance = noise / (used - len(x)) * float(inverse[0] @ inverse[0])
    return float(solved[0] / math.sqrt(variance)) if variance > 0 else None


def critical_value(points: int) -> float:
    """The augmented Dickey-Fuller statistic's critical value at 5 %, with a constant (MacKinnon, 2010)."""
    n = points - 1 - _lags(points)
    return float(-2.86154 - 2.8903 / n - 4.234 / n**2 - 40.040 / n**3)


def _lags(points: int) -> int:
    """Schwert's shorter rule: by the longer one, a hundred points of mere noise seem to drift."""
    return int(4 * (points / 100) ** 0.25)


def _points(
    ticks: NDArray[np.int64], numbers: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The first number of each of these ascending times, where there is one."""
    there = ~np.isnan(numbers)
    ticks, numbers = ticks[there], numbers[there]
    first = np.append(True, ticks[1:] != ticks[:-1])[: len(ticks)]
    return ticks[first], numbers[first]


def _on_grid(
    ticks: NDArray[np.int64], numbers: NDArray[np.float64], step: float
) -> NDArray[np.float64] | None:
    """The numbers at equal steps, those between two points on the line from one to the other.

    None of too few points, or where most would be such.
    """
    if len(ticks) < LEAST_POINTS:
        return None
    floats = ticks.astype(np.float64)
    places = np.rint((floats - floats[0]) / step)
    if places[-1] >= 2 * len(places):
        return None
    size = float(np.abs(numbers).max())
    # What is measured of them is the same in any unit, and great numbers have no squares.
    return np.asarray(np.interp(np.arange(places[-1] + 1), places, numbers / (size or 1.0)))


def _longest(
    frame: pl.LazyFrame, clock: Clock, names: Sequence[str], wanted: Sequence[str]
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The longest series in the order of time, with NaN where a number is missing; and what names it."""
    schema = frame.collect_schema()
    keys = [f"by{place}" for place in range(len(clock.by))]
    rows = frame.select(
        pl.nth(names.index(clock.time)).alias("time"),
        *(pl.nth(names.index(name)).alias(key) for name, key in zip(clock.by, keys, strict=True)),
        *(
            numbers_of(pl.nth(names.index(name)), schema[name]).fill_null(math.nan).alias(f"y{n}")
            for n, name in enumerate(wanted)
        ),
    ).filter(pl.col("time").is_not_null())
    held = rows.collect(engine="streaming")
    group: dict[str, Any] = {}
    if keys:
        sizes = held.group_by(keys).len("n")
        longest = sizes.sort("n", *keys, descending=[True, *(False for _ in keys)]).head(1)
        group = {name: json_values(longest[key])[0] for name, key in zip(clock.by, keys, strict=True)}
        held = held.join(longest, on=keys, nulls_equal=True, maintain_order="left")
    return held.sort("time", maintain_order=True), group
