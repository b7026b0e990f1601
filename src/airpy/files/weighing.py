"""Weighs what rows of text files say about the types of their columns, and tells it by file and row."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.contract import ColumnEvidence, CounterExample, TypeCandidate
from airpy.engine.evidence import Evidence, judged
from airpy.engine.full_scan import FILE_BITS, decided_by_all
from airpy.engine.schema import type_name
from airpy.engine.text_types import STRING
from airpy.errors import InvalidOptions, did_you_mean, listed, nearest, shortened
from airpy.files.faults import LONGEST_TEXT
from airpy.files.opening import MOST_COMPARED, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from airpy.engine.evidence import Rules
    from airpy.files.opening import Opening

__all__ = ["Weighed", "check_asked", "told", "weighed"]


class Weighed(NamedTuple):
    """The types of text columns, and why."""

    columns: Mapping[str, Evidence]
    told: Callable[[], tuple[ColumnEvidence, ...]]
    """Why, for those who ask."""
    unknown: Evidence
    """What a column is that no row was looked at of."""
    head: pl.DataFrame | None = None
    """The rows that decided, as text; where they are of one file."""


def weighed(
    opening: Opening,
    rules: Rules,
    texts: Mapping[Path, pl.LazyFrame],
    first: Callable[[Path, int | None], pl.DataFrame],
    typed: Callable[[Mapping[str, pl.DataType]], Sequence[pl.LazyFrame]] | None = None,
) -> Weighed:
    """The types that the rows of the files support: of the first so many rows in all, or of all of them.

    Args:
        opening: How the files are opened; says how many rows decide.
        rules: What decides.
        texts: Each file's columns as strings.
        first: So many rows of the same.
        typed: The same files, plain columns read by the reader; where that is safe.
    """
    unknown = Evidence(STRING, rules.markers_in_text)
    paths = list(texts)
    names = [opening.dataset.root.shown(path) for path in paths]
    if opening.infer_rows is None and not rules.raw:
        every = decided_by_all(list(texts.values()), rules, typed)
        return Weighed(every, cache(lambda: told(every, _in_files(names, None), full=True)), unknown)
    looked_into = [paths[place] for place in spread(range(len(paths)), MOST_COMPARED)]
    wanted = opening.infer_rows if opening.infer_rows is not None else 1
    shares = [
        wanted // len(looked_into) + (place < wanted % len(looked_into)) for place in range(len(looked_into))
    ]
    heads = [first(path, rows) for path, rows in zip(looked_into, shares, strict=True) if rows]
    names = [names[paths.index(path)] for path in looked_into]
    # A file that gave fewer rows than it was asked for has no more.
    full = len(looked_into) == len(paths) and all(
        head.height < rows for head, rows in zip(heads, shares, strict=False)
    )
    head = pl.concat(heads, how="diagonal") if len(heads) > 1 else heads[0]
    columns = judged(head, rules, full=full)
    ends = list(accumulate(each.height for each in heads))
    return Weighed(
        {name: column.evidence for name, column in columns.items()},
        cache(
            lambda: told(
                {name: column.explained() for name, column in columns.items()},
                _in_files(names, ends),
                full=full,
            )
        ),
        unknown,
        head if len(paths) == 1 else None,
    )


def told(
    columns: Mapping[str, Evidence], place: Callable[[int], tuple[str, int]], *, full: bool
) -> tuple[ColumnEvidence, ...]:
    """The evidence in the contract's words; `place` has the file and row of a row of all."""
    return tuple(_told(name, column, place, full=full) for name, column in columns.items())


def check_asked(opening: Opening, names: Iterable[str]) -> None:
    """Refuse types of columns that are not there.

    Raises:
        InvalidOptions: There is no such column; the nearest names are suggested.
    """
    known = list(names)
    asked = opening.options.types
    for name in asked if isinstance(asked, dict) else ():
        if name not in known:
            close = nearest(name, known)
            raise InvalidOptions(
                f'there is no column "{shortened(name)}" to read{did_you_mean(close)}',
                field=f"read.types.{shortened(name)}",
                constraint=f"one of: {listed(known)}",
                suggestion=close,
            )


def _in_files(names: Sequence[str], ends: Sequence[int] | None) -> Callable[[int], tuple[str, int]]:
    """Finds the file and its row, from 1, of a row of all.

    By where each file's rows end, or by its bits when there is nothing of that.
    """
    if ends is None:
        return lambda row: (names[row >> FILE_BITS], (row & ROW_MASK) + 1)

    def place(row: int) -> tuple[str, int]:
        file = bisect_right(ends, row)
        return names[file], row - (ends[file - 1] if file else 0) + 1

    return place


ROW_MASK = (1 << FILE_BITS) - 1


def _told(
    name: str, column: Evidence, place: Callable[[int], tuple[str, int]], *, full: bool
) -> ColumnEvidence:
    candidates = [
        TypeCandidate(
            type=type_name(each.kind.dtype),
            accepted=each.accepted,
            counter_examples=[
                CounterExample(file=file, row=row, value=shortened(value, LONGEST_TEXT))
                for (file, row), value in ((place(row), value) for row, value in each.counter_examples)
            ],
        )
        for each in column.candidates
    ]
    for candidate, each in zip(candidates, column.candidates, strict=True):
        if each.kind.form:
            candidate.form = each.kind.form
    evidence = ColumnEvidence(
        name=name,
        type=type_name(column.kind.dtype),
        values=column.values,
        nulls=column.nulls,
        null_markers=dict(column.null_markers),
        candidates=candidates,
        confidence=column.confidence,
        scan="full" if full else "sample",
    )
    if column.kind.form:
        evidence.form = column.kind.form
    if column.note:
        evidence.note = column.note
    return evidence
