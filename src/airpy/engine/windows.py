"""Window functions: what each takes, and columns of each row and its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import polars as pl

from airpy.engine.columns import Columns, inner, type_word
from airpy.engine.date_parts import MOMENTS
from airpy.engine.families import NUMBERS, Family
from airpy.engine.native_windows import Call, Over, Rows, Times, ordered_times, window
from airpy.engine.pieces import with_column
from airpy.engine.units import quantity
from airpy.errors import InvalidPlan, TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from narwhals.dtypes import DType

    from airpy.contract import Window, WindowFrame, WindowFunction
    from airpy.engine.columns import Frame

__all__ = ["SIGNATURES", "check_windows", "windowed"]

TAKES: dict[str, Family] = {
    "numbers": NUMBERS,
    "numbers, dates or timestamps": (*NUMBERS, *MOMENTS),
    "numbers, dates or times": (*NUMBERS, *MOMENTS, nw.Time, nw.Duration),
    "anything": (nw.dtypes.DType,),
}
"""What a function may be of, by its name in messages."""
LETTERS = {"second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w"}
OF_CLOCKS = ("second", "minute", "hour")


class Signature(NamedTuple):
    """What a function is of, when it is of a column, and which arguments it takes and which it needs."""

    takes: str | None = None
    arguments: tuple[str, ...] = ("order_by",)
    needs: tuple[str, ...] = ()

    @property
    def named(self) -> set[str]:
        """The arguments that may be given, the column among them."""
        return {*self.arguments, *(["col"] if self.takes else [])}


SIGNATURES: dict[WindowFunction, Signature] = {
    "row_number": Signature(),
    "rank": Signature(needs=("order_by",)),
    "dense_rank": Signature(needs=("order_by",)),
    "ntile": Signature(arguments=("order_by", "n"), needs=("n",)),
    "lag": Signature("anything", ("order_by", "n"), ("col",)),
    "lead": Signature("anything", ("order_by", "n"), ("col",)),
    "cum_sum": Signature("numbers", needs=("col",)),
    "cum_max": Signature("numbers, dates or times", needs=("col",)),
    "cum_min": Signature("numbers, dates or times", needs=("col",)),
    "cum_count": Signature("anything"),
    "rolling_mean": Signature("numbers", ("order_by", "frame"), ("col", "frame")),
    "rolling_sum": Signature("numbers", ("order_by", "frame"), ("col", "frame")),
    "rolling_min": Signature("numbers", ("order_by", "frame"), ("col", "frame")),
    "rolling_max": Signature("numbers", ("order_by", "frame"), ("col", "frame")),
    "diff": Signature("numbers, dates or timestamps", ("order_by", "n"), ("col",)),
    "pct_change": Signature("numbers", ("order_by", "n"), ("col",)),
    "share_of_total": Signature("numbers", (), ("col",)),
}
ARGUMENTS = ("col", "order_by", "n", "frame")


def check_windows(items: Sequence[Window], taken: Sequence[str], field: str) -> None:
    """Refuse windows that cannot be computed, whatever the data; `taken` are the names of other columns.

    Raises:
        InvalidPlan: An argument is missing or not taken, a frame is wrong, or a name is there already.
    """
    names = set(taken)
    for index, item in enumerate(items):
        place, signature = f"{field}[{index}]", SIGNATURES[item.fn]
        if item.as_ in names:
            raise _name_taken(item.as_, f"{place}.as")
        names.add(item.as_)
        for name in ARGUMENTS:
            given = getattr(item, name) is not None
            if given and name not in signature.named:
                takers = [fn for fn, other in SIGNATURES.items() if name in other.named]
                raise InvalidPlan(
                    f'"{item.fn}" takes no `{name}`',
                    field=f"{place}.{name}",
                    constraint=f"only with one of: {listed(takers)}",
                    suggestion=takers,
                )
            if name in signature.needs and not given:
                raise InvalidPlan(
                    f'"{item.fn}" needs `{name}`',
                    field=f"{place}.{name}",
                    constraint=f"`{name}` with {item.fn}",
                )
        if item.frame is not None:
            _check_frame(item, item.frame, f"{place}.frame")


def windowed(
    frame: Frame, items: Sequence[Window], timezone: ZoneInfo, ties: Sequence[str] | None = None
) -> Frame:
    """The frame with every column, in order; its rows stay where they are.

    Args:
        frame: Rows, or groups.
        items: The columns; `check_windows` has passed them.
        timezone: Where a range of days is counted.
        ties: Inner names of the group keys, by which groups are ordered after `order_by`; rows come in an
            order of their own.

    Raises:
        UnknownColumn: A window names a column that is not there.
        TypeMismatch: A function does not take a column's type.
        InvalidPlan: A column is there already.
    """
    for index, item in enumerate(items):
        field, columns = f"plan.window[{index}]", Columns(frame)
        if item.as_ in columns:
            raise _name_taken(item.as_, f"{field}.as")
        call = _call(columns, item, timezone, ties or (), field)
        frame = with_column(frame, inner(item.as_), window(item.fn, call))
    return frame


def _call(columns: Columns, item: Window, timezone: ZoneInfo, ties: Sequence[str], field: str) -> Call:
    order = item.order_by or []
    names = [columns.name(one.col, f"{field}.order_by[{n}].col") for n, one in enumerate(order)]
    rest = [] if item.fn == "share_of_total" else [name for name in ties if name not in names]
    column: pl.Expr = pl.lit(None)
    dtype: DType = nw.Unknown()
    if item.col is not None:
        column, dtype = pl.col(columns.name(item.col, f"{field}.col")), columns.dtype(item.col)
        _check_type(item.fn, item.col, dtype, f"{field}.fn")
    return Call(
        column=column,
        dtype=dtype,
        has_column=item.col is not None,
        n=item.n or 1,
        rolling=_rolling(columns, item, item.frame, timezone, field) if item.frame is not None else Rows(),
        peers=names,
        over=Over(
            columns.names(item.partition_by or [], f"{field}.partition_by"),
            [*names, *rest],
            [one.dir == "desc" for one in order] + [False] * len(rest),
            [one.nulls == "last" for one in order] + [True] * len(rest),
        ),
    )


def _rolling(
    columns: Columns, item: Window, frame: WindowFrame, timezone: ZoneInfo, field: str
) -> Rows | Times:
    if frame.range is None:
        return Rows(frame.rows or 1, frame.min_rows)
    number, unit = quantity(frame.range)
    by = (item.order_by or [])[0].col
    dtype = columns.dtype(by)
    if not isinstance(dtype, MOMENTS):
        raise TypeMismatch(
            f'a range of time needs a column of times; "{shortened(by)}" is of type {type_word(dtype)}',
            field=f"{field}.order_by[0].col",
            constraint="a column of dates or timestamps",
            suggestion=[name for name in columns if isinstance(columns.dtype(name), MOMENTS)],
        )
    if isinstance(dtype, nw.Date) and unit in OF_CLOCKS:
        raise TypeMismatch(
            f'column "{shortened(by)}" holds dates, which have no {unit}',
            field=f"{field}.frame.range",
            constraint="days or weeks",
            suggestion=["1 day"],
        )
    times = ordered_times(inner(by), dtype, timezone.key)
    return Times(times, f"{number}{LETTERS[unit]}", frame.min_rows)


def _check_frame(item: Window, frame: WindowFrame, field: str) -> None:
    if (frame.rows is None) == (frame.range is None):
        raise InvalidPlan(
            "a frame is so many `rows`, or a `range` of time",
            field=field,
            constraint="exactly one of: rows, range",
        )
    if frame.rows is not None and frame.min_rows > frame.rows:
        raise InvalidPlan(
            f"a frame of {frame.rows} rows never holds {frame.min_rows}",
            field=f"{field}.min_rows",
            constraint=f"at most {frame.rows}",
            suggestion=[str(frame.rows)],
        )
    if frame.range is None:
        return
    if item.order_by is None or len(item.order_by) != 1 or item.order_by[0].dir != "asc":
        raise InvalidPlan(
            "a range of time is over one column of times, in ascending order",
            field=f"{field.removesuffix('.frame')}.order_by",
            constraint="one column, ascending",
        )


def _check_type(fn: WindowFunction, name: str, dtype: DType, field: str) -> None:
    takes = SIGNATURES[fn].takes or "anything"
    if isinstance(dtype, TAKES[takes]):
        return
    allowed = [
        other for other, one in SIGNATURES.items() if one.takes is None or isinstance(dtype, TAKES[one.takes])
    ]
    raise TypeMismatch(
        f'"{fn}" cannot be computed of column "{shortened(name)}" of type {type_word(dtype)}; '
        f"allowed: {listed(allowed)}",
        field=field,
        constraint=f"a column of {takes}",
        suggestion=allowed,
    )


def _name_taken(name: str, field: str) -> InvalidPlan:
    return InvalidPlan(
        f'there is a column "{shortened(name)}" already', field=field, constraint="a name that no column has"
    )
