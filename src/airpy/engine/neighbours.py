"""Relations of rows to others, as columns: a table from word to native Polars.

Each holds the columns that it names in memory, of all rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import polars as pl

from airpy.engine.buckets import TICKS, wall_clock
from airpy.engine.columns import Columns, type_word
from airpy.engine.date_parts import MOMENTS
from airpy.engine.families import ORDERED
from airpy.engine.units import DAY_S, UNITS, read_grain
from airpy.errors import InvalidPlan, TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from airpy.contract import Filter, RowRelation, RowsFilter
    from airpy.engine.columns import Frame
    from airpy.engine.families import Family

__all__ = ["check_relation", "mark_name", "relation", "relation_name"]


class Among(NamedTuple):
    """Which columns a relation is about, by their inner names, and how far apart is no gap."""

    cols: list[str]
    by: list[str]
    dtype: pl.DataType
    """Of the first of the columns."""
    width: dict[str, int]
    """Seconds, days or months."""
    zone: ZoneInfo
    mark: str | None
    """The column that is true of the rows that are compared; all of them are, where there is none."""

    @property
    def same(self) -> pl.Expr:
        """What is equal in rows that are."""
        marks = [] if self.mark is None else [self.mark]
        first, *more = dict.fromkeys([*marks, *self.by, *self.cols])
        return pl.struct(first, *more) if more else pl.col(first)

    @property
    def column(self) -> pl.Expr:
        """The one column, in a type that is ordered as it reads; null where rows are not compared."""
        column = pl.col(self.cols[0])
        column = column.cast(pl.String) if isinstance(self.dtype, pl.Categorical) else column
        return column if self.mark is None else pl.when(self.mark).then(column)

    def within(self, expr: pl.Expr) -> pl.Expr:
        """The expression over the rows of equal `by`, in the order of the rows."""
        return expr.over(self.by) if self.by else expr


class Relation(NamedTuple):
    """What a relation is of, and how it is computed."""

    apply: Callable[[Among], pl.Expr]
    takes: Family | None = None
    """The types of its one column; it may be about several of any type when None."""
    kind: str = ""
    """What such a column is in messages."""
    in_time: bool = False
    """Whether it takes, and needs, `every`."""


def check_relation(rows: RowsFilter, field: str) -> None:
    """Refuse a relation that no data could have.

    Raises:
        InvalidPlan: It is about several columns where one is wanted, or `every` is missing or not taken.
    """
    wanted = RELATIONS[rows.are]
    if wanted.takes is not None and len(rows.cols) > 1:
        several = [word for word, other in RELATIONS.items() if other.takes is None]
        raise InvalidPlan(
            f'rows are "{rows.are}" by one column, not by {len(rows.cols)}',
            field=f"{field}.cols",
            constraint=f"one column; several only with one of: {listed(several)}",
        )
    if (rows.every is not None) != wanted.in_time:
        of_time = [word for word, other in RELATIONS.items() if other.in_time]
        raise InvalidPlan(
            f'"{rows.are}" needs `every`, the greatest distance that is no gap'
            if wanted.in_time
            else f'"{rows.are}" takes no `every`',
            field=f"{field}.every",
            constraint=f"required with {listed(of_time)}, and only there",
        )
    if rows.every is not None:
        read_grain(rows.every, f"{field}.every")


def relation_name(item: Filter) -> str:
    """The column that `relation` is computed as; none of the caller's has this name."""
    return f"\0rows {item.model_dump_json(exclude_none=True)}"


def mark_name(item: Filter) -> str | None:
    """The column that tells which rows `relation` compares, true or false; nothing, when it compares all."""
    return f"\0among {[each.model_dump_json() for each in item.among]}" if item.among else None


def relation(frame: Frame, rows: RowsFilter, mark: str | None, timezone: ZoneInfo, field: str) -> pl.Expr:
    """Whether each row of the frame stands so among those that are compared: true or false, never null.

    Args:
        frame: The rows, in their order.
        rows: The relation; `check_relation` has passed it.
        mark: The column that tells which rows are compared; all are, when there is none.
        timezone: Where days and longer are counted; a timestamp column without a zone is in UTC.
        field: Where the relation stands in the plan.

    Raises:
        UnknownColumn: It names a column that is not there.
        TypeMismatch: It is not of a column of this type.
    """
    columns, wanted = Columns(frame), RELATIONS[rows.are]
    cols = columns.names(rows.cols, f"{field}.cols")
    by = columns.names(rows.by or [], f"{field}.by")
    if wanted.takes is not None and not isinstance(columns.dtype(rows.cols[0]), wanted.takes):
        raise _misfit(columns, rows.cols[0], wanted, rows.are, f"{field}.cols[0]")
    width: dict[str, int] = {}
    if rows.every is not None:
        grain = read_grain(rows.every, f"{field}.every")
        width = {kind: number * grain.number for kind, number in UNITS[grain.unit].items()}
        if "seconds" in width and isinstance(columns.dtype(rows.cols[0]), nw.Date):
            raise TypeMismatch(
                f'column "{shortened(rows.cols[0])}" holds dates, which have no {grain.unit}',
                field=f"{field}.every",
                constraint="1 day or wider",
                suggestion=["1 day"],
            )
    dtype = frame.to_native().collect_schema()[cols[0]]
    found = wanted.apply(Among(cols, by, dtype, width, timezone, mark))
    return found if mark is None else found & pl.col(mark)


def _misfit(columns: Columns, name: str, wanted: Relation, word: RowRelation, field: str) -> TypeMismatch:
    fitting = [other for other in columns if isinstance(columns.dtype(other), wanted.takes or ())]
    return TypeMismatch(
        f'rows cannot be "{word}" by column "{shortened(name)}" of type {type_word(columns.dtype(name))}',
        field=field,
        constraint=f"a column of {wanted.kind}",
        suggestion=fitting[:3],
    )


def _repeated(among: Among) -> pl.Expr:
    return ~among.same.is_first_distinct()


def _shared(among: Among) -> pl.Expr:
    return among.same.is_duplicated()


def _compared(compare: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Callable[[Among], pl.Expr]:
    """The comparison of each value with the last one before it that is there."""

    def compared(among: Among) -> pl.Expr:
        before = among.within(among.column.forward_fill().shift(1))
        return compare(among.column, before).fill_null(value=False)

    return compared


def _after_gap(among: Among) -> pl.Expr:
    """Of times that are equal, the first row's is compared with the time before, the others with that."""
    time = among.column
    before = time.shift(1).over(among.by or None, order_by=time)
    return _is_further(time, before, among).fill_null(value=False)


def _is_further(time: pl.Expr, before: pl.Expr, among: Among) -> pl.Expr:
    """Whether a time is more than the width after another; days and longer are those of the zone's clock."""
    dtype, width = among.dtype, among.width
    ticks = TICKS[dtype.time_unit] if isinstance(dtype, pl.Datetime) else 1
    day = ticks * DAY_S if isinstance(dtype, pl.Datetime) else 1
    now, then = (
        wall_clock(one, among.zone, ticks) if ticks > 1 and "seconds" not in width else one.to_physical()
        for one in (time, before)
    )
    if "months" not in width:
        apart = now.cast(pl.Int128) - then.cast(pl.Int128)
        return apart > width.get("seconds", 0) * ticks + width.get("days", 0) * day
    # Of a day that no calendar shows, a month later is not known.
    date, since = ((one // day).cast(pl.Int32, strict=False).cast(pl.Date) for one in (now, then))
    until = since.dt.offset_by(f"{width['months']}mo")
    return (date > until) | ((date == until) & (now % day > then % day))


RELATIONS: dict[RowRelation, Relation] = {
    "repeated": Relation(_repeated),
    "shared": Relation(_shared),
    "falling": Relation(_compared(lambda now, before: now < before), ORDERED, "values that have an order"),
    "level": Relation(_compared(lambda now, before: now == before), ORDERED, "values that have an order"),
    "rising": Relation(_compared(lambda now, before: now > before), ORDERED, "values that have an order"),
    "after_gap": Relation(_after_gap, MOMENTS, "dates or timestamps", in_time=True),
}
