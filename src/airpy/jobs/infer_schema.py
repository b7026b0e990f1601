"""The infer_schema job: a file in, its schema and statistics out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow.parquet as pq

from airpy.contract import ReadOptions, SchemaStats
from airpy.engine.encoding import encode_model, encode_object, encode_rows, portable
from airpy.engine.schema import describe_schema
from airpy.engine.steps import counted
from airpy.files.counting import total_rows
from airpy.files.datasets import dataset_at, load_of, looked_up
from airpy.files.holding import held
from airpy.files.opening import spread
from airpy.files.scan import scan
from airpy.files.sources import seen
from airpy.jobs.planning import tell_input
from airpy.jobs.reading import Asked, Planned, read_through, reading_of
from airpy.jobs.results import write_data

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

    from airpy.contract import InferSchemaRequest
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Dataset, Load
    from airpy.files.opening import Opened
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext

__all__ = ["check_infer_schema", "infer_schema"]

PREVIEW_ROWS = 10
MOST_EXACT = 100_000
"""Rows whose distinct values are counted; those of more are estimated."""
SAMPLE_ROWS = 10_000
"""Rows that say how much memory all take, where nothing else is asked of them."""
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
        if not infer_rows:
            tell_input([source], None)
        share = -(-infer_rows // max(len(sampled), 1)) if infer_rows else None
        part = source._replace(files=tuple(sampled))
        # One file is opened once, for its first rows and for their number.
        alone = source.format == "csv" and len(source.files) == 1

        def opens(options: list[ReadOptions | None], *, careful: bool, on_step: OnStep) -> Planned:
            del on_step
            opened = scan(
                part,
                options[0],
                infer_rows=infer_rows,
                scratch=scratch,
                rows_per_file=None if alone else share,
                careful=careful,
                head_only=True,
            )
            return Planned(portable(opened.frame), [opened])

        def measured(planned: Planned) -> tuple[pl.DataFrame, Measured]:
            frame, [opened] = planned
            if 0 < infer_rows <= MOST_EXACT and (at_hand := opened.head(infer_rows)) is not None:
                return _measured(portable(at_hand), opened)
            # Of three files' shares of 20,000 rows, one is a row too many.
            return _measured(frame.head(infer_rows) if infer_rows else frame, opened)

        (first, looked_at), planned = read_through([Asked(dataset, request.read, "/read")], opens, measured)
        [opened] = planned.opened
        width = first.width
        on_step("analyzing_schema", f"Analyzing types and structure of {counted(width, 'column')}")
        whole = share is None and len(sampled) == len(source.files)
        total, exact = looked_at.rows, True
        if not whole:
            every_row = opened.frame if alone else _uncast(source, request.read, scratch)
            total, exact = total_rows(source, every_row)
        certain = exact and total == looked_at.rows
        without_nulls = set() if certain else columns_without_nulls(source)
        reading, evolution = reading_of(seen([source]), [opened]), opened.evolution()
    stats = SchemaStats(
        rows=total,
        columns=width,
        null_ratio={name: _ratio(count, looked_at.rows) for name, count in looked_at.nulls.items()},
        unique_counts=looked_at.unique,
        unique_exact=looked_at.exact,
        memory_usage_mb=round(_ratio(first.estimated_size() * total, first.height) / MEBIBYTE, 3),
        files=len(dataset.files) or 1,
        sampled_rows=looked_at.rows,
        rows_exact=exact,
    )
    nullable = [
        name for name, count in looked_at.nulls.items() if count or not (certain or name in without_nulls)
    ]
    write_data(
        context.folder,
        encode_object(
            schema=encode_model(describe_schema(first.schema, nullable)),
            stats=encode_model(stats),
            sample_preview=encode_rows(first.head(PREVIEW_ROWS)),
            columns=b"[" + b",".join(map(encode_model, opened.evidence())) + b"]",
            evolution=encode_model(evolution),
            reading=encode_model(reading),
        ),
    )
    on_step("schema_complete", "Schema inference completed")


class Measured(NamedTuple):
    """What the rows that were read say of each column."""

    rows: int
    nulls: dict[str, int]
    unique: dict[str, int]
    """Distinct values; nested columns have none."""
    exact: bool


def _counts(schema: pl.Schema, known: Container[str], unique: Callable[[pl.Expr], pl.Expr]) -> list[pl.Expr]:
    """Nulls and different values of columns that are not known, as `{place}:nulls` and `{place}:unique`."""
    wanted = []
    for place, (name, dtype) in enumerate(schema.items()):
        if name not in known:
            wanted.append(pl.nth(place).null_count().alias(f"{place}:nulls"))
            if not (dtype.is_nested() or isinstance(dtype, (pl.Binary, pl.Null))):
                wanted.append(unique(pl.nth(place).drop_nulls()).alias(f"{place}:unique"))
    return wanted


def _measured(frame: pl.LazyFrame, opened: Opened) -> tuple[pl.DataFrame, Measured]:
    """The first rows, and what all of them say; those beyond the first are passed through, and never held."""
    # What decided the types of text by every row has counted it already.
    faults = opened.faults
    as_counted = opened.distinct and not (faults.rows_skipped or faults.values_nulled)
    known = {each.name: each for each in opened.evidence()} if as_counted else {}
    rows = next((each.values + each.nulls for each in known.values()), 0)
    first = frame.head(SAMPLE_ROWS if rows > MOST_EXACT else MOST_EXACT + 1).collect(engine="streaming")
    if first.height <= MOST_EXACT and rows <= MOST_EXACT:
        counts = first.lazy().select(_counts(first.schema, (), pl.Expr.n_unique)).collect().row(0, named=True)
        unique = {name: counts.get(f"{place}:unique") for place, name in enumerate(first.columns)}
        return first, Measured(
            first.height,
            {name: counts[f"{place}:nulls"] for place, name in enumerate(first.columns)},
            {name: count for name, count in unique.items() if count is not None},
            exact=True,
        )
    wanted = [] if known else [pl.len().alias("rows")]
    wanted += _counts(first.schema, known, pl.Expr.approx_n_unique)
    found = frame.select(wanted).collect(engine="streaming").row(0, named=True) if wanted else {}
    rows = rows if known else found["rows"]
    nulls = {
        name: known[name].nulls if name in known else found[f"{place}:nulls"]
        for place, name in enumerate(first.columns)
    }
    unique = {name: found.get(f"{place}:unique") for place, name in enumerate(first.columns)}
    unique |= {name: opened.distinct.get(name) for name in known}
    return first, Measured(
        rows, nulls, {name: count for name, count in unique.items() if count is not None}, exact=False
    )


def _uncast(dataset: Dataset, options: ReadOptions | None, scratch: Path) -> pl.LazyFrame:
    """Every row of the data set, for its number; no value is looked at."""
    as_text = (options or ReadOptions()).model_copy(update={"types": "string"})
    return scan(dataset, as_text, infer_rows=1, scratch=scratch, every_column=False, head_only=True).frame


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
