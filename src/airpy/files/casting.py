"""Casts columns to the types that a caller names for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.schema import CASTS
from airpy.engine.text_types import parse_text
from airpy.errors import UnknownColumn

if TYPE_CHECKING:
    from collections.abc import Collection

    from airpy.contract import ReadOptions

__all__ = ["as_type", "asked_types", "check_known", "every_value_text"]


def asked_types(options: ReadOptions) -> dict[str, pl.DataType]:
    """The types that the caller names, by column."""
    asked = options.types
    return {name: CASTS[kind] for name, kind in asked.items()} if isinstance(asked, dict) else {}


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
