"""How the server starts and stops."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx2
import polars as pl
import pytest

from tests.conftest import fresh
from tests.service import SECRET, free_port, running_service, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.service import Service

pytestmark = pytest.mark.e2e

# Of 300 000 rows that all match, whose sum takes minutes, or all the time it has.
ENDLESS = {
    "datasource_id": "energy",
    "plan": {
        "dataset": "ones",
        "joins": [{"dataset": "ones", "on": ["one"]}],
        "aggs": [{"col": "one", "fn": "sum"}],
    },
}


@pytest.fixture
def own(tmp_path: Path, databases: Iterator[str]) -> Iterator[Service]:
    """A service that the test may stop."""
    base = tmp_path / "base"
    base.mkdir()
    pl.DataFrame({"one": [1] * 300_000}).write_parquet(base / "ones.parquet")
    with running_service(tmp_path, base, fresh(next(databases)), PY_JOB_TIMEOUT_S="10") as service:
        yield service


def test_who_waits_is_let_go_when_the_server_stops(own: Service) -> None:
    token = own.submit("query", ENDLESS)
    wait_until(lambda: len(own.get(f"jobs/{token}").json()["steps"]) == 4)
    polls: list[httpx2.Response] = []
    streams: list[str] = []
    poll = threading.Thread(
        target=lambda: polls.append(own.get(f"jobs/{token}", params={"wait": 60, "since": 4}))
    )
    stream = threading.Thread(target=lambda: streams.append(own.get(f"jobs/{token}/events").text))
    for waiting in (poll, stream):
        waiting.start()
    time.sleep(1)  # both wait by now; if not, the test is easier
    began = time.monotonic()

    own.processes["server"].terminate()
    own.processes["server"].wait(60)
    took = time.monotonic() - began
    for waiting in (poll, stream):
        waiting.join(60)

    assert took < 15  # and not the 60 seconds of the poll, or the 30 that answers are given
    (answer,) = polls
    assert (answer.status_code, answer.json()["status"]) == (200, "running")
    (told,) = streams
    assert told.count("event: step") == 4
    assert "event: end" not in told
    assert '"level": "error"' not in own.log_text()


def test_a_server_starts_without_its_redis_and_says_so(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "PATH": "/usr/bin:/bin",
        "PY_AUTH_SECRET": SECRET,
        "PY_BASE_PATH": str(tmp_path),
        "PY_RESULTS_PATH": str(tmp_path / "results"),
        "REDIS_URL": f"unix://{tmp_path}/redis.sock",
        "PYTHONPATH": ":".join(sys.path),
    }
    log = tmp_path / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "airpy", "serve", "--port", str(port)],
            env=environment,
            stdout=written,
            stderr=written,
        )
    try:
        wait_until(lambda: process.poll() is not None or _answers(port))
        answer = httpx2.get(f"http://127.0.0.1:{port}/v1/py/openapi.json")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)

    logged: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    assert answer.status_code == 200
    assert "redis_unreachable" in [line["event"] for line in logged]


def _answers(port: int) -> bool:
    try:
        httpx2.get(f"http://127.0.0.1:{port}/v1/py/openapi.json")
    except httpx2.HTTPError:
        return False
    return True
