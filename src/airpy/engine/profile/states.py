"""What is kept of rows that were looked at, in bounded memory: states of parts, which merge into one of all.

Whatever is exact of a part stays so when parts are merged, as far as there is room; else it is an estimate
that knows its error. `measuring.py` makes states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.profile.distinct import Distinct, merged_distinct
from airpy.engine.profile.frequent import Frequent, merged_frequent
from airpy.engine.profile.orders import Order, merged_order
from airpy.engine.profile.pairs import Pairs, merged_pairs
from airpy.engine.profile.powers import Powers, merged_powers
from airpy.engine.profile.ranks import Ranks, merged_ranks
from airpy.engine.profile.repeats import Repeats, merged_repeats
from airpy.engine.profile.samples import RowSample, merged_sample
from airpy.engine.profile.tallies import Tallies, merged_tallies

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ColumnState", "FrameState", "Room", "ends_of", "fitted", "merged", "room_for"]

MOST_TEXTS = 20_000
"""Of the sampled rows, those whose texts are looked at one by one."""


class Room(NamedTuple):
    """How much a state may keep."""

    ranks: int
    distinct: int
    frequent: int
    sampled: int
    batch: int
    """Rows that are measured at once."""


def room_for(width: int) -> Room:
    """The room of a frame of so many columns: some hundred megabytes, however wide it is."""
    width = max(width, 1)
    wide = min(max(4_000_000 // width, 1_024), 65_536)
    return Room(
        ranks=wide,
        distinct=wide,
        frequent=min(max(1_000_000 // width, 256), 16_384),
        sampled=min(max(2_000_000 // width, 1_000), 100_000),
        batch=min(max(8_000_000 // width, 4_096), 100_000),
    )


class ColumnState(NamedTuple):
    """What is kept of one column. What its type does not have is None or empty."""

    missing: int
    ends: pl.Series | None
    """The least and the greatest value, null where there is none; NaN is none."""
    distinct: Distinct | None
    frequent: Frequent | None
    ranks: Ranks
    """Of numbers, finite or not; of times, in the ticks of their type."""
    powers: Powers
    """Of finite numbers."""
    order: Order | None
    tallies: Tallies


class FrameState(NamedTuple):
    """What is kept of a frame."""

    rows: int
    null_rows: int
    bytes: int
    """What it takes in memory."""
    columns: tuple[ColumnState, ...]
    paired: tuple[int, ...]
    """The columns that are paired."""
    pairs: Pairs
    sample: RowSample
    repeats: Repeats | None
    """None where a column cannot be hashed."""

    @property
    def schema(self) -> pl.Schema:
        """Names and types of the columns."""
        return self.sample.rows.schema

    def texts(self, place: int) -> pl.Series:
        """Sampled texts of a column, from all of the frame alike; nulls left out."""
        column = self.sample.rows.to_series(place).alias("text")  # a series named as a pattern cannot be cast
        return column.gather_every(max(-(-len(column) // MOST_TEXTS), 1)).cast(pl.String).drop_nulls()


def ends_of(values: pl.Series) -> pl.Series:
    """The least and the greatest of values without NaN, null where there is none; of their type."""
    # By their places, since a time that no calendar shows is no value of Python's.
    low, high = values.arg_min(), values.arg_max()
    if low is None or high is None:
        return pl.Series([None, None], dtype=values.dtype)
    return values.gather([low, high])


def fitted(state: FrameState, room: Room) -> FrameState:
    """The state of one batch of many, whose numbers have an eighth of the room: they are merged."""
    most = max(room.ranks // 8, 1)
    columns = tuple(column._replace(ranks=column.ranks.cut(most)) for column in state.columns)
    return state._replace(columns=columns)


def merged(states: Sequence[FrameState]) -> FrameState:
    """The state of the rows of all of them, in this order; of frames with the same columns."""
    first = states[0]
    room = room_for(len(first.columns))
    repeats = [state.repeats for state in states if state.repeats is not None]
    return FrameState(
        rows=sum(state.rows for state in states),
        null_rows=sum(state.null_rows for state in states),
        bytes=sum(state.bytes for state in states),
        columns=tuple(
            _merged_column(parts, room) for parts in zip(*(state.columns for state in states), strict=True)
        ),
        paired=first.paired,
        pairs=merged_pairs([state.pairs for state in states]),
        sample=merged_sample([state.sample for state in states], room.sampled),
        repeats=merged_repeats(repeats) if repeats else None,
    )


def _merged_column(parts: Sequence[ColumnState], room: Room) -> ColumnState:
    missing = sum(part.missing for part in parts)
    first = parts[0]
    if first.ends is None:
        return first._replace(missing=missing)
    ends = pl.concat([part.ends for part in parts if part.ends is not None])
    return ColumnState(
        missing=missing,
        ends=ends_of(ends),
        distinct=merged_distinct(
            [part.distinct for part in parts if part.distinct is not None], room.distinct
        ),
        frequent=merged_frequent(
            [part.frequent for part in parts if part.frequent is not None], room.frequent
        ),
        ranks=merged_ranks([part.ranks for part in parts], room.ranks),
        powers=merged_powers([part.powers for part in parts]),
        order=merged_order([part.order for part in parts if part.order is not None]),
        tallies=merged_tallies([part.tallies for part in parts]),
    )
