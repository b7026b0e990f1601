"""What is counted of the values of a column: tables from name to condition, by the family of its type.

The conditions are asked of different values, each with the number of rows that have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.profile.kinds import is_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["BLANK", "DAMAGE", "MARKERS", "TIME_UNITS", "Tallies", "merged_tallies", "tallies_of"]

MARKERS = (
    "NA",
    "N/A",
    "n/a",
    "NaN",
    "nan",
    "NULL",
    "null",
    "None",
    "none",
    "NIL",
    "nil",
    "#N/A",
    "-",
    "--",
    "?",
)
"""Texts that stand for nothing."""
DAMAGE = (
    "\ufffd",
    "Ã©",
    "Ã¨",
    "Ã¼",
    "Ã¶",
    "Ã¤",
    "Ã±",
    "Ã§",
    "Ã¡",
    "Ã³",
    "Ãº",
    "Ã­",
    "ÃŸ",
    "â€™",
    "â€œ",
    "â€\u009d",
    "â€“",
    "â€”",
    "Â ",
    "Â°",
    "Â£",
)
"""What is left of letters that were read in another encoding than they were written in."""
BLANK = r"^\s*$"

VALUE = pl.col("value")

NUMBERS: Mapping[str, pl.Expr] = {
    "zeros": VALUE == 0,
    "negatives": VALUE < 0,
}
FLOATS: Mapping[str, pl.Expr] = {
    "nan": VALUE.is_nan(),
    "infinite": VALUE.is_infinite(),
}
TEXTS: Mapping[str, pl.Expr] = {
    "blank": VALUE.str.strip_chars() == "",
    "whitespace": VALUE.str.contains(r"^\s|\s$") & (VALUE.str.strip_chars() != ""),
    "markers": VALUE.is_in(list(MARKERS)),
    "damage": VALUE.str.contains_any(list(DAMAGE)),
    "numbers": is_kind(VALUE, "number"),
    "dates": is_kind(VALUE, "date"),
    "leading_zeros": is_kind(VALUE, "leading_zeros"),
}
DATES: Mapping[str, pl.Expr] = {
    "year": (VALUE.dt.month() == 1) & (VALUE.dt.day() == 1),
    "month": VALUE.dt.day() == 1,
}
CLOCK: Mapping[str, pl.Expr] = {
    "day": (VALUE.dt.hour() == 0)
    & (VALUE.dt.minute() == 0)
    & (VALUE.dt.second() == 0)
    & (VALUE.dt.nanosecond() == 0),
    "hour": (VALUE.dt.minute() == 0) & (VALUE.dt.second() == 0) & (VALUE.dt.nanosecond() == 0),
    "minute": (VALUE.dt.second() == 0) & (VALUE.dt.nanosecond() == 0),
    "second": VALUE.dt.nanosecond() == 0,
    "millisecond": VALUE.dt.nanosecond() % 1_000_000 == 0,
    "microsecond": VALUE.dt.nanosecond() % 1_000 == 0,
}
"""Whether a time is a whole one of the unit, by the clock of its zone."""
TIME_UNITS = ("year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond", "nanosecond")


class Tallies(NamedTuple):
    """How many rows have a value of which something is true, by its name."""

    counts: Mapping[str, int]
    characters: int = 0
    """Of all texts together."""
    shortest: int | None = None
    longest: int | None = None


def tallies_of(counted: Sequence[pl.DataFrame]) -> list[Tallies]:
    """Those of columns given as their different values with their counts; frames of `value` and `count`."""
    return [
        _tallies(found.row(0, named=True))
        for found in pl.collect_all(
            [frame.lazy().select(_wanted(frame.schema["value"])) for frame in counted], engine="in-memory"
        )
    ]


def merged_tallies(parts: Sequence[Tallies]) -> Tallies:
    """Those of all parts together."""
    names = dict.fromkeys(name for part in parts for name in part.counts)
    return Tallies(
        {name: sum(part.counts.get(name, 0) for part in parts) for name in names},
        sum(part.characters for part in parts),
        min((part.shortest for part in parts if part.shortest is not None), default=None),
        max((part.longest for part in parts if part.longest is not None), default=None),
    )


def _wanted(dtype: pl.DataType) -> list[pl.Expr]:
    count = pl.col("count")
    conditions: dict[str, pl.Expr] = {}
    if dtype.is_numeric():
        conditions |= NUMBERS
    if dtype.is_float():
        conditions |= FLOATS
    if dtype == pl.String:
        conditions |= TEXTS
    if isinstance(dtype, (pl.Date, pl.Datetime)):
        conditions |= DATES
    if isinstance(dtype, pl.Datetime):
        conditions = {name: condition & CLOCK["day"] for name, condition in conditions.items()}
        conditions |= CLOCK
    wanted = [count.filter(condition).sum().alias(name) for name, condition in conditions.items()]
    if dtype == pl.String:
        length = VALUE.str.len_chars()
        wanted += [
            (length * count).sum().alias("+characters"),
            length.min().alias("+shortest"),
            length.max().alias("+longest"),
        ]
    return wanted or [pl.lit(0).alias("+characters")]


def _tallies(found: Mapping[str, int | None]) -> Tallies:
    counts = {name: count or 0 for name, count in found.items() if not name.startswith("+")}
    return Tallies(counts, found.get("+characters") or 0, found.get("+shortest"), found.get("+longest"))
