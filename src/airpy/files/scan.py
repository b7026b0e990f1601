"""Opens CSV, Parquet and JSONL files as lazy frames.

A scan reads nothing that the plan does not need: filters and projections reach into it. What a text file
holds is decided here, from its first rows, and never left to the reader's own guess; a later value that
contradicts the decision fails the job. Paths are handed over as names, never as patterns or URLs.
"""

from __future__ import annotations

import glob
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.schema import infer_types, parse_text
from airpy.files.dialect import Dialect, detect_dialect, detect_encoding
from airpy.files.partitions import partition_columns, partition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from airpy.contract import FileFormat
    from airpy.files.datasets import Dataset

__all__ = ["SCANS", "scan", "spread"]

UTF8 = {"utf-8", "ascii"}
MOST_COMPARED = 64
"""Files that are looked into before many are read as one; of more, as many evenly spread ones."""


class Opening(NamedTuple):
    """How to open a data set."""

    dataset: Dataset
    infer_rows: int | None
    """Rows that decide the types of text, over all files; every row when None."""
    scratch: Path
    """Where a file in another encoding may be rewritten in UTF-8."""
    rows_per_file: int | None
    """How many rows of each file to read; all when None."""


def scan(
    dataset: Dataset, *, infer_rows: int, scratch: Path, rows_per_file: int | None = None
) -> pl.LazyFrame:
    """The data set as one lazy frame, in the order of its files.

    Args:
        dataset: The files.
        infer_rows: Rows that decide the types of text, over all files; 0 for every row.
        scratch: A directory for files that must be rewritten first; the caller removes it.
        rows_per_file: How many rows of each file to read; all when None.

    Raises:
        FileUnavailable: A file is empty, or its encoding is unknown.
    """
    return SCANS[dataset.format](Opening(dataset, infer_rows or None, scratch, rows_per_file))


def spread(files: Sequence[Path], most: int) -> list[Path]:
    """At most so many of the files, evenly spread and always the same; the first is among them."""
    if len(files) <= most:
        return list(files)
    return [files[index * len(files) // most] for index in range(most)]


def scan_parquet(opening: Opening) -> pl.LazyFrame:
    """Parquet files; where their columns differ, with the columns of all and the wider types."""
    dataset = opening.dataset
    if dataset.cloud is not None:
        return _cut(pl.scan_parquet(dataset.cloud, credential_provider=None), opening)
    hive = dataset.directory is not None
    files = list(dataset.files)
    if opening.rows_per_file is not None or (1 < len(files) <= MOST_COMPARED and _differ(files)):
        each = [_cut(pl.scan_parquet(path, glob=False, hive_partitioning=hive), opening) for path in files]
        return pl.concat(each, how="diagonal_relaxed")
    return pl.scan_parquet(files, glob=False, hive_partitioning=hive)


def scan_csv(opening: Opening) -> pl.LazyFrame:
    """CSV files with a header line, each in its own dialect."""
    dataset = opening.dataset
    if dataset.cloud is not None:
        text = pl.scan_csv(dataset.cloud, infer_schema=False, credential_provider=None)
        types = infer_types(_first_rows(text, opening.infer_rows))
        typed = pl.scan_csv(
            dataset.cloud, infer_schema=False, schema_overrides=types, credential_provider=None
        )
        return _cut(typed, opening)
    dialects = {path: detect_dialect(path) for path in dataset.files}
    readable = {path: _in_utf8(path, dialects[path].encoding, opening.scratch) for path in dataset.files}

    def read(paths: Sequence[Path], types: dict[str, pl.DataType]) -> pl.LazyFrame:
        return pl.scan_csv(
            [readable[path] for path in paths],
            separator=dialects[paths[0]].delimiter,
            quote_char=dialects[paths[0]].quote,
            infer_schema=False,
            schema_overrides=types,
            glob=False,
        )

    looked_into = spread(dataset.files, MOST_COMPARED)
    share = -(-opening.infer_rows // len(looked_into)) if opening.infer_rows else None
    heads = [_first_rows(read([path], {}), share) for path in looked_into]
    types = infer_types(pl.concat(heads, how="diagonal"))

    def alike(path: Path) -> tuple[Dialect, list[str]]:
        return dialects[path], read([path], {}).collect_schema().names()

    def read_typed(paths: Sequence[Path]) -> pl.LazyFrame:
        columns = alike(paths[0])[1]
        return read(paths, {name: types.get(name, pl.String()) for name in columns})

    return _together(opening, read_typed, alike)


def scan_jsonl(opening: Opening) -> pl.LazyFrame:
    """Files with a JSON object on each line; strings that are all dates or timestamps become those."""
    dataset = opening.dataset
    if dataset.cloud is not None:
        rows = pl.scan_ndjson(dataset.cloud, infer_schema_length=opening.infer_rows, credential_provider=None)
        return _cut(rows, opening)
    readable = {path: _in_utf8(path, detect_encoding(path), opening.scratch) for path in dataset.files}

    def read(paths: Sequence[Path]) -> pl.LazyFrame:
        # Alone among the readers this one has no switch for patterns, so their letters are quoted.
        names = [glob.escape(str(readable[path])) for path in paths]
        return pl.scan_ndjson(names, infer_schema_length=opening.infer_rows)

    # Keys may differ from file to file, so that each is looked into on its own.
    frame = _together(opening, read, lambda path: path if len(dataset.files) <= MOST_COMPARED else None)
    strings = [place for place, dtype in enumerate(frame.collect_schema().dtypes()) if dtype == pl.String]
    text = _first_rows(frame.select(pl.nth(strings)), opening.infer_rows)
    moments = {
        place: dtype
        for place, dtype in zip(strings, infer_types(text).values(), strict=True)
        if dtype.is_temporal()
    }
    return frame.with_columns(parse_text(pl.nth(place), dtype) for place, dtype in moments.items())


SCANS: dict[FileFormat, Callable[[Opening], pl.LazyFrame]] = {
    "csv": scan_csv,
    "parquet": scan_parquet,
    "jsonl": scan_jsonl,
}


def _together(
    opening: Opening,
    read: Callable[[Sequence[Path]], pl.LazyFrame],
    alike: Callable[[Path], object],
) -> pl.LazyFrame:
    """The files as one frame: neighbours that are alike in one scan, and partitions as columns."""
    dataset = opening.dataset
    partitions = {path: partition_of(dataset.directory, path) for path in dataset.files}
    columns = partition_columns(partitions.values())

    def group_of(path: Path) -> tuple[object, ...]:
        return alike(path), partitions[path], path if opening.rows_per_file is not None else None

    groups = [list(paths) for _, paths in groupby(dataset.files, group_of)]
    frames = [_cut(read(paths), opening).with_columns(columns[partitions[paths[0]]]) for paths in groups]
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")


def _cut(frame: pl.LazyFrame, opening: Opening) -> pl.LazyFrame:
    return frame if opening.rows_per_file is None else frame.head(opening.rows_per_file)


def _differ(files: Sequence[Path]) -> bool:
    first = pl.read_parquet_schema(files[0])
    return any(pl.read_parquet_schema(path) != first for path in files[1:])


def _first_rows(frame: pl.LazyFrame, rows: int | None) -> pl.DataFrame:
    return (frame if rows is None else frame.head(rows)).collect(engine="streaming")


def _in_utf8(path: Path, encoding: str, scratch: Path) -> Path:
    """The file itself, or its text in UTF-8 without a byte-order mark in the scratch directory."""
    if encoding in UTF8:
        return path
    copy = scratch / f"{len(list(scratch.iterdir()))}{path.suffix.lower()}"
    with (
        path.open(encoding=encoding, newline="") as source,
        copy.open("w", encoding="utf-8", newline="") as target,
    ):
        while block := source.read(1 << 20):
            target.write(block)
    return copy
