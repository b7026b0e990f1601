"""The first rows of CSV files from their first bytes: the same as of the files themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from airpy.contract import ReadOptions
from airpy.files.datasets import dataset_at
from airpy.files.heads import LOOK_BYTES, head_of
from airpy.files.opening import Opening
from airpy.files.plain_csv import CsvFile, prepare, read
from airpy.files.scan import scan
from tests.files.conftest import put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airpy.files.paths import FileRoot

MANY = 4_000


def plainly(number: int) -> str:
    return f"{number},ä{number},x\n"


def over_lines(number: int) -> str:
    """A row on so many lines that the first bytes promise far more rows than they have."""
    return f'{number},"' + "\n" * (20 if number > MANY // 8 else 0) + f'{number}","a ""b"", c"\n'


def longer_and_longer(number: int) -> str:
    return f"{number},{'y' * (number // 100)},x\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path


def prepared(root: FileRoot, scratch: Path, content: str | bytes) -> CsvFile:
    path = put(root, "a.csv", content)
    dataset = dataset_at(root, "a.csv", "uri")
    local = {each: each for each in dataset.files}
    no_options = ReadOptions()
    return prepare(path, Opening(dataset, no_options, 1, scratch, None, True, {}, dataset.files, local))  # noqa: FBT003


@pytest.mark.parametrize("row", [plainly, over_lines, longer_and_longer])
@pytest.mark.parametrize("rows", [1, 300, 1_500, MANY, MANY + 1, None])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_rows_are_those_of_the_file(
    root: FileRoot, scratch: Path, row: Callable[[int], str], rows: int | None, mark: str
) -> None:
    file = prepared(root, scratch, mark + "id,b,c\n" + "".join(map(row, range(MANY))))
    whole = read([file], {}).collect()

    assert head_of(file, rows).equals(whole if rows is None else whole.head(rows))
    assert head_of(file, rows, [2, 0]).equals(head_of(file, rows).select("c", "id"))


def test_a_file_that_the_first_bytes_hold_is_read_to_its_end(root: FileRoot, scratch: Path) -> None:
    file = prepared(root, scratch, "a,b\n1,2\n3,4")

    assert head_of(file, 1).rows() == [("1", "2")]
    assert head_of(file, 9).rows() == [("1", "2"), ("3", "4")]


def test_what_is_wrong_behind_the_rows_does_not_matter(root: FileRoot, scratch: Path) -> None:
    rows = "".join(f"{number},x\n" for number in range(5 * MANY))
    file = prepared(root, scratch, f"a,b\n{rows}")
    with file.readable.open("a") as more:
        more.write('1,2,3\n"open')

    assert head_of(file, 100).rows() == [(str(number), "x") for number in range(100)]


def test_a_row_that_the_reader_does_not_take_is_told_as_of_the_file(root: FileRoot, scratch: Path) -> None:
    file = prepared(root, scratch, "a,b\n" + "1,x\n" * MANY)
    with file.readable.open("r+b") as there:
        there.seek(len("a,b\n1,x\n"))
        there.write(b"1,x,y,z\n" * (LOOK_BYTES // 4))

    with pytest.raises(pl.exceptions.ComputeError, match="more fields"):
        head_of(file, 100)


def test_only_columns_that_are_used_are_made_out(root: FileRoot, scratch: Path) -> None:
    put(root, "a.csv", "a,b,c\n1,2,3\n4,5,6\n")

    opened = scan(dataset_at(root, "a.csv", "uri"), infer_rows=10, scratch=scratch, columns={"b", "z"})

    assert [(each.name, each.type) for each in opened.evidence()] == [("b", "int64")]
    assert opened.frame.collect().rows() == [("1", 2, "3"), ("4", 5, "6")]


def test_rows_are_left_out_for_values_of_any_column(root: FileRoot, scratch: Path) -> None:
    put(root, "a.csv", "a,b\n" + "1,2\n" * 10 + "x,3\n")
    options = ReadOptions(on_error="skip")

    opened = scan(dataset_at(root, "a.csv", "uri"), options, infer_rows=5, scratch=scratch, columns={"b"})

    assert opened.frame.select(pl.col("b").sum()).collect().item() == 20
