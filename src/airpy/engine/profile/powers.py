"""Sums of powers about the mean, from which variance, skewness and kurtosis follow.

Those of parts merge by the formulas of Chan, Golub and LeVeque (1979) and Pébay (2008), without the
cancellation that sums of plain powers suffer.
"""

from __future__ import annotations

import math
import sys
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["NO_POWERS", "Powers", "merged_powers", "powers_of"]

LEAST = sys.float_info.min
"""Smaller floats have fewer digits."""


class Powers(NamedTuple):
    """How many values there are, their sum and mean, and the sums of powers of what they differ by."""

    total: int
    sum: float
    mean: float
    m2: float
    m3: float
    m4: float

    @property
    def variance(self) -> float | None:
        """Of a sample (n − 1)."""
        return self.m2 / (self.total - 1) if self.total > 1 else None

    @property
    def skew(self) -> float | None:
        """The third standardised moment of the population (g1)."""
        return self._moment(self.m3, 1.5)

    @property
    def kurtosis(self) -> float | None:
        """The fourth standardised moment of the population, less that of a normal one (g2)."""
        moment = self._moment(self.m4, 2)
        return None if moment is None else moment - 3

    def _moment(self, sum_of_powers: float, power: float) -> float | None:
        """None of equal values, and where the powers are beyond every float or too near to 0 to be true."""
        spread = self.m2 / self.total if self.total else 0.0
        with np.errstate(over="ignore", under="ignore"):
            scale = float(np.float64(spread) ** power)
        return sum_of_powers / self.total / scale if LEAST <= scale < math.inf else None


NO_POWERS = Powers(0, 0.0, 0.0, 0.0, 0.0, 0.0)


def powers_of(values: NDArray[np.float64], weights: NDArray[np.int64]) -> Powers:
    """Of finite values, each as often as its weight says."""
    if not len(values):
        return NO_POWERS
    count = int(weights.sum())
    shares = weights.astype(np.float64)
    if len(values) == 1:  # equal values are their own mean; a rounded sum of them may not be
        return Powers(count, float(values[0]) * count, float(values[0]), 0.0, 0.0, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # what is beyond every float has no such metric
        total = float((values * shares).sum())
        mean = total / count
        if not math.isfinite(mean):
            mean = float((values / count * shares).sum())
        apart = values - mean
        squares = apart * apart
        weighted = squares * shares
        sums = weighted.sum(), (weighted * apart).sum(), (weighted * squares).sum()
    return Powers(count, total, mean, *map(float, sums))


def merged_powers(parts: Sequence[Powers]) -> Powers:
    """Those of all parts together."""
    return reduce(_both, parts, NO_POWERS)


def _both(a: Powers, b: Powers) -> Powers:
    if not a.total or not b.total:
        return a if a.total else b
    n = a.total + b.total
    d = b.mean - a.mean
    if d == 0:  # equal means stay what they are
        return Powers(n, a.sum + b.sum, a.mean, a.m2 + b.m2, a.m3 + b.m3, a.m4 + b.m4)
    with np.errstate(over="ignore", invalid="ignore"):
        step = np.float64(d)
        p, q = a.total / n, b.total / n
        m2 = a.m2 + b.m2 + step**2 * p * b.total
        m3 = a.m3 + b.m3 + step**3 * p * b.total * (p - q) + 3 * step * (p * b.m2 - q * a.m2)
        m4 = (
            a.m4
            + b.m4
            + step**4 * p * b.total * (p * p - p * q + q * q)
            + 6 * step**2 * (p * p * b.m2 + q * q * a.m2)
            + 4 * step * (p * b.m3 - q * a.m3)
        )
    return Powers(n, a.sum + b.sum, a.mean + d * q, float(m2), float(m3), float(m4))
