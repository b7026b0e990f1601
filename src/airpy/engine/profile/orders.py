"""How the values of a column follow one another in the order of the rows, nulls passed over.

NaN equals itself and is greater than every number, as everywhere in plans.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from airpy.contract import ValueOrder

__all__ = ["Order", "merged_order", "order_of"]


LOOKED_AT = 1_000
"""Values that show in most columns that there is no order."""


class Order(NamedTuple):
    """Whether a value is less than the one before, equal to it, greater; and those at the ends.

    Of values that both fall and rise it is not looked for whether some are equal.
    """

    falling: bool
    level: bool
    rising: bool
    ends: pl.Series
    """The first and the last; empty where there is none."""

    @property
    def name(self) -> ValueOrder | None:
        """What the contract calls it; None of fewer than two values."""
        match self.falling, self.level, self.rising:
            case False, False, False:
                return None
            case True, _, True:
                return "none"
            case False, True, False:
                return "constant"
            case False, level, True:
                return "ascending" if level else "strictly_ascending"
            case _, level, _:
                return "descending" if level else "strictly_descending"


def order_of(column: pl.Series, ticks: NDArray[Any] | None) -> Order:
    """That of a column without nulls.

    Args:
        column: The column.
        ticks: Its values as numbers, where there are such.
    """
    ends = column[[0, len(column) - 1]] if len(column) else column.clear()  # a slice would keep all of it
    ticks = None if ticks is None or (ticks.dtype.kind == "f" and np.isnan(ticks).any()) else ticks
    falling, level, rising = _steps(column[:LOOKED_AT], None if ticks is None else ticks[:LOOKED_AT])
    if not (falling and rising) and len(column) > LOOKED_AT:
        falling, level, rising = _steps(column, ticks)
    return Order(falling, level, rising, ends)


def _steps(column: pl.Series, ticks: NDArray[Any] | None) -> tuple[bool, bool, bool]:
    """Whether values fall, stay and rise."""
    values: Any = column if ticks is None else ticks
    before, after = values[:-1], values[1:]
    return bool((after < before).any()), bool((after == before).any()), bool((after > before).any())


def merged_order(parts: Sequence[Order]) -> Order:
    """That of all parts, one after the other."""
    return reduce(_both, parts)


def _both(a: Order, b: Order) -> Order:
    if a.ends.is_empty() or b.ends.is_empty():
        return b if a.ends.is_empty() else a
    last, first = a.ends[1:], b.ends[:1]
    return Order(
        a.falling or b.falling or bool((first < last).any()),
        a.level or b.level or bool((first == last).any()),
        a.rising or b.rising or bool((first > last).any()),
        pl.concat([a.ends[:1], b.ends[1:]], rechunk=True),
    )
