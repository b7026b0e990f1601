"""Casts the values of a plan to a column's type, without loss, or refuses them."""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import narwhals as nw

from airpy.engine.columns import type_word
from airpy.errors import InvalidPlan, TypeMismatch, did_you_mean, nearest, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from narwhals.dtypes import DType

    from airpy.contract import Scalar

__all__ = ["literal", "zone"]

UTC = dt.UTC
SUBMICROSECOND = re.compile(r"[.,][0-9]{6}0*[1-9]")
"""Python's parser drops digits after the sixth without a word."""
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""Python's parser reads more than that: `1_0`, ` 2 `, `٣`, `nan`."""
NO_IANA_ZONE = re.compile(r"(?:posix|right)/.*|posixrules|localtime|Factory")
"""What else the system keeps among the files of its zones, and Polars does not know."""


def zone(name: str | None) -> ZoneInfo:
    """The time zone by its IANA name; UTC when there is none.

    Raises:
        InvalidPlan: There is no such zone.
    """
    try:
        if name is not None and NO_IANA_ZONE.fullmatch(name):
            raise ZoneInfoNotFoundError  # noqa: TRY301
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
            except (ValueError, ArithmeticError):
                raise TypeMismatch(
                    f'{shortened(repr(value))} cannot be compared with column "{shortened(column)}" '
                    f"of type {type_word(dtype)}",
                    field=field,
                    constraint=wanted,
                ) from None
    raise TypeMismatch(
        f'column "{shortened(column)}" of type {type_word(dtype)} can only be tested for null',
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
    whole = int(_number(value))
    if isinstance(value, float) and whole != value:
        raise ValueError
    low, high = _integer_range(dtype)
    if not low <= whole <= high:
        raise OverflowError
    return whole


def _float(value: Scalar, dtype: DType, _timezone: ZoneInfo) -> float:
    width = "e" if isinstance(dtype, nw.Float16) else "f" if isinstance(dtype, nw.Float32) else "d"
    number: float = struct.unpack(width, struct.pack(width, float(_number(value))))[0]
    if not math.isfinite(number) or (isinstance(value, int) and int(number) != value):
        raise ValueError
    return number


def _decimal(value: Scalar, dtype: DType, _timezone: ZoneInfo) -> Decimal:
    number = Decimal(str(_number(value)))
    if not number.is_finite() or not isinstance(dtype, nw.Decimal):
        raise ValueError
    exactly = Context(prec=dtype.precision, traps=[Inexact, InvalidOperation])
    return number.quantize(Decimal(1).scaleb(-dtype.scale), context=exactly)


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
    if isinstance(dtype, nw.Datetime) and dtype.time_unit == "ms" and moment.microsecond % 1000:
        raise ValueError
    return moment.astimezone(UTC).replace(tzinfo=None) if own is None else moment.astimezone(ZoneInfo(own))


def _time(value: Scalar, _dtype: DType, _timezone: ZoneInfo) -> dt.time:
    if not isinstance(value, str) or SUBMICROSECOND.search(value):
        raise ValueError
    time = dt.time.fromisoformat(value)
    if time.tzinfo is not None:
        raise ValueError
    return time


def _number(value: Scalar) -> str | float:
    if isinstance(value, bool) or (isinstance(value, str) and not NUMBER.fullmatch(value)):
        raise ValueError
    return value


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
    ((nw.Decimal,), _decimal, "a number with no more digits than the column has"),
    ((nw.String, nw.Categorical, nw.Enum), _string, "a string"),
    ((nw.Date,), _date, "a date, as in 2025-09-01"),
    ((nw.Datetime,), _timestamp, "a timestamp or date, as in 2025-09-01T00:00:00Z"),
    ((nw.Time,), _time, "a time, as in 13:45:00"),
)
