"""Arithmetic and functions of numbers: of integers and decimals exactly or not at all, else as `float64`."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING

import narwhals as nw

from airpy.engine.columns import type_word
from airpy.engine.families import FLOATS, INTEGERS, NUMBERS
from airpy.engine.integers import integer_arithmetic, integer_power
from airpy.engine.operands import (
    LONG,
    MOST_DIGITS,
    Value,
    as_type,
    decimal_type,
    read,
    shared_type,
    united,
)
from airpy.errors import InvalidPlan, TypeMismatch, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from narwhals.dtypes import DType

    from airpy.contract import Arithmetic, NumberFunction
    from airpy.engine.columns import Columns

__all__ = ["arithmetic", "check_arithmetic", "check_number", "number"]

SEVERAL = frozenset({"add", "mul"})
GREATEST_POWER = 63
"""Of an integer by a whole number, exactly; 2 to a higher one does not fit."""
EXACT = 2.0**52
"""From here on a float has no places."""


def check_arithmetic(item: Arithmetic, field: str) -> None:
    """Refuse a wrong number of operands, and values that are no numbers; dates go with `sub` alone.

    Raises:
        InvalidPlan: There are too many operands.
        TypeMismatch: A value is no number.
    """
    if item.fn not in SEVERAL and len(item.args) != 2:  # noqa: PLR2004
        raise InvalidPlan(
            f'"{item.fn}" takes two operands, not {len(item.args)}',
            field=f"{field}.args",
            constraint="two operands",
        )
    for index, operand in enumerate(item.args):
        if isinstance(operand.val, bool) or (isinstance(operand.val, str) and item.fn != "sub"):
            raise TypeMismatch(
                f'"{item.fn}" takes numbers, not {shortened(repr(operand.val))}',
                field=f"{field}.args[{index}].val",
                constraint="a number",
            )


def arithmetic(columns: Columns, item: Arithmetic, timezone: ZoneInfo, field: str) -> nw.Expr:
    """The operands, reckoned with.

    Integers give an `int64` (`uint64`s a `uint64`, but for `sub`), decimals a decimal of 38 digits with as
    many places as the finest operand, or as all together for `mul`; a result that does not fit fails the
    query. `div`, any float, and `pow` but of an integer by a whole number from 0 to 63 give a `float64`. A
    number of the plan is a decimal among decimals. By zero, null.

    Raises:
        TypeMismatch: Operands do not go together.
    """
    values = [read(columns, operand, f"{field}.args[{index}]") for index, operand in enumerate(item.args)]
    if item.fn == "sub" and any(isinstance(value.dtype, (nw.Date, nw.Datetime)) for value in values):
        return _difference(values, timezone)
    for value in values:
        if not isinstance(value.dtype, NUMBERS):
            raise TypeMismatch(
                f'"{item.fn}" takes numbers, not a value of type {type_word(value.dtype)}',
                field=value.field,
                constraint="a number",
            )
    if item.fn == "pow":
        return _power(values[0], values[1])
    kinds = [value.dtype for value in values]
    if item.fn != "div":
        if all(isinstance(kind, INTEGERS) for kind in kinds):
            return integer_arithmetic(item.fn, values)
        columns_only = [value.dtype for value in values if value.constant is None]
        if any(isinstance(kind, (nw.Decimal, *LONG)) for kind in columns_only) and not any(
            isinstance(kind, FLOATS) for kind in columns_only
        ):
            return _decimals(item.fn, values, timezone, field)
    return reduce(FLOATING[item.fn], map(_float, values))


def check_number(item: NumberFunction, field: str) -> None:
    """Refuse an argument that the function does not take.

    Raises:
        InvalidPlan: `digits` without `round`, `base` without `log`, or the base 1, which has no logarithms.
    """
    for name, given, takes in (("digits", item.digits, "round"), ("base", item.base, "log")):
        if given is not None and item.fn != takes:
            raise InvalidPlan(
                f'"{item.fn}" takes no `{name}`; "{takes}" does',
                field=f"{field}.{name}",
                constraint=f'only with "{takes}"',
                suggestion=[takes],
            )
    if item.base == 1:
        raise InvalidPlan(
            "there is no logarithm to the base 1",
            field=f"{field}.base",
            constraint="greater than 0, and not 1",
        )


def number(columns: Columns, item: NumberFunction, _: ZoneInfo, field: str) -> nw.Expr:
    """The function of one column; `abs`, `round`, `floor` and `ceil` leave the kind of number as it is.

    A half is rounded away from zero, and a float is taken for the decimal that it is written as: 2.675
    becomes 2.68, and 1.005 becomes 1.01.
    """
    column, dtype = columns.column(item.col, f"{field}.col"), columns.dtype(item.col)
    if item.fn in {"log", "exp", "sqrt"}:
        return REAL[item.fn](column.cast(nw.Float64()), item)
    if isinstance(dtype, INTEGERS):
        return _whole(column, dtype, item)
    if isinstance(dtype, LONG):
        column, dtype = column.cast(nw.Decimal(MOST_DIGITS, 0)), nw.Decimal(MOST_DIGITS, 0)
    if isinstance(dtype, nw.Decimal):
        return _rounded_decimal(column, dtype, item)
    if item.fn == "round":
        return _rounded_float(column, dtype, item.digits or 0)
    result = column.cast(nw.Float64())
    return _without_sign({"abs": result.abs, "floor": result.floor, "ceil": result.ceil}[item.fn]())


def _whole(column: nw.Expr, dtype: DType, item: NumberFunction) -> nw.Expr:
    if isinstance(dtype, nw.UInt64):
        return column
    if item.fn != "abs":
        return column.cast(nw.Int64())
    # The least integer of 64 bits has no size among them.
    return column.cast(nw.Int128()).abs().cast(nw.Int64())


def _float(value: Value) -> nw.Expr:
    return value.expr.cast(nw.Float64())


def _divided(a: nw.Expr, b: nw.Expr) -> nw.Expr:
    return nw.when(b != 0).then(a / _spread(b, a))


def _spread(constant: nw.Expr | float, over: nw.Expr) -> nw.Expr:
    """The constant as a column: Polars divides by a constant with its inverse, and so rounds twice."""
    return over.is_null().cast(nw.Float64()) * 0.0 + constant


def _without_sign(result: nw.Expr) -> nw.Expr:
    """The numbers with one zero."""
    return nw.when(result == 0).then(nw.lit(0.0)).otherwise(result)


FLOATING: dict[str, Callable[[nw.Expr, nw.Expr], nw.Expr]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _divided,
    "mod": lambda a, b: nw.when(b != 0).then(a % _spread(b, a)),
}

REAL: dict[str, Callable[[nw.Expr, NumberFunction], nw.Expr]] = {
    "log": lambda x, item: nw.when(x > 0).then(x.log() if item.base is None else x.log(base=item.base)),
    "exp": lambda x, _: x.exp(),
    "sqrt": lambda x, _: nw.when(x >= 0).then(x.sqrt()),
}


def _power(base: Value, exponent: Value) -> nw.Expr:
    power = exponent.constant
    if isinstance(base.dtype, INTEGERS) and isinstance(power, int) and 0 <= power <= GREATEST_POWER:
        return integer_power(base, power)
    x, y = _float(base), _float(exponent)
    result = x**y
    impossible = (result.is_nan() & ~x.is_nan() & ~y.is_nan()) | ((x == 0) & (y < 0))
    return nw.when(~impossible).then(result)


def _decimals(fn: str, values: Sequence[Value], timezone: ZoneInfo, field: str) -> nw.Expr:
    kinds = [decimal_type(value.dtype if value.constant is None else value.constant) for value in values]
    places = sum(kind.scale for kind in kinds) if fn == "mul" else max(kind.scale for kind in kinds)
    if places > MOST_DIGITS:
        raise TypeMismatch(
            f"the product would have {places} places, and a decimal has at most {MOST_DIGITS} digits; "
            "cast one of them to float64 first",
            field=field,
            constraint=f"at most {MOST_DIGITS} places together",
            suggestion=["cast"],
        )
    exact = [as_type(value, kind, timezone) for value, kind in zip(values, kinds, strict=True)]
    if fn == "mul":
        # Polars gives a product the places of its finer factor, so the first takes those of all.
        return reduce(lambda a, b: a * b, exact[1:], exact[0].cast(nw.Decimal(MOST_DIGITS, places)))
    exact = [value.cast(nw.Decimal(MOST_DIGITS, places)) for value in exact]
    if fn == "mod":
        return exact[0] % nw.when(exact[1] != 0).then(exact[1])
    return reduce(FLOATING[fn], exact)


def _difference(values: Sequence[Value], timezone: ZoneInfo) -> nw.Expr:
    """The time from the second to the first, of two dates or two timestamps, in UTC if they have no zone."""
    placed = [_in_utc(value) for value in values]
    first, second = united(placed, timezone)
    dtype = next(value.dtype for value in placed if value.constant is None)
    for value in placed:
        dtype = shared_type(dtype, value.dtype) or dtype
    if not isinstance(dtype, nw.Datetime):
        return (first - second).cast(nw.Duration("us"))
    ticks = first.cast(nw.Int64()).cast(nw.Int128()) - second.cast(nw.Int64()).cast(nw.Int128())
    return ticks.cast(nw.Int64()).cast(nw.Duration(dtype.time_unit))


def _in_utc(value: Value) -> Value:
    if not isinstance(value.dtype, nw.Datetime):
        return value
    times = value.expr.dt
    placed = times.convert_time_zone("UTC") if value.dtype.time_zone else times.replace_time_zone("UTC")
    return Value(placed, nw.Datetime(value.dtype.time_unit, "UTC"), value.field)


def _rounded_decimal(column: nw.Expr, dtype: nw.Decimal, item: NumberFunction) -> nw.Expr:
    """The decimal, with its places; a result that 38 digits do not hold fails the query."""
    if item.fn == "abs":
        return column.abs()
    digits = item.digits or 0
    if digits >= dtype.scale:
        return column
    wide = nw.Decimal(MOST_DIGITS, dtype.scale)
    value, step = column.cast(wide), Decimal(1).scaleb(-digits)
    if item.fn == "floor":
        return _floored(value, step, wide)
    if item.fn == "ceil":
        return -_floored(-value, step, wide)
    # Narwhals rounds a half to even.
    rounded = _floored(value.abs() + nw.lit(step / 2, dtype=wide), step, wide)
    return nw.when(column < nw.lit(Decimal(0), dtype=wide)).then(-rounded).otherwise(rounded)


def _floored(value: nw.Expr, step: Decimal, dtype: nw.Decimal) -> nw.Expr:
    return value - value % nw.lit(step, dtype=dtype)


def _rounded_float(column: nw.Expr, dtype: DType, digits: int) -> nw.Expr:
    """The float rounded, as if it were the decimal that it is written as.

    A float is written as the decimal that it is nearest to; so it stands for a half exactly if it is the
    float nearest to that half, which a division by a power of ten gives, since it rounds but once.
    """
    scale = math.pow(10, digits)
    tens = _spread(scale, column)
    size = column.cast(nw.Float64()).abs()
    below = (size * scale).floor()
    half = ((below + 0.5) / tens).cast(dtype).cast(nw.Float64())
    up = nw.when(size >= half).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    rounded = nw.when(size * scale < EXACT).then((below + up) / tens).otherwise(size)
    return _without_sign(nw.when(column < 0).then(-rounded).otherwise(rounded))
