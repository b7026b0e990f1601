"""Cuts pages out of result frames, reading no more than they need.

An Arrow stream is walked from batch to batch in the file as it is mapped, so that of those before the page
only the headers are read: a millisecond for a million rows. Of a Parquet file, the
pages of its columns are that hold the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from airpy.engine.encoding import ARROW, MOST_JSON_BYTES

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cut_page", "encode_page"]

LEAST_VALUE_BYTES = 5
"""What a value takes at least as JSON, beside its column's name: quotes, a colon, a digit and a comma."""


def cut_page(source: Path, offset: int, limit: int) -> pa.Table:
    """The rows from this offset on, counted from 0: as many as asked for, as there are, or as fit.

    Of rows that would be larger than 32 MiB only the first are given, one at least where there is one.
    """
    cut = _of_parquet if source.suffix == ".parquet" else _of_arrow
    page = cut(source, offset, limit)
    width = sum(len(name.encode()) + LEAST_VALUE_BYTES for name in page.schema.names)
    rows = min(page.num_rows, max(1, MOST_JSON_BYTES // max(1, width)))
    while rows > 1 and page.slice(0, rows).nbytes > MOST_JSON_BYTES:
        rows //= 2
    return page.slice(0, rows)


def encode_page(page: pa.Table) -> bytes:
    """The page as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, page.schema) as writer:
        writer.write_table(page)
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def _of_arrow(source: Path, offset: int, limit: int) -> pa.Table:
    parts: list[pa.RecordBatch] = []
    with pa.memory_map(str(source)) as data, pa.ipc.open_stream(data) as batches:
        for batch in batches:
            if offset < batch.num_rows:
                parts.append(batch.slice(offset, limit))
                limit -= parts[-1].num_rows
            offset = max(0, offset - batch.num_rows)
            if limit <= 0:
                break
        return pa.Table.from_batches(parts, batches.schema)


def _of_parquet(source: Path, offset: int, limit: int) -> pa.Table:
    return pl.scan_parquet(source, glob=False).slice(offset, limit).collect().to_arrow(compat_level=ARROW)
