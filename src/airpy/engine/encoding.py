"""Frames to and from JSON rows, Arrow IPC and Parquet.

An empty frame keeps its schema in every format. Arrow leaves in types that every Arrow reader knows: no
string views, no 128-bit integers, no dictionaries, no maps.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from airpy.engine.arrow_types import known, known_schema
from airpy.engine.failures import message_of
from airpy.engine.schema import describe_schema, instance, stored
from airpy.errors import InvalidFrame, InvalidPlan, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pydantic import BaseModel

    from airpy.contract import Schema

__all__ = [
    "ARROW",
    "BATCH_ROWS",
    "MOST_JSON_BYTES",
    "Written",
    "arrow_schema",
    "check_signature",
    "decode_arrow",
    "decode_base64",
    "decode_parquet",
    "encode_first_rows",
    "encode_model",
    "encode_object",
    "encode_rows",
    "json_forms",
    "json_ready",
    "json_rows",
    "json_values",
    "portable",
    "spooled",
    "write_arrow",
    "write_parquet",
]

BATCH_ROWS = 65_536
"""Rows held at a time while a result is written: a few MB of the usual frame."""

FrameForm: TypeAlias = Literal["arrow", "parquet"]
FORMS: dict[FrameForm, str] = {"arrow": "an Arrow IPC stream or file", "parquet": "a Parquet file"}
SIGNATURES: dict[FrameForm, tuple[bytes, ...]] = {
    "arrow": (b"\xff\xff\xff\xff", b"ARROW1"),
    "parquet": (b"PAR1",),
}

SENT = "frame_ref.data"
"""Where a frame stands in a request."""

PARQUET = {"coerce_int96_timestamp_unit": "us", "page_checksum_verification": True}
"""How Parquet is read: old 96-bit timestamps would wrap round as nanoseconds in 64 bits."""

MOST_JSON_BYTES = 32 * 1024 * 1024
"""Rows as JSON are a preview; what is larger is for download."""

ARROW = pl.CompatLevel.oldest()

PLAIN = {
    pl.Boolean,
    pl.String,
    pl.Int8,
    pl.Int16,
    pl.Int32,
    pl.Int64,
    pl.UInt8,
    pl.UInt16,
    pl.UInt32,
    pl.UInt64,
}
"""Types whose values are the same in Python and in JSON."""


class Written(NamedTuple):
    """A frame that was written to a file."""

    rows: int
    bytes: int
    schema: Schema
    preview: pl.DataFrame


def portable(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The frame in types that every reader knows, values unchanged."""
    schema = frame.collect_schema()
    casts = [
        pl.nth(index).ext.storage().cast(target)
        for index, dtype in enumerate(schema.dtypes())
        if (target := _portable(dtype)) != dtype
    ]
    return frame.with_columns(casts) if casts else frame


def write_arrow(frame: pl.LazyFrame, path: Path, preview_rows: int) -> Written:
    """Stream the frame into an Arrow IPC stream file; memory holds one batch and the preview.

    Raises:
        InvalidPlan: The name of a column has a NUL.
    """
    frame = portable(frame)
    empty = pl.DataFrame(schema=frame.collect_schema())
    _check_names(empty.columns)
    head: list[pl.DataFrame] = [empty]
    missing, rows = [0] * empty.width, preview_rows
    written = 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, arrow_schema(empty)) as writer:
        for batch in frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming"):
            if rows > 0:
                head.append(batch.head(rows))
                rows -= batch.height
            written += batch.height
            missing = [count + column.null_count() for count, column in zip(missing, batch, strict=True)]
            writer.write_table(batch.to_arrow(compat_level=ARROW))
    nullable = [name for name, count in zip(empty.columns, missing, strict=True) if count]
    return Written(
        written, path.stat().st_size, describe_schema(empty.schema, nullable), pl.concat(head, rechunk=False)
    )


def write_parquet(frame: pl.LazyFrame, path: Path, preview_rows: int) -> Written:
    """Stream the frame into a Parquet file, compressed with Zstandard.

    Raises:
        InvalidPlan: The name of a column has a NUL.
    """
    frame = portable(frame)
    schema = frame.collect_schema()
    _check_names(schema)
    frame.sink_parquet(path, compression="zstd", maintain_order=True, engine="streaming")
    preview = pl.read_parquet(path, n_rows=preview_rows, glob=False)
    has_nulls = pl.scan_parquet(path, glob=False).select(pl.all().has_nulls()).collect()
    return Written(
        pq.read_metadata(path).num_rows,
        path.stat().st_size,
        describe_schema(schema, [column.name for column in has_nulls if column.item()]),
        preview,
    )


def encode_first_rows(frame: pl.DataFrame, most_bytes: int = MOST_JSON_BYTES) -> tuple[bytes, int]:
    """As many of the first rows as JSON as fit into so many bytes, and how many they are; one at least."""
    while True:
        encoded = encode_rows(frame)
        if len(encoded) <= most_bytes or frame.height <= 1:
            return encoded, frame.height
        frame = frame.head(max(1, frame.height * most_bytes // (len(encoded) * 10 // 9)))


def encode_rows(frame: pl.DataFrame) -> bytes:
    """The rows as a JSON array of objects, in the contract's forms.

    Timestamps are RFC 3339 in UTC, dates `YYYY-MM-DD`, durations ISO 8601, decimals strings, NaN, infinities
    and times outside the years 1 to 9999 null, binary base64.
    """
    if frame.width == 0:
        return b"[]"
    return json_forms(frame).write_json().encode()


def json_rows(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """The rows as `encode_rows` writes them, each as the values that JSON has for it."""
    named = frame.select(pl.nth(place).alias(f"{place}") for place in range(frame.width))
    return [tuple(row.values()) for row in json.loads(encode_rows(named))]


def json_values(column: pl.Series) -> list[Any]:
    """The values of a column as `encode_rows` writes them, each as the value that JSON has for it."""
    if column.dtype in PLAIN:
        return column.to_list()
    if column.dtype == pl.Float64:
        return [value if value is not None and math.isfinite(value) else None for value in column.to_list()]
    return [value for (value,) in json_rows(column.to_frame())]


def json_forms(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the values of every column in the forms that `encode_rows` writes."""
    return frame.select(json_ready(pl.nth(index), dtype) for index, dtype in enumerate(frame.schema.dtypes()))


def encode_model(model: BaseModel) -> bytes:
    """A model of the contract as JSON; what was never set is left out."""
    return model.model_dump_json(by_alias=True, exclude_unset=True).encode()


def encode_object(**members: bytes) -> bytes:
    """A JSON object whose members are JSON already."""
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in members.items()) + b"}"


def arrow_schema(frame: pl.DataFrame) -> pa.Schema:
    """The Arrow schema in which the frame leaves."""
    return frame.head(0).to_arrow(compat_level=ARROW).schema


def decode_base64(text: str, form: FrameForm, field: str = SENT) -> bytes:
    """The bytes that the text spells in standard base64, known by their first few to be of this form.

    Raises:
        InvalidFrame: It is not base64, or clearly something else.
    """
    try:
        decoded = msgspec.convert(text, bytes)  # the standard library takes three times as long
    except (msgspec.ValidationError, ValueError):
        raise InvalidFrame(
            f"{field} is not base64",
            field=field,
            constraint="standard base64 with padding",
        ) from None
    check_signature(decoded, form, field)
    return decoded


def check_signature(beginning: bytes, form: FrameForm, field: str) -> None:
    """Refuse bytes that do not begin as this form does.

    Raises:
        InvalidFrame: They do not.
    """
    if not beginning.startswith(SIGNATURES[form]):
        raise InvalidFrame(
            f"{field} does not begin as {FORMS[form]} does", field=field, constraint=FORMS[form]
        )


def decode_arrow(source: Path, field: str = SENT) -> pl.DataFrame:
    """The frame in an Arrow IPC stream or file, checked value by value before anything trusts it.

    Args:
        source: The file.
        field: Where it stood in the request.

    Raises:
        InvalidFrame: The bytes are not Arrow, or contradict themselves.
    """
    return _decoded(source, "arrow", field)


def decode_parquet(source: Path, field: str = SENT) -> pl.DataFrame:
    """The frame in a Parquet file.

    Args:
        source: The file.
        field: Where it stood in the request.

    Raises:
        InvalidFrame: The bytes are not Parquet, or contradict themselves.
    """
    return _decoded(source, "parquet", field)


def spooled(source: Path, form: FrameForm, field: str, folder: Path) -> pl.LazyFrame:
    """The frame in a file that is too large to be held, checked batch by batch.

    Args:
        source: The file.
        form: What it is.
        field: Where it stood in the request.
        folder: Where it is put in a form that can be read in parts.

    Raises:
        InvalidFrame: The bytes are something else, or contradict themselves.
    """
    place = folder / "spooled.arrow"
    with _readable(form, field), pa.memory_map(str(source)) as data:
        schema, batches = _batches(data, form)
        told = _unreadable(form, field)
        schema = known_schema(schema, told, field)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(str(place), schema, options=options) as writer:
            for batch in batches:
                batch.validate(full=True)
                writer.write_table(known(pa.Table.from_batches([batch]), told, field))
        return pl.scan_ipc(place)


def _batches(data: pa.NativeFile, form: FrameForm) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    if form == "parquet":
        file = pq.ParquetFile(data, **PARQUET)
        return file.schema_arrow, file.iter_batches(BATCH_ROWS)
    is_file = data.read(6) == b"ARROW1"
    data.seek(0)
    if is_file:
        reader = pa.ipc.open_file(data)
        return reader.schema, map(reader.get_batch, range(reader.num_record_batches))
    stream = pa.ipc.open_stream(data)
    return stream.schema, iter(stream)


def _decoded(source: Path, form: FrameForm, field: str) -> pl.DataFrame:
    with _readable(form, field), pa.memory_map(str(source)) as data:
        if form == "parquet":
            table = pq.read_table(data, **PARQUET)
        elif data.read(6) == b"ARROW1":
            table = pa.ipc.open_file(data).read_all()
        else:
            data.seek(0)
            table = pa.ipc.open_stream(data).read_all()
        table.validate(full=True)
        return pl.DataFrame(known(table, _unreadable(form, field), field))


@contextmanager
def _readable(form: FrameForm, field: str) -> Iterator[None]:
    """Says of what cannot be read where it stood."""
    try:
        yield
    except MemoryError:  # Arrow's is an ArrowException too
        raise
    # The last is what Polars raises on types and names that it did not expect.
    except (
        pa.ArrowException,
        OSError,
        ValueError,
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
    ) as error:
        raise InvalidFrame(
            f"{_unreadable(form, field)}: {message_of(error)}",
            field=field,
            constraint=FORMS[form],
        ) from None


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if "\0" in name:
            shown = shortened(name.replace("\0", "\N{SYMBOL FOR NULL}"))
            raise InvalidPlan(
                f'column "{shown}" has a NUL in its name, which Arrow cannot hold',
                field="plan",
                constraint='names without NUL; "rename" in plan.clean gives it another',
            )


def _unreadable(form: FrameForm, field: str) -> str:
    return f"{field} is not a readable {form} frame"


def _portable(dtype: pl.DataType) -> pl.DataType:
    match dtype := stored(dtype):
        case pl.Int128() | pl.UInt128():
            return pl.Decimal(38, 0)
        case pl.Float16():
            return pl.Float32()
        case pl.Categorical() | pl.Enum():
            return pl.String()
        case pl.List() | pl.Array():
            return pl.List(_portable(instance(dtype.inner)))
        case pl.Struct():
            return pl.Struct({member.name: _portable(instance(member.dtype)) for member in dtype.fields})
        case _:
            return dtype


def json_ready(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:  # noqa: PLR0911  one for each form
    """The column in types that Polars writes as the contract says."""
    match dtype:
        case pl.BaseExtension() | pl.Map():
            return json_ready(column.ext.storage().cast(stored(dtype)), stored(dtype))
        case pl.Datetime():
            utc = column.cast(pl.Datetime(dtype.time_unit)) if dtype.time_zone else column
            first, last = dt.datetime.min, dt.datetime.max  # noqa: DTZ901  in UTC, as the column is now
            return _shown(utc, first, last).dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")
        case pl.Date():
            return _shown(column, dt.date(1, 1, 1), dt.date(9999, 12, 31))
        case pl.Binary():
            return column.bin.encode("base64")
        case pl.List() | pl.Array() if _needs_care(dtype):
            listed = column if isinstance(dtype, pl.List) else column.arr.to_list()
            return listed.list.eval(json_ready(pl.element(), instance(dtype.inner)))
        case pl.Struct() if _needs_care(dtype):
            return column.struct.with_fields(
                json_ready(pl.field(member.name), instance(member.dtype))
                for member in dtype.fields
                if _needs_care(instance(member.dtype))
            )
        case _:
            return column


def _shown(column: pl.Expr, first: dt.date, last: dt.date) -> pl.Expr:
    """The dates that RFC 3339 can write; Polars aborts on those no calendar shows."""
    return pl.when(column.is_between(first, last)).then(column)


def _needs_care(dtype: pl.DataType) -> bool:
    match dtype:
        case pl.Datetime() | pl.Date() | pl.Binary() | pl.Map() | pl.BaseExtension():
            return True
        case pl.List() | pl.Array():
            return _needs_care(instance(dtype.inner))
        case pl.Struct():
            return any(_needs_care(instance(member.dtype)) for member in dtype.fields)
        case _:
            return False
