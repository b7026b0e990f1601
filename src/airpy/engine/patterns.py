"""Patterns of text: SQL's `like`, and regular expressions, which native Polars checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

import polars as pl

from airpy.errors import InvalidPlan, shortened

if TYPE_CHECKING:
    import narwhals as nw

__all__ = ["check_like", "check_regex", "groups_of", "ignoring_case", "like"]

LIKE = re.compile(r"\\(?P<escaped>[%_\\])|(?P<wild>[%_])|(?P<plain>[^\\%_]+)", re.DOTALL)
"""A piece of a `like` pattern; what is none of them is a backslash before something else."""
STRAY = re.compile(r"(?P<right>\\[%_\\])|\\")


class Piece(NamedTuple):
    """A part of a pattern: a wildcard, or letters that stand for themselves."""

    text: str
    is_wild: bool


def check_like(pattern: str, field: str) -> None:
    r"""Refuse a `like` pattern with a backslash that stands before neither `%` nor `_` nor another.

    Raises:
        InvalidPlan: There is one.
    """
    rest = LIKE.sub("", pattern)
    if rest:
        raise InvalidPlan(
            f"{shortened(repr(pattern))} has a backslash before what needs none",
            field=field,
            constraint=r"a backslash only before %, _ or another backslash",
            suggestion=[STRAY.sub(lambda found: found["right"] or "\\\\", pattern)],
        )


def check_regex(pattern: str, field: str) -> None:
    """Refuse a pattern that is no regular expression, or one that would be too large.

    Raises:
        InvalidPlan: It is none; the message is the engine's, made short.
    """
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.ComputeError as error:
        told = [line.strip() for line in str(error).splitlines() if line.strip().startswith("error:")]
        why = told[0].removeprefix("error:").strip() if told else str(error).splitlines()[0]
        raise InvalidPlan(
            f"{shortened(repr(pattern))} is no regular expression: {shortened(why, 200)}",
            field=field,
            constraint="a pattern in the syntax of Rust's regex",
            suggestion=[re.escape(pattern)],
        ) from None


def groups_of(pattern: str) -> list[str]:
    """What a replacement may call the groups of a regular expression: `0` for all of it, numbers, names."""
    found = pl.select(pl.lit("").str.extract_groups(pattern)).to_series().dtype
    names = [member.name for member in found.fields] if isinstance(found, pl.Struct) else []
    return list(dict.fromkeys(["0", *map(str, range(1, len(names) + 1)), *names]))


def like(column: nw.Expr, pattern: str) -> nw.Expr:
    """Whether the text has the pattern's form; in plainer words where it allows, which run faster."""
    pieces = _pieces(pattern)
    letters = "".join(piece.text for piece in pieces if not piece.is_wild)
    match [piece.text if piece.is_wild else "" for piece in pieces]:
        case [] | [""]:
            return column == letters
        case ["", "%"]:
            return column.str.starts_with(letters)
        case ["%", ""]:
            return column.str.ends_with(letters)
        case ["%", "", "%"]:
            return column.str.contains(letters, literal=True)
        case ["%"]:
            return column.str.contains("", literal=True)
        case _:
            return column.str.contains(f"(?s)^{_regex(pieces)}$")


def ignoring_case(pattern: str, *, whole: Literal["like"] | None = None) -> str:
    """The regular expression of these letters, or of a whole text of this `like` pattern, in either case."""
    return f"(?is)^{_regex(_pieces(pattern))}$" if whole else f"(?i){re.escape(pattern)}"


def _pieces(pattern: str) -> list[Piece]:
    """The pattern's parts, neighbours that stand for themselves as one."""
    pieces: list[Piece] = []
    for found in LIKE.finditer(pattern):
        if wild := found["wild"]:
            pieces.append(Piece(wild, is_wild=True))
            continue
        text = found["escaped"] or found["plain"]
        if pieces and not pieces[-1].is_wild:
            text = pieces.pop().text + text
        pieces.append(Piece(text, is_wild=False))
    return pieces


def _regex(pieces: list[Piece]) -> str:
    wild = {"%": ".*", "_": "."}
    return "".join(wild[piece.text] if piece.is_wild else re.escape(piece.text) for piece in pieces)
