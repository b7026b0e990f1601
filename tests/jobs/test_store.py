"""The only tests that read Redis keys."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import redis
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.retry import Retry

from airpy.errors import CapExceeded, JobUnavailable, QueueUnavailable
from airpy.jobs.queue import message_for
from airpy.jobs.record import ResultFrame
from airpy.jobs.store import (
    Claim,
    JobStore,
    dismiss_worker,
    existing_jobs,
    report_worker,
    worker_reports,
)
from tests.conftest import database_url, fresh
from tests.service import running_redis

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from airpy.jobs.record import Job

T = TypeVar("T")

TTL_S = 60


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the test's database."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def ask(url: str, question: Callable[[JobStore], Awaitable[T]], broker_url: str | None = None) -> T:
    """What a store answers."""

    async def asked() -> T:
        none = Retry(NoBackoff(), 0)
        async with AsyncRedis.from_url(url, decode_responses=True, retry=none) as client:
            return await question(JobStore(client, url, broker_url or url))

    return asyncio.run(asked())


def add(url: str, ttl_s: int = TTL_S, broker_url: str | None = None) -> int:
    """The token of a new discover job."""

    async def added(store: JobStore) -> int:
        token = await store.take_token(1000)
        await store.add(token, "discover", '{"uri":"."}', "req_1", ttl_s, message_for("discover", token))
        return token

    return ask(url, added, broker_url)


def get(url: str, token: int) -> Job:
    """The job as the server sees it."""
    return ask(url, lambda store: store.get(token))


def take(client: redis.Redis, token: int) -> Claim:
    """The next attempt at a job that can be had."""
    claim = Claim.take(client, token, "host:1")
    assert claim is not None
    return claim


def test_a_new_job_is_a_record_an_active_token_and_a_message(redis_url: str, client: redis.Redis) -> None:
    before = time.time() * 1000
    token = add(redis_url)

    record: Any = client.hgetall(f"airpy:job:{token}")
    created = int(record.pop("created_ms"))

    assert before - 1 <= created <= time.time() * 1000
    assert record == {
        "kind": "discover",
        "status": "started",
        "request": '{"uri":"."}',
        "request_id": "req_1",
        "updated_ms": str(created),
        "ttl_s": "60",
        "attempt": "0",
    }
    assert client.zrange("airpy:active", 0, -1, withscores=True) == [(str(token), float(created))]
    assert client.llen("dramatiq:airpy") == 1
    assert client.hlen("dramatiq:airpy.msgs") == 1


def test_the_queue_may_be_in_another_database(redis_url: str, client: redis.Redis) -> None:
    broker_url = fresh(database_url(redis_url, 2))

    async def add_and_get(store: JobStore) -> Job:
        token = await store.take_token(10)
        await store.add(token, "discover", "{}", "req_1", TTL_S, message_for("discover", token))
        return await store.get(token)  # over the same connection, which must be back where it was

    job = ask(redis_url, add_and_get, broker_url)

    with redis.Redis.from_url(broker_url) as queue:
        assert queue.llen("dramatiq:airpy") == 1
        assert queue.exists("airpy:job:1", "airpy:active") == 0
    assert job.status == "started"
    assert client.exists("dramatiq:airpy", "dramatiq:airpy.msgs") == 0


def test_a_full_redis_takes_neither_record_nor_message(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        token = ask(url, lambda store: store.take_token(10))
        client.config_set("maxmemory", 1)

        with pytest.raises(QueueUnavailable):
            ask(
                url,
                lambda store: store.add(token, "query", "{}", "r", TTL_S, message_for("query", token)),
            )

        assert client.keys("*") == [b"airpy:token"]


def test_tokens_count_up_and_survive_a_restart(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url:
        before = [ask(url, lambda store: store.take_token(10)) for _ in range(3)]
    with running_redis(tmp_path) as url:
        after = ask(url, lambda store: store.take_token(10))

    assert before == [1, 2, 3]
    assert after == 4


def test_a_full_queue_gives_no_token(redis_url: str, client: redis.Redis) -> None:
    add(redis_url)
    add(redis_url)

    with pytest.raises(CapExceeded) as caught:
        ask(redis_url, lambda store: store.take_token(2))

    assert caught.value.reason == "QUEUE_FULL"
    assert caught.value.retryable
    assert client.get("airpy:token") == "2"


def test_the_queue_has_room_again_when_a_job_has_ended(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url)
    take(client, token).complete("1-1", None)

    assert ask(redis_url, lambda store: store.take_token(1)) == 2


def test_a_claim_begins_an_attempt(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url)

    claim = take(client, token)

    assert (claim.token, claim.attempt, claim.kind) == (token, 1, "discover")
    assert (claim.request, claim.request_id) == ('{"uri":"."}', "req_1")
    assert get(redis_url, token).status == "running"
    assert client.hget(f"airpy:job:{token}", "worker") == "host:1"


def test_every_claim_is_another_attempt(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url)

    attempts = [take(client, token).attempt for _ in range(3)]

    assert attempts == [1, 2, 3]
    assert get(redis_url, token).attempt == 3


def test_a_job_that_never_was_cannot_be_claimed(client: redis.Redis) -> None:
    assert Claim.take(client, 7, "host:1") is None
    assert client.keys("*") == []


def test_steps_are_recorded_in_order(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url)
    claim = take(client, token)

    for number in range(12):
        claim.step(f"step_{number}", f"message {number}")

    steps = get(redis_url, token).steps
    durations = [step.duration_ms for step in steps]
    assert [step.step for step in steps] == [f"step_{number}" for number in range(12)]
    assert steps[11].message == "message 11"
    assert durations == sorted(durations)
    assert all(step.timestamp.endswith("Z") for step in steps)


def test_only_the_steps_of_the_last_attempt_are_shown(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url)
    take(client, token).step("scanning_directory", "first")
    take(client, token).step("scanning_directory", "second")

    assert [step.message for step in get(redis_url, token).steps] == ["second"]


def test_what_an_overtaken_attempt_writes_is_dropped(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url)
    late, current = take(client, token), take(client, token)

    late.step("scanning_directory", "late")
    ended = [late.complete("1-1", None), late.fail({"code": "IO_ERROR"})]

    job = get(redis_url, token)
    assert ended == [False, False]
    assert (job.status, job.steps, job.folder, job.error) == ("running", (), None, None)
    assert current.complete("1-2", None)
    assert get(redis_url, token).folder == "1-2"


def test_a_completed_job_has_its_result(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url)
    frame = ResultFrame("arrow", 3, "c2NoZW1h", "sha256:00")

    assert take(client, token).complete("1-1", frame)

    job = get(redis_url, token)
    assert (job.status, job.folder, job.frame, job.error) == ("completed", "1-1", frame, None)
    assert job.expires_ms == job.updated_ms + TTL_S * 1000


def test_a_failed_job_has_its_error(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url)

    assert take(client, token).fail({"code": "IO_ERROR", "message": "gone"})

    job = get(redis_url, token)
    assert (job.status, job.folder, job.frame) == ("failed", None, None)
    assert job.error == {"code": "IO_ERROR", "message": "gone"}


@pytest.mark.parametrize("first", ["completed", "failed"])
def test_a_job_that_has_ended_never_changes(redis_url: str, client: redis.Redis, first: str) -> None:
    token = add(redis_url)
    claim = take(client, token)
    if first == "completed":
        claim.complete("1-1", None)
    else:
        claim.fail({"code": "TIMEOUT"})
    before = client.hgetall(f"airpy:job:{token}")

    claim.step("files_found", "too late")
    again = [claim.complete("other", None), claim.fail({"code": "IO_ERROR"})]

    assert again == [False, False]
    assert Claim.take(client, token, "host:2") is None
    assert client.hgetall(f"airpy:job:{token}") == before
    assert get(redis_url, token).status == first


def test_a_record_lives_until_its_time_after_the_end(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url)
    claim = take(client, token)
    while_it_runs = client.ttl(f"airpy:job:{token}")

    claim.complete("1-1", None)

    assert while_it_runs == -1
    assert 0 < int(client.ttl(f"airpy:job:{token}")) <= TTL_S
    assert client.zcard("airpy:active") == 0


def test_an_expired_token_is_told_from_one_never_issued(redis_url: str, client: redis.Redis) -> None:
    token = add(redis_url, ttl_s=1)
    take(client, token).complete("1-1", None)
    time.sleep(1.1)

    with pytest.raises(JobUnavailable) as expired:
        get(redis_url, token)
    with pytest.raises(JobUnavailable) as unknown:
        get(redis_url, token + 1)

    assert expired.value.reason == "JOB_EXPIRED"
    assert unknown.value.reason == "JOB_NOT_FOUND"
    assert unknown.value.message == "there is no job 2; the last token issued is 1"


def test_before_the_first_job_every_token_is_unknown(redis_url: str) -> None:
    with pytest.raises(JobUnavailable) as caught:
        get(redis_url, 1)

    assert caught.value.reason == "JOB_NOT_FOUND"


def test_the_census_counts_jobs_and_the_slots_of_living_workers(redis_url: str, client: redis.Redis) -> None:
    add(redis_url)
    add(redis_url)
    report_worker(client, "host:1", 2)
    report_worker(client, "host:2", 4)
    report_worker(client, "host:3", 8)
    dismiss_worker(client, "host:3", 8)
    client.zadd("airpy:workers", {"host:4:16": time.time() - 16})

    census = ask(redis_url, lambda store: store.census())

    assert census.next_token == 3
    assert census.active_jobs == 2
    assert census.worker_slots == 6
    assert census.redis_version[0].isdecimal()


def test_the_census_of_an_empty_redis(redis_url: str) -> None:
    census = ask(redis_url, lambda store: store.census())

    assert census[:3] == (1, 0, 0)


def test_a_worker_that_was_silent_for_long_is_forgotten(client: redis.Redis) -> None:
    client.zadd("airpy:workers", {"host:9:1": time.time() - 151, "host:8:1": time.time() - 100})

    report_worker(client, "host:1", 2)

    assert client.zrange("airpy:workers", 0, -1) == ["host:8:1", "host:1:2"]


def test_a_hosts_worker_is_known_by_its_reports(client: redis.Redis) -> None:
    report_worker(client, "host:1", 2)
    client.zadd("airpy:workers", {"gone:4:16": time.time() - 16})

    assert worker_reports(client, "host")
    assert not worker_reports(client, "gone")
    assert not worker_reports(client, "ho")


def test_existing_jobs_are_those_with_a_record(redis_url: str, client: redis.Redis) -> None:
    one, two = add(redis_url), add(redis_url)

    assert existing_jobs(client, [one, two, 99]) == {one, two}
    assert existing_jobs(client, []) == set()


@pytest.mark.parametrize("question", ["take_token", "add", "get", "census"])
def test_without_redis_the_queue_is_unavailable(question: str) -> None:
    asked: dict[str, Callable[[JobStore], Awaitable[Any]]] = {
        "take_token": lambda store: store.take_token(10),
        "add": lambda store: store.add(1, "query", "{}", "r", 1, message_for("query", 1)),
        "get": lambda store: store.get(1),
        "census": lambda store: store.census(),
    }

    with pytest.raises(QueueUnavailable) as caught:
        ask("unix:///nowhere/redis.sock", asked[question])

    assert caught.value.retryable
    assert "nowhere" not in caught.value.message
