"""Families of column types: whole numbers, floats, numbers, text, and what has an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import narwhals as nw

if TYPE_CHECKING:
    from narwhals.dtypes import DType

__all__ = [
    "ANY",
    "COMPARABLE",
    "FLOATS",
    "INTEGERS",
    "MOST_DIGITS",
    "NUMBERS",
    "ORDERED",
    "SIGNED",
    "TEXT",
    "Family",
]

Family: TypeAlias = "tuple[type[DType], ...]"

SIGNED: Family = (nw.Int8, nw.Int16, nw.Int32, nw.Int64)
INTEGERS: Family = (*SIGNED, nw.UInt8, nw.UInt16, nw.UInt32, nw.UInt64)
FLOATS: Family = (nw.Float16, nw.Float32, nw.Float64)
NUMBERS: Family = (*INTEGERS, nw.Int128, nw.UInt128, *FLOATS, nw.Decimal)
TEXT: Family = (nw.String, nw.Categorical, nw.Enum)
COMPARABLE: Family = (*NUMBERS, nw.Boolean, *TEXT, nw.Date, nw.Datetime, nw.Time)
"""Types that a value of a plan can be cast to."""
ORDERED: Family = (*COMPARABLE, nw.Duration)
MOST_DIGITS = 38
"""Of a decimal."""
ANY: Family = ()
"""Every type: a family that names none."""
