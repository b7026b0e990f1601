"""Looks over all of a large CSV file, fast, for what Polars would read wrong without saying so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airpy.files.dialect import Dialect

__all__ = ["is_suspicious"]

BLOCK = 1 << 21
SEARCHERS = 2
OUTSIDE, INSIDE = 0, 1


class _Sought(NamedTuple):
    """What is looked for."""

    quote: int
    ends: frozenset[int]
    """Letters that stand beside the quotes around values."""
    pairs: tuple[bytes, ...]
    """Letters that may nowhere stand together."""
    count_quotes: bool
    """Whether quotes are expected, and it matters where; else there may be none."""


def is_suspicious(path: Path, dialect: Dialect, head: str, reach: int) -> bool:
    """Whether a file in UTF-8 has blank lines, or quotes where values do not have them.

    Of the first Polars makes rows of nulls. With the second it takes many rows for one value, and says so
    only to those who ask for that column. A file whose head has no quotes is suspicious once it has one.

    Args:
        path: The file.
        dialect: How its head is written.
        head: Its head.
        reach: How many of its bytes are to be read; what is behind them does no harm.
    """
    sought = _sought(dialect, head)
    size = path.stat().st_size
    whole, size = size <= reach, min(size, reach)
    bounds = [size * place // SEARCHERS for place in range(SEARCHERS + 1)]
    with ThreadPoolExecutor(SEARCHERS) as searchers:
        found = list(searchers.map(partial(_search, path, sought), pairwise(bounds)))
    state = OUTSIDE
    for ends in found:
        if state not in ends:
            return True
        state = ends[state]
    return whole and state == INSIDE


def _sought(dialect: Dialect, head: str) -> _Sought:
    quote, delimiter = dialect.style.quote, dialect.style.delimiter
    pairs = [b"\r\r" if dialect.line_end == "\r" else b"\n\n"] if dialect.layout.width > 1 else []
    if dialect.line_end == "\r\n" and pairs:
        pairs.append(b"\n\r")
    if quote is None:
        pairs += [f'{delimiter}"'.encode(), b'\n"']
    ends = frozenset(map(ord, (delimiter, quote or '"', "\n", "\r")))
    return _Sought(ord(quote or '"'), ends, tuple(pairs), quote is None or quote in head)


def _search(path: Path, sought: _Sought, bounds: tuple[int, int]) -> dict[int, int]:
    """Whether a part of the file ends in a value in quotes, by whether it begins in one.

    Of the two ways in which it may begin those are left out that would make it suspicious.
    """
    states = {OUTSIDE: OUTSIDE, INSIDE: INSIDE} if sought.count_quotes else {OUTSIDE: OUTSIDE}
    for block in _blocks(path, *bounds):
        if any(_has_pair(block, pair) for pair in sought.pairs):
            return {}
        if not sought.count_quotes:
            if block.find(sought.quote) >= 0:
                return {}
            continue
        letters = _numbers(block, pa.uint8())
        places = (letters.slice(1, len(block) - 2) == sought.quote).arg_true()
        states = {
            first: (now + len(places)) % 2
            for first, now in states.items()
            if _around_values(letters, places, now, sought.ends)
        }
    return states


def _blocks(path: Path, start: int, end: int) -> Iterator[bytearray]:
    """Part of the file, in blocks with a letter more before and behind; a line end before and behind all."""
    buffer = bytearray(BLOCK + 2)  # memory that is new for each block is slow
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        for place in range(start, end, BLOCK):
            more = min(BLOCK, end - place)
            file.seek(max(place - 1, 0))
            before = place > 0
            if not before:
                view[:1] = b"\n"
            wanted = view[0 if before else 1 : more + 2]
            size = file.readinto(wanted) or 0
            length = (0 if before else 1) + size
            if length == more + 2:
                yield buffer if length == len(buffer) else bytearray(view[:length])
            else:  # the end of the file
                last = bytearray(view[:length])
                yield last if last.endswith((b"\n", b"\r")) else last + b"\n"


def _has_pair(block: bytearray, pair: bytes) -> bool:
    """Whether two letters stand together: at even places, or at odd ones."""
    value = int.from_bytes(pair, "little")
    parts = (block, memoryview(block)[1:])
    return any(bool((_numbers(part, pa.uint16()) == value).any()) for part in parts)


def _numbers(block: bytearray | memoryview, kind: pa.DataType) -> pl.Series:
    """The bytes as numbers, not copied."""
    length = len(block) * 8 // kind.bit_width
    return pl.Series(pa.Array.from_buffers(kind, length, [None, pa.py_buffer(block)]))


def _around_values(letters: pl.Series, places: pl.Series, state: int, ends: frozenset[int]) -> bool:
    """Whether quotes that open stand behind the end of a value, and those that close before one."""
    # Places are counted from the second letter.
    opening, closing = (places.gather_every(2, first) for first in (state, 1 - state))
    beside = letters.gather(opening).append(letters.gather(closing + 2))
    return bool(beside.is_in(list(ends)).all())
