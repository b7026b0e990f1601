"""Detects a text file's encoding and its delimiter."""

from __future__ import annotations

import codecs
import csv
from typing import TYPE_CHECKING, NamedTuple

import charset_normalizer

from airpy.errors import FileUnavailable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Dialect", "detect_dialect", "detect_encoding"]

SAMPLE_BYTES = 64 * 1024
SNIFFED_LINES = 100
DELIMITERS = ",;\t|"

# Longer marks first: UTF-32's begins with UTF-16's.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Dialect(NamedTuple):
    """How a text file is written."""

    encoding: str
    delimiter: str = ","
    quote: str = '"'


def detect_encoding(path: Path) -> str:
    """The file's encoding: by its byte-order mark, UTF-8 if the first 64 KB are that, else by its letters.

    Raises:
        FileUnavailable: The file has no bytes, or they are no text.
    """
    sample = _sample(path)
    for mark, encoding in BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(sample) < SAMPLE_BYTES)
    except UnicodeDecodeError:
        guess = charset_normalizer.from_bytes(sample).best()
        if guess is None:
            raise FileUnavailable(
                f'"{path.name}" is not text in any known encoding', constraint="text, in UTF-8 at best"
            ) from None
        return guess.encoding
    return "utf-8"


def detect_dialect(path: Path) -> Dialect:
    """The encoding and delimiter of a CSV file; a comma where nothing tells.

    Raises:
        FileUnavailable: The file has no bytes, or they are no text.
    """
    encoding = detect_encoding(path)
    text = _sample(path).decode(encoding, errors="ignore")
    lines = text.splitlines(keepends=True)[:SNIFFED_LINES]
    if not "".join(lines).strip():
        raise FileUnavailable(
            f'"{path.name}" is empty', constraint="a header line at least", reason="EMPTY_FILE"
        )
    try:
        sniffed = csv.Sniffer().sniff("".join(lines), delimiters=DELIMITERS)
    except csv.Error:
        return Dialect(encoding)
    return Dialect(encoding, sniffed.delimiter, sniffed.quotechar or '"')


def _sample(path: Path) -> bytes:
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    if not sample:
        raise FileUnavailable(
            f'"{path.name}" is empty', constraint="a file with at least one byte", reason="EMPTY_FILE"
        )
    return sample
