"""Cleaning operations, a table from name to function.

Each takes the frame and its step and gives the cleaned frame; without `cols` it does what it can to every
column.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import narwhals as nw

from airpy.engine.columns import Columns, Frame, inner, type_word
from airpy.engine.families import NUMBERS
from airpy.engine.literals import literal, zone
from airpy.engine.native import lossless_cast, stable_unique
from airpy.errors import InvalidPlan, TypeMismatch, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from narwhals.dtypes import DType

    from airpy.contract import (
        Cast,
        CastType,
        CleanStep,
        Dedupe,
        DropNulls,
        FillNull,
        NullMarkers,
        ParseDates,
        Trim,
    )

__all__ = ["CAST_TYPES", "CLEANERS", "check_cleaning", "cleaned"]

TEXT = (nw.String, nw.Categorical, nw.Enum)

# The letters of a `strftime` format that hold an hour or a minute; those in both hold a whole time.
TIME_LETTERS = {"hour": frozenset("HIklTRXrcs+"), "minute": frozenset("MTRXrcs+")}

FILLS: dict[str, Callable[[nw.Expr, DType], nw.Expr]] = {
    "mean": lambda column, _: column.fill_null(column.mean()),
    "median": lambda column, _: column.fill_null(column.median()),
    "zero": lambda column, dtype: column.fill_null(0).cast(dtype),
}

CAST_TYPES: dict[CastType, DType] = {
    "bool": nw.Boolean(),
    "int8": nw.Int8(),
    "int16": nw.Int16(),
    "int32": nw.Int32(),
    "int64": nw.Int64(),
    "uint8": nw.UInt8(),
    "uint16": nw.UInt16(),
    "uint32": nw.UInt32(),
    "uint64": nw.UInt64(),
    "float32": nw.Float32(),
    "float64": nw.Float64(),
    "string": nw.String(),
    "date": nw.Date(),
    "timestamp": nw.Datetime("us"),
}


def check_cleaning(steps: Sequence[CleanStep], field: str) -> None:
    """Refuse steps that contradict themselves, whatever the data; `field` is where they stand in the plan.

    Raises:
        InvalidPlan: A step lacks what it needs, or says what cannot be.
    """
    for index, step in enumerate(steps):
        if step.op == "fill_null" and (step.value is None) == (step.strategy is None):
            raise InvalidPlan(
                "fill_null takes either a value or a strategy",
                field=f"{field}[{index}]",
                constraint="exactly one of: value, strategy",
            )
        if step.op == "parse_dates" and time_fields(step.format) not in (set(), {"hour", "minute"}):
            raise InvalidPlan(
                "a time has hours and minutes, and a date has neither",
                field=f"{field}[{index}].format",
                constraint="both hours and minutes, or neither",
            )


def cleaned(frame: Frame, steps: Sequence[CleanStep], field: str) -> Frame:
    """The frame after every step, in order; `field` is where the steps stand in the plan."""
    for index, step in enumerate(steps):
        frame = CLEANERS[step.op](frame, step, f"{field}[{index}]")
    return frame


def trim(frame: Frame, step: Trim, field: str) -> Frame:
    """Without white space at both ends of strings."""
    names = _chosen(frame, step.cols, TEXT, field)
    return frame.with_columns(nw.col(name).cast(nw.String()).str.strip_chars() for name in names)


def null_markers(frame: Frame, step: NullMarkers, field: str) -> Frame:
    """With null for every string that is one of the markers; a column that is no text has none of them."""
    chosen, types = _chosen(frame, step.cols, (), field), frame.collect_schema()
    # What stands for null in a text file may have been known when its column became numbers.
    names = [name for name in chosen if isinstance(types[name], TEXT)]
    return frame.with_columns(
        nw.when(~nw.col(name).is_in(step.markers)).then(nw.col(name)).alias(name) for name in names
    )


def cast(frame: Frame, step: Cast, field: str) -> Frame:
    """With one column cast to another type; a string of digits becomes the number it spells."""
    columns = Columns(frame)
    name = columns.name(step.col, f"{field}.col")
    if isinstance(columns.dtype(step.col), TEXT):
        frame = frame.with_columns(nw.col(name).cast(nw.String()))
    return lossless_cast(frame, name, CAST_TYPES[step.type])


def parse_dates(frame: Frame, step: ParseDates, field: str) -> Frame:
    """With one column of strings read as dates, or as timestamps when the format has hours.

    A column of dates or timestamps has been read already.
    """
    columns = Columns(frame)
    name = columns.name(step.col, f"{field}.col")
    if isinstance(columns.dtype(step.col), (nw.Date, nw.Datetime)):
        return frame
    if not isinstance(columns.dtype(step.col), TEXT):
        raise TypeMismatch(
            f'parse_dates needs a column of strings; "{shortened(step.col)}" is of type '
            f"{type_word(columns.dtype(step.col))}",
            field=f"{field}.col",
            constraint="a column of strings",
        )
    text = nw.col(name).cast(nw.String()).str
    parsed = text.to_datetime(step.format) if time_fields(step.format) else text.to_date(step.format)
    return frame.with_columns(parsed.alias(name))


def time_fields(form: str) -> set[str]:
    """Which of hour and minute a `strftime` format has."""
    letters = set(re.findall(r"%[-_0]?(.)", form))
    return {field for field, those in TIME_LETTERS.items() if letters & those}


def fill_null(frame: Frame, step: FillNull, field: str) -> Frame:
    """With nulls replaced, by a value or by what the strategy gives."""
    columns = Columns(frame)
    if step.strategy is not None:
        names = _chosen(frame, step.cols, NUMBERS, field)
        fill, types = FILLS[step.strategy], frame.collect_schema()
        return frame.with_columns(fill(nw.col(name), types[name]) for name in names)
    filled = []
    for index, column in enumerate(dict.fromkeys(step.cols if step.cols is not None else columns)):
        name = columns.name(column, f"{field}.cols[{index}]")
        try:
            value: Any = literal(
                step.value if step.value is not None else "",
                columns.dtype(column),
                timezone=zone(None),
                column=column,
                field=f"{field}.value",
            )
        except TypeMismatch:
            # Named columns must take the value; of all columns, those that can do.
            if step.cols is not None:
                raise
        else:
            filled.append(nw.col(name).fill_null(value).cast(columns.dtype(column)))
    return frame.with_columns(filled)


def drop_nulls(frame: Frame, step: DropNulls, field: str) -> Frame:
    """Without the rows that have a null in any of the columns."""
    return frame.drop_nulls(_chosen(frame, step.cols, (), field))


def dedupe(frame: Frame, step: Dedupe, field: str) -> Frame:
    """Without the rows that repeat another in these columns."""
    subset = Columns(frame).names(step.cols, f"{field}.cols") if step.cols is not None else None
    return stable_unique(frame, subset, step.keep)


CLEANERS: dict[str, Callable[[Frame, Any, str], Frame]] = {
    "trim": trim,
    "null_markers": null_markers,
    "cast": cast,
    "parse_dates": parse_dates,
    "fill_null": fill_null,
    "drop_nulls": drop_nulls,
    "dedupe": dedupe,
}


def _chosen(
    frame: Frame, wanted: Sequence[str] | None, kinds: tuple[type[DType], ...], field: str
) -> list[str]:
    """Inner names of the wanted columns, or of every column of one of these kinds (none named: all)."""
    columns = Columns(frame)
    if wanted is None:
        return [inner(name) for name in columns if not kinds or isinstance(columns.dtype(name), kinds)]
    for index, name in enumerate(wanted):
        columns.name(name, f"{field}.cols[{index}]")
        if kinds and not isinstance(columns.dtype(name), kinds):
            raise TypeMismatch(
                f'column "{shortened(name)}" of type {type_word(columns.dtype(name))} cannot be cleaned so',
                field=f"{field}.cols[{index}]",
                constraint="a column of strings" if kinds is TEXT else "a column of numbers",
            )
    return [inner(name) for name in dict.fromkeys(wanted)]
