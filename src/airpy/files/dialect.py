"""Detects how a CSV file is written, from its first 64 KB."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from airpy.errors import FileUnavailable
from airpy.files.encodings import detect_encoding, first_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Dialect", "detect_dialect", "has_rows"]

SNIFFED_ROWS = 100
DELIMITERS = "\t|;,"
"""Those that text seldom has come first: they win where lines can be cut both ways."""


class Dialect(NamedTuple):
    """How a CSV file is written."""

    encoding: str
    delimiter: str = ","
    quote: str | None = '"'
    line_end: str = "\n"


def detect_dialect(path: Path) -> Dialect:
    """How a CSV file is written; a comma between values where nothing tells.

    Raises:
        FileUnavailable: The file has no bytes, or they are no text.
    """
    encoding = detect_encoding(path)
    text, cut = first_text(path, encoding)
    if not text.strip():
        raise FileUnavailable(
            f'"{path.name}" is empty', constraint="a header line at least", reason="EMPTY_FILE"
        )
    line_end = "\r" if "\r" in text and "\n" not in text else "\n"
    if '"' not in text and "'" in text:
        single = _delimiter(text, "'", cut=cut)
        if _opens(text, single, "'") and _well_quoted(text, single, "'", cut=cut):
            return Dialect(encoding, single, "'", line_end)
    delimiter = _delimiter(text, '"', cut=cut)
    stray = '"' in text and not _opens(text, delimiter, '"')
    return Dialect(encoding, delimiter, None if stray else '"', line_end)


def has_rows(path: Path, dialect: Dialect) -> bool:
    """Whether anything stands below the header line."""
    text, _ = first_text(path, dialect.encoding)
    return len(_rows(text, dialect.delimiter, dialect.quote)) > 1


def _rows(text: str, delimiter: str, quote: str | None) -> list[list[str]]:
    """The first rows that are not blank."""
    source = io.StringIO(text, newline="")
    if quote is None:
        lines = csv.reader(source, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        lines = csv.reader(source, delimiter=delimiter, quotechar=quote)
    return list(islice(filter(None, lines), SNIFFED_ROWS))


def _delimiter(text: str, quote: str, *, cut: bool) -> str:
    """The delimiter that cuts most rows into as many values as the header."""
    likely, most = ",", 0.0
    for delimiter in DELIMITERS:
        rows = _rows(text, delimiter, quote)
        if cut and 1 < len(rows) < SNIFFED_ROWS:
            rows.pop()
        width = len(rows[0])
        share = sum(len(row) == width for row in rows) / len(rows)
        if width > 1 and share > most:
            likely, most = delimiter, share
    return likely


def _opens(text: str, delimiter: str, quote: str) -> bool:
    """Whether a value begins with the quote."""
    return re.search(rf"(?:^|[{re.escape(delimiter)}\r\n]){quote}", text) is not None


def _well_quoted(text: str, delimiter: str, quote: str, *, cut: bool) -> bool:
    """Whether quotes stand around whole values alone, and are doubled inside."""
    cell = rf"{quote}(?:[^{quote}]|{quote}{quote})*+{quote}|[^{quote}{re.escape(delimiter)}\r\n]*+"
    end = rf"[{re.escape(delimiter)}\r\n]"
    tail = rf"(?:{quote}(?:[^{quote}]|{quote}{quote})*+{quote}?+)?" if cut else ""
    return re.fullmatch(rf"(?:(?:{cell}){end})*+(?:{tail}|{cell})", text) is not None
