"""Arrow columns in types that the engine reads, without loss; of what has none, the column is named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from airpy.errors import InvalidFrame, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["known", "known_schema"]

MOST_DIGITS = 38
UNREAD = (pa.types.is_union, pa.types.is_interval, pa.types.is_list_view, pa.types.is_large_list_view)
OFFSET = re.compile(r"Z|[+-][0-9]{2}:?(?!00)[0-9]{2}")
"""Zones that are no whole hours from UTC, of which the engine knows none but by a city's name."""
READ = (
    "columns of bool, numbers, decimals of at most 38 digits, strings, binary, dates, times, timestamps, "
    "durations, lists, structs, maps or dictionaries"
)


def known(table: pa.Table, told: str, field: str) -> pa.Table:
    """The table with its columns in types that the engine reads; itself, where all are.

    Args:
        table: What was sent.
        told: What a message begins with.
        field: Where it stood in the request.

    Raises:
        InvalidFrame: A column's type is not read, or a value does not fit into the type that is.
    """
    schema = known_schema(table.schema, told, field)
    if schema is table.schema:
        return table
    columns = []
    for column, was, now in zip(table.columns, table.schema, schema, strict=True):
        try:
            columns.append(column if was.type == now.type else _cast(column, now.type))
        except pa.ArrowInvalid as error:
            raise _unread(was, str(error).partition("\n")[0], told, field) from None
    return pa.Table.from_arrays(columns, schema=schema)


def known_schema(schema: pa.Schema, told: str, field: str) -> pa.Schema:
    """The schema of what `known` makes of a table with this one; itself, where nothing changes.

    Raises:
        InvalidFrame: A column's type is not read.
    """
    for each in schema:
        if any(is_one(each.type) for is_one in UNREAD):
            raise _unread(each, "a type that is not read", told, field)
    types = [_nearest(each.type) for each in schema]
    if types == schema.types:
        return schema
    return pa.schema(
        [each.with_type(dtype) for each, dtype in zip(schema, types, strict=True)], metadata=schema.metadata
    )


def _nearest(dtype: pa.DataType) -> pa.DataType:
    """The type that the engine reads, and that holds all of these values which it could hold."""
    return next((target(dtype) for is_one, target in NEAREST if is_one(dtype)), dtype)


def _moment(dtype: pa.TimestampType) -> pa.DataType:
    # The engine makes milliseconds of seconds too, but lets those wrap round that are too far away.
    zone = "UTC" if dtype.tz is not None and OFFSET.fullmatch(dtype.tz) else dtype.tz
    return pa.timestamp("ms" if dtype.unit == "s" else dtype.unit, zone)


def _decimal(dtype: pa.DataType) -> pa.DataType:
    scale = max(dtype.scale, 0)
    return pa.decimal128(min(dtype.precision + scale - dtype.scale, MOST_DIGITS), scale)


NEAREST: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], pa.DataType]], ...] = (
    (pa.types.is_timestamp, _moment),
    (pa.types.is_duration, lambda dtype: pa.duration("ms" if dtype.unit == "s" else dtype.unit)),
    (pa.types.is_date64, lambda _: pa.date32()),
    (lambda dtype: pa.types.is_decimal256(dtype) and dtype.scale <= MOST_DIGITS, _decimal),
    (lambda dtype: pa.types.is_decimal(dtype) and dtype.scale < 0, _decimal),
    (pa.types.is_run_end_encoded, lambda dtype: dtype.value_type),
)


def _cast(column: pa.ChunkedArray, dtype: pa.DataType) -> pa.ChunkedArray:
    return pc.run_end_decode(column) if pa.types.is_run_end_encoded(column.type) else column.cast(dtype)


def _unread(column: pa.Field, why: str, told: str, field: str) -> InvalidFrame:
    dtype = shortened(str(column.type))
    return InvalidFrame(
        f'{told}: column "{shortened(column.name)}" is of type {dtype}: {why}', field=field, constraint=READ
    )
