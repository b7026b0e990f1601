"""Reads frames of several files as one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.schema import instance
from airpy.errors import FileUnavailable, listed, shortened
from airpy.files.evolution import spellings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
CAST_TO_TEXT = WRITTEN_AS_TEXT | {"durations"}
EXACT_IN_FLOAT = 2**53


def as_one(frames: Sequence[pl.LazyFrame], names: Sequence[str] = ()) -> pl.LazyFrame:
    """The frames one under another, with the columns of all and, where types differ, the wider one.

    Columns whose names differ in upper and lower case alone are one. Integers beside floats become those,
    and both text where one would be rounded.

    Args:
        frames: What the files hold.
        names: What the caller knows them by.

    Raises:
        FileUnavailable: A column is of one kind here and of another there. Polars would rather turn dates
            into numbers, and numbers into structs.
    """
    if len(frames) == 1:
        return frames[0]
    spelled = spellings({place: frame.collect_schema() for place, frame in enumerate(frames)})
    frames = [
        frame.rename(spelled[place]) if place in spelled else frame for place, frame in enumerate(frames)
    ]
    kinds: dict[str, dict[str, int]] = {}
    for index, frame in enumerate(frames):
        for name, dtype in frame.collect_schema().items():
            for place, kind in _kinds(name, dtype):
                kinds.setdefault(place, {}).setdefault(kind, index)
    for place, found in kinds.items():
        if len(found) > 1 and not ("text" in found and found.keys() <= WRITTEN_AS_TEXT):
            raise _contradiction(place, found, names)
    rounded = {name for name, found in kinds.items() if found.keys() == {"numbers"} and _rounds(frames, name)}
    if rounded:
        frames = [
            frame.with_columns(
                pl.nth(place).cast(pl.String)
                for place, name in enumerate(frame.collect_schema())
                if name in rounded
            )
            for frame in frames
        ]
    return pl.concat(frames, how="diagonal_relaxed")


def _contradiction(place: str, found: Mapping[str, int], names: Sequence[str]) -> FileUnavailable:
    """What is said of a column that is of one kind here and of another there."""
    here, there = sorted(found)[:2]
    told = f"{here} here and {there} there"
    if names:
        told = f'{here} in "{names[found[here]]}" and {there} in "{names[found[there]]}"'
    as_text = found.keys() <= CAST_TO_TEXT and not place.endswith("[]")
    return FileUnavailable(
        f'"{shortened(place)}" holds {told}, in files read as one',
        field="read.types" if as_text else None,
        constraint=f"one of: {listed(sorted(found))}",
        suggestion=[json.dumps({"types": {place: "string"}})] if as_text else [],
    )


def _rounds(frames: Sequence[pl.LazyFrame], name: str) -> bool:
    """Whether integers stand beside floats, and one of them is none that a float keeps."""
    types = [frame.collect_schema().get(name) for frame in frames]
    if not any(dtype is not None and dtype.is_float() for dtype in types):
        return False
    for frame, dtype in zip(frames, types, strict=True):
        if isinstance(dtype, pl.Int64 | pl.UInt64 | pl.Int128 | pl.UInt128):
            column = pl.nth(frame.collect_schema().names().index(name))
            ends = frame.select(column.min().alias("low"), column.max().alias("high"))
            low, high = ends.collect(engine="streaming").row(0)
            if low is not None and (low < -EXACT_IN_FLOAT or high > EXACT_IN_FLOAT):
                return True
    return False


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
