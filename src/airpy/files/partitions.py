"""Hive partitions: the columns that a file's folders name, as in `year=2025/`.

Parquet's reader can add them itself and skip what a filter on them rules out; it is told their types here.
"""

from __future__ import annotations

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

__all__ = ["partition_columns", "partition_of", "partition_types", "passing"]

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
    types = partition_types(partitions.values())
    # A tree that also asks for other columns may be true in any file.
    concerned = [item for item in filters if (named := columns_in(item)) and named <= types.keys()]
    if not concerned:
        return list(partitions)
    distinct = list(dict.fromkeys(partitions.values()))
    values = pl.concat(
        [
            pl.select(pl.lit(place).alias(PLACE), *partition_columns(partition, types))
            for place, partition in enumerate(distinct)
        ],
        how="diagonal",
    )
    try:
        kept = filtered(nw.from_native(disguised(values.lazy())), concerned, timezone, "plan.filters")
    except InvalidPlan:  # the plan is told so when it runs
        return list(partitions)
    places = kept.to_native().select(PLACE).collect().to_series()
    passed = {distinct[place] for place in places}
    return [path for path, partition in partitions.items() if partition in passed] or list(partitions)[:1]


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
