"""What the footers of Parquet files say of what is to be read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl
import pytest

from airpy.contract import Filter
from airpy.files.datasets import dataset_at
from airpy.files.footers import measured
from airpy.files.paths import FileRoot

if TYPE_CHECKING:
    from pathlib import Path

NOON = dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)
SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}


def times(unit: str, *parts: int) -> pl.DataFrame:
    """So many of the unit after noon."""
    after = pl.Series(parts).cast(pl.Duration(unit))  # type: ignore[arg-type]
    return pl.DataFrame({"at": pl.Series([NOON], dtype=pl.Datetime(unit, "UTC")) + after})  # type: ignore[arg-type]


def groups_left(folder: Path, frame: pl.DataFrame, **filters: Any) -> int | None:
    """How many row groups, of one row each, are left by a filter."""
    frame.write_parquet(folder / "f.parquet", row_group_size=1)
    dataset = dataset_at(FileRoot.at(folder, (".parquet",)), "f.parquet", "path")
    schema = nw.from_native(frame).schema
    return measured(dataset, None, [Filter(**filters)], schema, ZoneInfo("UTC")).row_groups_left


@pytest.mark.parametrize("unit", SECOND)
@pytest.mark.parametrize(
    ("op", "seconds", "left"),
    [(">", 0, 2), (">=", 1, 1), ("<", 0, 0), ("<=", 0, 1), ("<", 1, 2), ("=", 3600, 1), ("=", 7, 0)],
)
def test_times_rule_out_what_they_must_and_no_more(
    tmp_path: Path, unit: str, op: str, seconds: int, left: int
) -> None:
    frame = times(unit, 0, 1000 if unit == "ns" else 1, 3600 * SECOND[unit])
    value = (NOON + dt.timedelta(seconds=seconds)).isoformat()

    assert groups_left(tmp_path, frame, col="at", op=op, val=value) == left


@pytest.mark.parametrize("op", [">", "<=", "="])
def test_what_is_finer_than_a_microsecond_rules_nothing_out_by_that(tmp_path: Path, op: str) -> None:
    assert groups_left(tmp_path, times("ns", 1), col="at", op=op, val=NOON.isoformat()) == 1


@pytest.mark.parametrize(("op", "left"), [("<", 1), ("=", 1), (">", 0)])
def test_times_of_a_day_rule_out_as_well(tmp_path: Path, op: str, left: int) -> None:
    frame = pl.DataFrame({"at": [dt.time(3), dt.time(4)]})

    assert groups_left(tmp_path, frame, col="at", op=op, val="04:00:00") == left


def test_a_time_beyond_python_s_years_rules_nothing_out(tmp_path: Path) -> None:
    frame = pl.DataFrame({"at": [2**62]}).select(pl.col("at").cast(pl.Datetime("us")))

    assert groups_left(tmp_path, frame, col="at", op="<", val="2025-01-01T00:00:00") == 1
