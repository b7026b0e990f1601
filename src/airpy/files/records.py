"""Reads delimited text record by record, and bears with quotes and line ends that are out of place."""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Record", "Style", "plain_line", "read_records"]

MOST_LINES = 1000
"""Lines that one quoted value may run over before its quote counts as one that is never closed."""
MOST_LETTERS = 1 << 20
MOST_TRIED = 60
"""Quotes in a line up to which every way to read it is tried."""
OTHER_DELIMITERS = (" ", ",", ";", "\t", "|")
STRAY, OPENED, SHORT = 2, 3, 4
"""What it costs, in a line that cannot be read strictly, to take a quote for text, an opening one so, or to
have another number of values than the others."""


class Style(NamedTuple):
    """How values are told apart."""

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    """What stands before a quote inside of quotes; a second quote when None."""


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
    text: str | None = None
    """The line itself, where it was told to be plain without looking at its values; those are left out."""


class _Grammar(NamedTuple):
    cell: re.Pattern[str]
    open: re.Pattern[str]


@lru_cache(64)
def _grammar(style: Style) -> _Grammar:
    """What a cell is, and what the rest of a line is whose last value goes on in the next line."""
    quote, delimiter = re.escape(style.quote or ""), re.escape(style.delimiter)
    escape = "" if style.escape is None else re.escape(style.escape)
    inside = rf"[^{quote}]|{quote}{quote}" if not escape else rf"[^{quote}{escape}]|{escape}.|{quote}{quote}"
    around = "" if style.delimiter.isspace() else " *+"
    bare = rf"[^{delimiter}]*+" if len(style.delimiter) == 1 else rf"(?:(?!{delimiter}).)*+"
    return _Grammar(
        re.compile(
            rf"(?:(?P<before>{around}){quote}(?P<quoted>(?:{inside})*+){quote}(?P<after>{around})"
            rf"|(?!{around}{quote})(?P<bare>{bare}))(?P<end>{delimiter}|\Z)",
            re.DOTALL,
        ),
        re.compile(rf"{around}{quote}(?:{inside})*+\Z", re.DOTALL),
    )


def plain_line(style: Style, width: int) -> re.Pattern[str]:
    """What a line with so many values looks like that every reader reads alike."""
    quote, delimiter = re.escape(style.quote or ""), re.escape(style.delimiter)
    bare = rf"[^{delimiter}{quote}]*+"
    cell = rf"(?:{quote}(?:[^{quote}]|{quote}{quote})*+{quote}|{bare})" if quote else bare
    return re.compile(rf"(?:{cell}{delimiter}){{{width - 1}}}{cell}", re.DOTALL)


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
    source = iter(lines)
    waiting: deque[str] = deque()
    number = 0
    while True:
        raw = waiting.popleft() if waiting else next(source, None)
        if raw is None:
            return
        number += 1
        line = raw.rstrip("\r\n")
        if comment and line.startswith(comment):
            continue
        if not line:
            if width == 1:
                yield Record([None], number, strict=True)
            continue
        if plain is not None and plain.fullmatch(line):
            yield Record([], number, strict=True, text=line)
            continue
        if style.quote is None or style.quote not in line:
            cells: list[str | None] = [cell or None for cell in line.split(style.delimiter)]
            if width and len(cells) == 1 < width:
                cells = _in_other_words(line, style, width) or cells
            yield Record(cells, number, strict=True)
            continue
        record, used, ended = _strict(raw, line, style, source, waiting)
        if record is not None and (not used or width in {None, len(record)}):
            yield Record(record, number, _plain(record, line, style))
        else:
            alone = _repaired(line, style, width)
            if record is not None and len(alone) != width:
                alone = record
            else:
                used = 0
            yield Record(alone, number, strict=False, open_quote=ended)
        for _ in range(used):
            waiting.popleft()
        number += used


def _plain(cells: list[str | None], line: str, style: Style) -> bool:
    """Whether every reader reads this so: no quote in a value without quotes, no spaces around quotes."""
    quote = style.quote or ""
    if style.escape is not None:
        return True
    if (
        line.count(quote) == 2 * len(cells)
        and line.count(quote + style.delimiter + quote) == len(cells) - 1
        and line.startswith(quote)
        and line.endswith(quote)
    ):
        return True
    grammar = _grammar(style)
    place = 0
    while match := grammar.cell.match(line, place):
        if match["bare"] is not None:
            if quote in match["bare"]:
                return False
        elif match["before"] or match["after"]:
            return False
        if not match["end"]:
            return True
        place = match.end()
    return True


def _strict(
    raw: str, line: str, style: Style, source: Iterator[str], waiting: deque[str]
) -> tuple[list[str | None] | None, int, bool]:
    """The cells of a record by the rules, and how many lines it goes on in; None when it breaks them.

    And whether the text ended before a quote was closed.
    """
    grammar = _grammar(style)
    text, full = line, raw
    cells: list[str | None] = []
    place = used = 0
    while True:
        match = grammar.cell.match(text, place)
        if match is not None:
            cells.append(_value(match, style))
            if not match["end"]:
                return cells, used, False
            place = match.end()
            continue
        if grammar.open.match(text, place) is None or used >= MOST_LINES or len(full) > MOST_LETTERS:
            return None, 0, False
        # Lines are joined many at a time, so that a long value is not looked at once for each of its lines.
        quote = style.quote or ""
        while True:
            if used == len(waiting):
                more = next(source, None)
                if more is None:
                    return None, 0, True
                waiting.append(more)
            full += waiting[used]
            used += 1
            if quote in waiting[used - 1]:
                break
            if used >= MOST_LINES or len(full) > MOST_LETTERS:
                return None, 0, False
        text = full.rstrip("\r\n") if full.endswith(("\r", "\n")) else full


def _value(match: re.Match[str], style: Style) -> str | None:
    quoted = match["quoted"]
    return _unquoted(quoted, style) if quoted is not None else match["bare"] or None


def _unquoted(text: str, style: Style) -> str:
    quote = style.quote or ""
    if style.escape is not None:
        escape = re.escape(style.escape)
        text = re.sub(rf"{escape}({escape}|{re.escape(quote)})", r"\1", text)
    return text.replace(quote + quote, quote)


def _repaired(line: str, style: Style, width: int | None) -> list[str | None]:
    """The likeliest cells of a line that breaks the rules."""
    if width and (cells := _in_other_words(line, style, width)):
        return cells
    if width is None or line.count(style.quote or "") > MOST_TRIED:
        return _greedy(line, style)
    return _likeliest(line, style, width)


def _in_other_words(line: str, style: Style, width: int) -> list[str | None] | None:
    """The cells of a line that is written with another delimiter than all others, where that is plain."""
    for other in OTHER_DELIMITERS:
        if other == style.delimiter or other not in line:
            continue
        changed = style._replace(delimiter=other)
        cells: list[str | None] | None = [cell or None for cell in line.split(other)]
        if style.quote:
            cells = _strict(line, line, changed, iter(()), deque())[0]
        if cells is None or len(cells) != width:
            continue
        numbers = sum(any(map(str.isdigit, cell or "")) for cell in cells)
        if _all_quoted(line, changed) or (width > 2 and (other != " " or 2 * numbers >= width)):  # noqa: PLR2004
            return cells
    return None


def _all_quoted(line: str, style: Style) -> bool:
    quote = style.quote or ""
    return bool(quote) and line.startswith(quote) and quote + style.delimiter + quote in line


def _closings(line: str, start: int, style: Style) -> Iterator[int]:
    """Where a value that is opened before `start` may be closed."""
    quote = style.quote or ""
    place = line.find(quote, start)
    while place >= 0:
        if place + 1 == len(line) or line.startswith(style.delimiter, place + 1):
            yield place
        place = line.find(quote, place + 1)


def _strays(inside: str, style: Style) -> int:
    """Quotes inside of quotes that are not doubled."""
    quote = re.escape(style.quote or "")
    return sum(len(run) % 2 for run in re.findall(rf"{quote}+", inside))


def _likeliest(line: str, style: Style, width: int) -> list[str | None]:
    """Of all ways to read the line, the one that costs least."""
    quote, delimiter = style.quote or "", style.delimiter
    # The least cost of each place where a value begins, by how many stand before it; and whence it comes.
    states: dict[tuple[int, int], int] = {(0, 0): 0}
    came: dict[tuple[int, int], tuple[tuple[int, int], str | None]] = {}
    least: tuple[int, tuple[int, int], str | None] | None = None
    waiting = [(0, 0)]
    while waiting:
        place, count = state = heappop(waiting)
        cost = states[state]
        ways: list[tuple[int, int, str | None]] = []
        if line.startswith(quote, place):
            ways.extend(
                (
                    end + 1,
                    STRAY * _strays(line[place + 1 : end], style),
                    _unquoted(line[place + 1 : end], style),
                )
                for end in _closings(line, place + 1, style)
            )
        end = line.find(delimiter, place)
        bare = line[place:] if end < 0 else line[place:end]
        extra = 0 if quote not in bare else OPENED + STRAY * (bare.count(quote) - 1)
        ways.append((len(line) if end < 0 else end, extra, bare or None))
        for stop, price, cell in ways:
            if stop >= len(line):
                total = cost + price + SHORT * abs(count + 1 - width)
                if least is None or total < least[0]:
                    least = (total, state, cell)
                continue
            following = (stop + len(delimiter), min(count + 1, width + 5))
            if following not in states or cost + price < states[following]:
                if following not in states:
                    heappush(waiting, following)
                states[following] = cost + price
                came[following] = (state, cell)
    if least is None:
        return [line or None]
    _, state, cell = least
    cells = [cell]
    while state != (0, 0):
        state, cell = came[state]
        cells.append(cell)
    return cells[::-1]


def _greedy(line: str, style: Style) -> list[str | None]:
    """The cells, each closed by the first quote that a delimiter follows."""
    quote, delimiter = style.quote or "", style.delimiter
    cells: list[str | None] = []
    place = 0
    while place <= len(line):
        end = next(_closings(line, place + 1, style), -1) if line.startswith(quote, place) else -1
        if end >= 0:
            cells.append(_unquoted(line[place + 1 : end], style))
            end += 1
        else:
            end = line.find(delimiter, place)
            end = len(line) if end < 0 else end
            cells.append(line[place:end] or None)
        if end == len(line):
            break
        place = end + len(delimiter)
    return cells
