"""Opens Parquet files as one lazy frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.files.opening import MOST_COMPARED, Opened, together
from airpy.files.partitions import partition_of, partition_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from airpy.files.opening import Opening
    from airpy.files.partitions import Partition

__all__ = ["scan_parquet"]


def scan_parquet(opening: Opening) -> Opened:
    """Parquet files; where their columns differ, with the columns of all and the wider types."""
    dataset = opening.dataset
    if dataset.remote is not None:
        read_remote = dataset.remote.scan_parquet
        return Opened(together(opening, read_remote, lambda path: read_remote([path]).collect_schema()))

    def read(paths: Sequence[Path]) -> pl.LazyFrame:
        return pl.scan_parquet([opening.local[path] for path in paths], glob=False, hive_partitioning=False)

    files = list(opening.files)
    # `read_parquet_schema` would take a name's letters for a pattern.
    schemas = {path: read([path]).collect_schema() for path in files} if len(files) <= MOST_COMPARED else {}
    partitions = {path: partition_of(dataset.directory, path) for path in files}
    alike = all(schema == schemas[files[0]] for schema in schemas.values())
    if opening.rows_per_file is None and alike and _known_to_reader(dataset.directory, partitions.values()):
        types = partition_types(partitions.values())
        return Opened(
            pl.scan_parquet(
                [opening.local[path] for path in files],
                glob=False,
                hive_partitioning=bool(types),
                hive_schema=types or None,
            )
        )

    return Opened(together(opening, read, schemas.get))


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
