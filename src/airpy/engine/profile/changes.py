"""What has changed in a frame's columns and keys, and whether that breaks who relies on them."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.contract import ColumnChange, KeyChange
from airpy.engine.schema import describe_field
from airpy.engine.widening import wider

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airpy.contract import FieldModel
    from airpy.engine.profile.frequent import Frequent
    from airpy.engine.profile.ranks import Ranks

__all__ = ["ColumnSide", "Side", "key_changes", "schema_changes"]

LONG_INTEGERS = (pl.Int64, pl.UInt64, pl.Int128, pl.UInt128)
"""Those of more bits than any float is exact to."""


class ColumnSide(NamedTuple):
    """What is compared of a column."""

    name: str
    dtype: pl.DataType
    count: int  # type: ignore[assignment]
    """Values that are not null; NaN is one."""
    missing: int
    ranks: Ranks | None
    """Of numbers, without NaN; of dates and timestamps, in the ticks of their type."""
    frequent: Frequent | None


class Side(NamedTuple):
    """What is compared of a frame."""

    rows: int
    columns: Sequence[ColumnSide]
    keys: Sequence[Sequence[str]]
    """Its candidate keys: single columns, or pairs where no column alone is one."""


def schema_changes(before: Side, after: Side) -> list[ColumnChange]:
    """What has changed of the columns, in the order of the baseline's; those that are new come last.

    That a column was added, that its nulls are gone, or that its type is one that holds all former values,
    breaks nothing. A column has moved when the others of both frames would be in the same order without it.
    """
    old, new = ({column.name: column for column in side.columns} for side in (before, after))
    common = [name for name in old if name in new]
    moved = _moved(common, list(new))
    changes: list[ColumnChange] = []
    for name, column in old.items():
        if name not in new:
            gone = _shown(_field(column))
            changes.append(_change("column_removed", name, (gone, None), "it is gone", breaking=True))
            continue
        changes += _type_change(column, new[name])
        changes += _nulls_change(column, new[name], before.rows, after.rows)
        if name in moved:
            places = [list(side).index(name) + 1 for side in (old, new)]
            changes.append(
                _change(
                    "moved",
                    name,
                    (str(places[0]), str(places[1])),
                    f"it was column {places[0]} and is column {places[1]}, past others of both",
                    breaking=True,
                )
            )
    changes += [
        _change("column_added", name, (None, _shown(_field(column))), "it is new", breaking=False)
        for name, column in new.items()
        if name not in old
    ]
    return changes


def key_changes(before: Side, after: Side) -> list[KeyChange]:
    """Candidate keys of the one that are none of the other, those first that are gone.

    What has a key among its columns is one too. Pairs are not looked for where a column alone is a key, so
    that none is missed there; and a frame without rows says nothing of keys.
    """
    if not before.rows or not after.rows:
        return []
    there = {column.name for column in after.columns}
    gone = [
        KeyChange(columns=list(key), before=True, after=False, breaking=set(key) <= there)
        for key in _lacking(before.keys, after.keys)
    ]
    new = [
        KeyChange(columns=list(key), before=False, after=True, breaking=False)
        for key in _lacking(after.keys, before.keys)
    ]
    return [*gone, *new]


def _lacking(keys: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The keys that are none of the others, as far as is known."""
    known = [set(other) for other in others]
    shortest = min(map(len, known), default=None)
    for key in keys:
        is_key = any(other <= set(key) for other in known)
        if not is_key and (shortest is None or len(key) <= shortest):
            yield key


def _type_change(before: ColumnSide, after: ColumnSide) -> Iterator[ColumnChange]:
    old, new = _field(before), _field(after)
    if old == new:
        return
    holds = wider(after.dtype, before.dtype) == after.dtype
    holds &= not (isinstance(before.dtype, LONG_INTEGERS) and after.dtype.is_float())
    yield _change(
        "type_changed",
        before.name,
        (_shown(old), _shown(new)),
        "its type holds all former values" if holds else "its type does not hold all former values",
        breaking=not holds,
    )


def _nulls_change(
    before: ColumnSide, after: ColumnSide, rows: int, rows_after: int
) -> Iterator[ColumnChange]:
    if not rows or not rows_after or bool(before.missing) == bool(after.missing):
        return
    shares = f"{before.missing} of {rows} rows", f"{after.missing} of {rows_after} rows"
    if after.missing:
        yield _change("nulls_appeared", before.name, shares, "it had no nulls", breaking=True)
    else:
        yield _change("nulls_gone", before.name, shares, "it has no nulls any more", breaking=False)


def _change(
    kind: str, column: str, ends: tuple[str | None, str | None], detail: str, *, breaking: bool
) -> ColumnChange:
    change = ColumnChange.model_validate(
        {"kind": kind, "column": column, "breaking": breaking, "detail": detail}
    )
    if ends[0] is not None:
        change.before = ends[0]
    if ends[1] is not None:
        change.after = ends[1]
    return change


def _field(column: ColumnSide) -> FieldModel:
    """The type as every reader sees it, which knows neither units of time nor categoricals."""
    return describe_field("", column.dtype, nullable=True)


def _shown(field: FieldModel) -> str:
    """The type in a word, and what else there is to it."""
    inner: Iterable[object] = ()
    if field.precision is not None:
        inner = (field.precision, field.scale)
    elif field.timezone is not None:
        inner = (field.timezone,)
    elif field.items is not None:
        inner = (_shown(field.items),)
    elif field.fields is not None:
        inner = (f"{member.name}: {_shown(member)}" for member in field.fields)
    listed = ", ".join(map(str, inner))
    return f"{field.type}({listed})" if listed else field.type


def _moved(common: Sequence[str], order: Sequence[str]) -> set[str]:
    """The fewest columns without which the others are in the same order: all but a longest ascending run."""
    place = {name: index for index, name in enumerate(order)}
    ends: list[int] = []
    last: list[str] = []
    previous: dict[str, str | None] = {}
    for name in common:
        at = bisect_left(ends, place[name])
        ends[at:] = [place[name], *ends[at + 1 :]]
        last[at:] = [name, *last[at + 1 :]]
        previous[name] = last[at - 1] if at else None
    stay: set[str] = set()
    step = last[-1] if last else None
    while step is not None:
        stay.add(step)
        step = previous[step]
    return set(common) - stay
