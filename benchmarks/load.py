"""How the service bears load: its throughput, how long jobs wait, and what a long life leaves behind.

    python benchmarks/load.py [mixed|flood|waiters|life] [size]

mixed     jobs of every type from 16 callers who each wait for their answer, for `size` seconds (60)
flood     `size` (10000) queries, as fast as 64 connections can: how many are refused, how health fares
waiters   `size` (2000) long polls and event streams at once: from a step's write to each receipt of it
life      `size` (20000) small jobs: what the service uses after 1,000 of them, and at the end
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import redis
from service import SECRET, Caller, Running, running

from airpy.demo import make_energy_data
from airpy.jobs.claim import Claim
from airpy.web.auth import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 1
CALLERS = 16
FLOODERS = 64
WATCHED_JOBS = 200
STEPS_S = 30
STEPS_A_SECOND = 20
STEPS_A_SECOND_TO_ALL = 0.2
QUICK_S = 0.05
QUICK_ANSWERS = 20
WARM_JOBS = 1000
LIFE_CALLERS = 8
LIFE_TTL_S = 20
ALLOWED = 1.1
"""How much larger memory may be at the end."""
ENDED = {"completed", "failed", "cancelled"}


def main(chosen: str | None, size: int | None) -> None:
    """Measure what is chosen, or everything, and print."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        make_energy_data(base)
        for name, measure in MEASURES.items():
            if chosen in {None, name}:
                print(f"\n{name}: {measure.__doc__}")
                measure(base, *([size] if size else []))


def mixed(base: Path, seconds: int = 60) -> None:
    """Jobs of every type, from callers who each wait for their answer."""
    with running(base) as house:
        over = time.monotonic() + seconds
        jobs: list[tuple[str, dict[str, Any]]] = []

        def call(number: int) -> None:
            dice = random.Random(SEED * CALLERS + number)  # noqa: S311  no secret
            with Caller(house.url) as caller:
                while time.monotonic() < over:
                    path, body = request(dice)
                    jobs.append((path, finished(caller, caller.submit(path, body))))

        in_threads(CALLERS, call)
    waits = [queued_ms(job) for _, job in jobs]
    runs = [run_ms(job) for _, job in jobs]
    failed = [job for _, job in jobs if job["status"] != "completed"]
    print(f"{len(jobs)} jobs in {seconds} s, {len(jobs) / seconds:.1f} a second, {len(failed)} failed")
    print(f"by type: {dict(Counter(path for path, _ in jobs))}")
    print(f"in line  {quantiles(waits)} ms, of {CALLERS} callers and 2 slots")
    print(f"at work  {quantiles(runs)} ms")


def flood(base: Path, posts: int = 10_000) -> None:
    """Queries posted as fast as the connections can, and health asked all the while."""
    with running(base) as house:
        statuses: Counter[int] = Counter()
        retry_after: Counter[int] = Counter()
        tokens: list[int] = []
        numbers = iter(range(posts))
        health: list[float] = []
        over = threading.Event()

        def post(_: int) -> None:
            with Caller(house.url) as caller:
                for number in numbers:
                    answer = caller.http.post("/v1/py/query", json=small_query(number))
                    statuses[answer.status_code] += 1
                    if answer.status_code == 202:
                        tokens.append(answer.json()["token"])
                    else:
                        retry_after[int(answer.headers["retry-after"])] += 1

        def ask() -> None:
            with Caller(house.url) as caller:
                while not over.wait(0.05):
                    began = time.monotonic()
                    caller.http.get("/v1/py/health").raise_for_status()
                    health.append((time.monotonic() - began) * 1000)

        asking = threading.Thread(target=ask)
        asking.start()
        began = time.monotonic()
        in_threads(FLOODERS, post)
        took = time.monotonic() - began
        with redis.Redis.from_url(house.redis_url) as records:
            memory_mb = records.info("memory")["used_memory_peak"] / 2**20
        over.set()
        asking.join()
        with Caller(house.url) as caller:
            jobs = [finished(caller, token) for token in tokens]
    completed = sum(job["status"] == "completed" for job in jobs)
    print(f"{posts} posts in {took:.1f} s, {posts / took:.0f} a second; by status {dict(statuses)}")
    waits = [queued_ms(job) for job in jobs]
    print(f"of {len(tokens)} accepted {completed} completed; in line {quantiles(waits)} ms")
    print(f"Retry-After, in seconds: {dict(sorted(retry_after.items()))}")
    print(f"health meanwhile: {quantiles(health)} ms; Redis used at most {memory_mb:.1f} MiB")


def waiters(base: Path, number: int = 2000) -> None:
    """Long polls and event streams at once; the benchmark itself is the worker."""
    for jobs in (WATCHED_JOBS, 1):
        with running(base, worker=False) as house:
            told, woken = asyncio.run(Watching(house, number, jobs).measure())
        print(
            f"{number} waiting, half of them polls, for {jobs} jobs; {STEPS_S} s, "
            f"{Watching.rate(jobs)} steps a second; from a step's write to its receipt:"
        )
        print(f"  polls    {len(told):>6} receipts  {quantiles(told)} ms")
        print(f"  streams  {len(woken):>6} receipts  {quantiles(woken)} ms")


def life(base: Path, number: int = 20_000) -> None:
    """What is left of many small jobs, after the first ones and at the end."""
    with running(base, PY_JOB_TTL_S=str(LIFE_TTL_S)) as house:
        jobs = small_jobs(house, number)
        began = time.monotonic()
        next(jobs)
        before = at_rest(house)
        first = time.monotonic() - began
        done = sum(jobs)
        after = at_rest(house)
    took = time.monotonic() - began - first
    print(f"{WARM_JOBS} jobs and a rest in {first:.0f} s, then {done} and a rest in {took:.0f} s")
    print(f"{'':<26}{'after 1,000':>14}{'at the end':>14}")
    grown = []
    for name, value in before.items():
        print(f"{name:<26}{value:>14,.1f}{after[name]:>14,.1f}")
        if after[name] > value * ALLOWED + 1:
            grown.append(name)
    print(f"grown by more than a tenth and one: {', '.join(grown) or 'nothing'}")


MEASURES: dict[str, Callable[..., None]] = {
    "mixed": mixed,
    "flood": flood,
    "waiters": waiters,
    "life": life,
}


def request(dice: random.Random) -> tuple[str, dict[str, Any]]:
    """A job of any type, hardly ever the same."""
    path = dice.choice(("query", "query", "discover", "infer_schema", "analyze"))
    match path:
        case "discover":
            body: dict[str, Any] = {"uri": "energy", "max_files": dice.randint(1, 1000)}
        case "infer_schema":
            body = {"uri": "energy", "infer_rows": dice.randint(1000, 20_000)}
        case "analyze":
            body = {"plan": small_query(dice.randrange(10_000))["plan"], "job_kind": "eda"}
        case _:
            body = small_query(dice.randrange(10_000))
    return path, {**body, "datasource_id": f"source-{dice.randrange(8)}"}


def small_query(number: int) -> dict[str, Any]:
    """Kilowatt hours by site, of 54,000 rows; each number asks another."""
    return {
        "datasource_id": "energy-files",
        "plan": {
            "dataset": "energy",
            "filters": [{"col": "kwh", "op": ">=", "val": number / 10_000}],
            "groupby": ["site_id"],
            "aggs": [{"col": "kwh", "fn": "sum"}],
        },
    }


def finished(caller: Caller, token: int) -> dict[str, Any]:
    """The job once it has ended."""
    while True:
        job: dict[str, Any] = caller.http.get(f"/v1/py/jobs/{token}?wait=30&since=200").json()
        if job["status"] in ENDED:
            return job


def small_jobs(house: Running, number: int) -> Iterator[int]:
    """Run so many small jobs, the first thousand of them at first; gives how many each time."""
    numbers = iter(range(number))

    def call(most: int) -> int:
        with Caller(house.url) as caller:
            for place in itertools.islice(numbers, most):
                body = {"datasource_id": f"s{place % 50}", "uri": "energy", "max_files": place % 1000 + 1}
                job = finished(caller, caller.submit("discover", body))
                if job["status"] != "completed":
                    raise RuntimeError(job["error"]["message"])
        return most

    for share in (WARM_JOBS, number - WARM_JOBS):
        with ThreadPoolExecutor(LIFE_CALLERS) as pool:
            yield sum(pool.map(call, [share // LIFE_CALLERS] * LIFE_CALLERS))


def at_rest(house: Running) -> dict[str, float]:
    """What the service uses once nothing is left to do, and records and results have had their time."""
    with redis.Redis.from_url(house.redis_url, decode_responses=True) as records:
        while records.keys("airpy:job:*"):
            time.sleep(1)
        # Folders that have just changed are left alone for ten minutes, which this does not wait for.
        for folder in house.results.iterdir():
            os.utime(folder, (0, 0))
        while any(house.results.iterdir()):
            time.sleep(1)
        time.sleep(3)
        memory, keys = records.info("memory"), records.dbsize()
        redis_server = psutil.Process(records.info("server")["process_id"])
    parts = {"redis": redis_server}
    for name, command in (("server", "serve"), ("worker", "airpy.worker")):
        parts[name] = next(one for one in psutil.Process().children() if command in one.cmdline())
    found: dict[str, float] = {}
    for name, process in parts.items():
        family = [process, *process.children(recursive=True)]
        found[f"{name}: memory, MiB"] = sum(one.memory_info().rss for one in family) / 2**20
        found[f"{name}: open files"] = sum(one.num_fds() for one in family)
        found[f"{name}: children"] = len(family) - 1
        found[f"{name}: threads"] = process.num_threads()
    found["redis: data, MiB"] = memory["used_memory"] / 2**20
    found["redis: keys"] = keys
    found["temporary files"] = sum(1 for _ in house.temporary.rglob("*"))
    found["results"] = sum(1 for _ in house.results.iterdir())
    return found


class Watching:
    """Many who wait for jobs, and a worker that writes steps."""

    def __init__(self, house: Running, number: int, jobs: int) -> None:
        self._url = house.url
        self._port = urlsplit(house.url).port or 0
        self._redis_url = house.redis_url
        self._number = number
        self._jobs = jobs
        self._head = f"Host: airpy\r\nAuthorization: Bearer {sign(SECRET, 36_000)}\r\n"
        self._written: dict[tuple[int, int], float] = {}
        self._polled: list[float] = []
        self._streamed: list[float] = []
        with Caller(house.url) as caller:
            for place in range(jobs):
                caller.submit("discover", {"datasource_id": "a", "uri": "energy", "max_files": place + 1})
        self._client = redis.Redis.from_url(house.redis_url, decode_responses=True)
        self._claims = [self._claim() for _ in range(jobs)]

    @staticmethod
    def rate(jobs: int) -> float:
        """Steps a second: fewer when each is told to all."""
        return STEPS_A_SECOND if jobs > 1 else STEPS_A_SECOND_TO_ALL

    async def measure(self) -> tuple[list[float], list[float]]:
        """Milliseconds of each receipt, by polls and by streams."""
        waiting = []
        for place in range(self._number):
            token = self._claims[place // 2 % self._jobs].token
            waiting.append(asyncio.create_task(self._poll(token) if place % 2 else self._stream(token)))
            if place % 100 == 0:
                await asyncio.sleep(0.2)
        await asyncio.to_thread(self._until_all_wait)
        await asyncio.to_thread(self._work)
        await asyncio.sleep(2)
        for task in waiting:
            task.cancel()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        if broken := [outcome for outcome in outcomes if not isinstance(outcome, asyncio.CancelledError)]:
            raise RuntimeError(broken)
        return self._polled, self._streamed

    def _claim(self) -> Claim:
        claim = Claim.take(self._client, "benchmark:1", long_too=True)
        if claim is None:
            raise RuntimeError("no job is in line")
        return claim

    def _until_all_wait(self) -> None:
        """Wait until the server has nothing to do but to let them wait."""
        with Caller(self._url) as caller:
            quick = 0
            while quick < QUICK_ANSWERS:
                time.sleep(0.1)
                began = time.perf_counter()
                caller.http.get("/v1/py/health")
                quick = quick + 1 if time.perf_counter() - began < QUICK_S else 0

    def _work(self) -> None:
        """Write steps to jobs by chance."""
        dice = random.Random(SEED)  # noqa: S311  no secret
        counts: Counter[int] = Counter()
        pause = 1 / self.rate(self._jobs)
        for _ in range(round(STEPS_S * self.rate(self._jobs))):
            claim = dice.choice(self._claims)
            counts[claim.token] += 1
            self._written[claim.token, counts[claim.token]] = time.perf_counter()
            claim.step("working", "on and on")
            time.sleep(dice.expovariate(1 / pause) if self._jobs > 1 else pause)

    def _heard(self, receipts: list[float], token: int, step: int) -> None:
        receipts.append((time.perf_counter() - self._written[token, step]) * 1000)

    async def _poll(self, token: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        seen = 0
        while True:
            line = f"GET /v1/py/jobs/{token}?wait=60&since={seen} HTTP/1.1\r\n{self._head}\r\n"
            writer.write(line.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head)
            length = next(
                int(field[15:])
                for field in head.lower().split(b"\r\n")
                if field.startswith(b"content-length:")
            )
            steps = len(json.loads(await reader.readexactly(length))["steps"])
            for step in range(seen + 1, steps + 1):
                self._heard(self._polled, token, step)
            seen = steps

    async def _stream(self, token: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(f"GET /v1/py/jobs/{token}/events HTTP/1.1\r\n{self._head}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head)
        async for line in reader:
            if line.startswith(b"id: "):
                self._heard(self._streamed, token, int(line[4:]))


def in_threads(number: int, call: Callable[[int], None]) -> None:
    """Call it in so many threads at once, each with its number."""
    with ThreadPoolExecutor(number) as pool:
        for _ in pool.map(call, range(number)):
            pass


def queued_ms(job: dict[str, Any]) -> float:
    """How long a job was in line."""
    return max(0.0, began_ms(job) - moment(job["created_at"]))


def run_ms(job: dict[str, Any]) -> float:
    """How long it was at work."""
    return moment(job["updated_at"]) - began_ms(job)


def began_ms(job: dict[str, Any]) -> float:
    """When it was first begun."""
    first = job["steps"][0]
    return moment(first["timestamp"]) - float(first["duration_ms"])


def moment(text: str) -> float:
    """A timestamp of the service, in milliseconds since the epoch."""
    return dt.datetime.fromisoformat(text).timestamp() * 1000


def quantiles(values: list[float]) -> str:
    """The median, the 99th percentile and the largest."""
    ordered = sorted(values)
    if not ordered:
        return "none"
    middle, high = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    return f"p50 {middle:,.0f}, p99 {high:,.0f}, max {ordered[-1]:,.0f}"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None, int(sys.argv[2]) if len(sys.argv) > 2 else None)
