from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import fresh
from tests.envelope import failed, refused
from tests.handlers.conftest import Judged
from tests.service import running_service, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service import Service

ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"


def query(output: str = "json", **plan: Any) -> dict[str, Any]:
    plan = {"dataset": "energy_parquet", "select": ["site_id", "kwh"], **plan}
    return {"datasource_id": "energy-files", "plan": plan, "output": output}


def thread_states(processes: list[psutil.Process]) -> Iterator[str]:
    """What every thread of the processes is doing, by the kernel's letters."""
    for process in processes:
        for status in Path(f"/proc/{process.pid}/task").glob("*/status"):
            with contextlib.suppress(OSError):  # it has ended
                yield status.read_text().partition("State:\t")[2][0]


@contextlib.contextmanager
def paused_worker(service: Service) -> Iterator[None]:
    """No job begins meanwhile."""
    supervisor = psutil.Process(service.processes["worker"].pid)
    processes = [supervisor, *supervisor.children(recursive=True)]
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        # A process stops once one of its threads has seen the signal; the others run on until then.
        wait_until(lambda: set(thread_states(processes)) <= {"T", "Z"})
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


@pytest.fixture(scope="module")
def finished(service: Service) -> dict[str, Any]:
    """A completed query."""
    return service.run("query", query())


@pytest.fixture(scope="module")
def download(finished: dict[str, Any]) -> str:
    """Where its result is."""
    return f"jobs/{finished['token']}/download"


# The record


def test_a_completed_job_tells_everything_about_itself(service: Service) -> None:
    answer = service.post("query", query(), headers={"X-Request-Id": "my-request.1"})
    token = answer.json()["token"]

    job = service.wait(token)

    times = {
        name: dt.datetime.fromisoformat(job.pop(name)) for name in ("created_at", "updated_at", "expires_at")
    }
    durations = [step["duration_ms"] for step in job.pop("steps")]
    assert job.pop("data")["metrics"]["rows"] == 36
    assert job == {
        "token": token,
        "job_type": "query",
        "status": "completed",
        "progress": 1,
        "work": None,
        "attempt": 1,
        "code": 200,
        "error": None,
        "request_id": "my-request.1",
        "ttl": 86_400,
    }
    assert times["created_at"] <= times["updated_at"]
    assert times["expires_at"] - times["updated_at"] == dt.timedelta(seconds=86_400)
    assert durations == sorted(durations)
    assert durations[0] >= 0


def test_times_are_rfc_3339_in_utc(finished: dict[str, Any]) -> None:
    times = [finished["created_at"], finished["updated_at"], finished["expires_at"]]
    times += [step["timestamp"] for step in finished["steps"]]

    for time in times:
        assert dt.datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)


def test_a_job_that_has_not_begun_is_started_and_has_no_result_yet(service: Service) -> None:
    with paused_worker(service):
        token = service.submit("query", query())
        answer = service.get(f"jobs/{token}")
        early = service.get(f"jobs/{token}/download")
        counted = service.get("health").json()["active_jobs"]

    job = answer.json()
    assert (job["status"], job["code"], job["attempt"]) == ("started", 200, 0)
    assert (job["data"], job["error"], job["progress"], job["expires_at"]) == (None, None, None, None)
    assert job["steps"] == []
    assert int(answer.headers["retry-after"]) >= 1
    assert counted >= 1
    error = refused(early, 409, "RESULT_NOT_READY")
    assert error["message"] == f"job {token} is started; its result is not ready"
    assert error["details"]["constraint"] == "a job that has completed"
    assert service.wait(token)["status"] == "completed"
    assert service.get(f"jobs/{token}/download").status_code == 200


def test_a_failed_job_is_200_and_has_its_error(service: Service) -> None:
    token = service.submit("query", query(select=["kwhh"]))
    service.wait(token)

    answer = service.get(f"jobs/{token}")

    assert answer.status_code == 200
    failed(answer.json(), 400, "UNKNOWN_COLUMN")
    assert answer.json()["progress"] is None
    assert answer.json()["expires_at"] is not None
    assert "retry-after" not in answer.headers


def test_a_failed_jobs_error_carries_the_callers_request_id(service: Service) -> None:
    answer = service.post("query", query(select=["kwhh"]), headers={"X-Request-Id": "caller_7"})

    job = service.wait(answer.json()["token"])

    assert job["request_id"] == "caller_7"
    assert job["error"]["request_id"] == "caller_7"


@pytest.mark.parametrize("suffix", ["", "/download"])
def test_a_token_that_never_was_is_not_found(service: Service, suffix: str) -> None:
    last = service.get("health").json()["next_token"] - 1

    error = refused(service.get(f"jobs/{last + 1}{suffix}"), 404, "JOB_NOT_FOUND")

    assert error["message"] == f"there is no job {last + 1}; the last token issued is {last}"
    assert error["details"]["field"] == "path.token"
    assert error["details"]["constraint"] == "a token that a POST answered with"


@pytest.mark.parametrize("suffix", ["", "/download"])
@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("0", "path.token: 0 is less than the minimum of 1"),
        ("-1", "path.token: -1 is less than the minimum of 1"),
        ("9007199254740992", "path.token: 9007199254740992 is greater than the maximum of 9007199254740991"),
        (str(2**63), f"path.token: {2**63} is greater than the maximum of 9007199254740991"),
        ("9" * 400, "path.token: does not fit maximum: 9007199254740991"),
        ("01", "path.token: a token is written without sign and leading zeros"),
        ("+1", "path.token: a token is written without sign and leading zeros"),
        ("-0", "path.token: 0 is less than the minimum of 1"),
    ],
)
def test_a_number_that_is_no_token_is_a_job_that_never_was(
    service: Service, suffix: str, token: str, message: str
) -> None:
    error = refused(service.get(f"jobs/{token}{suffix}"), 404, "JOB_NOT_FOUND")

    assert error["message"] == message
    assert error["details"]["field"] == "path.token"
    assert error["details"]["constraint"]


@pytest.mark.parametrize("suffix", ["", "/download"])
@pytest.mark.parametrize(
    "token", ["1.0", "1e0", "abc", "１", "٣", "1_0", "%201", "1%00", "1%0A", "null", "0x1"]
)
def test_what_is_no_number_is_no_path(service: Service, suffix: str, token: str) -> None:
    error = refused(service.get(f"jobs/{token}{suffix}"), 404, "NOT_FOUND")

    assert error["message"] == "there is no such path"


def test_a_result_that_is_gone_has_expired(service: Service) -> None:
    token = service.run("query", query())["token"]
    (folder,) = service.results.glob(f"{token}-*")
    folder.rename(service.results / f"gone-{token}")

    for path in (f"jobs/{token}", f"jobs/{token}/download"):
        error = refused(service.get(path), 404, "JOB_EXPIRED")
        assert error["message"] == f"the result of job {token} has expired"


def test_a_job_past_its_time_to_live_has_expired(
    tmp_path: Path, base: Path, databases: Iterator[str]
) -> None:
    with running_service(tmp_path, base, fresh(next(databases)), PY_JOB_TTL_S="1", PY_WORKERS="1") as plain:
        service = Judged(*plain)
        token = service.submit("discover", {"datasource_id": "e", "uri": "csv"})
        wait_until(lambda: service.get(f"jobs/{token}").status_code == 404)

        for path in (f"jobs/{token}", f"jobs/{token}/download"):
            error = refused(service.get(path), 404, "JOB_EXPIRED")
            assert error["message"] == f"job {token} has expired, and its result with it"
            assert error["details"]["constraint"] == "a job that ended within PY_JOB_TTL_S"


def test_a_fault_of_ours_says_no_more_than_its_request_id(service: Service) -> None:
    token = service.run("query", query())["token"]
    (folder,) = service.results.glob(f"{token}-*")
    (folder / "data.json").unlink()
    (folder / "data.json").mkdir()

    answer = service.get(f"jobs/{token}", headers={"X-Request-Id": "find-me"})

    error = refused(answer, 500, "INTERNAL", code="INTERNAL_ERROR")
    assert error["message"] == "the service has a fault; the request id finds it in the log"
    assert str(service.results) not in answer.text
    assert any("find-me" in line and "IsADirectoryError" in line for line in service.log_text().splitlines())


# The download


@pytest.mark.parametrize(("output", "kind"), [("json", ARROW), ("arrow", ARROW), ("parquet", PARQUET)])
def test_the_output_decides_what_is_downloaded(service: Service, output: str, kind: str) -> None:
    token = service.run("query", query(output))["token"]

    answer = service.get(f"jobs/{token}/download")

    table = read(answer.content, kind)
    assert answer.headers["content-type"] == kind
    assert table.column("site_id").to_pylist()[:4] == ["site_001", "site_002", "site_003", "site_001"]
    assert table.column("kwh").to_pylist() == [1.0, 2.0, 3.0] * 11 + [1.0, 2.0, None]


@pytest.mark.parametrize("output", ["arrow", "parquet"])
@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (ARROW, ARROW),
        (PARQUET, PARQUET),
        (f"{ARROW};q=0.5, {PARQUET}", PARQUET),
        (f"{ARROW};q=0, */*", PARQUET),
        (f"application/json, {ARROW};q=0.1", ARROW),
        ("*/*", None),
        ("application/*", None),
        ("", None),
    ],
)
def test_accept_decides_before_the_output(
    service: Service, output: str, accept: str, kind: str | None
) -> None:
    token = service.run("query", query(output))["token"]
    expected = kind or {"arrow": ARROW, "parquet": PARQUET}[output]

    answer = service.get(f"jobs/{token}/download", headers={"Accept": accept})

    table = read(answer.content, expected)
    assert answer.headers["content-type"] == expected
    ending = {ARROW: "arrows", PARQUET: "parquet"}[expected]
    assert answer.headers["content-disposition"] == f'attachment; filename="job-{token}.{ending}"'
    assert table.num_rows == 36
    assert answer.headers["x-arrow-rows"] == "36"
    assert answer.headers["x-arrow-bytes"] == str(len(answer.content))


@pytest.mark.parametrize(
    "accept", ["application/json", "image/*", f"{ARROW};q=0, {PARQUET};q=0, text/csv;q=0", "nonsense"]
)
def test_accept_that_allows_neither_format_is_told_both(service: Service, download: str, accept: str) -> None:
    error = refused(service.get(download, headers={"Accept": accept}), 406, "NOT_ACCEPTABLE")

    assert error["details"]["field"] == "header.Accept"
    assert error["details"]["constraint"] == f"one of: {ARROW}, {PARQUET}, text/csv"
    assert error["details"]["suggestion"] == [ARROW, PARQUET, "text/csv"]


def test_the_headers_describe_the_frame(service: Service, download: str) -> None:
    answer = service.get(download)

    schema = base64.b64decode(answer.headers["x-arrow-schema"])
    assert answer.headers["x-arrow-rows"] == "36"
    assert answer.headers["x-arrow-bytes"] == answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["accept-ranges"] == "bytes"
    assert pa.ipc.read_schema(pa.py_buffer(schema)) == read(answer.content, ARROW).schema
    assert answer.headers["x-arrow-schema-digest"] == f"sha256:{hashlib.sha256(schema).hexdigest()}"


def test_arrow_types_are_ones_that_every_reader_knows(service: Service, download: str) -> None:
    schema = read(service.get(download).content, ARROW).schema

    assert schema.field("site_id").type in {pa.string(), pa.large_string()}
    assert schema.field("kwh").type == pa.float64()


def test_a_schema_beyond_4_kb_is_left_out_of_the_headers(service: Service, base: Path) -> None:
    wide = pl.DataFrame({f"a_column_with_a_long_name_{number}": [number] for number in range(100)})
    wide.write_parquet(base / "_wide.parquet")
    token = service.run("query", {"datasource_id": "e", "plan": {"dataset": "_wide.parquet"}})["token"]

    answer = service.get(f"jobs/{token}/download")

    schema = read(answer.content, ARROW).schema
    assert "x-arrow-schema" not in answer.headers
    assert len(schema.serialize().to_pybytes()) > 4096
    digest = hashlib.sha256(schema.serialize().to_pybytes()).hexdigest()
    assert answer.headers["x-arrow-schema-digest"] == f"sha256:{digest}"


def test_rows_beyond_the_preview_are_in_the_download(service: Service, base: Path) -> None:
    pl.DataFrame({"n": range(50_001)}).write_parquet(base / "_long.parquet")

    job = service.run("query", {"datasource_id": "e", "plan": {"dataset": "_long.parquet"}})

    table = read(service.get(f"jobs/{job['token']}/download").content, ARROW)
    assert len(job["data"]["rows"]) == 50_000
    assert job["data"]["truncated"] is True
    assert job["data"]["metrics"]["rows"] == 50_001
    assert table.column("n").to_pylist() == list(range(50_001))


@pytest.mark.parametrize(
    ("ranges", "first", "last"), [("0-9", 0, 9), ("10-", 10, None), ("-8", -8, None), ("4-999999", 4, None)]
)
def test_a_range_is_that_part_of_the_file(
    service: Service, download: str, ranges: str, first: int, last: int | None
) -> None:
    whole = service.get(download).content

    answer = service.get(download, headers={"Range": f"bytes={ranges}"})

    expected = whole[first : None if last is None else last + 1]
    start = first if first >= 0 else len(whole) + first
    assert answer.status_code == 206
    assert answer.content == expected
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"
    assert answer.headers["x-arrow-bytes"] == str(len(whole))
    assert answer.headers["content-type"] == ARROW


def test_several_ranges_come_as_parts(service: Service, download: str) -> None:
    whole = service.get(download).content

    answer = service.get(download, headers={"Range": "bytes=0-3,8-11"})

    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert answer.content.index(whole[:4]) < answer.content.index(whole[8:12])


def test_a_download_can_be_resumed_with_its_etag(service: Service, download: str) -> None:
    whole = service.get(download)
    etag = whole.headers["etag"]

    rest = service.get(download, headers={"Range": "bytes=100-", "If-Range": etag})
    stale = service.get(download, headers={"Range": "bytes=100-", "If-Range": '"another"'})

    assert service.get(download).headers["etag"] == etag
    assert (rest.status_code, rest.content) == (206, whole.content[100:])
    assert (stale.status_code, stale.content) == (200, whole.content)


@pytest.mark.parametrize(
    "ranges", ["bytes=999999-", "bytes=abc", "bytes=9-2", "bytes=", "bytes=-", "lines=1-2"]
)
def test_a_range_that_cannot_be_given_is_refused(service: Service, download: str, ranges: str) -> None:
    error = refused(service.get(download, headers={"Range": ranges}), 416, "BAD_RANGE")

    assert error["message"] == "the range cannot be read, or lies outside the file"


def test_a_range_beyond_the_file_tells_its_length(service: Service, download: str) -> None:
    length = len(service.get(download).content)

    answer = service.get(download, headers={"Range": f"bytes={length}-"})

    assert answer.headers["content-range"] == f"bytes */{length}"


def test_a_download_as_csv(service: Service, finished: dict[str, Any], download: str) -> None:
    answer = service.get(download, headers={"Accept": "text/csv"})

    lines = answer.content.decode().split("\r\n")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="job-{finished["token"]}.csv"'
    assert answer.headers["x-arrow-rows"] == "36"
    assert answer.headers["x-arrow-bytes"] == str(len(answer.content))
    assert lines[:2] == ["site_id,kwh", "site_001,1.0"]
    assert lines[-2:] == ["site_003,", ""]  # the last reading of it has no kWh
    assert len(lines) == 1 + 36 + 1


@pytest.mark.parametrize("output", ["arrow", "parquet"])
def test_a_result_is_the_same_in_csv_however_it_is_kept(service: Service, download: str, output: str) -> None:
    token = service.run("query", query(output))["token"]

    answers = [
        service.get(place, headers={"Accept": "text/csv"}).content
        for place in (download, f"jobs/{token}/download")
    ]

    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", [ARROW, PARQUET, "text/csv"])
def test_a_download_is_not_compressed_on_the_way(service: Service, download: str, kind: str) -> None:
    answer = service.get(download, headers={"Accept": kind, "Accept-Encoding": "gzip"})

    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("known", ["{}", "W/{}", '"another", {}', "*"])
def test_who_has_the_frame_already_is_told_so(service: Service, download: str, known: str) -> None:
    etag = service.get(download).headers["etag"]

    answer = service.get(download, headers={"If-None-Match": known.format(etag)})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag


def test_who_has_another_frame_is_given_this_one(service: Service, download: str) -> None:
    csv = service.get(download, headers={"Accept": "text/csv"}).headers["etag"]

    answer = service.get(download, headers={"If-None-Match": csv})

    assert answer.status_code == 200
    assert answer.headers["etag"] != csv


def test_head_of_a_download_is_all_but_the_frame(service: Service, download: str) -> None:
    whole = service.get(download)

    answer = service.call("HEAD", download)

    assert answer.status_code == 200
    assert answer.content == b""
    for name in ("content-length", "content-type", "etag", "x-arrow-rows", "x-arrow-bytes", "x-arrow-schema"):
        assert answer.headers[name] == whole.headers[name]


def test_a_job_without_a_frame_has_nothing_to_download(service: Service) -> None:
    token = service.run("discover", {"datasource_id": "e", "uri": "csv"})["token"]

    error = refused(service.get(f"jobs/{token}/download"), 409, "NO_RESULT_FRAME")

    assert error["message"] == f"job {token} is of kind discover and has no result frame"
    assert error["details"]["constraint"] == "a query that has completed"


def test_a_failed_job_has_nothing_to_download(service: Service) -> None:
    token = service.run("query", query(select=["kwhh"]))["token"]

    error = refused(service.get(f"jobs/{token}/download"), 409, "NO_RESULT_FRAME")

    assert error["message"] == f"job {token} has failed and has no result frame"


def test_tokens_count_up_by_one(service: Service) -> None:
    tokens = [service.submit("discover", {"datasource_id": "e", "uri": "csv"}) for _ in range(5)]

    assert all(later == earlier + 1 for earlier, later in itertools.pairwise(tokens))


def read(content: bytes, kind: str) -> pa.Table:
    """The table in a download."""
    if kind == PARQUET:
        return pq.read_table(pa.BufferReader(content))
    return pa.ipc.open_stream(content).read_all()
