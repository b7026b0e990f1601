"""Looks at a Parquet file's footer first, and reads through Arrow what the engine does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from airpy.engine.failures import message_of
from airpy.errors import CapExceeded, FileUnavailable, shortened
from airpy.files.gates import MOST_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["copied", "footer_of", "why_not_by_engine"]

LARGEST_FOOTER = 16 * 1024 * 1024
MOST_DEEP = 32
PROVEN_BYTES = 16 * 1024 * 1024
"""Up to this size, columns of lists are read twice: the engine takes lists that begin in the middle."""
MAGIC, ENCRYPTED = b"PAR1", b"PARE"
SMALLEST = 12
BATCH_ROWS = 65_536
CLAMPED = (2**63 - 1, 2**63 - 808, -(2**63))
"""What the engine makes of days that its nanoseconds do not reach."""


def footer_of(path: Path) -> pq.FileMetaData:
    """The footer of a file that can be read.

    Raises:
        FileUnavailable: It is empty, encrypted, cut off, nested too deep, or no Parquet.
        CapExceeded: Its footer is too large, or it has too many columns.
    """
    _check_ends(path)
    try:
        footer = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        if "too deeply nested" in str(error):
            raise _too_deep(path) from None
        raise FileUnavailable(f'"{path.name}" cannot be read: {message_of(error)}') from None
    if footer.num_columns > MOST_COLUMNS:
        raise CapExceeded(
            f'"{path.name}" has {footer.num_columns:,} columns, those of nested ones counted',
            reason="TOO_LARGE",
            constraint=f"at most {MOST_COLUMNS:,} columns",
        )
    if any(footer.schema.column(place).path.count(".") >= MOST_DEEP for place in range(footer.num_columns)):
        raise _too_deep(path)
    return footer


def why_not_by_engine(path: Path, footer: pq.FileMetaData) -> str | None:
    """Why the file is to be read through Arrow, which is slower; None when the engine reads it.

    Raises:
        FileUnavailable: Its lists contradict themselves.
    """
    columns = [footer.schema.column(place) for place in range(footer.num_columns)]
    groups = range(footer.num_row_groups)
    if sum(footer.row_group(place).num_rows for place in groups) != footer.num_rows:
        return "its footer counts other rows than there are"
    if footer.num_row_groups:
        group = footer.row_group(0)
        for place, column in enumerate(columns):
            encodings = group.column(place).encodings
            if not encodings:
                return "its footer does not say how columns are encoded"
            if "BYTE_STREAM_SPLIT" in encodings and column.physical_type not in {"FLOAT", "DOUBLE"}:
                return f'column "{shortened(column.path)}" is split into streams of bytes'
    moments = [column for column in columns if column.physical_type == "INT96"]
    if any("." in column.path for column in moments):
        return "it has timestamps of 96 bits within other columns"
    if moments and _clamped(path, [column.name for column in moments]):
        return "it has timestamps of 96 bits beyond those that fit into nanoseconds"
    if any(column.max_repetition_level for column in columns):
        size = sum(footer.row_group(place).total_byte_size for place in groups)
        if size <= PROVEN_BYTES:
            _prove(path)
    return None


def copied(path: Path, target: Path) -> Path:
    """The file's rows, read through Arrow and written as the engine knows them.

    Types of somebody's own are what their values are kept as; timestamps of 96 bits are in microseconds.

    Raises:
        FileUnavailable: Arrow cannot read it either.
    """
    try:
        with pq.ParquetFile(path, coerce_int96_timestamp_unit="us") as file:
            plain = pa.schema([_plain_field(field) for field in file.schema_arrow])
            with pq.ParquetWriter(target, plain, compression="lz4") as writer:
                for batch in file.iter_batches(batch_size=BATCH_ROWS):
                    columns = [_plain(batch.column(place), field) for place, field in enumerate(plain)]
                    writer.write_batch(pa.record_batch(columns, schema=plain))
    except (pa.ArrowException, OSError) as error:
        raise FileUnavailable(f'"{path.name}" cannot be read: {message_of(error)}') from None
    return target


def _check_ends(path: Path) -> None:
    size = path.stat().st_size
    if not size:
        raise FileUnavailable(
            f'"{path.name}" is empty', constraint="a file with at least one byte", reason="EMPTY_FILE"
        )
    with path.open("rb") as file:
        first = file.read(4)
        file.seek(max(0, size - 8))
        last = file.read()
    if ENCRYPTED in (first, last[-4:]):
        raise FileUnavailable(
            f'"{path.name}" is encrypted', constraint="a file that needs no key", reason="UNSUPPORTED"
        )
    if first != MAGIC:
        raise FileUnavailable(
            f'"{path.name}" does not begin as Parquet does',
            constraint="content that is what its extension says",
        )
    length = int.from_bytes(last[:4], "little")
    if size < SMALLEST or last[-4:] != MAGIC or length > size - SMALLEST:
        raise FileUnavailable(
            f'"{path.name}" does not end as Parquet does; it may be cut off', constraint="a whole file"
        )
    if length > LARGEST_FOOTER:
        raise CapExceeded(
            f'"{path.name}" has a footer of {length:,} bytes',
            reason="TOO_LARGE",
            constraint=f"a footer of at most {LARGEST_FOOTER // 1024**2} MiB",
        )


def _too_deep(path: Path) -> FileUnavailable:
    return FileUnavailable(
        f'"{path.name}" is nested too deep',
        constraint=f"at most {MOST_DEEP} levels within a column",
        reason="TOO_DEEP",
    )


def _clamped(path: Path, names: list[str]) -> bool:
    """Whether a timestamp is one that the engine puts in the place of what it cannot reach."""
    frame = pl.scan_parquet([path], glob=False, hive_partitioning=False)
    places = [place for place, name in enumerate(frame.collect_schema()) if name in names]
    clamped = [pl.nth(place).to_physical().is_in(CLAMPED).any() for place in places]
    return any(frame.select(clamped).collect(engine="streaming").row(0))


def _prove(path: Path) -> None:
    try:
        with pq.ParquetFile(path) as file:
            for _ in file.iter_batches(batch_size=BATCH_ROWS):
                pass
    except (pa.ArrowException, OSError) as error:
        raise FileUnavailable(f'"{path.name}" cannot be read: {message_of(error)}') from None


def _plain_field(field: pa.Field) -> pa.Field:
    return pa.field(field.name, _plain_type(field.type), field.nullable)


def _plain_type(dtype: pa.DataType) -> pa.DataType:
    if isinstance(dtype, pa.BaseExtensionType):
        return _plain_type(dtype.storage_type)
    if pa.types.is_struct(dtype):
        return pa.struct([_plain_field(dtype.field(place)) for place in range(dtype.num_fields)])
    if pa.types.is_list(dtype):
        return pa.list_(_plain_field(dtype.value_field))
    return dtype


def _plain(column: pa.Array, field: pa.Field) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column if column.type == field.type else column.cast(field.type)
