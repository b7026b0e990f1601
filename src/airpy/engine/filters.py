"""Filters: what is refused of them without data, and the rows in which they are true.

As in SQL, a comparison with null is neither true nor false, and no more is its opposite.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import narwhals as nw
from pydantic import BaseModel

from airpy.contract import Filter, RelativeTime, RowsFilter
from airpy.engine.columns import Columns, type_word
from airpy.engine.comparisons import Typed, compared
from airpy.engine.families import ORDERED, TEXT
from airpy.engine.literals import literal
from airpy.engine.neighbours import check_relation, mark_name, relation, relation_name
from airpy.engine.operators import FILTERS, OF_TWO_COLUMNS, Between
from airpy.errors import InvalidPlan, TypeMismatch, UnknownColumn, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from airpy.engine.columns import Frame

__all__ = [
    "MOST_DEEP",
    "MOST_LEAVES",
    "check_filter",
    "check_filters",
    "check_having",
    "check_size",
    "condition",
    "filtered",
    "related",
    "relations_in",
    "tested_columns",
]

MOST_DEEP = 32
MOST_LEAVES = 10_000
"""What the contract allows of a tree."""


def check_filters(filters: Sequence[Filter], field: str) -> None:
    """Refuse filters that no data could pass, or fail, for what they are.

    Raises:
        InvalidPlan: A value is missing, too many, a list where one value is wanted, or no pattern; a filter
            is none of a comparison, a relation and a tree, or several; or trees are too deep.
    """
    for index, item in enumerate(filters):
        check_filter(item, f"{field}[{index}]")


def check_filter(item: Filter, field: str) -> None:
    """Refuse one filter, as `check_filters` does."""
    for leaf, place in _leaves(item, field):
        if leaf.rows is not None:
            check_relation(leaf.rows, f"{place}.rows")
        else:
            _check_leaf(leaf, place)


def check_size(part: BaseModel, field: str) -> None:
    """Refuse a plan whose filters, wherever they stand, hold more comparisons than it may.

    Raises:
        InvalidPlan: They do.
    """
    number = _comparisons(part)
    if number > MOST_LEAVES:
        raise InvalidPlan(
            f"{number} comparisons are too many; `in` takes a list of values",
            field=field,
            constraint=f"at most {MOST_LEAVES} comparisons",
            suggestion=["in"],
        )


def tested_columns(filters: Sequence[Filter], field: str) -> Iterator[tuple[str, str]]:
    """The columns that filters name, each with the place where it does."""
    for index, item in enumerate(filters):
        for leaf, place in _leaves(item, f"{field}[{index}]"):
            for name, column in (("col", leaf.col), ("col2", leaf.col2)):
                if column is not None:
                    yield column, f"{place}.{name}"
            for name in ("cols", "by") if leaf.rows is not None else ():
                for number, column in enumerate(getattr(leaf.rows, name) or []):
                    yield column, f"{place}.rows.{name}[{number}]"


def check_having(filters: Sequence[Filter], names: Sequence[str], field: str) -> None:
    """Refuse filters of groups that are malformed, or name what is neither a key nor an aggregate.

    Raises:
        InvalidPlan: As `check_filters`.
        UnknownColumn: A column is none of `names`.
    """
    check_filters(filters, field)
    for name, place in tested_columns(filters, field):
        if name not in names:
            raise UnknownColumn.among(name, names, place)


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


def relations_in(part: object) -> Iterator[RowsFilter]:
    """How a part of a plan asks, however deep, that rows stand among others; nothing where it does not."""
    if isinstance(part, RowsFilter):
        yield part
    elif isinstance(part, (list, tuple)):
        for item in part:
            yield from relations_in(item)
    elif isinstance(part, BaseModel):
        for _, value in part:
            if isinstance(value, (list, BaseModel)):
                yield from relations_in(value)


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
        for leaf, place in _leaves(item, field, within=False)
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


def _comparisons(part: object) -> int:
    if isinstance(part, list):
        return sum(map(_comparisons, part))
    if not isinstance(part, BaseModel):
        return 0
    own = isinstance(part, Filter) and (part.op is not None or part.rows is not None)
    return own + sum(_comparisons(value) for _, value in part if isinstance(value, (list, BaseModel)))


def _leaves(item: Filter, field: str, depth: int = 1, *, within: bool = True) -> Iterator[tuple[Filter, str]]:
    """The comparisons and relations of a tree, each with its place; `within` relations too."""
    is_leaf = any(part is not None for part in (item.col, item.op, item.val, item.col2, item.closed))
    if is_leaf + sum(part is not None for part in (item.all, item.any, item.not_, item.rows)) != 1:
        raise InvalidPlan(
            "a filter is either a comparison of `col`, or one of `all`, `any`, `not` and `rows`",
            field=field,
            constraint="exactly one of: col with op, all, any, not, rows",
            suggestion=["all"] if is_leaf else [],
        )
    if item.among is not None and item.rows is None:
        raise InvalidPlan(
            "`among` says which rows are compared, and there is no `rows` that compares any",
            field=f"{field}.among",
            constraint="only together with rows",
        )
    if is_leaf or item.rows is not None:
        yield item, field
    parts = list(_parts(item, field, within=within))
    if parts and depth > MOST_DEEP:
        raise InvalidPlan(
            f"filters are nested more than {MOST_DEEP} deep",
            field=field,
            constraint=f"at most {MOST_DEEP} of all, any, not and among in one another",
        )
    for part, place in parts:
        yield from _leaves(part, place, depth + 1, within=within)


def _parts(item: Filter, field: str, *, within: bool) -> Iterator[tuple[Filter, str]]:
    """The filters that one is made of, each with its place; `within` a relation those that it is among."""
    if item.not_ is not None:
        yield item.not_, f"{field}.not"
    for name, parts in (("all", item.all), ("any", item.any), ("among", item.among if within else None)):
        for index, part in enumerate(parts or []):
            yield part, f"{field}.{name}[{index}]"


def _check_leaf(item: Filter, field: str) -> None:
    for name, given in (("col", item.col), ("op", item.op)):
        if given is None:
            raise InvalidPlan(
                f"a comparison needs `{name}`", field=f"{field}.{name}", constraint="both col and op"
            )
    word = item.op or "="
    if item.closed is not None and word != "between":
        raise InvalidPlan(
            f'operator "{word}" has no ends that could be closed',
            field=f"{field}.closed",
            constraint="only together with between",
        )
    if item.col2 is not None:
        if word not in OF_TWO_COLUMNS or item.val is not None:
            raise InvalidPlan(
                "a column is compared either with a value or with another column"
                if item.val is not None
                else f'operator "{word}" does not compare two columns',
                field=f"{field}.col2",
                constraint=f"one of: {listed(OF_TWO_COLUMNS)}, and no val",
                suggestion=() if word in OF_TWO_COLUMNS else OF_TWO_COLUMNS,
            )
        return
    operator = FILTERS[word]
    one = item.val is not None and not isinstance(item.val, list)
    fits = {
        "no value": item.val is None,
        "one value": one,
        "one value or none": one or item.val is None,
        "a string": isinstance(item.val, str),
        "two values": isinstance(item.val, list) and len(item.val) == 2,  # noqa: PLR2004
        "a list of values": isinstance(item.val, list),
    }
    if not fits[operator.takes]:
        raise InvalidPlan(
            f'operator "{word}" takes {operator.takes}, not {shortened(repr(item.val))}',
            field=f"{field}.val",
            constraint=operator.takes,
        )
    if operator.check is not None and isinstance(item.val, str):
        operator.check(item.val, f"{field}.val")
