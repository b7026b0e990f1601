"""What a look over all of a file notices, wherever it stands; expectations by hand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from airpy.files.cells import Style
from airpy.files.dialect import Dialect
from airpy.files.layout import Layout
from airpy.files.suspicion import PART_BYTES, PARTS, Misread, has_codes, misread

if TYPE_CHECKING:
    from pathlib import Path

ALL = sys.maxsize
PLAIN, QUOTED = "a,b\n", '"a","b, ""c"""\n'
NOTHING, ROWS, CODES = Misread.NOTHING, Misread.ROWS, Misread.CODES


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


def filled(filler: str, length: int) -> str:
    """So many bytes of whole rows, about."""
    return filler * (length // len(filler))


def found(file: Path, text: str, dialect: Dialect | None = None, reach: int = ALL) -> Misread:
    file.write_text(text, newline="")
    return misread(file, dialect or Dialect("utf-8", layout=Layout(1, width=2)), text[:1000], reach)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("x,y\n", NOTHING),
        ("x,0\n", NOTHING),
        ("0,-0.5\n", NOTHING),
        ("-1,a 007\n", NOTHING),
        ("007,y\n", CODES),
        ("x,007\n", CODES),
        ("x,+49170\n", CODES),
        ("x,-01\n", CODES),
        ("\n", ROWS),
        ("\r\n", ROWS),
        ('5" pipe,y\n', ROWS),
        ('x,"y\n', ROWS),
    ],
)
@pytest.mark.parametrize("filler", [PLAIN, QUOTED])
@pytest.mark.parametrize("before", [0, 1000, PART_BYTES, PART_BYTES * PARTS, 3 * PART_BYTES * PARTS])
def test_a_row_is_noticed_wherever_it_stands(
    file: Path, row: str, expected: Misread, filler: str, before: int
) -> None:
    rest = filled(filler, 3 * PART_BYTES * PARTS - before)

    assert found(file, filler + filled(filler, before) + row + rest) == expected


def test_the_last_row_needs_no_line_end(file: Path) -> None:
    for row, expected in (("x,007", CODES), ("x,y", NOTHING), ("", NOTHING), ('x,"y', ROWS), ("\r\n", ROWS)):
        assert found(file, PLAIN * 1000 + row) == expected


@pytest.mark.parametrize("shift", range(8))
def test_what_stands_across_two_parts_is_noticed(file: Path, shift: int) -> None:
    start = "x" * (PART_BYTES * PARTS - shift) + ",y\n"

    for row, expected in (("007,y\n", CODES), ("\nx,y\n", ROWS), ('"x",y\n', NOTHING)):
        assert found(file, '"a",b\n' + start + row + PLAIN) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [('"x","00y"\n', CODES), ('"a\nb","c\r\nd"\n', NOTHING), ('"x" ,y\n', ROWS), ('x, "y"\n', ROWS)],
)
def test_quotes_stand_where_values_begin_and_end(file: Path, row: str, expected: Misread) -> None:
    assert found(file, filled(QUOTED, 10_000) + row + filled(QUOTED, 10_000)) == expected


def test_a_value_that_is_never_closed_is_suspicious_where_all_is_read(file: Path) -> None:
    text = QUOTED + '"x,y\n' * 1001

    assert found(file, text) == ROWS
    assert found(file, QUOTED + '"x\nyyyy', reach=len(QUOTED) + 4) == NOTHING
    assert found(file, QUOTED + 'x,"y"') == NOTHING
    assert found(file, QUOTED + 'x,y"') == ROWS


def test_no_more_is_looked_at_than_is_read(file: Path) -> None:
    text = filled(PLAIN, 10_000)

    assert found(file, text + '007,5" pipe\n\n', reach=len(text)) == NOTHING


@pytest.mark.parametrize("text", ['"a",b\n', "a,b\n"])
def test_a_byte_order_mark_is_no_part_of_the_first_value(file: Path, text: str) -> None:
    assert found(file, f"\ufeff{text}x,y\n") == NOTHING
    assert found(file, f"\ufeff007,b\n{text}") == CODES
    assert found(file, f"007,b\n{text}") == CODES


def test_what_a_dialect_calls_a_line_a_cell_and_a_quote_is_one(file: Path) -> None:
    returns = Dialect("utf-8", Style(";", "'"), "\r", layout=Layout(1, width=2))

    assert found(file, "'a';'b'\r'x;y';'z'\r", returns) == NOTHING
    assert found(file, "'a';'b'\r\r'x;y';'z'\r", returns) == ROWS
    assert found(file, "'a';'b'\r'x;y'z;z\r", returns) == ROWS
    assert found(file, "'a';'b'\rx;'007'\r", returns) == CODES
    assert found(file, "'a';'b'\rx,007;y\r", returns) == NOTHING
    assert found(file, "a\n\nb\n", Dialect("utf-8", layout=Layout(1, width=1))) == NOTHING


def test_where_quotes_mean_nothing_only_those_are_noticed_that_would_mean_something(file: Path) -> None:
    no_quotes = Dialect("utf-8", Style(",", None), layout=Layout(1, width=2))

    assert found(file, filled('5" pipe,3"\n', 10_000), no_quotes) == NOTHING
    assert found(file, filled('5" pipe,3"\n', 10_000) + 'x,"y"\n', no_quotes) == ROWS
    assert found(file, filled('5" pipe,3"\n', 10_000) + '"x",y\n', no_quotes) == ROWS


def test_what_is_no_text_may_hide_codes(file: Path) -> None:
    for row in (b"\xff,x\n", b"\xc3"):
        file.write_bytes(PLAIN.encode() * 10_000 + row)

        assert has_codes(file, ",", '"', "\n")
    file.write_bytes(PLAIN.encode() + "ä,ö\n".encode() * PART_BYTES)
    assert not has_codes(file, ",", '"', "\n")
    file.write_bytes(b"")
    assert not has_codes(file, ",", '"', "\n")
