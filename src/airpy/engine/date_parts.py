"""Native Polars: parts of dates and timestamps in a time zone, and the whole units between two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from airpy.engine.columns import type_word
from airpy.engine.literals import literal
from airpy.engine.units import DAYS, MONTHS, SECONDS
from airpy.errors import TypeMismatch, shortened

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from narwhals.dtypes import DType

    from airpy.contract import DateDiff, DatePart, Operand
    from airpy.engine.columns import Columns
    from airpy.engine.families import Family

__all__ = ["MOMENTS", "PARTS", "check_date_diff", "date_diff", "date_part"]

UTC = ZoneInfo("UTC")
MOMENTS: Family = (nw.Date, nw.Datetime)

PARTS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "year": lambda local: local.dt.year(),
    "quarter": lambda local: local.dt.quarter(),
    "month": lambda local: local.dt.month(),
    "week": lambda local: local.dt.week(),
    "day": lambda local: local.dt.day(),
    "hour": lambda local: local.dt.hour(),
    "minute": lambda local: local.dt.minute(),
    "second": lambda local: local.dt.second(),
    "weekday": lambda local: local.dt.weekday(),
}
OF_TIMES = ("hour", "minute", "second")
"""The parts that a date does not have."""

NANOSECONDS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


class Moment(NamedTuple):
    """A date or timestamp: as the instant that it is, and as the clock of the time zone shows it."""

    ticks: pl.Expr
    """Nanoseconds since 1970, in 128 bits."""
    local: pl.Expr


def date_part(columns: Columns, item: DatePart, timezone: ZoneInfo, field: str) -> pl.Expr:
    """The part, an `int64`, or the date, as the zone's clock shows it; timestamps without a zone are in UTC.

    Raises:
        TypeMismatch: An hour is asked of a date.
    """
    name, dtype = columns.name(item.col, f"{field}.col"), columns.dtype(item.col)
    if isinstance(dtype, nw.Date) and item.fn in OF_TIMES:
        raise TypeMismatch(
            f'column "{shortened(item.col)}" holds dates, which have no {item.fn}',
            field=f"{field}.fn",
            constraint="a part of a date, or a column of timestamps",
            suggestion=["date", *(part for part in PARTS if part not in OF_TIMES)],
        )
    local = _moment(pl.col(name), dtype, timezone).local
    return local.dt.date() if item.fn == "date" else PARTS[item.fn](local).cast(pl.Int64)


def check_date_diff(item: DateDiff, field: str) -> None:
    """Refuse values that are neither dates nor timestamps.

    Raises:
        TypeMismatch: One is not.
    """
    for end in ("start", "end"):
        operand: Operand = getattr(item, end)
        if operand.val is not None:
            _constant(operand, UTC, f"{field}.{end}")


def date_diff(columns: Columns, item: DateDiff, timezone: ZoneInfo, field: str) -> pl.Expr:
    """Whole units from start to end as an `int64`, towards zero.

    Seconds, minutes and hours have passed; days and weeks are counted by the midnights of the time zone; a
    month is whole once the calendar and the clock are where they were, from the 31st not before the 1st where
    a month is shorter. A date is its first moment.
    """
    start = _operand(columns, item.start, timezone, f"{field}.start")
    end = _operand(columns, item.end, timezone, f"{field}.end")
    if item.unit in SECONDS:
        return _whole(end.ticks - start.ticks, SECONDS[item.unit] * NANOSECONDS["s"])
    if item.unit in DAYS:
        first, last = (moment.local.dt.date().cast(pl.Int32).cast(pl.Int64) for moment in (start, end))
        return _whole(last - first, DAYS[item.unit])
    return _whole(_months(start.local, end.local), MONTHS[item.unit])


def _months(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Months that are over, towards zero."""
    months = (end.dt.year().cast(pl.Int64) - start.dt.year()) * 12 + (
        end.dt.month().cast(pl.Int64) - start.dt.month()
    )
    begun, ended = (moment - moment.dt.truncate("1mo") for moment in (start, end))
    return (
        pl.when((months > 0) & (ended < begun))
        .then(months - 1)
        .when((months < 0) & (ended > begun))
        .then(months + 1)
        .otherwise(months)
    )


def _whole(number: pl.Expr, unit: int) -> pl.Expr:
    """How often the unit is in the number, towards zero."""
    if unit == 1:
        return number.cast(pl.Int64)
    return (pl.when(number < 0).then(0 - (0 - number) // unit).otherwise(number // unit)).cast(pl.Int64)


def _operand(columns: Columns, operand: Operand, timezone: ZoneInfo, field: str) -> Moment:
    if operand.col is None:
        moment = pl.lit(_constant(operand, timezone, field), dtype=pl.Datetime("us"))
        return _moment(moment, nw.Datetime("us"), timezone)
    name, dtype = columns.name(operand.col, f"{field}.col"), columns.dtype(operand.col)
    return _moment(pl.col(name), dtype, timezone)


def _constant(operand: Operand, timezone: ZoneInfo, field: str) -> dt.datetime:
    """The value of the plan as a timestamp in UTC, without a zone."""
    try:
        moment: dt.datetime = literal(
            operand.val or "", nw.Datetime("us"), timezone=timezone, column="", field=f"{field}.val"
        )
    except TypeMismatch as error:
        raise TypeMismatch(
            f"{shortened(repr(operand.val))} is no value of type {type_word(nw.Datetime())}",
            field=error.field,
            constraint=error.constraint,
        ) from None
    return moment


def _moment(column: pl.Expr, dtype: DType, timezone: ZoneInfo) -> Moment:
    if not isinstance(dtype, nw.Datetime):
        midnight = column.cast(pl.Datetime("us"))
        return Moment(_first_ticks(midnight, timezone.key), midnight)
    zoned = column if dtype.time_zone else column.dt.replace_time_zone("UTC")
    local = zoned.dt.convert_time_zone(timezone.key).dt.replace_time_zone(None)
    return Moment(_ticks(zoned, dtype.time_unit), local)


def _first_ticks(midnight: pl.Expr, timezone: str) -> pl.Expr:
    """When the days begin: at midnight, the first of two, or when clocks are put forward over it."""

    def at(local: pl.Expr) -> pl.Expr:
        return _ticks(local.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null"), "us")

    ahead = 3 * 3600
    before = at(midnight - pl.duration(seconds=ahead)) + ahead * NANOSECONDS["s"]
    return pl.coalesce(at(midnight), before)


def _ticks(moment: pl.Expr, unit: str) -> pl.Expr:
    return moment.cast(pl.Int64).cast(pl.Int128) * NANOSECONDS[unit]
