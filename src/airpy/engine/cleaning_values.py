"""Cleaning steps about single values: fill_null, clip, replace, strip_accents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from airpy.engine.columns import Columns, inner, outer, type_word
from airpy.engine.families import NUMBERS, ORDERED, TEXT, Family
from airpy.engine.literals import literal, zone
from airpy.engine.native_values import filled_from_neighbours, replaced, without_accents
from airpy.errors import InvalidPlan, TypeMismatch, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from narwhals.dtypes import DType

    from airpy.contract import Clip, FillNull, ReplaceValues, Scalar, StripAccents
    from airpy.engine.columns import Frame

__all__ = ["chosen", "clip", "fill_null", "replace", "strip_accents"]

WANTED = {TEXT: "a column of strings", NUMBERS: "a column of numbers"}
"""What a step takes, where it does not take every column."""

FILLS: dict[str, Callable[[nw.Expr, DType], nw.Expr]] = {
    "mean": lambda column, _: column.fill_null(column.mean()),
    "median": lambda column, _: column.fill_null(column.median()),
    "zero": lambda column, dtype: column.fill_null(0).cast(dtype),
}


def fill_null(frame: Frame, step: FillNull, field: str) -> Frame:
    """With nulls replaced, by a value or by what the strategy gives."""
    match step.strategy:
        case None:
            return _filled(frame, step, field)
        case "forward" | "backward":
            return filled_from_neighbours(frame, chosen(frame, step.cols, (), field), step.strategy)
        case _:
            names = chosen(frame, step.cols, NUMBERS, field)
            fill, types = FILLS[step.strategy], frame.collect_schema()
            return frame.with_columns(fill(nw.col(name), types[name]) for name in names)


def clip(frame: Frame, step: Clip, field: str) -> Frame:
    """With the bounds in place of numbers beyond them; null and NaN stay, and so do types."""
    columns = Columns(frame)
    clipped = []
    for name in chosen(frame, step.cols, NUMBERS, field):
        bounds = [
            None if bound is None else _bound(bound, harmless, columns, outer(name), f"{field}.{key}")
            for key, bound, harmless in (("min", step.min, -1), ("max", step.max, 1))
        ]
        if any(bound is not None for bound in bounds):
            clipped.append(nw.col(name).clip(*bounds))
    return frame.with_columns(clipped)


def replace(frame: Frame, step: ReplaceValues, field: str) -> Frame:
    """With other values in place of some."""
    columns = Columns(frame)
    for name in chosen(frame, step.cols, ORDERED, field):
        column = outer(name)
        old = [_value(key, columns, column, f"{field}.map") for key in step.map]
        new = [_value(value, columns, column, f"{field}.map") for value in step.map.values()]
        if len(set(old)) < len(old):
            raise InvalidPlan(
                f'two of the values to replace are one in column "{shortened(column)}" of type '
                f"{type_word(columns.dtype(column))}",
                field=f"{field}.map",
                constraint="different values",
            )
        frame = replaced(frame, name, old, new)
    return frame


def strip_accents(frame: Frame, step: StripAccents, field: str) -> Frame:
    """With plain letters in place of those with accents."""
    return without_accents(frame, chosen(frame, step.cols, TEXT, field))


def chosen(frame: Frame, wanted: Sequence[str] | None, kinds: Family, field: str) -> list[str]:
    """Inner names of the wanted columns, or of every column of one of these kinds (none named: all).

    Raises:
        UnknownColumn: One of them is not there.
        TypeMismatch: One of them is of another kind.
    """
    columns = Columns(frame)
    if wanted is None:
        return [inner(name) for name in columns if not kinds or isinstance(columns.dtype(name), kinds)]
    for index, name in enumerate(wanted):
        columns.name(name, f"{field}.cols[{index}]")
        if kinds and not isinstance(columns.dtype(name), kinds):
            raise TypeMismatch(
                f'column "{shortened(name)}" of type {type_word(columns.dtype(name))} cannot be cleaned so',
                field=f"{field}.cols[{index}]",
                constraint=WANTED.get(kinds, "a column of single values"),
            )
    return [inner(name) for name in dict.fromkeys(wanted)]


def _filled(frame: Frame, step: FillNull, field: str) -> Frame:
    """With the value in place of nulls."""
    columns = Columns(frame)
    filled = []
    for index, column in enumerate(dict.fromkeys(step.cols if step.cols is not None else columns)):
        name = columns.name(column, f"{field}.cols[{index}]")
        try:
            value = _value(step.value if step.value is not None else "", columns, column, f"{field}.value")
        except TypeMismatch:
            # Named columns must take the value; of all columns, those that can do.
            if step.cols is not None:
                raise
        else:
            filled.append(nw.col(name).fill_null(value).cast(columns.dtype(column)))
    return frame.with_columns(filled)


def _value(value: Scalar, columns: Columns, column: str, field: str) -> Any:  # noqa: ANN401  a Python value of the column's type
    return literal(value, columns.dtype(column), timezone=zone(None), column=column, field=field)


def _bound(value: float, harmless: int, columns: Columns, column: str, field: str) -> nw.Expr | None:
    """The bound in the column's type, or nothing where the type holds no value beyond it."""
    dtype = columns.dtype(column)
    try:
        return nw.lit(_value(value, columns, column, field), dtype)
    except TypeMismatch:
        # A whole number is refused for its size alone.
        if value * harmless > 0 and value == int(value):
            return None
        raise
