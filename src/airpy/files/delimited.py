"""Opens CSV files as one lazy frame, each in its own dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.text_types import infer_types
from airpy.files.opening import MOST_COMPARED, Opened, cut, first_rows, share, spread, together, with_moments
from airpy.files.plain_csv import faults_of, forms_of, prepare, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airpy.files.opening import Opening

__all__ = ["scan_csv"]


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
    files = {path: prepare(path, opening) for path in opening.files}

    def read_as(paths: Sequence[Path], types: Mapping[str, pl.DataType]) -> pl.LazyFrame:
        return read([files[path] for path in paths], types)

    looked_into = spread(opening.files, MOST_COMPARED)
    rows = share(opening, looked_into)
    types = (
        {}
        if opening.options.types == "string"
        else infer_types(
            pl.concat([first_rows(read_as([path], {}), rows) for path in looked_into], how="diagonal")
        )
    )

    def alike(path: Path) -> tuple[object, ...]:
        return files[path].alike

    def read_typed(paths: Sequence[Path]) -> pl.LazyFrame:
        columns = {name: types.get(name, pl.String()) for name in files[paths[0]].columns}
        return with_moments(read_as(paths, _by_reader(columns)), list(columns.values()))

    return Opened(
        together(opening, read_typed, alike), forms_of(files.values()), faults=faults_of(files.values())
    )


def _by_reader(types: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """The types that the CSV reader may give; dates it would read however they are written, guessing."""
    return {name: pl.String() if dtype.is_temporal() else dtype for name, dtype in types.items()}
