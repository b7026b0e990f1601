"""Detects a text file's encoding.

The first megabyte is looked at, or all of a file where nothing is taken on trust. Encodings without a mark
are guesses, so they are made from few: Western text where what is no ASCII stands alone among letters, else
whatever a detector is sure of.
"""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases
from typing import TYPE_CHECKING

import charset_normalizer

from airpy.contract import Fault
from airpy.errors import FileUnavailable, InvalidOptions, did_you_mean, nearest, shortened
from airpy.files.faults import LONGEST_TEXT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["bad_bytes", "detect_encoding", "known_encoding", "no_text_in"]

SAMPLE_BYTES = 1 << 20
TELLING_BYTES = 64 * 1024
"""So much of the lines that are not ASCII alone tells the encoding."""

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


def known_encoding(name: str) -> str:
    """The encoding that a caller names, by its usual name.

    Raises:
        InvalidOptions: Python knows none of that name.
    """
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        found = None
    if found is None or not found._is_text_encoding:  # noqa: SLF001  it is the only way to tell
        close = nearest(name, sorted({*aliases, *aliases.values()}))
        raise InvalidOptions(
            f'there is no encoding "{shortened(name)}"{did_you_mean(close)}',
            field="read.encoding",
            constraint="the name of an encoding that Python knows, as in utf-8 or cp1252",
            suggestion=close,
        )
    return found.name


def detect_encoding(path: Path, *, whole: bool = False, shown: str | None = None) -> str:
    """The file's encoding: by its byte-order mark, UTF-8 if its bytes are that, else by its letters.

    Args:
        path: The file.
        whole: Whether all of it is looked at, and not just the first megabyte.
        shown: What its caller calls it.

    Raises:
        FileUnavailable: The file has no bytes, or they are no text in an encoding that can be told.
    """
    sample = _sample(path)
    for mark, encoding in BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    if wide := _wide(sample):
        return wide
    complete = len(sample) < SAMPLE_BYTES
    if _decodes(sample, "utf-8", final=complete) and (
        complete or not whole or bad_bytes(path, "utf-8") is None
    ):
        return "utf-8"
    telling = _telling(path, whole=whole)
    if not _mostly_utf8(telling) and 0 not in sample and (guessed := _guessed(telling)):
        return guessed
    fault = bad_bytes(path, "utf-8", shown)
    raise FileUnavailable(
        f'"{path.name}" is not text in an encoding that can be told'
        + ("" if fault is None else f": in UTF-8, byte {fault.byte} in line {fault.line} is wrong"),
        constraint="text, in UTF-8 at best; read.encoding names another",
        reason="ENCODING",
        fault=fault,
    )


def no_text_in(path: Path, encoding: str, shown: str | None = None) -> FileUnavailable:
    """What to say of a file whose bytes are no text in its encoding."""
    fault = bad_bytes(path, encoding, shown)
    place = "" if fault is None else f": byte {fault.byte} in line {fault.line} is none"
    return FileUnavailable(
        f'"{path.name}" begins as text in {encoding}, and does not go on so{place}',
        constraint="text in one encoding, in UTF-8 at best; read.encoding names another",
        reason="ENCODING",
        fault=fault,
    )


def bad_bytes(path: Path, encoding: str, shown: str | None = None) -> Fault | None:
    """The first place in the file that is no text in the encoding; None when all of it is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, before = 1, 0
    with path.open("rb") as file:
        while True:
            block = file.read(SAMPLE_BYTES)
            held = len(decoder.getstate()[0])
            try:
                line += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                # The decoder counts from what it had kept of the block before.
                text = error.object[: error.start].decode(encoding, errors="ignore")
                return Fault(
                    file=shown or path.name,
                    kind="bad_bytes",
                    byte=before - held + error.start,
                    line=line + text.count("\n"),
                    text=repr(error.object[error.start : error.end])[2:-1][:LONGEST_TEXT],
                )
            if not block:
                return None
            before += len(block)


def _sample(path: Path) -> bytes:
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    if not sample:
        raise FileUnavailable(
            f'"{path.name}" is empty', constraint="a file with at least one byte", reason="EMPTY_FILE"
        )
    return sample


def _telling(path: Path, *, whole: bool) -> bytes:
    """The lines that are not ASCII alone, as many as tell the encoding."""
    telling = bytearray()
    with path.open("rb") as file:
        while len(telling) < TELLING_BYTES and (block := file.read(SAMPLE_BYTES)):
            for line in block.splitlines(keepends=True):
                if not line.isascii():
                    telling += line[:TELLING_BYTES]
                    if len(telling) >= TELLING_BYTES:
                        break
            if not whole:
                break
    return bytes(telling)


def _mostly_utf8(telling: bytes) -> bool:
    """Whether most lines are UTF-8 with letters beyond ASCII: then the others are damaged UTF-8."""
    lines = telling.splitlines()
    good = sum(_decodes(line, "utf-8", final=True) for line in lines)
    return good * 2 > len(lines)


def _decodes(sample: bytes, encoding: str, *, final: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=final)
    except UnicodeDecodeError:
        return False
    return True


def _wide(sample: bytes) -> str | None:
    """UTF-16 or UTF-32 without its mark: certain bytes of a letter are often zero, others never."""
    if 0 not in sample:
        return None
    often = len(sample) // 8
    zeros = [sample[place::4].count(0) for place in range(4)]
    if often and min(zeros[2:]) > often and not zeros[0] and zeros[1] > often:
        return "utf-32-le"
    if often and min(zeros[:2]) > often and not zeros[3] and zeros[2] > often:
        return "utf-32-be"
    first, second = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if second > often and not first:
        return "utf-16-le"
    return "utf-16-be" if first > often and not second else None


def _guessed(sample: bytes) -> str | None:
    beyond_ascii = re.findall(rb"[\x80-\xff]+", sample)
    if len(b"".join(beyond_ascii)) <= LONE_BYTES * len(beyond_ascii) and _decodes(
        sample, "cp1252", final=True
    ):
        return "cp1252"
    matches = [
        match
        for match in charset_normalizer.from_bytes(sample, cp_isolation=ONE_BYTE + TWO_BYTES)
        if match.coherence or match.encoding in TWO_BYTES
    ]
    # Two readings that are equally clean are none.
    chaos = [match.chaos for match in matches]
    return matches[0].encoding if chaos and chaos[0] not in chaos[1:] else None
