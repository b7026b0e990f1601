from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import psutil
import pytest
from redis.asyncio import Redis as AsyncRedis

from airpy.jobs.queue import message_for
from airpy.jobs.store import JobStore
from tests.service import SECRET, runs, wait_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from airpy.jobs.record import Job

SUM = {"dataset": "ones", "aggs": [{"col": "one", "fn": "sum", "as": "total"}]}
# Of 300 000 rows that all match, whose sum takes minutes.
ENDLESS = SUM | {"joins": [{"dataset": "ones", "on": ["one"]}]}
IMPATIENT = "import airpy.worker as worker; worker.GRACE_MS = 300; worker.main()"


def ask(url: str, question: Callable[[JobStore], Awaitable[Any]]) -> Any:
    """What the store answers."""

    async def asked() -> Any:
        async with AsyncRedis.from_url(url, decode_responses=True) as client:
            return await question(JobStore(client, url, url))

    return asyncio.run(asked())


def add(url: str, plan: dict[str, Any]) -> int:
    """The token of a new query."""

    async def added(store: JobStore) -> int:
        token = await store.take_token(10)
        request = json.dumps({"datasource_id": "energy", "plan": plan})
        await store.add(token, "query", request, "req_1", 60, message_for("query", token))
        return token

    token: int = ask(url, added)
    return token


def get(url: str, token: int) -> Job:
    """The job as the server sees it."""
    job: Job = ask(url, lambda store: store.get(token))
    return job


def slots(url: str) -> int:
    """How many slots have reported."""
    census: int = ask(url, lambda store: store.census()).worker_slots
    return census


@contextlib.contextmanager
def worker(url: str, folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of two slots that has reported; it is killed at the end if it has not ended by then."""
    (folder / "base").mkdir(exist_ok=True)
    pl.DataFrame({"one": [1] * 300_000}).write_parquet(folder / "base" / "ones.parquet")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PY_")} | {
        "PY_AUTH_SECRET": SECRET,
        "PY_BASE_PATH": str(folder / "base"),
        "PY_RESULTS_PATH": str(folder / "results"),
        "REDIS_URL": url,
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, *command], env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: slots(url) == 2)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_reports_itself_and_takes_its_leave(
    redis_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with worker(redis_url, tmp_path, "-m", "airpy.worker") as process:
        process.send_signal(number)
        code = process.wait(60)
        left = slots(redis_url)

    assert (code, left) == (0, 0)


def test_a_worker_removes_what_nobody_can_ask_for_any_more(redis_url: str, tmp_path: Path) -> None:
    abandoned = tmp_path / "results" / "99-1"
    abandoned.mkdir(parents=True)
    os.utime(abandoned, (0, 0))

    with worker(redis_url, tmp_path, "-m", "airpy.worker"):
        wait_until(lambda: not abandoned.exists())


def test_a_job_that_outlasts_the_grace_is_given_back_and_not_failed(redis_url: str, tmp_path: Path) -> None:
    token = add(redis_url, ENDLESS)
    with worker(redis_url, tmp_path, "-c", IMPATIENT) as process:
        wait_until(lambda: len(get(redis_url, token).steps) == 4)
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        code = process.wait(60)
        wait_until(lambda: not any(map(runs, started)))

    job = get(redis_url, token)
    assert code == 0
    assert len(started) >= 3
    assert (job.status, job.attempt, job.error) == ("running", 1, None)
    assert "job_failed" not in (tmp_path / "log").read_text()
