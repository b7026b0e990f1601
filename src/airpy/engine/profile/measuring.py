"""Measures a frame in one pass: batch after batch becomes a state, and states are merged as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from airpy.engine.profile.distinct import distinct_of
from airpy.engine.profile.frequent import frequent_of
from airpy.engine.profile.orders import orders_of
from airpy.engine.profile.pairs import pairs_of
from airpy.engine.profile.powers import NO_POWERS, powers_of
from airpy.engine.profile.ranks import NO_RANKS, Ranks
from airpy.engine.profile.repeats import repeats_of
from airpy.engine.profile.samples import sample_of
from airpy.engine.profile.states import (
    TEXTS,
    TIMES,
    ColumnState,
    FrameState,
    ends_of,
    fitted,
    merged,
    room_for,
)
from airpy.engine.profile.tallies import Tallies, tallies_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airpy.engine.profile.orders import Order
    from airpy.engine.profile.states import Room

__all__ = ["count_different", "measured", "numbers_of"]

MOST_PENDING = 8
"""States that wait to be merged."""
MOST_PAIRED = 64
"""Pairs grow with the square of the columns; beyond these, the first ones are compared."""
OPAQUE = (pl.Binary, pl.Null, pl.Object)
"""Types whose values are not looked at, beside nested ones."""
WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64)
"""Types whose ranks are kept as integers; those of other numbers are floats."""


def measured(frame: pl.LazyFrame) -> FrameState:
    """The state of a frame, in one pass over it."""
    room = room_for(len(frame.collect_schema()))
    pending: list[FrameState] = []
    for batch in _batches(frame, room):
        ceilings = [known for state in pending if (known := state.sample.ceiling(room.sampled)) is not None]
        first = sum(state.rows for state in pending)
        pending.append(_state_of(batch, first, room, min(ceilings, default=None)))
        if len(pending) > 1:  # alone, a batch may keep all of its numbers; several would take too much
            pending[-2:] = [fitted(state, room) for state in pending[-2:]]
        if len(pending) == MOST_PENDING:
            pending = [merged(pending)]
    return merged(pending) if len(pending) > 1 else pending[0]


def count_different(frame: pl.LazyFrame, place: int) -> int:
    """The exact number of different values of a column, null not counted, by their hashes; 8 bytes a row."""
    hashes = (
        frame.select(pl.nth(place).drop_nulls().hash()).collect(engine="streaming").to_series().to_numpy()
    )
    ordered = np.sort(hashes)
    return int((ordered[1:] != ordered[:-1]).sum()) + min(len(ordered), 1)


def numbers_of(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column of numbers or times as floats; what is no finite number is null."""
    number = column if dtype.is_numeric() else column.to_physical()
    number = number.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number)


def _batches(frame: pl.LazyFrame, room: Room) -> Iterator[pl.DataFrame]:
    """The rows in their order, some at a time; one empty part of a frame without rows."""
    empty = True
    for batch in frame.collect_batches(chunk_size=room.batch, maintain_order=True, engine="streaming"):
        if batch.height:
            empty = False
            yield batch
    if empty:
        yield frame.collect_schema().to_frame()


def _state_of(batch: pl.DataFrame, first: int, room: Room, ceiling: int | None) -> FrameState:
    schema = list(batch.schema.items())
    paired = tuple(
        place for place, (_, dtype) in enumerate(schema) if dtype.is_numeric() or isinstance(dtype, TIMES)
    )[:MOST_PAIRED]
    matrix = batch.select(numbers_of(pl.nth(place), schema[place][1]) for place in paired)
    return FrameState(
        rows=batch.height,
        null_rows=_null_rows(batch),
        bytes=int(batch.estimated_size()),
        columns=_columns_of(batch, room),
        paired=paired,
        pairs=pairs_of(matrix.fill_null(float("nan")).to_numpy())
        if paired
        else pairs_of(np.empty((batch.height, 0))),
        sample=sample_of(batch, first, room.sampled, ceiling),
        repeats=repeats_of(batch),
    )


def _columns_of(batch: pl.DataFrame, room: Room) -> tuple[ColumnState, ...]:
    missing = batch.null_count().row(0) if batch.width else ()
    places = [
        place
        for place, dtype in enumerate(batch.dtypes)
        if not (dtype.is_nested() or isinstance(dtype, OPAQUE))
    ]
    # In memory, since a stream of its own for each column takes longer than what flows through it.
    frames = pl.collect_all([_counted(batch.to_series(place)) for place in places], engine="in-memory")
    tallies = tallies_of(frames)
    orders = orders_of(batch, places)
    known = {
        place: _column(frame, missing[place], tally, order, room)
        for place, frame, tally, order in zip(places, frames, tallies, orders, strict=True)
    }
    nothing = Tallies({})
    return tuple(
        known.get(place) or ColumnState(nulls, None, None, None, NO_RANKS, NO_POWERS, None, nothing)
        for place, nulls in enumerate(missing)
    )


def _counted(column: pl.Series) -> pl.LazyFrame:
    """The column's different values, with their counts and hashes; numbers and times in ascending order."""
    dtype = column.dtype
    values = column.cast(pl.String) if isinstance(dtype, TEXTS) else column
    counted = (
        values.alias("value")
        .to_frame()
        .lazy()
        .drop_nulls()
        .group_by("value")
        .agg(pl.len().cast(pl.Int64).alias("count"))
        .with_columns(pl.col("value").hash().alias("hash"))
    )
    return counted.sort("value") if dtype.is_numeric() or isinstance(dtype, TIMES) else counted


def _column(counted: pl.DataFrame, missing: int, tallies: Tallies, order: Order, room: Room) -> ColumnState:
    dtype = counted.schema["value"]
    values, weights = counted["value"], counted["count"].to_numpy()
    sound = values.fill_nan(None).drop_nulls() if dtype.is_float() else values
    ranks, powers = NO_RANKS, NO_POWERS
    if dtype.is_numeric() or isinstance(dtype, TIMES):
        ticks = sound.to_physical() if isinstance(dtype, TIMES) else sound
        numbers = ticks.cast(pl.Int64 if ticks.dtype in WHOLE else pl.Float64).to_numpy()
        ranks = Ranks(numbers, weights[: len(numbers)])  # NaN comes last
        if dtype.is_numeric():
            finite = numbers.astype(float)
            there = np.isfinite(finite)
            powers = powers_of(finite[there], ranks.weights[there])
    return ColumnState(
        missing=missing,
        ends=ends_of(sound),
        distinct=distinct_of(counted["hash"].to_numpy(), room.distinct),
        frequent=frequent_of(counted.select("value", "count"), room.frequent),
        ranks=ranks,
        powers=powers,
        order=order,
        tallies=tallies,
    )


def _null_rows(batch: pl.DataFrame) -> int:
    """Rows that are null in every column."""
    if not batch.width:
        return 0
    return int(batch.select(pl.all_horizontal(pl.all().is_null()).sum()).item())
