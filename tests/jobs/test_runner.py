from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import redis
from redis.asyncio import Redis as AsyncRedis
from structlog.testing import capture_logs

from airpy.files.paths import FileRoot
from airpy.jobs.queue import message_for
from airpy.jobs.results import Results
from airpy.jobs.runner import Runner
from airpy.jobs.sandbox import Sandbox
from airpy.jobs.store import Claim, JobStore
from tests.service import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airpy.contract import JobType
    from airpy.jobs.record import Job

QUERY = {"datasource_id": "energy", "plan": {"dataset": "energy", "aggs": [{"col": "kwh", "fn": "sum"}]}}
UNKNOWN = {"datasource_id": "energy", "plan": {"dataset": "energy", "select": ["kwhh"]}}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox for every job of this module."""
    sandbox = Sandbox(memory_mb=512, threads=2)
    yield sandbox
    sandbox.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A worker's client of the test's database."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def runner(client: redis.Redis, sandbox: Sandbox, base: Path, tmp_path: Path) -> Runner:
    """A runner over the specification's data."""
    return Runner(
        redis=client,
        sandbox=sandbox,
        results=Results(tmp_path),
        files=FileRoot.at(base, (".csv", ".parquet", ".jsonl")),
        infer_rows=100,
        max_rows_json=100,
        timeout_s=60,
        max_attempts=3,
    )


def add(url: str, body: dict[str, Any] | str, kind: JobType = "query") -> int:
    """The token of a new job; what is asked of it is not checked."""

    async def added() -> int:
        async with AsyncRedis.from_url(url, decode_responses=True) as client:
            store = JobStore(client, url, url)
            token = await store.take_token(10)
            request = body if isinstance(body, str) else json.dumps(body)
            await store.add(token, kind, request, "req_1", 60, message_for(kind, token))
            return token

    return asyncio.run(added())


def get(url: str, token: int) -> Job:
    """The job as the server sees it."""

    async def got() -> Job:
        async with AsyncRedis.from_url(url, decode_responses=True) as client:
            return await JobStore(client, url, url).get(token)

    return asyncio.run(got())


def test_a_job_is_run_to_its_end(redis_url: str, runner: Runner) -> None:
    token = add(redis_url, QUERY)

    assert runner.run(token)

    job = get(redis_url, token)
    assert (job.status, job.attempt, job.folder, job.error) == ("completed", 1, f"{token}-1", None)
    assert [step.step for step in job.steps] == [
        "file_found",
        "loading_data",
        "applying_filters",
        "aggregating",
        "query_complete",
    ]
    assert job.frame is not None
    assert (job.frame.format, job.frame.rows) == ("json", 1)
    # 12 readings of sites 1, 2 and 3, the last of site 3 missing: 12 + 24 + 33.
    assert json.loads(runner.results.data(f"{token}-1", token))["rows"] == [{"kwh_sum": 69.0}]


def test_a_job_that_fails_says_why_and_leaves_no_folder(redis_url: str, runner: Runner) -> None:
    token = add(redis_url, UNKNOWN)

    assert runner.run(token)  # its message is done with: nobody need look at it

    job = get(redis_url, token)
    assert (job.status, job.folder, job.frame) == ("failed", None, None)
    assert job.error is not None
    assert job.error["code"] == "VALIDATION_ERROR"
    assert job.error["request_id"] == "req_1"
    assert job.error["details"]["reason"] == "UNKNOWN_COLUMN"
    assert job.error["details"]["suggestion"] == ["kwh"]
    assert list(runner.results.path.iterdir()) == []


def test_a_message_without_a_job_is_done_with(runner: Runner) -> None:
    assert runner.run(99)
    assert list(runner.results.path.iterdir()) == []


def test_a_message_that_comes_twice_runs_its_job_once(redis_url: str, runner: Runner) -> None:
    token = add(redis_url, QUERY)
    runner.run(token)
    before = get(redis_url, token)

    assert runner.run(token)

    assert get(redis_url, token) == before


def test_a_job_under_which_workers_die_is_given_up(redis_url: str, runner: Runner) -> None:
    token = add(redis_url, QUERY)
    for _ in range(3):
        Claim.take(runner.redis, token, "a worker that dies")

    assert not runner.run(token)

    job = get(redis_url, token)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["details"]["reason"] == "WORKER_DIED"
    assert "3 times" in job.error["message"]


def test_the_last_attempt_of_all_is_still_run(redis_url: str, runner: Runner) -> None:
    token = add(redis_url, QUERY)
    for _ in range(2):
        Claim.take(runner.redis, token, "a worker that dies")

    assert runner.run(token)

    assert (get(redis_url, token).status, get(redis_url, token).attempt) == ("completed", 3)


@pytest.mark.parametrize(
    ("body", "kind"),
    [("{", "query"), ('{"from":"another version"}', "query"), ("{}", "unheard_of")],
    ids=["no JSON", "another schema", "another kind"],
)
def test_a_record_that_makes_no_sense_fails_its_job(
    redis_url: str, runner: Runner, body: str, kind: JobType
) -> None:
    token = add(redis_url, body, kind)

    with capture_logs() as logs:
        kept = not runner.run(token)

    job = get(redis_url, token)
    assert kept
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["code"] == "INTERNAL_ERROR"
    assert "another version" not in job.error["message"]
    assert "job_fault" in [entry["event"] for entry in logs]


def test_a_crash_is_kept_among_the_dead_letters(redis_url: str, runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    pl.DataFrame({"one": [1] * 30_000}).write_parquet(tmp_path / "base" / "ones.parquet")
    runner = runner._replace(files=FileRoot.at(tmp_path / "base", (".parquet",)))
    join = {"dataset": "ones", "on": ["one"], "how": "inner"}
    slow = {
        "dataset": "ones",
        "joins": [join, join | {"suffix": "_3"}],
        "aggs": [{"col": "one", "fn": "sum"}],
    }
    token = add(redis_url, {"datasource_id": "energy", "plan": slow})
    runner.sandbox.prepare()
    kept: list[bool] = []
    thread = threading.Thread(target=lambda: kept.append(not runner.run(token)))
    before = {child.pid for child in multiprocessing.active_children()}

    thread.start()
    wait_until(lambda: [s for s in get(redis_url, token).steps if s.step == "aggregating"])
    for pid in before:
        os.kill(pid or 0, signal.SIGSEGV)
    thread.join(60)

    job = get(redis_url, token)
    assert kept == [True]
    assert job.error is not None
    assert job.error["details"]["reason"] == "READER_CRASHED"


class Flaky(redis.Redis):
    """A client whose connection is lost at the n-th script."""

    scripts = 0
    lost_at = 0

    def eval(self, *args: Any) -> Any:
        """Run a script, unless the connection is lost just now."""
        self.scripts += 1
        if self.scripts == self.lost_at:
            raise redis.ConnectionError("the connection was lost")
        return super().eval(*args)


@pytest.mark.parametrize(
    ("lost_at", "attempts"),
    [(1, 1), (3, 2), (7, 2)],
    ids=["at the claim", "at a step", "at the end"],
)
def test_a_job_outlasts_the_loss_of_its_record(
    redis_url: str, runner: Runner, lost_at: int, attempts: int
) -> None:
    token = add(redis_url, QUERY)
    with Flaky.from_url(redis_url, decode_responses=True) as flaky:
        flaky.lost_at = lost_at

        assert runner._replace(redis=flaky).run(token)

    job = get(redis_url, token)
    assert (job.status, job.attempt) == ("completed", attempts)
    assert len(job.steps) == 5


def test_a_failure_outlasts_the_loss_of_its_record(redis_url: str, runner: Runner) -> None:
    token = add(redis_url, UNKNOWN)
    with Flaky.from_url(redis_url, decode_responses=True) as flaky:
        flaky.lost_at = 4  # after the claim and two steps

        assert runner._replace(redis=flaky).run(token)

    assert (get(redis_url, token).status, get(redis_url, token).attempt) == ("failed", 2)


def test_a_disk_that_takes_nothing_fails_the_job(redis_url: str, runner: Runner, tmp_path: Path) -> None:
    token = add(redis_url, QUERY)
    (tmp_path / "a file").touch()

    assert runner._replace(results=Results(tmp_path / "a file")).run(token)

    job = get(redis_url, token)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["code"] == "IO_ERROR"
    assert str(tmp_path) not in job.error["message"]
