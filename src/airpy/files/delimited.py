"""Opens CSV files as one lazy frame, each in its own dialect."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl
from pydantic import TypeAdapter

from airpy.engine.evidence import decided, rules_of
from airpy.engine.text_types import known_as_null, parse_text
from airpy.files.evolution import evolution_of, spellings
from airpy.files.faults import CheckedFile, added, count_faults, first_fault, lenient
from airpy.files.heads import head_of
from airpy.files.memory import as_json, remembered
from airpy.files.opening import MOST_COMPARED, Opened, forms_of, together
from airpy.files.places import placed
from airpy.files.plain_csv import faults_of, prepare, read
from airpy.files.suspicion import has_codes
from airpy.files.weighing import check_asked, weighed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airpy.contract import Fault, OnError, SchemaEvolution
    from airpy.engine.evidence import Evidence
    from airpy.files.opening import Opening

__all__ = ["scan_csv"]

TRUTH = as_json(TypeAdapter(bool))
BY_READER = (pl.Boolean, pl.Int64, pl.Float64)
"""What the CSV reader takes as we do, but for codes that look like numbers. Dates it would guess."""


def scan_csv(opening: Opening) -> Opened:
    """CSV files, each in its own dialect; columns have the types that their values support.

    Raises:
        FileUnavailable: A file is empty, or no text in its encoding.
        InvalidOptions: The options contradict one another, or what is there.
    """
    found = _CsvFiles(opening)
    faults, read = faults_of(found.files.values()), found.typed
    if found.on_error != "fail":
        faults = added(faults, count_faults(map(found.checked, opening.files), found.on_error))
        read = found.lenient
    frame = together(opening, read, lambda path: found.files[path].alike)
    return Opened(
        frame,
        forms_of(file.form for file in found.files.values()),
        found.weighed.told,
        lambda: found.evolution(frame.collect_schema()),
        distinct={
            name: each.distinct for name, each in found.weighed.columns.items() if each.distinct is not None
        },
        faults=faults,
        locate=found.first_fault,
        head=found.head,
    )


class _CsvFiles:
    """The files, how each is read as text, and what their columns are."""

    def __init__(self, opening: Opening) -> None:
        rules = self.rules = rules_of(opening.options)
        self.opening = opening
        self.on_error: OnError = opening.options.on_error or "fail"
        self.files = {path: prepare(path, opening) for path in opening.files}
        check_asked(opening, dict.fromkeys(name for file in self.files.values() for name in file.columns))
        # The reader knows no column whose text is asked for as it is written.
        self.null = () if "string" in rules.asked.values() else rules.markers_in_text
        self.trusted = cache(self._trusted)
        every_row = opening.infer_rows is None and not rules.raw
        self.weighed = weighed(
            opening,
            rules,
            {path: self._looked_at(path) for path in opening.files},
            lambda path, rows: head_of(self.files[path], rows, self._places(path)),
            self._by_reader if every_row and all(map(self.trusted, opening.files)) else None,
        )

    def text(self, paths: Sequence[Path]) -> pl.LazyFrame:
        """Files that are alike, every column as text."""
        return read([self.files[path] for path in paths], {})

    def typed(self, paths: Sequence[Path]) -> pl.LazyFrame:
        """Files that are alike, with values; one that is none fails the query."""
        columns = self._columns(paths[0])
        types = {name: each.kind.dtype for name, each in columns.items() if _by_reader(each)}
        few = self.opening.head_only or self.opening.rows_per_file is not None
        if not types or few or not all(map(self.trusted, paths)):
            return _as_types(self.text(paths), columns, careful=True)
        frame = read([self.files[path] for path in paths], types, self.null)
        return _as_types(frame, columns, careful=False, by_reader=types, null=self.null)

    def head(self, rows: int) -> pl.LazyFrame | None:
        """So many first rows with values, where they are at hand and nothing is left out of them."""
        text, decisive = self.weighed.head, self.opening.infer_rows
        if text is None or self.on_error != "fail" or self.opening.columns is not None:
            return None
        if text.height < rows and (decisive is None or text.height >= decisive):
            return None  # there may be more
        [path] = self.opening.files
        columns, first = self._columns(path), text.head(rows).lazy()
        return together(self.opening, lambda _: _as_types(first, columns, careful=True), lambda _: None)

    def lenient(self, paths: Sequence[Path]) -> pl.LazyFrame:
        """Files that are alike, without what is no value."""
        return pl.concat([lenient(self.checked(path), self.on_error) for path in paths])

    def checked(self, path: Path) -> CheckedFile:
        """A file as text, and what its columns are to become."""
        columns = self._columns(path)
        nulls = [
            known_as_null(pl.nth(place), column.markers)
            for place, column in enumerate(columns.values())
            if column.markers
        ]
        values = {
            name: (pl.nth(place), parse_text(pl.nth(place), column.kind, strict=False))
            for place, (name, column) in enumerate(columns.items())
            if column.kind.dtype != pl.String
        }
        return CheckedFile(self.files[path].form.example, self.text([path]).with_columns(nulls), values)

    def first_fault(self) -> Fault | None:
        """The first value that its column's type does not take."""
        for path, file in self.files.items():
            if fault := first_fault([self.checked(path)]):
                return placed(
                    fault,
                    file.source,
                    file.dialect,
                    len(file.columns),
                    plain=file.readable == file.source,
                    original=file.source == self.opening.local[path],
                )
        return None

    def evolution(self, union: pl.Schema) -> SchemaEvolution:
        """How the files' columns differ; their types too where a sample of each is read for nothing else."""
        types: dict[str, dict[str, pl.DataType]] = {}
        for file in self.files.values():
            own: Mapping[str, Evidence] = {}
            if self.opening.rows_per_file is not None and 1 < len(self.files) <= MOST_COMPARED:
                own = decided(head_of(file, self.opening.rows_per_file), self.rules)
            types[file.form.example] = {
                name: own[name].kind.dtype if name in own else union.get(name, pl.String())
                for name in file.columns
            }
        return evolution_of(types, union, spellings(types))

    def _places(self, path: Path) -> list[int] | None:
        """The columns of the file that are going to be used; None when all may be."""
        wanted = self.opening.columns
        if wanted is None or self.on_error != "fail":  # a row may be left out for any of its values
            return None
        columns = self.files[path].columns
        return [place for place, name in enumerate(columns) if name in wanted] or [0]

    def _looked_at(self, path: Path) -> pl.LazyFrame:
        """The columns of the file that are going to be used, as text."""
        text, places = self.text([path]), self._places(path)
        return text if places is None else text.select(pl.nth(places))

    def _columns(self, path: Path) -> dict[str, Evidence]:
        return {
            name: self.weighed.columns.get(name, self.weighed.unknown) for name in self.files[path].columns
        }

    def _trusted(self, path: Path) -> bool:
        """Whether the reader may take numbers of the file for such."""
        file = self.files[path]
        plain = file.plain
        if self.opening.careful:
            return False
        if file.codes is not None:
            return not file.codes
        own = file.readable == self.opening.local[path]
        return not remembered(
            self.opening.dataset.root.memory if own else None,
            file.readable,
            repr(("codes", plain)),
            lambda: has_codes(file.readable, plain.delimiter, plain.quote, plain.line_end),
            TRUTH,
        )

    def _by_reader(self, types: Mapping[str, pl.DataType]) -> list[pl.LazyFrame]:
        return [read([file], types) for file in self.files.values()]


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
