from __future__ import annotations

import base64
import io
import statistics
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

from tests.conftest import energy
from tests.envelope import failed, refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service

# kwh and cost of the 35 readings that have them: 12 of site 1, 12 of site 2, 11 of site 3.
KWH = [1.0] * 12 + [2.0] * 12 + [3.0] * 11


def as_stream(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    table = frame.to_arrow()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def as_file(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.write_ipc(sink)
    return sink.getvalue()


def as_parquet(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.write_parquet(sink)
    return sink.getvalue()


def frame_ref(frame: bytes, form: str = "arrow") -> dict[str, str]:
    return {"type": form, "data": base64.b64encode(frame).decode()}


def of_plan(kind: str = "eda", dataset: str = "energy_parquet", **options: Any) -> dict[str, Any]:
    plan = {"dataset": dataset}
    return {"datasource_id": "energy-files", "plan": plan, "job_kind": kind, "options": options}


def of_frame(frame: pl.DataFrame, kind: str = "eda", **options: Any) -> dict[str, Any]:
    return {"frame_ref": frame_ref(as_stream(frame)), "job_kind": kind, "options": options}


def test_analyze_answers_with_a_token_and_where_to_poll(service: Service) -> None:
    answer = service.post("analyze", of_plan())

    assert answer.status_code == 202
    token = answer.json()["token"]
    assert answer.json() == {"token": token, "status": "started", "message": "Analysis job started"}
    assert answer.headers["location"] == f"/v1/py/jobs/{token}"
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("dataset", ["energy_parquet", "csv", "jsonl/*.jsonl"])
def test_the_answer_measures_the_frame_whatever_its_format(service: Service, dataset: str) -> None:
    data = service.data("analyze", of_plan(dataset=dataset))

    metrics = data["metrics"]
    reported = ["job_kind", "metrics", "issues", "chart_hints", "sample", "schema"]
    assert list(data) == [*reported, "reading", "provenance"]
    assert data["job_kind"] == "eda"
    assert (metrics["rows"], metrics["columns"], metrics["duplicate_rows"]) == (36, 4, 0)
    assert 0 <= metrics["memory_usage_mb"] < 0.1
    assert "column_metrics" not in metrics
    assert [(field["name"], field["type"]) for field in data["schema"]["fields"]] == [
        ("timestamp", "timestamp"),
        ("site_id", "string"),
        ("kwh", "float64"),
        ("cost", "float64"),
    ]
    assert [field["nullable"] for field in data["schema"]["fields"]] == [False, False, True, True]
    assert len(data["sample"]) == 10
    assert data["sample"][4] == {
        "timestamp": "2025-08-31T06:00:00Z",
        "site_id": "site_002",
        "kwh": 2.0,
        "cost": 0.3,
    }


def test_pairs_of_numbers_and_times_are_correlated_strongest_first(service: Service) -> None:
    pairs = service.data("analyze", of_plan())["metrics"]["correlations"]

    both = [row for row in energy().rows() if row[2] is not None]
    with_time = statistics.correlation([row[0].timestamp() for row in both], [row[2] for row in both])
    assert pairs[0] == ["kwh", "cost", pytest.approx(1)]
    assert sorted(pairs[1:]) == [
        ["timestamp", "cost", pytest.approx(with_time)],
        ["timestamp", "kwh", pytest.approx(with_time)],
    ]


def test_strong_correlations_are_issues(service: Service) -> None:
    issues = service.data("analyze", of_plan())["issues"]

    assert [(issue["code"], issue["column"], issue["affected_rows"]) for issue in issues] == [
        ("HIGH_CORRELATION", "kwh", 35)
    ]
    assert issues[0]["filter"] == [{"col": "kwh", "op": "not_null"}, {"col": "cost", "op": "not_null"}]
    assert [example["row"] for example in issues[0]["examples"]] == [1, 2, 3, 4, 5]


def test_thresholds_decide_what_is_an_issue(service: Service) -> None:
    issues = service.data("analyze", of_plan(null_ratio_threshold=0.02, include_correlations=False))["issues"]

    assert [(issue["code"], issue["column"], issue["affected_rows"]) for issue in issues] == [
        ("HIGH_NULL_RATIO", "kwh", 1),
        ("HIGH_NULL_RATIO", "cost", 1),
    ]


def test_a_profile_measures_every_column(service: Service) -> None:
    columns = service.data("analyze", of_plan("profile"))["metrics"]["column_metrics"]

    by_name = {column["name"]: column for column in columns}
    assert list(by_name) == ["timestamp", "site_id", "kwh", "cost"]
    assert (
        by_name["kwh"].items()
        >= {
            "name": "kwh",
            "type": "float64",
            "count": 35,
            "missing": 1,
            "unique": 3,
            "min": 1.0,
            "max": 3.0,
            "mean": pytest.approx(69 / 35),
            "std": pytest.approx(statistics.stdev(KWH)),
            "median": 2.0,
            "q1": 1.0,
            "q3": 3.0,
            "zeros": 0,
            "outliers": 0,
            "negatives": 0,
            "order": "none",
            "is_unique": False,
        }.items()
    )
    assert by_name["kwh"]["histogram"] == {"edges": [1.0, 2.0, 3.0], "counts": [12, 23]}
    assert (
        by_name["site_id"].items()
        >= {
            "name": "site_id",
            "type": "string",
            "count": 36,
            "missing": 0,
            "unique": 3,
            "min": "site_001",
            "max": "site_003",
            **dict.fromkeys(["mean", "std", "median", "q1", "q3", "zeros", "outliers"]),
        }.items()
    )
    assert by_name["site_id"]["top_values"][0] == {
        "value": "site_001",
        "count": 12,
        "share": pytest.approx(1 / 3),
    }
    assert by_name["site_id"]["text"]["patterns"] == [{"pattern": "a+_9+", "count": 36, "share": 1.0}]
    assert by_name["timestamp"]["time"].items() >= {"finest": "hour", "step_s": 21_600.0, "gaps": 0}.items()
    assert (by_name["timestamp"]["min"], by_name["timestamp"]["max"]) == (
        "2025-08-31T00:00:00Z",
        "2025-09-02T18:00:00Z",
    )


def test_charts_are_hinted_at_one_of_each_kind_first(service: Service) -> None:
    hints = service.data("analyze", of_plan(max_hints=3))["chart_hints"]

    # kwh and cost are one line when drawn against each other, so that no scatter plot is worth it.
    assert [(hint["type"], hint["x"], hint["y"]) for hint in hints] == [
        ("line", "timestamp", "kwh"),
        ("bar", "site_id", "sum(cost)"),
        ("histogram", "kwh", "count(*)"),
    ]
    assert all(hint["title"] for hint in hints)


@pytest.mark.parametrize(
    ("encode", "form"), [(as_stream, "arrow"), (as_file, "arrow"), (as_parquet, "parquet")]
)
def test_a_frame_may_come_with_the_request(service: Service, encode: Any, form: str) -> None:
    frame = pl.DataFrame({"x": [1, 2, 3, 4, 100], "y": ["a", "b", "a", None, "b"]})

    data = service.data("analyze", {"frame_ref": frame_ref(encode(frame), form), "job_kind": "eda"})

    # Q1 = 2 and Q3 = 4, so that the fences are −1 and 7.
    assert (data["metrics"]["rows"], data["metrics"]["columns"]) == (5, 2)
    assert [(issue["code"], issue["column"], issue["affected_rows"]) for issue in data["issues"]] == [
        ("OUTLIERS", "x", 1),
        ("SMALL_SAMPLE", None, 5),
        ("HIGH_NULL_RATIO", "y", 1),
    ]
    assert data["sample"] == frame.to_dicts()


def test_a_frame_without_rows_keeps_its_schema(service: Service) -> None:
    data = service.data("analyze", of_frame(pl.DataFrame(schema={"x": pl.Int64, "y": pl.String})))

    assert data["sample"] == []
    assert [(field["name"], field["type"]) for field in data["schema"]["fields"]] == [
        ("x", "int64"),
        ("y", "string"),
    ]
    assert [issue["code"] for issue in data["issues"]] == ["EMPTY_FRAME"]


def test_a_plan_without_rows_left_keeps_its_schema(service: Service) -> None:
    request = of_plan()
    request["plan"]["filters"] = [{"col": "kwh", "op": ">", "val": 1000}]

    data = service.data("analyze", request)

    assert data["metrics"]["rows"] == 0
    assert len(data["schema"]["fields"]) == 4
    assert data["issues"][0]["code"] == "EMPTY_FRAME"


def test_rules_are_judged_one_by_one(service: Service) -> None:
    rules = [
        {"rule": "not_null", "col": "site_id"},
        {"rule": "in_range", "col": "kwh", "min": 0, "max": 2, "severity": "warning", "name": "modest"},
        {"rule": "row_count_between", "min": 36, "max": 36},
    ]

    validation = service.data("analyze", of_plan("validate", rules=rules))["validation"]

    assert validation["verdict"] == "warn"
    assert [
        (rule["name"], rule["rule"], rule["passed"], rule["rows_checked"], rule["rows_failed"])
        for rule in validation["rules"]
    ] == [
        ("not_null(site_id)", "not_null", True, 36, 0),
        ("modest", "in_range", False, 35, 11),
        ("row_count_between", "row_count_between", True, 36, 0),
    ]


def test_the_steps_are_the_specifications(service: Service) -> None:
    job = service.run("analyze", of_plan())

    assert [step["step"] for step in job["steps"]] == [
        "loading_data",
        "basic_stats",
        "correlation_analysis",
        "outlier_detection",
        "analysis_complete",
    ]


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        ("arrow", "!!!", "frame_ref.data is not base64"),
        ("arrow", "QUJD\n", "frame_ref.data is not base64"),
        ("arrow", "QUJ", "frame_ref.data is not base64"),
        ("arrow", "QUJD-_", "frame_ref.data is not base64"),
        ("arrow", "aGVsbG8=", "frame_ref.data does not begin as an Arrow IPC stream or file does"),
        ("parquet", "aGVsbG8=", "frame_ref.data does not begin as a Parquet file does"),
        ("arrow", "UEFSMQ==", "frame_ref.data does not begin as an Arrow IPC stream or file does"),
    ],
)
def test_base64_that_is_no_frame_is_refused_before_a_token(
    service: Service, form: str, text: str, message: str
) -> None:
    answer = service.post("analyze", {"frame_ref": {"type": form, "data": text}, "job_kind": "eda"})

    error = refused(answer, 400, "INVALID_FRAME")
    assert error["message"] == message
    assert error["details"]["field"] == "frame_ref.data"
    assert error["details"]["constraint"]


@pytest.mark.parametrize(
    ("form", "frame"),
    [
        ("arrow", b"\xff\xff\xff\xff\x08\x00\x00\x00notarrow"),
        ("arrow", b"ARROW1\0\0 and nothing else"),
        ("parquet", b"PAR1 and nothing else"),
        ("arrow", as_stream(energy())[:400]),
    ],
)
def test_a_frame_that_breaks_off_fails_the_job(service: Service, form: str, frame: bytes) -> None:
    job = service.run("analyze", {"frame_ref": frame_ref(frame, form), "job_kind": "eda"})

    error = failed(job, 400, "INVALID_FRAME")
    assert error["message"].startswith(f"frame_ref.data is not a readable {form} frame: ")
    assert error["details"]["field"] == "frame_ref.data"


@pytest.mark.parametrize(
    ("request_", "reason", "field", "message"),
    [
        (
            {"job_kind": "eda"},
            "SCHEMA_VIOLATION",
            "frame_ref",
            "an analysis is of a frame, of a plan's result, or of a job's",
        ),
        (
            {**of_plan(), "frame_ref": frame_ref(as_stream(energy()))},
            "SCHEMA_VIOLATION",
            "frame_ref",
            "an analysis is of a frame, of a plan's result, or of a job's",
        ),
        (
            {"plan": {"dataset": "energy_parquet"}, "job_kind": "eda"},
            "SCHEMA_VIOLATION",
            "datasource_id",
            "a plan needs a datasource_id",
        ),
        (
            of_plan("validate"),
            "INVALID_OPTIONS",
            "options.rules",
            'job_kind "validate" needs options.rules or options.suggest, and no other takes either',
        ),
        (
            of_plan("eda", rules=[{"rule": "not_null", "col": "kwh"}]),
            "INVALID_OPTIONS",
            "options.rules",
            'job_kind "validate" needs options.rules or options.suggest, and no other takes either',
        ),
        (
            of_plan("validate", rules=[{"rule": "in_range", "col": "kwh"}]),
            "INVALID_OPTIONS",
            "options.rules[0]",
            'rule "in_range" needs min, max or both',
        ),
        (
            of_plan("validate", rules=[{"rule": "in_range", "col": "kwh", "min": 3, "max": 2}]),
            "INVALID_OPTIONS",
            "options.rules[0].min",
            "min 3 is greater than max 2",
        ),
        (
            of_plan("profil"),
            "SCHEMA_VIOLATION",
            "job_kind",
            "job_kind: 'profil' is not one of: eda, profile, validate, compare; did you mean \"profile\"?",
        ),
        (
            of_plan(outlier_method="irq"),
            "SCHEMA_VIOLATION",
            "options.outlier_method",
            "options.outlier_method: 'irq' is not one of: iqr, zscore, mad; did you mean \"iqr\"?",
        ),
        (
            of_plan("validate", rules=[{"rule": "in_rang", "col": "kwh"}]),
            "SCHEMA_VIOLATION",
            "options.rules[0].rule",
            (
                "options.rules[0].rule: 'in_rang' is not one of: not_null, unique, in_set, not_in_set, "
                "in_range, matches, type, length_between, increasing, decreasing, row_count_between, "
                "column_exists, columns_are, mean_between, sum_between, quantile_between, null_ratio_below, "
                "distinct_between, foreign_key, fresher_than, no_gaps, compare_columns, satisfies; "
                'did you mean "in_range" or "increasing"?'
            ),
        ),
        (
            of_plan(correlation_threshold=1.5),
            "SCHEMA_VIOLATION",
            "options.correlation_threshold",
            "options.correlation_threshold: 1.5 is greater than the maximum of 1",
        ),
    ],
)
def test_a_request_that_contradicts_itself_is_refused(
    service: Service, request_: dict[str, Any], reason: str, field: str, message: str
) -> None:
    error = refused(service.post("analyze", request_), 400, reason)

    assert error["details"]["field"] == field
    assert error["details"]["constraint"]
    assert error["message"] == message


def test_a_rule_of_an_unknown_column_suggests_the_nearest_name(service: Service) -> None:
    rules = [{"rule": "not_null", "col": "kwhh"}]

    error = failed(service.run("analyze", of_plan("validate", rules=rules)), 400, "UNKNOWN_COLUMN")

    assert error["message"] == 'unknown column "kwhh"; did you mean "kwh"?'
    assert error["details"]["field"] == "options.rules[0].col"


def test_a_pattern_that_is_no_regular_expression_is_named(service: Service) -> None:
    rules = [{"rule": "matches", "col": "site_id", "pattern": "site_("}]

    error = refused(service.post("analyze", of_plan("validate", rules=rules)), 400, "INVALID_OPTIONS")

    assert error["message"].startswith("the pattern is not a regular expression: ")
    assert error["details"]["field"] == "options.rules[0].pattern"


def test_a_rule_of_another_type_says_what_it_takes(service: Service) -> None:
    rules = [{"rule": "in_set", "col": "kwh", "values": [1, "two"]}]

    error = failed(service.run("analyze", of_plan("validate", rules=rules)), 400, "TYPE_MISMATCH")

    assert error["message"].startswith("'two' cannot be compared with column \"kwh\"")
    assert error["details"]["field"] == "options.rules[0].values[1]"
    assert error["details"]["constraint"] == "a number"


def test_the_filter_of_each_issue_put_into_a_query_yields_its_rows(service: Service, base: Path) -> None:
    (base / "issues").mkdir()
    rows = {
        "at": [f"2025-09-{day:02}" for day in range(1, 31) if day != 7],
        "kwh": [*range(1, 28), None, 1000],
        "note": [" a", "A", "a", "NA", "jane@example.org", *[f"note {n}" for n in range(24)]],
    }
    pl.DataFrame(rows).write_csv(base / "issues" / "readings.csv")
    issues = service.data("analyze", of_plan(dataset="issues/readings.csv"))["issues"]

    assert {"OUTLIERS", "TIME_GAPS", "CASE_VARIANTS", "NULL_MARKERS", "PII_SUSPECTED", "SMALL_SAMPLE"} <= {
        issue["code"] for issue in issues
    }
    for issue in issues:
        plan = {"dataset": "issues/readings.csv", "filters": issue["filter"]}
        data = service.data("query", {"datasource_id": "energy-files", "plan": plan})
        assert (issue["code"], data["metrics"]["rows"]) == (issue["code"], issue["affected_rows"])
