"""Unpacks compressed text files into the scratch directory, once and as far as needed."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from airpy.errors import CapExceeded, FileUnavailable, shortened
from airpy.files.formats import COMPRESSIONS

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Unpacked", "cut_at_line_end", "first_unpacked", "unpacked"]

BLOCK = 1024 * 1024
MOST_BYTES = 64 * 1024**3
"""Of one file unpacked; nobody means to send more in one, and no scratch directory has room for it."""
MOST_RATIO = 200
"""How many times its size a file may become. Tables become 3 to 30 times as large, repetitive logs 100; a
bomb of zeros 1,000 times by gzip and 30,000 times by Zstandard."""
FREE_BYTES = 1024**3
"""Up to here the ratio does not matter: a small file of equal rows is no bomb."""


class Unpacked(NamedTuple):
    """Where the text of a compressed file is."""

    path: Path
    whole: bool
    """Whether it is all of it."""


def unpacked(source: Path, name: str, folder: Path, most_bytes: int | None = None) -> Unpacked:
    """The file's text, in a file of the same name below the folder; what is there already is taken as it is.

    Args:
        source: Where its bytes are.
        name: What it is called; the ending says how it is compressed.
        folder: Where to.
        most_bytes: When to stop, at the end of a line; never when None.

    Raises:
        FileUnavailable: It is damaged or cut off; nothing of it is kept.
        CapExceeded: It becomes too large.
    """
    place = folder / hashlib.blake2b(str(source).encode(), digest_size=8).hexdigest()
    whole, beginning = place / "whole" / name, place / "beginning" / name
    if whole.exists():
        return Unpacked(whole, whole=True)
    if most_bytes is not None and beginning.exists():
        return Unpacked(beginning, whole=False)
    place.mkdir(parents=True, exist_ok=True)
    half = place / "half"
    try:
        target = whole if _unpack(source, name, half, most_bytes) else beginning
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    target.parent.mkdir(exist_ok=True)
    return Unpacked(half.rename(target), whole=target is whole)


def first_unpacked(source: Path, name: str, most_bytes: int) -> bytes:
    """The first bytes of the file's text.

    Raises:
        FileUnavailable: It is damaged, or cut off before.
    """
    with _text(source, name) as text:
        return _read(text, most_bytes, name)


def cut_at_line_end(path: Path) -> None:
    """Leave what the file has of a last line out, unless that is all there is."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(size - BLOCK, 0)
        file.seek(start)
        if end := _line_end(file.read()):
            file.truncate(start + end)


def _unpack(source: Path, name: str, target: Path, most_bytes: int | None) -> bool:
    """Write the text into the target, and say whether that is all of it."""
    most = min(max(FREE_BYTES, MOST_RATIO * source.stat().st_size), MOST_BYTES)
    size = 0
    with _text(source, name) as text, target.open("wb") as copy:
        while block := _read(text, BLOCK, name):
            if most_bytes is not None and size + len(block) > most_bytes and (end := _line_end(block)):
                copy.write(block[:end])
                return end == len(block) and not _read(text, 1, name)
            copy.write(block)
            size += len(block)
            if size > most:
                raise CapExceeded(
                    f'"{shortened(name)}" becomes too large when it is unpacked: more than {size:,} bytes',
                    constraint=f"at most {MOST_RATIO} times its size beyond {FREE_BYTES >> 30} GiB, "
                    f"and {MOST_BYTES >> 30} GiB in any case",
                    reason="TOO_LARGE",
                )
    return True


def _text(source: Path, name: str) -> pa.CompressedInputStream:
    packed = next(kind for ending, kind in COMPRESSIONS.items() if name.lower().endswith(ending))
    return pa.CompressedInputStream(pa.OSFile(str(source)), packed)


def _read(text: pa.CompressedInputStream, size: int, name: str) -> bytes:
    try:
        return bytes(text.read(size))
    except OSError as error:
        if error.errno is not None:  # of the storage
            raise
        raise FileUnavailable(
            f'"{shortened(name)}" cannot be unpacked: it is damaged or cut off',
            constraint="a compressed file that is whole",
        ) from None


def _line_end(block: bytes) -> int:
    """Where the last line of the block ends; 0 when none does."""
    end = block.rfind(b"\n") + 1
    # Of UTF-16 with the low byte first, a letter's second byte is still to come.
    return end + 1 if end % 2 and block[end : end + 1] == b"\0" else end
