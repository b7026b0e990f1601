"""Turns a result frame from one format into another, batch by batch."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from airpy.engine.csv_text import write_csv
from airpy.engine.encoding import BATCH_ROWS, write_arrow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["convert_frame", "frame_batches"]


def convert_frame(source: Path, target: Path) -> None:
    """Write an Arrow IPC stream or a Parquet file as the other, or as CSV, by the target's suffix.

    Of several who do so at a time, what the first has written stays.
    """
    draft = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
    try:
        if target.suffix == ".csv":
            write_csv(frame_batches(source), draft)
        elif target.suffix == ".parquet":
            _write_parquet(source, draft)
        else:
            write_arrow(pl.scan_parquet(source, glob=False), draft, 0)
        with contextlib.suppress(FileExistsError):
            target.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def frame_batches(source: Path) -> Iterator[pl.DataFrame]:
    """The frame in pieces; an empty one first, which has the columns."""
    if source.suffix == ".parquet":
        with pq.ParquetFile(source) as file:
            yield pl.DataFrame(file.schema_arrow.empty_table())
            for batch in file.iter_batches(BATCH_ROWS):
                yield pl.DataFrame(pa.Table.from_batches([batch]))
        return
    with pa.memory_map(str(source)) as data, pa.ipc.open_stream(data) as stream:
        yield pl.DataFrame(stream.schema.empty_table())
        for batch in stream:
            yield pl.DataFrame(pa.Table.from_batches([batch]))


def _write_parquet(source: Path, target: Path) -> None:
    with (
        pa.memory_map(str(source)) as data,
        pa.ipc.open_stream(data) as batches,
        pq.ParquetWriter(target, batches.schema, compression="zstd") as parquet,
    ):
        for batch in batches:
            parquet.write_batch(batch)
