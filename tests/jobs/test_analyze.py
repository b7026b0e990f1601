from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airpy.errors import AirError, FileUnavailable, InvalidFrame, InvalidOptions, InvalidPlan, InvalidRequest
from airpy.jobs.results import ANALYSIS_STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.jobs.conftest import Bench

# y is 2 x, z is whatever; one row comes twice.
TABLE = pa.table({"x": [1, 2, 3, 4, 4], "y": [2.0, 4.0, 6.0, 8.0, 8.0], "z": ["a", "b", None, "d", "d"]})
RULE = {"rule": "not_null", "col": "z"}


def stream(table: pa.Table) -> bytes:
    """The table as an Arrow IPC stream."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def arrow_file(table: pa.Table) -> bytes:
    """The table as an Arrow IPC file."""
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet(table: pa.Table) -> bytes:
    """The table as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def of_frame(form: str = "arrow", kind: str = "profile", **options: Any) -> dict[str, Any]:
    """A request for an analysis of the frame that is kept beside it."""
    body: dict[str, Any] = {"frame_ref": {"type": form, "data": "sha256:00"}, "job_kind": kind}
    return body | ({"options": options} if options else {})


@pytest.mark.parametrize(
    ("form", "encode"),
    [("arrow", stream), ("arrow", arrow_file), ("parquet", parquet)],
    ids=["stream", "file", "parquet"],
)
def test_a_frame_is_described(bench: Bench, form: str, encode: Callable[[pa.Table], bytes]) -> None:
    bench.give(encode(TABLE), form)

    data = bench.data("analyze", of_frame(form))

    metrics = data["metrics"]
    assert data["job_kind"] == "profile"
    assert (metrics["rows"], metrics["columns"], metrics["duplicate_rows"]) == (5, 3, 1)
    assert metrics["correlations"] == [["x", "y", pytest.approx(1.0)]]
    assert [(one["name"], one["missing"], one["unique"]) for one in metrics["column_metrics"]] == [
        ("x", 0, 4),
        ("y", 0, 4),
        ("z", 1, 3),
    ]
    x = metrics["column_metrics"][0]
    assert (x["min"], x["max"], x["median"]) == (1, 4, 3.0)
    assert x["mean"] == pytest.approx(14 / 5)
    assert x["std"] == pytest.approx(1.7**0.5)  # squares of -1.8, -0.8, 0.2, 1.2, 1.2 are 6.8; a quarter
    assert data["sample"][2] == {"x": 3, "y": 6.0, "z": None}
    assert [(field["name"], field["type"], field["nullable"]) for field in data["schema"]["fields"]] == [
        ("x", "int64", False),
        ("y", "float64", False),
        ("z", "string", True),
    ]
    assert "validation" not in data


def test_steps_are_those_of_the_specification(bench: Bench) -> None:
    bench.give(stream(TABLE))

    bench.run("analyze", of_frame())

    assert bench.step_names == [
        "loading_data",
        "basic_stats",
        "correlation_analysis",
        "outlier_detection",
        "analysis_complete",
    ]


def test_columns_are_measured_only_in_a_profile(bench: Bench) -> None:
    bench.give(stream(TABLE))

    data = bench.data("analyze", of_frame(kind="eda"))

    assert "column_metrics" not in data["metrics"]


def test_the_sample_has_ten_rows(bench: Bench) -> None:
    bench.give(stream(pa.table({"x": range(30)})))

    data = bench.data("analyze", of_frame())

    assert data["sample"] == [{"x": number} for number in range(10)]


def test_rules_are_judged(bench: Bench) -> None:
    bench.give(stream(TABLE))
    rules = [RULE, {"rule": "not_null", "col": "x"}]

    data = bench.data("analyze", of_frame(kind="validate", rules=rules))

    assert data["validation"]["verdict"] == "fail"
    assert [rule["passed"] for rule in data["validation"]["rules"]] == [False, True]
    assert [rule["rows_failed"] for rule in data["validation"]["rules"]] == [1, 0]


def test_a_plans_result_is_described(bench: Bench) -> None:
    pl.DataFrame({"site": [1, 1, 2], "kwh": [1.0, 2.0, 4.0]}).write_csv(bench.base / "energy.csv")
    plan = {"dataset": "energy", "groupby": ["site"], "aggs": [{"col": "kwh", "fn": "sum"}]}

    data = bench.data("analyze", {"plan": plan, "job_kind": "profile"})

    assert data["sample"] == [{"site": 1, "kwh_sum": 3.0}, {"site": 2, "kwh_sum": 4.0}]
    assert data["metrics"]["column_metrics"][1]["mean"] == 3.5
    assert {path.name for path in bench.context.folder.iterdir()} == {"data.json", ANALYSIS_STATE}


def test_an_empty_frame_is_described_too(bench: Bench) -> None:
    bench.give(stream(TABLE.slice(0, 0)))

    data = bench.data("analyze", of_frame())

    assert data["metrics"]["rows"] == 0
    assert data["sample"] == []
    assert [field["name"] for field in data["schema"]["fields"]] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("form", "content"),
    [("arrow", b"\xff\xff\xff\xff nothing"), ("parquet", b"PAR1 nothing"), ("arrow", stream(TABLE)[:200])],
)
def test_a_broken_frame_is_the_callers_error(bench: Bench, form: str, content: bytes) -> None:
    bench.give(content, form)

    with pytest.raises(InvalidFrame) as caught:
        bench.run("analyze", of_frame(form))

    assert caught.value.field == "frame_ref.data"
    assert str(bench.context.input) not in caught.value.message


FRAME = {"type": "arrow", "data": "sha256:00"}
PLAN = {"dataset": "energy"}


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ({"job_kind": "eda"}, InvalidRequest, "frame_ref"),
        ({"job_kind": "eda", "frame_ref": FRAME, "plan": PLAN}, InvalidRequest, "frame_ref"),
        ({"job_kind": "eda", "plan": {"dataset": "nowhere"}}, FileUnavailable, "plan.dataset"),
        ({"job_kind": "eda", "plan": PLAN | {"select": ["a", "a"]}}, InvalidPlan, "plan.select"),
        ({"job_kind": "validate", "frame_ref": FRAME}, InvalidOptions, "options.rules"),
        ({"job_kind": "validate", "frame_ref": FRAME, "options": {}}, InvalidOptions, "options.rules"),
        (
            {"job_kind": "eda", "frame_ref": FRAME, "options": {"rules": [RULE]}},
            InvalidOptions,
            "options.rules",
        ),
    ],
)
def test_a_request_is_refused_where_it_is_wrong(
    bench: Bench, body: dict[str, Any], error: type[AirError], field: str
) -> None:
    with pytest.raises(error) as caught:
        bench.check("analyze", body)

    assert caught.value.field == field


def test_a_plan_needs_a_data_source(bench: Bench) -> None:
    from airpy.contract import AnalyzeRequest
    from airpy.jobs.analyze import check_analyze

    request = AnalyzeRequest.model_validate({"job_kind": "eda", "plan": PLAN})

    with pytest.raises(InvalidRequest) as caught:
        check_analyze(request, bench.root)

    assert caught.value.field == "datasource_id"


def test_a_frame_alone_is_accepted(bench: Bench) -> None:
    bench.check("analyze", {"job_kind": "validate", "frame_ref": FRAME, "options": {"rules": [RULE]}})


def test_a_frame_is_compared_with_its_baseline(bench: Bench) -> None:
    bench.give(stream(TABLE))
    more = pa.table({"x": [1, 2, 3, 4, 40], "z": ["a", "b", None, "d", "e"], "new": [True] * 5})
    bench.give(stream(more), "arrow", "baseline.frame_ref.data")
    sent = {"frame_ref": {"type": "arrow", "data": "sha256:00"}}

    comparison = bench.data("analyze", {**sent, "job_kind": "compare", "baseline": sent})["comparison"]

    assert comparison["verdict"] == "breaking"
    changes = {
        (change["column"], change["kind"], change["breaking"]) for change in comparison["schema_changes"]
    }
    assert changes >= {("new", "column_removed", True), ("y", "column_added", False)}
    assert comparison["rows"] == {"before": 5, "after": 5, "change": 0.0, "drifted": False}
    assert {drift["column"] for drift in comparison["drift"]} == {"x", "z"}


def test_a_frame_equals_what_was_measured_of_it(bench: Bench) -> None:
    bench.give(stream(TABLE))
    bench.run("analyze", of_frame())
    state = (bench.context.folder / "analysis-state").read_bytes()
    bench.give(state, "state", "baseline.token")
    asked = {
        "frame_ref": {"type": "arrow", "data": "sha256:00"},
        "job_kind": "compare",
        "baseline": {"token": 1},
    }

    comparison = bench.data("analyze", asked)["comparison"]

    assert comparison["verdict"] == "same"
    assert comparison["schema_changes"] == []
    assert not any(drift["drifted"] for drift in comparison["drift"])


def test_personal_data_stay_out_of_the_answer(bench: Bench) -> None:
    people = pa.table({"mail": ["ann@example.org", "bob@example.org"], "note": ["call +49 170 1234567", "-"]})
    bench.give(stream(people))

    told = str(bench.data("analyze", of_frame(redact=True)))
    plain = str(bench.data("analyze", of_frame()))

    assert "ann@example.org" in plain
    assert "example.org" not in told
    assert "1234567" not in told
    assert "[email]" in told
    assert "[phone]" in told


@pytest.mark.parametrize("time", [pa.timestamp("us", "UTC"), pa.timestamp("ms"), pa.date32()], ids=str)
def test_any_time_may_be_that_of_a_series_and_nothing_else(bench: Bench, time: pa.DataType) -> None:
    days = pa.array(range(60), pa.int32()).cast(pa.date32())
    bench.give(stream(pa.table({"when": days.cast(time), "born": days, "x": [n % 7 for n in range(60)]})))

    series = bench.data("analyze", of_frame(time_col="when"))["metrics"]["series"]

    # 0 to 6 again and again, once a day: a week.
    assert [(each["time"], each["step_s"], each["period"]) for each in series] == [("when", 86_400, 7)]
    with pytest.raises(InvalidOptions) as caught:
        bench.data("analyze", of_frame(time_col="x"))
    assert caught.value.suggestion == ["when", "born"]
