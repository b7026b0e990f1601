"""Decides the types of text columns by every row, in bounded memory.

A sample says what each column may be, and one pass counts how many of its values that takes. Where it does
not take all, values that it refused join the sample, and the column is decided and counted again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.evidence import DOUBT, Evidence, Rules, decided
from airpy.engine.text_forms import PLAIN
from airpy.engine.text_types import STRING, TextType, fits, known_as_null
from airpy.engine.trials import MOST_EXAMPLES, Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

__all__ = ["FILE_BITS", "decided_by_all"]

FILE_BITS = 40
"""A row is named by the number of its file and, in so many bits, its place there."""
SAMPLED_ROWS = 20_000
MOST_ROUNDS = 8
"""Each round but the last rules a form out, or finds one; a column that is not settled then is text."""


BY_READER = PLAIN[:3]
"""Plain booleans, integers and floats."""


class _Counts(NamedTuple):
    """What one pass tells of a column."""

    rows: int
    absent: int
    marked: int
    """Markers of null."""
    accepted: Mapping[TextType, int]
    """By type, how many values it takes."""
    distinct: int | None
    """Approximately; of what is written in different ways, each way."""


def decided_by_all(
    files: Sequence[pl.LazyFrame],
    rules: Rules,
    typed: Callable[[Mapping[str, pl.DataType]], Sequence[pl.LazyFrame]] | None = None,
) -> dict[str, Evidence]:
    """The type that all values of all files' columns support, and why; in order.

    Args:
        files: The columns of each file as strings. Counter-examples are named by the number of their file, in
            the bits above `FILE_BITS`, and their row in it.
        rules: What decides.
        typed: The same files with some columns as plain booleans and numbers, by a reader that fails at any
            other value; where there is one that takes for numbers what numbers are here.
    """
    share = max(SAMPLED_ROWS // len(files), 1)
    heads = [file.head(share).collect(engine="streaming") for file in files]
    names = list(dict.fromkeys(name for head in heads for name in head.columns))
    samples = {name: pl.concat([head[name] for head in heads if name in head.columns]) for name in names}
    counts: dict[str, _Counts] = {}
    supposed: dict[str, Evidence] = {}
    unsettled = list(names)
    for _ in range(MOST_ROUNDS):
        supposed |= {name: decided(samples[name].to_frame(), rules)[name] for name in unsettled}
        columns = {name: supposed[name] for name in unsettled}
        counted = _counted_by_reader(typed, columns) if typed is not None else None
        counts |= counted or _counted(files, columns)
        typed = None
        unsettled = [name for name in unsettled if not _is_settled(supposed[name], counts[name])]
        for name in unsettled:
            refused = [value for _, value in _refused(files, name, supposed[name], rules)]
            samples[name] = samples[name].extend(pl.Series(name, refused, pl.String))
        if not unsettled:
            break
    for name in unsettled:
        if name not in rules.asked:  # what the caller says is not refuted, but broken
            supposed[name] = Evidence(STRING, rules.markers_in_text)
    return {name: _concluded(files, name, supposed[name], counts[name], rules) for name in names}


def _hopeful(column: Evidence) -> list[TextType]:
    """The types that took all values of the sample, and have to take all others."""
    if column.kind != STRING:
        rivals = [
            each.kind
            for each in column.candidates[1:]
            if column.confidence == DOUBT and each.accepted == column.values
        ]
        return [column.kind, *rivals]
    return [
        each.kind
        for each in column.candidates
        if each.kind != STRING and each.accepted == column.values and column.values
    ]


def _counted_by_reader(
    typed: Callable[[Mapping[str, pl.DataType]], Sequence[pl.LazyFrame]], columns: Mapping[str, Evidence]
) -> dict[str, _Counts] | None:
    """One pass over the columns, plain ones read by the reader; None when it met another value."""
    by_reader = {
        name: column.kind.dtype
        for name, column in columns.items()
        if column.kind in BY_READER and not column.null_markers and len(_hopeful(column)) == 1
    }
    try:
        return _counted(typed(by_reader), columns, by_reader)
    except pl.exceptions.PolarsError:
        return None


def _counted(
    files: Sequence[pl.LazyFrame], columns: Mapping[str, Evidence], by_reader: Container[str] = ()
) -> dict[str, _Counts]:
    """One pass over the columns."""
    exprs: list[pl.Expr] = [pl.len().alias("rows")]
    for place, (name, column) in enumerate(columns.items()):
        if name in by_reader:
            values = pl.nth(place)
            taken = values.is_infinite().not_() if column.kind.dtype.is_float() else values.is_not_null()
            exprs += [
                values.null_count().alias(f"{place}:absent"),
                taken.sum().alias(f"{place}:0"),
                values.approx_n_unique().alias(f"{place}:distinct"),
            ]
            continue
        text = pl.nth(place)
        exprs.append(text.null_count().alias(f"{place}:absent"))
        if column.null_markers or (column.kind == STRING and column.markers):
            exprs.append(text.is_in(list(column.markers)).sum().alias(f"{place}:marked"))
        kinds = _hopeful(column)
        exprs += [fits(text, kind).sum().alias(f"{place}:{at}") for at, kind in enumerate(kinds)]
        exprs.append(text.approx_n_unique().alias(f"{place}:distinct"))
    whole = _one(files, list(columns))
    found = whole.select(exprs).collect(engine="streaming").row(0, named=True)
    return {
        name: _Counts(
            found["rows"],
            found[f"{place}:absent"],
            found.get(f"{place}:marked", 0),
            {kind: found[f"{place}:{at}"] or 0 for at, kind in enumerate(_hopeful(column))},
            found[f"{place}:distinct"],
        )
        for place, (name, column) in enumerate(columns.items())
    }


def _one(files: Sequence[pl.LazyFrame], names: Sequence[str]) -> pl.LazyFrame:
    """These columns of all files."""
    frames = [file.select(_own(file, names)) for file in files]
    frame = pl.concat(frames, how="diagonal") if len(frames) > 1 else frames[0]
    places = {name: place for place, name in enumerate(frame.collect_schema().names())}
    return frame.select(pl.nth([places[name] for name in names]))


def _own(file: pl.LazyFrame, names: Sequence[str]) -> list[pl.Expr]:
    columns = file.collect_schema().names()
    return [pl.nth(columns.index(name)) for name in names if name in columns]


def _is_settled(column: Evidence, counts: _Counts) -> bool:
    """Whether what is supposed of the column holds for all its values."""
    values = counts.rows - counts.absent - counts.marked
    if column.kind == STRING:
        # Text takes everything; that nothing narrower does is settled once a value has refuted it.
        refuted = bool(column.candidates[1:]) or bool(column.values)
        return (refuted or not values) and all(taken == values for taken in counts.accepted.values())
    return all(taken == values for taken in counts.accepted.values())


def _refused(
    files: Sequence[pl.LazyFrame], name: str, column: Evidence, rules: Rules
) -> Iterator[tuple[int, str]]:
    """Some values that the supposed types do not take, and of the markers of null each; with their rows."""
    kinds = _hopeful(column)
    value = known_as_null(pl.first(), column.markers)
    if not kinds:
        yield from _rows(files, name, value.is_not_null(), MOST_EXAMPLES)
    for kind in kinds:
        others = pl.first().is_not_null() & ~pl.first().is_in(list(rules.markers))
        yield from _rows(files, name, others & ~fits(pl.first(), kind), MOST_EXAMPLES)
    for marker in _markers(files, name, rules.markers):
        yield 0, marker


def _markers(files: Sequence[pl.LazyFrame], name: str, markers: Sequence[str]) -> dict[str, int]:
    """How often each marker stands in the column."""
    if not markers:
        return {}
    found = (
        _one(files, [name])
        .select(pl.first().alias("marker"))
        .filter(pl.col("marker").is_in(list(markers)))
        .group_by("marker")
        .len()
        .collect(engine="streaming")
    )
    return dict(sorted(found.rows(), key=lambda pair: (-pair[1], pair[0])))


def _rows(files: Sequence[pl.LazyFrame], name: str, wanted: pl.Expr, most: int) -> Iterator[tuple[int, str]]:
    """The first values of the column of which something is true, and their rows."""
    for number, file in enumerate(files):
        own = _own(file, [name])
        if not own:
            continue
        found = (
            file.select(own)
            .select(pl.first().alias("value"), wanted.alias("wanted"), pl.int_range(pl.len()).alias("row"))
            .filter("wanted")
            .head(most)
            .collect(engine="streaming")
        )
        yield from ((number << FILE_BITS | row, value) for value, _, row in found.rows())
        most -= found.height
        if most <= 0:
            return


def _concluded(
    files: Sequence[pl.LazyFrame], name: str, column: Evidence, counts: _Counts, rules: Rules
) -> Evidence:
    """The evidence with what all rows say in place of what the sample did."""
    marked = _markers(files, name, column.markers) if counts.marked else {}
    nulls = counts.absent + counts.marked
    values = counts.rows - nulls
    candidates = [Candidate(kind, taken) for kind, taken in counts.accepted.items()]
    if column.kind == STRING:
        # What takes less than half of a sample is not worth a pass of its own.
        tried = [
            each.kind
            for each in column.candidates
            if each.kind not in {STRING, *counts.accepted} and each.accepted * 2 >= column.values
        ]
        candidates = [Candidate(STRING, values), *candidates, *_judged(files, name, tried, rules)]
    settled = column.kind == STRING and not counts.accepted and values > 0
    return column._replace(
        values=values,
        nulls=nulls,
        null_markers=marked,
        candidates=tuple(candidates),
        confidence=1.0 if settled or column.confidence != DOUBT else DOUBT,
        distinct=counts.distinct,
    )


def _judged(
    files: Sequence[pl.LazyFrame], name: str, kinds: Sequence[TextType], rules: Rules
) -> Iterator[Candidate]:
    """Types that not all values support, by how many do and the first that do not."""
    if not kinds:
        return
    value = known_as_null(pl.first(), rules.markers)
    taken = (
        _one(files, [name])
        .select(fits(value, kind).sum().alias(str(at)) for at, kind in enumerate(kinds))
        .collect(engine="streaming")
        .row(0)
    )
    for kind, count in sorted(zip(kinds, taken, strict=True), key=lambda pair: -(pair[1] or 0)):
        refused = tuple(_rows(files, name, ~fits(value, kind), MOST_EXAMPLES))
        yield Candidate(kind, count or 0, refused)
