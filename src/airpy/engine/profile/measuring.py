"""Measures a frame in one pass: batch after batch becomes a state, and states are merged as they come."""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from airpy.engine.profile.distinct import ALL, distinct_of
from airpy.engine.profile.frequent import frequent_among, frequent_of
from airpy.engine.profile.orders import order_of
from airpy.engine.profile.pairs import pairs_of
from airpy.engine.profile.powers import NO_POWERS, powers_of
from airpy.engine.profile.ranks import NO_RANKS, Ranks
from airpy.engine.profile.repeats import repeats_of
from airpy.engine.profile.samples import Draw, sample_of
from airpy.engine.profile.states import ColumnState, FrameState, ends_of, fitted, merged, room_for
from airpy.engine.profile.tallies import Tallies, tallies_of
from airpy.engine.profile.values import TEXTS, TIMES, counted_values, ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from airpy.engine.profile.frequent import Frequent
    from airpy.engine.profile.powers import Powers
    from airpy.engine.profile.states import Room
    from airpy.engine.profile.values import Counted, Ticks

__all__ = ["count_different", "measured", "numbers_of"]

MOST_PENDING = 4
"""States that wait to be merged."""
MOST_PAIRED = 64
"""Pairs grow with the square of the columns; beyond these, the first ones are compared."""
OPAQUE = (pl.Binary, pl.Null, pl.Object)
"""Types whose values are not looked at, beside nested ones."""
WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64)
"""Types whose ranks are kept as integers; those of other numbers are floats."""


class _Filled(NamedTuple):
    """A column, its values that are not null, and what `ticks_of` makes of these."""

    column: pl.Series
    values: pl.Series
    ticks: Ticks | None


def measured(frame: pl.LazyFrame, salt: int = 0) -> FrameState:
    """The state of a frame, in one pass over it.

    Args:
        frame: The frame.
        salt: What the draws for its sample depend on, so that parts of a frame draw differently.
    """
    room = room_for(len(frame.collect_schema()))
    batches = _batches(frame, room)
    pending = [_state_of(next(batches), room, salt)]
    for number, state in enumerate(_in_turn(batches, room, salt, pending)):
        if not number:  # alone, a batch may keep all of its numbers; several would take too much
            pending[:] = [fitted(pending[0], room)]
        pending.append(fitted(state, room))
        if len(pending) == MOST_PENDING:
            pending[:] = [merged(pending)]
    return merged(pending) if len(pending) > 1 else pending[0]


def count_different(frame: pl.LazyFrame, place: int) -> int:
    """The exact number of different values of a column, null not counted, by their hashes; 8 bytes a row."""
    hashes = frame.select(pl.nth(place).drop_nulls().hash()).collect(engine="streaming").to_series()
    return distinct_of(hashes.to_numpy(), len(hashes)).size


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


def _in_turn(
    batches: Iterable[pl.DataFrame], room: Room, salt: int, before: Sequence[FrameState]
) -> Iterator[FrameState]:
    """The states of batches in their order, of which several are measured at once: most of it is no Python.

    Args:
        batches: Those after the first.
        room: What a state may keep.
        salt: What the draws depend on.
        before: The states of all rows before, of which the first has the most.
    """
    place = before[0].rows
    threads = pl.thread_pool_size()
    waiting: deque[Future[FrameState]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for batch in batches:
            waiting.append(pool.submit(_state_of, batch, room, salt, place, before[0]))
            place += batch.height
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _state_of(
    batch: pl.DataFrame, room: Room, salt: int, place: int = 0, before: FrameState | None = None
) -> FrameState:
    """The state of some rows of a frame, from this place on.

    Args:
        batch: The rows.
        room: What a state may keep.
        salt: What the draws depend on.
        place: How many rows come before.
        before: The state of the first ones of them, beyond whose ceilings nothing need be kept.
    """
    schema = list(batch.schema.items())
    paired = tuple(
        place for place, (_, dtype) in enumerate(schema) if dtype.is_numeric() or isinstance(dtype, TIMES)
    )[:MOST_PAIRED]
    ceiling = None if before is None else before.sample.ceiling(room.sampled)
    # A series that is named as a pattern cannot be cast.
    filled = [_filled(column.alias("value")) for column in batch.get_columns()]
    known = [None] * len(filled) if before is None else before.columns
    return FrameState(
        rows=batch.height,
        null_rows=_null_rows(batch),
        bytes=int(batch.estimated_size()),
        columns=tuple(map(_column_of, filled, known, repeat(room))),
        paired=paired,
        pairs=pairs_of(_matrix([filled[n] for n in paired], batch.height)),
        sample=sample_of(batch, Draw(place, salt, ceiling), room.sampled),
        repeats=repeats_of(batch),
    )


def _filled(column: pl.Series) -> _Filled:
    values = column.drop_nulls() if column.has_nulls() else column
    return _Filled(column, values, ticks_of(values))


def _matrix(columns: Sequence[_Filled], height: int) -> NDArray[np.float64]:
    """Columns of numbers and times side by side; NaN where there is none."""
    matrix = np.full((height, len(columns)), np.nan, order="F")
    for n, (column, values, ticks) in enumerate(columns):
        if ticks is None:
            numbers = column.to_frame().select(numbers_of(pl.first(), column.dtype).fill_null(np.nan))
            matrix[:, n] = numbers.to_series().to_numpy()
        elif len(values) == height:
            matrix[:, n] = ticks
        else:
            matrix[column.is_not_null().to_numpy(), n] = ticks
    return matrix


def _column_of(column: _Filled, before: ColumnState | None, room: Room) -> ColumnState:
    _, values, ticks = column
    dtype, missing = values.dtype, column.column.null_count()
    if dtype.is_nested() or isinstance(dtype, OPAQUE):
        return ColumnState(missing, None, None, None, NO_RANKS, NO_POWERS, None, Tallies({}))
    counted = counted_values(values, ticks)
    ceiling = ALL if before is None or before.distinct is None else before.distinct.ceiling
    ranks, powers = _statistics(counted)
    return ColumnState(
        missing=missing,
        ends=_ends(counted),
        distinct=distinct_of(counted.hashes, room.distinct, ceiling),
        frequent=_frequent(counted, room),
        ranks=ranks,
        powers=powers,
        order=order_of(values.cast(pl.String) if isinstance(dtype, TEXTS) else values, ticks),
        tallies=tallies_of(counted),
    )


def _frequent(counted: Counted, room: Room) -> Frequent:
    if not counted.different:
        return frequent_among(counted.values, counted.hashes, room.frequent)
    found = frequent_of(counted.values, counted.counts, room.frequent)
    return found._replace(values=counted.restored(found.values))


def _statistics(counted: Counted) -> tuple[Ranks, Powers]:
    """Ranks of numbers or times, in ascending order, and powers of finite numbers."""
    dtype, is_time = counted.dtype, isinstance(counted.dtype, TIMES)
    if not (dtype.is_numeric() or is_time):
        return NO_RANKS, NO_POWERS
    whole = is_time or isinstance(dtype, WHOLE)
    numbers = counted.values.to_numpy() if whole else counted.floats()
    if dtype.is_float():
        numbers = numbers[: np.searchsorted(numbers, np.nan)]
    ranks = Ranks(numbers, counted.counts[: len(numbers)])
    if is_time:
        return ranks, NO_POWERS
    floats = numbers.astype(float, copy=False)
    finite = slice(np.searchsorted(floats, -np.inf, "right"), np.searchsorted(floats, np.inf))
    return ranks, powers_of(floats[finite], ranks.weights[finite])


def _ends(counted: Counted) -> pl.Series:
    """The least and the greatest value that is no NaN, null where there is none."""
    values = counted.values
    if not values.dtype.is_numeric():
        return ends_of(values)
    if values.dtype.is_float() and len(values) and math.isnan(values[-1]):
        values = values[:-1]
    return (
        counted.restored(values[[0, len(values) - 1]])
        if len(values)
        else pl.Series([None, None], dtype=counted.dtype)
    )


def _null_rows(batch: pl.DataFrame) -> int:
    """Rows that are null in every column."""
    if not (batch.width and all(column.has_nulls() for column in batch.iter_columns())):
        return 0
    return int(batch.select(pl.all_horizontal(pl.all().is_null()).sum()).item())
