"""How many requests a second one server process answers, beside FastAPI with the same work.

    python benchmarks/throughput.py [rounds]

Two operations: POST query, a valid plan that is authenticated, validated, checked and queued, and GET jobs of
a job that waits. No worker runs, so the queue only grows. The peer in fastapi_peer.py does the same on the
same Redis. Both are one uvicorn process; they take turns, and the best of the rounds counts. The load comes
from this process, over kept connections, each with one request at a time.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import httpx2
import uvloop
from service import SECRET, Caller, free_port, running

from airpy.demo import QUERY, make_energy_data
from airpy.web.auth import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service import Running

ROUND_S = 3.0
WARM_UP_S = 0.5
CONCURRENCY = (1, 16)


class Request(NamedTuple):
    """A request that is sent again and again, and the status it must have."""

    name: str
    raw: bytes
    status: int


class Measured(NamedTuple):
    """One round."""

    per_second: float
    p50_ms: float
    p99_ms: float


def main(rounds: int) -> None:
    """Measure and print."""
    print(f"one process each, best of {rounds} rounds of {ROUND_S:g} s")
    print(f"{'':<22}{'AIR-Py':^26}{'FastAPI':^26}")
    print(f"{'request':<12}{'at a time':>10}{'  req/s   p50 ms   p99 ms' * 2}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        make_energy_data(Path(folder))
        with running(Path(folder), worker=False, PY_MAX_QUEUED_JOBS="10000000") as service:
            ports = {"AIR-Py": urlsplit(service.url).port or 0, "FastAPI": start_peer(service)}
            for request in requests(service):
                for concurrency in CONCURRENCY:
                    runs: dict[str, list[Measured]] = {side: [] for side in ports}
                    for _ in range(rounds):
                        for side, port in ports.items():
                            runs[side].append(uvloop.run(measured(port, request, concurrency)))
                    print_row(f"{request.name:<12}{concurrency:>10}", *map(max, runs.values()))


def start_peer(service: Running) -> int:
    """Start the FastAPI application on the service's Redis; gives its port."""
    port = free_port()
    factory = ["--factory", "fastapi_peer:create_app", "--app-dir", str(Path(__file__).parent)]
    command = [sys.executable, "-m", "uvicorn", *factory, "--port", str(port)]

    def answers() -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/openapi.json").is_success
        except httpx2.HTTPError:
            return False

    service.start("fastapi", command, answers)
    return port


def requests(service: Running) -> Iterator[Request]:
    """The requests, as the bytes that a client sends."""
    bearer = f"Host: 127.0.0.1\r\nAuthorization: Bearer {sign(SECRET, 36_000)}\r\n"
    with Caller(service.url) as caller:
        token = caller.submit("query", QUERY)
        body = httpx2.Request("POST", service.url, json=QUERY).read()
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    yield Request("POST query", f"POST /v1/py/query HTTP/1.1\r\n{bearer}{length}\r\n".encode() + body, 202)
    yield Request("GET job", f"GET /v1/py/jobs/{token} HTTP/1.1\r\n{bearer}\r\n".encode(), 200)


async def measured(port: int, request: Request, concurrency: int) -> Measured:
    """Send the request over so many connections for the length of a round."""
    await loaded(port, request, concurrency, WARM_UP_S)
    times = await loaded(port, request, concurrency, ROUND_S)
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return Measured(len(times) / ROUND_S, cuts[49] * 1000, cuts[98] * 1000)


async def loaded(port: int, request: Request, concurrency: int, seconds: float) -> list[float]:
    """How long each request took, in seconds."""
    times: list[float] = []
    deadline = time.perf_counter() + seconds

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < deadline:
            writer.write(request.raw)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if int(head.split(b" ", 2)[1]) != request.status:
                raise SystemExit(f"{request.name} was answered with {head.decode()}")
            await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
            times.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(send() for _ in range(concurrency)))
    return times


def print_row(title: str, ours: Measured, theirs: Measured) -> None:
    """One line of the table."""
    figures = "".join(f"{one.per_second:>8.0f}{one.p50_ms:>9.2f}{one.p99_ms:>9.2f}" for one in (ours, theirs))
    print(f"{title}{figures}{ours.per_second / theirs.per_second:>8.2f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
