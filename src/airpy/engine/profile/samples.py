"""Rows drawn evenly from a frame, for what cannot be measured on all of them.

Each row draws a number that depends on nothing but its place, and the rows with the least numbers are the
sample (bottom-k sampling: Cohen and Kaplan, 2007); so those of two parts merge into one of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Draw", "RowSample", "merged_sample", "sample_of"]

SEED = 20_250_930


class Draw(NamedTuple):
    """How the rows of a part of a frame draw."""

    first: int
    """The place of the first of them in the whole."""
    salt: int = 0
    """What tells the whole from others."""
    ceiling: int | None = None
    """What a row may draw at most to come into a sample of the whole, where that is known."""


class RowSample(NamedTuple):
    """Rows in the order of their frame, and what each has drawn."""

    rows: pl.DataFrame
    drawn: NDArray[np.uint64]

    def ceiling(self, most: int) -> int | None:
        """What another row may draw at most to come into a sample of so many; None while there is room."""
        return int(self.drawn.max()) if len(self.drawn) >= most else None


def sample_of(frame: pl.DataFrame, draw: Draw, most: int) -> RowSample:
    """At most so many rows of a part of a frame."""
    places = pl.int_range(draw.first, draw.first + frame.height, dtype=pl.UInt64, eager=True)
    drawn = places.hash(SEED + draw.salt).to_numpy()
    if draw.ceiling is not None:
        kept = np.flatnonzero(drawn <= draw.ceiling)
        frame, drawn = frame[kept], drawn[kept]
    return _least(frame, drawn, most)


def merged_sample(parts: Sequence[RowSample], most: int) -> RowSample:
    """As if it had been drawn from all parts at once."""
    rows = pl.concat([part.rows for part in parts])
    return _least(rows, np.concatenate([part.drawn for part in parts]), most)


def _least(frame: pl.DataFrame, drawn: NDArray[np.uint64], most: int) -> RowSample:
    if frame.height <= most:
        return RowSample(frame, drawn)
    kept = np.sort(np.argpartition(drawn, most)[:most])
    return RowSample(frame[kept], drawn[kept])
