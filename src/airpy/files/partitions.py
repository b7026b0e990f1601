"""Hive partitions: the columns that a file's folders name, as in `year=2025/`.

Parquet's reader knows them itself; this is for the text formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["partition_columns", "partition_of"]

NULL = "__HIVE_DEFAULT_PARTITION__"


def partition_of(directory: Path | None, path: Path) -> tuple[tuple[str, str], ...]:
    """The partitions of a file, outermost first, as written; none when the data set is no directory."""
    if directory is None or directory not in path.parents:
        return ()
    parts = path.relative_to(directory).parts[:-1]
    pairs = (part.partition("=") for part in parts)
    return tuple((name, unquote(value)) for name, equals, value in pairs if equals and name)


def partition_columns(
    partitions: Iterable[tuple[tuple[str, str], ...]],
) -> dict[tuple[tuple[str, str], ...], list[pl.Expr]]:
    """For every distinct partition its values as literals, each column of one type over all of them.

    A column is `int64` or `date` where all its values are, else `string`.
    """
    distinct = list(dict.fromkeys(partitions))
    values: dict[str, list[str]] = {}
    for partition in distinct:
        for name, value in partition:
            values.setdefault(name, []).append(value)
    types = {name: _type(column) for name, column in values.items()}
    return {
        partition: [
            pl.lit(None if value == NULL else value, dtype=pl.String).cast(types[name]).alias(name)
            if types[name] != pl.Date
            else pl.lit(None if value == NULL else value, dtype=pl.String).str.to_date().alias(name)
            for name, value in partition
        ]
        for partition in distinct
    }


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
