"""Refuses text that no reader is to be given: lines and headers beyond all measure."""

from __future__ import annotations

import csv
from itertools import islice
from typing import TYPE_CHECKING

from airpy.errors import CapExceeded, shortened

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["MOST_COLUMNS", "MOST_LINE_BYTES", "check_columns", "check_lines"]

MOST_LINE_BYTES = 16 * 1024 * 1024
"""A row of 10,000 columns has some 100 KB; readers hold several lines at once, and some copies of each."""
MOST_COLUMNS = 10_000
"""Beyond it, readers take seconds to make a plan, and nobody means them as columns."""
LOOK = 64 * 1024
DELIMITERS = (",", ";", "\t", "|")


def check_lines(path: Path, name: str) -> None:
    """Nothing, when no line of the text is too long.

    A line that is spans one of the blocks half as long in whole. So it is enough to look for a line's end in
    each block, and that is most often found at once.

    Raises:
        CapExceeded: A line is.
    """
    block = MOST_LINE_BYTES // 2
    size = path.stat().st_size
    if size <= MOST_LINE_BYTES:
        return
    with path.open("rb") as file:
        for start in range(0, size - block + 1, block):
            if _line_end(file, start, block) is not None:
                continue
            begin = _line_begin(file, start)
            end = _line_end(file, start, MOST_LINE_BYTES + 1)
            if (end if end is not None else size) - begin > MOST_LINE_BYTES:
                raise _too_large(name, f"a line of more than {MOST_LINE_BYTES >> 20} MiB")


def check_columns(path: Path, name: str, skip: int = 0) -> None:
    """Nothing, when the header of a CSV file, behind the lines to be skipped, has not too many columns.

    Raises:
        CapExceeded: It has.
    """
    if path.stat().st_size < MOST_COLUMNS:
        return
    with path.open("rb") as file:
        lines = (line for line in iter(lambda: file.readline(MOST_LINE_BYTES), b"") if line.strip())
        header = next(islice(lines, skip, None), b"")
    if len(header) < MOST_COLUMNS:
        return
    text = header.replace(b"\x00", b"").decode("latin-1").split("\r")[0]
    delimiter = max(DELIMITERS, key=text.count)
    if text.count(delimiter) < MOST_COLUMNS:
        return
    csv.field_size_limit(MOST_LINE_BYTES)
    if len(next(csv.reader([text], delimiter=delimiter), [])) > MOST_COLUMNS:
        raise _too_large(name, f"more than {MOST_COLUMNS:,} columns")


def _line_end(file: BinaryIO, start: int, most: int) -> int | None:
    """Where the first line's end is from here, looking at so many bytes at most."""
    file.seek(start)
    step = 4096
    while most > 0:
        piece = file.read(min(step, most))
        if not piece:
            return None
        ends = [place for place in (piece.find(b"\n"), piece.find(b"\r")) if place >= 0]
        if ends:
            return start + min(ends)
        start += len(piece)
        most -= len(piece)
        step = LOOK
    return None


def _line_begin(file: BinaryIO, end: int) -> int:
    """Where the line begins that goes on here, looking as far back as a line may reach."""
    least = max(end - MOST_LINE_BYTES - 1, 0)
    while end > least:
        start = max(end - LOOK, least)
        file.seek(start)
        piece = file.read(end - start)
        place = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        if place >= 0:
            return start + place + 1
        end = start
    return least


def _too_large(name: str, what: str) -> CapExceeded:
    return CapExceeded(
        f'"{shortened(name)}" has {what}',
        constraint=f"lines of at most {MOST_LINE_BYTES >> 20} MiB, and at most {MOST_COLUMNS:,} columns",
        reason="TOO_LARGE",
    )
