"""Keeps job records in Redis, one hash per token: the server's side.

A record lives until its job has ended and its time to live has passed since. The worker's side is in
`claim.py`; `scripts.py` has every key.
"""

from __future__ import annotations

import functools
import hashlib
import json
from typing import TYPE_CHECKING, Any, Concatenate, Literal, NamedTuple, ParamSpec, TypeAlias, TypeVar, cast

import structlog
from redis.connection import parse_url
from redis.exceptions import RedisError

from airpy.errors import CapExceeded, IdempotencyConflict, JobUnavailable, QueueUnavailable
from airpy.jobs.broker import MOST_MESSAGES, as_enqueued, call_to_work, queue_key
from airpy.jobs.patience import Patience
from airpy.jobs.record import ENDED, DeadLetter, Job
from airpy.jobs.scripts import (
    ACTIVE,
    COUNTERS,
    DEAD,
    JOBS,
    PACE,
    TOKEN,
    WAITING,
    dead_key,
    flat,
    idempotency_key,
    job_key,
    result_key,
    run_async,
)
from airpy.jobs.workers import latest, slots_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from redis.asyncio import Redis

    from airpy.contract import JobType

    Asked: TypeAlias = JobType | Literal["requeue"]

__all__ = ["Census", "JobStore", "Submission"]

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

LISTED_AT_ONCE = 200
MOST_LOOKED_AT = 5000
"""Records that one page is searched for in, so that a filter that nothing meets holds up nobody."""


class Submission(NamedTuple):
    """A request that is to become a job."""

    kind: JobType
    request: str
    """As JSON, the same for the same request."""
    data: str | None
    """What tells the state of the data it is about; None when that is not known."""
    source: str
    """The data source, so that none of them holds up another."""
    lane: str
    request_id: str
    ttl_s: int
    input: str | None = None
    """The name of the folder with what the job is given beside the request."""
    idempotency_key: str | None = None
    traceparent: str | None = None
    asked: str | None = None
    """As JSON, what the caller sent, where the request is not the very same."""
    anew: bool = False
    """Whether the work is to be done though an equal request was answered before, or is at work."""

    @property
    def digest(self) -> str:
        """Names the request and the data that it is about; empty when that is not known."""
        return "" if self.data is None else _digest(_digest(self.kind, self.request), self.data)


class Census(NamedTuple):
    """How the service stands."""

    next_token: int
    active: int
    waiting: int
    slots: int
    redis_version: str
    memory_share: float
    """How much of the memory that Redis may use it does use, 0 to 1; 0 when there is no bound."""
    oldest_s: float = 0.0
    """How long the job that has waited longest has been in line; 0 when none is."""
    dead: int = 0
    """Dead letters."""


def reachable(
    method: Callable[Concatenate[JobStore, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[JobStore, P], Coroutine[Any, Any, T]]:
    """The method, with whatever keeps it from Redis told as QueueUnavailable, and soon."""

    @functools.wraps(method)
    async def called(store: JobStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await store.patience.answer(method(store, *args, **kwargs))
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("redis_unavailable", error=str(error))
            raise QueueUnavailable("the job queue cannot be reached; try again shortly") from None

    return called


class JobStore:
    """The server's side of the records. Every method raises QueueUnavailable when Redis is away.

    Args:
        redis: A client of the database that the records are in.
        url: What it was made from.
        broker_url: The database that the queue is in, on the same server.
    """

    def __init__(self, redis: Redis, url: str, broker_url: str) -> None:
        self._redis = redis
        self.patience = Patience()
        self._databases = _database(broker_url), _database(url)

    @reachable
    async def submit(self, submission: Submission, most_jobs: int, result: str | None = None) -> int:
        """The token of a new job: its record, place in line and message are all written, or none of them.

        An idempotency key that is known gives the token it gave before. With the folder of a result that is
        remembered, the job has completed with that.

        Raises:
            CapExceeded: There are as many jobs as there may be.
            IdempotencyConflict: The key came with another request before.
        """
        key = submission.idempotency_key
        fields = submission._asdict()
        for told_apart in ("asked", "anew", "idempotency_key"):
            del fields[told_apart]
        outcome, told = await run_async(
            self._redis,
            "submit",
            most_jobs,
            _digest(key) if key else "",
            _digest(submission.kind, submission.asked or submission.request),
            submission.digest,
            submission.ttl_s,
            queue_key(),
            *self._databases,
            MOST_MESSAGES,
            *as_enqueued(call_to_work()),
            _digest(submission.kind, submission.request),
            int(submission.anew),
            result or "",
            *flat(fields),
        )
        match outcome:
            case "full":
                raise CapExceeded(
                    f"the queue is full: {told} jobs have not ended",
                    constraint=f"at most {most_jobs} jobs at a time (PY_MAX_QUEUED_JOBS)",
                    reason="QUEUE_FULL",
                )
            case "crowded":
                raise CapExceeded(
                    f"the queue is full: Redis has used most of its {told} MiB of memory",
                    constraint="a Redis with memory to spare",
                    reason="QUEUE_FULL",
                )
            case "reused":
                raise _reused(told)
            case _:
                return int(told)

    @reachable
    async def result(self, submission: Submission) -> str | None:
        """The folder of the result that is remembered of an equal request; None when none is."""
        if submission.anew or not submission.digest:
            return None
        return cast("str | None", await self._redis.hget(result_key(submission.digest), "folder"))

    @reachable
    async def known(self, key: str, kind: Asked, request: str) -> int | None:
        """The token that an idempotency key gave before; None when it is new.

        Raises:
            IdempotencyConflict: The key came with another request before.
        """
        digest, token = cast(
            "list[str | None]", await self._redis.hmget(idempotency_key(_digest(key)), ["digest", "token"])
        )
        if digest is None or token is None:
            return None
        if digest != _digest(kind, request):
            raise _reused(token)
        return int(token)

    @reachable
    async def remember(self, key: str, kind: Asked, request: str, token: int, lifetime_s: int) -> None:
        """Have an idempotency key give this token when it comes with the same request again."""
        name = idempotency_key(_digest(key))
        async with self._redis.pipeline(transaction=True) as commands:
            commands.hset(name, mapping={"digest": _digest(kind, request), "token": token})
            commands.expire(name, lifetime_s)
            await commands.execute()

    @reachable
    async def get(self, token: int) -> Job:
        """The job as it stands; one that follows an equal request stands as that does.

        Raises:
            JobUnavailable: The token was never issued, or its record has expired.
        """
        fields = await self._redis.hgetall(job_key(token))
        if not fields:
            raise await self._unavailable(token)
        job = Job.from_hash(token, cast("dict[str, str]", fields))
        if job.leader is None:
            return job
        leading = cast("dict[str, str]", await self._redis.hgetall(job_key(job.leader)))
        if leading and leading["status"] in ENDED and job.status not in ENDED:  # both have ended since
            return await self.get(token)
        return _with_leader(job, leading)

    @reachable
    async def cancel(self, token: int) -> None:
        """Cancel the job, unless it has ended already.

        Raises:
            JobUnavailable: The token was never issued, or its record has expired.
        """
        if await run_async(self._redis, "cancel", token) == "gone":
            raise await self._unavailable(token)

    async def page(
        self, below: int | None, wanted: Callable[[Job], bool], limit: int
    ) -> tuple[list[Job], int | None]:
        """Some of the jobs that are wanted, up to so many, from the newest token under `below` down.

        Returns:
            The jobs, and the token under which the next page begins; None when there is none.
        """
        found: list[Job] = []
        looked_at = 0
        while tokens := await self._tokens(JOBS, below, LISTED_AT_ONCE):
            for job in await self._several(tokens):
                if wanted(job):
                    found.append(job)
                    if len(found) == limit:
                        return found, job.token
            looked_at += len(tokens)
            if looked_at >= MOST_LOOKED_AT:
                return found, tokens[-1]
            below = tokens[-1]
        return found, None

    @reachable
    async def census(self) -> Census:
        """How the service stands."""
        async with self._redis.pipeline(transaction=False) as commands:
            commands.get(TOKEN)
            commands.zcard(ACTIVE)
            commands.zcard(WAITING)
            commands.zrangebyscore(*latest())
            commands.info("server")
            commands.info("memory")
            commands.zrange(WAITING, 0, 0, withscores=True)
            commands.time()
            commands.zcard(DEAD)
            issued, active, waiting, workers, server, memory, first, now, dead = await commands.execute()
        return Census(
            next_token=int(issued or 0) + 1,
            active=active,
            waiting=waiting,
            slots=slots_of(workers),
            redis_version=server["redis_version"],
            memory_share=memory["used_memory"] / memory["maxmemory"] if memory.get("maxmemory") else 0.0,
            oldest_s=max(0.0, now[0] + now[1] / 1e6 - first[0][1] / 1000) if first else 0.0,
            dead=dead,
        )

    @reachable
    async def paces(self) -> dict[str, float]:
        """By kind, the seconds that its jobs have taken lately (an exponential average)."""
        paces = cast("dict[str, str]", await self._redis.hgetall(PACE))
        return {kind: float(pace) / 1000 for kind, pace in paces.items()}

    @reachable
    async def active(self) -> list[Job]:
        """Every job that has not ended, the oldest first."""
        tokens = await self._redis.zrange(ACTIVE, 0, -1)
        return await self._several(_numbers(tokens))

    @reachable
    async def counters(self) -> dict[str, float]:
        """What has been counted of jobs, as `counters.py` says."""
        counted = cast("dict[str, str]", await self._redis.hgetall(COUNTERS))
        return {name: float(amount) for name, amount in counted.items()}

    @reachable
    async def dead_letters(self, below: int | None, limit: int) -> tuple[list[DeadLetter], int | None]:
        """Some of the dead letters, up to so many, from the newest token under `below` down.

        Returns:
            The dead letters, and the token under which the next page begins; None when there is none.
        """
        tokens = await self._tokens(DEAD, below, limit)
        hashes = await self._hashes([dead_key(token) for token in tokens])
        letters = [
            DeadLetter.from_hash(token, fields)
            for token, fields in zip(tokens, hashes, strict=True)
            if fields
        ]
        return letters, tokens[-1] if len(tokens) == limit else None

    @reachable
    async def dead_letter(self, token: int) -> DeadLetter:
        """The dead letter of a job.

        Raises:
            JobUnavailable: There is none.
        """
        fields = cast("dict[str, str]", await self._redis.hgetall(dead_key(token)))
        if not fields:
            raise JobUnavailable(
                f"there is no dead letter of job {token}",
                field="path.token",
                constraint="a token that GET /v1/py/dead-letters lists",
                reason="NO_DEAD_LETTER",
            )
        return DeadLetter.from_hash(token, fields)

    @reachable
    async def drop_dead_letter(self, token: int) -> None:
        """Forget a dead letter."""
        async with self._redis.pipeline(transaction=True) as commands:
            commands.delete(dead_key(token))
            commands.zrem(DEAD, str(token))
            await commands.execute()

    @reachable
    async def _tokens(self, key: str, below: int | None, most: int) -> list[int]:
        """The last tokens of a sorted set, the newest first."""
        top = cast("Any", "+inf" if below is None else f"({below}")
        return _numbers(await self._redis.zrevrangebyscore(key, top, "-inf", start=0, num=most))

    @reachable
    async def _several(self, tokens: list[int]) -> list[Job]:
        """The jobs of those tokens that have a record."""
        hashes = await self._hashes([job_key(token) for token in tokens])
        jobs = [Job.from_hash(token, fields) for token, fields in zip(tokens, hashes, strict=True) if fields]
        leaders = list({job.leader for job in jobs if job.leader is not None})
        leading = await self._hashes([job_key(leader) for leader in leaders])
        by_leader = dict(zip(leaders, leading, strict=True))
        return [job if job.leader is None else _with_leader(job, by_leader[job.leader]) for job in jobs]

    async def _hashes(self, keys: list[str]) -> list[dict[str, str]]:
        async with self._redis.pipeline(transaction=False) as commands:
            for key in keys:
                commands.hgetall(key)
            return cast("list[dict[str, str]]", await commands.execute())

    async def _unavailable(self, token: int) -> JobUnavailable:
        issued = int(await self._redis.get(TOKEN) or 0)
        if token <= issued:
            return JobUnavailable(
                f"job {token} has expired, and its result with it",
                field="path.token",
                constraint="a job that ended within PY_JOB_TTL_S",
                reason="JOB_EXPIRED",
            )
        return JobUnavailable(
            f"there is no job {token}; the last token issued is {issued}",
            field="path.token",
            constraint="a token that a POST answered with",
        )


def _reused(token: str) -> IdempotencyConflict:
    return IdempotencyConflict(
        f"this idempotency key came with another request before, which is job {token}",
        field="header.Idempotency-Key",
        constraint="a new key for a new request",
    )


def _with_leader(job: Job, leading: Mapping[str, str]) -> Job:
    """The job with what the one that it follows knows; that may be gone, or have ended a moment later."""
    if not leading or (leading["status"] in ENDED and job.status not in ENDED):
        return job
    return job.following(leading)


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _numbers(tokens: Any) -> list[int]:  # noqa: ANN401  what Redis gives
    return [int(token) for token in tokens]


def _database(url: str) -> int:
    """The number of the database that a Redis URL names; 0 when it names none."""
    return int(parse_url(url).get("db", 0))  # type: ignore[no-untyped-call]
