"""How many different values there are: counted while they are few, then estimated from the least hashes.

Hashes of different values are spread evenly over 64 bits, so that the place of the k-th least of them tells
how many there are (k minimum values: Bar-Yossef and others, 2002), with a relative standard error of
1 / √(k − 2). Two summaries merge into what one of both would have been.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Distinct", "distinct_of", "merged_distinct"]

SPACE = 2**64


class Distinct(NamedTuple):
    """The least hashes of different values, in ascending order."""

    hashes: NDArray[np.uint64]
    exact: bool
    """Whether they are those of all values."""

    @property
    def size(self) -> int:
        """How many different values there are, or likely are."""
        kept = len(self.hashes)
        return kept if self.exact else round((kept - 1) * (SPACE / (int(self.hashes[-1]) + 1)))

    @property
    def error(self) -> float:
        """The relative standard error of the size."""
        return 0.0 if self.exact else 1 / math.sqrt(len(self.hashes) - 2)


def distinct_of(hashes: NDArray[np.uint64], most: int) -> Distinct:
    """Of hashes, each any number of times, the least different ones."""
    return _least(_different(hashes), most, exact=True)


def merged_distinct(parts: Sequence[Distinct], most: int) -> Distinct:
    """As if all values had been in one part."""
    hashes = _different(np.concatenate([part.hashes for part in parts]))
    capped = [part.hashes[-1] for part in parts if not part.exact]
    if capped:  # beyond the least of them, some are missing
        hashes = hashes[: np.searchsorted(hashes, min(capped), side="right")]
    return _least(hashes, most, exact=not capped)


def _different(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each once, in ascending order."""
    ordered = np.sort(hashes)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _least(hashes: NDArray[np.uint64], most: int, *, exact: bool) -> Distinct:
    return Distinct(hashes[:most].copy(), exact=False) if len(hashes) > most else Distinct(hashes, exact)
