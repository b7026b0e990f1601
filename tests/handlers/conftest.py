"""The service of the handlers' tests, whose every answer is judged by the contract, and odd files to read."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest
import redis

from airpy.jobs.claim import Claim
from airpy.jobs.scripts import run
from tests.conftest import fresh
from tests.second_opinion import check_response, check_result
from tests.service import WAIT_S, Service, running_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import httpx2


class Judged(Service):
    """A service whose answers are checked against the contract as they come."""

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """The answer to a signed request, which the contract must know."""
        response = super().call(method, path, **arguments)
        if method in {"GET", "POST", "DELETE"}:
            check_response(response)
        return response

    def wait(self, token: int, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """The job once it has ended; its data must be what its kind of job gives."""
        job = super().wait(token, timeout_s)
        if job["status"] == "completed":
            check_result(job)
        return job


@pytest.fixture(scope="session")
def service(service: Service) -> Service:
    """The service that the whole session shares, judged."""
    return Judged(*service)


class ByHand(NamedTuple):
    """A service whose only worker is the test, so that it decides when a step is written."""

    service: Service
    redis: redis.Redis

    def submit(self, name: str) -> int:
        """The token of a job like no other at work."""
        body = {"datasource_id": name, "uri": "csv"}
        return self.service.submit("discover", body)

    def begin(self) -> Claim:
        """Begin the job that is next in line."""
        run(self.redis, "due")  # one that was given back may be begun again
        claim = Claim.take(self.redis, "a test", long_too=True)
        assert claim is not None
        return claim


@contextlib.contextmanager
def without_worker(service: AbstractContextManager[Service]) -> Iterator[ByHand]:
    """The service, whose worker has ended."""
    with service as running:
        running.processes["worker"].terminate()
        running.processes["worker"].wait(60)
        with redis.Redis.from_url(running.redis_url, decode_responses=True) as client:
            yield ByHand(Judged(*running), client)


@pytest.fixture(scope="session")
def unmanned(
    tmp_path_factory: pytest.TempPathFactory, base: Path, databases: Iterator[str]
) -> Iterator[ByHand]:
    """A service without a worker, which the whole session shares."""
    service = running_service(
        tmp_path_factory.mktemp("unmanned"), base, fresh(next(databases)), PY_WORKERS="1"
    )
    with without_worker(service) as by_hand:
        yield by_hand


@pytest.fixture
def by_hand(unmanned: ByHand) -> ByHand:
    """The service without a worker, and no job in it; no token is ever given twice, as in a real one."""
    token = unmanned.redis.get("airpy:token") or 0
    unmanned.redis.flushdb()
    unmanned.redis.set("airpy:token", token)
    return unmanned


@pytest.fixture(scope="session")
def ones(base: Path) -> str:
    """A data set of many equal numbers; joined with itself, it keeps a job at work until that is stopped."""
    pl.DataFrame({"one": [1] * 300_000}).write_parquet(base / "_ones.parquet")
    return "_ones.parquet"


@pytest.fixture(scope="session")
def odd(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that are hard to read; its name keeps it out of listings of the base path."""
    odd = base / "_odd"
    odd.mkdir()
    (odd / "empty.csv").touch()
    (odd / "empty.jsonl").touch()
    (odd / "empty.parquet").touch()
    (odd / "header.csv").write_text("name,age\n")
    (odd / "broken.parquet").write_bytes(b"PAR1 is how it begins, and how it ends: PAR1")
    (odd / "broken.jsonl").write_text('{"a": 1}\n{"a": \n')
    (odd / "ragged.csv").write_text("a,b\n1,2\n3,4,5\n")
    (odd / "notes").mkdir()
    (odd / "notes" / "readme.txt").write_text("nothing to see")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.csv").write_text("secret\n1\n")
    (odd / "link.csv").symlink_to(outside / "secret.csv")
    (odd / "linked").symlink_to(outside)
    return odd
