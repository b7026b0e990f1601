"""Relative times of a plan, such as "7 days ago", made absolute: whatever comes after sees fixed ones."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from airpy.contract import RelativeTime
from airpy.engine.literals import zone
from airpy.engine.units import DAYS, MONTHS, SECONDS, WEEKDAYS, quantity
from airpy.errors import InvalidPlan

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from airpy.contract import Plan, TimeUnit, Weekday

__all__ = ["absolute", "fixed", "moment"]

T = TypeVar("T")
U = TypeVar("U")

LEFT_OUT = {
    "second": {"microsecond": 0},
    "minute": {"microsecond": 0, "second": 0},
    "hour": {"microsecond": 0, "second": 0, "minute": 0},
}


def fixed(plan: Plan, now: dt.datetime) -> Plan:
    """The plan with an absolute time in the place of every relative one, counted from `now`.

    Raises:
        InvalidPlan: A time lies before the year 1, or the plan's zone is none.
    """
    return absolute(plan, now, zone(plan.timezone), plan.week_start, "plan")


def absolute(part: T, now: dt.datetime, timezone: ZoneInfo, week_start: Weekday, field: str) -> T:
    """A part of a plan, or what has filters as one has, with absolute times alone.

    Raises:
        InvalidPlan: A time lies before the year 1.
    """
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as fine as every column of timestamps

    def written(part: U, field: str) -> U:
        if isinstance(part, list):
            return [written(item, f"{field}[{place}]") for place, item in enumerate(part)]  # type: ignore[return-value]
        if isinstance(part, RelativeTime):
            return moment(part, now, timezone, week_start, field)  # type: ignore[return-value]
        if isinstance(part, BaseModel):
            # What holds no relative time stays the very object that it is.
            changed = {
                name: after
                for name, value in part
                if isinstance(value, (list, BaseModel))
                and (after := written(value, f"{field}.{_alias(part, name)}")) != value
            }
            return part.model_copy(update=changed) if changed else part
        return part

    return written(part, field)


def moment(
    relative: RelativeTime, now: dt.datetime, timezone: ZoneInfo, week_start: Weekday, field: str
) -> str:
    """The time that is meant: a date, when it is the start of a day or longer, else a timestamp.

    Days and what is longer go by the calendar and leave the time of day as it is, whatever the clock does in
    between; where the target month is shorter, it is its last day.

    Raises:
        InvalidPlan: It lies before the year 1.
    """
    try:
        when = _ago(now.astimezone(timezone), relative.ago) if relative.ago else now.astimezone(timezone)
        unit = relative.start_of
        if unit in LEFT_OUT:
            return when.replace(**LEFT_OUT[unit]).isoformat()  # type: ignore[arg-type]
        return when.isoformat() if unit is None else _first_day(when.date(), unit, week_start).isoformat()
    except (OverflowError, ValueError):
        raise InvalidPlan(
            f"{relative.ago} ago was before the year 1",
            field=f"{field}.ago",
            constraint="a time from the year 1 on",
            suggestion=["7 days", "12 months"],
        ) from None


def _ago(now: dt.datetime, ago: str) -> dt.datetime:
    count, unit = quantity(ago)
    if unit in SECONDS:
        instant = now.astimezone(dt.UTC) - dt.timedelta(seconds=count * SECONDS[unit])
        return instant.astimezone(now.tzinfo)
    if unit in DAYS:
        wall = now - dt.timedelta(days=count * DAYS[unit])
    else:
        year, month = divmod(now.year * 12 + now.month - 1 - count * MONTHS[unit], 12)
        month += 1
        wall = now.replace(year=year, month=month, day=min(now.day, calendar.monthrange(year, month)[1]))
    # A time that the clocks skipped is as long after the last one before the gap.
    return wall.replace(fold=0).astimezone(dt.UTC).astimezone(now.tzinfo)


def _first_day(day: dt.date, unit: TimeUnit, week_start: Weekday) -> dt.date:
    if unit == "week":
        return day - dt.timedelta(days=(day.weekday() - WEEKDAYS.index(week_start)) % 7)
    months = MONTHS.get(unit)
    return day if months is None else day.replace(month=(day.month - 1) // months * months + 1, day=1)


def _alias(part: BaseModel, name: str) -> str:
    return type(part).model_fields[name].alias or name
