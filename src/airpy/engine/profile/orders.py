"""How the values of a column follow one another in the order of the rows, nulls passed over.

NaN equals itself and is greater than every number, as everywhere in plans.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import ValueOrder

__all__ = ["Order", "merged_order", "orders_of"]


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


def orders_of(batch: pl.DataFrame, places: Sequence[int]) -> list[Order]:
    """Those of the columns at these places."""
    wanted: list[pl.Expr] = []
    for place in places:
        value = pl.nth(place).drop_nulls()
        before = value.shift(1)
        wanted += [
            value.len().alias(f"{place}:values"),
            (value < before).sum().alias(f"{place}:falling"),
            (value > before).sum().alias(f"{place}:rising"),
            pl.concat_list(value.first(), value.last()).alias(f"{place}:ends"),
        ]
    found = batch.select(wanted)
    return [_order(found, place) for place in places]


def merged_order(parts: Sequence[Order]) -> Order:
    """That of all parts, one after the other."""
    return reduce(_both, parts)


def _order(found: pl.DataFrame, place: int) -> Order:
    values, falling, rising = (found[f"{place}:{name}"].item() for name in ("values", "falling", "rising"))
    ends = found[f"{place}:ends"].explode().drop_nulls()
    return Order(falling, max(values - 1, 0) - falling - rising, rising, ends)


def _both(a: Order, b: Order) -> Order:
    if a.ends.is_empty() or b.ends.is_empty():
        return b if a.ends.is_empty() else a
    last, first = a.ends[1:], b.ends[:1]
    return Order(
        a.falling + b.falling + int((first < last).sum()),
        a.level + b.level + int((first == last).sum()),
        a.rising + b.rising + int((first > last).sum()),
        pl.concat([a.ends[:1], b.ends[1:]]),
    )
