from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.envelope import refused

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from tests.service import Service

CLEAN = {"rows_skipped": 0, "values_nulled": 0, "rows_ragged": 0, "examples": []}
ENERGY = ["energy/measurements.parquet", "csv", "jsonl/*.jsonl"]


def preview(service: Service, path: str, **options: Any) -> httpx2.Response:
    return service.post("preview", {"datasource_id": "energy-files", "path": path, **options})


@pytest.mark.parametrize("path", ENERGY)
def test_a_preview_is_the_first_rows_in_file_order(service: Service, path: str) -> None:
    answer = preview(service, path, limit=4)

    assert answer.status_code == 200
    shown = answer.json()
    assert shown.pop("reading")["faults"] == CLEAN
    assert shown == {
        "rows": [
            {"timestamp": "2025-08-31T00:00:00Z", "site_id": "site_001", "kwh": 1.0, "cost": 0.15},
            {"timestamp": "2025-08-31T00:00:00Z", "site_id": "site_002", "kwh": 2.0, "cost": 0.3},
            {"timestamp": "2025-08-31T00:00:00Z", "site_id": "site_003", "kwh": 3.0, "cost": 0.45},
            {"timestamp": "2025-08-31T06:00:00Z", "site_id": "site_001", "kwh": 1.0, "cost": 0.15},
        ],
        "schema": {
            "fields": [
                # More rows follow, of which nothing is known.
                {"name": "timestamp", "type": "timestamp", "nullable": True, "timezone": "UTC"},
                {"name": "site_id", "type": "string", "nullable": True},
                {"name": "kwh", "type": "float64", "nullable": True},
                {"name": "cost", "type": "float64", "nullable": True},
            ]
        },
        "stats": {"sampled": True, "total_rows": 36, "total_rows_exact": True, "sample_size": 4},
    }


@pytest.mark.parametrize("path", ENERGY)
@pytest.mark.parametrize(("limit", "shown", "sampled"), [(35, 35, True), (36, 36, False), (37, 36, False)])
def test_a_preview_says_whether_there_is_more(
    service: Service, path: str, *, limit: int, shown: int, sampled: bool
) -> None:
    answer = preview(service, path, limit=limit).json()

    assert answer["stats"] == {
        "sampled": sampled,
        "total_rows": 36,
        "total_rows_exact": True,
        "sample_size": shown,
    }
    assert len(answer["rows"]) == shown


def test_all_rows_tell_which_columns_have_nulls(service: Service) -> None:
    answer = preview(service, "csv/measurements.csv").json()

    assert [field["nullable"] for field in answer["schema"]["fields"]] == [False, False, True, True]
    assert answer["rows"][35] == {
        "timestamp": "2025-09-02T18:00:00Z",
        "site_id": "site_003",
        "kwh": None,
        "cost": None,
    }


def test_a_header_alone_is_a_schema_without_rows(service: Service, odd: Path) -> None:
    answer = preview(service, f"{odd}/header.csv").json()

    assert answer.pop("reading")["faults"] == CLEAN
    assert answer == {
        "rows": [],
        "schema": {
            "fields": [
                {"name": "name", "type": "string", "nullable": False},
                {"name": "age", "type": "string", "nullable": False},
            ]
        },
        "stats": {"sampled": False, "total_rows": 0, "total_rows_exact": True, "sample_size": 0},
    }


@pytest.mark.parametrize("name", ["empty.csv", "empty.jsonl"])
def test_an_empty_file_is_named(service: Service, odd: Path, name: str) -> None:
    error = refused(preview(service, f"{odd}/{name}"), 422, "EMPTY_FILE", code="IO_ERROR")

    assert error["message"] == f'"{name}" is empty'


BROKEN = [
    ("empty.parquet", "EMPTY_FILE", '"empty.parquet" is empty'),
    ("broken.parquet", "UNREADABLE_FILE", '"broken.parquet" does not end as Parquet does; it may be cut off'),
]


@pytest.mark.parametrize(("name", "reason", "message"), BROKEN)
def test_a_file_that_is_not_what_it_says_is_refused(
    service: Service, odd: Path, name: str, reason: str, message: str
) -> None:
    error = refused(preview(service, f"{odd}/{name}"), 422, reason, code="IO_ERROR")

    assert error["message"] == message


def test_a_directory_without_data_files_is_refused(service: Service, odd: Path) -> None:
    error = refused(preview(service, f"{odd}/notes"), 422, "NO_DATA_FILES", code="IO_ERROR")

    assert error["message"] == '"notes" has no data files'


@pytest.mark.parametrize("limit", [0, -1, 1_000_001, "10", 1.5, None, True])
def test_a_limit_that_is_no_number_of_rows_is_refused(service: Service, limit: object) -> None:
    error = refused(preview(service, "csv", limit=limit), 400, "SCHEMA_VIOLATION")

    assert error["details"]["field"] == "limit"
    assert error["message"].startswith("limit: ")


def test_a_preview_makes_no_job(service: Service) -> None:
    before = service.get("health").json()["next_token"]

    preview(service, "csv")

    assert service.get("health").json()["next_token"] == before
