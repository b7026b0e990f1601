"""The infer_schema job: a file in, its schema and statistics out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq

from airpy.contract import SchemaStats
from airpy.engine.encoding import encode_model, encode_object, encode_rows, portable
from airpy.engine.profile.metrics import column_metrics
from airpy.engine.schema import describe_schema
from airpy.engine.steps import counted
from airpy.files.datasets import dataset_at, load_of, looked_up
from airpy.files.holding import held
from airpy.files.opening import spread
from airpy.files.scan import scan
from airpy.jobs.planning import tell_input
from airpy.jobs.reading import Asked, Planned, read_through, reading_of
from airpy.jobs.results import write_data

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.contract import InferSchemaRequest, ReadOptions
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Dataset, Load
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext

__all__ = ["check_infer_schema", "infer_schema"]

PREVIEW_ROWS = 10
MEBIBYTE = 1024 * 1024
MOST_FOOTERS = 64
"""Footers that are read for their null counts."""


def check_infer_schema(request: InferSchemaRequest, root: FileRoot) -> Load:
    """Refuse a request that cannot be met, without reading data, and say what it will read.

    Raises:
        AirError: The data set cannot be found.
    """
    return load_of([dataset_at(root, request.uri, "uri")])


def infer_schema(request: InferSchemaRequest, context: JobContext, *, on_step: OnStep) -> None:
    """Infer names, types and nullability from a sample, and count the rows of the whole data set."""
    dataset = looked_up(dataset_at(context.files, request.uri, "uri"), "uri")
    sampled = spread(dataset.files, request.sample_files)
    on_step(
        "file_found",
        f"Found {dataset.name}"
        + (f": {counted(len(dataset.files), 'file')}" if len(dataset.files) > 1 else ""),
    )
    infer_rows = context.infer_rows if request.infer_rows is None else request.infer_rows
    on_step(
        "reading_file",
        f"Reading {f'{infer_rows:,}' if infer_rows else 'all'} rows of {counted(len(sampled) or 1, 'file')}",
    )
    with context.scratch() as scratch, held([dataset], scratch) as [source]:
        share = -(-infer_rows // max(len(sampled), 1)) if infer_rows else None
        part = source._replace(files=tuple(sampled))

        def opens(options: list[ReadOptions | None], *, careful: bool, on_step: OnStep) -> Planned:
            del on_step
            opened = scan(
                part,
                options[0],
                infer_rows=infer_rows,
                scratch=scratch,
                rows_per_file=share,
                careful=careful,
            )
            return Planned(portable(opened.frame), [opened])

        rows, planned = read_through(
            [Asked(dataset, request.read, "/read")], opens, lambda frame: frame.collect(engine="streaming")
        )
        [opened] = planned.opened
        on_step("analyzing_schema", f"Analyzing types and structure of {counted(rows.width, 'column')}")
        whole = share is None and len(sampled) == len(source.files)
        if not whole and source.format != "parquet":
            tell_input([source], None)  # its rows are counted
        total = rows.height if whole else count_rows(source, request.read, infer_rows, scratch)
        metrics = column_metrics(rows)
        certain = total == rows.height
        without_nulls = set() if certain else columns_without_nulls(source)
        reading = reading_of([source], [opened])
    stats = SchemaStats(
        rows=total,
        columns=rows.width,
        null_ratio={column.name: _ratio(column.missing, rows.height) for column in metrics},
        unique_counts={column.name: column.unique for column in metrics if column.unique is not None},
        memory_usage_mb=round(_ratio(rows.estimated_size() * total, rows.height) / MEBIBYTE, 3),
        files=len(dataset.files) or 1,
        sampled_rows=rows.height,
        rows_exact=True,
    )
    nullable = [
        column.name for column in metrics if column.missing or not (certain or column.name in without_nulls)
    ]
    write_data(
        context.folder,
        encode_object(
            schema=encode_model(describe_schema(rows.schema, nullable)),
            stats=encode_model(stats),
            sample_preview=encode_rows(rows.head(PREVIEW_ROWS)),
            columns=b"[" + b",".join(map(encode_model, opened.evidence)) + b"]",
            evolution=encode_model(opened.evolution),
            reading=encode_model(reading),
        ),
    )
    on_step("schema_complete", "Schema inference completed")


def count_rows(dataset: Dataset, options: ReadOptions | None, infer_rows: int, scratch: Path) -> int:
    """Rows of the whole data set; Parquet's footers tell, text is counted."""
    frame = scan(dataset, options, infer_rows=infer_rows, scratch=scratch, every_column=False).frame
    return int(frame.select(pl.len()).collect(engine="streaming").item())


def columns_without_nulls(dataset: Dataset) -> set[str]:
    """Columns that the files' own statistics say have no nulls; only Parquet can say so."""
    if dataset.format != "parquet" or dataset.remote or not 0 < len(dataset.files) <= MOST_FOOTERS:
        return set()
    return set.intersection(*map(_complete_columns, map(dataset.place, dataset.files)))


def _complete_columns(path: Path) -> set[str]:
    """Flat columns of a Parquet file whose every chunk counts no nulls."""
    footer = pq.read_metadata(path)
    complete = {footer.schema.column(place).path for place in range(footer.num_columns)}
    for group in map(footer.row_group, range(footer.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            statistics = chunk.statistics
            if statistics is None or not statistics.has_null_count or statistics.null_count:
                complete.discard(chunk.path_in_schema)
    return complete


def _ratio(part: float, whole: int) -> float:
    return part / whole if whole else 0.0
