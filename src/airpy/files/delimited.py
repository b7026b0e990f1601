"""Opens CSV files as one lazy frame, each in its own dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.text_types import infer_types
from airpy.errors import FileUnavailable
from airpy.files.dialect import detect_dialect, has_rows
from airpy.files.opening import MOST_COMPARED, Opened, cut, first_rows, share, spread, together, with_moments
from airpy.files.rewriting import in_utf8

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airpy.files.dialect import Dialect
    from airpy.files.opening import Opening

__all__ = ["scan_csv"]

READ_BY_CSV = {"utf-8", "utf-8-sig"}


def scan_csv(opening: Opening) -> Opened:
    """CSV files with a header line, each in its own dialect."""
    dataset = opening.dataset
    if dataset.cloud is not None:
        text = pl.scan_csv(dataset.cloud, infer_schema=False, credential_provider=None)
        types = infer_types(first_rows(text, opening.infer_rows))
        typed = pl.scan_csv(
            dataset.cloud, infer_schema=False, schema_overrides=_by_reader(types), credential_provider=None
        )
        return Opened(cut(with_moments(typed, list(types.values())), opening))
    dialects = {path: detect_dialect(opening.local[path]) for path in opening.files}
    readable = {
        path: in_utf8(opening.local[path], dialect.encoding, opening.scratch, READ_BY_CSV)
        for path, dialect in dialects.items()
    }

    def read(paths: Sequence[Path], types: dict[str, pl.DataType]) -> pl.LazyFrame:
        dialect = dialects[paths[0]]
        return pl.scan_csv(
            [readable[path] for path in paths],
            separator=dialect.delimiter,
            quote_char=dialect.quote,
            eol_char=dialect.line_end,
            infer_schema=False,
            schema_overrides=types,
            glob=False,
        )

    looked_into = spread(opening.files, MOST_COMPARED)
    rows = share(opening, looked_into)
    heads = {path: first_rows(read([path], {}), rows) for path in looked_into}
    for path, head in heads.items():
        # The reader takes a quote that is never closed for the beginning of a value without end.
        if head.is_empty() and has_rows(opening.local[path], dialects[path]):
            raise FileUnavailable(
                f'a quote in "{path.name}" is opened and never closed', constraint="quotes in pairs"
            )
    types = infer_types(pl.concat(heads.values(), how="diagonal"))

    def alike(path: Path) -> tuple[Dialect, list[str]]:
        return dialects[path], read([path], {}).collect_schema().names()

    def read_typed(paths: Sequence[Path]) -> pl.LazyFrame:
        columns = {name: types.get(name, pl.String()) for name in alike(paths[0])[1]}
        return with_moments(read(paths, _by_reader(columns)), list(columns.values()))

    return Opened(together(opening, read_typed, alike))


def _by_reader(types: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """The types that the CSV reader may give; dates it would read however they are written, guessing."""
    return {name: pl.String() if dtype.is_temporal() else dtype for name, dtype in types.items()}
