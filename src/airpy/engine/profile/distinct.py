"""How many different values there are: counted while they are few, then estimated from the least hashes.

Hashes of different values are spread evenly over 64 bits, so that the place of the k-th least of them tells
how many there are (k minimum values: Bar-Yossef and others, 2002), with a relative standard error of
1 / √(k − 2). Two summaries merge into what one of both would have been.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from airpy.engine.profile.values import run_starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ALL", "Distinct", "distinct_of", "merged_distinct"]

SPACE = 2**64
ALL = SPACE - 1
"""The ceiling below which every hash is."""


class Distinct(NamedTuple):
    """The hashes of different values up to a ceiling, in ascending order."""

    hashes: NDArray[np.uint64]
    ceiling: int = ALL

    @property
    def exact(self) -> bool:
        """Whether they are those of all values."""
        return self.ceiling == ALL

    @property
    def size(self) -> int:
        """How many different values there are, or likely are."""
        kept = len(self.hashes)
        return kept if self.exact else round((kept - 1) * (SPACE / (self.ceiling + 1)))

    @property
    def error(self) -> float:
        """The relative standard error of the size."""
        return 0.0 if self.exact else 1 / math.sqrt(len(self.hashes) - 2)


def distinct_of(hashes: NDArray[np.uint64], most: int, ceiling: int = ALL) -> Distinct:
    """Of hashes, each any number of times, the least different ones.

    Args:
        hashes: Those of all values.
        most: How many are kept.
        ceiling: Above it, none is of use to the whole that these are a part of.
    """
    if ceiling < ALL:
        hashes = hashes[hashes <= ceiling]
    ordered = np.sort(hashes)
    ordered = ordered[run_starts(ordered)]
    if len(ordered) <= most:
        return Distinct(ordered, ceiling)
    return Distinct(ordered[:most].copy(), int(ordered[most - 1]))


def merged_distinct(parts: Sequence[Distinct], most: int) -> Distinct:
    """As if all values had been in one part."""
    ceiling = min(part.ceiling for part in parts)  # above it, some are missing
    return distinct_of(np.concatenate([part.hashes for part in parts]), most, ceiling)
