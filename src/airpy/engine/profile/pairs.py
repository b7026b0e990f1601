"""Sums of squares and products of pairs of columns about their means, from which Pearson's r follows.

A pair is measured over the rows in which both are finite. Matrices hold every pair; those of parts merge as
`powers.py` says, so that no row is looked at twice.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Pairs", "merged_pairs", "pairs_of"]

BLOCK = 32_768
"""Rows that are measured at once: a column of them stays in the processor's caches."""
LOST = 1e-8
"""What is left of squares when they are taken about another mean, below which too few digits are true."""


class Pairs(NamedTuple):
    """Of every two columns i and j, over the rows that have both; each a square matrix."""

    rows: NDArray[np.int64]
    mean: NDArray[np.float64]
    """Of i."""
    squares: NDArray[np.float64]
    """Of what i differs by from its mean."""
    products: NDArray[np.float64]
    scale: NDArray[np.float64]
    """By column; what sums of squares are measured in, so that they neither overflow nor vanish."""

    def correlations(self) -> NDArray[np.float64]:
        """Pearson's r of every pair, NaN where one of the two does not vary."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            spread = np.where(self.squares > 0, np.sqrt(self.squares), np.nan)
            return np.clip(self.products / spread / spread.T, -1, 1)


def pairs_of(columns: NDArray[np.float64]) -> Pairs:
    """Of a matrix with a row for each row and a column for each column, side by side in memory."""
    return merged_pairs([_pairs_of(columns[n : n + BLOCK]) for n in range(0, max(len(columns), 1), BLOCK)])


@np.errstate(over="ignore", invalid="ignore")
def _pairs_of(columns: NDArray[np.float64]) -> Pairs:
    height, width = columns.shape
    apart, there = np.empty_like(columns, order="F"), np.ones((height, width), bool, order="F")
    mean, scale = np.zeros(width), np.zeros(width)
    for n in range(width):
        mean[n], scale[n] = _centred(columns[:, n], there[:, n], apart[:, n])
    products = apart.T @ apart
    if there.all():
        count = np.full((width, width), height)
        sums = np.broadcast_to(apart.sum(axis=0)[:, None], (width, width))
        raw = np.broadcast_to(np.diag(products)[:, None], (width, width))
    else:
        mask = there.astype(float)
        count = np.rint(mask.T @ mask).astype(np.int64)
        sums, raw = apart.T @ mask, (apart * apart).T @ mask
    shift = sums / np.maximum(count, 1)
    found = Pairs(
        count,
        mean[:, None] + shift * scale[:, None],
        np.maximum(raw - sums * shift, 0.0),
        products - sums * shift.T,
        scale,
    )
    # Numbers that are alike where both are there, far from the others: little is left of the difference.
    for i, j in np.argwhere((raw > 0) & (found.squares <= LOST * raw)):
        _measure_pair(found, columns[there[:, i] & there[:, j]], i, j)
    return found


def merged_pairs(parts: Sequence[Pairs]) -> Pairs:
    """Those of all parts together."""
    return reduce(_both, parts)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _both(a: Pairs, b: Pairs) -> Pairs:
    apart = np.where((a.rows > 0) & (b.rows > 0), b.mean - a.mean, 0.0)
    scale = np.maximum(np.maximum(a.scale, b.scale), _measure(np.abs(apart).max(axis=1, initial=0.0)))
    (squares_a, products_a), (squares_b, products_b) = (_scaled(part, scale) for part in (a, b))
    count = a.rows + b.rows
    share = b.rows / np.maximum(count, 1)
    mean = np.where(a.rows > 0, a.mean + apart * share, b.mean)
    step = apart / scale[:, None]
    weight = a.rows * share
    return Pairs(
        count,
        mean,
        squares_a + squares_b + step * step * weight,
        products_a + products_b + step * step.T * weight,
        scale,
    )


def _centred(
    numbers: NDArray[np.float64], there: NDArray[np.bool_], apart: NDArray[np.float64]
) -> tuple[float, float]:
    """The mean of what is finite, and what it is measured in; fills in where that is, and its differences."""
    finite = numbers
    if not math.isfinite(numbers.sum()):
        there[:] = np.isfinite(numbers)
        finite = numbers[there]
    if not len(finite):
        apart[:] = 0.0
        return 0.0, float(_measure(np.zeros(1))[0])
    low, high = finite.min(), finite.max()
    # Equal numbers are their own mean; a rounded sum of them may not be.
    mean = low if low == high else (finite / len(finite)).sum()
    scale = _measure(np.maximum(high - mean, mean - low))
    np.subtract(numbers, mean, out=apart)
    apart /= scale
    if finite is not numbers:
        apart[~there] = 0.0
    return float(mean), float(scale)


def _scaled(part: Pairs, scale: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squares and products in another measure."""
    ratio = part.scale / scale
    return part.squares * (ratio**2)[:, None], part.products * np.outer(ratio, ratio)


def _measure(reach: NDArray[np.float64]) -> NDArray[np.float64]:
    """Powers of two no less than these, so that scaling rounds nothing; the least there is for 0."""
    least = np.nextafter(0.0, 1.0)
    powers = np.minimum(np.frexp(np.maximum(reach, least))[1], 1023)
    return np.asarray(np.exp2(powers.astype(np.float64)), dtype=np.float64)


def _measure_pair(pairs: Pairs, rows: NDArray[np.float64], i: int, j: int) -> None:
    """Measure a pair over the rows that have both, each about its own mean there."""
    x, y = rows[:, i], rows[:, j]
    varies = x.min() < x.max()
    mean = x.mean() if varies else x[0]
    apart = (x - mean) / pairs.scale[i]
    pairs.mean[i, j] = mean
    pairs.squares[i, j] = apart @ apart if varies else 0.0
    pairs.products[i, j] = pairs.products[j, i] = apart @ ((y - y.mean()) / pairs.scale[j]) if varies else 0.0
