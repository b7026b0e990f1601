"""Hive partitions: the columns that a file's folders name, as in `year=2025/`.

Parquet's reader can add them itself and skip what a filter on them rules out; it is told their types here.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote

import narwhals as nw
import polars as pl

from airpy.engine.columns import disguised
from airpy.engine.filters import filtered
from airpy.engine.needs import columns_in
from airpy.engine.text_types import parse_text
from airpy.errors import InvalidPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from airpy.contract import Filter

__all__ = [
    "Partitioned",
    "by_partition",
    "partition_columns",
    "partition_of",
    "partition_types",
    "partitions_passing",
    "passing",
]

NULL = "__HIVE_DEFAULT_PARTITION__"
PLACE = "/"
"""No folder is called so."""

Partition: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, outermost first."""


def partition_of(directory: Path | None, path: Path) -> Partition:
    """The partitions of a file, outermost first, as written; none when the data set is no directory."""
    if directory is None or directory not in path.parents:
        return ()
    parts = path.relative_to(directory).parts[:-1]
    pairs = (part.partition("=") for part in parts)
    return tuple((name, unquote(value)) for name, equals, value in pairs if equals and name)


@dataclass(frozen=True)
class Partitioned:
    """The files of a data set by their partition, both in the order they come in."""

    files: Mapping[Partition, Sequence[Path]]

    @property
    def is_flat(self) -> bool:
        """Whether there are no partitions, but at most files in none."""
        return not any(self.files)

    @cached_property
    def types(self) -> dict[str, pl.DataType]:
        """The columns that the partitions make."""
        return partition_types(self.files)


_grouped: deque[tuple[Path | None, tuple[Path, ...], Partitioned]] = deque(maxlen=8)
"""The last that were asked for: a listing that has not changed gives the very same tuple of files."""


def by_partition(directory: Path | None, files: Sequence[Path]) -> Partitioned:
    """The files by their partition."""
    for known_directory, known_files, known in list(_grouped):
        if known_files is files and known_directory == directory:
            return known
    found = Partitioned(_by_partition(directory, files))
    if isinstance(files, tuple):
        _grouped.append((directory, files, found))
    return found


def _by_partition(directory: Path | None, files: Iterable[Path]) -> dict[Partition, list[Path]]:
    folders: dict[str, list[Path]] = {}
    for path in files:
        folders.setdefault(os.path.dirname(path), []).append(path)  # noqa: PTH120  there may be a hundred thousand
    found: dict[Partition, list[Path]] = {}
    for paths in folders.values():
        found.setdefault(partition_of(directory, paths[0]), []).extend(paths)
    return found


def partition_types(partitions: Iterable[Partition]) -> dict[str, pl.DataType]:
    """The columns that partitions make, each of one type over all of them.

    A column is `int64` or `date` where all its values are, else `string`.
    """
    values: dict[str, list[str]] = {}
    for partition in dict.fromkeys(partitions):
        for name, value in partition:
            values.setdefault(name, []).append(value)
    return {name: _type(column) for name, column in values.items()}


def partition_columns(partition: Partition, types: dict[str, pl.DataType]) -> list[pl.Expr]:
    """The values of one partition as literals."""
    return [
        parse_text(pl.lit(None if value == NULL else value, dtype=pl.String), types[name]).alias(name)
        for name, value in dict(partition).items()
    ]


def passing(
    partitions: Mapping[Path, Partition], filters: Sequence[Filter], timezone: ZoneInfo
) -> list[Path]:
    """The files whose partitions pass the filters that are about partitions; one at least, for its schema."""
    distinct = list(dict.fromkeys(partitions.values()))
    passed = partitions_passing(distinct, partition_types(distinct), filters, timezone)
    return [path for path, partition in partitions.items() if partition in passed] or list(partitions)[:1]


def partitions_passing(
    distinct: list[Partition], types: Mapping[str, pl.DataType], filters: Sequence[Filter], timezone: ZoneInfo
) -> set[Partition]:
    """The partitions, of these types, that pass the filters that are about them; it may be none."""
    # A tree that also asks for other columns may be true in any file.
    concerned = [item for item in filters if (named := columns_in(item)) and named <= types.keys()]
    if not concerned:
        return set(distinct)
    written = [dict(partition) for partition in distinct]
    values = pl.LazyFrame(
        {
            PLACE: range(len(distinct)),
            **{name: [None if of.get(name) == NULL else of.get(name) for of in written] for name in types},
        },
        {PLACE: pl.Int64(), **dict.fromkeys(types, pl.String())},
    ).with_columns(parse_text(pl.nth(place), dtype) for place, dtype in enumerate(types.values(), 1))
    try:
        kept = filtered(nw.from_native(disguised(values)), concerned, timezone, "plan.filters")
    except InvalidPlan:  # the plan is told so when it runs
        return set(distinct)
    places = kept.to_native().select(PLACE).collect().to_series()
    return {distinct[place] for place in places}


def _type(values: list[str]) -> pl.DataType:
    column = pl.Series(values, dtype=pl.String).replace(NULL, None).drop_nulls()
    if column.str.contains(r"^-?[0-9]{1,18}$").all():
        return pl.Int64()
    if (
        column.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$").all()
        and column.str.to_date(strict=False).null_count() == 0
    ):
        return pl.Date()
    return pl.String()
