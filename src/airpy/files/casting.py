"""Casts columns to the types that a caller names for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.text_types import parse_text
from airpy.errors import UnknownColumn

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from airpy.contract import CastType, ReadOptions

__all__ = ["as_type", "asked_types", "check_known", "every_value_text", "known_as_null"]

TYPES: Mapping[CastType, pl.DataType] = {
    "bool": pl.Boolean(),
    "int8": pl.Int8(),
    "int16": pl.Int16(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "uint8": pl.UInt8(),
    "uint16": pl.UInt16(),
    "uint32": pl.UInt32(),
    "uint64": pl.UInt64(),
    "float32": pl.Float32(),
    "float64": pl.Float64(),
    "string": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
}


def asked_types(options: ReadOptions) -> dict[str, pl.DataType]:
    """The types that the caller names, by column."""
    asked = options.types
    return {name: TYPES[kind] for name, kind in asked.items()} if isinstance(asked, dict) else {}


def every_value_text(options: ReadOptions) -> bool:
    """Whether every value is to be read as it is written."""
    return options.types == "string"


def check_known(options: ReadOptions, columns: Collection[str]) -> None:
    """Refuse types of columns that are not there.

    Raises:
        UnknownColumn: One is not.
    """
    for name in asked_types(options):
        if name not in columns:
            raise UnknownColumn.among(name, columns, "read.types")


def as_type(
    column: pl.Expr, source: pl.DataType, target: pl.DataType, date_format: str | None, *, strict: bool = True
) -> pl.Expr:
    """The column as values of another type; what is none fails the query, or is null when not `strict`."""
    if source == target:
        return column
    if source != pl.String():
        return column.cast(target, strict=strict)
    if date_format is not None and isinstance(target, pl.Date | pl.Datetime):
        return column.str.strptime(target, date_format, strict=strict)
    return parse_text(column, target, strict=strict)


def known_as_null(text: pl.Expr, markers: Sequence[str]) -> pl.Expr:
    """The strings, null where they are one of the markers."""
    return pl.when(~text.is_in(list(markers))).then(text)
