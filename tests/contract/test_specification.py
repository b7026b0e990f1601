"""The specification's examples, one test each: accepted as written, every field answered with its type."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.service import Service

SECONDS = dt.timedelta(seconds=60)

PLAN = {
    "dataset": "energy_parquet",
    "filters": [{"col": "timestamp", "op": ">=", "val": "2025-09-01T00:00:00Z"}],
    "select": ["timestamp", "site_id", "kwh", "cost"],
}
STEP = {
    "step": "file_found",
    "message": "Found people.csv",
    "timestamp": "2025-09-30T10:00:00Z",
    "duration_ms": 0,
}
FIELD = {"name": "timestamp", "type": "timestamp", "nullable": False}
ROW = {"timestamp": "2025-01-01T00:00:00Z", "site_id": "site_001", "kwh": 150.5, "cost": 22.58}


def shape_differs(shown: Any, given: Any) -> list[str]:
    """Where the answer lacks a field of the example, or has it with another type.

    Of a list in the example its first item stands for all, so that the answer's must not be empty; a tuple is
    met item by item.
    """
    return list(_differences(shown, given, "answer"))


def _differences(shown: Any, given: Any, place: str) -> Iterator[str]:
    match shown:
        case dict() if isinstance(given, dict):
            for key, value in shown.items():
                if key in given:
                    yield from _differences(value, given[key], f"{place}.{key}")
                else:
                    yield f"{place}.{key} is missing"
        case tuple() if isinstance(given, list) and len(given) == len(shown):
            for index, value in enumerate(shown):
                yield from _differences(value, given[index], f"{place}[{index}]")
        case [first, *_] if isinstance(given, list) and given:
            for index, item in enumerate(given):
                yield from _differences(first, item, f"{place}[{index}]")
        case bool() | str() | [] | None if isinstance(given, type(shown)):
            pass
        case int() | float() if isinstance(given, int | float) and not isinstance(given, bool):
            pass
        case _:
            yield f"{place} is {given!r}, shown as {shown!r}"


def job_example(steps: list[str], data: Any) -> dict[str, Any]:
    """A job as the specification shows it."""
    return {
        "token": 123,
        "status": "completed",
        "steps": [STEP] * len(steps),
        "data": data,
        "code": 200,
        "error": None,
    }


def run_as_shown(service: Service, path: str, body: Any, message: str) -> dict[str, Any]:
    """The finished job of a request, whose token was answered as the specification shows it."""
    response = service.post(path, body)
    started = response.json()

    assert response.status_code == 202, response.text
    assert started == {"token": started["token"], "status": "started", "message": message}

    return service.wait(started["token"])


def test_health(service: Service) -> None:
    example = {
        "status": "ok",
        "versions": {"pandas": "2.1.0", "polars": "0.20.0", "pyarrow": "13.0.0"},
        "memory_usage_mb": 256,
        "workers_active": 2,
        "active_jobs": 5,
        "next_token": 124,
    }

    response = service.get("health")
    health = response.json()

    assert response.status_code == 200
    assert shape_differs(example, health) == []
    assert health["versions"]["polars"] == pl.__version__
    assert health["versions"]["pyarrow"] == pa.__version__
    assert health["workers_active"] == 2


def test_tokens_count_up_from_one_to_the_next(service: Service, base: Path) -> None:
    body = {"datasource_id": "energy-files", "uri": f"{base}/energy"}

    first, second = service.submit("discover", body), service.submit("discover", body)
    following = service.get("health").json()["next_token"]

    assert 1 <= first < second < following


def test_a_running_job_has_the_steps_so_far_and_no_data(service: Service) -> None:
    # A waiting or running job is seen at once after the POST; a finished one has data.
    token = service.submit("query", {"datasource_id": "energy-files", "plan": PLAN})

    seen = service.get(f"jobs/{token}").json()
    while seen["status"] in {"started", "running"}:
        assert (
            shape_differs(
                {"token": 1, "status": "running", "steps": [], "data": None, "code": 200, "error": None}, seen
            )
            == []
        )
        assert (seen["data"], seen["code"], seen["error"]) == (None, 200, None)

        seen = service.get(f"jobs/{token}").json()

    assert seen["status"] == "completed"


def test_discover(service: Service, base: Path) -> None:
    steps = ["scanning_directory", "files_found", "discovery_complete"]
    example = job_example(
        steps,
        {
            "files": [
                {
                    "path": "/data/files/energy/2025/01/measurements.parquet",
                    "size_bytes": 1048576,
                    "modified": "2025-01-15T10:30:00Z",
                    "estimated_rows": 50000,
                }
            ],
            "total_files": 1,
            "total_size_bytes": 1048576,
        },
    )

    job = run_as_shown(
        service,
        "discover",
        {"datasource_id": "energy-files", "uri": f"{base}/energy", "recurse": True, "max_files": 1000},
        "File discovery job started",
    )

    assert shape_differs(example, job) == []
    assert [step["step"] for step in job["steps"]] == steps
    file = base / "energy" / "measurements.parquet"
    (found,) = job["data"]["files"]
    assert (found["path"], found["size_bytes"]) == (str(file), file.stat().st_size)
    assert found["estimated_rows"] == 36
    assert job["data"]["total_size_bytes"] == file.stat().st_size


def test_infer_schema(service: Service, base: Path) -> None:
    steps = ["file_found", "reading_file", "analyzing_schema", "schema_complete"]
    example = job_example(
        steps,
        {
            "schema": {"fields": [FIELD]},
            "stats": {
                "rows": 123456,
                "columns": 4,
                "null_ratio": {"kwh": 0.01, "cost": 0.02},
                "unique_counts": {"site_id": 25},
                "memory_usage_mb": 45.2,
            },
            "sample_preview": [ROW],
        },
    )

    job = run_as_shown(
        service,
        "infer_schema",
        {
            "datasource_id": "energy-files",
            "uri": f"{base}/energy/measurements.parquet",
            "sample_files": 3,
            "infer_rows": 20000,
        },
        "Schema inference job started",
    )

    assert shape_differs(example, job) == []
    assert [step["step"] for step in job["steps"]] == steps
    described = [
        (field["name"], field["type"], field["nullable"]) for field in job["data"]["schema"]["fields"]
    ]
    assert described == [
        ("timestamp", "timestamp", False),
        ("site_id", "string", False),
        ("kwh", "float64", True),
        ("cost", "float64", True),
    ]
    stats = job["data"]["stats"]
    assert (stats["rows"], stats["columns"]) == (36, 4)
    assert stats["null_ratio"]["kwh"] == pytest.approx(1 / 36)
    assert stats["unique_counts"]["site_id"] == 3


def test_preview(service: Service, base: Path) -> None:
    example = {
        "rows": [ROW],
        "schema": {"fields": [FIELD]},
        "stats": {"sampled": True, "total_rows": 123456, "sample_size": 100},
    }
    body = {"datasource_id": "energy-files", "path": f"{base}/energy/measurements.parquet", "limit": 100}

    whole = service.post("preview", body).json()
    cut = service.post("preview", {**body, "limit": 5}).json()

    # The last reading has no kWh and no cost.
    assert shape_differs(example, {**whole, "rows": whole["rows"][:35]}) == []
    assert whole["stats"]["sampled"] is False
    assert (whole["stats"]["total_rows"], whole["stats"]["sample_size"]) == (36, 36)
    assert shape_differs(example, cut) == []
    assert (cut["stats"]["sampled"], cut["stats"]["total_rows"], cut["stats"]["sample_size"]) == (True, 36, 5)
    assert cut["rows"][0] == {
        "timestamp": "2025-08-31T00:00:00Z",
        "site_id": "site_001",
        "kwh": 1.0,
        "cost": 0.15,
    }


def test_query_and_its_arrow_download(service: Service) -> None:
    steps = ["file_found", "loading_data", "applying_filters", "aggregating", "query_complete"]
    example = job_example(
        steps,
        {
            "rows": [{"day": "2025-09-01", "site_id": "site_001", "kwh_sum": 3600.5, "cost_sum": 540.75}],
            "schema": {"fields": [FIELD]},
            "metrics": {"rows": 30, "bytes": 2048, "execution_time_ms": 45000},
        },
    )
    plan = {
        **PLAN,
        "groupby": ["site_id", "day"],
        "aggs": [{"col": "kwh", "fn": "sum"}, {"col": "cost", "fn": "sum"}],
        "grain": "1 day",
        "order": [{"col": "day", "dir": "asc"}],
        "limit": 50000,
    }

    job = run_as_shown(
        service,
        "query",
        {"datasource_id": "energy-files", "plan": plan, "output": "arrow"},
        "Query execution job started",
    )
    download = service.get(f"jobs/{job['token']}/download")

    # Four readings a day and site; the last of site 3 has no kWh.
    expected = [
        ("site_001", "2025-09-01", 4.0, 0.60),
        ("site_002", "2025-09-01", 8.0, 1.20),
        ("site_003", "2025-09-01", 12.0, 1.80),
        ("site_001", "2025-09-02", 4.0, 0.60),
        ("site_002", "2025-09-02", 8.0, 1.20),
        ("site_003", "2025-09-02", 9.0, 1.35),
    ]
    assert shape_differs(example, job) == []
    assert [step["step"] for step in job["steps"]] == steps
    rows = [tuple(row.values()) for row in job["data"]["rows"]]
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    for row, wanted in zip(rows, expected, strict=True):
        assert row[2:] == pytest.approx(wanted[2:])
    assert list(job["data"]["rows"][0]) == ["site_id", "day", "kwh_sum", "cost_sum"]
    assert download.headers["content-type"] == "application/vnd.apache.arrow.stream"
    assert download.headers["x-arrow-rows"] == "6"
    assert int(download.headers["x-arrow-bytes"]) == len(download.content)
    table = pa.ipc.open_stream(download.content).read_all()
    told = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(download.headers["x-arrow-schema"])))
    assert told == table.schema
    assert table.column("day").to_pylist()[0] == dt.date(2025, 9, 1)
    assert table.column("kwh_sum").to_pylist() == [4.0, 8.0, 12.0, 4.0, 8.0, 9.0]


def readings_with_an_outlier() -> pl.DataFrame:
    """Forty hourly readings; kWh grows, one is far out, and six costs are missing (15 %)."""
    start = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
    kwh = [float(10 + hour % 7) for hour in range(40)]
    kwh[30] = 500.0
    cost = [None if hour < 6 else value * 0.15 for hour, value in enumerate(kwh)]
    times = [start + dt.timedelta(hours=hour) for hour in range(40)]
    sites = [f"site_{hour % 3:03}" for hour in range(40)]
    return pl.DataFrame({"timestamp": times, "site_id": sites, "kwh": kwh, "cost": cost})


ANALYSIS = {
    "metrics": {
        "rows": 10000,
        "columns": 12,
        "memory_usage_mb": 45.2,
        "correlations": [("kwh", "cost", 0.86)],
    },
    "issues": [
        {
            "code": "OUTLIERS",
            "severity": "warning",
            "detail": "kwh 3-sigma outliers detected on 2025-09-07",
            "affected_rows": 5,
        }
    ],
    "chart_hints": [{"type": "line", "x": "timestamp", "y": "kwh", "title": "Energy Usage Over Time"}],
    "sample": [{"timestamp": "2025-09-01T00:00:00Z", "site_id": "site_001", "kwh": 150.5}],
    "schema": {"fields": [FIELD]},
}
ANALYSIS_STEPS = [
    "loading_data",
    "basic_stats",
    "correlation_analysis",
    "outlier_detection",
    "analysis_complete",
]


def test_analyze_a_frame(service: Service) -> None:
    buffer = io.BytesIO()
    readings_with_an_outlier().write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest())
    body = {
        "frame_ref": {"type": "arrow", "data": base64.b64encode(buffer.getvalue()).decode()},
        "job_kind": "eda",
        "options": {"correlation_threshold": 0.7, "outlier_method": "iqr"},
    }

    job = run_as_shown(service, "analyze", body, "Analysis job started")

    assert shape_differs(job_example(ANALYSIS_STEPS, ANALYSIS), job) == []
    assert [step["step"] for step in job["steps"]] == ANALYSIS_STEPS
    data = job["data"]
    assert (data["metrics"]["rows"], data["metrics"]["columns"]) == (40, 4)
    issues = {(issue["code"], issue["column"]): issue for issue in data["issues"]}
    # The outlier is the 31st hour, which is on the second day.
    assert issues["OUTLIERS", "kwh"]["affected_rows"] == 1
    assert "2025-09-02" in issues["OUTLIERS", "kwh"]["detail"]
    assert issues["HIGH_NULL_RATIO", "cost"]["detail"] == "cost column has 15% null values"
    assert issues["HIGH_NULL_RATIO", "cost"]["affected_rows"] == 6
    assert ["kwh", "cost", 1.0] in [
        [one, two, round(r, 6)] for one, two, r in data["metrics"]["correlations"]
    ]
    assert {"line", "bar"} <= {hint["type"] for hint in data["chart_hints"]}


def test_analyze_the_result_of_a_plan(service: Service) -> None:
    body = {
        "datasource_id": "energy-files",
        "plan": PLAN,
        "job_kind": "profile",
        "options": {"include_correlations": True, "include_outliers": True},
    }

    job = run_as_shown(service, "analyze", body, "Analysis job started")

    assert shape_differs(job_example(ANALYSIS_STEPS, ANALYSIS), job) == []
    # Two days of four readings at three sites.
    assert job["data"]["metrics"]["rows"] == 24
    columns = {column["name"]: column for column in job["data"]["metrics"]["column_metrics"]}
    assert (columns["kwh"]["count"], columns["kwh"]["missing"]) == (23, 1)
    # Eight ones, eight twos and seven threes make 45.
    assert columns["kwh"]["mean"] == pytest.approx(45 / 23)


def test_one_answer_wherever_the_frame_came_from(service: Service, base: Path) -> None:
    frame = (base / "energy" / "measurements.parquet").read_bytes()
    sent = {
        "frame_ref": {"type": "parquet", "data": base64.b64encode(frame).decode()},
        "job_kind": "profile",
    }
    read = {"datasource_id": "energy-files", "plan": {"dataset": "energy_parquet"}, "job_kind": "profile"}

    from_frame, from_file = service.data("analyze", sent), service.data("analyze", read)

    assert from_file.pop("reading")["sources"]["total_files"] == 1
    assert from_file.pop("provenance")["plan"] == read["plan"]
    for hint in from_frame["chart_hints"]:
        assert hint["plan"]["dataset"] == "frame"
        hint["plan"]["dataset"] = "energy_parquet"  # what was sent has no other name
    assert from_frame == from_file


def test_the_error_envelope(service: Service) -> None:
    example = {
        "error": {
            "code": "VALIDATION_ERROR",
            "message": "Human-readable error message",
            "details": {
                "field": "specific field that failed validation",
                "constraint": "what constraint was violated",
            },
            "request_id": "req_12345",
        }
    }
    plan = {**PLAN, "filters": [{"col": "timestamp", "op": "=>", "val": "2025-09-01T00:00:00Z"}]}

    response = service.post(
        "query",
        {"datasource_id": "energy-files", "plan": plan},
        headers={"X-Request-Id": "req_12345"},
    )

    assert response.status_code == 400
    assert shape_differs(example, response.json()) == []
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["details"]["field"] == "plan.filters[0].op"
    assert error["request_id"] == response.headers["x-request-id"] == "req_12345"


def test_the_environment_of_the_specifications_compose_file_is_understood(tmp_path: Path) -> None:
    from airpy.config import Settings

    environment = {
        "PY_AUTH_SECRET": "shared-secret, made longer than 32 bytes",
        "PY_BASE_PATH": str(tmp_path),
        "PY_MAX_ROWS_JSON": "50000",
        "PY_INFER_ROWS": "20000",
        "PY_MEMORY_MB": "2048",
        "PY_WORKERS": "2",
        "REDIS_URL": "redis://redis:6379/0",
        "CELERY_BROKER_URL": "redis://redis:6379/1",
    }

    with pytest.MonkeyPatch.context() as patch:
        for name in ("DRAMATIQ_BROKER_URL", *environment):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        settings = Settings.from_env()

    assert (settings.redis_url, settings.broker_url) == ("redis://redis:6379/0", "redis://redis:6379/1")
    assert (settings.memory_mb, settings.workers, settings.max_rows_json) == (2048, 2, 50_000)


def test_a_jobs_steps_begin_at_its_start_and_never_go_back(service: Service) -> None:
    job = service.run("query", {"datasource_id": "energy-files", "plan": PLAN})

    durations = [step["duration_ms"] for step in job["steps"]]
    times = [dt.datetime.fromisoformat(step["timestamp"]) for step in job["steps"]]
    assert durations == sorted(durations)
    assert times == sorted(times)
    assert dt.datetime.fromisoformat(job["created_at"]) <= times[0]
    assert times[-1] - times[0] < SECONDS
    assert json.dumps(job).count("\n") == 0
