"""Joins each row with the nearest of another frame, by a time or a number; native Polars."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from airpy.engine.buckets import TICKS
from airpy.engine.columns import outer, type_word
from airpy.engine.units import DAY_S, LENGTHS, quantity
from airpy.errors import TypeMismatch, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import AsofStrategy
    from airpy.engine.columns import Frame

__all__ = ["asof_join"]

KEY, PLACE = "\0asof", "\0place"
"""Columns beside the caller's while frames are joined; no column of the caller's has their names."""


def asof_join(  # noqa: PLR0913  each is one thing that a plan may say
    frame: Frame,
    other: Frame,
    keys: tuple[str, str],
    *,
    by: Sequence[str],
    strategy: AsofStrategy,
    tolerance: str | float | None,
    ordered: bool,
    field: str,
) -> Frame:
    """Every row of the left side, with the row of the right whose key is nearest, or null.

    Of right rows with one key, `backward` and `nearest` take the last, `forward` the first; of two keys that
    are as near, `nearest` takes the greater. Null and NaN match nothing.

    Args:
        frame: The left side.
        other: The right side; but for `by`, no column has the name of one on the left.
        keys: The columns that are compared, of the left side and of the right, of comparable types.
        by: Columns that must be equal, of the same names and types on both sides.
        strategy: Where the nearest row is looked for.
        tolerance: How far off it may be: `15 minutes`, or a number.
        ordered: Keep the order of the left side.
        field: Where the join stands in the plan.

    Raises:
        TypeMismatch: The keys are neither numbers nor times, or the tolerance is of the other kind.
    """
    left, right = frame.to_native(), other.to_native()
    kinds = left.collect_schema()[keys[0]], right.collect_schema()[keys[1]]
    unit = _unit(kinds, frame, keys, field)
    distance = _distance(tolerance, unit, kinds[0], field)
    left = left.with_columns(_measured(keys[0], kinds[0], unit).alias(KEY))
    right = right.with_columns(_measured(keys[1], kinds[1], unit).alias(KEY))
    if ordered:
        left = left.with_row_index(PLACE)
    joined = left.sort(KEY, nulls_last=True, maintain_order=ordered).join_asof(
        right.filter(pl.col(KEY).is_not_null()).sort(KEY, maintain_order=True),
        on=KEY,
        by=list(by) or None,
        strategy=strategy,
        tolerance=distance,
        coalesce=True,
        check_sortedness=False,  # they are sorted just here
    )
    if ordered:
        joined = joined.sort(PLACE).drop(PLACE)
    return nw.from_native(joined.drop(KEY))


def _unit(
    kinds: tuple[pl.DataType, pl.DataType], frame: Frame, keys: tuple[str, str], field: str
) -> int | None:
    """How many units a second has that times are measured in; 0 if those are days, None for numbers."""
    one, two = kinds
    if isinstance(one, pl.Datetime) and isinstance(two, pl.Datetime):
        return max(TICKS[one.time_unit], TICKS[two.time_unit])
    if isinstance(one, pl.Date):
        return 0
    if one.is_integer() or one.is_float():
        return None
    word = type_word(frame.collect_schema()[keys[0]])
    raise TypeMismatch(
        f'column "{shortened(outer(keys[0]))}" of type {word} has no nearest value',
        field=field,
        constraint="a key of integers, floats, dates or timestamps",
    )


def _measured(name: str, kind: pl.DataType, unit: int | None) -> pl.Expr:
    """The key as a number in the unit of both sides; null where it is nowhere."""
    key = pl.col(name)
    if isinstance(kind, pl.Datetime):
        scale = (unit or 1) // TICKS[kind.time_unit]
        return (
            key.cast(pl.Int64).cast(pl.Int128) * scale if unit == TICKS["ns"] else key.cast(pl.Int64) * scale
        )
    if kind.is_float():
        return pl.when(key.is_not_nan()).then(key.cast(pl.Float64))
    return key.cast(pl.Int32 if isinstance(kind, pl.Date) else pl.Int128).cast(pl.Int128)


def _distance(tolerance: str | float | None, unit: int | None, kind: pl.DataType, field: str) -> float | None:
    """The tolerance in the unit of the keys."""
    if tolerance is None:
        return None
    if isinstance(tolerance, str) == (unit is None):
        raise TypeMismatch(
            f"a tolerance of {tolerance!r} is no distance between {'numbers' if unit is None else 'times'}",
            field=f"{field}.tolerance",
            constraint="a number" if unit is None else "a duration, as in 15 minutes",
        )
    if isinstance(tolerance, str):
        number, word = quantity(tolerance)
        seconds = number * LENGTHS[word]
        return seconds * unit if unit else seconds // DAY_S
    return tolerance if kind.is_float() else math.floor(tolerance)
