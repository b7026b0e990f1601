"""Frames in parts: cut at given rows, and states of the parts as `measured` would have merged them."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import strategies as st

from airpy.engine.profile.measuring import measured
from airpy.engine.profile.states import merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.engine.profile.states import FrameState

__all__ = ["COLUMNS", "cut_at", "frames", "merged_parts"]

COLUMNS: dict[str, tuple[pl.DataType | type[pl.DataType], st.SearchStrategy[Any]]] = {
    "n": (pl.Int64, st.integers(-50, 50)),
    "big": (pl.Int64, st.integers(-(2**63), 2**63 - 1)),
    "huge": (pl.UInt64, st.integers(0, 2**64 - 1)),
    "x": (pl.Float64, st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, float("nan"), float("inf")])),
    "s": (pl.String, st.text(max_size=6)),
    "c": (pl.Categorical, st.sampled_from(["low", "middle", "high"])),
    "b": (pl.Boolean, st.booleans()),
    "at": (pl.Datetime("us"), st.datetimes()),
    "day": (pl.Date, st.dates()),
    "took": (pl.Duration("us"), st.timedeltas(dt.timedelta(-9), dt.timedelta(9))),
    "raw": (pl.Binary, st.binary(max_size=3)),
    "none": (pl.Null, st.none()),
}
"""Columns by name: their type and their values."""


@st.composite
def frames(draw: st.DrawFn, most: int = 20) -> pl.DataFrame:
    """Frames of every column, with nulls."""
    height = draw(st.integers(0, most))
    return pl.DataFrame(
        {
            name: pl.Series(draw(st.lists(values | st.none(), min_size=height, max_size=height)), dtype=dtype)
            for name, (dtype, values) in COLUMNS.items()
        }
    )


def cut_at(frame: pl.DataFrame, places: Sequence[int]) -> list[pl.DataFrame]:
    """The frame's parts between these rows; those without rows too."""
    ends = [0, *sorted(min(place, frame.height) for place in places), frame.height]
    return [frame[start:end] for start, end in itertools.pairwise(ends)]


def merged_parts(parts: Sequence[pl.DataFrame]) -> FrameState:
    """The state of all parts, each measured by itself."""
    return merged([measured(part.lazy()) for part in parts])
