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


class Order(NamedTuple):
    """How many values are less than the one before, equal to it, greater; and those at the ends."""

    falling: int
    level: int
    rising: int
    ends: pl.Series
    """The first and the last; empty where there is none."""

    @property
    def name(self) -> ValueOrder | None:
        """What the contract calls it; None of fewer than two values."""
        match self.falling > 0, self.level > 0, self.rising > 0:
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
    ends = column.gather([0, -1]) if len(column) else column.clear()  # a slice would keep all of it
    steps = max(len(column) - 1, 0)
    if ticks is None or (ticks.dtype.kind == "f" and np.isnan(ticks).any()):
        before = column.shift(1)
        falling, rising = (int(each.sum() or 0) for each in (column < before, column > before))
    else:
        falling, rising = (
            int(np.count_nonzero(each)) for each in (ticks[1:] < ticks[:-1], ticks[1:] > ticks[:-1])
        )
    return Order(falling, steps - falling - rising, rising, ends)


def merged_order(parts: Sequence[Order]) -> Order:
    """That of all parts, one after the other."""
    return reduce(_both, parts)


def _both(a: Order, b: Order) -> Order:
    if a.ends.is_empty() or b.ends.is_empty():
        return b if a.ends.is_empty() else a
    last, first = a.ends[1:], b.ends[:1]
    return Order(
        a.falling + b.falling + int((first < last).sum()),
        a.level + b.level + int((first == last).sum()),
        a.rising + b.rising + int((first > last).sum()),
        pl.concat([a.ends[:1], b.ends[1:]], rechunk=True),
    )
