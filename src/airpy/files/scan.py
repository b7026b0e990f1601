"""Opens CSV, Parquet and JSONL files as lazy frames.

A scan reads nothing that the plan does not need: filters and projections reach into it. What a text file
holds is decided here, from its first rows, and never left to the reader's own guess; a later value that
contradicts the decision fails the job. Paths are handed over as names, never as patterns or URLs.
"""

from __future__ import annotations

import glob
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from airpy.engine.schema import infer_types, parse_text
from airpy.errors import FileUnavailable
from airpy.files.combining import as_one
from airpy.files.dialect import Dialect, detect_dialect, detect_encoding, has_rows
from airpy.files.partitions import partition_columns, partition_of, partition_types, passing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from airpy.contract import FileFormat, Filter
    from airpy.files.datasets import Dataset
    from airpy.files.partitions import Partition

__all__ = ["SCANS", "scan", "spread"]

UTC = ZoneInfo("UTC")
READ_BY_CSV = {"utf-8", "utf-8-sig"}
READ_BY_JSONL = {"utf-8"}
"""The reader takes a byte-order mark for bad JSON."""
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
    every_column: bool
    """Whether JSONL has the columns of every row."""
    partitions: Mapping[Path, Partition]
    """Every file with its partitions; the types of their columns are those of all."""
    files: Sequence[Path]
    """The files that are to be read."""


def scan(
    dataset: Dataset,
    *,
    infer_rows: int,
    scratch: Path,
    rows_per_file: int | None = None,
    every_column: bool = True,
    filters: Sequence[Filter] = (),
    timezone: ZoneInfo = UTC,
) -> pl.LazyFrame:
    """The data set as one lazy frame, in the order of its files.

    Args:
        dataset: The files.
        infer_rows: Rows that decide the types of text, over all files; 0 for every row.
        scratch: A directory for files that must be rewritten first; the caller removes it.
        rows_per_file: How many rows of each file to read; all when None.
        every_column: Whether JSONL has the columns of every row, which costs a pass over it; else of the
            first `infer_rows` rows of each file, and what else later rows hold is not there.
        filters: Files whose partitions cannot pass these are not opened; their rows the caller filters.
        timezone: Where times in the filters are that carry no offset.

    Raises:
        FileUnavailable: A file is empty, its encoding is unknown, or files contradict one another.
    """
    partitions = {path: partition_of(dataset.directory, path) for path in dataset.files}
    files = passing(partitions, filters, timezone)
    return SCANS[dataset.format](
        Opening(dataset, infer_rows or None, scratch, rows_per_file, every_column, partitions, files)
    )


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

    def read(paths: Sequence[Path]) -> pl.LazyFrame:
        return pl.scan_parquet(list(paths), glob=False, hive_partitioning=False)

    files = list(dataset.files)
    # `read_parquet_schema` would take a name's letters for a pattern.
    schemas = {path: read([path]).collect_schema() for path in files} if len(files) <= MOST_COMPARED else {}
    partitions = {path: partition_of(dataset.directory, path) for path in files}
    alike = all(schema == schemas[files[0]] for schema in schemas.values())
    if opening.rows_per_file is None and alike and _known_to_reader(dataset.directory, partitions.values()):
        types = partition_types(partitions.values())
        return pl.scan_parquet(files, glob=False, hive_partitioning=bool(types), hive_schema=types or None)

    return _together(opening, read, schemas.get)


def scan_csv(opening: Opening) -> pl.LazyFrame:
    """CSV files with a header line, each in its own dialect."""
    dataset = opening.dataset
    if dataset.cloud is not None:
        text = pl.scan_csv(dataset.cloud, infer_schema=False, credential_provider=None)
        types = infer_types(_first_rows(text, opening.infer_rows))
        typed = pl.scan_csv(
            dataset.cloud, infer_schema=False, schema_overrides=_by_reader(types), credential_provider=None
        )
        return _cut(_with_moments(typed, list(types.values())), opening)
    dialects = {path: detect_dialect(path) for path in opening.files}
    readable = {
        path: _in_utf8(path, dialect.encoding, opening.scratch, READ_BY_CSV)
        for path, dialect in dialects.items()
    }

    def read(paths: Sequence[Path], types: dict[str, pl.DataType]) -> pl.LazyFrame:
        dialect = dialects[paths[0]]
        return pl.scan_csv(
            [readable[path] for path in paths],
            separator=dialect.delimiter,
            quote_char=dialect.quote,
            eol_char=dialect.line_end,
            infer_schema=False,
            schema_overrides=types,
            glob=False,
        )

    looked_into = spread(opening.files, MOST_COMPARED)
    share = _share(opening, looked_into)
    heads = {path: _first_rows(read([path], {}), share) for path in looked_into}
    for path, head in heads.items():
        # The reader takes a quote that is never closed for the beginning of a value without end.
        if head.is_empty() and has_rows(path, dialects[path]):
            raise FileUnavailable(
                f'a quote in "{path.name}" is opened and never closed', constraint="quotes in pairs"
            )
    types = infer_types(pl.concat(heads.values(), how="diagonal"))

    def alike(path: Path) -> tuple[Dialect, list[str]]:
        return dialects[path], read([path], {}).collect_schema().names()

    def read_typed(paths: Sequence[Path]) -> pl.LazyFrame:
        columns = {name: types.get(name, pl.String()) for name in alike(paths[0])[1]}
        return _with_moments(read(paths, _by_reader(columns)), list(columns.values()))

    return _together(opening, read_typed, alike)


def scan_jsonl(opening: Opening) -> pl.LazyFrame:
    """Files with a JSON object on each line; strings that are all dates or timestamps become those."""
    dataset = opening.dataset
    looked_at = opening.rows_per_file if opening.every_column else opening.infer_rows
    if dataset.cloud is not None:
        rows = pl.scan_ndjson(dataset.cloud, infer_schema_length=looked_at, credential_provider=None)
        return _cut(rows, opening)
    readable = {
        path: _in_utf8(path, detect_encoding(path), opening.scratch, READ_BY_JSONL) for path in opening.files
    }

    def read(paths: Sequence[Path], schema: pl.Schema | None = None) -> pl.LazyFrame:
        # Alone among the readers this one has no switch for patterns, so their letters are quoted.
        names = [glob.escape(str(readable[path])) for path in paths]
        return pl.scan_ndjson(names, schema=schema, infer_schema_length=looked_at)

    # The reader leaves out keys that it has not met before; so each file is looked into on its own.
    schemas = {path: read([path]).collect_schema() for path in opening.files}
    distinct = {tuple(schema.items()): schema for schema in schemas.values()}
    columns = as_one([pl.LazyFrame(schema=schema) for schema in distinct.values()]).collect_schema()
    texts = {name for name, dtype in columns.items() if dtype == pl.String}
    looked_into = spread(opening.files, MOST_COMPARED)

    def head(path: Path) -> pl.DataFrame:
        places = [place for place, name in enumerate(schemas[path]) if name in texts]
        text = read([path], schemas[path]).select(pl.nth(places).cast(pl.String))
        return _first_rows(text, _share(opening, looked_into))

    types = infer_types(pl.concat(map(head, looked_into), how="diagonal"))

    def read_typed(paths: Sequence[Path]) -> pl.LazyFrame:
        schema = schemas[paths[0]]
        moments = [types.get(name, dtype) for name, dtype in schema.items()]
        return _with_moments(read(paths, schema), moments)

    return _together(opening, read_typed, schemas.get)


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
    partitions = opening.partitions
    types = partition_types(partitions.values())

    def group_of(path: Path) -> tuple[object, ...]:
        return alike(path), partitions[path], path if opening.rows_per_file is not None else None

    groups = [list(paths) for _, paths in groupby(opening.files, group_of)]
    return as_one(
        [
            _cut(read(paths), opening).with_columns(partition_columns(partitions[paths[0]], types))
            for paths in groups
        ]
    )


def _cut(frame: pl.LazyFrame, opening: Opening) -> pl.LazyFrame:
    return frame if opening.rows_per_file is None else frame.head(opening.rows_per_file)


def _share(opening: Opening, files: Sequence[Path]) -> int | None:
    """How many rows of each of the files decide the types."""
    return None if opening.infer_rows is None else -(-opening.infer_rows // len(files))


def _known_to_reader(directory: Path | None, partitions: Iterable[Partition]) -> bool:
    """Whether the Parquet reader finds these partitions, no others, and nothing odd in them.

    It looks at the whole path, so directories above the data set may not look like partitions.
    """
    distinct = list(dict.fromkeys(partitions))
    names = [sorted(name for name, _ in partition) for partition in distinct]
    plain = not any(
        set("=%\ufffd") & set(name + value) for partition in distinct for name, value in partition
    )
    once = len(set(names[0])) == len(names[0])
    return plain and once and all(each == names[0] for each in names) and "=" not in str(directory)


def _by_reader(types: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """The types that the CSV reader may give; dates it would read however they are written, guessing."""
    return {name: pl.String() if dtype.is_temporal() else dtype for name, dtype in types.items()}


def _with_moments(frame: pl.LazyFrame, types: Sequence[pl.DataType]) -> pl.LazyFrame:
    """The frame with its text read as dates and timestamps where its types, in order, say so."""
    return frame.with_columns(
        parse_text(pl.nth(place), dtype) for place, dtype in enumerate(types) if dtype.is_temporal()
    )


def _first_rows(frame: pl.LazyFrame, rows: int | None) -> pl.DataFrame:
    return (frame if rows is None else frame.head(rows)).collect(engine="streaming")


def _in_utf8(path: Path, encoding: str, scratch: Path, read_as_it_is: set[str]) -> Path:
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
