"""Trees of filters without data: what they are made of and name, and what is refused of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from airpy.contract import Filter, RowsFilter
from airpy.engine.neighbours import check_relation
from airpy.engine.operators import FILTERS, OF_TWO_COLUMNS
from airpy.errors import InvalidPlan, UnknownColumn, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "MOST_DEEP",
    "MOST_LEAVES",
    "check_filter",
    "check_filters",
    "check_having",
    "check_size",
    "leaves",
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
    for leaf, place in leaves(item, field):
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


def tested_columns(filters: Sequence[Filter], field: str) -> Iterator[tuple[str, str]]:
    """The columns that filters name, each with the place where it does."""
    for index, item in enumerate(filters):
        for leaf, place in leaves(item, f"{field}[{index}]"):
            for name, column in (("col", leaf.col), ("col2", leaf.col2)):
                if column is not None:
                    yield column, f"{place}.{name}"
            for name in ("cols", "by") if leaf.rows is not None else ():
                for number, column in enumerate(getattr(leaf.rows, name) or []):
                    yield column, f"{place}.rows.{name}[{number}]"


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


def leaves(item: Filter, field: str, depth: int = 1, *, within: bool = True) -> Iterator[tuple[Filter, str]]:
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
        yield from leaves(part, place, depth + 1, within=within)


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


def _comparisons(part: object) -> int:
    if isinstance(part, list):
        return sum(map(_comparisons, part))
    if not isinstance(part, BaseModel):
        return 0
    own = isinstance(part, Filter) and (part.op is not None or part.rows is not None)
    return own + sum(_comparisons(value) for _, value in part if isinstance(value, (list, BaseModel)))
