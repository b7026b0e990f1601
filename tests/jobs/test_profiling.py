from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import Plan
from airpy.jobs.profiling import is_plain

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jobs.conftest import Bench

PARTS: list[list[float | None]] = [[1.0, 2.0, 3.0], [3.0, 4.0, None, 9.0], [5.0, 6.0]]


@pytest.fixture
def bench(bench: Bench) -> Bench:
    """A bench that remembers."""
    files = bench.context.files._replace(memory=bench.base.parent / "memory")
    return bench._replace(context=bench.context._replace(files=files))


def write(folder: Path, number: int, values: list[float | None], form: str = "parquet") -> Path:
    """A file that was written some time ago, so that it is not going to change."""
    folder.mkdir(exist_ok=True)
    path = folder / f"part-{number}.{form}"
    frame = pl.DataFrame({"x": values, "site": [f"s{number}"] * len(values)})
    frame.write_csv(path) if form == "csv" else frame.write_parquet(path)
    old = time.time() - 100
    os.utime(path, (old, old))
    return path


def profile(bench: Bench, dataset: str) -> dict[str, Any]:
    """What was measured of a data set; floats to twelve digits, since sums depend on their order."""
    data = bench.data("analyze", {"plan": {"dataset": dataset}, "job_kind": "profile"})
    del data["metrics"]["memory_usage_mb"]
    return {name: rounded(data[name]) for name in ("metrics", "issues")}


def rounded(part: Any) -> Any:
    """A part of an answer with floats of twelve digits."""
    match part:
        case float():
            return float(f"{part:.12g}")
        case list():
            return [rounded(each) for each in part]
        case dict():
            return {name: rounded(each) for name, each in part.items()}
        case _:
            return part


def states(bench: Bench) -> list[Path]:
    """What is remembered of files."""
    memory = bench.context.files.memory
    assert memory is not None
    return sorted(memory.iterdir()) if memory.exists() else []


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_files_are_measured_one_by_one_as_if_they_were_one(bench: Bench, form: str) -> None:
    for number, values in enumerate(PARTS):
        write(bench.base / "parts", number, values, form)
    whole = [value for values in PARTS for value in values]
    sites = [f"s{number}" for number, values in enumerate(PARTS) for _ in values]
    pl.DataFrame({"x": whole, "site": sites}).write_parquet(bench.base / "whole.parquet")

    assert profile(bench, "parts") == profile(bench, "whole.parquet")


def test_a_file_that_is_known_is_not_measured_again(bench: Bench) -> None:
    for number, values in enumerate(PARTS):
        write(bench.base / "parts", number, values)
    first = profile(bench, "parts")
    kept = states(bench)
    assert len(kept) == len(PARTS)

    # What is remembered of one file is put in the place of what is of another: so it is what counts.
    by_rows = sorted(kept, key=lambda path: path.stat().st_size)
    again = profile(bench, "parts")
    assert again == first
    assert states(bench) == kept
    for path in by_rows[1:]:
        path.write_bytes(by_rows[0].read_bytes())
    assert profile(bench, "parts")["metrics"] != first["metrics"]


def test_a_new_file_costs_the_measuring_of_that_file(bench: Bench) -> None:
    for number, values in enumerate(PARTS[:2]):
        write(bench.base / "parts", number, values)
    profile(bench, "parts")
    known = {path: path.stat().st_mtime_ns for path in states(bench)}

    write(bench.base / "parts", 2, PARTS[2])
    metrics = profile(bench, "parts")["metrics"]

    assert metrics["rows"] == sum(map(len, PARTS))
    assert len(states(bench)) == len(known) + 1
    assert {path: path.stat().st_mtime_ns for path in known} == known


def test_a_file_that_has_changed_is_measured_anew(bench: Bench) -> None:
    write(bench.base / "parts", 0, [1.0, 2.0])
    assert profile(bench, "parts")["metrics"]["column_metrics"][0]["max"] == 2.0

    write(bench.base / "parts", 0, [1.0, 7.0])

    assert profile(bench, "parts")["metrics"]["column_metrics"][0]["max"] == 7.0


def test_files_of_different_columns_are_measured_together(bench: Bench) -> None:
    write(bench.base / "parts", 0, [1.0])
    pl.DataFrame({"x": [2], "site": ["a"], "more": [True]}).write_parquet(bench.base / "parts" / "z.parquet")

    metrics = profile(bench, "parts")["metrics"]

    assert (metrics["rows"], metrics["columns"]) == (2, 3)
    assert [column["missing"] for column in metrics["column_metrics"]] == [0, 0, 1]


@pytest.mark.parametrize(
    ("plan", "plain"),
    [
        ({}, True),
        ({"timezone": "Europe/Berlin"}, True),
        ({"filters": [{"col": "x", "op": ">", "val": 1}]}, False),
        ({"select": ["x"]}, False),
        ({"limit": 3}, False),
    ],
)
def test_a_plan_is_plain_when_it_changes_nothing(plan: dict[str, Any], plain: object) -> None:
    assert is_plain(Plan.model_validate({"dataset": "e", **plan})) is plain
