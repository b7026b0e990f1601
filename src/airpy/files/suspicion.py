"""Looks over all of a large CSV file, once and fast, for what Polars would read wrong without saying so.

Of blank lines Polars makes rows of nulls. Where quotes stand out of place it takes many rows for one value,
and says so only to those who ask for that column. It reads `007` as seven and `+49170` as a number; that a
column has such values may first show far behind the rows that decided its type. The look costs a tenth of
what a query over the file does; to read all numbers as text and judge each costs a quarter.
"""

from __future__ import annotations

import mmap
import re
from array import array
from concurrent.futures import ThreadPoolExecutor
from enum import IntFlag
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airpy.files.dialect import Dialect

__all__ = ["Misread", "has_codes", "misread"]

PART_BYTES = 1 << 20
PARTS = 4
"""Parts of a file that are looked at together: what a processor's cache takes, and more than one, which
Polars would copy."""
SEARCHERS = 2
OUTSIDE, INSIDE = 0, 1
CODE = r"(?:0|\+|-0)[0-9]"
"""What a code may begin with, and a number does not. As so few letters it is found at the pace of memory."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Misread(IntFlag):
    """What of a file Polars would read wrong."""

    NOTHING = 0
    ROWS = 1
    """Blank lines, or quotes where values do not have them."""
    CODES = 2
    """Cells that begin like a code and would be taken for numbers; they may be of any column."""


class _Sought(NamedTuple):
    """What is looked for."""

    line: int
    """The letter that lines end with."""
    no_starts: tuple[int, ...] = ()
    """Letters that begin no line."""
    quote: int = 0
    """None when 0."""
    ends: tuple[int, ...] = ()
    """Letters that stand beside the quotes around values; where there are none, any quote is out of place."""
    no_quote_after: tuple[int, ...] = ()
    """Letters that a quote which means nothing does not follow."""
    code: str = ""
    """How cells begin that are codes; not looked for when empty."""


def misread(path: Path, dialect: Dialect, head: str, reach: int) -> Misread:
    """What of a file in UTF-8 Polars would read wrong; whether there are codes is told where rows are right.

    A file whose head has no quotes is suspicious once it has one.

    Args:
        path: The file.
        dialect: How its head is written.
        head: Its head.
        reach: How many of its bytes are to be read; what is behind them does no harm. Codes are looked for
            where that is all of them.
    """
    style, line = dialect.style, dialect.line_end[-1]
    whole = path.stat().st_size <= reach
    quoted = style.quote is not None and style.quote in head
    sought = _Sought(
        ord(line),
        _letters("\n\r" if line == "\n" else line) if dialect.layout.width > 1 else (),
        ord(style.quote or '"'),
        _letters(style.delimiter, style.quote, "\n\r") if quoted else (),
        _letters(style.delimiter, line) if style.quote is None else (),
        _code(style.delimiter, style.quote, line) if whole else "",
    )
    return _found(path, sought, style.delimiter, reach)


def has_codes(path: Path, delimiter: str, quote: str | None, line: str) -> bool:
    """Whether a cell of the file begins like a code; or the file is no UTF-8."""
    sought = _Sought(ord(line), code=_code(delimiter, quote, line))
    return Misread.CODES in _found(path, sought, delimiter, path.stat().st_size)


def _letters(*texts: str | None) -> tuple[int, ...]:
    return tuple(dict.fromkeys("".join(text or "" for text in texts).encode()))


def _code(delimiter: str, quote: str | None, line: str) -> str:
    before = "".join(map(re.escape, dict.fromkeys((delimiter, quote or delimiter, line))))
    return f"[{before}]{CODE}"


class _Look:
    """The bytes of a file, and what is looked for in them."""

    def __init__(self, seen: mmap.mmap, first: int, sought: _Sought, delimiter: str) -> None:
        self.sought = sought
        self.first = first
        self.bytes = pa.py_buffer(seen)
        self.letters = pl.Series(pa.Array.from_buffers(pa.uint8(), len(seen), [None, self.bytes]))
        self.outside = pl.Series([ord(delimiter)], dtype=pl.UInt8)
        """What stands before the file and behind it; it begins no line, and may stand beside quotes."""

    def search(self, cuts: Sequence[int]) -> tuple[dict[int, int], bool]:
        """Whether parts end in a value in quotes, by whether they begin in one; and whether there are codes.

        Of the two ways in which they may begin those are left out that would make the rows suspicious.
        """
        states = {OUTSIDE: OUTSIDE, INSIDE: INSIDE} if self.sought.ends else {OUTSIDE: OUTSIDE}
        codes = False
        for first in range(0, len(cuts) - 1, PARTS):
            block = cuts[first : first + PARTS + 1]
            states = self._states(block[0], block[-1], states)
            if not states:
                break
            codes = codes or (bool(self.sought.code) and self._has_code(block))
        return states, codes

    def _states(self, start: int, end: int, states: dict[int, int]) -> dict[int, int]:
        sought = self.sought
        here, behind = self._from(start, end), self._from(start + 1, end + 1)
        if sought.no_starts and _any_of(behind.filter(here == sought.line), sought.no_starts):
            return {}
        if not sought.quote:
            return states
        quotes = here == sought.quote
        if not sought.ends and not sought.no_quote_after:
            return {} if quotes.any() else states
        before = self._from(start - 1, end - 1).filter(quotes)
        if not sought.ends:
            return {} if _any_of(before, sought.no_quote_after) else states
        behind = behind.filter(quotes)
        return {
            first: (now + len(before)) % 2
            for first, now in states.items()
            if _all_of(before.gather_every(2, now), sought.ends)
            and _all_of(behind.gather_every(2, 1 - now), sought.ends)
        }

    def _from(self, start: int, end: int) -> pl.Series:
        begin = max(start, self.first)
        inside = self.letters.slice(begin, min(end, len(self.letters)) - begin)
        if start < self.first:
            return pl.concat([self.outside, inside], rechunk=True)
        return inside if end <= len(self.letters) else pl.concat([inside, self.outside], rechunk=True)

    def _has_code(self, cuts: Sequence[int]) -> bool:
        places = pa.py_buffer(array("q", cuts))  # `pa.array` would import pandas, if it is there
        parts = pa.Array.from_buffers(pa.large_binary(), len(cuts) - 1, [None, places, self.bytes])
        try:
            text = pl.Series(parts).cast(pl.String)
        except (pl.exceptions.ComputeError, pl.exceptions.InvalidOperationError):
            return True  # no UTF-8: the reader will say so, or not care
        return bool(text.str.contains(self.sought.code).any())


def _found(path: Path, sought: _Sought, delimiter: str, reach: int) -> Misread:
    with path.open("rb") as file:
        if not file.read(1):
            return Misread.NOTHING
        seen = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    size = min(len(seen), reach)
    first = len(BYTE_ORDER_MARK) if seen[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK else 0
    # Parts begin with the line end before them, which the first has not.
    codes = bool(sought.code) and re.match(CODE.encode(), seen[first : first + 3]) is not None
    line, cuts = bytes([sought.line]), [min(first, size)]
    while cuts[-1] < size:
        at = seen.find(line, cuts[-1] + PART_BYTES, size)
        cuts.append(size if at < 0 else at)
    look = _Look(seen, first, sought, delimiter)
    bounds = [*(len(cuts) * place // SEARCHERS for place in range(SEARCHERS)), len(cuts) - 1]
    with ThreadPoolExecutor(SEARCHERS) as searchers:
        found = list(searchers.map(look.search, (cuts[begin : end + 1] for begin, end in pairwise(bounds))))
    state = OUTSIDE
    for states, has_code in found:
        if state not in states:
            return Misread.ROWS
        state, codes = states[state], codes or has_code
    if state == INSIDE and size == len(seen):
        return Misread.ROWS
    return Misread.CODES if codes else Misread.NOTHING


def _any_of(letters: pl.Series, some: Sequence[int]) -> bool:
    return any((letters == letter).any() for letter in some)


def _all_of(letters: pl.Series, some: Sequence[int]) -> bool:
    return bool(reduce(or_, (letters == letter for letter in some)).all())
