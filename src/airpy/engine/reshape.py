"""Turns columns into rows, and lists into rows: unpivot, explode."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import narwhals as nw

from airpy.engine.columns import Columns, inner, outer, repeated, type_word
from airpy.engine.native_shapes import exploded_lists, melted
from airpy.engine.schema import type_name
from airpy.engine.widening import wider
from airpy.errors import InvalidPlan, TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from airpy.contract import Unpivot
    from airpy.engine.columns import Frame

__all__ = ["check_explode", "check_unpivot", "exploded", "unpivoted"]

LISTS = (nw.List, nw.Array)


def check_unpivot(unpivot: Unpivot, field: str) -> None:
    """Refuse an unpivot that would need two columns of one name, whatever the data.

    Raises:
        InvalidPlan: A column is named twice, or a new one has the name of another.
    """
    on, index = unpivot.on or [], unpivot.index or []
    for key, names in (("on", on), ("index", index), ("on", [*on, *index])):
        if twice := repeated(names):
            raise InvalidPlan(
                f"{listed(twice)} cannot stand twice in an unpivot",
                field=f"{field}.{key}",
                constraint="each column once, in `on` or in `index`",
            )
    if twice := repeated([*index, unpivot.names_to, unpivot.values_to]):
        raise InvalidPlan(
            f"the unpivot would make two columns called {listed(twice)}",
            field=f"{field}.names_to" if unpivot.names_to in twice else f"{field}.values_to",
            constraint="a name that no other column has",
        )


def unpivoted(frame: Frame, unpivot: Unpivot, field: str) -> Frame:
    """A row for each row and each of its columns of `on`; the column of values has the widest of their types.

    Raises:
        UnknownColumn: It names a column that is not there.
        TypeMismatch: No type holds all values without loss.
        InvalidPlan: There is no column to make rows of.
    """
    columns = Columns(frame)
    index = columns.names(unpivot.index or [], f"{field}.index")
    if unpivot.on is None:
        on = [inner(name) for name in columns if inner(name) not in index]
    else:
        on = columns.names(unpivot.on, f"{field}.on")
    if not on:
        raise InvalidPlan(
            "there is no column left to make rows of",
            field=f"{field}.index",
            constraint="some of the columns, not all",
        )
    return melted(
        frame,
        index,
        {name: outer(name) for name in on},
        inner(unpivot.names_to),
        inner(unpivot.values_to),
        _common(frame, on, index, unpivot, f"{field}.on"),
    )


def check_explode(names: Sequence[str], field: str) -> None:
    """Refuse a column that is to be exploded twice.

    Raises:
        InvalidPlan: It stands there twice.
    """
    if twice := repeated(names):
        raise InvalidPlan(
            f"{listed(twice)} cannot be exploded twice", field=field, constraint="different names"
        )


def exploded(frame: Frame, names: Sequence[str], field: str) -> Frame:
    """A row for each value of the lists; one with null for an empty list, and for null.

    Raises:
        UnknownColumn: There is no such column.
        TypeMismatch: A column holds no lists.
    """
    columns = Columns(frame)
    found = columns.names(names, field)
    lists = [name for name in columns if isinstance(columns.dtype(name), LISTS)]
    for place, name in enumerate(names):
        if name not in lists:
            raise TypeMismatch(
                f'"{shortened(name)}" of type {type_word(columns.dtype(name))} holds no lists to explode',
                field=f"{field}[{place}]",
                constraint=f"a column of lists: {listed(lists)}" if lists else "a column of lists",
                suggestion=lists[:3],
            )
    return exploded_lists(frame, found)


def _common(
    frame: Frame, on: Sequence[str], index: Sequence[str], unpivot: Unpivot, field: str
) -> pl.DataType:
    """The type that holds the values of all these columns."""
    types = frame.to_native().collect_schema()
    common, fit, misfits = types[on[0]], [on[0]], []
    for name in on[1:]:
        both = wider(common, types[name])
        if both is None:
            misfits.append(name)
        else:
            common = both
            fit.append(name)
    if misfits:
        told = [f"{shortened(outer(name))} ({type_name(types[name])})" for name in misfits]
        left = {"index": [*index, *misfits]} if unpivot.on is None else {"on": fit}
        raise TypeMismatch(
            f"no type holds the values of {listed(map(outer, fit))} ({type_name(common)}) and of "
            f"{listed(told)} without loss",
            field=field,
            constraint="columns of one kind; cast the others in `clean`, or leave them out",
            suggestion=[
                json.dumps({key: [*map(outer, names)] for key, names in left.items()}, ensure_ascii=False)
            ],
        )
    return common
