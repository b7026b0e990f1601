"""How tests put jobs in line, look at them, and take them as a worker does."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any, TypeVar

from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.retry import Retry

from airpy.jobs.claim import LEASE_MS, Claim
from airpy.jobs.scripts import run
from airpy.jobs.store import JobStore, Submission

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import redis

    from airpy.jobs.record import Job

T = TypeVar("T")

TTL_S = 60
WORKER = "host:1"

_numbers = itertools.count()


def submission(**parts: Any) -> Submission:
    """A discover request; each one another, unless its parts say what it asks."""
    asked = Submission(
        kind="discover",
        request=f'{{"datasource_id":"energy","uri":"{next(_numbers)}"}}',
        data=None,
        source="energy",
        lane="short",
        request_id="req_1",
        ttl_s=TTL_S,
    )
    return asked._replace(**parts)


def ask(url: str, question: Callable[[JobStore], Awaitable[T]], broker_url: str | None = None) -> T:
    """What a store answers."""

    async def asked() -> T:
        none = Retry(NoBackoff(), 0)
        async with AsyncRedis.from_url(url, decode_responses=True, retry=none) as client:
            return await question(JobStore(client, url, broker_url or url))

    return asyncio.run(asked())


def submit(url: str, most: int = 1000, **parts: Any) -> int:
    """The token of a new job."""
    return ask(url, lambda store: store.submit(submission(**parts), most))


def get(url: str, token: int) -> Job:
    """The job as the server sees it."""
    return ask(url, lambda store: store.get(token))


def take(client: redis.Redis, *, long_too: bool = True) -> Claim:
    """An attempt at the next job in line; there must be one."""
    claim = Claim.take(client, WORKER, long_too=long_too)
    assert claim is not None
    return claim


def cancel(url: str, token: int) -> None:
    """Cancel a job."""
    ask(url, lambda store: store.cancel(token))


def worker_dies(client: redis.Redis, token: int) -> None:
    """Have the lease of a job run out, as if nobody had renewed it."""
    client.zadd("airpy:leases", {str(token): 0})


def reap(client: redis.Redis, most_failures: int = 3) -> list[Claim]:
    """Take jobs from dead workers; gives those that are to be ended."""
    return [Claim.of(client, *spent) for spent in run(client, "reap", most_failures, LEASE_MS)]


def retake(client: redis.Redis, stale: Claim) -> Claim:
    """A new attempt at the job of a claim whose worker seems to have died."""
    worker_dies(client, stale.token)
    reap(client)
    claim = take(client)
    assert claim.token == stale.token
    return claim
