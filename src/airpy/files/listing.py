"""Lists dataset files with size, date and estimated rows."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from airpy.contract import DatasetFile
from airpy.files.formats import format_of
from airpy.files.paths import contained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airpy.files.paths import FileRoot

__all__ = ["data_files", "describe_file", "estimated_rows"]

SAMPLE_BYTES = 64 * 1024


def data_files(root: FileRoot, directory: Path, *, recurse: bool = True) -> Iterator[Path]:
    """Data files under the directory, in path order, every link followed and none that leads outside.

    Hidden names and those that begin with `_` are left out, as writers of data sets leave their notes there;
    so are folders that cannot be read. A folder that is reached twice is listed once.
    """
    yield from _walk(root, directory, recurse=recurse, seen=set())


def describe_file(root: FileRoot, path: Path) -> DatasetFile:
    """The file's size, modification time and number of rows."""
    status = path.stat()
    return DatasetFile(
        path=root.shown(path),
        format=format_of(path),
        size_bytes=status.st_size,
        modified=dt.datetime.fromtimestamp(int(status.st_mtime), dt.UTC),
        estimated_rows=estimated_rows(path),
    )


def estimated_rows(path: Path) -> int | None:
    """Rows of the file: exact for Parquet, from the length of the first lines for text.

    Null when the file cannot be read.
    """
    try:
        if format_of(path) == "parquet":
            return int(pq.read_metadata(path).num_rows)
        return _estimated_lines(path)
    except (OSError, pa.ArrowException):
        return None


def _estimated_lines(path: Path) -> int:
    size = path.stat().st_size
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    lines = sample.count(b"\n")
    if len(sample) == size:
        total = lines + (not sample.endswith(b"\n") and bool(sample))
    else:
        total = round(size * max(lines, 1) / len(sample))
    header = format_of(path) == "csv"
    return max(total - header, 0)


def _walk(root: FileRoot, directory: Path, *, recurse: bool, seen: set[Path]) -> Iterator[Path]:
    if directory in seen:
        return
    seen.add(directory)
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith((".", "_")):
            continue
        path = contained(root, Path(entry.path)) if entry.is_symlink() else Path(entry.path)
        if path is None:
            continue
        if entry.is_dir():
            if recurse:
                yield from _walk(root, path, recurse=recurse, seen=seen)
        elif entry.is_file() and root.allows(path):
            yield path
