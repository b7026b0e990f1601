"""Finds values of text files that their columns' types do not take: the first of them, or all, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.contract import Fault, Faults
from airpy.errors import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airpy.contract import OnError

__all__ = ["LONGEST_TEXT", "MOST_EXAMPLES", "CheckedFile", "added", "count_faults", "first_fault", "lenient"]

MOST_EXAMPLES = 10
LONGEST_TEXT = 200
"""Letters of a file that are shown."""
ROW, REFUSED = "row", "refused"


class CheckedFile(NamedTuple):
    """A file as text, and what its columns are to become."""

    name: str
    """What the caller knows it by."""
    text: pl.LazyFrame
    """Its rows as they are written."""
    values: Mapping[str, tuple[pl.Expr, pl.Expr]]
    """By column that is to be more than text: its text, null where nothing stands, and its values, null too
    where the text is none."""


def first_fault(files: Iterable[CheckedFile]) -> Fault | None:
    """The first value that its column's type does not take; none when all fit."""
    return next((fault for file in files for fault in _examples(file, 1)), None)


def count_faults(files: Iterable[CheckedFile], on_error: OnError) -> Faults:
    """How much `lenient` leaves out of the files, and the first of it.

    Every value is looked at, which costs a pass over the files.
    """
    rows = values = 0
    examples: list[Fault] = []
    for file in files:
        if not file.values:
            continue
        refused = _refused(file)
        counts = file.text.select(
            pl.any_horizontal(refused).sum().alias(ROW),
            pl.sum_horizontal([each.cast(pl.Int64).sum() for each in refused]).alias(REFUSED),
        ).collect(engine="streaming")
        rows += counts[ROW].item()
        values += counts[REFUSED].item()
        if counts[ROW].item() and len(examples) < MOST_EXAMPLES:
            examples.extend(_examples(file, MOST_EXAMPLES - len(examples)))
    skipped = on_error == "skip"
    return Faults(
        rows_skipped=rows if skipped else 0,
        values_nulled=0 if skipped else values,
        rows_ragged=0,
        examples=examples,
    )


def added(one: Faults, other: Faults) -> Faults:
    """The faults of both, and the first examples."""
    return Faults(
        rows_skipped=one.rows_skipped + other.rows_skipped,
        values_nulled=one.values_nulled + other.values_nulled,
        rows_ragged=one.rows_ragged + other.rows_ragged,
        examples=[*one.examples, *other.examples][:MOST_EXAMPLES],
    )


def lenient(file: CheckedFile, on_error: OnError) -> pl.LazyFrame:
    """The file's values, with null for what is none, or without the rows where one is."""
    kept = file.text
    if on_error == "skip" and file.values:
        kept = kept.filter(~pl.any_horizontal(_refused(file)))
    return kept.with_columns(values.alias(name) for name, (_, values) in file.values.items())


def _refused(file: CheckedFile) -> list[pl.Expr]:
    """By column, whether there is text that is no value."""
    return [text.is_not_null() & values.is_null() for text, values in file.values.values()]


def _examples(file: CheckedFile, most: int) -> Iterator[Fault]:
    if not file.values:
        return
    names = list(file.values)
    wrong = [
        pl.when(refused).then(text).alias(str(place))
        for place, (refused, (text, _)) in enumerate(zip(_refused(file), file.values.values(), strict=True))
    ]
    found = (
        file.text.select(wrong)
        .with_row_index(ROW, offset=1)
        .filter(pl.any_horizontal(pl.exclude(ROW).is_not_null()))
        .head(most)
        .collect(engine="streaming")
    )
    for row in found.iter_rows(named=True):
        for place, name in enumerate(names):
            if (text := row[str(place)]) is not None:
                yield Fault(
                    file=file.name,
                    row=row[ROW],
                    column=name,
                    kind="bad_value",
                    text=shortened(text, LONGEST_TEXT),
                )
