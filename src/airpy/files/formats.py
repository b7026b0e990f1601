"""File formats and compressions by extension, and the names that are no data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePath

    from airpy.contract import FileFormat

__all__ = [
    "COMPRESSIONS",
    "EXTENSIONS",
    "Compression",
    "compression_of",
    "endings",
    "extension_of",
    "format_of",
    "is_hidden",
]

Compression: TypeAlias = Literal["gzip", "zstd", "bz2"]

EXTENSIONS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
}
COMPRESSIONS: dict[str, Compression] = {
    ".gz": "gzip",
    ".zst": "zstd",
    ".bz2": "bz2",
}
"""Endings that text files may have behind their extension; Parquet is compressed within."""


def format_of(path: PurePath) -> FileFormat:
    """The format that the file's extension names; it is known to be allowed."""
    return EXTENSIONS[extension_of(path)]


def is_hidden(name: str) -> bool:
    """Whether a file or directory of this name is no data: writers of data sets leave their notes there."""
    return name.startswith((".", "_"))


def compression_of(path: PurePath) -> Compression | None:
    """How a text file is compressed, by its last ending; none for one that is not."""
    packed = COMPRESSIONS.get(path.suffix.lower())
    return packed if packed and EXTENSIONS.get(_inner(path), "parquet") != "parquet" else None


def extension_of(path: PurePath) -> str:
    """The extension in lower case: `.csv` of `a.csv`, `a.CSV` and `a.csv.gz`, and `.gz` of `a.parquet.gz`."""
    return _inner(path) if compression_of(path) else path.suffix.lower()


def endings(extensions: Iterable[str]) -> list[str]:
    """Every ending that a file with one of the extensions may have, the plain ones first."""
    plain = list(extensions)
    texts = [extension for extension in plain if EXTENSIONS[extension] != "parquet"]
    return plain + [extension + packed for extension in texts for packed in COMPRESSIONS]


def _inner(path: PurePath) -> str:
    return path.with_suffix("").suffix.lower() if path.name else ""
