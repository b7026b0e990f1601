"""Filters: the rows in which they are true.

As in SQL, a comparison with null is neither true nor false, and no more is its opposite.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import narwhals as nw

from airpy.contract import RelativeTime
from airpy.engine.columns import Columns, type_word
from airpy.engine.comparisons import Typed, compared
from airpy.engine.families import ORDERED, TEXT
from airpy.engine.filter_trees import leaves
from airpy.engine.literals import literal
from airpy.engine.neighbours import mark_name, relation, relation_name
from airpy.engine.operators import FILTERS, Between
from airpy.errors import TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from airpy.contract import Filter
    from airpy.engine.columns import Frame

__all__ = ["condition", "filtered", "related"]


def filtered(frame: Frame, filters: Sequence[Filter], timezone: ZoneInfo, field: str) -> Frame:
    """The rows in which every filter is true.

    Raises:
        UnknownColumn: A filter names a column that is not there.
        TypeMismatch: A value cannot be cast to its column's type, or the type has no such operator.
    """
    if not filters:
        return frame
    places = [(item, f"{field}[{index}]") for index, item in enumerate(filters)]
    among = related(frame, places, timezone)
    columns = Columns(among)
    conditions = [condition(columns, item, timezone, place) for item, place in places]
    kept = among.filter(nw.all_horizontal(*conditions, ignore_nulls=False))
    return kept if among is frame else kept.select(*frame.collect_schema().names())


def related(frame: Frame, filters: Iterable[tuple[Filter, str]], timezone: ZoneInfo) -> Frame:
    """The frame with a column of its own for each relation of rows in these filters, where `condition` looks.

    So each is over all rows of the frame, and no other condition can come before it.

    Args:
        frame: The rows, in their order.
        filters: Each with its place in the plan.
        timezone: Where days are counted.

    Raises:
        UnknownColumn: A relation names a column that is not there.
        TypeMismatch: A relation is not of columns of this type.
    """
    found = {
        relation_name(leaf): (leaf, place)
        for item, field in filters
        for leaf, place in leaves(item, field, within=False)
        if leaf.rows is not None
    }
    if not found:
        return frame
    frame = _marked(frame, found.values(), timezone)
    relations = [
        relation(frame, leaf.rows, mark_name(leaf), timezone, f"{place}.rows").alias(name)
        for name, (leaf, place) in found.items()
        if leaf.rows is not None
    ]
    return nw.from_native(frame.to_native().with_columns(*relations))


def condition(columns: Columns, item: Filter, timezone: ZoneInfo, field: str) -> nw.Expr:
    """Whether a row passes the filter, null where that is not known; of a frame with relations, `related`.

    Raises:
        UnknownColumn: A filter names a column that is not there.
        TypeMismatch: A value cannot be cast to its column's type, or the type has no such operator.
    """
    if item.not_ is not None:
        return ~condition(columns, item.not_, timezone, f"{field}.not")
    for name, join in (("all", nw.all_horizontal), ("any", nw.any_horizontal)):
        parts: list[Filter] | None = getattr(item, name)
        if parts is not None:
            conditions = [
                condition(columns, part, timezone, f"{field}.{name}[{index}]")
                for index, part in enumerate(parts)
            ]
            return join(*conditions, ignore_nulls=False)
    if item.rows is not None:
        return nw.col(relation_name(item))
    return _leaf(columns, item, timezone, field)


def _marked(frame: Frame, relations: Iterable[tuple[Filter, str]], timezone: ZoneInfo) -> Frame:
    """The frame with a column for each choice of rows that a relation is among: whether a row is of them."""
    chosen = {
        mark: [(item, f"{field}.among[{index}]") for index, item in enumerate(leaf.among or [])]
        for leaf, field in relations
        if (mark := mark_name(leaf)) is not None
    }
    if not chosen:
        return frame
    frame = related(frame, chain.from_iterable(chosen.values()), timezone)
    columns = Columns(frame)
    marks = []
    for mark, items in chosen.items():
        conditions = [condition(columns, item, timezone, place) for item, place in items]
        is_known = nw.all_horizontal(*conditions, ignore_nulls=False)
        marks.append(is_known.fill_null(value=False).alias(mark))
    return frame.with_columns(*marks)


def _leaf(columns: Columns, item: Filter, timezone: ZoneInfo, field: str) -> nw.Expr:
    name, word = item.col or "", item.op or "="
    operator = FILTERS[word]
    column = columns.column(name, f"{field}.col")
    dtype = columns.dtype(name)
    if item.col2 is not None:
        return _of_two_columns(columns, item, timezone, field)
    if operator.accepts and not isinstance(dtype, operator.accepts):
        allowed = [
            other for other, its in FILTERS.items() if not its.accepts or isinstance(dtype, its.accepts)
        ]
        needs = " needs a column of strings" if operator.accepts is TEXT else " is not there for its type"
        raise TypeMismatch(
            f'operator "{word}"{needs}; "{shortened(name)}" is of type {type_word(dtype)}',
            field=f"{field}.op",
            constraint=f"one of: {listed(allowed)}",
            suggestion=allowed,
        )
    if operator.accepts is TEXT:
        return operator.apply(column.cast(nw.String()), item.val)
    cast = partial(literal, dtype=dtype, timezone=timezone, column=name)
    values: Any = None
    if isinstance(item.val, list):
        values = [cast(value, field=f"{field}.val[{place}]") for place, value in enumerate(item.val)]
        if word == "between":
            values = Between(values[0], values[1], item.closed or "both")
    elif isinstance(item.val, RelativeTime):
        raise TypeError("relative times are made absolute before a plan is run")
    elif item.val is not None:
        values = cast(item.val, field=f"{field}.val")
    return operator.apply(column, values)


def _of_two_columns(columns: Columns, item: Filter, timezone: ZoneInfo, field: str) -> nw.Expr:
    name, other, word = item.col or "", item.col2 or "", item.op or "="
    left = Typed(columns.column(name, f"{field}.col"), columns.dtype(name))
    right = Typed(columns.column(other, f"{field}.col2"), columns.dtype(other))
    is_distinct = word == "is_distinct_from"
    found = compared("!=" if is_distinct else word, left, right, timezone)
    if found is None:
        alone = [] if isinstance(left.dtype, ORDERED) else ["is_null", "not_null"]
        raise TypeMismatch(
            f'column "{shortened(name)}" of type {type_word(left.dtype)} cannot be compared without loss '
            f'with "{shortened(other)}" of type {type_word(right.dtype)}',
            field=f"{field}.col2",
            constraint="types that hold the same values; cast one of them in `clean` or `derive`",
            suggestion=[
                near
                for near in columns
                if near != name
                and compared("=", left, Typed(nw.col(near), columns.dtype(near)), timezone) is not None
            ][:3]
            or alone,
        )
    return found.fill_null(left.column.is_null() != right.column.is_null()) if is_distinct else found
