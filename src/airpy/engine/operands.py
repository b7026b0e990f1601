"""The operands of derived columns: a column or a value each, and the type that several of them share."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw

from airpy.engine.columns import type_word
from airpy.engine.families import FLOATS, INTEGERS, MOST_DIGITS, TEXT, Family
from airpy.engine.literals import literal
from airpy.errors import InvalidPlan, TypeMismatch, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from narwhals.dtypes import DType

    from airpy.contract import Operand, Scalar
    from airpy.engine.columns import Columns

__all__ = [
    "LONG",
    "MOST_DIGITS",
    "Value",
    "as_type",
    "check_operand",
    "decimal_type",
    "read",
    "shared_type",
    "united",
]

LONG: Family = (nw.Int128, nw.UInt128)
"""Integers that no Arrow type holds; they are reckoned with as decimals."""

EXACT_IN_FLOATS: Family = (nw.Int8, nw.Int16, nw.Int32, nw.UInt8, nw.UInt16, nw.UInt32)
TIME_UNITS = ("ms", "us", "ns")


class Value(NamedTuple):
    """An operand as an expression, with its type and its place in the plan."""

    expr: nw.Expr
    dtype: DType
    field: str
    constant: Scalar | None = None
    """What the plan itself gives, when it is no column."""


def check_operand(operand: Operand, field: str) -> None:
    """Refuse an operand that is both a column and a value, or neither.

    Raises:
        InvalidPlan: It is.
    """
    if (operand.col is None) == (operand.val is None):
        raise InvalidPlan(
            "an operand is either a column (`col`) or a value (`val`)",
            field=field,
            constraint="exactly one of: col, val",
        )


def read(columns: Columns, operand: Operand, field: str) -> Value:
    """The operand, a value of the plan under the type that it has by itself.

    Raises:
        UnknownColumn: It names a column that is not there.
    """
    if operand.col is not None:
        column = columns.column(operand.col, f"{field}.col")
        dtype = columns.dtype(operand.col)
        if isinstance(dtype, TEXT):
            return Value(column.cast(nw.String()), nw.String(), field)
        return Value(column, dtype, field)
    constant = operand.val if operand.val is not None else ""
    dtype = _own_type(constant, f"{field}.val")
    return Value(nw.lit(constant, dtype=dtype), dtype, field, constant)


def as_type(value: Value, dtype: DType, timezone: ZoneInfo) -> nw.Expr:
    """The operand in another type that takes it without loss.

    Raises:
        TypeMismatch: A value of the plan does not fit the type.
    """
    if value.constant is None:
        return value.expr if value.dtype == dtype else value.expr.cast(dtype)
    try:
        return nw.lit(
            literal(value.constant, dtype, timezone=timezone, column="", field=f"{value.field}.val"),
            dtype=dtype,
        )
    except TypeMismatch as error:
        raise TypeMismatch(
            f"{shortened(repr(value.constant))} is no value of type {type_word(dtype)}",
            field=error.field,
            constraint=error.constraint,
        ) from None


def united(values: Sequence[Value], timezone: ZoneInfo) -> list[nw.Expr]:
    """The operands in the one type that takes them all without loss.

    Columns decide: a value of the plan becomes what they are, as a date among dates. Integers of several
    types become `int64`; small ones among floats, floats; decimals have as many places as the finest of them.

    Raises:
        TypeMismatch: There is no such type; the error names the operand that does not go with those before.
    """
    columns = [value for value in values if value.constant is None]
    constants = [value for value in values if value.constant is not None]
    shared = (columns or constants)[0].dtype
    for value in columns:
        wider = shared_type(shared, value.dtype)
        if wider is None:
            raise _apart(shared, value)
        shared = wider
    for value in constants:
        shared = _with_constant(shared, value, among_columns=bool(columns))
    return [as_type(value, shared, timezone) for value in values]


def shared_type(one: DType, other: DType) -> DType | None:
    """The type that takes the values of both without loss; nothing where there is none."""
    both = (one, other)
    if all(isinstance(each, TEXT) for each in both):
        return nw.String()
    if one == other or isinstance(other, nw.Unknown):
        return one
    if isinstance(one, nw.Unknown):
        return other
    if all(isinstance(each, (*INTEGERS, *FLOATS, nw.Decimal)) for each in both):
        return _wider_number(one, other)
    if isinstance(one, nw.Datetime) and isinstance(other, nw.Datetime) and one.time_zone == other.time_zone:
        return nw.Datetime(max(one.time_unit, other.time_unit, key=TIME_UNITS.index), one.time_zone)
    return None


def decimal_type(of: DType | Scalar) -> nw.Decimal:
    """The decimal that holds an integer or a decimal type, or exactly the number that a plan writes."""
    if isinstance(of, nw.Decimal):
        return of
    if isinstance(of, INTEGERS):
        return nw.Decimal(len(str(2 ** int("".join(filter(str.isdigit, str(of)))))), 0)
    if isinstance(of, LONG):
        return nw.Decimal(MOST_DIGITS, 0)
    number = Decimal(str(of))
    _, digits, exponent = number.as_tuple() if number != number.to_integral_value() else (0, (), 0)
    places = max(-int(exponent), 0)
    whole = len(str(abs(int(number))))
    # What has more digits than any decimal is refused when it is cast.
    return nw.Decimal(min(max(whole + places, len(digits)), MOST_DIGITS), min(places, MOST_DIGITS))


def _own_type(value: Scalar, field: str) -> DType:
    match value:
        case bool():
            return nw.Boolean()
        case int() if -(2**63) <= value < 2**63:
            return nw.Int64()
        case int() if 0 <= value < 2**64:
            return nw.UInt64()
        case int():
            raise TypeMismatch(
                f"{shortened(str(value))} has more than 64 bits",
                field=field,
                constraint="an integer of 64 bits",
            )
        case float():
            return nw.Float64()
        case str():
            return nw.String()


def _with_constant(shared: DType, value: Value, *, among_columns: bool) -> DType:
    """The type, wide enough for a number of the plan."""
    number = value.constant
    if isinstance(number, bool) or not isinstance(number, int | float):
        return shared
    if not among_columns and isinstance(shared, (nw.Int64, nw.Float64)):
        # What the plan writes is as exact as it is written.
        return nw.Float64() if isinstance(number, float) else shared
    if isinstance(shared, nw.Decimal):
        wider: DType | None = _wider_decimal(shared, decimal_type(number))
    elif isinstance(shared, nw.UInt64) and isinstance(number, int):
        return shared
    elif isinstance(shared, INTEGERS):
        wider = shared_type(shared, value.dtype)
    else:
        return shared
    if wider is None:
        raise _apart(shared, value)
    return wider


def _wider_number(one: DType, other: DType) -> DType | None:
    both = (one, other)
    if all(isinstance(each, INTEGERS) for each in both):
        return _wider_integer(one, other)
    if any(isinstance(each, FLOATS) for each in both):
        exact = all(isinstance(each, (*FLOATS, *EXACT_IN_FLOATS)) for each in both)
        return nw.Float64() if exact else None
    return _wider_decimal(decimal_type(one), decimal_type(other))


def _wider_integer(one: DType, other: DType) -> DType | None:
    """`int64` for all but a `uint64`, which goes with unsigned ones alone."""
    if not isinstance(one, nw.UInt64) and not isinstance(other, nw.UInt64):
        return nw.Int64()
    unsigned = (nw.UInt8, nw.UInt16, nw.UInt32, nw.UInt64)
    return nw.UInt64() if isinstance(one, unsigned) and isinstance(other, unsigned) else None


def _wider_decimal(one: nw.Decimal, other: nw.Decimal) -> nw.Decimal | None:
    places = max(one.scale, other.scale)
    digits = max(one.precision - one.scale, other.precision - other.scale) + places
    return nw.Decimal(digits, places) if digits <= MOST_DIGITS else None


def _apart(shared: DType, value: Value) -> TypeMismatch:
    return TypeMismatch(
        f"{type_word(shared)} and {type_word(value.dtype)} have no type in common that loses nothing; "
        "cast one of them first",
        field=value.field,
        constraint=f"what fits {type_word(shared)}",
        suggestion=["cast"],
    )
