"""A zone's clock: when it was put forward or back, and how far it is from UTC in between."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Clock", "clock"]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DAY = 86_400
LOOK = 3 * DAY
"""No zone has changed its clock twice within so many seconds; the shortest time between was 95 hours."""
FIRST = int((dt.datetime(2, 1, 1, tzinfo=dt.UTC) - EPOCH).total_seconds())
LAST = int((dt.datetime(9999, 1, 1, tzinfo=dt.UTC) - EPOCH).total_seconds()) - 1
"""Python's calendar ends a year later at either end, and an offset must not lead out of it."""


class Clock(NamedTuple):
    """A zone's offsets from UTC over a span of time, in seconds."""

    changes: list[int]
    """When the clock was changed, in seconds since 1970-01-01T00:00:00Z, ascending."""
    offsets: list[int]
    """What to add to UTC: before the first change, and after each."""


def clock(zone: ZoneInfo, first: int, last: int) -> Clock:
    """The zone's clock from `first` to `last`, in seconds since 1970-01-01T00:00:00Z.

    Before the year 2 and after 9998 it stays as it is there.
    """
    changes = [at for year in range(_year(first), _year(last) + 1) for at in _changes(zone.key, year)]
    within = [at for at in changes if first < at <= last]
    return Clock(within, [_offset(zone, first), *(_offset(zone, at) for at in within)])


@lru_cache(maxsize=4096)
def _changes(key: str, year: int) -> tuple[int, ...]:
    """When the zone's clock was changed in that year, by UTC."""
    zone = ZoneInfo(key)
    begin, end = (
        int((dt.datetime(one, 1, 1, tzinfo=dt.UTC) - EPOCH).total_seconds()) for one in (year, year + 1)
    )
    return tuple(_found(zone, begin - 1, end - 1))


def _found(zone: ZoneInfo, begin: int, end: int) -> Iterator[int]:
    before = _offset(zone, begin)
    for low in range(begin, end, LOOK):
        high = min(low + LOOK, end)
        after = _offset(zone, high)
        if after != before:
            seconds = range(low + 1, high)
            yield low + 1 + bisect_left(seconds, 1, key=lambda second: _offset(zone, second) != before)
        before = after


def _offset(zone: ZoneInfo, second: int) -> int:
    moment = EPOCH + dt.timedelta(seconds=min(max(second, FIRST), LAST))
    offset = moment.astimezone(zone).utcoffset()
    return offset.days * DAY + offset.seconds if offset else 0


def _year(second: int) -> int:
    return (EPOCH + dt.timedelta(seconds=min(max(second, FIRST), LAST))).year
