"""Types of text: what its values are, how they are written, and how they are read.

What a type takes is decided by the same expression wherever it is asked, in a sample, in a whole file and
when values are read. So no value is read as what it is not: `007` is no number, although a parser makes
seven of it, and `03/04/25` no day in the year 25.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["STRING", "TextType", "fits", "known_as_null", "parse_text", "plain_of"]


class TextType(NamedTuple):
    """A type that text may have."""

    dtype: pl.DataType
    pattern: str = ""
    """What a value looks like, from its first letter to its last; anything that can be read when empty."""
    form: str = ""
    """How values are written, in the contract's words; empty when plainly."""
    layout: str = ""
    """How a date or time is written, in the letters of `strftime`."""
    decimal: str = "."
    thousands: str = ""
    """What may stand between thousands, any of these letters."""
    words: tuple[str, str] = ("true", "false")


STRING = TextType(pl.String())

SPACES = " \u00a0\u202f"
# What parsers take for a number and is none: codes with leading zeros, telephone numbers; and integers that a
# float would round.
NO_INTEGER = r"^(?:\+|-?0[0-9])"
NO_FLOAT = r"^(?:\+|-?0[0-9]|-?[0-9]{16})"
ISO_DATE = "%Y-%m-%d"
ISO_TIMESTAMP = "%Y-%m-%dT%H:%M:%S%.f"
PLAIN_LAYOUTS = {pl.Date: ISO_DATE, pl.Datetime: ISO_TIMESTAMP, pl.Time: "%H:%M:%S%.f"}
LEAST_LETTERS = {ISO_DATE: 10, ISO_TIMESTAMP: 19}
"""Of fewer, the year has fewer than four digits."""


def plain_of(dtype: pl.DataType) -> TextType:
    """A type as it is plainly written, and whatever else its parser takes."""
    return TextType(dtype, layout=PLAIN_LAYOUTS.get(type(dtype), ""))


def fits(text: pl.Expr, kind: TextType) -> pl.Expr:
    """Whether each string is a value of the type; null where there is none."""
    parsed = parse_text(text, kind, strict=False)
    taken = parsed.is_not_null()
    if kind.dtype.is_float():
        taken &= parsed.is_finite() | parsed.is_nan() | text.str.contains("(?i)inf")
    return pl.when(text.is_not_null()).then(taken)


def parse_text(
    text: pl.Expr, kind: TextType | pl.DataType, *, strict: bool = True, markers: Sequence[str] = ()
) -> pl.Expr:
    """The strings as values of a type.

    Args:
        text: Strings; null stays null.
        kind: The type. Of a Polars type, whatever its parser takes as well, such as `007` for seven.
        strict: Whether a string that is no value fails the query; else it is null.
        markers: Strings that stand for null.
    """
    text = known_as_null(text, markers)
    if isinstance(kind, pl.DataType):
        return _converted(text, plain_of(kind), strict=strict)
    written = _written(text, kind)
    if written is not None:
        # A letter too much is what no parser takes, and leaves in sight what the value was.
        text = pl.when(written).then(text).otherwise(text + " " if strict else None)
    return _converted(text, kind, strict=strict)


def known_as_null(text: pl.Expr, markers: Sequence[str]) -> pl.Expr:
    """The strings, null where they stand for null."""
    if not markers:
        return text
    return pl.when(~text.is_in(list(markers))).then(text)


def _written(text: pl.Expr, kind: TextType) -> pl.Expr | None:
    """Whether strings that can be parsed as the type are so written; None when all are."""
    if not kind.pattern or isinstance(kind.dtype, pl.Boolean):
        return None
    if not kind.form:
        if kind.dtype.is_integer():
            return ~text.str.contains(NO_INTEGER)
        if kind.dtype.is_float():
            return ~text.str.contains(NO_FLOAT)
        if least := LEAST_LETTERS.get(kind.layout):
            return text.str.len_bytes() >= least
    return text.str.contains(f"^(?:{kind.pattern})$")


def _converted(text: pl.Expr, kind: TextType, *, strict: bool) -> pl.Expr:
    match kind.dtype:
        case pl.Boolean():
            return _truth(text, kind.words, strict=strict)
        case pl.Date():
            # To read the plain form is half the work of remembering the dates that were read.
            cache = kind.layout != ISO_DATE
            return text.str.to_date(kind.layout, strict=strict, cache=cache)
        case pl.Datetime():
            if "T" in kind.layout:
                text = text.str.replace(" ", "T", literal=True)
            layout = kind.layout
            if layout == ISO_TIMESTAMP and kind.dtype.time_zone is not None:
                layout = "%+"
            return text.str.strptime(kind.dtype, layout, strict=strict)
        case pl.Time():
            return text.str.strptime(pl.Time, kind.layout, strict=strict)
        case pl.String():
            return text
        case _:
            return _plainly(text, kind).cast(kind.dtype, strict=strict)


def _truth(text: pl.Expr, words: tuple[str, str], *, strict: bool) -> pl.Expr:
    known = {words[0]: True, words[1]: False}
    lower = text.str.to_lowercase()
    if strict:
        return lower.replace_strict(known, return_dtype=pl.Boolean())
    return lower.replace_strict(known, default=None, return_dtype=pl.Boolean())


def _plainly(text: pl.Expr, kind: TextType) -> pl.Expr:
    """Numbers with a point before their fraction, and nothing between thousands."""
    if kind.thousands:
        letters = SPACES if kind.thousands in SPACES else kind.thousands
        text = text.str.replace_all(f"[{letters}]", "")
    if kind.decimal != ".":
        text = text.str.replace(kind.decimal, ".", literal=True)
    return text
