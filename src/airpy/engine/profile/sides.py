"""What is compared of two frames, made from what was kept of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.engine.profile.changes import ColumnSide, Side
from airpy.engine.profile.frames import candidate_keys
from airpy.engine.profile.metrics import differing
from airpy.engine.profile.values import TIMES

if TYPE_CHECKING:
    from airpy.engine.profile.states import FrameState

__all__ = ["sides_of", "slim"]

MOST_KEPT = 200_000
"""Values of a sample that is kept whole."""


def sides_of(before: FrameState, after: FrameState) -> tuple[Side, Side]:
    """The two sides; keys of two columns are left out where one of them was not looked through for such."""
    whole = all(state.sample.rows.height == state.rows for state in (before, after))
    one, two = (_side(state, pairs=whole) for state in (before, after))
    return one, two


def slim(state: FrameState) -> FrameState:
    """The state without what no comparison needs: the hashes of rows, and a large sample."""
    rows = state.sample.rows
    if rows.height * rows.width > MOST_KEPT:
        most = MOST_KEPT // rows.width
        state = state._replace(
            sample=state.sample._replace(rows=rows.head(most), drawn=state.sample.drawn[:most])
        )
    return state._replace(repeats=None)


def _side(state: FrameState, *, pairs: bool) -> Side:
    columns = []
    for (name, dtype), column in zip(state.schema.items(), state.columns, strict=True):
        ranks = column.ranks if dtype.is_numeric() or isinstance(dtype, TIMES) else None
        count = state.rows - column.missing
        columns.append(ColumnSide(name, dtype, count, column.missing, ranks, column.frequent))
    keys = candidate_keys(state, [differing(state, place) for place in range(len(columns))])
    return Side(state.rows, columns, [key for key in keys if pairs or len(key) == 1])
