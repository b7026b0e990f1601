"""Units of time: those as long on every day and those of the calendar, and so many of one as a plan says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from airpy.errors import InvalidPlan, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airpy.contract import Weekday

__all__ = [
    "DAYS",
    "DAY_S",
    "LENGTHS",
    "MONTHS",
    "SECONDS",
    "UNITS",
    "WEEKDAYS",
    "Grain",
    "as_grain",
    "quantity",
    "read_grain",
]

# Each finest first.
SECONDS = {"second": 1, "minute": 60, "hour": 3600}
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAY_S = 86_400
"""Of a day on which no clock is changed."""
LENGTHS = {**SECONDS, **{unit: number * DAY_S for unit, number in DAYS.items()}}
"""Seconds of the units that have as many on each such day."""
MOST_UNITS = 99_999
"""That a grain counts."""
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)

# Units by name, finest first, each in the terms of `Grid`; from `day` on a bucket is a date.
UNITS: dict[str, dict[str, int]] = {
    **{unit: {"seconds": number} for unit, number in SECONDS.items()},
    **{unit: {"days": number} for unit, number in DAYS.items()},
    **{unit: {"months": number} for unit, number in MONTHS.items()},
}
ISO_UNITS = {
    "Y": "year",
    "M": "month",
    "W": "week",
    "D": "day",
    "TH": "hour",
    "TM": "minute",
    "TS": "second",
}
WORDS = re.compile(rf"([1-9][0-9]{{0,4}}) ({'|'.join(UNITS)})s?")
ISO_8601 = re.compile(r"P(T?)([1-9][0-9]{0,4})([YMWDHS])")


class Grain(NamedTuple):
    """The width of a time bucket."""

    number: int
    unit: str


def read_grain(text: str, field: str = "plan.grain") -> Grain:
    """The grain that `1 day`, `15 minutes` or `PT15M` names.

    Raises:
        InvalidPlan: The text names none.
    """
    if words := WORDS.fullmatch(text):
        return Grain(int(words[1]), words[2])
    iso = ISO_8601.fullmatch(text)
    if iso and (unit := ISO_UNITS.get(iso[1] + iso[3])):
        return Grain(int(iso[2]), unit)
    raise InvalidPlan(
        f'"{text}" is not a time grain',
        field=field,
        constraint=f"a number and one of {listed(UNITS)}, or an ISO 8601 duration of one unit",
        suggestion=["1 day", "15 minutes", "PT15M"],
    )


def as_grain(seconds: int, units: Iterable[str]) -> str | None:
    """So many seconds as a grain, in the longest of these units that will do; None where none does."""
    for unit in sorted(units, key=lambda unit: -LENGTHS[unit]):
        number, rest = divmod(seconds, LENGTHS[unit])
        if not rest and 0 < number <= MOST_UNITS:
            return f"{number} {unit}" + ("" if number == 1 else "s")
    return None


def quantity(text: str) -> tuple[int, str]:
    """The number and the unit of `7 days`; the contract's pattern has let nothing else pass."""
    number, unit = text.removesuffix("s").split(" ")
    return int(number), unit
