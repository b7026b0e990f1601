"""Relative times are counted from one moment, by the calendar of the plan's zone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from airpy.contract import Plan
from airpy.engine.moments import fixed
from airpy.errors import InvalidPlan

NOW = "2025-03-31T10:20:30.123456+00:00"
"""A Monday, the day after the clocks went forward in Berlin, where it is 12:20."""


def plan(**parts: Any) -> Plan:
    """A plan over some data set."""
    return Plan.model_validate({"dataset": "table", **parts})


def told(relative: dict[str, str], now: str = NOW, **parts: Any) -> Any:
    """What stands in the place of a relative time."""
    filters = [{"col": "t", "op": ">=", "val": relative}]
    filled = fixed(plan(filters=filters, **parts), dt.datetime.fromisoformat(now))
    assert filled.filters is not None
    return filled.filters[0].val


@pytest.mark.parametrize(
    ("relative", "zone", "text"),
    [
        ({"ago": "1 second"}, "UTC", "2025-03-31T10:20:29.123000+00:00"),
        ({"ago": "90 minutes"}, "UTC", "2025-03-31T08:50:30.123000+00:00"),
        ({"ago": "7 days"}, "UTC", "2025-03-24T10:20:30.123000+00:00"),
        ({"ago": "1 month"}, "UTC", "2025-02-28T10:20:30.123000+00:00"),
        ({"ago": "1 quarter"}, "UTC", "2024-12-31T10:20:30.123000+00:00"),
        ({"ago": "13 months"}, "UTC", "2024-02-29T10:20:30.123000+00:00"),
        ({"ago": "2000 years"}, "UTC", "0025-03-31T10:20:30.123000+00:00"),
        ({"start_of": "second"}, "UTC", "2025-03-31T10:20:30+00:00"),
        ({"start_of": "minute"}, "UTC", "2025-03-31T10:20:00+00:00"),
        ({"start_of": "hour"}, "Asia/Kolkata", "2025-03-31T15:00:00+05:30"),
        ({"start_of": "day"}, "UTC", "2025-03-31"),
        ({"start_of": "day"}, "Pacific/Kiritimati", "2025-04-01"),
        ({"start_of": "week"}, "UTC", "2025-03-31"),
        ({"start_of": "month"}, "UTC", "2025-03-01"),
        ({"start_of": "quarter"}, "UTC", "2025-01-01"),
        ({"start_of": "year"}, "UTC", "2025-01-01"),
        ({"ago": "1 day", "start_of": "quarter"}, "Pacific/Kiritimati", "2025-01-01"),
        ({"ago": "1 month", "start_of": "month"}, "UTC", "2025-02-01"),
        # The day before had 23 hours in Berlin; 24 hours ago it was an hour earlier by the clock.
        ({"ago": "2 days"}, "Europe/Berlin", "2025-03-29T12:20:30.123000+01:00"),
        ({"ago": "48 hours"}, "Europe/Berlin", "2025-03-29T11:20:30.123000+01:00"),
    ],
)
def test_a_relative_time_becomes_an_absolute_one(relative: dict[str, str], zone: str, text: str) -> None:
    assert told(relative, timezone=zone) == text


@pytest.mark.parametrize(
    ("start", "day"),
    [("monday", "2025-03-31"), ("sunday", "2025-03-30"), ("tuesday", "2025-03-25")],
)
def test_a_week_begins_on_the_day_of_the_plan(start: str, day: str) -> None:
    assert told({"start_of": "week"}, week_start=start) == day


def test_a_time_that_the_clocks_skipped_is_as_long_after_the_gap_began() -> None:
    now = "2025-03-31T02:30:00+02:00"

    assert told({"ago": "1 day"}, now, timezone="Europe/Berlin") == "2025-03-30T03:30:00+02:00"


def test_a_time_that_comes_twice_is_the_first() -> None:
    now = "2025-10-27T02:30:00+01:00"

    assert told({"ago": "1 day"}, now, timezone="Europe/Berlin") == "2025-10-26T02:30:00+02:00"


def test_the_start_of_an_hour_that_comes_twice_is_of_the_same_one() -> None:
    now = "2025-10-26T01:30:00+00:00"

    assert told({"start_of": "hour"}, now, timezone="Europe/Berlin") == "2025-10-26T02:00:00+01:00"


def test_relative_times_are_found_wherever_a_plan_has_filters() -> None:
    day = {"col": "t", "op": "<", "val": {"start_of": "day"}}
    read = plan(
        filters=[{"any": [{"not": day}, {"all": [day]}]}],
        joins=[{"dataset": "b", "on": ["k"], "filters": [day]}],
        union=[{"dataset": "c", "filters": [day]}],
        derive=[{"as": "new", "fn": "case", "cases": [{"when": day, "then": {"val": 1}}]}],
        groupby=["k"],
        aggs=[{"fn": "count", "filter": day}],
        having=[{"col": "k", "op": ">", "val": {"ago": "1 year", "start_of": "year"}}],
    )

    dumped = fixed(read, dt.datetime.fromisoformat(NOW)).model_dump_json()

    assert dumped.count('"2025-03-31"') == 6
    assert dumped.count('"2024-01-01"') == 1
    assert "start_of" not in dumped


def test_a_plan_without_relative_times_stays_as_it_is() -> None:
    read = plan(filters=[{"any": [{"col": "t", "op": "<", "val": "2025-01-01"}]}])

    assert fixed(read, dt.datetime.fromisoformat(NOW)) is read


def test_fixed_times_stay_fixed() -> None:
    once = fixed(
        plan(filters=[{"col": "t", "op": "<", "val": {"ago": "1 day"}}]), dt.datetime.fromisoformat(NOW)
    )

    assert fixed(once, dt.datetime.fromisoformat("2030-01-01T00:00:00+00:00")) is once


def test_a_time_before_the_year_1_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidPlan) as raised:
        fixed(
            plan(filters=[{"not": {"col": "t", "op": "<", "val": {"ago": "3000 years"}}}]),
            dt.datetime.fromisoformat(NOW),
        )

    assert raised.value.field == "plan.filters[0].not.val.ago"
    assert raised.value.message == "3000 years ago was before the year 1"
