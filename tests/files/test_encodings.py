"""Encodings that are found out, and bytes that are no text."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pytest

from airpy.errors import FileUnavailable, InvalidOptions
from airpy.files.encodings import bad_bytes, detect_encoding, known_encoding

if TYPE_CHECKING:
    from pathlib import Path

GERMAN = "Straße,Größe\nMüllerstraße,groß\nLöwengasse,übel\n"
FAR = 200_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "a.csv"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"a,b\n1,2\n", "utf-8"),
        (GERMAN.encode(), "utf-8"),
        (codecs.BOM_UTF8 + b"a\n1\n", "utf-8-sig"),
        (GERMAN.encode("utf-16"), "utf-16"),
        (GERMAN.encode("utf-32"), "utf-32"),
        (codecs.BOM_UTF16_BE + GERMAN.encode("utf-16-be"), "utf-16"),
        (GERMAN.encode("utf-16-le"), "utf-16-le"),
        (GERMAN.encode("utf-16-be"), "utf-16-be"),
        (GERMAN.encode("utf-32-le"), "utf-32-le"),
        (GERMAN.encode("utf-32-be"), "utf-32-be"),
        (GERMAN.encode("cp1252"), "cp1252"),
        ("имя,город\nИван,Москва\nМария,Петербург\nПривет как дела,хорошо\n".encode("cp1251"), "cp1251"),
    ],
)
def test_the_encoding_is_told_by_the_bytes(path: Path, content: bytes, encoding: str) -> None:
    path.write_bytes(content)

    assert detect_encoding(path) == encoding
    assert detect_encoding(path, whole=True) == encoding


def test_letters_far_into_a_file_tell_its_encoding_where_all_of_it_is_looked_at(path: Path) -> None:
    path.write_bytes(b"name\n" + b"plain\n" * FAR + GERMAN.encode("cp1252"))

    assert detect_encoding(path) == "utf-8"
    assert detect_encoding(path, whole=True) == "cp1252"


def test_one_bad_byte_among_letters_of_utf_8_is_a_fault_and_no_other_encoding(path: Path) -> None:
    path.write_bytes(GERMAN.encode() + b"caf\xe9\n")
    wrong = len(GERMAN.encode()) + 3

    with pytest.raises(FileUnavailable, match=f"byte {wrong} in line 4 is wrong") as raised:
        detect_encoding(path, shown="data/a.csv")

    assert raised.value.reason == "ENCODING"
    assert raised.value.fault is not None
    assert raised.value.fault.model_dump(exclude_none=True) == {
        "file": "data/a.csv",
        "kind": "bad_bytes",
        "byte": wrong,
        "line": 4,
        "text": "\\xe9",
    }


def test_bad_bytes_are_counted_over_blocks_and_cut_letters(path: Path) -> None:
    good = ("x" + "é" * 10 + "\n").encode() * FAR
    path.write_bytes(good + b"\xff\n")

    fault = bad_bytes(path, "utf-8")

    assert fault is not None
    assert (fault.byte, fault.line) == (len(good), FAR + 1)
    path.write_bytes(good)
    assert bad_bytes(path, "utf-8") is None


def test_a_letter_that_the_end_of_the_file_cuts_is_bad(path: Path) -> None:
    path.write_bytes("aé".encode()[:-1])

    fault = bad_bytes(path, "utf-8")

    assert fault is not None
    assert fault.byte == 1


@pytest.mark.parametrize(
    ("name", "found"), [("CP1252", "cp1252"), ("latin1", "iso8859-1"), ("UTF8", "utf-8")]
)
def test_an_encoding_has_many_names(name: str, found: str) -> None:
    assert known_encoding(name) == found


@pytest.mark.parametrize("name", ["cp1525", "base64", "no such", "\0"])
def test_what_is_no_encoding_of_text_is_refused(name: str) -> None:
    with pytest.raises(InvalidOptions) as raised:
        known_encoding(name)

    assert raised.value.field == "read.encoding"
    assert bool(raised.value.suggestion) == (name == "cp1525") or name == "base64"
