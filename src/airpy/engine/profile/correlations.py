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
    places = sorted([*numeric_columns(frame), *temporal_columns(frame)])[:MOST_COLUMNS]
    values = {
        place: numbers(place, dtype)
        if (dtype := frame.dtypes[place]).is_numeric()
        else pl.nth(place).to_physical().cast(pl.Float64)
        for place in places
    }
    pairs = list(combinations(places, 2))
    if not pairs:
        return []
    measured = frame.select(
        pl.corr(values[one], values[two]).alias(str(n)) for n, (one, two) in enumerate(pairs)
    ).row(0)
    found = [
        (frame.columns[one], frame.columns[two], max(-1.0, min(1.0, r)))
        for (one, two), r in zip(pairs, measured, strict=True)
        if r is not None and math.isfinite(r)
    ]
    return sorted(found, key=lambda pair: -abs(pair[2]))[:MOST_PAIRS]
