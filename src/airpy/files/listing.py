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
from airpy.files.walk import opened_safely

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airpy.files.cloud import Object
    from airpy.files.paths import FileRoot
    from airpy.files.walk import Walk

__all__ = ["data_files", "describe_file", "describe_object", "estimated_rows"]

SAMPLE_BYTES = 64 * 1024


def data_files(
    root: FileRoot,
    directory: Path,
    *,
    recurse: bool = True,
    unreadable: Callable[[Path], None] | None = None,
) -> Iterator[Path]:
    """Data files under the directory, in path order, every link followed and none that leads outside.

    Hidden names and those that begin with `_` are left out, as writers of data sets leave their notes there.
    What is reached twice is listed once.

    Args:
        root: Where data sets may lie.
        directory: Where to look.
        recurse: Whether to look into sub-directories.
        unreadable: Told of sub-directories that cannot be read; without it, they are an error.

    Raises:
        FileUnavailable: The directory cannot be read, or a sub-directory when nobody is told.
    """
    seen = {directory}
    open_directories = [(directory, entries(root, directory))]
    while open_directories:
        here, found = open_directories[-1]
        try:
            entry = next(found, None)
        except FileUnavailable:
            if unreadable is None or here == directory:
                raise
            unreadable(here)
            entry = None
        if entry is None:
            open_directories.pop()
        elif entry.path not in seen:
            if not entry.is_directory and root.allows(entry.path):
                seen.add(entry.path)
                yield entry.path
            elif entry.is_directory and recurse:
                seen.add(entry.path)
                open_directories.append((entry.path, entries(root, entry.path)))


def describe_object(root: FileRoot, path: Path, found: Object) -> DatasetFile:
    """The same of an object in the cloud, as far as it is known without a request for each."""
    return DatasetFile(
        path=root.shown(path),
        format=format_of(path),
        size_bytes=found.size,
        modified=found.modified.replace(microsecond=0),
        estimated_rows=None,
    )


def describe_file(root: FileRoot, path: Path, walk: Walk) -> DatasetFile:
    """The file's size, modification time and number of rows; of what the walk finds there, and no link's.

    Raises:
        FileUnavailable: It has gone since.
    """
    rows: int | None = None
    try:
        with opened_safely(walk, path) as place:
            status = place.stat()
            rows = estimated_rows(path, place)
    except OSError:  # it may not be read; that it is there may be told
        status = path.lstat()
    return DatasetFile(
        path=root.shown(path),
        format=format_of(path),
        size_bytes=status.st_size,
        modified=dt.datetime.fromtimestamp(status.st_mtime_ns // 1_000_000_000, dt.UTC),
        estimated_rows=rows,
    )


def estimated_rows(path: Path, place: Path | None = None) -> int | None:
    """Rows of the file: exact for Parquet, from the length of the first lines for text.

    Null when the file cannot be read. Of a compressed file, the first lines tell if they are all.
    """
    try:
        if format_of(path) == "parquet":
            return int(pq.read_metadata(place or path).num_rows)
        return _estimated_lines(path, place or path)
    except (OSError, pa.ArrowException, FileUnavailable):
        return None


def _estimated_lines(path: Path, place: Path) -> int | None:
    size = place.stat().st_size
    if compression_of(path):
        sample = first_unpacked(place, path.name, SAMPLE_BYTES)
        if len(sample) == SAMPLE_BYTES:  # how much more there is, nothing tells
            return None
        size = len(sample)
    else:
        with place.open("rb") as file:
            sample = file.read(SAMPLE_BYTES)
    lines = sample.count(b"\n")
    if len(sample) == size:
        total = lines + (not sample.endswith(b"\n") and bool(sample))
    else:
        total = round(size * max(lines, 1) / max(len(sample), 1))  # it may have been cut just now
    header = format_of(path) == "csv"
    return max(total - header, 0)
