"""Opens CSV files as one lazy frame, each in its own dialect."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.evidence import rules_of
from airpy.engine.text_types import known_as_null, parse_text
from airpy.files.faults import CheckedFile, added, count_faults, first_fault, lenient
from airpy.files.numerals import no_codes
from airpy.files.opening import Opened, together
from airpy.files.places import placed
from airpy.files.plain_csv import faults_of, forms_of, prepare, read
from airpy.files.weighing import check_asked, weighed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airpy.contract import Fault
    from airpy.engine.evidence import Evidence
    from airpy.files.opening import Opening
    from airpy.files.plain_csv import CsvFile
    from airpy.files.weighing import Weighed

__all__ = ["scan_csv"]

BY_READER = (pl.Boolean, pl.Int64, pl.Float64)
"""What the CSV reader takes as we do, but for codes that look like numbers. Dates it would guess."""


def scan_csv(opening: Opening) -> Opened:
    """CSV files, each in its own dialect; columns have the types that their values support."""
    rules = rules_of(opening.options)
    files = {path: prepare(path, opening) for path in opening.files}
    check_asked(opening, dict.fromkeys(name for file in files.values() for name in file.columns))

    def as_text(paths: Sequence[Path]) -> pl.LazyFrame:
        return read([files[path] for path in paths], {})

    def alike(path: Path) -> tuple[object, ...]:
        return files[path].alike

    @cache
    def trusted(path: Path) -> bool:
        plain = files[path].plain
        return not opening.careful and no_codes(
            files[path].readable, plain.delimiter, plain.quote, plain.line_end
        )

    def by_reader(types: Mapping[str, pl.DataType]) -> list[pl.LazyFrame]:
        return [read([file], types) for file in files.values()]

    every_row = opening.infer_rows is None and not rules.raw
    found = weighed(
        opening,
        rules,
        {path: as_text([path]) for path in opening.files},
        by_reader if every_row and all(map(trusted, opening.files)) else None,
    )

    def read_typed(paths: Sequence[Path]) -> pl.LazyFrame:
        columns = _columns(files[paths[0]], found)
        types = {name: each.kind.dtype for name, each in columns.items() if _by_reader(each)}
        if not types or opening.head_only or not all(map(trusted, paths)):
            return _as_types(as_text(paths), columns, careful=True)
        # The reader knows no column whose text is asked for as it is written.
        null = () if "string" in rules.asked.values() else rules.markers_in_text
        typed = read([files[path] for path in paths], types, null)
        return _as_types(typed, columns, careful=False, by_reader=types, null=null)

    def checked(path: Path) -> CheckedFile:
        columns = _columns(files[path], found)
        text = as_text([path]).with_columns(_known_null(columns))
        return CheckedFile(files[path].form.example, text, _values(columns))

    def locate() -> Fault | None:
        for path, file in files.items():
            if fault := first_fault([checked(path)]):
                plain = file.readable == file.source
                original = file.source == opening.local[path]
                return placed(
                    fault, file.source, file.dialect, len(file.columns), plain=plain, original=original
                )
        return None

    on_error, faults = opening.options.on_error or "fail", faults_of(files.values())
    if on_error != "fail":
        faults = added(faults, count_faults(map(checked, opening.files), on_error))

        def read_typed(paths: Sequence[Path]) -> pl.LazyFrame:
            return pl.concat([lenient(checked(path), on_error) for path in paths])

    return Opened(
        together(opening, read_typed, alike),
        forms_of(files.values()),
        found.told,
        distinct={name: each.distinct for name, each in found.columns.items() if each.distinct is not None},
        faults=faults,
        locate=locate,
    )


def _columns(file: CsvFile, found: Weighed) -> dict[str, Evidence]:
    """What the file's columns are."""
    return {name: found.columns.get(name, found.unknown) for name in file.columns}


def _known_null(columns: Mapping[str, Evidence]) -> list[pl.Expr]:
    """The text of each column that has markers of null, without them."""
    return [
        known_as_null(pl.nth(place), column.markers)
        for place, column in enumerate(columns.values())
        if column.markers
    ]


def _values(columns: Mapping[str, Evidence]) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    """By column that is more than text: its text, and its values, null where the text is none."""
    return {
        name: (pl.nth(place), parse_text(pl.nth(place), column.kind, strict=False))
        for place, (name, column) in enumerate(columns.items())
        if column.kind.dtype != pl.String
    }


def _by_reader(column: Evidence) -> bool:
    """Whether the reader may give the column its type."""
    kind = column.kind
    return isinstance(kind.dtype, BY_READER) and bool(kind.pattern) and not (kind.form or column.null_markers)


def _as_types(
    text: pl.LazyFrame,
    columns: Mapping[str, Evidence],
    *,
    careful: bool,
    by_reader: Mapping[str, pl.DataType] | None = None,
    null: Sequence[str] = (),
) -> pl.LazyFrame:
    """The frame with its text read as the columns' types.

    Markers of null that have not been seen are looked for with care alone. Without, one of them fails the
    query, unless it is one that is null in every column, which the reader knows.
    """
    values = []
    for place, (name, column) in enumerate(columns.items()):
        if by_reader and name in by_reader:
            continue
        markers = column.markers if careful or column.null_markers else ()
        if column.kind.dtype == pl.String:
            if column.markers and not null:
                values.append(known_as_null(pl.nth(place), column.markers))
        else:
            values.append(parse_text(pl.nth(place), column.kind, markers=markers))
    return text.with_columns(values)
