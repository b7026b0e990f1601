"""Reads delimited text record by record, and bears with quotes and line ends that are out of place."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from airpy.files.cells import Cells, strict_cells
from airpy.files.mending import in_other_words, mended

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

    from airpy.files.cells import Style

__all__ = ["Record", "read_records"]

MOST_LINES = 1000
"""Lines that one quoted value may run over before its quote counts as one that is never closed."""
MOST_LETTERS = 1 << 20


class Record(NamedTuple):
    """One record."""

    cells: list[str | None]
    """Its values; None where nothing stands, not even quotes."""
    line: int
    """The line it begins in, from 1."""
    strict: bool
    """Whether it is written as the rules have it: quotes around whole values, and doubled inside."""
    open_quote: bool = False
    """Whether a quote in it is opened, and not closed before the text ends."""
    lines: int = 1
    """How many lines it goes over."""
    text: str | None = None
    """The line itself, where it was told to be plain without looking at its values; those are left out."""


def read_records(
    lines: Iterable[str],
    style: Style,
    width: int | None = None,
    comment: str | None = None,
    plain: re.Pattern[str] | None = None,
) -> Iterator[Record]:
    """The records of lines that have their ends; blank lines and comments are none.

    In a file of one column a blank line is a record whose value is not there. A line that looks `plain` is
    given as its text.

    A line that breaks the rules is read on its own, so that a stray quote does no harm to the next. Of the
    ways to read it the likeliest is taken: the one with as many values as `width` says, and the fewest
    quotes that are out of place.
    """
    source = _Lines(lines)
    for raw in source:
        number, line = source.number, raw.rstrip("\r\n")
        if (comment and line.startswith(comment)) or not (line or width == 1):
            continue
        if plain is not None and plain.fullmatch(line):
            yield Record([], number, strict=True, text=line)
        elif style.quote is None or style.quote not in line:
            cells: list[str | None] = [cell or None for cell in line.split(style.delimiter)]
            if width and len(cells) == 1 < width:
                cells = in_other_words(line, style, width) or cells
            yield Record(cells, number, strict=True)
        else:
            yield _quoted(raw, source, style, width)


class _Lines:
    """Lines that may be looked at before they are taken."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._seen: deque[str] = deque()
        self.number = 0
        """Of the line that was taken last."""

    def __iter__(self) -> Iterator[str]:
        while True:
            line = self._seen.popleft() if self._seen else next(self._lines, None)
            if line is None:
                return
            self.number += 1
            yield line

    def ahead(self, count: int) -> str | None:
        """The line so many lines ahead."""
        while len(self._seen) <= count:
            if (line := next(self._lines, None)) is None:
                return None
            self._seen.append(line)
        return self._seen[count]

    def take(self, count: int) -> None:
        """Go on by so many lines."""
        for _ in range(count):
            self._seen.popleft()
        self.number += count


def _quoted(raw: str, source: _Lines, style: Style, width: int | None) -> Record:
    """The record of a line with quotes, and of those that it goes on in; these are taken."""
    number, line = source.number, raw.rstrip("\r\n")
    cells = strict_cells(line, style)
    used, ended = 0, False
    if cells.unclosed:
        cells, used, ended = _joined(raw, cells, source, style)
    if cells.stop is None and (not used or width in {None, len(cells.values)}):
        source.take(used)
        return Record(cells.values, number, strict=cells.plain, lines=used + 1)
    alone = mended(line, style, width)
    if cells.stop is None and len(alone) != width:
        source.take(used)
        return Record(cells.values, number, strict=False, lines=used + 1)
    return Record(alone, number, strict=False, open_quote=ended)


def _joined(raw: str, cells: Cells, source: _Lines, style: Style) -> tuple[Cells, int, bool]:
    """What a line becomes with the following ones, how many they are, and whether the text ended before."""
    quote, text, used = style.quote or "", raw, 0
    while cells.unclosed:
        while True:
            if used >= MOST_LINES or len(text) > MOST_LETTERS:
                return cells, 0, False
            more = source.ahead(used)
            if more is None:
                return cells, 0, True
            text += more
            used += 1
            if quote in more:  # only then it is worth to look again
                break
        further = strict_cells(text.rstrip("\r\n"), style, cells.stop or 0)
        cells = Cells(
            cells.values + further.values, further.stop, further.unclosed, plain=cells.plain and further.plain
        )
    return cells, used, False
