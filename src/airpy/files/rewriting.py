"""Puts a text file into the plain form that the readers take: UTF-8, and CSV by the rules."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from airpy.contract import Fault
from airpy.files.cells import plain_line
from airpy.files.encodings import no_text_in
from airpy.files.faults import LONGEST_TEXT, MOST_EXAMPLES
from airpy.files.records import read_records

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.files.dialect import Dialect
    from airpy.files.records import Record

__all__ = ["Rewritten", "fresh", "in_utf8", "rewrite"]

MOST_SURPLUS = 10_000
"""Values beyond the header's that a row may have; those beyond that are put into the last column."""


def fresh(scratch: Path, suffix: str) -> Path:
    """A file in the scratch directory that is not there yet."""
    return scratch / f"{len(list(scratch.iterdir()))}{suffix}"


def in_utf8(
    path: Path, encoding: str, scratch: Path, read_as_it_is: set[str], shown: str | None = None
) -> Path:
    """The file itself, or its text in UTF-8 without a byte-order mark in the scratch directory.

    Raises:
        FileUnavailable: Its bytes are no text in the encoding; the fault says where.
    """
    if encoding in read_as_it_is:
        return path
    copy = fresh(scratch, path.suffix.lower())
    try:
        with (
            path.open(encoding=encoding, newline="") as source,
            copy.open("w", encoding="utf-8", newline="") as target,
        ):
            while block := source.read(1 << 20):
                target.write(block)
    except UnicodeError:
        raise no_text_in(path, encoding, shown) from None
    return copy


class Rewritten(NamedTuple):
    """What came of a file."""

    width: int
    """Values of its widest row, empty ones at its end not counted."""
    ragged: int
    """Rows with more or fewer values than the header."""
    examples: list[Fault]


def rewrite(
    source: Path, target: Path, dialect: Dialect, width: int, shown: str, most: int | None = None
) -> Rewritten:
    """Write the rows of a file in UTF-8 by the rules: a comma, double quotes, LF.

    Its first line has as many blank names as there are columns, which is only known in the end.

    Args:
        source: The file, in UTF-8.
        target: Where the rows go.
        dialect: How it is written.
        width: How many values each row should have.
        shown: What its caller calls it.
        most: So many rows are enough; all when None.
    """
    style, layout = dialect.style, dialect.layout
    by_return = dialect.mixed_ends or dialect.line_end == "\r"
    plain = (
        plain_line(style, width)
        if style.delimiter == "," and style.quote == '"' and not style.escape
        else None
    )
    widest, ragged, rows = width, 0, 0
    examples: list[Fault] = []
    held: deque[Record] = deque()
    with (
        source.open(encoding="utf-8-sig", newline="" if by_return else "\n") as lines,
        target.open("w", encoding="utf-8", newline="") as written,
    ):
        room = width + MOST_SURPLUS
        written.write(" " * room + "\n")
        before = layout.data_line - 1
        records = read_records(islice(lines, before, None), style, width, dialect.comment, plain)
        for record in records:
            held.append(record)
            if len(held) <= layout.footer_lines:
                continue
            row = held.popleft()
            rows += 1
            if row.text is not None:
                written.write(row.text)
                written.write("\n")
            else:
                cells = row.cells
                odd = len(cells) != width
                ragged += odd
                if (odd or row.open_quote) and len(examples) < MOST_EXAMPLES:
                    examples.append(_example(row, shown, rows, before, odd=odd))
                while len(cells) > width and not cells[-1]:
                    cells.pop()
                if len(cells) > room:
                    cells[room - 1 :] = [",".join(map(_written, cells[room - 1 :]))]
                widest = max(widest, len(cells))
                written.write(",".join(map(_written, cells)) or ("" if width == 1 else ","))
                written.write("\n")
            if rows == most:
                break
        written.seek(0)
        written.write("," * (widest - 1))
    return Rewritten(widest, ragged, examples)


def _written(cell: str | None) -> str:
    if cell is None:
        return ""
    if cell and not any(letter in cell for letter in ',"\n\r'):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def _example(row: Record, shown: str, number: int, before: int, *, odd: bool) -> Fault:
    return Fault(
        file=shown,
        row=number,
        line=row.line + before,
        kind="ragged_row" if odd else "open_quote",
        text=",".join(map(_written, row.cells))[:LONGEST_TEXT],
    )
