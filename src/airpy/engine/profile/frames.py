"""Metrics of whole frames: rows that repeat or are null, keys, and which columns are null together."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.contract import Estimate, MissingPattern
from airpy.engine.profile.distinct import distinct_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import ColumnMetrics, FrameMetrics
    from airpy.engine.profile.states import FrameState

__all__ = ["Differing", "add_frame_metrics", "candidate_keys"]

MOST_PATTERNS = 20
MOST_PAIRS = 30
"""Pairs of columns that are tried as keys, those with the most different values first."""


class Differing(NamedTuple):
    """What is known of the different values of a column."""

    size: int | None
    """How many there are, null not counted."""
    is_unique: bool | None
    """Whether each occurs once."""


def add_frame_metrics(
    metrics: FrameMetrics, state: FrameState, columns: Sequence[ColumnMetrics], *, whole: bool
) -> None:
    """Add what the state tells of the frame; keys and patterns, which take longer, when `whole`."""
    metrics.null_rows = state.null_rows
    metrics.sampled_rows = state.sample.rows.height
    if state.repeats is not None:
        metrics.duplicate_rows, error = state.repeats.estimate()
        if not state.repeats.exact:
            method = "hashes of rows in a part of their space"
            metrics.estimates = [Estimate(metric="duplicate_rows", method=method, error=error)]
    if whole:
        metrics.candidate_keys = candidate_keys(
            state, [Differing(column.unique, column.is_unique) for column in columns]
        )
        metrics.missingness = _patterns(state, columns)


def candidate_keys(state: FrameState, columns: Sequence[Differing]) -> list[list[str]]:
    """Columns that name every row, alone or else in pairs."""
    rows, names = state.rows, state.schema.names()
    if rows < 2:  # noqa: PLR2004
        return []
    filled = {place: each for place, each in enumerate(columns) if not state.columns[place].missing}
    if alone := [[names[place]] for place, each in filled.items() if each.is_unique]:
        return alone
    if state.sample.rows.height < rows:
        return []
    dtypes = state.schema.dtypes()
    sizes = {
        place: each.size
        for place, each in filled.items()
        if each.size is not None and each.size > 1 and not dtypes[place].is_float()
    }
    pairs = [pair for pair in combinations(sizes, 2) if sizes[pair[0]] * sizes[pair[1]] >= rows]
    tried = sorted(pairs, key=lambda pair: -sizes[pair[0]] * sizes[pair[1]])[:MOST_PAIRS]
    if not tried:
        return []
    places = sorted({place for pair in tried for place in pair})
    # Each by a seed of its own, so that a pair is told from the same values the other way round.
    hashes = state.sample.rows.select(pl.nth(place).hash(place).alias(f"{place}") for place in places)
    of = {place: hashes[f"{place}"].to_numpy() for place in places}
    return [
        [names[one], names[two]] for one, two in tried if distinct_of(of[one] ^ of[two], rows).size == rows
    ]


def _patterns(state: FrameState, columns: Sequence[ColumnMetrics]) -> list[MissingPattern]:
    """Which columns are null together in the sample."""
    frame = state.sample.rows
    places = [place for place, column in enumerate(columns) if column.missing]
    if not places or not frame.height:
        return []
    flags = frame.select(pl.nth(place).is_null().alias(f"{place}") for place in places)
    found = (
        flags.group_by(pl.all())
        .len("rows")
        .filter(pl.any_horizontal(pl.exclude("rows")))
        .sort("rows", *(f"{place}" for place in places), descending=True)
        .head(MOST_PATTERNS)
    )
    return [
        MissingPattern(
            columns=[columns[place].name for place, is_null in zip(places, row, strict=False) if is_null],
            rows=row[-1],
            share=row[-1] / frame.height,
        )
        for row in found.rows()
    ]
