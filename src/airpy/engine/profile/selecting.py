"""Counts the rows that plan filters select, and takes the first of them as examples."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from airpy.contract import ExampleRow, Row
from airpy.engine.columns import Columns, inner, opened
from airpy.engine.encoding import BATCH_ROWS, encode_rows
from airpy.engine.filter_trees import relations_in, tested_columns
from airpy.engine.filters import condition, related

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airpy.contract import Filter
    from airpy.engine.columns import Frame

__all__ = ["MOST_COLUMNS", "Selected", "selected"]

MOST_COLUMNS = 50
"""Columns of an example row."""
MASK = "\0mask"
"""How columns are called that tell whether a row is selected; no column of the caller's has it."""
UTC = ZoneInfo("UTC")


class Selected(NamedTuple):
    """The rows that one list of filters selects."""

    rows: int
    examples: list[ExampleRow]
    """The first of them, numbered from 1 in the frame, with values as `encode_rows` writes them."""


class Found(NamedTuple):
    """How many rows of a frame, or of a batch of it, are selected, and the places of the first of them."""

    rows: int
    places: list[int]


def selected(
    frame: pl.LazyFrame,
    wanted: Sequence[Sequence[Filter]],
    *,
    most_examples: int,
    timezone: ZoneInfo = UTC,
    shown: Sequence[Sequence[str]] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> list[Selected]:
    """How many rows each list of filters selects, as a query with it would, and the first of them.

    Memory holds a batch of rows; of filters of rows among others, the columns that they name of all rows.

    Args:
        frame: The rows. The columns that filters name are read once, and then the parts that have examples.
        wanted: Lists of filters, each of which must hold; an empty one selects every row.
        most_examples: How many rows are taken for each list at most.
        timezone: Where times in the filters are that carry no offset.
        shown: For each list, the columns that come first in an example of a frame of more than 50; those that
            its filters name when it is not given. The frame's first columns fill up the 50.
        batch_rows: About how many rows are looked at together.

    Raises:
        UnknownColumn: A filter, or `shown`, names a column that is not there.
        TypeMismatch: A value cannot be cast to its column's type, or the type has no such operator.
    """
    rows = opened(frame)
    columns = Columns(rows)
    shows = [
        _shown(columns, filters, None if shown is None else shown[n], f"filters[{n}]")
        for n, filters in enumerate(wanted)
    ]
    among = {n: filters for n, filters in enumerate(wanted) if any(relations_in([*filters]))}
    alone = {n: filters for n, filters in enumerate(wanted) if n not in among}
    found = _among_all(rows, among, timezone, most_examples) | _one_by_one(
        rows, alone, timezone, most_examples, batch_rows
    )
    counts = [found[n].rows for n in range(len(wanted))]
    examples: list[list[ExampleRow]] = [[] for _ in wanted]
    for block in sorted({place // batch_rows for one in found.values() for place in one.places}):
        own = {n: [place for place in one.places if place // batch_rows == block] for n, one in found.items()}
        every = [place for places in own.values() for place in places]
        first, last = min(every), max(every)
        places = {n: [place - first for place in these] for n, these in own.items()}
        named = sorted({inner(name) for n, these in own.items() if these for name in shows[n]})
        batch = rows.to_native().slice(first, last - first + 1).select(named).collect(engine="streaming")
        for n, shown_rows in _examples(batch, places, shows, first).items():
            examples[n] += shown_rows
    return [Selected(*each) for each in zip(counts, examples, strict=True)]


def _among_all(
    rows: Frame, wanted: Mapping[int, Sequence[Filter]], timezone: ZoneInfo, most: int
) -> dict[int, Found]:
    """What filters select that are of rows among others, of a frame of the columns that they name."""
    if not wanted:
        return {}
    columns = Columns(rows)
    named = {
        columns.name(name, place)
        for n, filters in wanted.items()
        for name, place in tested_columns(filters, f"filters[{n}]")
    }
    masked = _masked(rows.select(*sorted(named)), wanted, timezone)
    return _found(masked.select(*map(_mask, wanted)).to_native().collect(), wanted, most)


def _one_by_one(
    rows: Frame, wanted: Mapping[int, Sequence[Filter]], timezone: ZoneInfo, most: int, batch_rows: int
) -> dict[int, Found]:
    """What filters select that ask each row by itself: some rows at a time, of the columns that they name."""
    found = {n: Found(0, []) for n in wanted}
    if not wanted:
        return {}
    masks = _masked(rows, wanted, timezone).select(*map(_mask, wanted)).to_native()
    first = 0
    for batch in masks.collect_batches(chunk_size=batch_rows, maintain_order=True, engine="streaming"):
        for n, one in _found(batch, wanted, most).items():
            known = found[n]
            places = [*known.places, *(first + place for place in one.places[: most - len(known.places)])]
            found[n] = Found(known.rows + one.rows, places)
        first += batch.height
    return found


def _masked(rows: Frame, wanted: Mapping[int, Sequence[Filter]], timezone: ZoneInfo) -> Frame:
    """The frame with a column for each list of filters: whether it selects the row."""
    places = {
        n: [(item, f"filters[{n}][{index}]") for index, item in enumerate(filters)]
        for n, filters in wanted.items()
    }
    rows = related(rows, [each for these in places.values() for each in these], timezone)
    columns = Columns(rows)
    masks = []
    for n, these in places.items():
        conditions = [condition(columns, item, timezone, place) for item, place in these]
        mask = nw.all_horizontal(*conditions, ignore_nulls=False) if conditions else nw.lit(value=True)
        masks.append(mask.alias(_mask(n)))
    return rows.with_columns(*masks) if masks else rows


def _found(batch: pl.DataFrame, wanted: Iterable[int], most: int) -> dict[int, Found]:
    """What each list selects of a batch."""
    masks = {n: pl.col(_mask(n)) for n in wanted}
    counts = [mask.sum().alias(f"{n} rows") for n, mask in masks.items()]
    places = [mask.arg_true().head(most).implode().alias(f"{n} places") for n, mask in masks.items()]
    if not masks:
        return {}
    found = batch.select(*counts, *places).row(0)
    return {n: Found(*each) for n, *each in zip(masks, found, found[len(masks) :], strict=False)}


def _examples(
    batch: pl.DataFrame, places: Mapping[int, Sequence[int]], shows: Sequence[Sequence[str]], first: int
) -> dict[int, list[ExampleRow]]:
    """The rows at these places of a batch, for each list; `first` is the number of rows before it."""
    taken = sorted({place for own in places.values() for place in own})
    if not taken:
        return {}
    named = sorted({name for n, own in places.items() if own for name in shows[n]})
    written: dict[int, Any] = {place: {} for place in taken}  # of rows without columns
    if named:
        rows = batch[taken].select(pl.col(inner(name)).alias(f"{n}") for n, name in enumerate(named))
        written = dict(zip(taken, json.loads(encode_rows(rows)), strict=True))
    numbers = {name: f"{n}" for n, name in enumerate(named)}

    def example(n: int, place: int) -> ExampleRow:
        values = {name: written[place][numbers[name]] for name in shows[n]}
        return ExampleRow(row=first + place + 1, values=Row.model_validate(values))

    return {n: [example(n, place) for place in own] for n, own in places.items()}


def _shown(
    columns: Columns, filters: Sequence[Filter], wanted: Sequence[str] | None, field: str
) -> list[str]:
    """The columns of an example: all of them, or of many those wanted, and then the first."""
    first = list(islice(columns, MOST_COLUMNS + 1))
    if len(first) <= MOST_COLUMNS:
        return first
    named = [name for name, _ in tested_columns(filters, field)] if wanted is None else wanted
    for name in named:
        columns.name(name, field)
    return list(dict.fromkeys([*named, *first]))[:MOST_COLUMNS]


def _mask(n: int) -> str:
    return f"{MASK}{n}"
