"""What is counted of the values of a column: tables from name to condition, by the family of its type.

The conditions are asked of different values, each with the number of rows that have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from airpy.engine.profile.kinds import is_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airpy.engine.profile.values import Counted

__all__ = ["DAMAGE", "MARKERS", "TIME_UNITS", "Tallies", "merged_tallies", "tallies_of"]

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
    "ÃŸ",
    "â€™",
    "â€œ",
    "â€“",
    "â€”",
    "Â°",
    "Â£",
)
"""What is left of letters that were read in another encoding than they were written in."""

LONGEST_MARKER = max(map(len, MARKERS))

VALUE, COUNT = pl.col("value"), pl.col("count")
CHARS, BYTES, STRIPPED = pl.col("chars"), pl.col("bytes"), pl.col("stripped")
"""Lengths of a text, and of what is left of it without spaces at its ends, in bytes."""

SPACED: Mapping[str, pl.Expr] = {"blank": STRIPPED == 0, "whitespace": (STRIPPED > 0) & (STRIPPED < BYTES)}
"""What is asked of text only where some has spaces at its ends, or is empty."""
SHORT: Mapping[str, pl.Expr] = {"markers": VALUE.is_in(list(MARKERS))}
"""What is asked of text only where some is as short as a marker."""
WITH_DIGITS: Mapping[str, pl.Expr] = {
    "numbers": is_kind(VALUE, "number"),
    "dates": is_kind(VALUE, "date"),
    "leading_zeros": is_kind(VALUE, "leading_zeros"),
}
"""What is asked of text only where some has digits."""
BEYOND_ASCII: Mapping[str, pl.Expr] = {"damage": VALUE.str.contains_any(list(DAMAGE))}
"""What is asked of text only where some has other letters."""
OF_TEXTS = (*SPACED, *SHORT, *WITH_DIGITS, *BEYOND_ASCII)
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
TIME_UNITS = (
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "nanosecond",
)


class Tallies(NamedTuple):
    """How many rows have a value of which something is true, by its name."""

    counts: Mapping[str, int]
    characters: int = 0
    """Of all texts together."""
    shortest: int | None = None
    longest: int | None = None


def tallies_of(counted: Counted) -> Tallies:
    """Those of a column, given as its values with their counts."""
    dtype = counted.dtype
    if dtype.is_numeric():
        return Tallies(_of_numbers(counted))
    if dtype == pl.String:
        return _of_texts(counted)
    if dtype == pl.Date:
        return _of_times(counted, DATES)
    if isinstance(dtype, pl.Datetime):
        at_midnight = {name: condition & CLOCK["day"] for name, condition in DATES.items()}
        return _of_times(counted, at_midnight | dict(CLOCK))
    return Tallies({})


def merged_tallies(parts: Sequence[Tallies]) -> Tallies:
    """Those of all parts together."""
    names = dict.fromkeys(name for part in parts for name in part.counts)
    return Tallies(
        {name: sum(part.counts.get(name, 0) for part in parts) for name in names},
        sum(part.characters for part in parts),
        min((part.shortest for part in parts if part.shortest is not None), default=None),
        max((part.longest for part in parts if part.longest is not None), default=None),
    )


def _of_numbers(counted: Counted) -> dict[str, int]:
    """Zeros, negatives and what is no finite number, of numbers in ascending order."""
    values = counted.floats()
    before = np.append(0, np.cumsum(counted.counts))

    def below(number: float, side: str = "left") -> int:
        return int(before[np.searchsorted(values, number, side=side)])  # type: ignore[call-overload]

    counts = {"zeros": below(0, "right") - below(0), "negatives": below(0)}
    if counted.dtype.is_float():
        nans = int(before[-1]) - below(np.inf, "right")
        infinite = int(before[-1]) - nans - below(np.inf) + below(-np.inf, "right")
        counts |= {"nan": nans, "infinite": infinite}
    return counts


def _of_texts(counted: Counted) -> Tallies:
    measured = pl.DataFrame({"value": counted.values, "count": counted.counts}).select(
        VALUE,
        "count",
        chars=VALUE.str.len_chars(),
        bytes=VALUE.str.len_bytes(),
        stripped=VALUE.str.strip_chars().str.len_bytes(),
    )
    shortest, longest, characters, is_ascii, is_stripped, has_digits = measured.select(
        CHARS.min().alias("shortest"),
        CHARS.max().alias("longest"),
        (CHARS * COUNT).sum().alias("characters"),
        (CHARS == BYTES).all().alias("is_ascii"),
        (STRIPPED == BYTES).all().alias("is_stripped"),
        VALUE.str.contains("[0-9]").any().alias("has_digits"),
    ).row(0)
    conditions = {
        **({} if is_stripped and shortest else SPACED),
        **(SHORT if shortest is not None and shortest <= LONGEST_MARKER else {}),
        **(WITH_DIGITS if has_digits else {}),
        **({} if is_ascii else BEYOND_ASCII),
    }
    return Tallies(dict.fromkeys(OF_TEXTS, 0) | _counts(measured, conditions), characters, shortest, longest)


def _counts(frame: pl.DataFrame, conditions: Mapping[str, pl.Expr]) -> dict[str, int]:
    """How many rows have a value of which each condition is true."""
    wanted = [COUNT.filter(condition).sum().alias(name) for name, condition in conditions.items()]
    return frame.select(wanted).row(0, named=True) if wanted else {}


def _of_times(counted: Counted, conditions: Mapping[str, pl.Expr]) -> Tallies:
    values = counted.restored(counted.values)
    return Tallies(_counts(pl.DataFrame({"value": values, "count": counted.counts}), conditions))
