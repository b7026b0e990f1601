"""Numbers over time: the series in a frame, their usual step, what repeats itself, and what drifts.

Seasonality is the autocorrelation at a lag, once the linear trend is taken away. Stationarity is judged by
the augmented Dickey-Fuller test with a constant (Said and Dickey, 1984), lags by Schwert (1989),
and the critical value at 5 % by MacKinnon (2010).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from airpy.contract import SeriesMetrics
from airpy.engine.encoding import json_rows
from airpy.engine.profile.measuring import numbers_of
from airpy.engine.profile.times import second_of
from airpy.engine.units import LENGTHS, as_grain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from airpy.contract import ColumnMetrics

__all__ = ["Clock", "adf_statistic", "autocorrelation", "critical_value", "find_clock", "series_metrics"]

MOST_ROWS = 5_000_000
"""Rows whose times are held to find the series; of more, none are looked for."""
MOST_POINTS = 20_000
"""Of a series; the last ones of more."""
MOST_COLUMNS = 8
LEAST_POINTS = 20
LEAST_TESTED = 50
"""Points from which noise is told from what drifts, nine times out of ten."""
MOST_KEYS = 8
"""Columns that are tried for what names a series."""
PROMINENT = 0.2
"""How much a peak of the autocorrelation rises above the lowest before it."""
REGULAR, RARE = 0.5, 0.1
"""The share of steps from which the most frequent one is the usual, and up to which greater ones are gaps."""


class Clock(NamedTuple):
    """The time of a frame that holds one time series or several."""

    time: str
    by: tuple[str, ...]
    """The columns that name a series; empty when there is one."""
    duplicates: int
    """Rows with a time that their series had before."""
    falling: int
    """Rows whose time is earlier than the one before in their series."""
    gaps: int
    """Steps that are greater than the usual one, where there is a usual one and they are rare."""
    step_s: float | None
    """The usual step, in seconds; None where steps differ."""

    @property
    def every(self) -> str | None:
        """The usual step in the plan language; None where it is no whole number of seconds."""
        if self.step_s is None or self.step_s != int(self.step_s):
            return None
        return as_grain(int(self.step_s), LENGTHS)


def find_clock(
    frame: pl.LazyFrame,
    columns: Sequence[ColumnMetrics],
    sample: pl.DataFrame,
    time: str | None,
    by: Sequence[str],
) -> Clock | None:
    """The time of the frame and the columns that tell its series apart; None where it holds no time series.

    Without `by`, a column of text, integers or booleans is found that makes times unique, where there is one.

    Args:
        frame: The frame.
        columns: Its metrics.
        sample: Some of its rows, or all.
        time: The time that was asked for; the only temporal column when None.
        by: The columns that were asked for.
    """
    temporal = [column.name for column in columns if column.time is not None]
    if time is None:
        if len(temporal) != 1:
            return None
        time = temporal[0]
    known = next((column for column in columns if column.name == time), None)
    if known is None or time not in temporal or not 1 < known.count + known.missing <= MOST_ROWS:
        return None
    if not by:
        is_alone = known.time is not None and known.time.duplicates == 0
        own = () if is_alone else _key(frame, columns, sample, known)
        if own is None:
            return None
        by = own
    return _clock(frame, time, tuple(by))


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
    found = []
    for place, name in enumerate(wanted):
        points = (
            rows.select("time", pl.col(f"y{place}").alias("y"))
            .drop_nulls()
            .unique("time", keep="first")
            .sort("time")
        )
        values = _on_grid(points.tail(MOST_POINTS), clock.step_s * second_of(points.schema["time"]))
        if values is None:
            continue
        metrics = SeriesMetrics(time=clock.time, column=name, points=points.height, step_s=clock.step_s)
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
    spectrum = np.fft.rfft(apart, size)
    found = np.fft.irfft(spectrum * np.conj(spectrum), size)[: most + 1]
    return np.asarray(found / found[0]) if found[0] > 0 else np.zeros(most + 1)


def seasonal_period(values: NDArray[np.float64]) -> tuple[int, float] | None:
    """The lag of the highest peak of the autocorrelation without trend, and its height; None without a peak.

    A lag counts that lies three times in the series, and whose peak stands out: neighbours are alike in any
    smooth series, and less so before it repeats itself.
    """
    places = np.arange(len(values), dtype=float)
    rest = values - np.polyval(np.polyfit(places, values, 1), places)
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
    x = np.column_stack([values[lags:-1], *lagged, np.ones(used)])
    y = change[lags:]
    q, r = np.linalg.qr(x)
    size = np.abs(np.diag(r))
    if size.min() <= 1e-10 * size.max():
        return None
    inverse = np.linalg.inv(r)
    solved = inverse @ (q.T @ y)
    rest = y - x @ solved
    noise = float(rest @ rest)
    if noise <= 1e-20 * float(y @ y):
        return None
    variance = noise / (used - x.shape[1]) * float(inverse[0] @ inverse[0])
    return float(solved[0] / math.sqrt(variance)) if variance > 0 else None


def critical_value(points: int) -> float:
    """The augmented Dickey-Fuller statistic's critical value at 5 %, with a constant (MacKinnon, 2010)."""
    n = points - 1 - _lags(points)
    return float(-2.86154 - 2.8903 / n - 4.234 / n**2 - 40.040 / n**3)


def _lags(points: int) -> int:
    """Schwert's shorter rule: by the longer one, a hundred points of mere noise seem to drift."""
    return int(4 * (points / 100) ** 0.25)


def _key(
    frame: pl.LazyFrame, columns: Sequence[ColumnMetrics], sample: pl.DataFrame, time: ColumnMetrics
) -> tuple[str, ...] | None:
    """The column that names a series; empty where few times occur twice, and None where none does."""
    places = {column.name: place for place, column in enumerate(columns)}
    tried = [
        column.name
        for column in sorted(columns, key=lambda column: column.unique or 0)
        if column.name != time.name
        and 1 < (column.unique or 0) <= time.count // 2
        and (column.text is not None or column.type.startswith(("int", "uint", "bool")))
    ][:MOST_KEYS]
    for name in tried:
        pair = places[time.name], places[name]
        if _is_key(sample.lazy(), pair) and _is_key(frame, pair):  # most are none of the sample either
            return (name,)
    return () if (time.unique or 0) > time.count / 2 else None


def _is_key(frame: pl.LazyFrame, places: tuple[int, int]) -> bool:
    """Whether no time, the first of the two columns, occurs twice with a value of the second."""
    time, key = (pl.nth(place) for place in places)
    pairs = frame.select(time.alias("time"), key.alias("key")).filter(pl.col("time").is_not_null())
    found = pairs.select(pl.struct("time", "key").n_unique() == pl.len()).collect(engine="streaming")
    return bool(found.item())


def _clock(frame: pl.LazyFrame, time: str, by: tuple[str, ...]) -> Clock:
    schema = frame.collect_schema()
    names = schema.names()
    keys = [f"by{place}" for place in range(len(by))]
    rows = (
        frame.select(
            pl.nth(names.index(time)).to_physical().cast(pl.Int64).alias("time"),
            *(pl.nth(names.index(name)).alias(key) for name, key in zip(by, keys, strict=True)),
        )
        .filter(pl.col("time").is_not_null())
        .collect(engine="streaming")
    )
    before = pl.col("time").shift(1).over(keys) if keys else pl.col("time").shift(1)
    falling = rows.select((pl.col("time") < before).sum()).item()
    different = rows.unique()
    apart = (
        different.sort("time")
        .select((pl.col("time").diff().over(keys) if keys else pl.col("time").diff()).alias("step"))
        .drop_nulls()
    )
    duplicates = rows.height - different.height
    if apart.is_empty():
        return Clock(time, by, duplicates, falling, 0, None)
    step, often = apart.group_by("step").len("often").sort("often", "step", descending=[True, False]).row(0)
    greater = apart.filter(pl.col("step") > step).height
    regular = often >= REGULAR * apart.height
    gaps = greater if regular and greater <= RARE * apart.height else 0
    step_s = float(step / second_of(schema[time])) if regular else None
    return Clock(time, by, duplicates, falling, gaps, step_s)


def _on_grid(points: pl.DataFrame, step: float) -> NDArray[np.float64] | None:
    """The numbers at equal steps, those between two points on the line from one to the other.

    None of too few points, or where most would be such.
    """
    ticks = points["time"].to_physical().cast(pl.Float64).to_numpy()
    if len(ticks) < LEAST_POINTS:
        return None
    places = np.rint((ticks - ticks[0]) / step)
    if places[-1] >= 2 * len(places):
        return None
    size = float(np.abs(values := points["y"].to_numpy()).max())
    # What is measured of them is the same in any unit, and great numbers have no squares.
    return np.asarray(np.interp(np.arange(places[-1] + 1), places, values / (size or 1.0)))


def _longest(
    frame: pl.LazyFrame, clock: Clock, names: Sequence[str], wanted: Sequence[str]
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The longest series: its times and these numbers, and the values that name it."""
    schema = frame.collect_schema()
    keys = [f"by{place}" for place in range(len(clock.by))]
    rows = frame.select(
        pl.nth(names.index(clock.time)).alias("time"),
        *(pl.nth(names.index(name)).alias(key) for name, key in zip(clock.by, keys, strict=True)),
        *(
            numbers_of(pl.nth(names.index(name)), schema[name]).alias(f"y{n}")
            for n, name in enumerate(wanted)
        ),
    ).filter(pl.col("time").is_not_null())
    if not keys:
        return rows.collect(engine="streaming"), {}
    held = rows.collect(engine="streaming")
    longest = held.group_by(keys).len("n").sort("n", *keys, descending=[True, *(False for _ in keys)]).head(1)
    (forms,) = json_rows(longest.select(keys))
    return held.join(longest, on=keys, nulls_equal=True), dict(zip(clock.by, forms, strict=True))
