from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import httpx2
import psutil
import pytest
import redis

from tests.conftest import fresh
from tests.service import free_port, running_redis, runs, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e


class Running(NamedTuple):
    """The command `airpy up`, running in a folder."""

    process: subprocess.Popen[bytes]
    folder: Path
    url: str

    def printed(self) -> str:
        """What it has printed."""
        return (self.folder / "printed").read_text()

    def processes(self) -> list[psutil.Process]:
        """Every process that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextlib.contextmanager
def up(folder: Path, *arguments: str, **environment: str) -> Iterator[Running]:
    """The command, until its service is up; it is killed at the end if it has not ended by then."""
    port = free_port()
    ours = {"REDIS_URL", "DRAMATIQ_BROKER_URL", "CELERY_BROKER_URL"}
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("PY_") and name not in ours
    }
    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "airpy", "up", "--port", str(port), *arguments],
            cwd=folder,
            env=clean | {"COLUMNS": "100"} | environment,
            stdout=printed,
            stderr=printed,
        )
    running = Running(process, folder, f"http://127.0.0.1:{port}")
    try:
        wait_until(lambda: process.poll() is not None or "Ctrl-C" in running.printed())
        yield running
    finally:
        process.kill()
        process.wait()


def test_one_command_shows_the_service_and_leaves_nothing_running(tmp_path: Path) -> None:
    with up(tmp_path, "--demo") as running:
        printed = running.printed()
        docs = httpx2.get(f"{running.url}/v1/py/docs/", follow_redirects=True)
        refused = httpx2.get(f"{running.url}/v1/py/health")
        processes = running.processes()
        running.process.send_signal(signal.SIGINT)
        code = running.process.wait(60)
        wait_until(lambda: not any(map(runs, processes)))
    with up(tmp_path, "--demo") as again:
        printed_again = again.printed()
        again.process.send_signal(signal.SIGTERM)
        code_again = again.process.wait(60)

    steps = [line.split()[1] for line in printed.splitlines() if line.startswith("  ✓")]
    assert steps == ["file_found", "loading_data", "applying_filters", "aggregating", "query_complete"]
    # September has 30 days and there are 25 sites; a Monday of site 1 is 24 hours of 10 kWh on average.
    assert "the first 8 of 750 rows" in printed
    first = next(line for line in printed.splitlines() if "site_001" in line and "2025-09-01" in line)
    assert [word for word in first.split() if word[0].isalnum()] == [
        "site_001",
        "2025-09-01",
        "240.00",
        "36.00",
    ]
    assert running.url in printed
    assert docs.status_code == 200
    assert "swagger" in docs.text.lower()
    assert refused.status_code == 401
    assert len(processes) >= 3
    assert code == 0
    assert "Job 2: the first 8 of 750 rows" in printed_again  # it went on where it had stopped
    assert code_again == 0
    assert stat.S_IMODE((tmp_path / ".airpy" / "secret").stat().st_mode) == 0o600


def test_a_redis_of_ones_own_is_used(tmp_path: Path, databases: Iterator[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.csv").write_bytes(b"x\n1\n")
    url = fresh(next(databases))

    with up(tmp_path, REDIS_URL=url, PY_BASE_PATH=str(tmp_path / "mine")) as running:
        printed = running.printed()
        names = {" ".join(process.cmdline()[1:4]) for process in running.processes()}
        token = subprocess.run(
            [sys.executable, "-m", "airpy", "token"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()
        answer = httpx2.post(
            f"{running.url}/v1/py/preview",
            headers={"Authorization": f"Bearer {token}"},
            json={"datasource_id": "mine", "path": "a.csv"},
        )
        running.process.send_signal(signal.SIGINT)
        code = running.process.wait(60)

    assert "site_001" not in printed
    assert str(tmp_path / "mine") in printed
    assert "-m airpy.worker" in names
    assert not (tmp_path / ".airpy" / "redis").exists()
    assert answer.json()["rows"] == [{"x": 1}]
    assert code == 0


def test_a_port_that_is_taken_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = subprocess.run(
            [sys.executable, "-m", "airpy", "up", "--port", str(port)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run.returncode == 2
    assert f"--port: {port} is taken" in run.stderr
    assert not (tmp_path / ".airpy").exists()


def test_a_wrong_setting_stops_what_was_started(tmp_path: Path) -> None:
    with up(tmp_path, PY_WORKERS="many") as running:
        code = running.process.wait(60)

    assert code == 2
    assert "PY_WORKERS: " in running.printed()
    assert "Traceback" not in running.printed()


def test_a_redis_that_is_away_is_told_at_once(tmp_path: Path) -> None:
    with up(tmp_path, REDIS_URL="unix:///nowhere/redis.sock") as running:
        code = running.process.wait(60)

    assert code == 2
    assert "REDIS_URL: no Redis answers there" in running.printed()


def test_a_redis_that_evicts_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    with running_redis(tmp_path / "redis") as url, redis.Redis.from_url(url) as client:
        client.config_set("maxmemory", "64mb")
        client.config_set("maxmemory-policy", "volatile-lru")
        with up(tmp_path, REDIS_URL=url) as running:
            code = running.process.wait(60)

    assert code == 2
    assert "evicts by volatile-lru" in " ".join(running.printed().split())
    assert "Traceback" not in running.printed()
