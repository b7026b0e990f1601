"""Finds what of a CSV file is its table: preamble, header, rows, footer."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from string import ascii_letters, digits
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import ReadOptions
    from airpy.files.records import Record

__all__ = ["Layout", "column_names", "find_layout"]

MOST_PREAMBLE = 100
MOST_FOOTER = 30
MOST_HEADER = 3
NOTHING = {"", "-", "--", ".", "..", "...", "na", "n/a", "n.a.", "nan", "null", "none", "*", ":", "x"}
NOTE = re.compile(
    r"\s*(?:sources?|notes?|footnotes?|total rows|generated|created|exported|copyright|last updated|quellen?"
    r"|hinweise?|stand|erstellt|fuente|nota|\(?[*©†‡]|\([a-z0-9]\)|\[[a-z0-9]\])",
    re.IGNORECASE,
)
KINDS = {
    "number": r"[-+(]?\s?[$€£¥]?\s?[-+]?[\d.,'’  ]*\d[\d.,]*(?:[eE][-+]?\d+)?\s?[%€$£)]?",
    "date": r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d{1,2}:\d{2}.*)?",
    "time": r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[AaPp][Mm])?",
    "flag": r"(?i:true|false|yes|no|[yn])",
    "address": r"[\w.+-]+@[\w-]+\.[\w.]+|https?://\S+",
}
ANY_KIND = re.compile("|".join(f"(?P<{kind}>{looks})" for kind, looks in KINDS.items()))
ASCII_SHAPES = str.maketrans(dict.fromkeys(ascii_letters, "a") | dict.fromkeys(digits, "0"))
YEAR = re.compile(r"(?:1[89]|20|21)\d\d")
MOSTLY = 0.8
PAIR = 2
"""Values of a record from which it can be told apart from a remark, and of columns that tell of a header."""


class Layout(NamedTuple):
    """What of a file is its table."""

    header_rows: int
    skipped_lines: int = 0
    """Lines before the header, or before the rows when there is none."""
    data_line: int = 2
    """The line of the first row, from 1."""
    footer_lines: int = 0
    names: tuple[str, ...] = ()
    """What the header says; shorter than the rows where they are longer."""
    width: int = 1


def column_names(header: Sequence[str], width: int) -> tuple[str, ...]:
    """A name for each column: the header's, `column_3` where it has none, `name_2` for a second `name`."""
    names: list[str] = []
    taken = {name for name in header if name}
    used: set[str] = set()
    for place in range(width):
        name = header[place] if place < len(header) else ""
        name = name or f"column_{place + 1}"
        unique, number = name, 1
        while unique in used or (number > 1 and unique in taken):
            number += 1
            unique = f"{name}_{number}"
        used.add(unique)
        names.append(unique)
    return tuple(names)


def find_layout(
    records: Sequence[Record],
    ending: Sequence[Record],
    width: int,
    options: ReadOptions,
    lines: Sequence[str],
) -> Layout:
    """The layout of a file by its first records, and its last ones."""
    skip = options.skip or 0
    if not records:
        return Layout(0 if options.header is False else 1, skip, skip + 1, width=width)
    first = 0 if options.skip is not None else _preamble(records, width)
    header = _has_header(records[first], records[first + 1 :]) if options.header is None else options.header
    rows = _header_rows(records, first) if header and options.header is None else int(header)
    names = _joined(records[first : first + rows])
    beginning = records[first].line - 1
    following = records[first + rows].line if len(records) > first + rows else len(lines) + 1
    return Layout(
        rows,
        skip + beginning,
        skip + following,
        _footer(ending[rows:] if ending is records else ending, width) if len(records) > first + rows else 0,
        names,
        max(width, len(names)) if rows else width,
    )


def _filled(record: Record) -> int:
    """How many of its values say something."""
    return len([cell for cell in record.cells if cell and not cell.isspace()])


def _preamble(records: Sequence[Record], width: int) -> int:
    """How many records stand before the header: titles and remarks, of one value or two among many."""
    if width == 1:
        return 0
    usual = sorted(map(_filled, (r for r in records if len(r.cells) == width)))
    if not usual:
        return 0
    middle = usual[len(usual) // 2]
    enough = max(PAIR, min(width, middle) // 2)
    for place, record in enumerate(records[:MOST_PREAMBLE]):
        if _filled(record) >= enough and 2 * len(record.cells) >= width:
            return place
        if width == len(record.cells) == PAIR and _filled(records[min(1, len(records) - 1)]):
            return 0
    return 0


@lru_cache(8192)
def _kind(cell: str | None) -> str:
    """What a value is by its look; empty for nothing."""
    text = (cell or "").strip()
    if text.casefold() in NOTHING:
        return ""
    found = ANY_KIND.fullmatch(text)
    return (found and found.lastgroup) or "text"


def _column_kinds(body: Sequence[Record]) -> list[str]:
    """What most values of each column are; empty where there are none."""
    kinds: list[str] = []
    sample = body[:200]
    for place in range(max((len(record.cells) for record in sample), default=0)):
        found = Counter(_kind(record.cells[place]) for record in sample if place < len(record.cells))
        del found[""]
        total = sum(found.values())
        kind, count = found.most_common(1)[0] if found else ("", 0)
        kinds.append(kind if count >= MOSTLY * total else "text" if total else "")
    return kinds


def _has_header(head: Record, body: Sequence[Record]) -> bool:
    """Whether the record names the columns: it is unlike the values below it."""
    cells = [(cell or "").strip() for cell in head.cells]
    if not body:
        return all(_name_kind(cell) in {"text", ""} for cell in cells)
    votes = 0.0
    body = [record for record in body[:200] if record.cells != head.cells]
    for place, kind in enumerate(_column_kinds(body)[: len(cells)]):
        cell, own = cells[place], _name_kind(cells[place])
        if not kind or not own:
            continue
        if kind != "text":
            votes += 1 if own == "text" else -1 if own == kind else 0
            continue
        values = [(record.cells[place] or "").strip() for record in body if place < len(record.cells)]
        values = [value for value in values if value]
        if cell in values:
            votes -= 1
            continue
        shapes = Counter(map(_shape, values))
        if own != "text" or (_shape(cell) in shapes and _alike(shapes)):
            votes -= 0.5
        elif _alike(shapes):
            votes += 0.5
    if votes:
        return votes > 0
    return all(_name_kind(cell) in {"text", ""} for cell in cells) and any(cells)


def _name_kind(cell: str) -> str:
    """What a value is if it could be a name: a year is one, and so are `x`, `y` and `n`."""
    kind = _kind(cell)
    named = kind in {"", "flag"} or (kind == "number" and YEAR.fullmatch(cell.strip()))
    return "text" if named and cell.strip() else kind


def _shape(text: str) -> str:
    """The text with every digit as 0 and every letter as a."""
    if text.isascii():
        return text.translate(ASCII_SHAPES)
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "0", text))


def _alike(shapes: Counter[str]) -> bool:
    """Whether values with digits in them are all of one shape, as codes are."""
    if not shapes:
        return False
    shape, count = shapes.most_common(1)[0]
    total = shapes.total()
    return "0" in shape and total > 1 and count >= MOSTLY * total


def _header_rows(records: Sequence[Record], first: int) -> int:
    """How many records the header is spread over: its own repetition, or units below names."""
    rows = 1
    while rows < MOST_HEADER and first + rows < len(records) - 1 and _goes_on(records, first, first + rows):
        rows += 1
    return rows


def _goes_on(records: Sequence[Record], first: int, place: int) -> bool:
    """Whether the record belongs to the header that begins at `first`."""
    head, record, body = records[first], records[place], records[place + 1 :]
    kinds = _column_kinds(body)
    if record.cells == head.cells:
        # Of text alone equal rows are rows.
        return all(_kind(cell) in {"text", ""} for cell in head.cells) and bool({*kinds} - {"text", ""})
    if _fills_gaps(head, record, body):
        return True
    typed = [place for place, kind in enumerate(kinds) if kind not in {"text", ""}]
    own = [_kind(record.cells[column]) for column in typed if column < len(record.cells)]
    named = sum(kind == "text" for kind in own)
    if len(typed) < PAIR or any(kind not in {"text", ""} for kind in map(_kind, record.cells)):
        return False
    return named >= PAIR and 2 * named >= len(typed) and len(body) > PAIR


def _fills_gaps(head: Record, record: Record, body: Sequence[Record]) -> bool:
    """Whether the record names what the header leaves blank, below names that span several columns."""
    above, below = ([(cell or "").strip() for cell in row.cells] for row in (head, record))
    if len(above) != len(below) or not above[0] or below[0]:
        return False
    gaps = [own for over, own in zip(above, below, strict=True) if not over]
    named = all(_name_kind(own) in {"text", ""} for own in below)
    first = sum(bool(row.cells[0]) for row in body[:200])
    return bool(gaps) and all(gaps) and named and first >= MOSTLY * len(body[:200]) > 0


def _joined(header: Sequence[Record]) -> tuple[str, ...]:
    """The names that the rows of a header spell, from top to bottom."""
    width = max((len(record.cells) for record in header), default=0)
    return tuple(
        " ".join(cell for record in header if place < len(record.cells) and (cell := record.cells[place]))
        for place in range(width)
    )


def _footer(ending: Sequence[Record], width: int) -> int:
    """Records after the last row: remarks of one value, behind a blank line or such by their words."""
    if width <= PAIR:
        return 0
    count = 0
    for place in range(1, min(len(ending), MOST_FOOTER + 1)):
        record = ending[-place]
        if _filled(record) > 1 or not (record.cells[0] or "").strip():
            break
        count = place
    while count and not _begins_footer(ending, count):
        count -= 1
    # Blank rows between belong to it.
    while 0 < count < len(ending) and not _filled(ending[-count - 1]):
        count += 1
    return count


def _begins_footer(ending: Sequence[Record], count: int) -> bool:
    """Whether the record, so many from the end, is the first of a footer, and not a row with little in it."""
    first = ending[-count]
    words = first.cells[0] or ""
    if NOTE.match(words):
        return True
    if count == len(ending) or not (len(first.cells) == 1 or " " in words.strip()):
        return False
    before = ending[-count - 1]
    return first.line > before.line + before.lines or not _filled(before)
