"""Cleaning operations, a table from name to function.

Each takes the frame and its step and gives the cleaned frame; without `cols` it does what it can to every
column.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import narwhals as nw

from airpy.engine.cleaning_names import drop, normalise_names, rename
from airpy.engine.cleaning_values import chosen, clip, fill_null, replace, strip_accents
from airpy.engine.columns import Columns, repeated, type_word
from airpy.engine.families import TEXT
from airpy.engine.native import lossless_cast, stable_unique
from airpy.errors import InvalidPlan, TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from narwhals.dtypes import DType

    from airpy.contract import (
        Cast,
        CastType,
        CleanStep,
        Dedupe,
        DropNulls,
        NullMarkers,
        ParseDates,
        Trim,
    )
    from airpy.engine.columns import Frame

__all__ = ["CAST_TYPES", "CLEANERS", "check_cleaning", "cleaned"]

# The letters of a `strftime` format that hold an hour or a minute; those in both hold a whole time.
TIME_LETTERS = {"hour": frozenset("HIklTRXrcs+"), "minute": frozenset("MTRXrcs+")}

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
        place = f"{field}[{index}]"
        match step.op:
            case "fill_null" if (step.value is None) == (step.strategy is None):
                raise InvalidPlan(
                    "fill_null takes either a value or a strategy",
                    field=place,
                    constraint="exactly one of: value, strategy",
                )
            case "parse_dates" if time_fields(step.format) not in (set(), {"hour", "minute"}):
                raise InvalidPlan(
                    "a time has hours and minutes, and a date has neither",
                    field=f"{place}.format",
                    constraint="both hours and minutes, or neither",
                )
            case "clip" if step.min is None and step.max is None:
                raise InvalidPlan("clip needs a bound", field=place, constraint="at least one of: min, max")
            case "clip" if step.min is not None and step.max is not None and step.min > step.max:
                raise InvalidPlan(
                    f"no number is {step.min} at least and {step.max} at most",
                    field=f"{place}.max",
                    constraint="a max that is not less than min",
                )
            case "rename" if twice := repeated(step.names.values()):
                raise InvalidPlan(
                    f"two columns would be called {listed(twice)}",
                    field=f"{place}.names",
                    constraint="different names",
                )
            case _:
                pass


def cleaned(frame: Frame, steps: Sequence[CleanStep], field: str) -> Frame:
    """The frame after every step, in order; `field` is where the steps stand in the plan."""
    for index, step in enumerate(steps):
        frame = CLEANERS[step.op](frame, step, f"{field}[{index}]")
    return frame


def trim(frame: Frame, step: Trim, field: str) -> Frame:
    """Without white space at both ends of strings."""
    names = chosen(frame, step.cols, TEXT, field)
    return frame.with_columns(nw.col(name).cast(nw.String()).str.strip_chars() for name in names)


def null_markers(frame: Frame, step: NullMarkers, field: str) -> Frame:
    """With null for every string that is one of the markers; a column that is no text has none of them."""
    types = frame.collect_schema()
    # What stands for null in a text file may have been known when its column became numbers.
    names = [name for name in chosen(frame, step.cols, (), field) if isinstance(types[name], TEXT)]
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


def drop_nulls(frame: Frame, step: DropNulls, field: str) -> Frame:
    """Without the rows that have a null in any of the columns."""
    return frame.drop_nulls(chosen(frame, step.cols, (), field))


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
    "rename": rename,
    "drop": drop,
    "clip": clip,
    "replace": replace,
    "strip_accents": strip_accents,
    "normalise_names": normalise_names,
}
