"""Where time buckets begin, held to plain Python: clocks walked along step by step, dates counted by hand."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from airpy.engine.buckets import Grid, bucket, following, number_of_buckets, starts_between

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # summer time is half an hour
    "America/Sao_Paulo",  # midnight was left out
    "Africa/Casablanca",  # the clock is changed four times in some years
    "Pacific/Apia",  # a whole day was left out
]
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001
STEP = dt.timedelta(minutes=5)
SPANS = [
    (5, 0),
    (15, 0),
    (30, 15),
    (45, 0),
    (60, 0),
    (60, 30),
    (90, 0),
    (120, 60),
    (180, 0),
    (360, 0),
    (420, 135),
    (3000, 0),
]


def grid(zone: str, origin: dt.datetime = EPOCH, *, right: bool = False, **width: int) -> Grid:
    """Buckets of that width."""
    return Grid(
        **{"seconds": 0, "days": 0, "months": 0, **width}, origin=origin, zone=ZoneInfo(zone), right=right
    )


def walked(
    zone: ZoneInfo, minutes: int, origin: dt.datetime, begin: dt.datetime, end: dt.datetime
) -> list[dt.datetime]:
    """When buckets begin: whenever the clock shows a multiple of the width, or jumps over one."""
    width, starts, before, now = dt.timedelta(minutes=minutes), [], None, begin
    while now <= end:
        shown = now.astimezone(zone).replace(tzinfo=None)
        since = (shown - origin) % width
        if since == dt.timedelta() or (before is not None and since <= shown - before - STEP):
            starts.append(now)
        before, now = shown, now + STEP
    return starts


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_spans_of_any_width_begin_when_the_clock_shows_a_multiple_of_it(
    zone: str, unit: Literal["ms", "us", "ns"]
) -> None:
    random = Random(f"{zone} {unit}")  # noqa: S311
    for minutes, shift in random.sample(SPANS, 5):
        year, month = random.choice([1966, 2011, 2018, 2025]), random.choice([1, 3, 4, 9, 10, 12])
        begin = dt.datetime(year, month, random.randint(1, 20), tzinfo=dt.UTC)
        end = begin + dt.timedelta(days=40)
        origin = EPOCH + dt.timedelta(minutes=shift)
        starts = walked(ZoneInfo(zone), minutes, origin, begin - dt.timedelta(days=5), end)
        tick = dt.timedelta(milliseconds=1)
        moments = [begin + random.random() * (end - begin - tick) for _ in range(500)]
        moments = [moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in moments]
        moments += [moment for start in starts if start > begin for moment in (start - tick, start)]
        frame = pl.DataFrame(
            {"t": pl.Series(moments, dtype=pl.Datetime("us", "UTC")).cast(pl.Datetime(unit, "UTC"))}
        )
        kind, widths = frame.schema["t"], grid(zone, origin, seconds=minutes * 60)

        given = frame.select(bucket("t", kind, widths)).to_series()
        last = pl.Series([max(given), min(given)])

        assert given.to_list() == [starts[bisect_right(starts, moment) - 1] for moment in moments]
        assert given.dtype == kind
        within = starts[starts.index(min(given)) : starts.index(max(given)) + 1]
        assert starts_between(last.cast(kind), widths).to_list() == within
        assert abs(number_of_buckets(last.cast(kind), widths) - len(within)) <= 2 + 4 * 60 // minutes
        after = pl.DataFrame({"t": pl.Series(within[:-1], dtype=kind)}).select(following("t", kind, widths))
        assert after.to_series().to_list() == within[1:]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("days", [1, 7, 14, 100])
@pytest.mark.parametrize("hour", [0, 6])
def test_days_are_told_by_the_clock_and_counted_from_the_origin(zone: str, days: int, hour: int) -> None:
    random = Random(f"{zone} {days} {hour}")  # noqa: S311
    origin = dt.datetime(2001, 2, 3, hour)  # noqa: DTZ001
    moments = [
        dt.datetime(1890, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=random.randrange(200 * 365 * 86_400))
        for _ in range(1000)
    ]
    shown = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments]
    expected = [
        (origin + (moment - origin) // dt.timedelta(days) * dt.timedelta(days)).date() for moment in shown
    ]
    frame = pl.DataFrame({"t": pl.Series(moments, dtype=pl.Datetime("us", zone))})

    given = frame.select(bucket("t", frame.schema["t"], grid(zone, origin, days=days))).to_series()

    assert given.to_list() == expected
    assert given.dtype == pl.Date()


@pytest.mark.parametrize("months", [1, 3, 5, 7, 9, 12, 24, 35])
@pytest.mark.parametrize("origin", [EPOCH, dt.datetime(2025, 10, 1), dt.datetime(2019, 4, 6)])  # noqa: DTZ001
def test_months_are_counted_from_the_origin(months: int, origin: dt.datetime) -> None:
    random = Random(f"{months} {origin}")  # noqa: S311
    dates = [dt.date(1600, 1, 1) + dt.timedelta(days=random.randrange(300_000)) for _ in range(1000)]
    dates += [dt.date(year, 2, day) for year in (1900, 2000, 2024, 2025) for day in (1, 5, 6, 28)]
    expected = []
    for date in dates:
        month = date.year * 12 + date.month - 1 - (date.day < origin.day)
        month -= (month - origin.year * 12 - origin.month + 1) % months
        expected.append(dt.date(month // 12, month % 12 + 1, origin.day))
    frame = pl.DataFrame({"d": dates})
    widths = grid("UTC", origin, months=months)

    begins = frame.select(bucket("d", pl.Date(), widths)).to_series()

    assert begins.to_list() == expected
    ordered = sorted(set(expected))
    every = starts_between(pl.Series(ordered), widths)
    assert set(ordered) <= set(every)
    assert (
        every.to_frame("s").select(following("s", pl.Date(), widths)).to_series().to_list()[:-1]
        == every.to_list()[1:]
    )


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_bucket_that_takes_its_end_leaves_out_its_beginning(zone: str) -> None:
    noon = dt.datetime(2025, 1, 1, 12, tzinfo=dt.UTC)
    frame = pl.DataFrame(
        {"t": pl.Series([noon, noon + dt.timedelta(microseconds=1)], dtype=pl.Datetime("us", "UTC"))}
    )

    given = frame.select(bucket("t", frame.schema["t"], grid(zone, right=True, seconds=3600))).to_series()

    assert given.to_list() == [noon - dt.timedelta(hours=1), noon]


def test_no_moments_and_null_have_no_bucket() -> None:
    kind = pl.Datetime("us", "Europe/Berlin")
    for values in ([], [None], [None, dt.datetime(2025, 1, 1, tzinfo=dt.UTC)]):
        frame = pl.DataFrame({"t": pl.Series(values, dtype=kind)})
        given = frame.select(bucket("t", kind, grid("Europe/Berlin", seconds=3600))).to_series()

        assert given.to_list() == values
        assert given.dtype == kind
