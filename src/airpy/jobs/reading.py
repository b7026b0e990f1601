"""Tells which files an answer comes from, and how they were read."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from airpy.contract import Faults, Reading
from airpy.files.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.files.datasets import Dataset
    from airpy.files.opening import Opened

__all__ = ["reading_of"]

MOST_TEXTS = 100
MOST_EXAMPLES = 10


def reading_of(datasets: Sequence[Dataset], opened: Sequence[Opened]) -> Reading:
    """What the contract's `Reading` says of these data sets, once their frames are read."""
    faults = [each.faults for each in opened]
    return Reading(
        sources=sources_of(datasets),
        texts=list(chain.from_iterable(each.texts for each in opened))[:MOST_TEXTS],
        faults=Faults(
            rows_skipped=sum(each.rows_skipped for each in faults),
            values_nulled=sum(each.values_nulled for each in faults),
            rows_ragged=sum(each.rows_ragged for each in faults),
            examples=list(chain.from_iterable(each.examples for each in faults))[:MOST_EXAMPLES],
        ),
    )
