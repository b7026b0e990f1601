"""Finds where in a CSV file a row begins: its line and its byte."""

from __future__ import annotations

import csv
from itertools import islice
from typing import TYPE_CHECKING

from airpy.files.records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from airpy.contract import Fault
    from airpy.files.dialect import Dialect

__all__ = ["placed"]


def placed(fault: Fault, source: Path, dialect: Dialect, width: int, *, plain: bool, original: bool) -> Fault:
    """The fault with the line of its row, and the byte.

    Args:
        fault: It names the row.
        source: The file, in UTF-8.
        dialect: How it is written.
        width: How many columns it has.
        plain: Whether it is read by the rules; else by the tolerant reader, row by row.
        original: Whether it is the caller's own file, whose bytes can be counted.
    """
    if fault.row is None:
        return fault
    if plain and not dialect.comment and dialect.line_end != "\r":
        line, byte = _by_rules(source, dialect, fault.row)
    else:
        line, byte = _by_records(source, dialect, width, fault.row)
    told = {"line": line, "byte": byte if original else None}
    return fault.model_copy(update={name: value for name, value in told.items() if value is not None})


def _by_rules(source: Path, dialect: Dialect, row: int) -> tuple[int | None, int | None]:
    """Line and byte of a row, where the rows are as Python's reader has them too."""
    style, before = dialect.style, dialect.layout.data_line - 1
    with source.open("rb") as file:
        passed = sum(map(len, islice(file, before)))
        counted = _Counted(file, passed)
        rows = csv.reader(
            counted,
            delimiter=style.delimiter,
            quotechar=style.quote or '"',
            quoting=csv.QUOTE_MINIMAL if style.quote else csv.QUOTE_NONE,
        )
        seen = 0
        while True:
            line, byte = before + rows.line_num + 1, counted.bytes
            cells = next(rows, None)
            if cells is None:
                return None, None
            seen += bool(cells) or dialect.layout.width == 1
            if seen == row and cells:
                return line, byte


class _Counted:
    """The lines of a file, each letter a byte, and how many bytes they were so far."""

    def __init__(self, file: BinaryIO, passed: int) -> None:
        self._file = file
        self.bytes = passed

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.bytes += len(line)
            yield line.decode("latin-1")


def _by_records(source: Path, dialect: Dialect, width: int, row: int) -> tuple[int | None, int | None]:
    """Line and byte of a row, as the tolerant reader has them."""
    before = dialect.layout.data_line - 1
    by_return = dialect.mixed_ends or dialect.line_end == "\r"
    ends = "" if by_return else "\n"
    with source.open(encoding="utf-8-sig", newline=ends) as lines:
        records = read_records(islice(lines, before, None), dialect.style, width, dialect.comment)
        record = next(islice(records, row - 1, None), None)
    if record is None:
        return None, None
    line = record.line + before
    with source.open(encoding="utf-8", newline=ends) as lines:
        return line, sum(len(text.encode()) for text in islice(lines, line - 1))
