"""Reckons with integers so that none wraps round: in 64 bits where the types leave room, else in 128."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import narwhals as nw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from narwhals.dtypes import DType

    from airpy.engine.operands import Value

__all__ = ["integer_arithmetic", "integer_power"]

WIDTHS: tuple[tuple[int, int, DType], ...] = (
    (-(2**63), 2**63 - 1, nw.Int64()),
    (-(2**127), 2**127 - 1, nw.Int128()),
    (0, 2**128 - 1, nw.UInt128()),
)
"""What is reckoned in: the first that holds the operands and every possible result."""


class Whole(NamedTuple):
    """An integer expression, and the least and the greatest value that it can have."""

    expr: nw.Expr
    low: int
    high: int

    @classmethod
    def of(cls, value: Value) -> Self:
        """The operand, with the bounds of its type or its only value."""
        if isinstance(value.constant, int):
            return cls(value.expr, value.constant, value.constant)
        name = type(value.dtype).__name__
        bits = int("".join(filter(str.isdigit, name)))
        low, high = (0, 2**bits - 1) if name.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return cls(value.expr, low, high)

    def fitting(self, dtype: DType) -> Self:
        """As this type; a value that it cannot hold fails the query."""
        low, high = (0, 2**64 - 1) if isinstance(dtype, nw.UInt64) else (-(2**63), 2**63 - 1)
        return type(self)(self.expr.cast(dtype), max(self.low, low), min(self.high, high))


class Operation(NamedTuple):
    """How two expressions make a third, and two ranges the range of all results."""

    apply: Callable[[nw.Expr, nw.Expr], nw.Expr]
    bounds: Callable[[Whole, Whole], tuple[int, int]]
    signed: bool = False
    """Whether `uint64`s may give what is below zero."""


def _products(a: Whole, b: Whole) -> tuple[int, int]:
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return min(corners), max(corners)


OPERATIONS: dict[str, Operation] = {
    "add": Operation(lambda a, b: a + b, lambda a, b: (a.low + b.low, a.high + b.high)),
    "sub": Operation(lambda a, b: a - b, lambda a, b: (a.low - b.high, a.high - b.low), signed=True),
    "mul": Operation(lambda a, b: a * b, _products),
    "mod": Operation(lambda a, b: a % b, lambda _, b: (min(b.low + 1, 0), max(b.high - 1, 0))),
}


def integer_arithmetic(fn: str, values: Sequence[Value]) -> nw.Expr:
    """The result as an `int64`, or as a `uint64` where all columns are and none can fall below zero.

    A result that does not fit fails the query. `mod` by zero is null, and has the sign of the divisor.
    """
    wholes = [Whole.of(value) for value in values]
    columns = [value.dtype for value in values if value.constant is None]
    unsigned = (
        not OPERATIONS[fn].signed
        and bool(columns)
        and all(isinstance(dtype, nw.UInt64) for dtype in columns)
        and min(whole.low for whole in wholes) >= 0
    )
    target = nw.UInt64() if unsigned else nw.Int64()
    result = wholes[0]
    for whole in wholes[1:]:
        result = _step(OPERATIONS[fn], result, whole, target)
    return result.fitting(target).expr


def integer_power(base: Value, exponent: int) -> nw.Expr:
    """The base to the power of a whole number, exactly; a result that does not fit fails the query."""
    power = Whole(nw.when(~base.expr.is_null()).then(nw.lit(1, dtype=nw.Int64())), 1, 1)
    square = Whole.of(base)
    target = nw.UInt64() if isinstance(base.dtype, nw.UInt64) else nw.Int64()
    while exponent:
        if exponent % 2:
            power = _step(OPERATIONS["mul"], power, square, target)
        exponent //= 2
        if exponent:
            square = _step(OPERATIONS["mul"], square, square, target)
    return power.fitting(target).expr


def _step(operation: Operation, a: Whole, b: Whole, target: DType) -> Whole:
    """One operation in the narrowest width that it cannot leave; operands fit the target first if need be."""
    for attempt in ((a, b), (a.fitting(target), b), (a.fitting(target), b.fitting(target))):
        one, other = attempt
        low, high = operation.bounds(one, other)
        for least, most, dtype in WIDTHS:
            if min(low, one.low, other.low) >= least and max(high, one.high, other.high) <= most:
                return Whole(operation.apply(one.expr.cast(dtype), other.expr.cast(dtype)), low, high)
    raise AssertionError("the product of two 64-bit integers fits 128 bits")
