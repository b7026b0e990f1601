"""File formats by extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.contract import FileFormat

__all__ = ["EXTENSIONS", "format_of"]

EXTENSIONS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
}


def format_of(path: Path) -> FileFormat:
    """The format that the file's extension names; it is known to be allowed."""
    return EXTENSIONS[path.suffix.lower()]
