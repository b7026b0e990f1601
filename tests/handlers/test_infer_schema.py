from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.conftest import energy
from tests.envelope import failed, refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service

FIELDS = [
    {"name": "timestamp", "type": "timestamp", "nullable": False, "timezone": "UTC"},
    {"name": "site_id", "type": "string", "nullable": False},
    {"name": "kwh", "type": "float64", "nullable": True},
    {"name": "cost", "type": "float64", "nullable": True},
]
ENERGY = ["energy/measurements.parquet", "energy", "csv/measurements.csv", "jsonl/*.jsonl"]


def inferred(service: Service, uri: str, **options: Any) -> dict[str, Any]:
    return service.data("infer_schema", {"datasource_id": "energy-files", "uri": uri, **options})


def test_infer_schema_answers_with_a_token_and_where_to_poll(service: Service) -> None:
    answer = service.post("infer_schema", {"datasource_id": "energy-files", "uri": "energy"})

    assert answer.status_code == 202
    token = answer.json()["token"]
    assert answer.json() == {"token": token, "status": "started", "message": "Schema inference job started"}
    assert answer.headers["location"] == f"/v1/py/jobs/{token}"
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("uri", ENERGY)
def test_every_format_has_the_same_schema(service: Service, uri: str) -> None:
    assert inferred(service, uri)["schema"] == {"fields": FIELDS}


@pytest.mark.parametrize("uri", ENERGY)
def test_every_format_has_the_same_statistics(service: Service, uri: str) -> None:
    stats = inferred(service, uri)["stats"]

    assert 0 <= stats.pop("memory_usage_mb") < 0.1
    assert stats == {
        "rows": 36,
        "columns": 4,
        "null_ratio": pytest.approx({"timestamp": 0, "site_id": 0, "kwh": 1 / 36, "cost": 1 / 36}),
        "unique_counts": {"timestamp": 12, "site_id": 3, "kwh": 3, "cost": 3},
        "unique_exact": True,
        "files": 1,
        "sampled_rows": 36,
        "rows_exact": True,
    }


@pytest.mark.parametrize("uri", ENERGY)
def test_the_preview_is_the_first_ten_rows(service: Service, uri: str) -> None:
    preview = inferred(service, uri)["sample_preview"]

    assert len(preview) == 10
    assert preview[0] == {
        "timestamp": "2025-08-31T00:00:00Z",
        "site_id": "site_001",
        "kwh": 1.0,
        "cost": 0.15,
    }
    assert preview[9] == {
        "timestamp": "2025-08-31T18:00:00Z",
        "site_id": "site_001",
        "kwh": 1.0,
        "cost": 0.15,
    }


def test_a_directory_is_one_data_set_whose_partitions_are_columns(service: Service, base: Path) -> None:
    for year, rows in ((2024, 3), (2025, 6)):
        folder = base / "_partitioned" / f"year={year}"
        folder.mkdir(parents=True)
        energy().head(rows).write_csv(folder / "part.csv")

    data = inferred(service, "_partitioned")

    assert data["stats"]["rows"] == 9
    assert data["stats"]["files"] == 2
    assert data["stats"]["unique_counts"]["year"] == 2
    assert data["schema"]["fields"][-1] == {"name": "year", "type": "int64", "nullable": False}


def test_a_sample_counts_the_rows_of_the_whole(service: Service) -> None:
    stats = inferred(service, "energy/measurements.parquet", infer_rows=6)["stats"]

    assert (stats["rows"], stats["sampled_rows"], stats["rows_exact"]) == (36, 6, True)
    assert stats["unique_counts"] == {"timestamp": 2, "site_id": 3, "kwh": 3, "cost": 3}


def test_a_column_is_not_null_beyond_the_sample_only_if_its_file_says_so(service: Service) -> None:
    from_parquet = inferred(service, "energy/measurements.parquet", infer_rows=6)["schema"]["fields"]
    from_text = inferred(service, "csv/measurements.csv", infer_rows=6)["schema"]["fields"]

    assert [field["nullable"] for field in from_parquet] == [False, False, True, True]
    assert [field["nullable"] for field in from_text] == [True, True, True, True]


def test_nested_types_are_described_to_the_bottom(service: Service, base: Path) -> None:
    frame = pl.DataFrame({"tags": [["a"]], "place": [{"lat": 1.5, "names": ["x"]}]})
    frame.write_parquet(base / "_nested.parquet")

    data = inferred(service, "_nested.parquet")

    member = {"nullable": True}
    text = {"name": "item", "type": "string", **member}
    assert data["schema"]["fields"] == [
        {"name": "tags", "type": "list", "nullable": False, "items": text},
        {
            "name": "place",
            "type": "struct",
            "nullable": False,
            "fields": [
                {"name": "lat", "type": "float64", **member},
                {"name": "names", "type": "list", **member, "items": text},
            ],
        },
    ]
    assert data["stats"]["unique_counts"] == {}


def test_a_header_alone_has_columns_and_no_rows(service: Service, odd: Path) -> None:
    data = inferred(service, f"{odd}/header.csv")

    assert data["schema"] == {
        "fields": [
            {"name": "name", "type": "string", "nullable": False},
            {"name": "age", "type": "string", "nullable": False},
        ]
    }
    assert (data["stats"]["rows"], data["stats"]["columns"]) == (0, 2)
    assert data["stats"]["null_ratio"] == {"name": 0.0, "age": 0.0}
    assert data["sample_preview"] == []


@pytest.mark.parametrize("name", ["empty.csv", "empty.jsonl"])
def test_an_empty_text_file_fails_the_job_by_name(service: Service, odd: Path, name: str) -> None:
    job = service.run("infer_schema", {"datasource_id": "e", "uri": f"{odd}/{name}"})

    error = failed(job, 422, "EMPTY_FILE", code="IO_ERROR")
    assert error["message"] == f'"{name}" is empty'
    assert error["details"]["constraint"] == "a file with at least one byte"


BROKEN = [
    ("empty.parquet", "EMPTY_FILE", '"empty.parquet" is empty'),
    ("broken.parquet", "UNREADABLE_FILE", '"broken.parquet" does not end as Parquet does; it may be cut off'),
    ("broken.jsonl", "FAULTY_ROW", '"broken.jsonl", line 2 is no JSON object: "{"a":"'),
]


@pytest.mark.parametrize(("name", "reason", "message"), BROKEN)
def test_a_file_that_is_not_what_it_says_fails_the_job(
    service: Service, odd: Path, name: str, reason: str, message: str
) -> None:
    job = service.run("infer_schema", {"datasource_id": "e", "uri": f"{odd}/{name}"})

    error = failed(job, 422, reason, code="IO_ERROR")
    assert error["message"] == message


def test_a_change_of_the_request_that_works_is_told_with_the_fault(service: Service, odd: Path) -> None:
    asked = {"datasource_id": "e", "uri": f"{odd}/broken.jsonl"}

    details = failed(service.run("infer_schema", asked), 422, "FAULTY_ROW", code="IO_ERROR")["details"]
    [change] = details["suggestion"]
    mended = service.data("infer_schema", asked | {change["path"].strip("/"): change["value"]})

    assert (details["fault"]["kind"], details["fault"]["line"], details["fault"]["byte"]) == (
        "bad_json",
        2,
        9,
    )
    assert change == {"op": "add", "path": "/read", "value": {"on_error": "skip"}}
    assert mended["reading"]["faults"]["rows_skipped"] == 1


def test_a_directory_without_data_files_is_refused(service: Service, odd: Path) -> None:
    answer = service.post("infer_schema", {"datasource_id": "e", "uri": f"{odd}/notes"})

    error = refused(answer, 422, "NO_DATA_FILES", code="IO_ERROR")
    assert error["message"] == '"notes" has no data files'
    assert error["details"]["constraint"] == "at least one file with an extension of: .csv, .parquet, .jsonl"


def test_files_of_different_formats_are_no_data_set(service: Service, base: Path) -> None:
    folder = base / "_mixed"
    folder.mkdir()
    energy().write_csv(folder / "a.csv")
    energy().write_parquet(folder / "a.parquet")

    answer = service.post("infer_schema", {"datasource_id": "e", "uri": "_mixed"})

    error = refused(answer, 400, "AMBIGUOUS_DATASET")
    assert error["message"] == '"_mixed" holds files of different formats: csv, parquet'
    assert error["details"]["suggestion"] == [f"{folder}/**/*.csv", f"{folder}/**/*.parquet"]
    for suggestion in error["details"]["suggestion"]:
        assert inferred(service, suggestion)["stats"]["rows"] == 36


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"sample_files": 0}, "sample_files"),
        ({"sample_files": 1001}, "sample_files"),
        ({"infer_rows": -1}, "infer_rows"),
        ({"infer_rows": 10.5}, "infer_rows"),
        ({"infer_rows": None}, "infer_rows"),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused(
    service: Service, options: dict[str, Any], field: str
) -> None:
    answer = service.post("infer_schema", {"datasource_id": "e", "uri": "energy", **options})

    assert refused(answer, 400, "SCHEMA_VIOLATION")["details"]["field"] == field


def test_the_steps_are_the_specifications(service: Service) -> None:
    job = service.run("infer_schema", {"datasource_id": "e", "uri": "energy/measurements.parquet"})

    assert [step["step"] for step in job["steps"]] == [
        "file_found",
        "reading_file",
        "analyzing_schema",
        "schema_complete",
    ]
    assert job["steps"][0]["message"] == "Found measurements.parquet"


# Evidence


def put(base: Path, name: str, text: str) -> None:
    path = base / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def evidence(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in data["columns"]}


def test_every_column_of_text_tells_why_it_has_its_type(service: Service, base: Path) -> None:
    put(base, "_told.csv", 'zip,day,n,price\n00501,31/12/2025,1,"1.234,5"\n10001,01/02/2025,NA,"7"\n')

    told = evidence(inferred(service, "_told.csv"))

    assert told["zip"] == {
        "name": "zip",
        "type": "string",
        "note": "leading zeros",
        "values": 2,
        "nulls": 0,
        "null_markers": {},
        "candidates": [
            {"type": "string", "accepted": 2, "counter_examples": []},
            {"type": "int64", "accepted": 1, "counter_examples": [counter("_told.csv", 1, "00501", base)]},
            {"type": "float64", "accepted": 1, "counter_examples": [counter("_told.csv", 1, "00501", base)]},
        ],
        "confidence": 1.0,
        "scan": "full",
    }
    assert (told["day"]["type"], told["day"]["form"]) == ("date", "%d/%m/%Y")
    assert (told["n"]["type"], told["n"]["nulls"], told["n"]["null_markers"]) == ("int64", 1, {"NA": 1})
    assert (told["price"]["type"], told["price"]["form"]) == ("float64", "1.234,56")


def counter(name: str, row: int, value: str, base: Path) -> dict[str, Any]:
    return {"file": str(base / name), "row": row, "value": value}


def test_parquet_says_its_types_itself(service: Service) -> None:
    assert inferred(service, "energy/measurements.parquet")["columns"] == []


@pytest.mark.parametrize("infer_rows", [20_000, 0])
def test_a_counter_example_is_named_by_its_file_and_row(
    service: Service, base: Path, infer_rows: int
) -> None:
    put(base, f"_two{infer_rows}/a.csv", "v\n1\n2\n")
    put(base, f"_two{infer_rows}/b.csv", "v\n3\nx\n")

    told = evidence(inferred(service, f"_two{infer_rows}", infer_rows=infer_rows))["v"]

    assert (told["type"], told["values"], told["scan"]) == ("string", 4, "full")
    integer = next(each for each in told["candidates"] if each["type"] == "int64")
    assert integer["accepted"] == 3
    assert integer["counter_examples"] == [counter(f"_two{infer_rows}/b.csv", 2, "x", base)]


def test_every_row_decides_where_that_is_asked(service: Service, base: Path) -> None:
    rows = 120_000
    put(base, "_late.csv", "id,code\n" + "".join(f"{n},5\n" for n in range(rows - 1)) + f"{rows},007\n")

    sample, whole = inferred(service, "_late.csv"), inferred(service, "_late.csv", infer_rows=0)

    assert [field["type"] for field in sample["schema"]["fields"]] == ["int64", "int64"]
    assert [field["type"] for field in whole["schema"]["fields"]] == ["int64", "string"]
    assert evidence(sample)["code"]["scan"] == "sample"
    assert evidence(sample)["code"]["confidence"] < 1
    assert evidence(whole)["code"]["scan"] == "full"
    stats = whole["stats"]
    assert (stats["rows"], stats["sampled_rows"], stats["unique_exact"]) == (rows, rows, False)
    assert stats["unique_counts"]["code"] == 2
    assert stats["unique_counts"]["id"] == pytest.approx(rows, rel=0.1)
    assert stats["null_ratio"] == {"id": 0.0, "code": 0.0}
    assert [field["nullable"] for field in whole["schema"]["fields"]] == [False, False]


@pytest.mark.parametrize("extension", ["parquet", "jsonl"])
def test_many_rows_of_other_formats_are_counted_as_well(service: Service, base: Path, extension: str) -> None:
    frame = pl.DataFrame({"id": range(120_000), "half": [None, 1.5] * 60_000})
    path = base / f"_many_rows.{extension}"
    frame.write_parquet(path) if extension == "parquet" else frame.write_ndjson(path)

    data = inferred(service, path.name, infer_rows=0)

    assert (data["stats"]["rows"], data["stats"]["sampled_rows"]) == (120_000, 120_000)
    assert data["stats"]["null_ratio"] == {"id": 0.0, "half": 0.5}
    assert data["stats"]["unique_counts"]["half"] == 1
    assert data["stats"]["unique_exact"] is False


def test_a_sample_of_many_files_is_of_exactly_so_many_rows(service: Service, base: Path) -> None:
    for name in "abc":
        put(base, f"_three/{name}.csv", "v\n" + "1\n" * 10)

    stats = inferred(service, "_three", infer_rows=20)["stats"]

    assert (stats["rows"], stats["sampled_rows"]) == (30, 20)


@pytest.mark.parametrize(
    ("read", "field", "suggestion"),
    [
        ({"types": {"kWh": "float64"}}, "read.types.kWh", ["kwh"]),
        ({"decimal": ",", "thousands": ","}, "read.thousands", None),
        ({"date_format": "%H:%M"}, "read.date_format", None),
    ],
)
def test_read_options_that_cannot_be_met_fail_the_job(
    service: Service, read: dict[str, Any], field: str, suggestion: list[str] | None
) -> None:
    job = service.run("infer_schema", {"datasource_id": "e", "uri": "csv/measurements.csv", "read": read})

    error = failed(job, 400, "INVALID_OPTIONS")
    assert (error["details"]["field"], error["details"].get("suggestion")) == (field, suggestion)


def test_types_of_string_give_raw_text(service: Service, base: Path) -> None:
    put(base, "_raw.csv", "a,b\n007,NULL\n1.50,\n")

    data = inferred(service, "_raw.csv", read={"types": "string"})

    assert data["sample_preview"] == [{"a": "007", "b": "NULL"}, {"a": "1.50", "b": None}]
