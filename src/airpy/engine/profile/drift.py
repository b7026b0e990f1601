"""How far two distributions are apart: of numbers by their ranks, of parts by how often each occurs.

Two numbers are far apart by the greatest distance of their cumulative distributions (Kolmogorov, 1933, and
Smirnov, 1939), parts by the Jensen-Shannon distance (Lin, 1991, and Endres and Schindelin, 2003) and by the
population stability index (Lewis, 1994; Kullback and Leibler's divergence both ways, 1951).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from airpy.engine.profile.ranks import Ranks

__all__ = [
    "Distance",
    "greatest_distance",
    "jensen_shannon",
    "kolmogorov_tail",
    "parts_of",
    "stability_index",
    "tenths_of",
]

EMPTY = 1e-4
"""What share an empty part is counted as, since nothing is infinitely far away."""
TENTHS = [n / 10 for n in range(1, 10)]
SMALL = 1.0
"""Below it the one series of Kolmogorov's distribution is short, above it the other."""
TERMS = range(1, 6)
"""Terms that still count at the worst place of each series; the next are below 1e-30 there."""


class Distance(NamedTuple):
    """The greatest distance of two cumulative distributions, and how likely chance makes it as great."""

    value: float
    p_value: float


def greatest_distance(before: Ranks, after: Ranks) -> Distance:
    """Kolmogorov and Smirnov's statistic of two samples, and its p-value by the asymptotic distribution.

    The statistic is exact where the ranks are; each has at least one number.
    """
    points = np.union1d(before.values, after.values)
    n, m = before.total, after.total
    one, other = (ranks.counts_up_to(points) for ranks in (before, after))
    place = int(np.argmax(np.abs(one / n - other / m)))
    # Of whole numbers, so that 6/10 is a tenth from 5/10.
    value = abs(int(one[place]) * m - int(other[place]) * n) / (n * m)
    return Distance(value, kolmogorov_tail(value * math.sqrt(n * m / (n + m))))


def kolmogorov_tail(x: float) -> float:
    """The probability that a variable of Kolmogorov's distribution is greater than x, which is not negative.

    By the alternating series, 2 · Σ (−1)ᵏ⁻¹ exp(−2k²x²), and of a small x by its transform, which Marsaglia,
    Tsang and Wang (2003) give: 1 − √(2π) / x · Σ exp(−(2k − 1)²π² / 8x²).
    """
    if x <= 0:
        return 1.0
    if x < SMALL:
        terms = (math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * x * x)) for k in TERMS)
        return 1 - math.sqrt(2 * math.pi) / x * math.fsum(terms)
    return 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in TERMS)


def tenths_of(baseline: Ranks) -> NDArray[np.float64]:
    """The inner edges of the parts that hold a tenth of the numbers each; fewer, where numbers are equal."""
    if not len(baseline.values):
        return np.empty(0)
    with np.errstate(invalid="ignore"):  # there is nothing half way between infinities
        edges = np.unique(baseline.quantiles(TENTHS))
    return edges[~np.isnan(edges)]


def parts_of(ranks: Ranks, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many numbers lie up to the first edge, from there up to the next, …, and beyond the last."""
    return np.diff(ranks.counts_up_to(edges), prepend=0, append=ranks.total)


def jensen_shannon(before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
    """The Jensen-Shannon distance of the parts, to base 2: 0 where their shares are the same, 1 at most."""
    p, q = before / before.sum(), after / after.sum()
    middle = (p + q) / 2
    divergence = (_divergence(p, middle) + _divergence(q, middle)) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def stability_index(before: NDArray[np.int64], after: NDArray[np.int64]) -> float:
    """The population stability index of the parts, an empty one counted as a ten-thousandth."""
    p, q = (np.where(counts > 0, counts / counts.sum(), EMPTY) for counts in (before, after))
    return float(((q - p) * np.log(q / p)).sum())


def _divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Kullback and Leibler's, in bits."""
    there = p > 0
    return float((p[there] * np.log2(p[there] / q[there])).sum())
