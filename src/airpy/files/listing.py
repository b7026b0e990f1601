"""Lists dataset files with size, date and estimated rows."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from airpy.contract import DatasetFile
from airpy.errors import FileUnavailable
from airpy.files.compression import first_unpacked
from airpy.files.formats import compression_of, format_of
from airpy.files.paths import entries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airpy.files.paths import FileRoot

__all__ = ["data_files", "describe_file", "estimated_rows"]

SAMPLE_BYTES = 64 * 1024


def data_files(
    root: FileRoot, directory: Path, *, recurse: bool = True, strict: bool = False
) -> Iterator[Path]:
    """Data files under the directory, in path order, every link followed and none that leads outside.

    Hidden names and those that begin with `_` are left out, as writers of data sets leave their notes there.
    What is reached twice is listed once.

    Args:
        root: Where data sets may lie.
        directory: Where to look.
        recurse: Whether to look into sub-directories.
        strict: Whether a sub-directory that cannot be read is an error; else it is left out.

    Raises:
        FileUnavailable: The directory cannot be read, or a sub-directory when `strict`.
    """
    seen = {directory}
    open_directories = [entries(root, directory)]
    while open_directories:
        try:
            entry = next(open_directories[-1], None)
        except FileUnavailable:
            if strict or len(open_directories) == 1:
                raise
            entry = None
        if entry is None:
            open_directories.pop()
        elif entry.path not in seen:
            if not entry.is_directory and root.allows(entry.path):
                seen.add(entry.path)
                yield entry.path
            elif entry.is_directory and recurse:
                seen.add(entry.path)
                open_directories.append(entries(root, entry.path))


def describe_file(root: FileRoot, path: Path) -> DatasetFile:
    """The file's size, modification time and number of rows."""
    status = path.stat()
    return DatasetFile(
        path=root.shown(path),
        format=format_of(path),
        size_bytes=status.st_size,
        modified=dt.datetime.fromtimestamp(status.st_mtime_ns // 1_000_000_000, dt.UTC),
        estimated_rows=estimated_rows(path),
    )


def estimated_rows(path: Path) -> int | None:
    """Rows of the file: exact for Parquet, from the length of the first lines for text.

    Null when the file cannot be read. Of a compressed file, the first lines tell if they are all.
    """
    try:
        if format_of(path) == "parquet":
            return int(pq.read_metadata(path).num_rows)
        return _estimated_lines(path)
    except (OSError, pa.ArrowException, FileUnavailable):
        return None


def _estimated_lines(path: Path) -> int | None:
    size = path.stat().st_size
    if compression_of(path):
        sample = first_unpacked(path, path.name, SAMPLE_BYTES)
        if len(sample) == SAMPLE_BYTES:  # how much more there is, nothing tells
            return None
        size = len(sample)
    else:
        with path.open("rb") as file:
            sample = file.read(SAMPLE_BYTES)
    lines = sample.count(b"\n")
    if len(sample) == size:
        total = lines + (not sample.endswith(b"\n") and bool(sample))
    else:
        total = round(size * max(lines, 1) / max(len(sample), 1))  # it may have been cut just now
    header = format_of(path) == "csv"
    return max(total - header, 0)
