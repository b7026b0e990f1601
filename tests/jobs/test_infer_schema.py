from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.errors import AmbiguousDataset, FileUnavailable

if TYPE_CHECKING:
    from tests.jobs.conftest import Bench

ROWS = 40


def readings(start: int = 0) -> pl.DataFrame:
    """40 readings; every tenth has no kwh, and there are four sites."""
    return pl.DataFrame(
        {
            "reading": range(start, start + ROWS),
            "site": [f"s{number % 4}" for number in range(ROWS)],
            "kwh": [None if number % 10 == 9 else number + 0.5 for number in range(ROWS)],
        }
    )


def nullable(data: dict[str, Any]) -> list[str]:
    """Columns that may have nulls."""
    return [field["name"] for field in data["schema"]["fields"] if field["nullable"]]


def test_a_file_read_whole_is_described_exactly(bench: Bench) -> None:
    readings().write_csv(bench.base / "readings.csv")

    data = bench.data("infer_schema", {"uri": "readings.csv"})

    assert [(field["name"], field["type"]) for field in data["schema"]["fields"]] == [
        ("reading", "int64"),
        ("site", "string"),
        ("kwh", "float64"),
    ]
    assert nullable(data) == ["kwh"]
    stats = data["stats"]
    assert (stats["rows"], stats["columns"], stats["files"], stats["sampled_rows"]) == (40, 3, 1, 40)
    assert stats["null_ratio"] == {"reading": 0.0, "site": 0.0, "kwh": 0.1}
    assert stats["unique_counts"] == {"reading": 40, "site": 4, "kwh": 36}
    assert stats["rows_exact"]
    assert bench.step_names == ["file_found", "reading_file", "analyzing_schema", "schema_complete"]


def test_the_preview_has_ten_rows(bench: Bench) -> None:
    readings().write_csv(bench.base / "readings.csv")

    rows = bench.data("infer_schema", {"uri": "readings.csv"})["sample_preview"]

    assert len(rows) == 10
    assert rows[0] == {"reading": 0, "site": "s0", "kwh": 0.5}
    assert rows[9] == {"reading": 9, "site": "s1", "kwh": None}


def test_of_a_sample_all_rows_are_counted_and_any_column_may_have_nulls(bench: Bench) -> None:
    readings().write_csv(bench.base / "readings.csv")

    data = bench.data("infer_schema", {"uri": "readings.csv", "infer_rows": 8})

    assert (data["stats"]["rows"], data["stats"]["sampled_rows"]) == (40, 8)
    assert data["stats"]["null_ratio"] == {"reading": 0.0, "site": 0.0, "kwh": 0.0}
    assert data["stats"]["unique_counts"] == {"reading": 8, "site": 4, "kwh": 8}
    assert nullable(data) == ["reading", "site", "kwh"]


def test_parquets_own_counts_say_which_columns_have_no_nulls(bench: Bench) -> None:
    readings().write_parquet(bench.base / "readings.parquet", row_group_size=10)

    data = bench.data("infer_schema", {"uri": "readings.parquet", "infer_rows": 8})

    assert (data["stats"]["rows"], data["stats"]["sampled_rows"]) == (40, 8)
    assert nullable(data) == ["kwh"]


def test_parquet_without_counts_may_have_nulls_anywhere(bench: Bench) -> None:
    readings().write_parquet(bench.base / "readings.parquet", statistics=False)

    data = bench.data("infer_schema", {"uri": "readings.parquet", "infer_rows": 8})

    assert nullable(data) == ["reading", "site", "kwh"]


def test_the_footers_of_very_many_files_are_not_read(bench: Bench) -> None:
    for number in range(65):
        pl.DataFrame({"x": [number, number]}).write_parquet(bench.base / f"{number:02}.parquet")

    data = bench.data("infer_schema", {"uri": ".", "infer_rows": 1})

    assert (data["stats"]["rows"], data["stats"]["files"]) == (130, 65)
    assert nullable(data) == ["x"]


def test_no_limit_reads_every_row(bench: Bench) -> None:
    readings().write_csv(bench.base / "readings.csv")

    data = bench.data("infer_schema", {"uri": "readings.csv", "infer_rows": 0})

    assert data["stats"]["sampled_rows"] == 40
    assert bench.steps[1][1] == "Reading all rows of 1 file"


def test_the_service_decides_how_many_rows_are_read_by_default(bench: Bench) -> None:
    readings().write_csv(bench.base / "readings.csv")
    small = bench._replace(context=bench.context._replace(infer_rows=5))

    assert small.data("infer_schema", {"uri": "readings.csv"})["stats"]["sampled_rows"] == 5


def test_rows_are_read_evenly_from_the_files_sampled(bench: Bench) -> None:
    (bench.base / "many").mkdir()
    for number in range(6):
        readings(start=100 * number).write_parquet(bench.base / "many" / f"{number}.parquet")

    data = bench.data("infer_schema", {"uri": "many", "sample_files": 2, "infer_rows": 10})

    # Five rows each of the first and the fourth file: 0 to 4, and 300 to 304.
    assert (data["stats"]["rows"], data["stats"]["files"], data["stats"]["sampled_rows"]) == (240, 6, 10)
    assert [row["reading"] for row in data["sample_preview"]] == [0, 1, 2, 3, 4, 300, 301, 302, 303, 304]
    assert bench.steps[0][1] == "Found many: 6 files"


def test_folders_that_name_a_column_are_a_column(bench: Bench) -> None:
    for year in (2024, 2025):
        (bench.base / "hive" / f"year={year}").mkdir(parents=True)
        pl.DataFrame({"kwh": [1.5, 2.5]}).write_parquet(bench.base / "hive" / f"year={year}" / "m.parquet")

    data = bench.data("infer_schema", {"uri": "hive"})

    assert {field["name"]: field["type"] for field in data["schema"]["fields"]} == {
        "kwh": "float64",
        "year": "int64",
    }
    assert data["stats"]["unique_counts"] == {"kwh": 2, "year": 2}


def test_a_file_with_a_header_alone_has_no_rows(bench: Bench) -> None:
    (bench.base / "empty.csv").write_bytes(b"site,kwh\n")

    data = bench.data("infer_schema", {"uri": "empty.csv"})

    assert [field["name"] for field in data["schema"]["fields"]] == ["site", "kwh"]
    assert data["stats"]["rows"] == 0
    assert data["stats"]["null_ratio"] == {"site": 0.0, "kwh": 0.0}
    assert data["stats"]["memory_usage_mb"] == 0
    assert data["sample_preview"] == []


def test_the_size_in_memory_is_that_of_the_whole(bench: Bench) -> None:
    """A million 64-bit integers are 8 000 000 bytes, 7.629 MiB, however few of them are read."""
    pl.DataFrame({"x": pl.int_range(1_000_000, eager=True)}).write_parquet(bench.base / "x.parquet")

    data = bench.data("infer_schema", {"uri": "x.parquet", "infer_rows": 100})

    assert data["stats"]["memory_usage_mb"] == 7.629


def test_nested_columns_have_nulls_counted_and_values_not(bench: Bench) -> None:
    frame = pl.DataFrame({"tags": [["a"], None], "place": [{"lat": 1.5}, {"lat": 2.5}]})
    frame.write_parquet(bench.base / "nested.parquet")

    data = bench.data("infer_schema", {"uri": "nested.parquet"})

    assert data["stats"]["null_ratio"] == {"tags": 0.5, "place": 0.0}
    assert data["stats"]["unique_counts"] == {}


def test_nothing_is_left_beside_the_result(bench: Bench) -> None:
    (bench.base / "latin.csv").write_bytes("site,name\n1,Zürich\n2,Genève\n".encode("latin-1"))

    data = bench.data("infer_schema", {"uri": "latin.csv"})

    assert data["sample_preview"][0] == {"site": 1, "name": "Zürich"}
    assert [path.name for path in bench.context.folder.iterdir()] == ["data.json"]


def test_what_cannot_be_found_is_refused_before_the_job(bench: Bench) -> None:
    with pytest.raises(FileUnavailable) as caught:
        bench.check("infer_schema", {"uri": "readings.csv"})

    assert caught.value.field == "uri"


def test_a_directory_of_two_formats_is_refused_before_the_job(bench: Bench) -> None:
    readings().write_csv(bench.base / "a.csv")
    readings().write_parquet(bench.base / "b.parquet")

    with pytest.raises(AmbiguousDataset):
        bench.check("infer_schema", {"uri": "."})
