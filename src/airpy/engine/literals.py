"""Casts the values of a plan to a column's type, without loss, or refuses them."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import narwhals as nw

from airpy.errors import InvalidPlan, TypeMismatch, did_you_mean, nearest, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from narwhals.dtypes import DType

    from airpy.contract import Scalar

__all__ = ["literal", "zone"]

UTC = dt.UTC
SUBMICROSECOND = re.compile(r"\.[0-9]{6}0*[1-9]")
"""Python's parser drops digits after the sixth without a word."""


def zone(name: str | None) -> ZoneInfo:
    """The time zone by its IANA name; UTC when there is none.

    Raises:
        InvalidPlan: There is no such zone.
    """
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        import zoneinfo  # noqa: PLC0415  the list of zones is read from disk, for this message alone

        close = nearest(str(name), zoneinfo.available_timezones())
        raise InvalidPlan(
            f'"{name}" is not an IANA time zone{did_you_mean(close)}',
            field="plan.timezone",
            constraint="an IANA time zone, as in Europe/Berlin",
            suggestion=close,
        ) from None


def literal(value: Scalar, dtype: DType, *, timezone: ZoneInfo, column: str, field: str) -> Any:  # noqa: ANN401  a Python value of the column's type
    """The value as the Python object that a column of this type holds.

    Dates and times without an offset are placed in `timezone`; a timestamp column without a zone is in UTC.

    Raises:
        TypeMismatch: The value cannot be cast to the type without loss.
    """
    for kinds, cast, wanted in CASTS:
        if isinstance(dtype, kinds):
            try:
                return cast(value, dtype, timezone)
            except (ValueError, OverflowError, InvalidOperation):
                raise TypeMismatch(
                    f'{shortened(repr(value))} cannot be compared with column "{shortened(column)}" '
                    f"of type {dtype}",
                    field=field,
                    constraint=wanted,
                ) from None
    raise TypeMismatch(
        f'column "{shortened(column)}" of type {dtype} can only be tested with is_null and not_null',
        field=field,
        constraint="is_null or not_null",
    )


def _boolean(value: Scalar, _dtype: DType, _timezone: ZoneInfo) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ValueError


def _integer(value: Scalar, dtype: DType, _timezone: ZoneInfo) -> int:
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004  the caller turns both into one refusal
    whole = int(value)
    if isinstance(value, float) and whole != value:
        raise ValueError
    low, high = _integer_range(dtype)
    if not low <= whole <= high:
        raise OverflowError
    return whole


def _float(value: Scalar, _dtype: DType, _timezone: ZoneInfo) -> float:
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004
    number = float(value)
    if not math.isfinite(number) or (isinstance(value, int) and int(number) != value):
        raise ValueError
    return number


def _decimal(value: Scalar, dtype: DType, _timezone: ZoneInfo) -> Decimal:
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004
    number = Decimal(str(value))
    exponent = number.normalize().as_tuple().exponent
    scale = dtype.scale if isinstance(dtype, nw.Decimal) else 0
    if not isinstance(exponent, int) or -exponent > scale:
        raise ValueError
    return number


def _string(value: Scalar, _dtype: DType, _timezone: ZoneInfo) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004
    return value


def _date(value: Scalar, _dtype: DType, timezone: ZoneInfo) -> dt.date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return dt.date.fromisoformat(value)
    moment = _moment(value, timezone).astimezone(timezone)
    if moment.time() != dt.time():
        raise ValueError
    return moment.date()


def _timestamp(value: Scalar, dtype: DType, timezone: ZoneInfo) -> dt.datetime:
    own = dtype.time_zone if isinstance(dtype, nw.Datetime) else None
    moment = _moment(value, timezone)
    return moment.astimezone(UTC).replace(tzinfo=None) if own is None else moment.astimezone(ZoneInfo(own))


def _time(value: Scalar, _dtype: DType, _timezone: ZoneInfo) -> dt.time:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004
    return dt.time.fromisoformat(value)


def _moment(value: Scalar, timezone: ZoneInfo) -> dt.datetime:
    if not isinstance(value, str) or SUBMICROSECOND.search(value):
        raise ValueError
    moment = dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone)


def _integer_range(dtype: DType) -> tuple[int, int]:
    bits = int("".join(filter(str.isdigit, str(dtype))))
    return (0, 2**bits - 1) if isinstance(dtype, UNSIGNED) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


SIGNED = (nw.Int8, nw.Int16, nw.Int32, nw.Int64, nw.Int128)
UNSIGNED = (nw.UInt8, nw.UInt16, nw.UInt32, nw.UInt64, nw.UInt128)

# Types, how a value becomes one of them, and what to tell whoever sent another.
CASTS: tuple[tuple[tuple[type[DType], ...], Callable[[Scalar, DType, ZoneInfo], Any], str], ...] = (
    ((nw.Boolean,), _boolean, "true or false"),
    ((*SIGNED, *UNSIGNED), _integer, "a whole number that the column can hold"),
    ((nw.Float16, nw.Float32, nw.Float64), _float, "a number"),
    ((nw.Decimal,), _decimal, "a number with no more digits after the point than the column has"),
    ((nw.String, nw.Categorical, nw.Enum), _string, "a string"),
    ((nw.Date,), _date, "a date, as in 2025-09-01"),
    ((nw.Datetime,), _timestamp, "a timestamp or date, as in 2025-09-01T00:00:00Z"),
    ((nw.Time,), _time, "a time, as in 13:45:00"),
)
