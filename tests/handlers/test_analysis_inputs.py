"""What an analysis can be of: a frame in the body, base64 or as it is; the result of a plan, or of a job."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import psutil
import pytest

from airpy.jobs.results import ANALYSIS_STATE
from tests.envelope import failed, refused
from tests.handlers.test_analyze import as_stream, frame_ref, of_frame, of_plan

if TYPE_CHECKING:
    import httpx2

    from tests.service import Service

STREAM = "application/vnd.apache.arrow.stream"
FEW = pl.DataFrame({"x": [1, 2, 3, 4, 100], "y": ["a", "b", "a", None, "b"]})
QUERY: dict[str, Any] = {"datasource_id": "energy-files", "plan": {"dataset": "energy_parquet"}}
MEASURED = ("metrics", "issues", "chart_hints", "sample", "schema")


def send_frame(service: Service, body: Any, kind: str | None = "eda", **arguments: Any) -> httpx2.Response:
    """The answer to a frame that is the body."""
    params = arguments.pop("params", {}) | ({"job_kind": kind} if kind else {})
    headers = {"Content-Type": STREAM} | arguments.pop("headers", {})
    return service.call("POST", "analyze", content=body, headers=headers, params=params, **arguments)


def body_job(service: Service, body: Any, kind: str = "eda", **arguments: Any) -> dict[str, Any]:
    """The job of a frame that is the body, once it has ended."""
    answer = send_frame(service, body, kind, **arguments)
    assert answer.status_code == 202, answer.text
    return service.wait(answer.json()["token"])


@pytest.fixture(scope="module")
def rich(base: Path) -> None:
    """A data set with a column of every type that result files could lose."""
    pl.DataFrame(
        {
            "whole": [1, 2, 3, 4],
            "exact": [Decimal("1.50"), Decimal("-2.25"), None, Decimal("0.00")],
            "day": [dt.date(2025, 1, day) for day in (1, 2, 3, 4)],
            "at": [dt.datetime(2025, 1, 1, hour, tzinfo=dt.UTC) for hour in (0, 1, 2, 3)],
            "local": [dt.datetime(2025, 1, 1, hour) for hour in (0, 1, 2, 3)],  # noqa: DTZ001
            "lasts": [dt.timedelta(seconds=second) for second in (1, 2, 3, 60)],
            "clock": [dt.time(hour) for hour in (0, 1, 2, 3)],
            "on": [True, False, None, True],
            "text": ["a|b", "", None, "ä"],
            "list": [[1, 2], [], None, [3]],
            "raw": [b"\x00", b"", None, b"a"],
        }
    ).write_parquet(base / "rich.parquet")


@pytest.mark.parametrize("dataset", ["energy_parquet", "rich.parquet"])
@pytest.mark.parametrize("output", ["json", "arrow", "parquet"])
@pytest.mark.usefixtures("rich")
def test_a_frame_is_the_same_by_token_by_plan_and_in_the_body(
    service: Service, dataset: str, output: str
) -> None:
    query = {**QUERY, "plan": {"dataset": dataset}}
    token = service.submit("query", {**query, "output": output})
    service.wait(token)
    frame = service.get(f"jobs/{token}/download", headers={"Accept": STREAM}).content

    by_plan = service.data("analyze", {**query, "job_kind": "profile"})
    by_token = service.data("analyze", {"token": token, "job_kind": "profile"})
    by_reference = service.data("analyze", {"frame_ref": frame_ref(frame), "job_kind": "profile"})
    by_body = body_job(service, frame, "profile")["data"]

    for data in (by_token, by_reference, by_body):
        for hint in data["chart_hints"]:
            assert hint["plan"]["dataset"] == "frame"
            hint["plan"]["dataset"] = dataset  # what was sent has no other name
        assert {name: data[name] for name in MEASURED} == {name: by_plan[name] for name in MEASURED}
        assert "provenance" not in data


def test_a_result_outlasts_its_own_job_for_the_analysis_of_it(service: Service) -> None:
    """The job has a link of its own to the file."""
    token = service.submit("query", QUERY)
    service.wait(token)

    job = service.run("analyze", {"token": token, "job_kind": "eda"})

    (frame,) = service.results.glob(f"{token}-*/frame.arrow")
    assert job["data"]["metrics"]["rows"] == 36
    inputs = [path for path in service.results.glob("input-*/token.arrow") if path.samefile(frame)]
    assert len(inputs) == 1


def test_a_token_that_was_never_issued_is_not_found(service: Service) -> None:
    answer = service.post("analyze", {"token": 10**9, "job_kind": "eda"})

    error = refused(answer, 404, "JOB_NOT_FOUND")
    assert error["details"]["field"] == "token"
    assert error["message"].startswith("there is no job 1000000000; the last token issued is ")


def test_a_job_that_has_no_frame_is_refused(service: Service) -> None:
    listed = service.run("discover", {"datasource_id": "e", "uri": "csv"})["token"]
    failing = service.run("query", {**QUERY, "plan": {"dataset": "energy_parquet", "select": ["nothing"]}})

    for token, why in ((listed, "is of kind discover"), (failing["token"], "has failed")):
        error = refused(service.post("analyze", {"token": token, "job_kind": "eda"}), 409, "NO_RESULT_FRAME")
        assert error["message"] == f"job {token} {why} and has no result frame"
        assert (error["details"]["field"], error["details"]["constraint"]) == (
            "token",
            "a query that has completed",
        )


def test_a_result_that_is_gone_has_expired(service: Service) -> None:
    token = service.run("query", QUERY)["token"]
    (folder,) = service.results.glob(f"{token}-*")
    folder.rename(folder.with_name(f"gone-{token}"))

    error = refused(service.post("analyze", {"token": token, "job_kind": "eda"}), 404, "JOB_EXPIRED")

    assert error["details"]["field"] == "token"


@pytest.fixture(scope="module")
def slow(base: Path) -> dict[str, Any]:
    """A plan that works for as long as nobody stops it."""
    pl.DataFrame({"one": [1] * 20_000}).write_parquet(base / "_ones.parquet")
    joins = [{"dataset": "_ones.parquet", "on": ["one"]}]
    return {"dataset": "_ones.parquet", "joins": joins, "aggs": [{"col": "one", "fn": "sum"}]}


def test_a_job_that_has_not_ended_is_not_ready(service: Service, slow: dict[str, Any]) -> None:
    token = service.submit("query", {"datasource_id": "slow", "plan": slow})

    error = refused(service.post("analyze", {"token": token, "job_kind": "eda"}), 409, "RESULT_NOT_READY")
    service.call("DELETE", f"jobs/{token}")

    assert error["details"]["field"] == "token"


def test_a_key_gives_its_token_whatever_has_become_of_the_result(service: Service) -> None:
    token = service.run("query", QUERY)["token"]
    headers = {"Idempotency-Key": f"of-{token}"}
    body = {"token": token, "job_kind": "eda"}
    first = service.post("analyze", body, headers=headers).json()["token"]
    (folder,) = service.results.glob(f"{token}-*")
    folder.rename(folder.with_name(f"gone-{token}"))

    again = service.post("analyze", body, headers=headers).json()["token"]

    assert again == first
    assert service.wait(first)["status"] == "completed"


def test_a_body_that_is_a_frame_is_described(service: Service) -> None:
    data = body_job(service, as_stream(FEW), "profile", params={"options": '{"max_hints": 0}'})["data"]

    assert data["job_kind"] == "profile"
    assert data["sample"] == FEW.to_dicts()
    assert data["chart_hints"] == []
    assert [column["missing"] for column in data["metrics"]["column_metrics"]] == [0, 1]


def test_a_body_may_come_in_parts(service: Service) -> None:
    stream = as_stream(FEW)

    job = body_job(service, (stream[place : place + 3] for place in range(0, len(stream), 3)))

    assert job["data"]["metrics"]["rows"] == 5


def test_what_a_body_was_received_in_is_not_left(service: Service) -> None:
    before = {path.name for path in service.results.glob("input-*")}

    body_job(service, as_stream(FEW))
    refused(send_frame(service, as_stream(FEW), "validate"), 400, "INVALID_OPTIONS")
    refused(send_frame(service, as_stream(FEW), None), 400, "SCHEMA_VIOLATION")

    new = [path for path in service.results.glob("input-*") if path.name not in before]
    assert [sorted(file.name for file in path.iterdir()) for path in new] == [["body.arrow"]]


@pytest.mark.skipif(sys.platform != "linux", reason="it takes /proc")
def test_the_server_holds_no_large_body_in_memory(service: Service) -> None:
    stream = as_stream(pl.DataFrame({"x": pl.int_range(6_000_000, eager=True)}))
    server = psutil.Process(service.processes["server"].pid)
    status = Path(f"/proc/{server.pid}/status")
    Path(f"/proc/{server.pid}/clear_refs").write_text("5", "ascii")  # the peak counts from now
    before = server.memory_info().rss

    answer = send_frame(service, stream)
    peak = 1024 * int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text("ascii"))[0])

    assert answer.status_code == 202
    assert len(stream) > 45 * 1024 * 1024
    assert peak - before < 12 * 1024 * 1024
    service.call("DELETE", f"jobs/{answer.json()['token']}")


@pytest.mark.parametrize("body", [b"", [b""], [b"", b""]])
def test_an_empty_body_is_refused(service: Service, body: Any) -> None:
    error = refused(send_frame(service, body if body == b"" else iter(body)), 400, "SCHEMA_VIOLATION")

    assert (error["message"], error["details"]["field"]) == ("the body is missing", "body")


@pytest.mark.parametrize("body", [b"{}", b"PAR1 and more", b"\xff\xff", b'{"job_kind":"eda"}'])
def test_a_body_that_begins_as_no_frame_is_refused(service: Service, body: bytes) -> None:
    error = refused(send_frame(service, body), 400, "INVALID_FRAME")

    assert error["message"] == "body does not begin as an Arrow IPC stream or file does"
    assert error["details"]["field"] == "body"


def test_a_body_that_breaks_off_fails_the_job(service: Service) -> None:
    error = failed(body_job(service, as_stream(FEW)[:-300]), 400, "INVALID_FRAME")

    assert error["message"].startswith("body is not a readable arrow frame: ")
    assert error["details"]["field"] == "body"


def test_a_frame_needs_its_job_kind_in_the_query(service: Service) -> None:
    error = refused(send_frame(service, as_stream(FEW), None), 400, "SCHEMA_VIOLATION")

    assert error["message"] == "query.job_kind: is required with a frame as the body"
    assert error["details"]["field"] == "query.job_kind"


@pytest.mark.parametrize(("name", "value"), [("job_kind", "eda"), ("options", '{"max_hints": 1}')])
def test_a_body_in_json_takes_nothing_from_the_query(service: Service, name: str, value: str) -> None:
    error = refused(service.post("analyze", of_plan(), params={name: value}), 400, "SCHEMA_VIOLATION")

    assert error["message"] == f"query.{name}: a body in JSON has its own"
    assert (error["details"]["field"], error["details"]["suggestion"]) == (f"query.{name}", [name])


def test_options_in_the_query_that_say_nothing_are_as_none(service: Service) -> None:
    assert service.post("analyze", of_plan(), params={"options": "{}"}).status_code == 202


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({"job_kind": "profil"}, "query.job_kind", "'profil' is not one of: eda, profile, validate, compare"),
        ({"options": '{"max_hints": 51}'}, "query.options.max_hints", "51 is greater than the maximum of 50"),
        (
            {"options": '{"max_hint": 5}'},
            "query.options.max_hint",
            '"max_hint" is not known here; did you mean',
        ),
        ({"options": "[]"}, "query.options", '[] is not of type "object"'),
        ({"options": "{"}, "query.options", "query.options is not valid JSON: "),
        ({"options": ""}, "query.options", "query.options is not valid JSON: "),
        ({"options": '{"by":[],"by":[]}'}, "query.options", "is not valid JSON: an object has a key twice"),
        (
            {"options": '{"rules":[{"rule":"not_null"}]}'},
            "query.options.rules[0].col",
            "query.options.rules[0].col: is required",
        ),
        ({"other": "1"}, "query.other", "query.other: is not known here"),
    ],
)
def test_what_a_query_says_of_a_frame_is_held_to_the_contract(
    service: Service, params: dict[str, str], field: str, message: str
) -> None:
    kind = params.pop("job_kind", "eda")

    error = refused(send_frame(service, as_stream(FEW), kind, params=params), 400, "SCHEMA_VIOLATION")

    assert error["details"]["field"] == field
    assert message in error["message"]


def test_rules_for_a_frame_may_stand_in_the_query(service: Service) -> None:
    options = json.dumps({"rules": [{"rule": "not_null", "col": "y"}]})

    data = body_job(service, as_stream(FEW), "validate", params={"options": options})["data"]

    assert data["validation"]["verdict"] == "fail"
    assert data["validation"]["rules"][0]["rows_failed"] == 1


def test_a_key_stands_for_one_frame_however_it_is_sent(service: Service) -> None:
    headers = {"Idempotency-Key": "one-frame"}
    first = send_frame(service, as_stream(FEW), headers=headers).json()["token"]

    again = send_frame(service, as_stream(FEW), headers=headers).json()["token"]
    in_base64 = service.post(
        "analyze", {"frame_ref": frame_ref(as_stream(FEW)), "job_kind": "eda"}, headers=headers
    )
    other = send_frame(service, as_stream(FEW.head(3)), headers=headers)

    assert again == first == in_base64.json()["token"]
    refused(other, 409, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize(
    "kind", ["application/vnd.apache.arrow.file", "application/octet-stream", "text/csv"]
)
def test_another_media_type_is_refused_with_those_that_are_taken(service: Service, kind: str) -> None:
    answer = send_frame(service, as_stream(FEW), headers={"Content-Type": kind})

    error = refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert error["details"]["suggestion"] == ["application/json", STREAM]
    assert error["details"]["field"] == "header.Content-Type"


def test_only_an_analysis_takes_a_frame_as_its_body(service: Service) -> None:
    answer = service.call("POST", "query", content=as_stream(FEW), headers={"Content-Type": STREAM})

    error = refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert error["details"]["suggestion"] == ["application/json"]


def test_a_body_beyond_the_limit_is_refused_while_it_comes(service: Service) -> None:
    """It says no length, and nothing of it is left."""
    before = len(list(service.results.glob("input-*")))
    part = as_stream(FEW) + bytes(1 << 20)

    answer = send_frame(service, (part for _ in range(200)))

    refused(answer, 413, "BODY_TOO_LARGE", "RESOURCE_CAP")
    assert len(list(service.results.glob("input-*"))) == before


BASELINE = {"frame_ref": frame_ref(as_stream(FEW))}


@pytest.mark.parametrize(
    ("request_", "reason", "field", "message"),
    [
        (of_frame(FEW, "compare"), "INVALID_OPTIONS", "baseline", 'job_kind "compare" needs a baseline'),
        (of_frame(FEW) | {"baseline": BASELINE}, "INVALID_OPTIONS", "baseline", "and no other takes one"),
        (
            of_frame(FEW, "compare") | {"baseline": {}},
            "SCHEMA_VIOLATION",
            "baseline.frame_ref",
            "a baseline is of a frame, of a plan's result, or of a job's",
        ),
        (
            of_frame(FEW, "compare") | {"baseline": {**BASELINE, "token": 1}},
            "SCHEMA_VIOLATION",
            "baseline.frame_ref",
            "a baseline is of a frame, of a plan's result, or of a job's",
        ),
        (
            of_frame(FEW, "compare") | {"baseline": {"plan": {"dataset": "energy_parquet"}}},
            "SCHEMA_VIOLATION",
            "baseline.datasource_id",
            "a plan needs a datasource_id",
        ),
        (
            of_frame(FEW, "compare") | {"baseline": {**BASELINE, "read": {"header": True}}},
            "SCHEMA_VIOLATION",
            "baseline.read",
            "read says how files are read",
        ),
        (
            of_frame(FEW, "compare") | {"baseline": {"frame_ref": {"type": "arrow", "data": "!"}}},
            "INVALID_FRAME",
            "baseline.frame_ref.data",
            "baseline.frame_ref.data is not base64",
        ),
        (
            of_frame(FEW, "compare")
            | {
                "baseline": {
                    "datasource_id": "e",
                    "plan": {
                        "dataset": "energy_parquet",
                        "filters": [{"col": "timestamp", "op": ">", "val": {"ago": "9999 years"}}],
                    },
                }
            },
            "INVALID_PLAN",
            "baseline.plan.filters[0].val.ago",
            "9999 years ago was before the year 1",
        ),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(
    service: Service, request_: dict[str, Any], reason: str, field: str, message: str
) -> None:
    error = refused(service.post("analyze", request_), 400, reason)

    assert error["details"]["field"] == field
    assert message in error["message"]


def test_a_baseline_that_is_not_there_is_told_of_as_such(service: Service) -> None:
    baseline = {"datasource_id": "energy-files", "plan": {"dataset": "energy_parqet"}}

    answer = service.post("analyze", of_frame(FEW, "compare") | {"baseline": baseline})

    error = refused(answer, 422, "FILE_MISSING", "IO_ERROR")
    assert error["details"]["field"] == "baseline.plan.dataset"


def test_a_baseline_names_a_query_or_an_analysis(service: Service) -> None:
    listed = service.run("discover", {"datasource_id": "e", "uri": "csv"})["token"]

    def compared(token: int) -> httpx2.Response:
        return service.post("analyze", of_frame(FEW, "compare") | {"baseline": {"token": token}})

    error = refused(compared(listed), 409, "NO_RESULT_FRAME")
    assert error["details"]["field"] == "baseline.token"
    assert error["details"]["constraint"] == "a query or an analysis that has completed"
    error = refused(compared(10**9), 404, "JOB_NOT_FOUND")
    assert error["details"]["field"] == "baseline.token"


def test_an_analysis_without_measurements_is_no_baseline(service: Service) -> None:
    token = service.run("analyze", of_frame(FEW))["token"]
    for kept in service.results.glob(f"{token}-*/{ANALYSIS_STATE}"):
        kept.unlink()

    body = of_frame(FEW, "compare") | {"baseline": {"token": token}}
    error = refused(service.post("analyze", body), 409, "NO_RESULT_FRAME")

    assert error["message"] == f"job {token} is an analysis of which no measurements are kept"


def test_a_job_may_be_given_two_frames(service: Service) -> None:
    analysis = service.run("analyze", of_frame(FEW))["token"]
    (folder,) = service.results.glob(f"{analysis}-*")
    if not (folder / ANALYSIS_STATE).exists():
        (folder / ANALYSIS_STATE).write_bytes(b"measured")
    query = service.run("query", {**QUERY, "output": "parquet"})["token"]
    before = {path.name for path in service.results.glob("input-*")}

    for baseline in (BASELINE, {"token": query}, {"token": analysis}):
        service.run("analyze", of_frame(FEW, "compare") | {"baseline": baseline})

    new = [path for path in service.results.glob("input-*") if path.name not in before]
    assert sorted(sorted(file.name for file in path.iterdir()) for path in new) == [
        ["baseline.frame_ref.data.arrow", "frame_ref.data.arrow"],
        ["baseline.token.parquet", "frame_ref.data.arrow"],
        ["baseline.token.state", "frame_ref.data.arrow"],
    ]
