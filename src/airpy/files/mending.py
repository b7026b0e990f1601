"""Reads a line of delimited text that breaks the rules, in the likeliest way."""

from __future__ import annotations

import re
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from airpy.files.cells import strict_cells, unquoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airpy.files.cells import Style

__all__ = ["in_other_words", "mended"]

MOST_TRIED = 60
"""Quotes in a line up to which every way to read it is tried."""
MOST_SURPLUS = 5
OTHER_DELIMITERS = (" ", ",", ";", "\t", "|")
STRAY, OPENED, SHORT = 2, 3, 4
"""What it costs, in a line that breaks the rules, to take a quote for text, an opening one so, or to have
another number of values than the others."""


def mended(line: str, style: Style, width: int | None) -> list[str | None]:
    """The likeliest cells of a line that breaks the rules."""
    if width and (cells := in_other_words(line, style, width)):
        return cells
    if width is None or line.count(style.quote or "") > MOST_TRIED:
        return _greedy(line, style)
    return _likeliest(line, style, width)


def in_other_words(line: str, style: Style, width: int) -> list[str | None] | None:
    """The cells of a line that is written with another delimiter than all others, where that is plain."""
    for other in OTHER_DELIMITERS:
        if other == style.delimiter or other not in line:
            continue
        changed = style._replace(delimiter=other)
        cells: list[str | None] = [cell or None for cell in line.split(other)]
        if style.quote:
            strict = strict_cells(line, changed)
            cells = strict.values if strict.stop is None else []
        if len(cells) != width:
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


def _ways(line: str, place: int, style: Style) -> Iterator[tuple[int, int, str | None]]:
    """How the value that begins at a place may be read: where it ends, what that costs, what it is."""
    quote, delimiter = style.quote or "", style.delimiter
    if line.startswith(quote, place):
        for end in _closings(line, place + 1, style):
            inside = line[place + 1 : end]
            yield end + 1, STRAY * _strays(inside, style), unquoted(inside, style)
    end = line.find(delimiter, place)
    end = len(line) if end < 0 else end
    bare = line[place:end]
    yield end, OPENED + STRAY * (bare.count(quote) - 1) if quote in bare else 0, bare or None


def _likeliest(line: str, style: Style, width: int) -> list[str | None]:
    """Of all ways to read the line, the one that costs least."""
    # The least cost of each place where a value begins, by how many stand before it; and whence it comes.
    states: dict[tuple[int, int], int] = {(0, 0): 0}
    came: dict[tuple[int, int], tuple[tuple[int, int], str | None]] = {}
    least: tuple[int, tuple[int, int], str | None] | None = None
    waiting = [(0, 0)]
    while waiting:
        place, count = state = heappop(waiting)
        cost = states[state]
        for stop, price, cell in _ways(line, place, style):
            if stop >= len(line):
                total = cost + price + SHORT * abs(count + 1 - width)
                if least is None or total < least[0]:
                    least = (total, state, cell)
                continue
            following = (stop + len(style.delimiter), min(count + 1, width + MOST_SURPLUS))
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
            cells.append(unquoted(line[place + 1 : end], style))
            end += 1
        else:
            end = line.find(delimiter, place)
            end = len(line) if end < 0 else end
            cells.append(line[place:end] or None)
        if end == len(line):
            break
        place = end + len(delimiter)
    return cells
