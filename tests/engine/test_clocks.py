"""When clocks were put forward and back, held to what zones say at every hour."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from airpy.engine.clocks import clock

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def seconds(moment: dt.datetime) -> int:
    """The moment as the clocks count it."""
    return int((moment - EPOCH).total_seconds())


@pytest.mark.parametrize(
    ("zone", "year"),
    [
        ("Europe/Berlin", 2025),
        ("Europe/Berlin", 1945),
        ("Africa/Freetown", 1939),  # twice within 95 hours
        ("America/Recife", 2000),  # summer time of a week
        ("Pacific/Apia", 2011),
        ("Asia/Kolkata", 1942),
        ("Africa/Cairo", 2014),
        ("Europe/Berlin", 2190),
    ],
)
def test_every_change_of_a_year_is_found_to_the_second(zone: str, year: int) -> None:
    begin, end = dt.datetime(year, 1, 1, tzinfo=dt.UTC), dt.datetime(year + 1, 1, 1, tzinfo=dt.UTC)
    hours = [begin + dt.timedelta(hours=hour) for hour in range(int((end - begin) / dt.timedelta(hours=1)))]
    offsets = [
        seconds(hour.astimezone(ZoneInfo(zone)).replace(tzinfo=dt.UTC)) - seconds(hour) for hour in hours
    ]
    expected = [offsets[0]]
    for offset in offsets:
        if offset != expected[-1]:
            expected.append(offset)

    changes, given = clock(ZoneInfo(zone), seconds(begin), seconds(end) - 1)

    assert given == expected
    for at, before, after in zip(changes, given[:-1], given[1:], strict=True):
        for second, offset in ((at - 1, before), (at, after)):
            moment = (EPOCH + dt.timedelta(seconds=second)).astimezone(ZoneInfo(zone))
            assert moment.utcoffset() == dt.timedelta(seconds=offset)


def test_clock_of_a_year_of_berlin() -> None:
    summer, winter = dt.datetime(2025, 3, 30, 1, tzinfo=dt.UTC), dt.datetime(2025, 10, 26, 1, tzinfo=dt.UTC)

    given = clock(ZoneInfo("Europe/Berlin"), seconds(summer) - 1, seconds(winter))

    assert given == ([seconds(summer), seconds(winter)], [3600, 7200, 3600])


@pytest.mark.parametrize("second", [-(10**14), -62_167_219_200, 253_402_300_799, 10**14])
def test_moments_outside_the_calendar_have_the_offset_at_its_edge(second: int) -> None:
    changes, offsets = clock(ZoneInfo("Asia/Kolkata"), second, second)

    assert changes == []
    assert offsets == [21_208 if second < 0 else 19_800]
