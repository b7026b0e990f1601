"""Sums of squares and products of pairs of columns about their means, from which Pearson's r follows.

A pair is measured over the rows in which both are finite. Matrices hold every pair; those of parts merge as
`powers.py` says, so that no row is looked at twice.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Pairs", "merged_pairs", "pairs_of"]


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
            # Squares that are nothing but what rounding left of equal numbers do not vary.
            floor = self.rows * (16 * np.finfo(float).eps * self.mean / self.scale[:, None]) ** 2
            spread = np.where(self.squares > floor, np.sqrt(self.squares), np.nan)
            return np.clip(self.products / spread / spread.T, -1, 1)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def pairs_of(columns: NDArray[np.float64]) -> Pairs:
    """Of a matrix with a row for each row and a column for each column."""
    height, width = columns.shape
    there = np.isfinite(columns)
    whole = bool(there.all())
    rows = np.full(width, height) if whole else there.sum(axis=0)
    plain = columns if whole else np.where(there, columns, 0.0)
    mean = np.where(rows > 0, (plain / np.maximum(rows, 1)).sum(axis=0), 0.0)
    apart = plain - mean
    if not whole:
        apart[~there] = 0.0
    # Powers of two, so that scaling rounds nothing.
    scale = np.exp2(np.frexp(np.abs(apart).max(axis=0, initial=0.0))[1].astype(float))
    apart /= scale
    products = apart.T @ apart
    if whole:
        count = np.full((width, width), height)
        squares = np.broadcast_to(np.diag(products)[:, None], (width, width)).copy()
        return Pairs(count, np.broadcast_to(mean[:, None], (width, width)).copy(), squares, products, scale)
    mask = there.astype(float)
    count = np.rint(mask.T @ mask).astype(np.int64)
    sums = apart.T @ mask
    shift = sums / np.maximum(count, 1)
    squares = np.maximum((apart * apart).T @ mask - sums * shift, 0.0)
    return Pairs(count, mean[:, None] + shift * scale[:, None], squares, products - sums * shift.T, scale)


def merged_pairs(parts: Sequence[Pairs]) -> Pairs:
    """Those of all parts together."""
    return reduce(_both, parts)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _both(a: Pairs, b: Pairs) -> Pairs:
    scale = np.maximum(a.scale, b.scale)
    (squares_a, products_a), (squares_b, products_b) = (_scaled(part, scale) for part in (a, b))
    count = a.rows + b.rows
    share = b.rows / np.maximum(count, 1)
    apart = np.where((a.rows > 0) & (b.rows > 0), b.mean - a.mean, 0.0)
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


def _scaled(part: Pairs, scale: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squares and products in another measure."""
    ratio = part.scale / scale
    return part.squares * (ratio**2)[:, None], part.products * np.outer(ratio, ratio)
