"""The time of a frame that holds series: what tells them apart, their usual step, gaps, doubles and order."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from airpy.engine.profile.distinct import distinct_of
from airpy.engine.profile.times import second_of
from airpy.engine.units import LENGTHS, as_grain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from airpy.contract import ColumnMetrics

__all__ = ["Clock", "find_clock"]

MOST_ROWS = 5_000_000
"""Rows whose times are held to find the series; of more, none are looked for."""
MOST_KEYS = 8
"""Columns that are tried for what names a series."""
ESTIMATED = 1.5
"""By how much there may be more different values than were estimated."""
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


def _key(
    frame: pl.LazyFrame, columns: Sequence[ColumnMetrics], sample: pl.DataFrame, time: ColumnMetrics
) -> tuple[str, ...] | None:
    """The column that names a series; empty where few times occur twice, and None where none does."""
    places = {column.name: place for place, column in enumerate(columns)}
    tried = [
        column
        for column in sorted(columns, key=lambda column: column.unique or 0)
        if column.name != time.name
        and 1 < (column.unique or 0) <= time.count // 2
        and (column.text is not None or column.type.startswith(("int", "uint", "bool")))
    ][:MOST_KEYS]
    whole = sample.height == time.count + time.missing
    for column in tried:
        pair = places[time.name], places[column.name]
        # A value, or null, occurs at each time once at most; what is not counted may be more than estimated.
        enough = ESTIMATED * (time.unique or 0) * ((column.unique or 0) + 1) >= time.count
        # Most are no keys of the sample either.
        if enough and _is_key(sample.lazy(), pair) and (whole or _is_key(frame, pair)):
            return (column.name,)
    return () if (time.unique or 0) > time.count / 2 else None


def _is_key(frame: pl.LazyFrame, places: tuple[int, int]) -> bool:
    """Whether no time, the first of the two columns, occurs twice with a value of the second."""
    time, key = (pl.nth(place) for place in places)
    pairs = frame.select(time.is_not_null().alias("there"), (time.hash(0) ^ key.hash(1)).alias("pair"))
    hashes = pairs.filter("there").select("pair").collect(engine="streaming").to_series()
    return distinct_of(hashes.to_numpy(), len(hashes)).size == len(hashes)


def _clock(frame: pl.LazyFrame, time: str, by: tuple[str, ...]) -> Clock:
    schema = frame.collect_schema()
    names = schema.names()
    hashes = [pl.nth(names.index(name)).hash(seed) for seed, name in enumerate(by)]
    rows = (
        frame.select(
            pl.nth(names.index(time)).to_physical().cast(pl.Int64).alias("time"),
            reduce(pl.Expr.xor, hashes, pl.lit(0, pl.UInt64)).alias("series"),
        )
        .filter(pl.col("time").is_not_null())
        .collect(engine="streaming")
    )
    times, series = rows["time"].to_numpy(), rows["series"].to_numpy()
    before, after = _neighbours(times, series, np.argsort(series, kind="stable"))
    falling = int(np.count_nonzero(after < before))
    before, after = _neighbours(times, series, np.lexsort((times, series)))
    apart = after != before
    duplicates = int(np.count_nonzero(~apart))
    if not apart.any():
        return Clock(time, by, duplicates, falling, 0, None)
    steps, often = np.unique((after - before)[apart], return_counts=True)
    usual = int(np.argmax(often))
    every, greater = int(often.sum()), int(often[usual + 1 :].sum())
    regular = often[usual] >= REGULAR * every
    gaps = greater if regular and greater <= RARE * every else 0
    step_s = float(steps[usual] / second_of(schema[time])) if regular else None
    return Clock(time, by, duplicates, falling, gaps, step_s)


def _neighbours(
    times: NDArray[np.int64], series: NDArray[np.uint64], order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every time but the last of its series in this order, and the one that comes next there."""
    times, series = times[order], series[order]
    same = series[1:] == series[:-1]
    return times[:-1][same], times[1:][same]
