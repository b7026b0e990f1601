"""What each form of text takes and what becomes of it: by hand, and by writing values and reading them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy.engine.failures import failure
from airpy.engine.text_forms import FORMS
from airpy.engine.text_types import STRING, TextType, fits, parse_text

BY_FORM: dict[tuple[str, str], TextType] = {(str(form.dtype), form.form): form for form in FORMS}
BOOL, INT, FLOAT, DATE, TIME = "Boolean", "Int64", "Float64", "Date", "Time"
MOMENT = "Datetime(time_unit='us', time_zone=None)"
INSTANT = "Datetime(time_unit='us', time_zone='UTC')"


def column(values: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"*": values}, schema={"*": pl.String})


def parsed(values: list[str | None], kind: TextType | pl.DataType, **options: Any) -> list[Any]:
    return column(values).select(parse_text(pl.first(), kind, **options)).to_series().to_list()


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  a column without a zone


VALUES: list[tuple[str, str, str, Any]] = [
    (BOOL, "", "TRUE", True),
    (BOOL, "", "false", False),
    (BOOL, "yes/no", "Yes", True),
    (BOOL, "yes/no", "no", False),
    (BOOL, "t/f", "T", True),
    (BOOL, "t/f", "f", False),
    (INT, "", "-9223372036854775808", -(2**63)),
    (INT, "", "0", 0),
    (INT, "1,234", "-1,234,567", -1_234_567),
    (INT, "1.234", "1.234", 1234),
    (INT, "1 234", "1 234", 1234),
    (INT, "1 234", "1\u00a0234", 1234),
    (INT, "1'234", "1'234'567", 1_234_567),
    (FLOAT, "", "-.5", -0.5),
    (FLOAT, "", "1e3", 1000.0),
    (FLOAT, "", "1.", 1.0),
    (FLOAT, "", "-INF", float("-inf")),
    (FLOAT, "1234,56", "12,5", 12.5),
    (FLOAT, "1.234,56", "1.234,56", 1234.56),
    (FLOAT, "1.234,56", "7", 7.0),
    (FLOAT, "1,234.56", "-1,234.5", -1234.5),
    (FLOAT, "1 234,56", "1\u202f234,56", 1234.56),
    (FLOAT, "1'234.56", "1'234.56", 1234.56),
    (DATE, "", "2024-02-29", dt.date(2024, 2, 29)),
    (DATE, "%Y/%m/%d", "2025/12/31", dt.date(2025, 12, 31)),
    (DATE, "%d/%m/%Y", "31/12/2025", dt.date(2025, 12, 31)),
    (DATE, "%d/%m/%Y", "1/2/2025", dt.date(2025, 2, 1)),
    (DATE, "%m/%d/%Y", "12/31/2025", dt.date(2025, 12, 31)),
    (DATE, "%d.%m.%Y", "31.12.2025", dt.date(2025, 12, 31)),
    (DATE, "%d-%b-%Y", "31-Dec-2025", dt.date(2025, 12, 31)),
    (DATE, "%b %d, %Y", "Dec 31, 2025", dt.date(2025, 12, 31)),
    (DATE, "%B %d, %Y", "December 31, 2025", dt.date(2025, 12, 31)),
    (MOMENT, "", "2025-09-01T10:00:00", at(2025, 9, 1, 10)),
    (MOMENT, "", "2025-09-01 10:00:00.25", at(2025, 9, 1, 10, 0, 0, 250_000)),
    (MOMENT, "%Y-%m-%dT%H:%M", "2025-09-01 10:15", at(2025, 9, 1, 10, 15)),
    (MOMENT, "%d.%m.%Y %H:%M", "31.12.2025 10:15", at(2025, 12, 31, 10, 15)),
    (MOMENT, "%d/%m/%Y %H:%M:%S%.f", "31/12/2025 10:15:30.5", at(2025, 12, 31, 10, 15, 30, 500_000)),
    (MOMENT, "%m/%d/%Y %I:%M %p", "12/31/2025 1:15 PM", at(2025, 12, 31, 13, 15)),
    (MOMENT, "%Y-%m-%d %I:%M:%S%.f %p", "2025-12-31 12:00:01 am", at(2025, 12, 31, 0, 0, 1)),
    (INSTANT, "", "2025-09-01T10:00:00Z", dt.datetime(2025, 9, 1, 10, tzinfo=dt.UTC)),
    (INSTANT, "", "2025-09-01 12:00:00+02:00", dt.datetime(2025, 9, 1, 10, tzinfo=dt.UTC)),
    (INSTANT, "", "2025-09-01T05:30:00.000001-0430", dt.datetime(2025, 9, 1, 10, 0, 0, 1, tzinfo=dt.UTC)),
    (TIME, "", "12:34:56", dt.time(12, 34, 56)),
    (TIME, "", "12:34:56.5", dt.time(12, 34, 56, 500_000)),
    (TIME, "%H:%M", "07:05", dt.time(7, 5)),
    (TIME, "%I:%M %p", "1:15 pm", dt.time(13, 15)),
]


@pytest.mark.parametrize(("dtype", "form", "text", "value"), VALUES)
def test_text_becomes_the_value_and_null_stays_null(dtype: str, form: str, text: str, value: Any) -> None:
    kind = BY_FORM[dtype, form]

    for strict in (True, False):
        assert parsed([text, None], kind, strict=strict) == [value, None]
    assert column([text, None]).select(fits(pl.first(), kind)).to_series().to_list() == [True, None]


REFUSED: list[tuple[str, str, str]] = [
    (BOOL, "", "yes"),
    (BOOL, "yes/no", "true"),
    (INT, "", "007"),
    (INT, "", "-007"),
    (INT, "", "+5"),
    (INT, "", "+491701234567"),
    (INT, "", "9223372036854775808"),
    (INT, "", "1,000"),
    (INT, "", "1_000"),
    (INT, "", " 1"),
    (INT, "", "1\n"),
    (INT, "", "１"),
    (INT, "", "1.0"),
    (INT, "1,234", "1,23"),
    (INT, "1,234", "1234,567"),
    (INT, "1,234", "0,123"),
    (FLOAT, "", "00.5"),
    (FLOAT, "", "001.1"),
    (FLOAT, "", "+1.5"),
    (FLOAT, "", "1e400"),
    (FLOAT, "", "1234567890123456"),
    (FLOAT, "", "1.5.2"),
    (FLOAT, "", "1,5"),
    (FLOAT, "1.234,56", "1,234.56"),
    (FLOAT, "1,234.56", "1.234,56"),
    (DATE, "", "2025-02-30"),
    (DATE, "", "25-01-02"),
    (DATE, "", "2025-9-1"),
    (DATE, "%d/%m/%Y", "12/31/2025"),
    (DATE, "%d/%m/%Y", "03/04/25"),
    (DATE, "%m/%d/%Y", "31/12/2025"),
    (MOMENT, "", "25-01-02T03:04:05"),
    (MOMENT, "", "2025-09-01T24:00:00"),
    (MOMENT, "", "2025-09-01T10:00:00Z"),
    (INSTANT, "", "2025-09-01T10:00:00"),
    (INSTANT, "", "2025-09-01T10:00:00+99:99"),
    (TIME, "", "24:00:00"),
    (TIME, "", "1:02:03"),
]


@pytest.mark.parametrize(("dtype", "form", "text"), REFUSED)
def test_what_only_a_parser_would_take_is_no_value(dtype: str, form: str, text: str) -> None:
    kind = BY_FORM[dtype, form]

    assert column([text]).select(fits(pl.first(), kind)).item() is False
    if text != "1e400":  # which is too large for a float, and no code
        assert parsed([text], kind, strict=False) == [None]
        with pytest.raises(pl.exceptions.InvalidOperationError) as caught:
            parsed([text], kind)
        assert failure(caught.value).code == "VALIDATION_ERROR"


def test_markers_of_null_are_null_and_nothing_else_is() -> None:
    assert parsed(["1", "NA", "-", None], BY_FORM[INT, ""], markers=("NA", "-")) == [1, None, None, None]
    assert parsed(["NA", "na"], STRING, markers=("NA",)) == [None, "na"]


def test_a_type_of_polars_takes_what_its_parser_takes() -> None:
    assert parsed(["007"], pl.Int64()) == [7]
    assert parsed(["2025-01-02"], pl.Date()) == [dt.date(2025, 1, 2)]


DAYS = st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 31))
WRITTEN = [form for form in FORMS if form.dtype == pl.Date and form.layout]


@settings(deadline=None)
@given(DAYS, st.sampled_from(WRITTEN))
def test_a_date_that_is_written_in_a_form_comes_back(day: dt.date, kind: TextType) -> None:
    assert parsed([day.strftime(kind.layout)], kind) == [day]


MOMENTS = [form for form in FORMS if str(form.dtype) == MOMENT and "%S" in form.layout]


@settings(deadline=None)
@given(st.datetimes(at(1000, 1, 1), at(9999, 12, 31)), st.sampled_from(MOMENTS))
def test_a_timestamp_that_is_written_in_a_form_comes_back(moment: dt.datetime, kind: TextType) -> None:
    assert parsed([moment.strftime(kind.layout.replace("%.f", ".%f"))], kind) == [moment]


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1))
def test_an_integer_comes_back(number: int) -> None:
    assert parsed([str(number)], BY_FORM[INT, ""]) == [number]
    assert parsed([f"{number:,}"], BY_FORM[INT, "1,234"]) == [number]
    assert parsed([f"{number:,}".replace(",", ".")], BY_FORM[INT, "1.234"]) == [number]


@settings(deadline=None)
@given(st.floats(-1e12, 1e12).map(lambda number: round(number, 2)))
def test_a_number_with_separators_comes_back(number: float) -> None:
    american = f"{number:,.2f}"
    german = american.translate(str.maketrans(",.", ".,"))

    assert parsed([american], BY_FORM[FLOAT, "1,234.56"]) == [number]
    assert parsed([german], BY_FORM[FLOAT, "1.234,56"]) == [number]
