"""The types that columns have by their values, and what is said of it; expectations by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy.contract import ReadOptions
from airpy.engine.evidence import Evidence, decided, infer_types, judged, rules_of
from airpy.engine.full_scan import FILE_BITS, decided_by_all
from airpy.errors import InvalidOptions

TEXT = "String"
BOOL, INT, FLOAT, DATE, TIME = "Boolean", "Int64", "Float64", "Date", "Time"
MOMENT = "Datetime(time_unit='us', time_zone=None)"
INSTANT = "Datetime(time_unit='us', time_zone='UTC')"


def column(*values: str | None) -> pl.DataFrame:
    return pl.DataFrame({"a": values}, schema={"a": pl.String})


def weighed(*values: str | None, **options: Any) -> Evidence:
    """By a sample, and the same by a scan of all rows, which must not differ."""
    rules = rules_of(ReadOptions(**options))
    judgement = judged(column(*values), rules)["a"]
    sampled = judgement.explained()
    assert judgement.evidence == sampled._replace(candidates=(), confidence=1.0, note=judgement.evidence.note)
    if values:
        scanned = decided_by_all([column(*values).lazy()], rules)["a"]
        assert (scanned.kind, scanned.values, scanned.nulls) == (sampled.kind, sampled.values, sampled.nulls)
        assert scanned.null_markers == sampled.null_markers
    return sampled


@pytest.mark.parametrize(
    ("values", "dtype", "form"),
    [
        (["true", "FALSE", "True"], BOOL, ""),
        (["true", "yes"], TEXT, ""),
        (["yes", "no", "YES"], BOOL, "yes/no"),
        (["t", "f"], BOOL, "t/f"),
        (["t"], TEXT, ""),
        (["1", "0"], INT, ""),
        (["1", "true"], TEXT, ""),
        (["9223372036854775807", "-9223372036854775808"], INT, ""),
        (["9223372036854775808"], TEXT, ""),
        (["1", "12345678901234567890"], TEXT, ""),
        (["00501", "10001"], TEXT, ""),
        (["1", "007"], TEXT, ""),
        (["-01"], TEXT, ""),
        (["+5"], TEXT, ""),
        (["+49 30 1234", "+49 170 5678"], TEXT, ""),
        (["1_000"], TEXT, ""),
        (["0x10"], TEXT, ""),
        ([" 1"], TEXT, ""),
        (["1\n"], TEXT, ""),
        (["１"], TEXT, ""),
        (["1", "2.5"], FLOAT, ""),
        (["1.", ".5", "-.5", "1e5", "inf"], FLOAT, ""),
        (["00.5"], TEXT, ""),
        (["1e400"], TEXT, ""),
        (["1.5", "1234567890123456"], TEXT, ""),
        (["0.30000000000000004", "1e-300"], FLOAT, ""),
        (["0.1000000000000000055511151231257827"], FLOAT, ""),  # a tenth as floats have it, written out
        (["0.12345678901234567891"], TEXT, ""),
        (["1,5", "2,25"], FLOAT, "1234,56"),
        (["1.234,56", "12,5", "7"], FLOAT, "1.234,56"),
        (["1,234.56", "12.5"], FLOAT, "1,234.56"),
        (["1 234,56", "999,10"], FLOAT, "1 234,56"),
        (["1'234.56", "7"], FLOAT, "1'234.56"),
        (["1,234", "1,234,567"], INT, "1,234"),
        (["5", "1.234.567"], INT, "1.234"),
        (["10%", "20 %"], TEXT, ""),
        (["$5.00", "$6.10"], TEXT, ""),
        (["2025-09-01", "2024-02-29"], DATE, ""),
        (["2025-09-01", "2025-02-29"], TEXT, ""),
        (["31/12/2025", "01/02/2025"], DATE, "%d/%m/%Y"),
        (["12/31/2025", "01/02/2025"], DATE, "%m/%d/%Y"),
        (["31/12/2025", "12/31/2025"], TEXT, ""),
        (["31.12.2025"], DATE, "%d.%m.%Y"),
        (["2025/12/31"], DATE, "%Y/%m/%d"),
        (["20251231"], INT, ""),
        (["31-Dec-2025"], DATE, "%d-%b-%Y"),
        (["Dec 31, 2025"], DATE, "%b %d, %Y"),
        (["31/12/25"], TEXT, ""),
        (["2025-09-01T10:00:00", "2025-09-01 10:00:00.5"], MOMENT, ""),
        (["2025-09-01T10:00:00.1234567"], TEXT, ""),
        (["2025-09-01", "2025-09-01T10:00:00"], TEXT, ""),
        (["2025-09-01T10:00:00Z", "2025-09-01 12:00:00+02:00"], INSTANT, ""),
        (["2025-09-01T10:00:00Z", "2025-09-01T10:00:00"], TEXT, ""),
        (["12/31/2025 1:15 PM"], MOMENT, "%m/%d/%Y %I:%M %p"),
        (["12:34:56", "00:00:00.5"], TIME, ""),
        (["12:34", "25:00"], TEXT, ""),
        ([""], TEXT, ""),
        (["x", None], TEXT, ""),
        ([None, "1", None], INT, ""),
        ([None, None], TEXT, ""),
        ([], TEXT, ""),
    ],
)
def test_a_column_has_the_type_of_all_its_values(values: list[str | None], dtype: str, form: str) -> None:
    evidence = weighed(*values)

    assert (str(evidence.kind.dtype), evidence.kind.form) == (dtype, form)


MARKERS = [
    "NA",
    "N/A",
    "n/a",
    "NULL",
    "null",
    "None",
    "-",
    "--",
    ".",
    "nan",
    "#N/A",
    "<NA>",
    "\\N",
    "(null)",
    "",
]


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_is_null_in_a_column_that_has_a_type(marker: str) -> None:
    evidence = weighed("1", marker, "2", marker)

    assert str(evidence.kind.dtype) == INT
    assert (evidence.values, evidence.nulls, evidence.null_markers) == (2, 2, {marker: 2})


def test_not_a_number_is_a_value_of_floats_alone() -> None:
    floats, dates = weighed("1.5", "nan"), weighed("2025-01-02", "nan")

    assert (str(floats.kind.dtype), floats.values, floats.nulls) == (FLOAT, 2, 0)
    assert (str(dates.kind.dtype), dates.values, dates.null_markers) == (DATE, 1, {"nan": 1})


def test_in_a_column_of_text_only_what_is_never_a_word_is_null() -> None:
    evidence = weighed("north", "NA", "N/A", "-", None)

    assert (str(evidence.kind.dtype), evidence.null_markers) == (TEXT, {"N/A": 1})
    assert (evidence.values, evidence.nulls) == (3, 2)
    assert "'-', 'NA' taken for words" in (evidence.note or "")


def test_markers_that_are_given_are_the_only_ones() -> None:
    assert weighed("1", "NA", null_markers=[]).kind.dtype == pl.String
    assert weighed("1", "missing", null_markers=["missing"]).null_markers == {"missing": 1}
    assert weighed("x", "NULL", null_markers=["missing"]).nulls == 0


@pytest.mark.parametrize(
    ("values", "both", "option"),
    [
        (["01/02/2025", "03/04/2025"], {"%d/%m/%Y", "%m/%d/%Y"}, "date_format"),
        (["01-02-2025"] * 3 + ["11-12-2025"], {"%d-%m-%Y", "%m-%d-%Y"}, "date_format"),
        (["01/02/2025 10:15"] * 2, {"%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"}, "date_format"),
        (["1,234", "12,345"], {"1,234", "1234,56"}, "decimal"),
    ],
)
def test_where_no_value_tells_nothing_is_guessed(values: list[str], both: set[str], option: str) -> None:
    evidence = weighed(*values)

    assert str(evidence.kind.dtype) == TEXT
    assert evidence.confidence == 0.5
    assert both <= {each.kind.form for each in evidence.candidates if each.accepted == len(values)}
    assert f"`read.{option}`" in (evidence.note or "")


def test_a_day_that_is_also_its_month_tells_nothing_and_needs_to_tell_nothing() -> None:
    evidence = weighed("01/01/2025", "02/02/2025")

    assert (str(evidence.kind.dtype), evidence.kind.form) == (DATE, "%d/%m/%Y")


def test_three_decimals_are_read_plainly_and_said_to_be_doubtful() -> None:
    evidence = weighed("1.234", "5.678")

    assert (str(evidence.kind.dtype), evidence.kind.form, evidence.confidence) == (FLOAT, "", 0.5)
    assert "1.234" in (evidence.note or "")


@pytest.mark.parametrize(
    ("values", "options", "dtype", "form"),
    [
        (["01/02/2025"], {"date_format": "%d/%m/%Y"}, DATE, "%d/%m/%Y"),
        (["01/02/2025"], {"date_format": "%m/%d/%Y"}, DATE, "%m/%d/%Y"),
        (["31/12/2025"], {"date_format": "%m/%d/%Y"}, TEXT, ""),
        (["20251231"], {"date_format": "%Y%m%d"}, INT, ""),
        (["1,234", "12,345"], {"thousands": ","}, INT, "1,234"),
        (["1,234", "12,345"], {"decimal": ","}, FLOAT, "1234,56"),
        (["1.234", "5.678"], {"thousands": "."}, INT, "1.234"),
        (["1.234", "5.678"], {"decimal": ","}, INT, "1.234"),
        (["1.5"], {"decimal": ","}, TEXT, ""),
        (["007"], {"types": {"a": "int32"}}, "Int32", ""),
        (["1,234.5"], {"types": {"a": "float32"}}, "Float32", "1,234.56"),
        (["31/12/2025"], {"types": {"a": "date"}}, DATE, "%d/%m/%Y"),
        (["1", "0"], {"types": {"a": "bool"}}, BOOL, "1/0"),
        (["1", "NULL"], {"types": {"a": "string"}}, TEXT, ""),
        (["1", "NULL"], {"types": "string"}, TEXT, ""),
    ],
)
def test_options_decide(values: list[str], options: dict[str, Any], dtype: str, form: str) -> None:
    evidence = decided(column(*values), rules_of(ReadOptions(**options)))["a"]

    assert (str(evidence.kind.dtype), evidence.kind.form) == (dtype, form)
    if "string" in str(options):
        assert (evidence.values, evidence.nulls, evidence.markers) == (2, 0, ())


@pytest.mark.parametrize(
    ("options", "field"),
    [({"decimal": ",", "thousands": ","}, "read.thousands"), ({"date_format": "%d/%Q"}, "read.date_format")],
)
def test_options_that_cannot_be_met_are_refused(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidOptions) as caught:
        rules_of(ReadOptions(**options))

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (["00501", "10001"], "leading zeros"),
        (["+49 30 1234"], "telephone numbers, or numbers with a plus"),
        (["12345678901234567890"], "integers beyond 64 bits"),
        (["5 %", "7 %"], "percentages"),
        (["€5", "€6.50"], "amounts of money"),
        (["31/12/25"], "dates with years of two digits"),
        (["0.12345678901234567891"], "more digits than a float64 keeps"),
        (["2025-09-01T10:00:00.1234567"], "more than six digits of a second"),
        (["20251231"], "could be dates; `read.date_format` of %Y%m%d reads them so"),
        (["north"], None),
        (["1"], None),
    ],
)
def test_what_a_person_would_want_to_know_is_said(values: list[str], note: str | None) -> None:
    assert weighed(*values).note == note


def test_what_was_tried_is_told_with_values_that_speak_against_it() -> None:
    evidence = weighed("1", "2", "x", "4", "y", "z", "w")

    chosen, integer, *_ = evidence.candidates
    assert (str(chosen.kind.dtype), chosen.accepted, chosen.counter_examples) == (TEXT, 7, ())
    assert (str(integer.kind.dtype), integer.accepted) == (INT, 3)
    assert integer.counter_examples == ((2, "x"), (4, "y"), (5, "z"))


def test_a_sample_is_less_sure_than_all_rows_and_more_rows_are_surer() -> None:
    few, more = weighed("1"), weighed(*["1"] * 98)

    assert (round(few.confidence, 3), round(more.confidence, 2)) == (0.667, 0.99)
    assert decided(column("1"), full=True)["a"].confidence == 1
    assert weighed("x").confidence == 1  # no more rows make it anything else


def test_each_column_has_its_own_type_in_their_order() -> None:
    frame = pl.DataFrame(
        {"*": ["1"], "^.*$": ["x"], "b": ["2025-09-01"], "a": [None]}, schema_overrides={"a": pl.String}
    )

    types = {name: str(each.kind.dtype) for name, each in decided(frame).items()}

    assert list(types.items()) == [("*", INT), ("^.*$", TEXT), ("b", DATE), ("a", TEXT)]
    scanned = decided_by_all([frame.lazy()], rules_of(ReadOptions()))
    assert [str(each.kind.dtype) for each in scanned.values()] == [INT, TEXT, DATE, TEXT]


def test_no_columns_have_no_types() -> None:
    assert decided(pl.DataFrame()) == {}
    assert infer_types(pl.DataFrame()) == {}


def test_plain_types_are_inferred_of_plain_values_alone() -> None:
    assert infer_types(column("2025-01-02")) == {"a": pl.Date()}
    assert infer_types(column("31/12/2025")) == {"a": pl.String()}
    assert infer_types(column("1", "NA")) == {"a": pl.String()}


# All rows


LAST = 30_000


def rows_ending(usual: str, *last: str) -> pl.LazyFrame:
    """More rows than a sample has, the last of which are others."""
    values = [usual] * LAST + list(last)
    return pl.LazyFrame({"a": values})


@pytest.mark.parametrize(
    ("usual", "last", "dtype"),
    [
        ("5", ["x"], TEXT),
        ("5", ["007"], TEXT),
        ("5", ["2.5"], FLOAT),
        ("5", ["1,234"], TEXT),
        ("5", ["1,234,567"], INT),
        ("01/02/2025", ["31/12/2025"], DATE),
        ("01/02/2025", ["03/04/2025"], TEXT),
        ("1,234", ["0,5"], FLOAT),
        ("x", ["1"], TEXT),
        ("2025-01-02", ["NA"], DATE),
    ],
)
def test_the_last_row_decides_as_the_first_does(usual: str, last: list[str], dtype: str) -> None:
    frame = rows_ending(usual, *last)

    evidence = decided_by_all([frame], rules_of(ReadOptions()))["a"]

    assert str(evidence.kind.dtype) == dtype
    assert evidence.values + evidence.nulls == LAST + 1


def test_counter_examples_of_all_rows_are_named_by_file_and_row() -> None:
    files = [rows_ending("5"), rows_ending("5", "x")]

    evidence = decided_by_all(files, rules_of(ReadOptions()))["a"]

    [integer] = [each for each in evidence.candidates if str(each.kind.dtype) == INT]
    assert integer.accepted == 2 * LAST
    assert integer.counter_examples == ((1 << FILE_BITS | LAST, "x"),)
    assert evidence.distinct == 2


def test_columns_that_only_some_files_have_are_counted_in_those() -> None:
    files = [pl.LazyFrame({"a": ["1"], "b": ["x"]}), pl.LazyFrame({"b": ["y"], "c": ["2025-01-02"]})]

    evidence = decided_by_all(files, rules_of(ReadOptions()))

    assert {name: (str(each.kind.dtype), each.values, each.nulls) for name, each in evidence.items()} == {
        "a": (INT, 1, 1),
        "b": (TEXT, 2, 0),
        "c": (DATE, 1, 1),
    }


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["1", "2.5", "007", "x", "NA", "", "1,5", "01/02/2025", "31/12/2025"]), max_size=6
    )
)
def test_a_sample_of_all_rows_and_a_scan_of_them_agree(values: list[str]) -> None:
    weighed(*values)
