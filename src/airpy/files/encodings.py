"""Detects a text file's encoding.

Only the first 64 KB are looked at. Encodings without a mark are guesses, so they are made from few: Western
text where what is no ASCII stands alone among letters, else whatever a detector is sure of.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

import charset_normalizer

from airpy.errors import FileUnavailable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["detect_encoding", "first_text"]

SAMPLE_BYTES = 64 * 1024

# Longer marks first: UTF-32's begins with UTF-16's.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Nearly any bytes are letters in the first of these, but only what was written so is words.
ONE_BYTE = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256"]
TWO_BYTES = ["gb18030", "big5", "cp932", "euc_jp", "cp949"]
LONE_BYTES = 1.5
"""Western text has this many bytes beyond ASCII in a row at most, on average."""


def detect_encoding(path: Path) -> str:
    """The file's encoding: by its byte-order mark, UTF-8 if the first 64 KB are that, else by its letters.

    Raises:
        FileUnavailable: The file has no bytes, or they are no text in an encoding that can be told.
    """
    sample = _sample(path)
    for mark, encoding in BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    if wide := _utf16(sample):
        return wide
    if _decodes(sample, "utf-8"):
        return "utf-8"
    if guessed := _guessed(sample):
        return guessed
    raise FileUnavailable(
        f'"{path.name}" is not text in an encoding that can be told', constraint="text, in UTF-8 at best"
    )


def _sample(path: Path) -> bytes:
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    if not sample:
        raise FileUnavailable(
            f'"{path.name}" is empty', constraint="a file with at least one byte", reason="EMPTY_FILE"
        )
    return sample


def first_text(path: Path, encoding: str) -> tuple[str, bool]:
    """The beginning of the file, and whether that is cut."""
    sample = _sample(path)
    return sample.decode(encoding, errors="ignore"), len(sample) == SAMPLE_BYTES


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=len(sample) < SAMPLE_BYTES)
    except UnicodeDecodeError:
        return False
    return True


def _utf16(sample: bytes) -> str | None:
    """UTF-16 without its mark: of the two bytes of a letter one is often zero, and never the other."""
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    often = len(sample) // 8
    if second > often and not first:
        return "utf-16-le"
    return "utf-16-be" if first > often and not second else None


def _guessed(sample: bytes) -> str | None:
    if 0 in sample:
        return None
    beyond_ascii = re.findall(rb"[\x80-\xff]+", sample)
    if len(b"".join(beyond_ascii)) <= LONE_BYTES * len(beyond_ascii) and _decodes(sample, "cp1252"):
        return "cp1252"
    matches = [
        match
        for match in charset_normalizer.from_bytes(sample, cp_isolation=ONE_BYTE + TWO_BYTES)
        if match.coherence or match.encoding in TWO_BYTES
    ]
    # Two readings that are equally clean are none.
    chaos = [match.chaos for match in matches]
    return matches[0].encoding if chaos and chaos[0] not in chaos[1:] else None
