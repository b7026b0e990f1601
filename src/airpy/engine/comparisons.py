"""Comparisons, a table from operator to expression, and columns of different types compared without loss."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw

from airpy.engine.families import FLOATS, INTEGERS, MOST_DIGITS, ORDERED, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from narwhals.dtypes import DType

__all__ = ["COMPARISONS", "Typed", "compared", "midnights"]


class Typed(NamedTuple):
    """A column with its type."""

    column: nw.Expr
    dtype: DType


COMPARISONS: dict[str, Callable[[nw.Expr, nw.Expr, nw.Expr], nw.Expr]] = {
    "=": lambda column, low, high: column == low if low is high else (column <= low) & (column >= high),
    "!=": lambda column, low, high: column != low if low is high else (column > low) | (column < high),
    "<": lambda column, _, high: column < high,
    "<=": lambda column, low, _: column <= low,
    ">": lambda column, low, _: column > low,
    ">=": lambda column, _, high: column >= high,
}
"""Of a column with a value, or with one that lies between `low` and `high`, which its type can tell apart."""
SYNONYMS = {"==": "=", "<>": "!="}
COMPARISONS |= {word: COMPARISONS[same] for word, same in SYNONYMS.items()}

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
BEYOND = 2.0**100
"""Greater than every integer of 64 bits, and so in the place of what no integer can be."""
DIGITS = {8: 3, 16: 5, 32: 10, 64: 20}
"""Of integers, by their bits."""
EXACT_BITS = 32
"""Of an integer that every `float64` can hold."""
NANOSECONDS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def compared(operator: str, left: Typed, right: Typed, timezone: ZoneInfo) -> nw.Expr | None:
    """Whether one column stands so to another, null where either is null.

    A date is its midnight in `timezone`, a timestamp without a zone is in UTC. Nothing where the types cannot
    be compared without loss.
    """
    compare = COMPARISONS[operator]
    if isinstance(left.dtype, FLOATS) and isinstance(right.dtype, INTEGERS):
        return compared(MIRRORED.get(operator, operator), right, left, timezone)
    if _is_wide(left.dtype) and isinstance(right.dtype, FLOATS):
        # The integers on both sides of the float; NaN is greater than every number.
        near = right.column.cast(nw.Float64()).fill_nan(BEYOND).clip(-BEYOND, BEYOND)
        low, high = near.floor().cast(nw.Int128()), near.ceil().cast(nw.Int128())
        return compare(left.column.cast(nw.Int128()), low, high)
    if left.dtype == right.dtype:
        return compare(left.column, right.column, right.column) if isinstance(left.dtype, ORDERED) else None
    one, two = _instant(left, timezone), _instant(right, timezone)
    common = _common(one.dtype, two.dtype)
    if common is None:
        return None
    other = _as(two, common)
    return compare(_as(one, common), other, other)


def midnights(dates: nw.Expr, timezone: ZoneInfo) -> nw.Expr:
    """When each date begins in the zone, as a timestamp in UTC that does not say so.

    The first midnight where there are two; where there is none, what follows the gap.
    """
    wall = dates.cast(nw.Datetime("us"))
    if timezone.key == "UTC":
        return wall

    def local(moment: nw.Expr) -> nw.Expr:
        there = moment.dt.replace_time_zone("UTC").dt.convert_time_zone(timezone.key)
        return there.dt.replace_time_zone(None)

    day = dt.timedelta(days=1)
    before = wall - (local(wall - day) - (wall - day))
    after = wall - (local(wall + day) - (wall + day))
    only_after = (local(after) == wall) & (local(before) != wall)
    return nw.when(only_after).then(after).otherwise(before)


def _instant(side: Typed, timezone: ZoneInfo) -> Typed:
    """The date as the timestamp at which it begins, anything else as it is."""
    if isinstance(side.dtype, nw.Date):
        return Typed(midnights(side.column, timezone), nw.Datetime("us"))
    return side


def _common(one: DType, two: DType) -> DType | None:
    """A type that holds the values of both, exactly."""
    if one.is_integer() and two.is_integer():
        return _integer(one, two)
    both = (one, two)
    if all(isinstance(dtype, TEXT) for dtype in both):
        return nw.String()
    for kind in (nw.Datetime, nw.Duration):
        if all(isinstance(dtype, kind) for dtype in both):
            return nw.Int128()
    if all(isinstance(dtype, FLOATS) or _is_narrow(dtype) for dtype in both):
        return nw.Float64()
    if all(isinstance(dtype, (*INTEGERS, nw.Decimal)) for dtype in both):
        scale = max(_digits(dtype)[1] for dtype in both)
        digits = scale + max(whole - after for whole, after in map(_digits, both))
        return nw.Decimal(digits, scale) if digits <= MOST_DIGITS else None
    return None


def _integer(one: DType, two: DType) -> DType | None:
    bits = max(map(_bits, (one, two)))
    if one.is_signed_integer() == two.is_signed_integer():
        return max(one, two, key=_bits)
    unsigned = two if one.is_signed_integer() else one
    if _bits(unsigned) <= EXACT_BITS and bits <= 64:  # noqa: PLR2004  the widest type that hardware has
        return nw.Int64()
    return nw.Int128() if _bits(unsigned) <= 64 else None  # noqa: PLR2004


def _as(side: Typed, common: DType) -> nw.Expr:
    """The column in the common type; times as nanoseconds."""
    if isinstance(side.dtype, (nw.Datetime, nw.Duration)):
        return side.column.cast(nw.Int64()).cast(common) * NANOSECONDS[side.dtype.time_unit]
    return side.column if side.dtype == common else side.column.cast(common)


def _bits(dtype: DType) -> int:
    return int("".join(filter(str.isdigit, str(dtype))))


def _is_wide(dtype: DType) -> bool:
    return isinstance(dtype, INTEGERS) and _bits(dtype) > EXACT_BITS


def _is_narrow(dtype: DType) -> bool:
    return isinstance(dtype, INTEGERS) and _bits(dtype) <= EXACT_BITS


def _digits(dtype: DType) -> tuple[int, int]:
    """How many digits a value has at most, and how many of them after the point."""
    if isinstance(dtype, nw.Decimal):
        return dtype.precision, dtype.scale
    return DIGITS[_bits(dtype)] - (isinstance(dtype, nw.Int64)), 0
