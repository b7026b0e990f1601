"""Opens files with a JSON object on each line as one lazy frame."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.evidence import infer_types
from airpy.files.combining import as_one
from airpy.files.encodings import detect_encoding
from airpy.files.opening import MOST_COMPARED, Opened, cut, first_rows, share, spread, together, with_moments
from airpy.files.rewriting import in_utf8

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airpy.files.opening import Opening

__all__ = ["scan_jsonl"]

READ_BY_JSONL = {"utf-8"}
"""The reader takes a byte-order mark for bad JSON."""


def scan_jsonl(opening: Opening) -> Opened:
    """Files with a JSON object on each line; strings that are all dates or timestamps become those."""
    dataset = opening.dataset
    looked_at = opening.rows_per_file if opening.every_column else opening.infer_rows
    if dataset.cloud is not None:
        rows = pl.scan_ndjson(dataset.cloud, infer_schema_length=looked_at, credential_provider=None)
        return Opened(cut(rows, opening))
    readable = {
        path: in_utf8(local, detect_encoding(local), opening.scratch, READ_BY_JSONL)
        for path, local in opening.local.items()
    }

    def read(paths: Sequence[Path], schema: pl.Schema | None = None) -> pl.LazyFrame:
        # Alone among the readers this one has no switch for patterns, so their letters are quoted.
        names = [glob.escape(str(readable[path])) for path in paths]
        return pl.scan_ndjson(names, schema=schema, infer_schema_length=looked_at)

    # The reader leaves out keys that it has not met before; so each file is looked into on its own.
    schemas = {path: read([path]).collect_schema() for path in opening.files}
    distinct = {tuple(schema.items()): schema for schema in schemas.values()}
    columns = as_one([pl.LazyFrame(schema=schema) for schema in distinct.values()]).collect_schema()
    texts = {name for name, dtype in columns.items() if dtype == pl.String}
    looked_into = spread(opening.files, MOST_COMPARED)

    def head(path: Path) -> pl.DataFrame:
        places = [place for place, name in enumerate(schemas[path]) if name in texts]
        text = read([path], schemas[path]).select(pl.nth(places).cast(pl.String))
        return first_rows(text, share(opening, looked_into))

    types = infer_types(pl.concat(map(head, looked_into), how="diagonal"))

    def read_typed(paths: Sequence[Path]) -> pl.LazyFrame:
        schema = schemas[paths[0]]
        moments = [types.get(name, dtype) for name, dtype in schema.items()]
        return with_moments(read(paths, schema), moments)

    return Opened(together(opening, read_typed, schemas.get))
