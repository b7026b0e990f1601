"""Finds the columns that a plan names, exactly, and says which was meant when there is none.

Polars reads the names `*` and `^…$` as patterns wherever a column is named, so a plan could reach columns
that it does not name; Narwhals cannot group by the empty name. Inside the engine such a name wears a prefix;
`disguised` puts it on at the entrance and `revealed` takes it off at the exit.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import narwhals as nw

from airpy.errors import UnknownColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import polars as pl
    from narwhals.dtypes import DType

__all__ = ["Columns", "Frame", "disguised", "inner", "opened", "outer", "repeated", "revealed", "type_word"]

Frame = nw.LazyFrame["pl.LazyFrame"]

PREFIX = "\0"

ARROW_WORDS = {
    "Array": "list",
    "Boolean": "bool",
    "Categorical": "string",
    "Datetime": "timestamp",
    "Enum": "string",
}
"""What Narwhals calls otherwise than Arrow."""


def inner(name: str) -> str:
    """The column's name as the engine sees it."""
    is_special = name in {"", "*"} or (name.startswith("^") and name.endswith("$"))
    return PREFIX + name if is_special or name.startswith(PREFIX) else name


def outer(name: str) -> str:
    """The column's name as the caller sees it."""
    return name.removeprefix(PREFIX)


def disguised(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The frame with every column under its inner name."""
    return _renamed(frame, inner)


def opened(source: pl.LazyFrame) -> Frame:
    """The frame as the engine sees it: under inner names, and enums as the strings they are to every reader.

    An enum has an order of its own, and takes none but its own values.
    """
    frame: Frame = nw.from_native(disguised(source))
    enums = [name for name, dtype in frame.collect_schema().items() if isinstance(dtype, nw.Enum)]
    return frame.with_columns(nw.col(name).cast(nw.String()) for name in enums) if enums else frame


def revealed(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The frame with every column under the name the caller knows."""
    return _renamed(frame, outer)


class Columns:
    """The columns of a frame by the caller's names, with their types."""

    def __init__(self, frame: Frame) -> None:
        # A name that no column of the caller's can have is a stage's own.
        self._types = {
            outer(name): dtype for name, dtype in frame.collect_schema().items() if inner(outer(name)) == name
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __contains__(self, name: str) -> bool:
        return name in self._types

    def name(self, wanted: str, field: str) -> str:
        """The inner name of the column.

        Raises:
            UnknownColumn: There is none; the message offers the nearest.
        """
        if wanted not in self._types:
            raise UnknownColumn.among(wanted, self._types, field)
        return inner(wanted)

    def names(self, wanted: Iterable[str], field: str) -> list[str]:
        """The inner names of the columns; `field` is the list they stand in."""
        return [self.name(name, f"{field}[{index}]") for index, name in enumerate(wanted)]

    def column(self, wanted: str, field: str) -> nw.Expr:
        """The column as an expression."""
        return nw.col(self.name(wanted, field))

    def dtype(self, wanted: str) -> DType:
        """The type of a column that is known to be there."""
        return self._types[wanted]


def type_word(dtype: DType) -> str:
    """The type as messages call it, by Arrow's name."""
    name = type(dtype).__name__
    return ARROW_WORDS.get(name, name.lower())


def repeated(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _renamed(frame: pl.LazyFrame, rename: Callable[[str], str]) -> pl.LazyFrame:
    changed = {name: rename(name) for name in frame.collect_schema().names() if rename(name) != name}
    return frame.rename(changed) if changed else frame
