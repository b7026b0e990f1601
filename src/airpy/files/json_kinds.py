"""What kinds of values a column of JSON holds, and the type that takes them all without loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Any

import polars as pl

from airpy.errors import CapExceeded
from airpy.files.gates import MOST_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_DEEP", "Kind", "TooDeep"]

MOST_DEEP = 64
"""Objects and lists within one another, that of the row counted."""
NUMBERS: tuple[tuple[set[type], int, pl.DataType], ...] = (
    ({bool}, 1, pl.Boolean()),
    ({int}, 2**63, pl.Int64()),
    ({int}, 10**38, pl.Int128()),
    ({float}, 1, pl.Float64()),
    ({int, float}, 2**53 + 1, pl.Float64()),
)
"""Kinds, the least integer that is too large, and the type that they have else."""

WORDS = {
    bool: "true or false",
    int: "integers",
    float: "floats",
    str: "strings",
    list: "lists",
    dict: "objects",
}


class TooDeep(Exception):
    """Values are nested deeper than is read."""


@dataclass(slots=True)
class Kind:
    """What was seen of a column's values; null is of no kind."""

    kinds: set[type] = field(default_factory=set)
    low: int = 0
    high: int = 0
    """The least and the largest integer, and zero."""
    items: Kind | None = None
    """What its lists hold."""
    members: dict[str, Kind] = field(default_factory=dict)
    """What its objects hold, in the order of their first sight."""

    def see(self, values: Sequence[Any], depth: int = 1) -> int:
        """Take note of values, column by column; returns how many keys they have.

        Raises:
            TooDeep: They are nested too deep.
            CapExceeded: Their keys are too many to be columns.
        """
        keys = 0
        kinds = set(map(type, values))
        kinds.discard(NoneType)
        self.kinds |= kinds
        if int in kinds:
            whole = values if len(kinds) == 1 else [each for each in values if type(each) is int]
            if len(kinds) == 1 and None in values:
                whole = [each for each in values if each is not None]
            self.low, self.high = min(self.low, *whole), max(self.high, *whole)
        if dict in kinds or list in kinds:
            if depth > MOST_DEEP:
                raise TooDeep
            if list in kinds:
                self.items = self.items or Kind()
                lists = (each for each in values if type(each) is list)
                keys += self.items.see(list(chain.from_iterable(lists)), depth + 1)
            if dict in kinds:
                keys += self._see_objects([each for each in values if type(each) is dict], depth)
        return keys

    def _see_objects(self, rows: Sequence[dict[str, Any]], depth: int) -> int:
        keys = 0
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {names: [] for names in set(map(tuple, rows))}
        if len(alike) == 1:
            alike = {names: list(rows) for names in alike}
        else:
            # In the order of their first sight, so that columns are.
            alike = {}
            for row in rows:
                alike.setdefault(tuple(row), []).append(row)
        for names, group in alike.items():
            keys += len(names) * len(group)
            for name, column in zip(names, zip(*map(dict.values, group), strict=True), strict=True):
                member = self.members.get(name)
                if member is None:
                    member = self.members[name] = Kind()
                    if len(self.members) > MOST_COLUMNS:
                        raise CapExceeded(
                            f"the objects have more than {MOST_COLUMNS:,} different keys",
                            reason="TOO_LARGE",
                            constraint=f"at most {MOST_COLUMNS:,} columns",
                        )
                keys += member.see(column, depth + 1)
        return keys

    def merge(self, other: Kind) -> None:
        """Take note of what was seen elsewhere."""
        self.kinds |= other.kinds
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        if other.items is not None:
            self.items = self.items or Kind()
            self.items.merge(other.items)
        for name, member in other.members.items():
            self.members.setdefault(name, Kind()).merge(member)

    @property
    def dtype(self) -> pl.DataType:
        """The type that takes all values without loss: text where nothing else does."""
        if not self.kinds:
            return pl.Null()
        if self.kinds == {list} and self.items is not None:
            return pl.List(self.items.dtype)
        if self.kinds == {dict}:
            return pl.Struct(self.types)
        return next(
            (dtype for kinds, most, dtype in NUMBERS if self.kinds == kinds and self._within(most)),
            pl.String(),
        )

    def _within(self, most: int) -> bool:
        return max(-self.low - (most == 2**63), self.high) < most

    @property
    def types(self) -> dict[str, pl.DataType]:
        """The types of its members."""
        return {name: member.dtype for name, member in self.members.items()}

    @property
    def mixed(self) -> bool:
        """Whether it is text for want of another type, and what is no string stands as its JSON."""
        return self.kinds != {str} and bool(self.kinds) and self.dtype == pl.String()

    @property
    def words(self) -> list[str]:
        """What it holds, in words."""
        return sorted(WORDS[kind] for kind in self.kinds)

    @property
    def width(self) -> int:
        """How many columns it takes, members of nested objects counted."""
        nested = sum(member.width for member in self.members.values())
        return max(1, nested) + (self.items.width if self.items else 0)
