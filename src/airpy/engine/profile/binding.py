"""Binds a rule to a frame: the columns that it names are there, and its values are of their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw
import polars as pl

from airpy.engine.columns import Columns, opened, outer, type_word
from airpy.engine.filters import condition, related
from airpy.engine.literals import literal
from airpy.errors import TypeMismatch, shortened

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from narwhals.dtypes import DType

    from airpy.contract import Filter, Scalar
    from airpy.engine.columns import Frame
    from airpy.engine.families import Family

__all__ = ["TIMES", "Bound"]

TIMES: Family = (nw.Date, nw.Datetime)


class Bound(NamedTuple):
    """What a rule is bound to: the rows, the zone of times without offset, and its place in the request."""

    rows: Frame
    columns: Columns
    nulls: frozenset[str]
    """Columns that can hold nothing but nulls, whatever a rule asks of their type."""
    timezone: ZoneInfo
    field: str = ""

    @classmethod
    def to(cls, frame: pl.LazyFrame, timezone: ZoneInfo) -> Bound:
        """What the rules of a frame have in common."""
        rows = opened(frame)
        schema = rows.to_native().collect_schema()
        nulls = frozenset(outer(name) for name, dtype in schema.items() if isinstance(dtype, pl.Null))
        return cls(rows, Columns(rows), nulls, timezone)

    def column(self, name: str, member: str = "col") -> None:
        """Nothing, when there is such a column.

        Raises:
            UnknownColumn: There is none.
        """
        self.columns.name(name, f"{self.field}.{member}")

    def typed(self, name: str, family: Family, kind: str, rule: str, member: str = "col") -> None:
        """Nothing, when there is such a column of one of these types.

        Raises:
            UnknownColumn: There is no such column.
            TypeMismatch: It is of another type.
        """
        self.column(name, member)
        dtype = self.columns.dtype(name)
        if family and name not in self.nulls and not isinstance(dtype, family):
            raise TypeMismatch(
                f'"{rule}" needs a column of {kind}; "{shortened(name)}" is of type {type_word(dtype)}',
                field=f"{self.field}.{member}",
                constraint=f"a column of {kind}",
                suggestion=[one for one in self.columns if isinstance(self.columns.dtype(one), family)][:3],
            )

    def value(self, value: Scalar, name: str, member: str) -> Any:  # noqa: ANN401  a value of the column's type
        """The value as one of the column's; null where the column has none.

        Raises:
            TypeMismatch: It cannot be cast to the column's type without loss.
        """
        if name in self.nulls:
            return None
        dtype: DType = self.columns.dtype(name)
        return literal(value, dtype, timezone=self.timezone, column=name, field=f"{self.field}.{member}")

    def tested(self, item: Filter, member: str) -> Filter:
        """The filter, which fits the rows.

        Raises:
            UnknownColumn: It names a column that is not there.
            TypeMismatch: It asks of a column what its type cannot do.
        """
        place = f"{self.field}.{member}"
        condition(Columns(related(self.rows, [(item, place)], self.timezone)), item, self.timezone, place)
        return item
