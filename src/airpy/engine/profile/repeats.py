"""How many rows repeat an earlier one, by their hashes: all of them, or those in a part of their space.

Equal rows have equal hashes, so that a part of the space holds all rows of some and none of others: what it
says is unbiased. That different rows share a hash of 64 bits is not to be expected below a billion rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Repeats", "merged_repeats", "repeats_of"]

MOST = 8_000_000
"""Hashes that are kept, 8 bytes each."""
SPACE = 2**64


class Repeats(NamedTuple):
    """The hashes of rows up to a ceiling, those of equal rows each."""

    hashes: NDArray[np.uint64]
    ceiling: int = SPACE - 1

    @property
    def exact(self) -> bool:
        """Whether the hash of every row is there."""
        return self.ceiling == SPACE - 1

    def estimate(self) -> tuple[int, float]:
        """How many rows repeat an earlier one, and the relative standard error of that."""
        ordered = np.sort(self.hashes)
        found = int(np.count_nonzero(ordered[1:] == ordered[:-1]))
        if self.exact:
            return found, 0.0
        return round(found * (SPACE / (self.ceiling + 1))), 1 / math.sqrt(max(found, 1))


def repeats_of(frame: pl.DataFrame) -> Repeats | None:
    """The hashes of the frame's rows; None where a column cannot be hashed."""
    if not frame.width or any(dtype.is_nested() or isinstance(dtype, pl.Object) for dtype in frame.dtypes):
        return None
    return _fitting(frame.hash_rows().to_numpy(), SPACE - 1)


def merged_repeats(parts: Sequence[Repeats]) -> Repeats:
    """Those of all parts together."""
    ceiling = min(part.ceiling for part in parts)
    return _fitting(np.concatenate([_below(part.hashes, ceiling) for part in parts]), ceiling)


def _fitting(hashes: NDArray[np.uint64], ceiling: int) -> Repeats:
    while len(hashes) > MOST:
        ceiling //= 2
        hashes = _below(hashes, ceiling)
    return Repeats(hashes, ceiling)


def _below(hashes: NDArray[np.uint64], ceiling: int) -> NDArray[np.uint64]:
    return hashes if ceiling == SPACE - 1 else hashes[hashes <= ceiling]
