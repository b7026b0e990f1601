"""Where time buckets begin, by the clock of a zone: native Polars, whole columns at a time.

Hours, minutes and seconds are counted on the clock. A bucket begins whenever the clock shows a multiple of
the width: twice where it is put back over one, and at the moment it is put forward over one. So a bucket
reaches to the next, no moment is in two, and hours that come twice are two.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.clocks import clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar
    from zoneinfo import ZoneInfo

    Whole = TypeVar("Whole", int, pl.Series)

__all__ = [
    "TICKS",
    "Grid",
    "Spans",
    "bucket",
    "following",
    "number_of_buckets",
    "starts_between",
    "wall_clock",
]

DAY = 86_400
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  what a clock shows
TICKS = {"ms": 1000, "us": 10**6, "ns": 10**9}
"""How many of a timestamp's units a second has."""
WIDEST = 2**63 - 1
LONGEST_MONTH = 31


class Grid(NamedTuple):
    """Buckets of one width."""

    seconds: int
    """The width of buckets shorter than a day."""
    days: int
    """The width of buckets of days or weeks."""
    months: int
    """The width of buckets of months, quarters or years; one of the three is not 0."""
    origin: dt.datetime
    """When a bucket begins, as the zone's clock shows it."""
    zone: ZoneInfo
    right: bool
    """Whether a bucket's end belongs to it, and not its beginning."""


def bucket(column: str, dtype: pl.DataType, grid: Grid) -> pl.Expr:
    """The beginning of the bucket that each value is in: a date from a day on, else a timestamp."""
    value = pl.col(column)
    if isinstance(dtype, pl.Datetime):
        ticks = TICKS[dtype.time_unit]
        instant = value.cast(pl.Int64) - int(grid.right)
        if grid.seconds:
            return _span(instant, grid, ticks, following=False).cast(dtype)
        shown = _mapped(instant, lambda values: Spans.over(values, grid, ticks).shown(values), grid)
        value = ((shown - _ticks(_time_of_day(grid), ticks)) // (DAY * ticks)).cast(pl.Int32).cast(pl.Date)
    elif grid.right:
        value = value.dt.offset_by("-1d")
    return _days(value, grid) if grid.days else _months(value, grid)


def wall_clock(time: pl.Expr, zone: ZoneInfo, ticks: int) -> pl.Expr:
    """What the zone's clock shows at each of these timestamps, as so many ticks a second since 1970."""
    grid = Grid(0, 1, 0, EPOCH, zone, right=False)
    return _mapped(time.cast(pl.Int64), lambda values: Spans.over(values, grid, ticks).shown(values), grid)


def following(column: str, dtype: pl.DataType, grid: Grid) -> pl.Expr:
    """The beginning of the next bucket, for each bucket's beginning."""
    value = pl.col(column)
    if isinstance(dtype, pl.Datetime):
        return _span(value.cast(pl.Int64), grid, TICKS[dtype.time_unit], following=True).cast(dtype)
    return value.dt.offset_by(f"{grid.days}d" if grid.days else f"{grid.months}mo")


def number_of_buckets(starts: pl.Series, grid: Grid) -> int:
    """At least how many buckets there are from the first of these beginnings to the last, or one more."""
    first, last = (starts.to_physical().cast(pl.Int64).sort().gather([0, -1])).to_list()
    dtype = starts.dtype
    if isinstance(dtype, pl.Datetime):
        return int((last - first) // (grid.seconds * TICKS[dtype.time_unit]))
    return int((last - first) // (grid.days or grid.months * LONGEST_MONTH))


def starts_between(starts: pl.Series, grid: Grid) -> pl.Series:
    """Every bucket's beginning from the first of these to the last, ascending."""
    dtype = starts.dtype
    if isinstance(dtype, pl.Datetime):
        instants = starts.cast(pl.Int64)
        first, last = instants.sort().gather([0, -1]).to_list()
        return Spans.over(instants, grid, TICKS[dtype.time_unit]).between(first, last).cast(dtype)
    step = f"{grid.days}d" if grid.days else f"{grid.months}mo"
    return (
        starts.to_frame("start")
        .select(pl.date_range(pl.col("start").min(), pl.col("start").max(), step))
        .to_series()
    )


class Spans:
    """Buckets of seconds, minutes or hours by one clock; instants are whole numbers of a unit since 1970."""

    def __init__(self, width: int, origin: int, changes: list[int], offsets: list[int]) -> None:
        self._width, self._origin = width, origin
        self._changes, self._offsets = changes, offsets
        # Between two changes buckets begin evenly. What goes on over a change is worked out here.
        self._held: list[int] = []
        for place, at in enumerate(changes):
            before = at - 1 - self._phase(at - 1 + offsets[place])
            if self._is_start(place):
                self._held.append(at)
            elif place and before < changes[place - 1]:
                self._held.append(self._held[-1])
            else:
                self._held.append(before)
        self._next: list[int] = []
        for place, at in reversed([*enumerate(changes)]):
            after = at + (self._origin - at - offsets[place + 1]) % width
            if self._is_start(place):
                self._next.insert(0, at)
            elif self._next and after >= changes[place + 1]:
                self._next.insert(0, self._next[0])
            else:
                self._next.insert(0, after)

    @classmethod
    def over(cls, instants: pl.Series, grid: Grid, ticks: int) -> Spans:
        """The buckets that these instants are in, and what is next to them."""
        width = grid.seconds or DAY
        reach = 2 * width + 3 * DAY
        least, most = instants.min(), instants.max()
        first = least // ticks - reach if isinstance(least, int) else 0
        last = most // ticks + reach if isinstance(most, int) else 0
        changes, offsets = clock(grid.zone, first, last)
        while changes and changes[0] * ticks < -WIDEST:
            changes, offsets = changes[1:], offsets[1:]
        while changes and changes[-1] * ticks > WIDEST:
            changes, offsets = changes[:-1], offsets[:-1]
        return cls(
            width * ticks,
            _ticks(grid.origin - EPOCH, ticks),
            [at * ticks for at in changes],
            [offset * ticks for offset in offsets],
        )

    def shown(self, instants: pl.Series) -> pl.Series:
        """What the clock shows at these instants."""
        return instants + _each(self._offsets, self._places(instants))

    def starts(self, instants: pl.Series) -> pl.Series:
        """When the buckets began that these instants are in."""
        places = self._places(instants)
        start = instants - self._phase(instants + _each(self._offsets, places))
        return _chosen(
            start,
            start < _each([-WIDEST, *self._changes], places),
            _each([-WIDEST, *self._held], places),
        )

    def following(self, starts: pl.Series) -> pl.Series:
        """When the buckets begin that come after these."""
        places = self._places(starts)
        after = starts + (self._width - self._phase(starts + _each(self._offsets, places)))
        return _chosen(
            after, after >= _each([*self._changes, WIDEST], places), _each([*self._next, WIDEST], places)
        )

    def between(self, first: int, last: int) -> pl.Series:
        """Every bucket's beginning from one to another, both among them."""
        parts: list[pl.Series] = []
        bounds = [first, *(at for at in self._changes if first < at <= last), last + 1]
        for low, high in pairwise(bounds):
            offset = self._offsets[bisect_right(self._changes, low)]
            start = low + (self._origin - low - offset) % self._width
            if start != low and (low == first or self._is_start(self._changes.index(low))):
                parts.append(pl.Series([low], dtype=pl.Int64))
            parts.append(pl.int_range(start, max(start, high), self._width, eager=True))
        return pl.concat(parts)

    def _phase(self, shown: Whole) -> Whole:
        """How far what the clock shows is into its bucket."""
        return (shown - self._origin) % self._width

    def _is_start(self, place: int) -> bool:
        """Whether a bucket begins when the clock is changed: it shows a beginning, or jumps over one."""
        at, before, after = self._changes[place], self._offsets[place], self._offsets[place + 1]
        return (self._origin - at - min(before, after)) % self._width <= max(after - before, 0)

    def _places(self, instants: pl.Series) -> pl.Series | int:
        """How many changes lie before each instant; one number when it is the same for all."""
        least, most = instants.min(), instants.max()
        if not isinstance(least, int) or not isinstance(most, int):
            return 0
        low, high = bisect_right(self._changes, least), bisect_right(self._changes, most)
        if low == high:
            return low
        return pl.Series(self._changes, dtype=pl.Int64).search_sorted(instants, side="right")


def _span(instant: pl.Expr, grid: Grid, ticks: int, *, following: bool) -> pl.Expr:
    if grid.zone.key != "UTC":
        way = Spans.following if following else Spans.starts
        return _mapped(instant, lambda values: way(Spans.over(values, grid, ticks), values), grid)
    width = grid.seconds * ticks
    return instant + width if following else instant - (instant - _ticks(grid.origin - EPOCH, ticks)) % width


def _mapped(instant: pl.Expr, function: Callable[[pl.Series], pl.Series], grid: Grid) -> pl.Expr:
    """The function of the instants; in UTC a clock shows them as they are."""
    if grid.zone.key == "UTC":
        return instant
    return instant.map_batches(function, return_dtype=pl.Int64, is_elementwise=True)


def _days(date: pl.Expr, grid: Grid) -> pl.Expr:
    if grid.days == 1:
        return date
    day = date.cast(pl.Int32)
    return (day - (day - (grid.origin - EPOCH).days) % grid.days).cast(pl.Date)


def _months(date: pl.Expr, grid: Grid) -> pl.Expr:
    """The first of its months, then shifted to the day of the origin."""
    shift = grid.origin.day - 1
    date = date.dt.offset_by(f"-{shift}d") if shift else date
    origin = (grid.origin.year - EPOCH.year) * 12 + grid.origin.month - 1
    if origin % grid.months == 0:  # Polars counts months from 1970
        first = date.dt.truncate(f"{grid.months}mo")
    else:
        month = (date.dt.year() - EPOCH.year) * 12 + date.dt.month().cast(pl.Int32) - 1
        month = month - (month - origin) % grid.months
        first = pl.date(month // 12 + EPOCH.year, month % 12 + 1, 1)
    return first.dt.offset_by(f"{shift}d") if shift else first


def _ticks(span: dt.timedelta, ticks: int) -> int:
    return span // dt.timedelta(microseconds=1) * ticks // 10**6


def _time_of_day(grid: Grid) -> dt.timedelta:
    return (grid.origin - EPOCH) % dt.timedelta(days=1)


def _each(numbers: list[int], places: pl.Series | int) -> pl.Series | int:
    """The numbers at these places."""
    return numbers[places] if isinstance(places, int) else pl.Series(numbers, dtype=pl.Int64).gather(places)


def _chosen(values: pl.Series, is_other: pl.Series, others: pl.Series | int) -> pl.Series:
    """The values, and others in place of some."""
    if not is_other.any():
        return values
    return pl.select(pl.when(is_other).then(others).otherwise(values)).to_series().alias(values.name)
