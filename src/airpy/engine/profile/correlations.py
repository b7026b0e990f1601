"""Pairwise correlations of numeric columns."""

from __future__ import annotations

import math
from itertools import combinations

import polars as pl

from airpy.engine.profile.metrics import numbers, numeric_columns, temporal_columns

__all__ = ["correlations"]

MOST_COLUMNS = 64
"""Pairs grow with the square of the columns; beyond these, the first ones are compared."""

MOST_PAIRS = 100


def correlations(frame: pl.DataFrame) -> list[tuple[str, str, float]]:
    """Pearson's r of every pair of numeric or temporal columns, strongest first.

    A pair is compared over the rows in which neither is null or NaN; a time counts as its number of ticks.
    Pairs in which a column does not vary have no correlation and are left out, as are columns after the 64th
    and pairs after the 100th.
    """
    times = temporal_columns(frame)
    places = sorted([*numeric_columns(frame), *times])[:MOST_COLUMNS]
    values = frame.select(
        _between_0_and_1(pl.nth(place).to_physical().cast(pl.Float64) if place in times else numbers(place))
        for place in places
    )
    pairs = list(combinations(range(values.width), 2))
    if not pairs:
        return []
    measured = values.select(
        _correlation(pl.nth(one), pl.nth(two)).alias(str(n)) for n, (one, two) in enumerate(pairs)
    ).row(0)
    found = [
        (values.columns[one], values.columns[two], max(-1.0, min(1.0, r)))
        for (one, two), r in zip(pairs, measured, strict=True)
        if r is not None and math.isfinite(r)
    ]
    return sorted(found, key=lambda pair: -abs(pair[2]))[:MOST_PAIRS]


def _between_0_and_1(column: pl.Expr) -> pl.Expr:
    """The column at a scale at which its squares neither overflow nor vanish; r is the same at any."""
    return (column - column.min()) / (column.max() - column.min())


def _correlation(one: pl.Expr, two: pl.Expr) -> pl.Expr:
    """Pearson's r, or null where either does not vary; rounding would make up an r for it."""
    varies = [
        column.filter(other.is_not_null()).min() < column.filter(other.is_not_null()).max()
        for column, other in ((one, two), (two, one))
    ]
    return pl.when(*varies).then(pl.corr(one, two))
