"""Bounds as values of a column's type, so that a comparison with them selects the same rows."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import numpy as np
import polars as pl

__all__ = ["greatest_of", "least_of"]

UP, DOWN = Context(prec=100, rounding=ROUND_CEILING), Context(prec=100, rounding=ROUND_FLOOR)


def least_of(dtype: pl.DataType, low: float) -> float | int | str | None:
    """The least value of the type that is no less than this; None where every value is no less."""
    if dtype.is_integer():
        least, greatest = _integers(dtype)
        return None if low <= least else min(math.ceil(low), greatest)
    return _of_fraction(dtype, low, up=True)


def greatest_of(dtype: pl.DataType, high: float) -> float | int | str | None:
    """The greatest value of the type that is no greater than this; None where every value is no greater."""
    if dtype.is_integer():
        least, greatest = _integers(dtype)
        return None if high >= greatest else max(math.floor(high), least)
    return _of_fraction(dtype, high, up=False)


def _integers(dtype: pl.DataType) -> tuple[int, int]:
    """The ends of an integer type."""
    bits = int(str(dtype).removeprefix("U").removeprefix("Int"))
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dtype.is_signed_integer() else (0, 2**bits - 1)


def _of_fraction(dtype: pl.DataType, end: float, *, up: bool) -> float | str | None:
    if isinstance(dtype, pl.Decimal):
        limit = Decimal(10 ** (dtype.precision - dtype.scale))
        # By the shortest digits: 99.9 as a float is a little more than the decimal.
        told = max(limit.copy_negate(), min(Decimal(repr(end)), limit))
        if told == (limit.copy_negate() if up else limit):
            return None
        unit = Decimal(1).scaleb(-dtype.scale)
        near = (UP if up else DOWN).quantize(told, unit)
        most = Decimal(10**dtype.precision - 1).scaleb(-dtype.scale, UP)
        return f"{max(most.copy_negate(), min(near, most)):f}"
    if dtype == pl.Float32:
        with np.errstate(over="ignore"):
            single = np.float32(end)
        beyond = float(single) < end if up else float(single) > end
        return float(np.nextafter(single, np.float32(math.inf if up else -math.inf)) if beyond else single)
    return end
