"""What becomes of jobs when Redis or a worker is away, and of results when their time is over."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import polars as pl
import pytest
import redis

from tests.service import running_redis, running_service, wait_until, worker_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.service import Service

pytestmark = pytest.mark.e2e

ROWS = 12_000
TTL_S = 3

# Of 12 000 rows that all match: 144 million rows, whose sum takes a second or more.
LONG = {
    "datasource_id": "energy",
    "plan": {
        "dataset": "ones",
        "joins": [{"dataset": "ones", "on": ["one"]}],
        "aggs": [{"col": "one", "fn": "sum", "as": "total"}],
    },
}
SHORT = {
    "datasource_id": "energy",
    "plan": {"dataset": "ones", "aggs": [{"col": "one", "fn": "sum", "as": "total"}]},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the Redis of this module has its data."""
    return tmp_path_factory.mktemp("outages")


@pytest.fixture(scope="module")
def servers(place: Path) -> Iterator[contextlib.ExitStack]:
    """The Redis of this module, and those that were started in its stead."""
    with contextlib.ExitStack() as servers:
        servers.enter_context(running_redis(place))
        yield servers


@pytest.fixture(scope="module")
def service(place: Path, servers: contextlib.ExitStack) -> Iterator[Service]:
    """A service with a Redis of its own, which forgets jobs soon."""
    del servers  # up, and that is all
    base = place / "base"
    base.mkdir()
    pl.DataFrame({"one": [1] * ROWS}).write_parquet(base / "ones.parquet")
    url = f"unix://{place / 'redis.sock'}"
    with running_service(place, base, url, PY_JOB_TTL_S=str(TTL_S)) as service:
        yield service


@contextlib.contextmanager
def redis_away(service: Service, place: Path, servers: contextlib.ExitStack) -> Iterator[None]:
    """Redis is stopped, and started again with the same data."""
    with redis.Redis.from_url(service.redis_url) as client:
        client.shutdown()
    try:
        yield
    finally:
        servers.enter_context(running_redis(place))


@contextlib.contextmanager
def redis_stalled(service: Service) -> Iterator[None]:
    """Redis is there, and does not answer."""
    with redis.Redis.from_url(service.redis_url) as client:
        server = client.info("server")["process_id"]
    os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server, signal.SIGCONT)


def wait_until_running(service: Service, token: int) -> None:
    """Wait until a worker has taken the job."""
    wait_until(lambda: service.get(f"jobs/{token}").json()["status"] == "running")


def assert_unavailable(service: Service) -> None:
    """Whatever is asked of the queue is answered soon, and says when to ask again."""
    for method, path, body in (
        ("GET", "health", None),
        ("GET", "jobs/1", None),
        ("GET", "jobs/1/download", None),
        ("POST", "query", SHORT),
    ):
        began = time.monotonic()
        answer = service.call(method, path, json=body) if body else service.call(method, path)
        took = time.monotonic() - began
        error = answer.json()["error"]
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert (error["code"], error["details"]["reason"]) == ("IO_ERROR", "QUEUE_UNAVAILABLE")
        assert error["details"]["retryable"]
        assert "redis.sock" not in answer.text
        assert took < 2


def asked(service: Service, *options: str) -> subprocess.CompletedProcess[str]:
    """What a health check of the server prints."""
    return subprocess.run(
        [sys.executable, "-m", "airpy", "health", "--url", service.url, *options],
        env=service.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_serves(service: Service) -> None:
    """Jobs are taken and done, if not at once."""
    wait_until(lambda: service.get("health").status_code == 200)
    assert service.data("query", SHORT)["rows"] == [{"total": ROWS}]


def test_without_redis_the_service_says_so_and_comes_back(
    service: Service, place: Path, servers: contextlib.ExitStack
) -> None:
    last = service.submit("query", SHORT)
    service.wait(last)

    with redis_away(service, place, servers):
        assert_unavailable(service)
        alive, well = asked(service, "--alive"), asked(service)

    assert (alive.returncode, alive.stdout) == (0, "the server answers\n")
    assert (well.returncode, well.stdout) == (1, "")
    assert_serves(service)
    assert service.submit("query", SHORT) > last


def test_a_stalled_redis_is_no_better_than_none(service: Service) -> None:
    with redis_stalled(service):
        assert_unavailable(service)

    assert_serves(service)


def test_a_job_outlasts_a_restart_of_redis(
    service: Service, place: Path, servers: contextlib.ExitStack
) -> None:
    token = service.submit("query", LONG)
    wait_until_running(service, token)

    with redis_away(service, place, servers):
        time.sleep(1)

    assert service.wait(token)["data"]["rows"] == [{"total": ROWS**2}]


def test_a_job_outlasts_a_worker_that_is_killed(service: Service) -> None:
    token = service.submit("query", LONG)
    wait_until_running(service, token)
    killed = worker_process(service)

    killed.kill()
    job = service.wait(token)

    assert job["data"]["rows"] == [{"total": ROWS**2}]
    assert job["attempt"] == 2
    assert len([step for step in job["steps"] if step["attempt"] == 2]) == 5
    assert worker_process(service).pid != killed.pid
    assert "worker ended with -9; starting it again" in service.log_text()


def test_a_worker_told_to_stop_finishes_its_job_first(service: Service) -> None:
    token = service.submit("query", LONG)
    wait_until_running(service, token)

    worker_process(service).terminate()
    job = service.wait(token)

    assert job["data"]["rows"] == [{"total": ROWS**2}]
    assert job["attempt"] == 1
    assert_serves(service)


def test_a_job_and_its_result_go_when_their_time_is_over(service: Service) -> None:
    assert_serves(service)
    token = service.submit("query", SHORT)
    job = service.wait(token)
    folder = service.results / f"{token}-1"
    was_there = folder.exists()
    old = time.time() - 3600
    os.utime(folder, (old, old))  # folders that have just changed are left alone

    wait_until(lambda: service.get(f"jobs/{token}").status_code == 404)
    gone = service.get(f"jobs/{token}").json()["error"]["details"]["reason"]
    download = service.get(f"jobs/{token}/download")
    worker_process(service).terminate()  # the next one begins by sweeping
    wait_until(lambda: not folder.exists())

    assert job["ttl"] == TTL_S
    assert was_there
    assert gone == "JOB_EXPIRED"
    assert (download.status_code, download.json()["error"]["details"]["reason"]) == (404, "JOB_EXPIRED")
