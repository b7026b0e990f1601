"""Reads frames of several files as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.schema import instance
from airpy.errors import FileUnavailable, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["as_one"]

KINDS: dict[type[pl.DataType], str] = {
    pl.Boolean: "true or false",
    pl.String: "text",
    pl.Categorical: "text",
    pl.Enum: "text",
    pl.Date: "times without a zone",
    pl.Time: "times of day",
    pl.Duration: "durations",
    pl.Binary: "bytes",
    pl.List: "lists",
    pl.Array: "lists",
    pl.Struct: "structs",
}
WRITTEN_AS_TEXT = {
    "text",
    "numbers",
    "true or false",
    "times without a zone",
    "times in a zone",
    "times of day",
}
"""Kinds that become text beside text without loss."""


def as_one(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """The frames one under another, with the columns of all and, where types differ, the wider one.

    Raises:
        FileUnavailable: A column is of one kind here and of another there. Polars would rather turn dates
            into numbers, and numbers into structs.
    """
    if len(frames) == 1:
        return frames[0]
    kinds: dict[str, set[str]] = {}
    for frame in frames:
        for name, dtype in frame.collect_schema().items():
            for place, kind in _kinds(name, dtype):
                kinds.setdefault(place, set()).add(kind)
    for place, found in kinds.items():
        if len(found) > 1 and not ("text" in found and found <= WRITTEN_AS_TEXT):
            raise FileUnavailable(
                f'"{shortened(place)}" holds {" here and ".join(sorted(found))} there, in files read as one',
                constraint=f"one of: {listed(sorted(found))}",
            )
    return pl.concat(frames, how="diagonal_relaxed")


def _kinds(place: str, dtype: pl.DataType) -> Iterator[tuple[str, str]]:
    """What a column holds, and what its items and members do; nothing where it is all null."""
    match dtype:
        case pl.Null():
            return
        case pl.Datetime() if dtype.time_zone is not None:
            yield place, "times in a zone"
        case pl.Datetime():
            yield place, "times without a zone"
        case _:
            yield place, KINDS.get(type(dtype), "numbers" if dtype.is_numeric() else str(dtype))
    if isinstance(dtype, pl.List | pl.Array):
        yield from _kinds(f"{place}[]", instance(dtype.inner))
    if isinstance(dtype, pl.Struct):
        for member in dtype.fields:
            yield from _kinds(f"{place}.{member.name}", instance(member.dtype))
