"""The type that holds the values of several without loss, and columns cast to it; in native Polars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.families import MOST_DIGITS
from airpy.engine.native import lossless
from airpy.engine.schema import instance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from polars._typing import TimeUnit

__all__ = ["widened", "wider", "widest"]

BITS: dict[type[pl.DataType], tuple[bool, int]] = {
    pl.Int8: (True, 8),
    pl.Int16: (True, 16),
    pl.Int32: (True, 32),
    pl.Int64: (True, 64),
    pl.Int128: (True, 128),
    pl.UInt8: (False, 8),
    pl.UInt16: (False, 16),
    pl.UInt32: (False, 32),
    pl.UInt64: (False, 64),
    pl.UInt128: (False, 128),
}
"""Integers: whether they have a sign, and their width."""
INTEGERS = {bits: kind for kind, bits in BITS.items()}
DIGITS = {kind: len(str(2 ** (bits - signed))) for kind, (signed, bits) in BITS.items()}
"""Decimal digits of an integer at most."""
EXACT_BITS: dict[type[pl.DataType], int] = {pl.Float16: 11, pl.Float32: 24, pl.Float64: 53}
"""Floats, the narrowest first: integers of fewer bits become them without loss."""
UNITS: tuple[TimeUnit, ...] = ("ns", "us", "ms")
"""Units of time, the finest first."""


def widest(types: Iterable[pl.DataType]) -> pl.DataType | None:
    """The type that holds the values of all of these without loss, or nothing where there is none."""
    common: pl.DataType = pl.Null()
    for dtype in types:
        both = wider(common, dtype)
        if both is None:
            return None
        common = both
    return common


def wider(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """The type that holds the values of both without loss, or nothing where there is none.

    Integers become floats, and times such of a finer unit, though the outermost of them do not fit: `widened`
    fails on those. Times in two zones are the same moments in the first one's.
    """
    if one == other or isinstance(other, pl.Null):
        return one
    if isinstance(one, pl.Null):
        return other
    if one.is_numeric() and other.is_numeric():
        return _number(one, other)
    if one.is_temporal() and other.is_temporal():
        return _time(one, other)
    if one.is_nested() and other.is_nested():
        return _nested(one, other)
    texts = all(isinstance(each, pl.String | pl.Categorical | pl.Enum) for each in (one, other))
    return pl.String() if texts else None


def widened(column: pl.Expr, dtype: pl.DataType, target: pl.DataType) -> pl.Expr:
    """The column of this type cast to a wider one, under any name; a value that it does not hold fails."""
    if dtype == target:
        return column
    match dtype, target:
        case ((pl.List() | pl.Array()), pl.List()):
            listed = column if isinstance(dtype, pl.List) else column.arr.to_list()
            return listed.list.eval(widened(pl.element(), instance(dtype.inner), instance(target.inner)))
        case pl.Struct(), pl.Struct():
            types = {member.name: instance(member.dtype) for member in dtype.fields}
            members = [_member(column, types, each.name, instance(each.dtype)) for each in target.fields]
            return pl.when(column.is_not_null()).then(pl.struct(members))
        case _ if _always_fits(dtype, target):
            return column.cast(target)
        case _:
            return column.map_batches(
                lambda values: lossless(values, target), return_dtype=target, is_elementwise=True
            )


def _member(column: pl.Expr, types: dict[str, pl.DataType], name: str, target: pl.DataType) -> pl.Expr:
    """A struct's member, null where it has none."""
    if name not in types:
        return pl.lit(None, dtype=target).alias(name)
    return widened(column.struct.field(name), types[name], target).alias(name)


def _number(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    integers = [BITS[type(each)] for each in (one, other) if type(each) in BITS]
    if isinstance(one, pl.Decimal) or isinstance(other, pl.Decimal):
        return _decimal(one, other)
    if len(integers) == 2:  # noqa: PLR2004
        return _integer(integers)
    floats = [*EXACT_BITS]
    places = [floats.index(type(each)) for each in (one, other) if each.is_float()]
    # A short integer needs no long float.
    places += [1 if bits <= EXACT_BITS[pl.Float32] else 2 for _, bits in integers]
    return floats[max(places)]()


def _integer(both: Sequence[tuple[bool, int]]) -> pl.DataType | None:
    signed = any(sign for sign, _ in both)
    # Beside a signed one, an unsigned integer has a bit too many for its own width.
    bits = max(width * 2 if signed and not sign else width for sign, width in both)
    kind = INTEGERS.get((signed, bits))
    return kind() if kind else None


def _decimal(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """The decimal of enough digits on both sides of the point; no float has those of a decimal."""
    before, after = 0, 0
    for dtype in (one, other):
        if isinstance(dtype, pl.Decimal):
            before, after = max(before, dtype.precision - dtype.scale), max(after, dtype.scale)
        elif type(dtype) in BITS:
            before = max(before, DIGITS[type(dtype)])
        else:
            return None
    return pl.Decimal(before + after, after) if before + after <= MOST_DIGITS else None


def _time(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    match one, other:
        case pl.Datetime(), pl.Datetime() if (one.time_zone is None) == (other.time_zone is None):
            return pl.Datetime(min(one.time_unit, other.time_unit, key=UNITS.index), one.time_zone)
        case pl.Duration(), pl.Duration():
            return pl.Duration(min(one.time_unit, other.time_unit, key=UNITS.index))
        case pl.Date(), pl.Datetime(time_zone=None):
            return other
        case pl.Datetime(time_zone=None), pl.Date():
            return one
        case _:
            return None


def _nested(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    match one, other:
        case ((pl.List() | pl.Array()), (pl.List() | pl.Array())):
            items = _within(instance(one.inner), instance(other.inner))
            return None if items is None else pl.List(items)
        case pl.Struct(), pl.Struct():
            members = {member.name: instance(member.dtype) for member in one.fields}
            for member in other.fields:
                dtype = _within(members.get(member.name, pl.Null()), instance(member.dtype))
                if dtype is None:
                    return None
                members[member.name] = dtype
            return pl.Struct(members)
        case _:
            return None


def _within(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """The wider type of items and members, whose values nobody looks at one by one."""
    dtype = wider(one, other)
    if dtype is None or not (_always_fits(one, dtype) and _always_fits(other, dtype)):
        return None
    return dtype


def _always_fits(dtype: pl.DataType, target: pl.DataType) -> bool:
    """Whether the wider type holds every value, so that none need be looked at."""
    if target.is_float() and type(dtype) in BITS:
        return BITS[type(dtype)][1] < EXACT_BITS[type(target)]
    if isinstance(target, pl.Datetime) and isinstance(dtype, pl.Datetime):
        return dtype.time_unit == target.time_unit
    return not target.is_temporal() or isinstance(dtype, pl.Null)
