"""Files that differ, read as one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import ReadOptions
from airpy.errors import FileUnavailable
from airpy.files.combining import as_one
from airpy.files.datasets import dataset_at
from airpy.files.scan import scan
from tests.files.conftest import held, put, write

if TYPE_CHECKING:
    from airpy.files.paths import FileRoot
    from tests.files.conftest import Read

DAY, MOMENT = dt.date(2025, 1, 2), dt.datetime(2025, 1, 2, 3)  # noqa: DTZ001  the columns have no zone
BIG = 2**53 + 1


def together(*columns: pl.Series) -> tuple[dict[str, str], list[Any]]:
    """The type and the values of what the columns are as one."""
    frame = as_one([column.alias("v").to_frame().lazy() for column in columns])
    types, rows = held(frame.collect())
    return types, [row[0] for row in rows]


@pytest.mark.parametrize(
    ("one", "other", "kind", "values"),
    [
        (pl.Series([1], dtype=pl.Int8), pl.Series([2**40]), "int64", [1, 2**40]),
        (pl.Series([1]), pl.Series([1.5]), "float64", [1.0, 1.5]),
        (pl.Series([2**53, None]), pl.Series([1.5]), "float64", [float(2**53), None, 1.5]),
        (pl.Series([BIG]), pl.Series([1.5]), "string", [str(BIG), "1.5"]),
        (pl.Series([1.5]), pl.Series([-BIG]), "string", ["1.5", str(-BIG)]),
        (pl.Series([BIG], dtype=pl.UInt64), pl.Series([1.5]), "string", [str(BIG), "1.5"]),
        (pl.Series([BIG], dtype=pl.Int64), pl.Series([1], dtype=pl.Int32), "int64", [BIG, 1]),
        (pl.Series([DAY]), pl.Series([MOMENT]), "timestamp", [dt.datetime(2025, 1, 2), MOMENT]),  # noqa: DTZ001
        (pl.Series(["x"]), pl.Series([DAY]), "string", ["x", "2025-01-02"]),
        (pl.Series(["x"]), pl.Series([1.5]), "string", ["x", "1.5"]),
        (pl.Series([None]), pl.Series([1]), "int64", [None, 1]),
    ],
)
def test_types_widen_without_loss(one: pl.Series, other: pl.Series, kind: str, values: list[Any]) -> None:
    assert together(one, other) == ({"v": kind}, values)


def test_a_contradiction_names_both_files_and_what_helps() -> None:
    frames = [pl.LazyFrame({"v": [each]}) for each in (1, 2, DAY)]

    with pytest.raises(FileUnavailable) as raised:
        as_one(frames, ["ds/1.csv", "ds/2.csv", "ds/3.csv"])

    assert raised.value.message == (
        '"v" holds numbers in "ds/1.csv" and times without a zone in "ds/3.csv", in files read as one'
    )
    assert raised.value.suggestion == ['{"types": {"v": "string"}}']


def test_what_helps_against_a_contradiction_does(root: FileRoot, scratch: Any) -> None:
    write(pl.DataFrame({"v": [1]}), root.real / "ds/1.parquet")
    write(pl.DataFrame({"v": [DAY]}), root.real / "ds/2.parquet")

    options = ReadOptions(types={"v": "string"})
    frame = scan(dataset_at(root, "ds", "uri"), options, infer_rows=100, scratch=scratch).frame

    assert frame.collect()["v"].to_list() == ["1", "2025-01-02"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_names_that_differ_in_case_alone_are_one_column(root: FileRoot, read: Read, form: str) -> None:
    write(pl.DataFrame({"Name": ["a"], "id": [1]}), root.real / f"ds/1.{form}")
    write(pl.DataFrame({"ID": [2], "name": ["b"]}), root.real / f"ds/2.{form}")

    assert held(read("ds")) == ({"Name": "string", "id": "int64"}, [["a", 1], ["b", 2]])


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_names_that_differ_in_case_within_a_file_are_two(root: FileRoot, read: Read, form: str) -> None:
    write(pl.DataFrame({"v": [1], "V": [2]}), root.real / f"ds/1.{form}")
    write(pl.DataFrame({"V": [3]}), root.real / f"ds/2.{form}")

    assert read("ds").rows() == [(1, 2), (None, 3)]


def test_a_renamed_column_of_json_may_be_text(root: FileRoot, read: Read) -> None:
    put(root, "ds/1.jsonl", '{"a":"x","b":1}\n')
    put(root, "ds/2.jsonl", '{"A":1.50,"b":2}\n')

    assert held(read("ds")) == ({"a": "string", "b": "int64"}, [["x", 1], ["1.50", 2]])
