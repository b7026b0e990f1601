"""Numbers by their ranks: all of them while they are few, then evenly spaced ones with their weights.

A summary of many numbers keeps those in the middle of as many parts of equal weight. It merges with others by
putting them together and doing so again; each time, ranks are off by half a part at most (Munro and Paterson,
1980, whose way KLL makes random). What keeps every number gives exact answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from airpy.engine.profile.values import run_starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["NO_RANKS", "Ranks", "merged_ranks"]


class Ranks(NamedTuple):
    """Different numbers in ascending order, and how often each stands for one."""

    values: NDArray[np.float64] | NDArray[np.int64]
    weights: NDArray[np.int64]
    error: float = 0.0
    """How far a rank may be off, as a share of all numbers; 0 where every number is there."""

    @property
    def total(self) -> int:
        """How many numbers they stand for."""
        return int(self.weights.sum())

    @property
    def exact(self) -> bool:
        """Whether every number is there."""
        return self.error == 0

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """The numbers below which these shares lie, by linear interpolation (Hyndman and Fan's type 7)."""
        ends = np.cumsum(self.weights)
        places = (ends[-1] - 1) * np.asarray(shares)
        below = np.floor(places)
        low = self._at(below, ends)
        high = self._at(np.ceil(places), ends)
        with np.errstate(over="ignore", invalid="ignore"):  # between infinities lies nothing that is told
            # Between equal numbers there is nothing to round.
            between = np.where(low == high, low, low + (high - low) * (places - below))
        return [float(value) for value in between]

    def counts_up_to(self, points: ArrayLike) -> NDArray[np.int64]:
        """How many are no greater than each of these."""
        ends = np.concatenate([[0], np.cumsum(self.weights)])
        return ends[np.searchsorted(self.values, points, side="right")]

    def counts_between(self, edges: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.int64]:
        """How many lie from each edge up to the next one, which only the last two take in."""
        ends = np.concatenate([[0], np.cumsum(self.weights)])
        places = np.searchsorted(self.values, edges, side="left")
        places[-1] = np.searchsorted(self.values, edges[-1], side="right")
        return np.diff(ends[places])

    def deviations(self, centre: float) -> Ranks:
        """The distances from a number."""
        distances = np.abs(self.values.astype(np.float64) - centre)
        order = np.argsort(distances, kind="stable")
        return Ranks(distances[order], self.weights[order], self.error)

    def cut(self, most: int) -> Ranks:
        """At most so many of them."""
        if len(self.values) <= most:
            return self
        ends = np.cumsum(self.weights)
        total = int(ends[-1])
        parts = np.arange(most, dtype=np.int64)
        middles = (2 * parts + 1) * total // (2 * most)
        borders = np.append(parts, most) * total // most
        values = self.values[np.searchsorted(ends, middles, side="right")]
        return _collapsed(values, np.diff(borders), self.error + 0.5 / most)

    def _at(self, places: NDArray[np.float64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
        """The numbers at these places, counted from 0."""
        return np.asarray(self.values[np.searchsorted(ends, places, side="right")], dtype=np.float64)


NO_RANKS = Ranks(np.empty(0), np.empty(0, np.int64))


def merged_ranks(parts: Sequence[Ranks], most: int) -> Ranks:
    """The numbers of all parts, at most so many of them."""
    filled = [part for part in parts if len(part.values)]
    if len(filled) < 2:  # noqa: PLR2004
        return filled[0].cut(most) if filled else NO_RANKS
    values = np.concatenate([part.values for part in filled])
    weights = np.concatenate([part.weights for part in filled])
    order = np.argsort(values)
    error = sum(part.error * part.total for part in filled) / int(weights.sum())
    return _collapsed(values[order], weights[order], error).cut(most)


def _collapsed(
    values: NDArray[np.float64] | NDArray[np.int64], weights: NDArray[np.int64], error: float
) -> Ranks:
    """Ascending numbers with equal ones together."""
    starts = run_starts(values)
    return Ranks(values[starts], np.add.reduceat(weights, starts), error)
