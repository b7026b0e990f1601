from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import polars as pl
import psutil
import pytest
import redis
from structlog.testing import capture_logs

from airpy.config import Settings
from airpy.jobs.scripts import run
from airpy.worker import run_worker
from tests.jobs.asking import ask, cancel, get, submit, take
from tests.service import SECRET, running_redis, runs, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUM = {"dataset": "ones", "aggs": [{"col": "one", "fn": "sum", "as": "total"}]}
# Of 300 000 rows that all match, whose sum takes minutes.
ENDLESS = SUM | {"joins": [{"dataset": "ones", "on": ["one"]}]}
IMPATIENT = "import airpy.worker as worker; worker.GRACE_S = 0.3; worker.main()"


def add(url: str, plan: dict[str, Any], **parts: Any) -> int:
    """The token of a new query."""
    request = json.dumps({"datasource_id": "energy", "plan": plan})
    return submit(url, **{"kind": "query", "request": request, **parts})


def slots(url: str) -> int:
    """How many slots have reported."""
    return ask(url, lambda store: store.census()).slots


def steps(url: str, token: int) -> list[tuple[int, str]]:
    """Attempts and steps of a job."""
    return [(step.attempt, step.step) for step in get(url, token).steps]


def aggregates(url: str, token: int, attempt: int) -> bool:
    """Whether an attempt computes."""
    return (attempt, "aggregating") in steps(url, token)


def fill(folder: Path) -> Path:
    """A base path with as many ones as to be busy with."""
    base = folder / "base"
    base.mkdir(exist_ok=True)
    pl.DataFrame({"one": [1] * 300_000}).write_parquet(base / "ones.parquet")
    return base


@contextlib.contextmanager
def worker(url: str, folder: Path, *command: str, of: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of two slots that has reported; it is killed at the end if it has not ended by then."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PY_")} | {
        "PY_AUTH_SECRET": SECRET,
        "PY_BASE_PATH": str(fill(folder)),
        "PY_RESULTS_PATH": str(folder / "results"),
        "REDIS_URL": url,
        "PY_MAX_JOIN_ROWS": str(10**15),
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *(command or ("-m", "airpy.worker"))], env=environment, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: slots(url) == 2 * of)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_reports_itself_and_takes_its_leave(
    redis_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with worker(redis_url, tmp_path) as process:
        process.send_signal(number)
        code = process.wait(60)
        left = slots(redis_url)

    assert (code, left) == (0, 0)


def test_a_worker_removes_what_nobody_can_ask_for_any_more(redis_url: str, tmp_path: Path) -> None:
    abandoned = tmp_path / "results" / "99-1"
    abandoned.mkdir(parents=True)
    os.utime(abandoned, (0, 0))

    with worker(redis_url, tmp_path):
        wait_until(lambda: not abandoned.exists())


def test_a_job_whose_call_to_work_was_lost_is_run_all_the_same(redis_url: str, tmp_path: Path) -> None:
    token = add(redis_url, SUM)
    with redis.Redis.from_url(redis_url) as client:
        client.delete("dramatiq:airpy", "dramatiq:airpy.msgs")

    with worker(redis_url, tmp_path):
        wait_until(lambda: get(redis_url, token).status == "completed")


def test_a_job_that_outlasts_the_grace_is_given_back_and_not_failed(redis_url: str, tmp_path: Path) -> None:
    token = add(redis_url, ENDLESS)
    with worker(redis_url, tmp_path, "-c", IMPATIENT) as process:
        wait_until(lambda: aggregates(redis_url, token, 1))
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        code = process.wait(60)
        wait_until(lambda: not any(map(runs, started)))

    job = get(redis_url, token)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        run(client, "due")
        again = take(client)
    assert code == 0
    assert len(started) >= 3
    assert (job.status, job.attempt, job.error) == ("running", 1, None)
    assert (again.token, again.attempt, again.failures) == (token, 2, 0)
    assert "job_failed" not in (tmp_path / "log").read_text()


def test_a_job_that_ends_within_the_grace_is_finished(redis_url: str, tmp_path: Path) -> None:
    """However soon after its beginning the worker is told to stop, it is done or still in line."""
    tokens = [add(redis_url, SUM, data=str(number)) for number in range(20)]
    with worker(redis_url, tmp_path) as process:
        wait_until(lambda: get(redis_url, tokens[3]).status == "completed")
        process.terminate()
        code = process.wait(60)

    statuses = [(job.status, job.attempt) for job in (get(redis_url, token) for token in tokens)]
    assert code == 0
    assert set(statuses) <= {("completed", 1), ("started", 0)}


def test_the_job_of_a_killed_worker_is_anothers_in_seconds(redis_url: str, tmp_path: Path) -> None:
    token = add(redis_url, ENDLESS)
    with worker(redis_url, tmp_path) as killed:
        wait_until(lambda: aggregates(redis_url, token, 1))
        orphans = psutil.Process(killed.pid).children(recursive=True)
        with worker(redis_url, tmp_path, of=2):
            killed.kill()
            died = time.monotonic()
            wait_until(lambda: aggregates(redis_url, token, 2))
            restarted_s = time.monotonic() - died
            wait_until(lambda: not any(map(runs, orphans)))
            cancel(redis_url, token)

    job = get(redis_url, token)
    assert restarted_s < 20
    assert (job.status, job.attempt) == ("cancelled", 2)
    assert [attempt for attempt, step in steps(redis_url, token) if step == "file_found"] == [1, 2]


def test_a_job_that_kills_its_workers_is_dead_after_three_starts(redis_url: str, tmp_path: Path) -> None:
    token = add(redis_url, ENDLESS)
    for attempt in (1, 2, 3):
        with worker(redis_url, tmp_path) as dying:
            wait_until(lambda attempt=attempt: aggregates(redis_url, token, attempt))
            dying.kill()
            dying.wait()
        with redis.Redis.from_url(redis_url) as client:  # time goes by
            client.zadd("airpy:leases", {str(token): 0})
            client.delete("airpy:workers")
    neighbour = add(redis_url, SUM)

    with worker(redis_url, tmp_path):
        wait_until(lambda: get(redis_url, token).status == "failed")
        wait_until(lambda: get(redis_url, neighbour).status == "completed")

    job = get(redis_url, token)
    letter = ask(redis_url, lambda store: store.dead_letter(token))
    assert (job.attempt, letter.attempt) == (3, 3)
    assert job.error is not None
    assert job.error["details"]["reason"] == "WORKER_DIED"
    post_mortem = job.error["details"]["post_mortem"]
    assert (post_mortem["attempts"], post_mortem["last_step"]) == (3, "aggregating")


def test_a_cancelled_job_is_gone_within_seconds(redis_url: str, tmp_path: Path) -> None:
    token = add(redis_url, ENDLESS)
    with worker(redis_url, tmp_path) as process:
        wait_until(lambda: aggregates(redis_url, token, 1))
        at_work = busiest_child(process.pid)
        cancel(redis_url, token)
        cancelled = time.monotonic()
        wait_until(lambda: not runs(at_work))
        killed_s = time.monotonic() - cancelled

    # A renewal within half a second finds the job lost, and a look at the child within a twentieth.
    assert killed_s < 3
    assert get(redis_url, token).status == "cancelled"


def busiest_child(pid: int) -> psutil.Process:
    """The process below this one that computes."""

    def seconds(process: psutil.Process) -> float:
        with contextlib.suppress(psutil.Error):
            return process.cpu_times().user
        return 0

    def below() -> list[psutil.Process]:
        return [child for server in psutil.Process(pid).children() for child in server.children()]

    wait_until(lambda: max(map(seconds, below()), default=0) > 0.5)
    return max(below(), key=seconds)


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    """Those of a worker in this process."""
    values = {"auth_secret": SECRET, "base_path": fill(tmp_path), "results_path": tmp_path / "results"}
    return Settings.model_validate(values | {"redis_url": redis_url, "workers": 2})


def test_a_worker_runs_jobs_until_it_is_told_to_stop(
    redis_url: str, settings: Settings, tmp_path: Path
) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=run_worker, args=(settings, stop))
    with capture_logs() as logs:
        thread.start()
        wait_until(lambda: slots(redis_url) == 2)
        token = add(redis_url, SUM)
        wait_until(lambda: get(redis_url, token).status == "completed")
        stop.set()
        thread.join(60)

    data = json.loads((tmp_path / "results" / f"{token}-1" / "data.json").read_bytes())
    assert not thread.is_alive()
    assert data["rows"] == [{"total": 300_000}]
    assert slots(redis_url) == 0
    assert [entry["event"] for entry in logs] == ["worker_started", "job_completed", "worker_stopped"]


def test_a_worker_whose_redis_is_gone_stops_in_order(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url, worker(url, tmp_path) as process:
        with redis.Redis.from_url(url) as client:
            client.shutdown(nosave=True)
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        told = time.monotonic()
        code = process.wait(120)
        stopped_s = time.monotonic() - told
        wait_until(lambda: not any(map(runs, started)))

    assert code == 0
    assert stopped_s < 20  # it does not wait for Redis to come back
