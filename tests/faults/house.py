"""A service whose parts a test kills and starts again, and a caller that bears that as good clients do."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import httpx2
import psutil
import redis

from tests.faults.requests import write_data
from tests.service import Service, running_redis, running_service, runs, wait_until

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.faults.requests import Asked

T = TypeVar("T")

WAIT_S = 240
ENDED = {"completed", "failed", "cancelled"}


class House(NamedTuple):
    """Redis, server and workers."""

    service: Service
    servers: contextlib.ExitStack
    place: Path
    records: Any
    """A client of the database of the records, for what no caller can see."""

    def restart_redis(self, number: signal.Signals) -> None:
        """End Redis with a signal, and start it again with the same data."""
        server = self._redis()
        server.send_signal(number)
        wait_until(lambda: not runs(server))
        self.servers.enter_context(running_redis(self.place))

    def stall_redis(self, seconds: float) -> None:
        """Leave Redis there, and silent."""
        server = self._redis()
        server.suspend()
        time.sleep(seconds)
        server.resume()

    def restart_server(self) -> None:
        """Kill the server and start it again where it was."""
        processes = self.service.processes
        processes["server"].kill()
        processes["server"].wait()
        self._launch("server", processes["server"].args)

    def add_worker(self, name: str) -> None:
        """Start another worker."""
        self._launch(name, [sys.executable, "-m", "airpy", "worker"])

    def workers(self) -> list[psutil.Process]:
        """The worker processes that run now."""
        supervisors = [
            psutil.Process(process.pid)
            for name, process in self.service.processes.items()
            if name.startswith("worker")
        ]
        return [worker for supervisor in supervisors for worker in supervisor.children() if runs(worker)]

    def at_work(self, worker: psutil.Process) -> dict[int, int]:
        """The jobs that this worker process runs, and which attempt it is for each."""
        found = {}
        for token in self.records.zrange("airpy:leases", 0, -1):
            name, attempt = self.records.hmget(f"airpy:job:{token}", "worker", "attempt")
            if name is not None and name.endswith(f":{worker.pid}"):
                found[int(token)] = int(attempt)
        return found

    def attempt(self, token: int) -> int:
        """How often the job has been begun."""
        return int(self.records.hget(f"airpy:job:{token}", "attempt") or 0)

    def may_fail(self, token: int) -> bool:
        """Whether the job may fail once more without becoming a dead letter."""
        return int(self.records.hget(f"airpy:job:{token}", "failures") or 0) < 2

    def is_unharmed(self, token: int) -> bool:
        """Whether no attempt at the job failed."""
        return int(self.records.hget(f"airpy:job:{token}", "failures")) == 0

    def has_ended(self, token: int) -> bool:
        """Whether the job has ended, by its record."""
        return self.records.hget(f"airpy:job:{token}", "status") in ENDED

    def issued(self) -> int:
        """The last token."""
        return int(self.records.get("airpy:token") or 0)

    def ended(self) -> int:
        """How many jobs have ended."""
        return self.issued() - int(self.records.zcard("airpy:active"))

    def wait_until_issued(self, tokens: int) -> None:
        """Wait until so many tokens have been issued."""
        wait_for(lambda: self.issued() >= tokens)

    def wait_until_ended(self, jobs: int) -> None:
        """Wait until so many jobs have ended."""
        wait_for(lambda: self.ended() >= jobs)

    def completed(self) -> int:
        """How often a job was counted as completed."""
        counted = self.records.hgetall("airpy:counters").items()
        return sum(int(count) for name, count in counted if name.startswith("ended:") and "completed" in name)

    def led(self, tokens: Iterable[int]) -> list[int]:
        """Those of the tokens that do not follow another."""
        return [token for token in tokens if not self.records.hexists(f"airpy:job:{token}", "leader")]

    def assert_at_rest(self) -> None:
        """Nothing is in line, at work or half done."""
        for key in ("active", "waiting", "delayed", "leases", "twins", "lane:short", "lane:long"):
            assert not self.records.exists(f"airpy:{key}"), key
        assert self.records.keys("airpy:followers:*") == []

    def results(self) -> list[int]:
        """The tokens for which there is a result, one for each."""
        return sorted(int(folder.name.partition("-")[0]) for folder in self.service.results.iterdir())

    def _redis(self) -> psutil.Process:
        return psutil.Process(self.records.info("server")["process_id"])

    def _launch(self, name: str, command: Any) -> None:
        with (self.service.logs / f"{name}.log").open("ab") as log:
            self.service.processes[name] = subprocess.Popen(
                command, env=self.service.environment, stdout=log, stderr=log
            )


@contextlib.contextmanager
def standing(folder: Path, workers: int = 2, **settings: str) -> Iterator[House]:
    """A house with its own Redis, and so many workers of two slots each."""
    place = folder / "redis"
    place.mkdir()
    write_data(folder / "base")
    with contextlib.ExitStack() as servers:
        url = servers.enter_context(running_redis(place))
        settings = {"PY_MAX_QUEUED_JOBS": "5000", **settings}
        service = servers.enter_context(running_service(folder, folder / "base", url, **settings))
        records = servers.enter_context(redis.Redis.from_url(url, decode_responses=True))
        house = House(service, servers, place, records)
        for number in range(2, workers + 1):
            house.add_worker(f"worker-{number}")
        wait_until(lambda: service.get("health").json()["workers_active"] == 2 * workers)
        yield house


class Caller:
    """A client that tries again what was not answered, with the same idempotency key."""

    def __init__(self, service: Service) -> None:
        headers = {"Authorization": f"Bearer {service.token(3600)}"}
        limits = httpx2.Limits(max_connections=100)
        self._http = httpx2.Client(
            base_url=f"{service.url}/v1/py/", headers=headers, timeout=30, limits=limits
        )
        self.took: list[float] = []
        """Seconds that each call took which does not wait."""
        self.statuses: Counter[int] = Counter()
        """How often each status was answered; 0 is no answer."""
        self._counting = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response | None:
        """The answer, if there is one."""
        began = time.monotonic()
        try:
            answer = self._http.request(method, path, **arguments)
        except httpx2.HTTPError:
            answer = None
        took = time.monotonic() - began
        status = answer.status_code if answer is not None else 0
        with self._counting:
            self.statuses[status] += 1
            if "wait=" not in path:
                self.took.append(took)
        return answer

    def submit(self, asked: Asked, key: str) -> int:
        """The token of the job, however often it takes to ask."""
        deadline = time.monotonic() + WAIT_S
        while True:
            headers = {"Idempotency-Key": key}
            answer = self.call("POST", asked.path, json=asked.body, headers=headers)
            if answer is not None and answer.status_code == 202:
                token: int = answer.json()["token"]
                return token
            assert answer is None or answer.status_code in {429, 503}, answer.text
            assert time.monotonic() < deadline, "nobody takes the job"
            time.sleep(0.1)

    def wait(self, token: int) -> dict[str, Any] | None:
        """The job once it has ended; None when it does not."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            answer = self.call("GET", f"jobs/{token}?wait=10&since=200")
            if answer is not None and answer.status_code == 200:
                job: dict[str, Any] = answer.json()
                if job["status"] in ENDED:
                    return job
            else:
                time.sleep(0.1)
        return None

    def outcomes(self, tokens: Iterable[int]) -> dict[int, dict[str, Any] | None]:
        """Every job once it has ended."""
        tokens = list(tokens)
        with ThreadPoolExecutor(8) as pool:
            return dict(zip(tokens, pool.map(self.wait, tokens), strict=True))


class Verdict(NamedTuple):
    """What became of jobs."""

    lost: list[int]
    wrong: list[int]

    @classmethod
    def on(cls, asked: dict[int, Asked], outcomes: dict[int, dict[str, Any] | None]) -> Verdict:
        """The tokens of jobs that have not ended, and of those that ended wrongly."""
        lost = [token for token, job in outcomes.items() if job is None]
        wrong = [
            token for token, job in outcomes.items() if job is not None and not asked[token].is_right(job)
        ]
        return cls(lost, wrong)


class Restarts(threading.Thread):
    """Watches how long jobs take to be begun again whose process was killed."""

    def __init__(self, house: House) -> None:
        super().__init__(daemon=True)
        self._house = house
        self._pending: dict[tuple[int, int], float] = {}
        self._adding = threading.Lock()
        self._over = threading.Event()
        self.seconds: list[float] = []

    def killed(self, jobs: dict[int, int]) -> None:
        """Count from now on for these attempts."""
        with self._adding:
            self._pending |= dict.fromkeys(jobs.items(), time.monotonic())

    def run(self) -> None:
        """Look every 20 ms."""
        while not self._over.wait(0.02):
            with self._adding:
                for (token, attempt), began in list(self._pending.items()):
                    if self._house.attempt(token) > attempt:
                        self.seconds.append(time.monotonic() - began)
                        del self._pending[token, attempt]
                    elif self._house.has_ended(token):  # before it was killed
                        del self._pending[token, attempt]

    def finish(self) -> list[float]:
        """The seconds of each, sorted."""
        self._over.set()
        self.join()
        assert not self._pending, self._pending
        return sorted(self.seconds)


def wait_for(look: Callable[[], T]) -> T:
    """What is seen, once there is something to see."""
    deadline = time.monotonic() + WAIT_S
    while not (seen := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return seen


def tell(line: str) -> None:
    """Add a line to the transcript, which `pytest -s` shows."""
    print(f"\n{line}", end="")  # noqa: T201


def middle(values: list[float]) -> float:
    """The median of sorted values."""
    return values[len(values) // 2]


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    return psutil.Process(pid).memory_info().rss / 2**20
