"""The forms of text that have a type: a table, plain ones first, and what read options leave of it."""

from __future__ import annotations

import datetime as dt
import re
from itertools import product
from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.schema import CASTS
from airpy.engine.text_types import ISO_DATE, ISO_TIMESTAMP, SPACES, TextType
from airpy.errors import InvalidOptions

if TYPE_CHECKING:
    from airpy.contract import CastType, ReadOptions

__all__ = ["FORMS", "PLAIN", "family", "forms_of"]

INTEGER = pl.Int64()
FLOAT = pl.Float64()
DATE = pl.Date()
MOMENT = pl.Datetime("us")
SOME_DAY = dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
INSTANT = pl.Datetime("us", "UTC")

EXPONENT = r"(?:[eE][+-]?[0-9]{1,3})?"
PLAIN_FLOAT = rf"-?(?:(?:0|[1-9][0-9]{{0,14}})(?:\.[0-9]*)?|\.[0-9]+){EXPONENT}|(?i:nan|[+-]?inf(?:inity)?)"
PLAIN_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"
SEPARATORS = {",": ",", ".": ".", " ": SPACES, "'": "'"}
"""What may stand between thousands, by the name it has in read options."""

# What each letter of a layout looks like.
LETTERS = {
    "Y": "[0-9]{4}",
    "m": "[0-9]{1,2}",
    "d": "[0-9]{1,2}",
    "b": "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    "B": "(?i:january|february|march|april|may|june|july|august|september|october|november|december)",
    "H": "[0-9]{1,2}",
    "I": "[0-9]{1,2}",
    "M": "[0-9]{2}",
    "S": "[0-9]{2}",
    ".f": r"(?:\.[0-9]{1,6})?",
    "p": "(?i:am|pm)",
}

DATES = (
    *("%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"),
)
TIMES = ("%H:%M:%S%.f", "%H:%M", "%I:%M:%S%.f %p", "%I:%M %p")


def _looks(layout: str) -> str:
    """The pattern of what is written in a layout."""
    return "".join(
        LETTERS[part[1:]] if part.startswith("%") else re.escape(part)
        for part in re.findall(r"%\.f|%[A-Za-z]|[^%]+", layout)
    )


def _laid_out(dtype: pl.DataType, layout: str) -> TextType:
    return TextType(dtype, _looks(layout), form=layout, layout=layout)


def _whole(mark: str) -> TextType:
    """Integers with something between their thousands."""
    between = f"[{re.escape(SEPARATORS[mark])}]"
    pattern = f"-?(?:0|[1-9][0-9]{{0,2}}(?:{between}[0-9]{{3}})*)"
    return TextType(INTEGER, pattern, form=f"1{mark}234", thousands=SEPARATORS[mark][0])


def _fraction(mark: str, decimal: str) -> TextType:
    """Numbers with something between their thousands, or nothing, and before their fraction."""
    point = re.escape(decimal)
    if not mark:
        pattern = rf"-?(?:0|[1-9][0-9]{{0,14}})(?:{point}[0-9]+)?{EXPONENT}"
        return TextType(FLOAT, pattern, form=f"1234{decimal}56", decimal=decimal)
    between = f"[{re.escape(SEPARATORS[mark])}]"
    whole = f"(?:0|[1-9][0-9]{{0,2}}(?:{between}[0-9]{{3}}){{1,4}}|[1-9][0-9]{{0,14}})"
    pattern = f"-?{whole}(?:{point}[0-9]+)?"
    form = f"1{mark}234{decimal}56"
    return TextType(FLOAT, pattern, form=form, decimal=decimal, thousands=SEPARATORS[mark][0])


PLAIN = (
    TextType(pl.Boolean(), "(?i:true|false)"),
    TextType(INTEGER, "-?(?:0|[1-9][0-9]{0,18})"),
    TextType(FLOAT, PLAIN_FLOAT),
    TextType(DATE, "[0-9]{4}-[0-9]{2}-[0-9]{2}", layout=ISO_DATE),
    TextType(MOMENT, PLAIN_MOMENT, layout=ISO_TIMESTAMP),
    TextType(INSTANT, PLAIN_MOMENT + OFFSET, layout=ISO_TIMESTAMP),
    TextType(pl.Time(), _looks("%H:%M:%S%.f").replace("{1,2}", "{2}"), layout="%H:%M:%S%.f"),
)
NUMBERS = (
    *(_whole(mark) for mark in SEPARATORS),
    _fraction("", ","),
    *(_fraction(mark, decimal) for mark, decimal in product(SEPARATORS, ",.") if mark != decimal),
)
MOMENTS = (
    TextType(MOMENT, _looks("%Y-%m-%dT%H:%M").replace("T", "[T ]"), "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M"),
    *(_laid_out(DATE, layout) for layout in DATES),
    *(_laid_out(MOMENT, f"{date} {time}") for date, time in product((ISO_DATE, *DATES), TIMES[1:])),
    *(_laid_out(MOMENT, f"{date} {TIMES[0]}") for date in DATES),
    *(_laid_out(pl.Time(), time) for time in TIMES[1:]),
)
FORMS = (
    *PLAIN,
    TextType(pl.Boolean(), "(?i:yes|no)", form="yes/no", words=("yes", "no")),
    TextType(pl.Boolean(), "(?i:t|f)", form="t/f", words=("t", "f")),
    *NUMBERS,
    *MOMENTS,
)
"""Of two that take all values and read them alike, the first is told."""

ZERO_ONE = TextType(pl.Boolean(), "[01]", form="1/0", words=("1", "0"))


def family(asked: CastType) -> tuple[TextType, ...]:
    """The forms that values of a type may have whose caller asks for it."""
    dtype = CASTS[asked]
    match dtype:
        case pl.Boolean():
            return (*(form for form in FORMS if form.dtype == dtype), ZERO_ONE)
        case pl.String():
            return ()
        case pl.Date() | pl.Datetime():
            return tuple(form for form in FORMS if isinstance(form.dtype, type(dtype)))
        case _:
            whole = dtype.is_integer()
            return tuple(
                form for form in FORMS if form.dtype.is_numeric() and (form.dtype.is_integer() or not whole)
            )


def forms_of(options: ReadOptions) -> tuple[TextType, ...]:
    """The forms that values may have.

    Raises:
        InvalidOptions: The options contradict one another, or a format is none.
    """
    forms = FORMS
    decimal, thousands = options.decimal, options.thousands
    if decimal is not None and decimal == thousands:
        raise InvalidOptions(
            f'"{decimal}" cannot stand both before fractions and between thousands',
            field="read.thousands",
            constraint="another letter than read.decimal",
        )
    if decimal is not None or thousands is not None:
        forms = tuple(form for form in forms if _numbers_so(form, decimal, thousands))
    if options.date_format is not None:
        forms = (
            *(form for form in forms if not form.dtype.is_temporal() or not form.form),
            _own(options.date_format),
        )
    return forms


def _numbers_so(form: TextType, decimal: str | None, thousands: str | None) -> bool:
    """Whether the form is none of numbers, or of numbers that are written so."""
    if not form.dtype.is_numeric():
        return True
    point = form.decimal if form.dtype.is_float() else None
    if thousands is not None and form.thousands and form.thousands != SEPARATORS[thousands][0]:
        return False
    if decimal is None:
        # What stands between thousands does not stand before a fraction.
        return point != thousands
    return point in {None, decimal} and form.thousands != decimal


def _own(layout: str) -> TextType:
    """The form that the caller gives."""
    letters = set(re.findall(r"%[-_0]?(\.?[0-9]?[A-Za-z+])", layout))
    dtype: pl.Date | pl.Datetime = DATE
    if letters & {"H", "I", "k", "l", "T", "R", "X", "r", "s", "c", "+"}:
        dtype = INSTANT if letters & {"z", "+", "s"} else MOMENT
    parts = set(re.findall(r"%\.f|%[^.]?", layout))
    known = all(part[1:] in LETTERS for part in parts)
    own = TextType(dtype, _looks(layout) if known else "", form=layout, layout=layout)
    moment = pl.Series([SOME_DAY], dtype=pl.Datetime("us", "UTC"))
    try:
        # What is written so must be read again; a day needs its year, its month and itself.
        written = moment.dt.strftime(layout).to_frame()
        again = written.select(pl.first().str.strptime(dtype, layout, strict=False)).to_series()
        read = again.cast(pl.Date).to_list() == [SOME_DAY.date()]
    except pl.exceptions.PolarsError:
        read = False
    if not read:
        raise InvalidOptions(
            f'"{layout}" is no format of dates or timestamps',
            field="read.date_format",
            constraint="letters of strftime that say year, month and day, as in %d/%m/%Y",
        )
    return own
