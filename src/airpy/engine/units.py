"""Units of time: those as long on every day and those of the calendar, and so many of one as a plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airpy.contract import Weekday

__all__ = ["DAYS", "DAY_S", "MONTHS", "SECONDS", "WEEKDAYS", "quantity"]

# Each finest first.
SECONDS = {"second": 1, "minute": 60, "hour": 3600}
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAY_S = 86_400
"""Of a day on which no clock is changed."""
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)


def quantity(text: str) -> tuple[int, str]:
    """The number and the unit of `7 days`; the contract's pattern has let nothing else pass."""
    number, unit = text.removesuffix("s").split(" ")
    return int(number), unit
