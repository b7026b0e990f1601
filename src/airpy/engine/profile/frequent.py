"""The most frequent values, counted: all while they are few, else those that came through every merge.

What falls out of one part may have been in another, so a count may lack as much as the greatest that fell out
of each (Misra and Gries, 1982, as Agarwal and others, 2013, merge it); `missed` adds that up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from airpy.engine.profile.values import run_starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Frequent", "frequent_among", "frequent_of", "merged_frequent"]

LONGEST = 1024
"""Bytes of a text that is kept; of longer ones it is only known how often the most frequent is there."""


class Frequent(NamedTuple):
    """Values and their counts, the most frequent first, equal ones in ascending order."""

    values: pl.Series
    counts: pl.Series
    missed: int = 0
    """How many rows of a value may not be counted, at most; 0 where every value is there."""

    @property
    def known(self) -> bool:
        """Whether every value is there."""
        return self.missed == 0


def frequent_of(values: pl.Series, counts: NDArray[np.int64], most: int, missed: int = 0) -> Frequent:
    """The most frequent of these different values, which are in ascending order."""
    if bound := _bound(counts, most):
        kept = np.flatnonzero(counts > bound)
        values, counts = values[kept], counts[kept]
        missed += bound
    if values.dtype == pl.String:
        long = (values.str.len_bytes() > LONGEST).to_numpy()
        missed += int(counts[long].max(initial=0))
        values, counts = values.filter(~long), counts[~long]
    order = np.argsort(-counts, kind="stable")
    return Frequent(values[order], pl.Series("count", counts[order]), missed)


def frequent_among(rows: pl.Series, hashes: NDArray[np.uint64], most: int) -> Frequent:
    """The most frequent values of rows that are nearly all different.

    Those of the most frequent hashes are counted, so that few are looked at.
    """
    ordered = np.sort(hashes)
    starts = run_starts(ordered)
    counts = np.diff(starts, append=len(ordered))
    bound = _bound(counts, most)
    chosen = pl.Series(ordered[starts[counts > bound]])
    counted = rows.filter(pl.Series(hashes).is_in(chosen.implode())).value_counts(name="count")
    return _frequent(counted.select(pl.nth(0).alias("value"), "count"), most, bound)


def merged_frequent(parts: Sequence[Frequent], most: int) -> Frequent:
    """Those of all parts together."""
    frames = [pl.DataFrame({"value": part.values, "count": part.counts}) for part in parts]
    counted = pl.concat(frames).group_by("value").agg(pl.col("count").sum())
    return _frequent(counted, most, sum(part.missed for part in parts))


def _frequent(counted: pl.DataFrame, most: int, missed: int) -> Frequent:
    """The same, of values in any order."""
    counted = counted.with_columns(pl.col("count").cast(pl.Int64))
    bound = _bound(counted["count"].to_numpy(), most)
    if bound:  # what is left out need not be put in order
        counted = counted.filter(pl.col("count") > bound)
    counted = counted.sort("value")
    return frequent_of(counted["value"], counted["count"].to_numpy(), most, missed + bound)


def _bound(counts: NDArray[np.int64], most: int) -> int:
    """The count that is too small to be kept, 0 where all are.

    Values as frequent as the first that does not fit go with it: which of them stay would be chance.
    """
    return int(np.sort(counts)[-most - 1]) if len(counts) > most else 0
