"""Outlier bounds by method, of a whole column or of each of its groups.

`iqr`: Tukey's fences, below Q1 − 1.5 IQR or above Q3 + 1.5 IQR. `zscore`: more than 3 sample standard
deviations from the mean. `mad`: a modified z-score over 3.5, 0.6745 · |x − median| / MAD (Iglewicz and
Hoaglin, 1993).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.profile.equals import equal_to
from airpy.engine.profile.measuring import numbers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airpy.contract import ColumnMetrics, Filter, OutlierMethod

__all__ = ["MOST_GROUPS", "OUTLIER_METHODS", "Bounds", "GroupBounds", "bounds_by_group", "outlier_bounds"]

FENCE = 1.5
SIGMAS = 3.0
MODIFIED_Z = 3.5
MAD_TO_SIGMA = 0.6745
ROUNDING = 1e-12
"""By the mean, what of a deviation may be rounding."""
MOST_GROUPS = 500
"""Groups with outliers that one filter names; those with the most extreme values of more."""


class Bounds(NamedTuple):
    """The least and the greatest value that is no outlier."""

    low: float
    high: float


class GroupBounds(NamedTuple):
    """The bounds of one group of rows, of which some values lie beyond."""

    group: Sequence[Filter]
    """Select its rows."""
    bounds: Bounds


def iqr(quartiles: Mapping[str, float | None]) -> Bounds | None:
    """Tukey's fences; none when both quartiles are 0: what is mostly nothing has no usual size."""
    q1, q3 = quartiles["q1"], quartiles["q3"]
    if q1 is None or q3 is None or q1 == q3 == 0:
        return None
    reach = FENCE * (q3 - q1)
    return Bounds(q1 - reach, q3 + reach)


def zscore(moments: Mapping[str, float | None]) -> Bounds | None:
    """Three standard deviations from the mean; none of equal values, whose deviation is rounding at most."""
    mean, std = moments["mean"], moments["std"]
    if mean is None or std is None or std <= ROUNDING * abs(mean):
        return None
    return Bounds(mean - SIGMAS * std, mean + SIGMAS * std)


def mad(medians: Mapping[str, float | None]) -> Bounds | None:
    """Where the modified z-score is 3.5; none when over half of the values are equal."""
    median, deviation = medians["median"], medians["mad"]
    if median is None or not deviation:
        return None
    reach = MODIFIED_Z * deviation / MAD_TO_SIGMA
    return Bounds(median - reach, median + reach)


OUTLIER_METHODS: dict[OutlierMethod, Callable[[Mapping[str, float | None]], Bounds | None]] = {
    "iqr": iqr,
    "zscore": zscore,
    "mad": mad,
}

MEASURES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "q1": lambda value: value.quantile(0.25, "linear"),
    "q3": lambda value: value.quantile(0.75, "linear"),
    "mean": pl.Expr.mean,
    "std": pl.Expr.std,
    "median": pl.Expr.median,
    "mad": lambda value: (value - value.median()).abs().median(),
    "least": pl.Expr.min,
    "greatest": pl.Expr.max,
}
NEEDED: dict[OutlierMethod, tuple[str, ...]] = {
    "iqr": ("q1", "q3"),
    "zscore": ("mean", "std"),
    "mad": ("median", "mad"),
}


def outlier_bounds(column: ColumnMetrics, method: OutlierMethod) -> Bounds | None:
    """The bounds of a column of numbers; None where it has none by this method."""
    return _bounds({name: getattr(column, name) for name in NEEDED[method]}, method)


def bounds_by_group(
    frame: pl.LazyFrame, column: str, by: Sequence[str], method: OutlierMethod
) -> list[GroupBounds]:
    """The groups in which values of the column lie beyond the bounds of their group, in their order."""
    schema = frame.collect_schema()
    names = schema.names()
    value = pl.col("value")
    keys = [pl.nth(names.index(name)).alias(f"by{place}") for place, name in enumerate(by)]
    numbers = numbers_of(pl.nth(names.index(column)), schema[column]).alias("value")
    groups = (
        frame.select(*keys, numbers)
        .group_by(*(f"by{place}" for place in range(len(by))))
        .agg(MEASURES[name](value).alias(name) for name in (*NEEDED[method], "least", "greatest"))
        .collect(engine="streaming")
    )
    found: list[tuple[float, int, Bounds]] = []
    for place, row in enumerate(groups.select(*NEEDED[method], "least", "greatest").rows(named=True)):
        bounds = _bounds(row, method)
        if bounds is None or not (row["least"] < bounds.low or row["greatest"] > bounds.high):
            continue
        found.append((max(bounds.low - row["least"], row["greatest"] - bounds.high), place, bounds))
    widest = sorted(found, key=lambda each: -each[0])[:MOST_GROUPS]
    bounded = [
        GroupBounds(named, bounds)
        for _, place, bounds in widest
        if (named := _named(by, groups, place)) is not None
    ]
    return sorted(bounded, key=lambda each: str(each.group))


def _bounds(measures: Mapping[str, float | None], method: OutlierMethod) -> Bounds | None:
    """Those of a method; none where one would lie beyond all numbers."""
    bounds = OUTLIER_METHODS[method](measures)
    return bounds if bounds is not None and all(map(math.isfinite, bounds)) else None


def _named(by: Sequence[str], groups: pl.DataFrame, place: int) -> list[Filter] | None:
    """Select the rows of a group; None where no filter can name it."""
    values = [equal_to(name, groups[f"by{number}"][place : place + 1]) for number, name in enumerate(by)]
    filters = [each for each in values if each is not None]
    return filters if len(filters) == len(by) else None
