"""Puts a text file into the plain form that the readers take: UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.errors import FileUnavailable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["in_utf8"]


def in_utf8(path: Path, encoding: str, scratch: Path, read_as_it_is: set[str]) -> Path:
    """The file itself, or its text in UTF-8 without a byte-order mark in the scratch directory."""
    if encoding in read_as_it_is:
        return path
    copy = scratch / f"{len(list(scratch.iterdir()))}{path.suffix.lower()}"
    try:
        with (
            path.open(encoding=encoding, newline="") as source,
            copy.open("w", encoding="utf-8", newline="") as target,
        ):
            while block := source.read(1 << 20):
                target.write(block)
    except UnicodeError:
        raise FileUnavailable(
            f'"{path.name}" begins as text in {encoding}, and does not go on so',
            constraint="text in one encoding, in UTF-8 at best",
        ) from None
    return copy
