"""What text looks like: kinds of values by pattern, those of personal data among them; native Polars.

A kind is a pattern that the whole of a value matches, in the syntax of the plan language's `regex`, so that a
filter can say it. Of what looks like a card number or an IBAN, the check digits are looked at too.
"""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from airpy.contract import PatternCount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airpy.contract import TextKind

__all__ = ["KINDS", "PERSONAL", "found_kinds", "found_patterns", "is_kind"]

LONGEST_SHAPE, MOST_PATTERNS = 64, 5
SHAPES = {"[0-9]": "9", "\\p{Ll}": "a", "\\p{Lu}": "A"}
"""What a shape has in place of digits and letters; a plus sign behind it where there are several."""

OCTET = r"(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
HEX = "[0-9A-Fa-f]{1,4}"
LETTERS = list(ascii_uppercase)
NUMBERS = [str(number) for number in range(10, 36)]
MONTHS = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"

KINDS: Mapping[TextKind, str] = {
    "email": r"^[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}$",
    "url": r"^(?i)(https?|ftp)://[^\s/?#]+\S*$",
    "uuid": r"^(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "ip": (
        rf"^({OCTET}\.){{3}}{OCTET}$|^({HEX}:){{7}}{HEX}$|^({HEX}:){{1,6}}:({HEX}(:{HEX}){{0,5}})?$"
        rf"|^::{HEX}(:{HEX}){{0,6}}$"
    ),
    "json": r'^\s*(\{\s*("[\s\S]*)?\}|\[\s*([\[{"0-9tfn-][\s\S]*)?\])\s*$',
    "date": (
        r"^\s*([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{4}|[0-9]{2})"
        rf"|(?i)[0-9]{{1,2}}[ -]{MONTHS}[ -,]+[0-9]{{2,4}}|(?i){MONTHS}\.? [0-9]{{1,2}},? [0-9]{{4}})"
        r"([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AaPp][Mm])?"
        r"( ?(Z|[+-][0-9]{2}:?[0-9]{2}))?)?\s*$"
    ),
    "number": (r"^\s*[+-]?(([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"),
    "leading_zeros": r"^0[0-9]+$",
    "phone": (
        r"^\+[0-9]{1,3}[ ./-]?(\(?[0-9]{1,4}\)?)?([ ./-]?[0-9]{2,4}){3,5}$"
        r"|^\([0-9]{3}\) ?[0-9]{3}[ -][0-9]{4}$"
        r"|^[0-9]{3}[-. ][0-9]{3}[-. ][0-9]{4}$"
    ),
    "credit_card": (
        r"^[3-6][0-9]{3}([ -]?[0-9]{4}){2}[ -]?[0-9]{1,4}$|^3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}$"
    ),
    "iban": r"^[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){2}( ?[A-Z0-9]{3}|( ?[A-Z0-9]{4}){1,5}( ?[A-Z0-9]{1,3})?)$",
    "ssn": (
        r"^(00[1-9]|0[1-9][0-9]|[1-57-8][0-9]{2}|6[0-57-9][0-9]|66[0-57-9])-(0[1-9]|[1-9][0-9])"
        r"-(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})$"
    ),
}

PERSONAL: tuple[TextKind, ...] = ("email", "phone", "credit_card", "iban", "ssn", "ip")


def is_kind(text: pl.Expr, kind: TextKind) -> pl.Expr:
    """Whether the text matches the kind's pattern."""
    return text.str.contains(KINDS[kind])


def found_kinds(columns: Sequence[pl.Series]) -> list[dict[TextKind, int]]:
    """For each column of texts without nulls, by kind, how many are of it; those of none left out."""
    # All columns at once: to compile a pattern takes longer than to look at some hundred texts.
    counted = _counted(columns)
    place, count = counted["place"].to_numpy(), counted["count"].to_numpy()
    marked = counted.select(is_kind(pl.col("value"), kind).alias(kind) for kind in KINDS)
    found: list[dict[TextKind, int]] = [{} for _ in columns]
    for kind in KINDS:
        of_kind = np.flatnonzero(marked[kind])
        if len(of_kind) and kind in CHECK_DIGITS:
            passes = counted[of_kind].select(CHECK_DIGITS[kind](pl.col("value"))).to_series()
            of_kind = of_kind[passes.to_numpy()]
        rows = np.bincount(place[of_kind], count[of_kind], len(columns))
        for column in np.flatnonzero(rows):
            found[column][kind] = int(rows[column])
    return found


def found_patterns(columns: Sequence[pl.Series]) -> list[list[PatternCount]]:
    """For each column of texts without nulls, the most frequent shapes, at most 5; none of long texts."""
    shapes = _counted(columns).filter(pl.col("value").str.len_chars() <= LONGEST_SHAPE)
    for letters, one in SHAPES.items():
        if not shapes["value"].str.contains(letters).any():
            continue
        for wanted, written in ((f"{letters}{{2,}}", f"{one}+"), (letters, one)):
            # Fewer and fewer of them are different.
            shape = pl.col("value").str.replace_all(wanted, written)
            shapes = shapes.group_by("place", shape).agg(pl.col("count").sum())
    most = shapes.sort("count", "value", descending=[True, False]).group_by("place").head(MOST_PATTERNS)
    found: list[list[PatternCount]] = [[] for _ in columns]
    for place, pattern, count in most.select("place", "value", "count").rows():
        share = count / len(columns[place])
        found[place].append(PatternCount(pattern=pattern, count=count, share=share))
    return found


def _counted(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """The different values of each column, and how many rows have each."""
    counted = [column.alias("value").value_counts(name="count") for column in columns]
    heights = np.array([each.height for each in counted], dtype=np.int64)
    empty = pl.DataFrame(schema={"value": pl.String, "count": pl.UInt32})
    return pl.concat([empty, *counted]).with_columns(place=np.repeat(np.arange(len(columns)), heights))


def _luhn(text: pl.Expr) -> pl.Expr:
    """Whether the digits pass the check of ISO/IEC 7812: doubled ones count by the sum of their digits."""
    digits = text.str.replace_all("[^0-9]", "").str.reverse()
    total = pl.lit(0)
    for place in range(19):
        digit = digits.str.slice(place, 1).cast(pl.Int64, strict=False).fill_null(0)
        doubled = digit * 2
        total = total + (digit if place % 2 == 0 else doubled - pl.when(doubled > 9).then(9).otherwise(0))  # noqa: PLR2004
    return total % 10 == 0


def _mod97(text: pl.Expr) -> pl.Expr:
    """Whether the check of ISO 13616 leaves 1: of all characters, the first four last, letters from 10 on."""
    plain = text.str.replace_all(" ", "", literal=True)
    moved = pl.concat_str(plain.str.slice(4), plain.str.head(4))
    digits = moved.str.replace_many(LETTERS, NUMBERS).str.zfill(72)
    rest = pl.lit(0, pl.Int64)
    for place in range(0, 72, 9):
        rest = (rest * 10**9 + digits.str.slice(place, 9).cast(pl.Int64)) % 97
    return rest == 1


CHECK_DIGITS: Mapping[TextKind, Callable[[pl.Expr], pl.Expr]] = {"credit_card": _luhn, "iban": _mod97}
