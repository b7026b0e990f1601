"""Histograms, made from ranks: bins of equal width, as many as the data bears.

The width is that of Freedman and Diaconis (1981), 2 · IQR / ∛n; where half of the values are equal, there are
as many bins as Sturges (1926) says, log₂ n + 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from airpy.contract import Histogram
from airpy.engine.encoding import json_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from airpy.engine.profile.ranks import Ranks

__all__ = ["MOST_BINS", "histogram"]

MOST_BINS = 50


def histogram(ranks: Ranks, dtype: pl.DataType) -> Histogram | None:
    """The histogram of finite numbers, or of times in the ticks of their type.

    None where there are none, and of times with an edge outside the years 1 to 9999, which JSON cannot tell.
    """
    there = np.isfinite(ranks.values)
    finite = ranks._replace(values=ranks.values[there], weights=ranks.weights[there])
    if not len(finite.values):
        return None
    low, high = float(finite.values[0]), float(finite.values[-1])
    if not math.isfinite(high - low):
        return None
    bins = _bins(finite, high - low)
    if dtype.is_integer() or not dtype.is_numeric():  # a bin narrower than a tick would be empty
        bins = min(bins, max(int(high - low), 1))
    if dtype.is_numeric():
        edges = np.linspace(low, high, bins + 1)
        return Histogram(edges=edges.tolist(), counts=finite.counts_between(edges).tolist())
    ticks = _ticks(int(finite.values[0]), int(finite.values[-1]), bins)
    shown = json_values(pl.Series(ticks).cast(dtype))
    if None in shown:  # no calendar has them
        return None
    return Histogram(edges=shown, counts=finite.counts_between(ticks).tolist())


def _bins(ranks: Ranks, width: float) -> int:
    if width == 0:
        return 1
    q1, q3 = ranks.quantiles([0.25, 0.75])
    bin_width = 2 * (q3 - q1) / ranks.total ** (1 / 3)
    wanted = width / bin_width if bin_width > 0 else math.log2(ranks.total) + 1
    return MOST_BINS if wanted > MOST_BINS else max(math.ceil(wanted), 1)


def _ticks(low: int, high: int, bins: int) -> NDArray[np.int64]:
    """Edges that are whole ticks, so that what is shown is what was counted by."""
    return np.array([low + (high - low) * place // bins for place in range(bins + 1)], dtype=np.int64)
