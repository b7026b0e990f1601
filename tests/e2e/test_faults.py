"""What becomes of jobs that go wrong, and of their neighbours."""

from __future__ import annotations

import datetime as dt
import signal
from typing import TYPE_CHECKING, Any

import polars as pl
import psutil
import pytest

from airpy.client import Client
from tests.conftest import fresh
from tests.service import SECRET, children, kill_child_of, running_service, runs, wait_until, worker_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service import Service

pytestmark = pytest.mark.e2e

MEMORY_MB = 300
TIMEOUT_S = 5.0

# Of 300 000 rows that all match: 90 thousand million rows, none of them kept.
ENDLESS = {
    "dataset": "ones",
    "joins": [{"dataset": "ones", "on": ["one"]}],
    "aggs": [{"col": "one", "fn": "sum"}],
}
# Of 12 000 rows that all match: 144 million rows, whose sum takes half a second or more.
LONG_ROWS = 12_000
LONG = {
    "dataset": "few_ones",
    "joins": [{"dataset": "few_ones", "on": ["one"]}],
    "aggs": [{"col": "one", "fn": "sum", "as": "total"}],
}
MANY = 200
# 40 million rows, sorted: more than 300 MiB. That the filter leaves them all, nobody knows in advance.
LARGE = {
    "dataset": "many",
    "filters": [{"col": "value", "op": "<", "val": 7}],
    "order": [{"col": "value", "dir": "desc"}],
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, databases: Iterator[str]) -> Iterator[Service]:
    """A service with narrow caps, over files of which some are broken."""
    base = tmp_path_factory.mktemp("faulty")
    pl.DataFrame({"n": range(1000)}).write_parquet(base / "numbers.parquet")
    pl.DataFrame({"one": [1] * 300_000}).write_parquet(base / "ones.parquet")
    pl.DataFrame({"one": [1] * LONG_ROWS}).write_parquet(base / "few_ones.parquet")
    many = pl.int_range(40_000_000, eager=True) % 7
    many.alias("value").to_frame().write_parquet(base / "many.parquet")
    whole = (base / "numbers.parquet").read_bytes()
    (base / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (base / "scrambled.parquet").write_bytes(whole[:40] + bytes(len(whole) - 80) + whole[-40:])
    (base / "ragged.csv").write_bytes(b"a,b\n1,2\n3,4,5,6\n")
    (base / "open.csv").write_bytes(b'a,b\n1,"2\n3,4\n')
    (base / "cut.jsonl").write_bytes(b'{"a":1}\n{"a":\n')
    (base / "noise.jsonl").write_bytes(bytes(range(256)))
    settings = {"PY_MEMORY_MB": str(MEMORY_MB), "PY_JOB_TIMEOUT_S": str(TIMEOUT_S), "PY_WORKERS": "2"}
    url = fresh(next(databases))
    with running_service(tmp_path_factory.mktemp("faults"), base, url, **settings) as service:
        yield service


def query(plan: dict[str, Any]) -> dict[str, Any]:
    """The body of a request for a plan's answer."""
    return {"datasource_id": "energy", "plan": plan}


def sum_below(limit: int) -> dict[str, Any]:
    """A request for the sum of the numbers below a limit."""
    return query(
        {
            "dataset": "numbers",
            "filters": [{"col": "n", "op": "<", "val": limit}],
            "aggs": [{"col": "n", "fn": "sum", "as": "total"}],
        }
    )


def assert_serves(service: Service) -> None:
    """The service still does what it should: 0 + 1 + … + 99."""
    assert service.data("query", sum_below(100))["rows"] == [{"total": 4950}]


def failure_of(job: dict[str, Any]) -> tuple[str, str, int]:
    """Code, reason and status of a failed job."""
    assert job["status"] == "failed", job
    assert job["data"] is None
    return job["error"]["code"], job["error"]["details"]["reason"], job["code"]


def seconds_run(job: dict[str, Any]) -> float:
    """How long a job ran after its first step."""
    began = dt.datetime.fromisoformat(job["steps"][0]["timestamp"])
    return (dt.datetime.fromisoformat(job["updated_at"]) - began).total_seconds()


def wait_for_step(service: Service, token: int, name: str) -> None:
    """Wait until a job has reached a step."""
    wait_until(lambda: name in [step["step"] for step in service.get(f"jobs/{token}").json()["steps"]])


def test_a_job_over_its_memory_is_ended_and_its_neighbours_are_not(faulty: Service) -> None:
    token = faulty.submit("query", query(LARGE))
    neighbours = [faulty.submit("query", sum_below(limit)) for limit in range(1, 11)]

    job = faulty.wait(token)

    assert failure_of(job) == ("RESOURCE_CAP", "MEMORY_CAP", 413)
    assert [faulty.wait(one)["data"]["rows"] for one in neighbours] == [
        [{"total": limit * (limit - 1) // 2}] for limit in range(1, 11)
    ]
    assert not (faulty.results / f"{token}-1").exists()
    assert_serves(faulty)


def test_a_job_over_its_time_is_ended_and_its_neighbours_are_not(faulty: Service) -> None:
    token = faulty.submit("query", query(ENDLESS))
    neighbours = [faulty.submit("query", sum_below(limit)) for limit in range(1, 11)]

    job = faulty.wait(token)

    assert failure_of(job) == ("TIMEOUT", "TIME_LIMIT", 408)
    assert TIMEOUT_S - 1 < seconds_run(job) < TIMEOUT_S + 1
    assert [faulty.wait(one)["data"]["rows"] for one in neighbours] == [
        [{"total": limit * (limit - 1) // 2}] for limit in range(1, 11)
    ]
    assert_serves(faulty)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS])
def test_a_job_whose_process_is_killed_once_is_begun_again_at_once(
    faulty: Service, number: signal.Signals
) -> None:
    token = faulty.submit("query", query(LONG))
    neighbour = faulty.submit("query", sum_below(10))

    kill_child_of(faulty, token, number)
    killed_at = dt.datetime.now(dt.UTC)
    job = faulty.wait(token)

    again = next(step for step in job["steps"] if step["attempt"] == 2)
    assert job["data"]["rows"] == [{"total": LONG_ROWS**2}]
    assert job["attempt"] == 2
    assert (dt.datetime.fromisoformat(again["timestamp"]) - killed_at).total_seconds() < 3
    assert faulty.wait(neighbour)["data"]["rows"] == [{"total": 45}]
    assert_serves(faulty)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGKILL, ("RESOURCE_CAP", "PROCESS_KILLED", 413)),
        (signal.SIGSEGV, ("IO_ERROR", "READER_CRASHED", 422)),
    ],
)
def test_a_job_whose_process_dies_three_times_is_told_so_and_kept_as_a_dead_letter(
    faulty: Service, number: signal.Signals, told: tuple[str, str, int]
) -> None:
    token = faulty.submit("query", query(ENDLESS))

    for _ in range(3):
        kill_child_of(faulty, token, number)
    job = faulty.wait(token)
    letters = faulty.get("dead-letters").json()["dead_letters"]

    assert failure_of(job) == told
    assert job["attempt"] == 3
    assert (letters[0]["token"], letters[0]["error"]) == (token, job["error"])
    post_mortem = job["error"]["details"]["post_mortem"]
    assert post_mortem.pop("peak_memory_mb") > 0
    assert post_mortem == {"attempts": 3, "last_step": "aggregating", "exit_signal": number.name}
    assert list(faulty.results.glob(f"{token}-*")) == []
    assert_serves(faulty)


@pytest.mark.parametrize(
    "name",
    ["cut.parquet", "scrambled.parquet", "cut.jsonl", "noise.jsonl"],
)
@pytest.mark.parametrize("path", ["query", "infer_schema"])
def test_a_broken_file_fails_its_job_alone(faulty: Service, path: str, name: str) -> None:
    body = query({"dataset": name}) if path == "query" else {"datasource_id": "energy", "uri": name}

    job = faulty.run(path, body)

    code, _, status = failure_of(job)
    assert (code, status) == ("IO_ERROR", 422)
    # Files are named as the caller knows them, and nothing else is.
    assert str(faulty.base.parent) not in str(job["error"]).replace(f"{faulty.base}/{name}", "")
    assert_serves(faulty)


@pytest.mark.parametrize(("name", "kind"), [("ragged.csv", "ragged_row"), ("open.csv", "open_quote")])
def test_an_odd_file_is_read_and_what_is_odd_is_told(faulty: Service, name: str, kind: str) -> None:
    data = faulty.data("query", query({"dataset": name}))

    assert data["metrics"]["rows"] == 2
    assert [example["kind"] for example in data["reading"]["faults"]["examples"]] == [kind]


def test_many_jobs_are_all_answered_right_and_nothing_piles_up(faulty: Service) -> None:
    def open_files() -> int:
        """Open files of the worker at rest: two supervisors, two of multiprocessing's, two spares."""
        supervisor = psutil.Process(faulty.processes["worker"].pid)
        wait_until(lambda: len(supervisor.children(recursive=True)) == 5)
        return sum(process.num_fds() for process in [supervisor, *supervisor.children(recursive=True)])

    assert_serves(faulty)
    files = open_files()
    with Client(faulty.url, SECRET) as client:
        tokens = [client.post("query", sum_below(limit))["token"] for limit in range(1, MANY + 1)]
        steps = [sum(event.name == "step" for event in client.events(token)) for token in tokens]
        rows = [client.result(token)["rows"] for token in tokens]

    assert rows == [[{"total": limit * (limit - 1) // 2}] for limit in range(1, MANY + 1)]
    assert steps == [5] * MANY
    assert len(set(tokens)) == MANY
    # Two slots at once need another connection or two.
    assert open_files() <= files + 5


def test_no_child_is_left_when_the_worker_process_is_killed(faulty: Service) -> None:
    token = faulty.submit("query", query(ENDLESS))
    wait_for_step(faulty, token, "aggregating")
    worker = worker_process(faulty)
    working = children(worker)

    worker.kill()

    wait_until(lambda: not any(map(runs, working)))
    assert failure_of(faulty.wait(token))[0] == "TIMEOUT"  # in its second attempt
    assert faulty.get(f"jobs/{token}").json()["attempt"] == 2
    assert_serves(faulty)
