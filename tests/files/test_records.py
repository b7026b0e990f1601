"""Records of delimited text, read by the rules and against them."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpy.files.cells import Style, plain_line, strict_cells
from airpy.files.records import read_records

COMMA = Style(",")


def cells(text: str, style: Style = COMMA, width: int | None = None) -> list[list[str | None]]:
    """The cells of each record."""
    return [record.cells for record in read_records(text.splitlines(keepends=True), style, width)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ('"a",b\r\n,""\r\n', [["a", "b"], [None, ""]]),
        ('"x\ny",2\n\n3,4', [["x\ny", "2"], ["3", "4"]]),
        ('"a ""b"" c",1\n', [['a "b" c', "1"]]),
        ('1, "x, y" ,2\n', [["1", "x, y", "2"]]),
        ("a,,\n", [["a", None, None]]),
    ],
)
def test_records_by_the_rules(text: str, expected: list[list[str | None]]) -> None:
    assert cells(text) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('""DATE","b","c"', ['"DATE', "b", "c"]),
        ('"a","b","""', ["a", "b", '"']),
        ('"a","48"","c"', ["a", '48"', "c"]),
        ('"a","b"c","d"', ["a", 'b"c', "d"]),
        ('"a","x, 5" y, z","d"', ["a", 'x, 5" y, z', "d"]),
        ('"a,b,c', ['"a', "b", "c"]),
        ('a,"b,c', ["a", '"b', "c"]),
        ('a,5" pipe,c', ["a", '5" pipe', "c"]),
        ('"a" "b" "c"', ["a", "b", "c"]),
        ("a;b;c", ["a", "b", "c"]),
    ],
)
def test_a_line_against_the_rules_does_no_harm_to_the_next(line: str, expected: list[str]) -> None:
    text = f'"x","y","z"\n{line}\n"1","2","3"\n"4","5\n6","7"\n'

    assert cells(text, width=3) == [["x", "y", "z"], expected, ["1", "2", "3"], ["4", "5\n6", "7"]]


def test_only_what_every_reader_reads_alike_is_strict() -> None:
    lines = ['"a","b"\n', 'a,"b ""c"""\n', 'a,5" pipe\n', 'a, "b"\n', '""x","y"\n']

    assert [record.strict for record in read_records(lines, COMMA, 2)] == [True, True, False, False, False]


def test_records_know_the_line_they_begin_in_and_a_quote_that_is_never_closed() -> None:
    lines = 'a,b\n\n"x\ny",1\n# no\n2,"z\n3,4\n'.splitlines(keepends=True)

    records = list(read_records(lines, COMMA, 2, "#"))

    assert [record.line for record in records] == [1, 3, 6, 7]
    assert [record.open_quote for record in records] == [False, False, True, False]
    assert records[2].cells == ["2", '"z']


def test_a_blank_line_is_a_value_that_is_not_there_in_one_column_alone() -> None:
    assert cells("a\n\nb\n", width=1) == [["a"], [None], ["b"]]
    assert cells("a,b\n\n1,2\n", width=2) == [["a", "b"], ["1", "2"]]


def test_other_styles() -> None:
    assert cells("'a';'b;c'\n", Style(";", "'")) == [["a", "b;c"]]
    assert cells('"a\\"b",c\\d,"e\\\\"\n', Style(",", '"', "\\")) == [['a"b', "c\\d", "e\\"]]
    assert cells('a||b, "c|d"||"e||f"\n', Style("||")) == [["a", 'b, "c|d"', "e||f"]]
    assert cells('5",6\n', Style(",", None)) == [['5"', "6"]]


def test_a_plain_line_has_the_width_and_no_quote_out_of_place() -> None:
    plain = plain_line(COMMA, 2)

    assert all(plain.fullmatch(line) for line in ("a,b", '"a,",b', ",", '"a ""b""",'))
    assert not any(plain.fullmatch(line) for line in ("a", "a,b,c", '"a,b', 'a"b,c', 'a, "b"'))


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), min_size=3, max_size=3
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(",;|\t"),
    st.sampled_from("\"'"),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_by_the_rules_comes_back(
    rows: list[list[str]], delimiter: str, quote: str, line_end: str
) -> None:
    written = StringIO(newline="")
    csv.writer(
        written, delimiter=delimiter, quotechar=quote, lineterminator=line_end, quoting=csv.QUOTE_ALL
    ).writerows(rows)
    lines = StringIO(written.getvalue(), newline="\n")

    assert [record.cells for record in read_records(lines, Style(delimiter, quote), 3)] == rows


@given(
    st.text(alphabet="a,\"; '\n\\", max_size=12),
    st.sampled_from([COMMA, Style(" "), Style(";", "'"), Style(", "), Style(",", '"', "\\")]),
)
def test_values_that_are_told_at_once_are_those_that_are_told_one_by_one(text: str, style: Style) -> None:
    at_once, one_by_one = strict_cells(text, style), strict_cells(f" {text}", style, 1)

    stop = None if one_by_one.stop is None else one_by_one.stop - 1
    assert at_once == one_by_one._replace(stop=stop)
