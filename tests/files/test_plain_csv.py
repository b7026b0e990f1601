"""CSV files made readable: what they hold as text, what had to be rewritten, and what is told of it."""

from __future__ import annotations

import csv
import os
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpy.contract import ReadOptions
from airpy.errors import FileUnavailable
from airpy.files.cells import Style
from airpy.files.datasets import dataset_at
from airpy.files.opening import Opening, forms_of
from airpy.files.paths import FileRoot
from airpy.files.plain_csv import CsvFile, faults_of, prepare, read
from tests.files.conftest import put

if TYPE_CHECKING:
    from collections.abc import Sequence

FAR = 40_000
"""Rows beyond what is looked at of a file's beginning, and its end."""


def opening(
    root: FileRoot,
    name: str,
    scratch: Path,
    *,
    rows: int | None = None,
    careful: bool = False,
    **options: Any,
) -> Opening:
    """How to open a data set of the test."""
    dataset = dataset_at(root, name, "uri")
    local = {path: path for path in dataset.files}
    every_column = True
    return Opening(
        dataset,
        ReadOptions(**options),
        None,
        scratch,
        rows,
        every_column,
        {},
        dataset.files,
        local,
        careful,
    )


def prepared(root: FileRoot, scratch: Path, content: str | bytes, **options: Any) -> CsvFile:
    """A file of that content, made readable."""
    path = put(root, "a.csv", content)
    return prepare(path, opening(root, "a.csv", scratch, **options))


def rows(file: CsvFile) -> list[tuple[str | None, ...]]:
    """What is read of it."""
    return read([file], {}).collect().rows()


@pytest.mark.parametrize(
    ("content", "columns", "expected", "rewritten"),
    [
        ("a,b\n1,2\n", ("a", "b"), [("1", "2")], False),
        ('a,b\n"",\n,""\n', ("a", "b"), [("", None), (None, "")], False),
        ("a,a,\n1,2,3\n", ("a", "a_2", "column_3"), [("1", "2", "3")], False),
        ("1,2\n3,4\n", ("column_1", "column_2"), [("1", "2"), ("3", "4")], False),
        ("Report\n\na,b\n1,2\n", ("a", "b"), [("1", "2")], False),
        ("a,b\n1,2\n3\n", ("a", "b"), [("1", "2"), ("3", None)], False),
        ("# x\na,b\n1,2\n# y\n3,4\n", ("a", "b"), [("1", "2"), ("3", "4")], False),
        ("a\r1\r2\r", ("a",), [("1",), ("2",)], False),
        ("a,b\r\n1,2\n3,4\r\n", ("a", "b"), [("1", "2"), ("3", "4")], False),
        ("a\n1\n\n3\n", ("a",), [("1",), (None,), ("3",)], False),
        ("a,b\n1,x\0y\n", ("a", "b"), [("1", "x\0y")], False),
        ("a,b\n1,2\n\n3,4\n", ("a", "b"), [("1", "2"), ("3", "4")], True),
        ("a,b\r\n1,2\r\n3,4\r\n\r\n", ("a", "b"), [("1", "2"), ("3", "4")], True),
        ("a,b\n1\n3,4\n", ("a", "b"), [("1", None), ("3", "4")], True),
        ("a,b\n1,2\n3,4,5\n", ("a", "b", "column_3"), [("1", "2", None), ("3", "4", "5")], True),
        (
            "a,b\n1,2,\n3,4,\n5,6,\n",
            ("a", "b", "column_3"),
            [("1", "2", None), ("3", "4", None), ("5", "6", None)],
            False,
        ),
        ("a,b\n1,2\n3,4,\n5,6\n", ("a", "b"), [("1", "2"), ("3", "4"), ("5", "6")], True),
        ('a,b\n"x" y,1\n2,3\n', ("a", "b"), [('"x" y', "1"), ("2", "3")], True),
        ('a,b\n1,"x\n2,y\n', ("a", "b"), [("1", '"x'), ("2", "y")], True),
        ("a, b\n1, 2\n3, 4\n", ("a", "b"), [("1", "2"), ("3", "4")], True),
        ('a,b\n"5\\" pipe, x",1\n"y",2\n', ("a", "b"), [('5" pipe, x', "1"), ("y", "2")], True),
        ("a,b,c\n1,2,3\n4,5,6\n\nSource: us\n", ("a", "b", "c"), [("1", "2", "3"), ("4", "5", "6")], True),
        ("a,b\r1,2\n3,4\r", ("a", "b"), [("1", "2"), ("3", "4")], True),
        ("größe\nübel\n".encode("cp1252"), ("größe",), [("übel",)], True),
        ("only,a,header\n", ("only", "a", "header"), [], True),
        ("a;b\n1,5;2\n", ("a", "b"), [("1,5", "2")], False),
    ],
)
@pytest.mark.parametrize("careful", [False, True])
def test_a_file_is_read_as_its_raw_text(  # noqa: PLR0917
    root: FileRoot,
    scratch: Path,
    content: str | bytes,
    columns: tuple[str, ...],
    expected: list[tuple[str | None, ...]],
    rewritten: bool,  # noqa: FBT001
    careful: bool,  # noqa: FBT001
) -> None:
    file = prepared(root, scratch, content, careful=careful)

    assert rows(file) == expected
    assert file.columns == tuple(read([file], {}).collect_schema()) == columns
    assert file.form.rewritten == (rewritten or careful)


def test_what_is_told_of_a_file(root: FileRoot, scratch: Path) -> None:
    content = 'Report;;\n;;\na;b;c\n1;2;3\n4;5\n6;7;8;9\n1;2;"x\n1;2;3\n\nSource: us\n'

    file = prepared(root, scratch, content)

    assert file.form.model_dump(exclude_none=True) == {
        "files": 1,
        "example": str(root.real / "a.csv"),
        "encoding": "utf-8",
        "delimiter": ";",
        "quote": '"',
        "escape": "",
        "comment": "",
        "line_end": "\n",
        "header": True,
        "header_rows": 1,
        "skipped_lines": 2,
        "footer_lines": 1,
        "rewritten": True,
    }
    assert file.columns == ("a", "b", "c", "column_4")
    assert file.ragged == 2
    assert [(fault.kind, fault.row, fault.line) for fault in file.examples] == [
        ("ragged_row", 2, 5),
        ("ragged_row", 3, 6),
        ("open_quote", 4, 7),
    ]
    assert faults_of([file, file]).rows_ragged == 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"delimiter": ";"}, [("1,2",), ("3,4",)]),
        ({"header": False}, [("a", "b"), ("1", "2"), ("3", "4")]),
        ({"skip": 1}, [("3", "4")]),
        ({"skip": 2, "header": False}, [("3", "4")]),
        ({"comment": "1"}, [("3", "4")]),
        ({"encoding": "latin-1"}, [("1", "2"), ("3", "4")]),
    ],
)
def test_the_options_decide(
    root: FileRoot, scratch: Path, options: dict[str, Any], expected: list[tuple[str, ...]]
) -> None:
    if options == {"skip": 1}:
        options |= {"header": True}

    assert rows(prepared(root, scratch, "a,b\n1,2\n3,4\n", **options)) == expected


@pytest.mark.parametrize(
    ("line", "later"),
    [
        ('x,"y\n', [("x", '"y')]),
        ('"x" z,y\n', [('"x" z', "y")]),
        ('5" pipe,y\n', [('5" pipe', "y")]),
        ("\n", []),
        ('"x\ny",z\n', [("x\ny", "z")]),
    ],
)
@pytest.mark.parametrize("filler", ["plain,text\n", '"quoted",text\n'])
def test_what_polars_reads_wrong_is_noticed_far_into_a_file(
    root: FileRoot, scratch: Path, line: str, later: list[tuple[str, str]], filler: str
) -> None:
    file = prepared(root, scratch, "a,b\n" + filler * FAR + line + filler * FAR)

    assert read([file], {}).select(pl.len()).collect().item() == 2 * FAR + len(later)
    assert read([file], {}).select("b").collect().height == 2 * FAR + len(later)
    assert rows(file)[FAR : FAR + len(later)] == later


def test_a_value_of_many_lines_at_the_end_of_the_head_is_no_fault(root: FileRoot, scratch: Path) -> None:
    row = '"first line\nsecond, ""line""\nthird",x\n'

    file = prepared(root, scratch, "a,b\n" + row * 20_000)

    assert not file.form.rewritten
    assert rows(file) == [('first line\nsecond, "line"\nthird', "x")] * 20_000


def test_letters_far_into_a_file_are_of_the_encoding_that_they_tell(root: FileRoot, scratch: Path) -> None:
    content = b"a,b\n" + b"plain,text\n" * FAR * 3 + "Größe,übel\n".encode("cp1252")

    trusting = prepared(root, scratch, content)
    careful = prepared(root, scratch, content, careful=True)

    with pytest.raises(pl.exceptions.ComputeError):
        rows(trusting)
    assert rows(careful)[-1] == ("Größe", "übel")
    assert careful.form.encoding == "cp1252"
    odd = prepared(root, scratch, content + b"x,y,z\n")
    assert rows(odd)[-2:] == [("Größe", "übel", None), ("x", "y", "z")]


def test_bytes_that_are_no_text_have_their_place(root: FileRoot, scratch: Path) -> None:
    with pytest.raises(FileUnavailable) as raised:
        prepared(root, scratch, b"a,b\n1,2,3\n\xff,4\n", encoding="utf-8")

    assert raised.value.reason == "ENCODING"
    assert raised.value.fault is not None
    assert (raised.value.fault.byte, raised.value.fault.line) == (10, 3)


def test_no_more_is_rewritten_than_is_asked_for(root: FileRoot, scratch: Path) -> None:
    file = prepared(root, scratch, "a, b\n" + "1, 2\n" * FAR, rows=10)

    assert rows(file) == [("1", "2")] * 10


@pytest.mark.parametrize("content", [b"", b"\n\n", b" \n"])
def test_nothing_is_an_empty_file(root: FileRoot, scratch: Path, content: bytes) -> None:
    with pytest.raises(FileUnavailable, match="is empty"):
        prepared(root, scratch, content)


def test_files_that_are_alike_are_one_scan(root: FileRoot, scratch: Path) -> None:
    for number in range(3):
        put(root, f"ds/{number}.csv", f"Report\n\nn,day\n{number},x\n")
    put(root, "ds/3.csv", "n;day\n3;x\n")
    how = opening(root, "ds", scratch)

    *alike, other = [prepare(path, how) for path in how.files]
    frame = read(alike, {"n": pl.Int64()})

    assert len({file.alike for file in alike}) == 1
    assert other.alike != alike[0].alike
    assert frame.explain().count("SCAN") == 1
    assert frame.collect().rows() == [(0, "x"), (1, "x"), (2, "x")]
    assert [
        (form.files, form.delimiter, form.example[-5:])
        for form in forms_of(file.form for file in [*alike, other])
    ] == [
        (3, ",", "0.csv"),
        (1, ";", "3.csv"),
    ]


def test_how_a_large_file_is_written_is_found_once(root: FileRoot, scratch: Path, tmp_path: Path) -> None:
    path = put(root, "a.csv", "n;day\n" + "1;'x;y'\n" * FAR)
    os.utime(path, (0, 0))
    remembering = root._replace(memory=tmp_path / "known")

    def style(**options: Any) -> Style:
        return prepare(path, opening(remembering, "a.csv", scratch, **options)).dialect.style

    assert [style(), style()] == [Style(";", "'")] * 2
    [known] = [place for place in (tmp_path / "known").iterdir() if ";" in place.read_text()]
    known.write_text(known.read_text().replace(";", "|"))

    assert style() == Style("|", "'")  # as it is remembered
    assert style(quote="'") == Style(";", "'")  # another question
    path.write_text("n;day\n" + "2;'x;y'\n" * FAR)
    os.utime(path, (0, 0))
    assert style() == Style(";", "'")  # another version of the file


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=6
)
cells = st.one_of(words, st.sampled_from(["", "a,b", 'say "hi"', "two\nlines", "1", "2.5", "it's; so"]))


@given(
    st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=10),
    st.sampled_from(",;|\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_is_written_with_every_quote_comes_back(
    table: Sequence[tuple[str, ...]], delimiter: str, line_end: str, encoding: str
) -> None:
    written = StringIO(newline="")
    csv.writer(written, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(
        [("first", "second", "third"), *table]
    )
    with TemporaryDirectory() as folder:
        base, scratch = Path(folder) / "base", Path(folder) / "scratch"
        base.mkdir()
        scratch.mkdir()
        root = FileRoot.at(base, (".csv",))
        path = put(root, "a.csv", written.getvalue().encode(encoding))
        file = prepare(path, opening(root, "a.csv", scratch, header=True, delimiter=delimiter))

        assert read([file], {}).collect().rows() == list(table)
        assert forms_of([file.form])[0].encoding == encoding
