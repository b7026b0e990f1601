from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import dramatiq
import pytest
import redis
from dramatiq.brokers.stub import StubBroker
from redis.asyncio import Redis as AsyncRedis

from airpy.contract import DiscoverRequest, QueryRequest
from airpy.errors import AirError, CapExceeded, FileUnavailable, InvalidPlan, PathRefused
from airpy.files.paths import FileRoot
from airpy.jobs.broker import QUEUE, WakeBroker
from airpy.jobs.kinds import JOBS
from airpy.jobs.queue import JobQueue, declare_actors, message_for
from airpy.jobs.results import Results
from airpy.jobs.store import Claim, JobStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pydantic import BaseModel

    from airpy.contract import JobType

HERE = {"datasource_id": "energy", "uri": "energy"}


@pytest.fixture
def stub() -> Iterator[StubBroker]:
    """A broker in memory."""
    broker = StubBroker(middleware=[])
    yield broker
    broker.flush_all()
    broker.close()


def submit(
    url: str,
    base: Path,
    results: Path,
    *submissions: tuple[JobType, BaseModel, bytes | None],
    max_jobs: int = 10,
) -> list[int]:
    """The tokens of jobs submitted one after another."""

    async def submitted() -> list[int]:
        async with AsyncRedis.from_url(url, decode_responses=True) as client:
            queue = JobQueue(
                store=JobStore(client, url, url),
                results=Results(results),
                files=FileRoot.at(base, (".csv", ".parquet", ".jsonl")),
                max_jobs=max_jobs,
                ttl_s=60,
            )
            return [await queue.submit(kind, request, "req_1", frame) for kind, request, frame in submissions]

    return asyncio.run(submitted())


def claim(url: str, token: int) -> Claim | None:
    """An attempt at the job, if there is one."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return Claim.take(client, token, "host:1")


def test_an_accepted_job_can_be_claimed_with_what_was_asked(
    redis_url: str, base: Path, tmp_path: Path
) -> None:
    request = DiscoverRequest.model_validate(HERE)

    (token,) = submit(redis_url, base, tmp_path, ("discover", request, None))

    attempt = claim(redis_url, token)
    assert attempt is not None
    assert (attempt.kind, attempt.request_id) == ("discover", "req_1")
    assert DiscoverRequest.model_validate_json(attempt.request) == request


def test_an_accepted_job_has_a_message_for_its_actor(redis_url: str, base: Path, tmp_path: Path) -> None:
    (token,) = submit(redis_url, base, tmp_path, ("discover", DiscoverRequest.model_validate(HERE), None))

    with redis.Redis.from_url(redis_url) as client:
        broker = WakeBroker(client)
        broker.declare_queue(QUEUE)
        message = next(broker.consume(QUEUE))
    assert message is not None
    assert (message.actor_name, message.args) == ("discover", (token,))


def test_names_of_the_contract_survive_the_record(redis_url: str, base: Path, tmp_path: Path) -> None:
    """`as` and `schema` are Python's words, and other names in the models."""
    plan = {"dataset": "energy", "aggs": [{"col": "kwh", "fn": "sum", "as": "total"}]}
    request = QueryRequest.model_validate({"datasource_id": "energy-files", "plan": plan})

    (token,) = submit(redis_url, base, tmp_path, ("query", request, None))

    attempt = claim(redis_url, token)
    assert attempt is not None
    assert '"as":"total"' in attempt.request
    assert QueryRequest.model_validate_json(attempt.request) == request


def test_a_frame_is_kept_before_anyone_can_claim_the_job(redis_url: str, base: Path, tmp_path: Path) -> None:
    (token,) = submit(redis_url, base, tmp_path, ("discover", DiscoverRequest.model_validate(HERE), b"frame"))

    assert Results(tmp_path).input_frame(token).read_bytes() == b"frame"


def test_a_frame_that_cannot_be_kept_makes_no_job(redis_url: str, base: Path, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    good = DiscoverRequest.model_validate(HERE)

    with pytest.raises(FileUnavailable) as caught:
        submit(redis_url, base, tmp_path / "a file", ("discover", good, b"frame"))

    assert str(tmp_path) not in caught.value.message
    assert claim(redis_url, 1) is None


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("discover", {"datasource_id": "energy", "uri": "../etc"}, PathRefused),
        ("discover", {"datasource_id": "energy", "uri": "nowhere"}, FileUnavailable),
        ("infer_schema", {"datasource_id": "energy", "uri": "/etc/passwd.csv"}, PathRefused),
        ("query", {"datasource_id": "energy", "plan": {"dataset": "nothing_like_it"}}, FileUnavailable),
        ("query", {"datasource_id": "energy", "plan": {"dataset": "energy", "time_col": "t"}}, InvalidPlan),
    ],
)
def test_what_can_be_refused_at_once_gets_no_token(
    redis_url: str, base: Path, tmp_path: Path, kind: JobType, body: dict[str, Any], error: type[AirError]
) -> None:
    request = JOBS[kind].request.model_validate(body)
    good = DiscoverRequest.model_validate(HERE)

    with pytest.raises(error):
        submit(redis_url, base, tmp_path, (kind, request, None))

    assert submit(redis_url, base, tmp_path, ("discover", good, None)) == [1]


def test_a_full_queue_keeps_nothing_of_what_it_refuses(redis_url: str, base: Path, tmp_path: Path) -> None:
    good = DiscoverRequest.model_validate(HERE)
    submit(redis_url, base, tmp_path, ("discover", good, None))

    with pytest.raises(CapExceeded) as caught:
        submit(redis_url, base, tmp_path, ("discover", good, b"frame"), max_jobs=1)

    assert caught.value.reason == "QUEUE_FULL"
    assert list(tmp_path.iterdir()) == []
    assert claim(redis_url, 2) is None


def run_messages(broker: StubBroker, run: Callable[[int], bool], *kinds: JobType) -> None:
    """Have a worker run a message of each kind, with tokens from 1 on."""
    declare_actors(broker, run)
    worker = dramatiq.Worker(broker, worker_timeout=10, worker_threads=1)
    worker.start()
    for token, kind in enumerate(kinds, 1):
        broker.enqueue(message_for(kind, token))
    broker.join(QUEUE, timeout=30_000, fail_fast=False)
    worker.join()
    worker.stop()


def test_every_kind_has_an_actor(stub: StubBroker) -> None:
    seen: list[int] = []

    def run(token: int) -> bool:
        seen.append(token)
        return True

    run_messages(stub, run, *JOBS)

    assert seen == [1, 2, 3, 4]
    assert stub.dead_letters == []


def test_what_is_not_done_goes_to_the_dead_letters(stub: StubBroker) -> None:
    run_messages(stub, lambda token: token != 2, "query", "query", "query")

    assert [message.args for message in stub.dead_letters] == [(2,)]
