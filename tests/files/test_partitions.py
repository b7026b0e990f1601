"""Columns that the folders of a data set name, in every format alike."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import Filter
from airpy.engine.schema import type_name
from airpy.files import json_lines, parquet, weighing
from airpy.files.datasets import dataset_at
from airpy.files.paths import FileRoot
from airpy.files.scan import scan
from tests.files.conftest import EXTENSIONS, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.files.conftest import Read

FORMATS = ["csv", "jsonl", "parquet"]


def put_partitions(root: FileRoot, form: str, *folders: str) -> None:
    """One file in each of the folders under `ds/`, whose only value is the folder's place in the list."""
    for place, folder in enumerate(folders):
        write(pl.DataFrame({"v": [place]}), root.real / "ds" / folder / f"a.{form}")


def by_value(frame: pl.DataFrame, column: str) -> list[Any]:
    """The column in the order of `v`."""
    return frame.sort("v")[column].to_list()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("written", "kind", "values"),
    [
        (["2024", "2025"], "int64", [2024, 2025]),
        (["01", "12"], "int64", [1, 12]),
        (["-5", "0"], "int64", [-5, 0]),
        (["2024-02-29", "2025-01-01"], "date", [dt.date(2024, 2, 29), dt.date(2025, 1, 1)]),
        (["2024-02-30", "2025-01-01"], "string", ["2024-02-30", "2025-01-01"]),
        (["north", "süd"], "string", ["north", "süd"]),
        (["1", "x"], "string", ["1", "x"]),
        (["1.5", "2"], "string", ["1.5", "2"]),
        (["true", "false"], "string", ["true", "false"]),
        (
            ["2025-01-01 10:00:00", "2025-01-02 10:00:00"],
            "string",
            ["2025-01-01 10:00:00", "2025-01-02 10:00:00"],
        ),
        (["99999999999999999999", "1"], "string", ["99999999999999999999", "1"]),
        (["__HIVE_DEFAULT_PARTITION__", "3"], "int64", [None, 3]),
        (["__HIVE_DEFAULT_PARTITION__", "2025-01-01"], "date", [None, dt.date(2025, 1, 1)]),
        (["__HIVE_DEFAULT_PARTITION__", "x"], "string", [None, "x"]),
        (["a%2Fb", "c d"], "string", ["a/b", "c d"]),
        (["%E4%B8%AD", "a+b"], "string", ["中", "a+b"]),
        (["100%", "%zz"], "string", ["100%", "%zz"]),
        (["a=b", "c"], "string", ["a=b", "c"]),
        (["", "x"], "string", ["", "x"]),
    ],
)
def test_partitions_are_columns_of_one_type(
    root: FileRoot, read: Read, form: str, written: list[str], kind: str, values: list[Any]
) -> None:
    put_partitions(root, form, *(f"p={value}" for value in written))

    frame = read("ds")

    assert frame.columns == ["v", "p"]
    assert type_name(frame.schema["p"]) == kind
    assert by_value(frame, "p") == values


@pytest.mark.parametrize("form", FORMATS)
def test_partitions_nest(root: FileRoot, read: Read, form: str) -> None:
    put_partitions(root, form, "year=2024/site=a", "year=2024/site=b", "year=2025/site=a/deeper")

    frame = read("ds")

    assert frame.columns == ["v", "year", "site"]
    assert sorted(frame.rows()) == [(0, 2024, "a"), (1, 2024, "b"), (2, 2025, "a")]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["", "p=1"], [{"v": 0, "p": None}, {"v": 1, "p": 1}]),
        (["p=1", "p=1/q=x"], [{"v": 0, "p": 1, "q": None}, {"v": 1, "p": 1, "q": "x"}]),
        (["p=1", "q=x"], [{"v": 0, "p": 1, "q": None}, {"v": 1, "p": None, "q": "x"}]),
        (["p=1/q=x", "q=y/p=2"], [{"v": 0, "p": 1, "q": "x"}, {"v": 1, "p": 2, "q": "y"}]),
        (["p=1/p=2", "p=3/p=4"], [{"v": 0, "p": 2}, {"v": 1, "p": 4}]),
        (["=x", "plain"], [{"v": 0}, {"v": 1}]),
        (["p%20q=1", "p%20q=2"], [{"v": 0, "p%20q": 1}, {"v": 1, "p%20q": 2}]),
        (["^p$=1", "^p$=2"], [{"v": 0, "^p$": 1}, {"v": 1, "^p$": 2}]),
        (["v=7", "v=8"], [{"v": 7}, {"v": 8}]),
    ],
)
def test_uneven_and_odd_partitions_are_read_in_every_format(
    root: FileRoot, read: Read, form: str, folders: list[str], expected: list[dict[str, Any]]
) -> None:
    put_partitions(root, form, *folders)

    assert read("ds").sort("v").to_dicts() == expected


@pytest.mark.parametrize("form", FORMATS)
def test_only_folders_below_what_was_asked_for_are_partitions(
    tmp_path: Path, scratch: Path, form: str
) -> None:
    base = tmp_path / "owner=me" / "base"
    base.mkdir(parents=True)
    root = FileRoot.at(base, EXTENSIONS)
    put_partitions(root, form, "year=2024/m=1", "year=2025/m=2")

    def columns(requested: str) -> list[str]:
        frame = scan(dataset_at(root, requested, "uri"), infer_rows=10, scratch=scratch).frame
        return frame.collect_schema().names()

    assert columns("ds") == ["v", "year", "m"]
    assert columns("ds/year=2025") == ["v", "m"]
    assert columns("ds/year=2025/m=2") == ["v"]
    assert columns(f"ds/year=2025/m=2/a.{form}") == ["v"]
    assert columns(f"ds/year=2025/*/a.{form}") == ["v", "m"]
    assert columns(f"ds/year=*/m=*/*.{form}") == ["v", "year", "m"]
    assert columns(f"**/*.{form}") == ["v", "year", "m"]


@pytest.mark.parametrize("form", FORMATS)
def test_partitions_stay_columns_where_files_differ(root: FileRoot, read: Read, form: str) -> None:
    write(pl.DataFrame({"v": [0]}), root.real / f"ds/p=1/a.{form}")
    write(pl.DataFrame({"v": [1.5], "w": ["x"]}), root.real / f"ds/p=2/a.{form}")

    assert read("ds").sort("v").to_dicts() == [
        {"v": 0.0, "p": 1, "w": None},
        {"v": 1.5, "p": 2, "w": "x"},
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_a_sample_has_its_partitions(root: FileRoot, read: Read, form: str) -> None:
    put_partitions(root, form, "p=1", "p=2")

    assert read("ds", rows_per_file=1).rows() == [(0, 1), (1, 2)]


@pytest.mark.parametrize("form", FORMATS)
def test_a_data_set_may_have_more_partitions_than_are_compared(
    root: FileRoot, read: Read, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (weighing, json_lines, parquet):
        monkeypatch.setattr(room, "MOST_COMPARED", 1)
    put_partitions(root, form, "p=1", "p=2/q=x", "p=3")

    assert read("ds").sort("v").to_dicts() == [
        {"v": 0, "p": 1, "q": None},
        {"v": 1, "p": 2, "q": "x"},
        {"v": 2, "p": 3, "q": None},
    ]


def test_a_filter_on_a_partition_skips_the_files_of_others(root: FileRoot, scratch: Path) -> None:
    put_partitions(root, "parquet", "year=2024", "year=2025", "year=2026")
    frame = scan(dataset_at(root, "ds", "uri"), infer_rows=10, scratch=scratch).frame
    (root.real / "ds/year=2026/a.parquet").write_text("no Parquet any more")  # the first tells the columns

    asked = frame.filter(pl.col("year") == 2025)

    assert "year=2025" in asked.explain()
    assert "year=2024" not in asked.explain()
    assert "year=2026" not in asked.explain()
    assert asked.collect(engine="streaming").rows() == [(1, 2025)]


def test_a_filter_on_a_date_partition_skips_the_files_of_others(root: FileRoot, scratch: Path) -> None:
    put_partitions(root, "parquet", "day=2025-01-01", "day=2025-01-02", "day=__HIVE_DEFAULT_PARTITION__")
    frame = scan(dataset_at(root, "ds", "uri"), infer_rows=10, scratch=scratch).frame

    asked = frame.filter(pl.col("day") >= dt.date(2025, 1, 2))

    assert "day=2025-01-01" not in asked.explain()
    assert asked.collect(engine="streaming").rows() == [(1, dt.date(2025, 1, 2))]


def test_many_partitions_are_one_scan_of_parquet(root: FileRoot, scratch: Path) -> None:
    put_partitions(root, "parquet", *(f"p={number:03}" for number in range(100)))

    frame = scan(dataset_at(root, "ds", "uri"), infer_rows=10, scratch=scratch).frame

    assert frame.explain().count("SCAN") == 1
    assert frame.collect().filter(pl.col("v") != pl.col("p")).is_empty()


def passed(root: FileRoot, scratch: Path, *filters: dict[str, Any]) -> list[int]:
    """The values of `v` in the files that the filters do not spare."""
    asked = [Filter.model_validate(item) for item in filters]
    frame = scan(dataset_at(root, "ds", "uri"), infer_rows=20_000, scratch=scratch, filters=asked).frame
    return sorted(frame.select("v").collect().to_series().to_list())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("filters", "values"),
    [
        ([{"col": "year", "op": "=", "val": 2025}], [2, 3]),
        ([{"col": "year", "op": ">", "val": 2023}, {"col": "month", "op": "in", "val": [1]}], [0, 2]),
        ([{"col": "month", "op": "is_null"}], [4]),
        # Filters on the files' own columns are for whoever reads them.
        ([{"col": "v", "op": "=", "val": 1}], [0, 1, 2, 3, 4]),
        ([{"col": "year", "op": "=", "val": 2025}, {"col": "v", "op": "=", "val": 1}], [2, 3]),
        # Trees spare files when all their columns are partitions.
        (
            [{"any": [{"col": "year", "op": "=", "val": 2026}, {"col": "month", "op": "=", "val": 2}]}],
            [1, 3, 4],
        ),
        ([{"not": {"col": "year", "op": ">=", "val": 2025}}], [0, 1]),
        ([{"col": "month", "op": "<", "col2": "year"}], [0, 1, 2, 3]),
        (
            [{"any": [{"col": "year", "op": "=", "val": 2025}, {"col": "v", "op": "=", "val": 0}]}],
            [0, 1, 2, 3, 4],
        ),
        (
            [{"not": {"all": [{"col": "year", "op": "=", "val": 2025}, {"col": "v", "op": "=", "val": 0}]}}],
            [0, 1, 2, 3, 4],
        ),
        ([{"col": "year", "op": "<", "col2": "v"}], [0, 1, 2, 3, 4]),
        # When nothing passes, one file tells the schema.
        ([{"col": "year", "op": "=", "val": 1900}], [0]),
        # What cannot be compared is for the plan to refuse.
        ([{"col": "year", "op": "=", "val": "soon"}], [0, 1, 2, 3, 4]),
    ],
)
def test_files_whose_partitions_cannot_pass_are_not_opened(
    root: FileRoot, tmp_path: Path, form: str, filters: list[dict[str, Any]], values: list[int]
) -> None:
    put_partitions(
        root,
        form,
        "year=2024/month=1",
        "year=2024/month=2",
        "year=2025/month=1",
        "year=2025/month=2",
        "year=2026",
    )

    assert passed(root, tmp_path, *filters) == values


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_broken_file_in_a_partition_that_is_ruled_out_does_no_harm(
    root: FileRoot, tmp_path: Path, form: str
) -> None:
    put_partitions(root, form, "year=2024", "year=2025")
    (root.real / "ds" / "year=2024" / f"a.{form}").write_bytes(b"")

    assert passed(root, tmp_path, {"col": "year", "op": ">=", "val": 2025}) == [1]
