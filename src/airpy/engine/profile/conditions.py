"""Filters of a plan that are not the caller's: comparisons, opposites, relations of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.contract import Filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import FilterOperator, RowRelation

__all__ = ["among", "any_of", "in_one_list", "leaf", "length_pattern", "opposite", "present"]

MOST_FILTERS = 1000
"""In one list, by the contract."""


def leaf(col: str, op: FilterOperator, *val: object) -> Filter:
    """The comparison of a column."""
    return Filter.model_validate({"col": col, "op": op} | ({"val": val[0]} if val else {}))


def present(*names: str) -> list[Filter]:
    """The rows in which none of these columns is null."""
    return [leaf(name, "not_null") for name in names]


def any_of(items: list[Filter]) -> list[Filter]:
    """The rows that one of the filters keeps."""
    return items if len(items) == 1 else [Filter(any=items)]


def opposite(item: Filter) -> Filter:
    """The rows in which the filter is false."""
    return Filter.model_validate({"not": item})


def among(
    those: Sequence[Filter] | None,
    are: RowRelation,
    cols: list[str],
    by: list[str] | None = None,
    **more: str,
) -> Filter:
    """The rows that stand so among those that pass the filters, or among all."""
    told = {"are": are, "cols": cols} | ({"by": by} if by else {}) | more
    return Filter.model_validate({"rows": told} | ({"among": those} if those else {}))


def in_one_list(filters: list[Filter]) -> list[Filter]:
    """The filters in no more than a list of them may have."""
    if len(filters) <= MOST_FILTERS:
        return filters
    return [Filter(all=filters[at : at + MOST_FILTERS]) for at in range(0, len(filters), MOST_FILTERS)]


def length_pattern(low: int | None, high: int | None) -> str:
    """The regular expression of texts with so many characters."""
    return f"(?s)^.{{{low or 0},{'' if high is None else high}}}$"
