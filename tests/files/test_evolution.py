"""How columns differ from file to file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.files.datasets import dataset_at
from airpy.files.evolution import evolution_of, spellings
from airpy.files.scan import scan
from tests.files.conftest import write

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.files.paths import FileRoot

I32, I64, F64, S = pl.Int32(), pl.Int64(), pl.Float64(), pl.String()


def told(evolution: Any) -> list[dict[str, Any]]:
    """The changes as they are in an answer."""
    return [change.model_dump(mode="json", by_alias=True, exclude_unset=True) for change in evolution.changes]


def test_nothing_changes_where_files_are_alike() -> None:
    evolution = evolution_of({"1": {"a": I64}, "2": {"a": I64}}, {"a": I64})

    assert (evolution.changes, evolution.files_compared, evolution.total_changes) == ([], 2, 0)


def test_every_change_is_told_with_its_file() -> None:
    files: dict[str, dict[str, pl.DataType]] = {
        "1": {"a": I32, "b": S},
        "2": {"a": I64, "c": F64},
        "3": {"a": I64, "B": S, "c": F64},
    }

    evolution = evolution_of(files, {"a": I64, "b": S, "c": F64}, {"3": {"B": "b"}})

    assert told(evolution) == [
        {"file": "2", "column": "a", "change": "retyped", "from": "int32", "to": "int64"},
        {"file": "2", "column": "c", "change": "introduced", "to": "float64"},
        {"file": "2", "column": "b", "change": "dropped", "from": "string"},
        {"file": "3", "column": "b", "change": "renamed", "from": "b", "to": "B"},
    ]


def test_a_cast_is_told_where_the_file_has_another_type_than_the_union() -> None:
    evolution = evolution_of({"1": {"a": F64}, "2": {"a": I64}, "3": {"b": I32}}, {"a": F64, "b": I64})

    assert told(evolution) == [
        {
            "file": "2",
            "column": "a",
            "change": "retyped",
            "from": "float64",
            "to": "int64",
            "cast": "float64",
        },
        {"file": "3", "column": "b", "change": "introduced", "to": "int32", "cast": "int64"},
        {"file": "3", "column": "a", "change": "dropped", "from": "int64"},
    ]


def test_a_column_without_values_has_no_other_type() -> None:
    files: dict[str, dict[str, pl.DataType]] = {
        "1": {"a": pl.Null()},
        "2": {"a": I64},
        "3": {"a": pl.Null()},
        "4": {"a": I64},
    }

    assert evolution_of(files, {"a": I64}).changes == []


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (pl.Datetime("us"), pl.Datetime("us", "UTC"), ("timestamp[us]", "timestamp[us, UTC]")),
        (pl.Decimal(10, 2), pl.Decimal(12, 2), ("decimal(10, 2)", "decimal(12, 2)")),
        (pl.List(I32), pl.List(I64), ("list<int32>", "list<int64>")),
        (pl.Struct({"x": I32}), pl.Struct({"y": I32}), ("struct<x: int32>", "struct<y: int32>")),
    ],
)
def test_types_are_told_so_far_as_they_differ(
    one: pl.DataType, other: pl.DataType, words: tuple[str, str]
) -> None:
    (change,) = evolution_of({"1": {"a": one}, "2": {"a": other}}, {"a": other}).changes

    assert (change.from_, change.to) == words


def test_no_more_than_a_thousand_changes_are_told() -> None:
    files: dict[str, dict[str, pl.DataType]] = {str(number): {f"c{number}": I64} for number in range(1001)}

    evolution = evolution_of(files, {})

    assert (len(evolution.changes), evolution.total_changes) == (1000, 2000)


def test_the_first_spelling_counts_unless_one_file_has_two() -> None:
    files = {"1": ["Name", "a"], "2": ["name", "A", "b"], "3": ["B", "b"], "4": ["NAME", "B"]}

    assert spellings(files) == {"2": {"name": "Name", "A": "a"}, "4": {"NAME": "Name"}}


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_files_tell_how_they_changed(root: FileRoot, scratch: Path, form: str) -> None:
    write(pl.DataFrame({"a": [1]}), root.real / f"ds/1.{form}")
    write(pl.DataFrame({"A": [2.5], "b": ["x"]}), root.real / f"ds/2.{form}")

    evolution = scan(
        dataset_at(root, "ds", "uri"), infer_rows=100, scratch=scratch, rows_per_file=50
    ).evolution()

    file = root.shown(root.real / f"ds/2.{form}")
    assert told(evolution) == [
        {"file": file, "column": "a", "change": "retyped", "from": "int64", "to": "float64"},
        {"file": file, "column": "a", "change": "renamed", "from": "a", "to": "A"},
        {"file": file, "column": "b", "change": "introduced", "to": "string"},
    ]
    assert evolution.files_compared == 2
