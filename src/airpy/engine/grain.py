"""Time grains: reading "1 day", and the bucket that each value falls in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw

from airpy.engine.columns import Columns, type_word
from airpy.engine.native import truncated_dates, truncated_times
from airpy.errors import InvalidPlan, TypeMismatch, listed

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from airpy.engine.columns import Frame

__all__ = ["Grain", "bucketed", "read_grain"]

# Units by name, with Polars' letters for them, finest first; from `day` on a bucket is a date.
UNITS = {
    "second": "s",
    "minute": "m",
    "hour": "h",
    "day": "d",
    "week": "w",
    "month": "mo",
    "quarter": "q",
    "year": "y",
}
DATE_UNITS = ("day", "week", "month", "quarter", "year")
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

    @property
    def every(self) -> str:
        """The width in Polars' letters: `15m`."""
        return f"{self.number}{UNITS[self.unit]}"

    @property
    def gives_dates(self) -> bool:
        """Whether a bucket is a date rather than a timestamp."""
        return self.unit in DATE_UNITS


def read_grain(text: str) -> Grain:
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
        field="plan.grain",
        constraint=f"a number and one of {listed(UNITS)}, or an ISO 8601 duration of one unit",
        suggestion=["1 day", "15 minutes", "PT15M"],
    )


def bucketed(frame: Frame, grain: Grain, time_col: str | None, timezone: ZoneInfo, alias: str) -> Frame:
    """The frame with each row's bucket as the column `alias`.

    Raises:
        InvalidPlan: `time_col` is not given, and the frame has not exactly one temporal column.
        TypeMismatch: The column holds no times, or dates where times are needed.
    """
    columns = Columns(frame)
    column = time_col if time_col is not None else _only_temporal(columns)
    name = columns.name(column, "plan.time_col")
    dtype = columns.dtype(column)
    if not isinstance(dtype, (nw.Date, nw.Datetime)):
        raise TypeMismatch(
            f'column "{column}" of type {type_word(dtype)} cannot be bucketed by time',
            field="plan.time_col",
            constraint="a column of dates or timestamps",
            suggestion=_temporal(columns),
        )
    if grain.gives_dates:
        return truncated_dates(frame, name, grain.every, timezone=timezone.key, alias=alias)
    if isinstance(dtype, nw.Date):
        raise TypeMismatch(
            f'column "{column}" holds dates, which have no {grain.unit}',
            field="plan.grain",
            constraint="1 day or wider",
            suggestion=["1 day"],
        )
    return truncated_times(frame, name, grain.every, timezone=timezone.key, alias=alias)


def _only_temporal(columns: Columns) -> str:
    candidates = _temporal(columns)
    if len(candidates) == 1:
        return candidates[0]
    found = f"has {len(candidates)} of them: {listed(candidates)}" if candidates else "has none"
    raise InvalidPlan(
        f"plan.grain needs a date or timestamp column, and the data set {found}",
        field="plan.time_col",
        constraint="the name of a date or timestamp column",
        suggestion=candidates,
    )


def _temporal(columns: Columns) -> list[str]:
    return [name for name in columns if isinstance(columns.dtype(name), (nw.Date, nw.Datetime))]
