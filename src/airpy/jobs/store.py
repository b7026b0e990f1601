"""Keeps job records in Redis, one hash per token; owns every key name.

    airpy:token         the last token that was issued
    airpy:active        tokens of jobs that have not ended, by the time they were accepted
    airpy:job:{token}   a job's record
    airpy:workers       worker processes with their slots, by the time they last reported

The server's side is asynchronous (`JobStore`), the worker's is not (`Claim`, `report_worker`). A record lives
until its job has ended and its time to live has passed since.
"""

from __future__ import annotations

import functools
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, Self, TypeVar, cast

import structlog
from redis.connection import parse_url
from redis.exceptions import RedisError

from airpy.errors import CapExceeded, JobUnavailable, QueueUnavailable
from airpy.jobs.broker import enqueue_commands
from airpy.jobs.record import STEP, Job, rfc3339

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dramatiq import Message
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

    from airpy.contract import JobStatus, JobType
    from airpy.jobs.record import ResultFrame

__all__ = [
    "Census",
    "Claim",
    "JobStore",
    "dismiss_worker",
    "existing_jobs",
    "report_worker",
    "worker_reports",
]

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

TOKEN = "airpy:token"  # noqa: S105  a key's name
ACTIVE = "airpy:active"
WORKERS = "airpy:workers"
WORKER_SILENT_S = 15
"""A worker that has not reported for so long counts as gone."""

# Takes the next token unless the queue is full. Keys: active, token. Argument: the most jobs there may be.
ISSUE = """
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
return redis.call('INCR', KEYS[2])
"""

# Begins an attempt unless the job is gone or has ended. Keys: job. Arguments: now in ms, worker.
# Gives the number of the attempt, or 0.
CLAIM = """
local status = redis.call('HGET', KEYS[1], 'status')
if status ~= 'started' and status ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'status', 'running', 'updated_ms', ARGV[1], 'worker', ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'attempt', 1)
"""

# Writes fields of a job that runs in this attempt still. Keys: job.
# Arguments: attempt, then fields and values.
WRITE = """
if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
"""

# Ends a job that runs in this attempt still. Keys: job, active.
# Arguments: attempt, token, time to live in s, then fields and values.
FINISH = """
if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[1], 'status') ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


def job_key(token: int) -> str:
    """The key of a job's record."""
    return f"airpy:job:{token}"


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def reachable(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """The method, with whatever keeps it from Redis told as QueueUnavailable."""

    @functools.wraps(method)
    async def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("redis_unavailable", error=str(error))
            raise QueueUnavailable("the job queue cannot be reached; try again shortly") from None

    return called


class Census(NamedTuple):
    """How the service stands."""

    next_token: int
    active_jobs: int
    worker_slots: int
    redis_version: str


class JobStore:
    """The server's side of the records. Every method raises QueueUnavailable when Redis is away.

    Args:
        redis: A client of the database that the records are in.
        url: What it was made from.
        broker_url: The database that the queue is in, on the same server.
    """

    def __init__(self, redis: AsyncRedis, url: str, broker_url: str) -> None:
        self._redis = redis
        self._database = _database(url)
        self._broker_database = _database(broker_url)
        self._take_token = redis.register_script(ISSUE)

    @reachable
    async def take_token(self, most_jobs: int) -> int:
        """The next token; a token that is taken and never used is merely skipped.

        Raises:
            CapExceeded: There are as many jobs as there may be.
        """
        token = int(await self._take_token(keys=[ACTIVE, TOKEN], args=[most_jobs]))
        if not token:
            raise CapExceeded(
                f"the queue is full: {most_jobs} jobs have not ended",
                constraint=f"at most {most_jobs} jobs at a time (PY_MAX_QUEUED_JOBS)",
                reason="QUEUE_FULL",
            )
        return token

    @reachable
    async def add(
        self, token: int, kind: JobType, request: str, request_id: str, ttl_s: int, message: Message[Any]
    ) -> None:
        """Write a new job's record and its message, both or neither."""
        now = now_ms()
        async with self._redis.pipeline(transaction=True) as commands:
            commands.hset(
                job_key(token),
                mapping={
                    "kind": kind,
                    "status": "started",
                    "request": request,
                    "request_id": request_id,
                    "created_ms": now,
                    "updated_ms": now,
                    "ttl_s": ttl_s,
                    "attempt": 0,
                },
            )
            commands.zadd(ACTIVE, {str(token): now})
            if self._broker_database != self._database:
                commands.execute_command("SELECT", self._broker_database)
            enqueue_commands(commands, message)
            if self._broker_database != self._database:
                commands.execute_command("SELECT", self._database)
            await commands.execute()

    @reachable
    async def get(self, token: int) -> Job:
        """The job as it stands.

        Raises:
            JobUnavailable: The token was never issued, or its record has expired.
        """
        fields = await self._redis.hgetall(job_key(token))
        if fields:
            return Job.from_hash(token, cast("dict[str, str]", fields))
        issued = int(await self._redis.get(TOKEN) or 0)
        if token <= issued:
            raise JobUnavailable(
                f"job {token} has expired, and its result with it",
                field="path.token",
                constraint="a job that ended within PY_JOB_TTL_S",
                reason="JOB_EXPIRED",
            )
        raise JobUnavailable(
            f"there is no job {token}; the last token issued is {issued}",
            field="path.token",
            constraint="a token that a POST answered with",
        )

    @reachable
    async def census(self) -> Census:
        """How the service stands."""
        async with self._redis.pipeline(transaction=False) as commands:
            commands.get(TOKEN)
            commands.zcard(ACTIVE)
            commands.zrangebyscore(WORKERS, time.time() - WORKER_SILENT_S, "+inf")
            commands.info("server")
            issued, active, workers, server = await commands.execute()
        slots = sum(int(member.rpartition(":")[2]) for member in workers)
        return Census(int(issued or 0) + 1, active, slots, server["redis_version"])


class Claim:
    """One attempt at a job, and the only one that may write to its record.

    What is written after another attempt began, or after the job ended, is dropped.
    """

    def __init__(self, redis: Redis, token: int, attempt: int, fields: dict[str, str]) -> None:
        self._redis = redis
        self.token = token
        self.attempt = attempt
        self.kind = cast("JobType", fields["kind"])
        self.request = fields["request"]
        self.request_id = fields["request_id"]
        self._ttl_s = int(fields["ttl_s"])
        self._began = time.monotonic()
        self._steps = 0

    @classmethod
    def take(cls, redis: Redis, token: int, worker: str) -> Self | None:
        """Begin the next attempt at a job; nothing when it is gone or has ended."""
        attempt = int(cast("int", redis.eval(CLAIM, 1, job_key(token), now_ms(), worker)))
        if not attempt:
            return None
        return cls(redis, token, attempt, cast("dict[str, str]", redis.hgetall(job_key(token))))

    def step(self, step: str, message: str) -> None:
        """Record that a step was reached. Written twice, it is there once."""
        now = now_ms()
        entry = [step, message, rfc3339(now), round((time.monotonic() - self._began) * 1000)]
        field = f"{STEP}{self.attempt}:{self._steps}"
        self._redis.eval(
            WRITE, 1, job_key(self.token), self.attempt, field, json.dumps(entry), "updated_ms", now
        )
        self._steps += 1

    def complete(self, folder: str, frame: ResultFrame | None) -> bool:
        """End the job with its result; false when it is no longer this attempt's to end."""
        fields = {"folder": folder}
        if frame is not None:
            fields["frame"] = json.dumps(frame)
        return self._finish("completed", fields)

    def fail(self, error: dict[str, Any]) -> bool:
        """End the job with an error; false when it is no longer this attempt's to end."""
        return self._finish("failed", {"error": json.dumps(error)})

    def _finish(self, status: JobStatus, fields: dict[str, str]) -> bool:
        now = now_ms()
        fields |= {"status": status, "updated_ms": str(now), "expires_ms": str(now + self._ttl_s * 1000)}
        flat = [part for pair in fields.items() for part in pair]
        keys = [job_key(self.token), ACTIVE]
        return bool(self._redis.eval(FINISH, 2, *keys, self.attempt, self.token, self._ttl_s, *flat))


def report_worker(redis: Redis, worker: str, slots: int) -> None:
    """Say that this worker process is alive with so many slots."""
    now = time.time()
    redis.zadd(WORKERS, {f"{worker}:{slots}": now})
    redis.zremrangebyscore(WORKERS, 0, now - 10 * WORKER_SILENT_S)


def dismiss_worker(redis: Redis, worker: str, slots: int) -> None:
    """Say that this worker process has ended."""
    redis.zrem(WORKERS, f"{worker}:{slots}")


def worker_reports(redis: Redis, host: str) -> bool:
    """Whether a worker process of this host has reported lately."""
    lately = redis.zrangebyscore(WORKERS, time.time() - WORKER_SILENT_S, "+inf")
    return any(member.startswith(f"{host}:") for member in cast("list[str]", lately))


def existing_jobs(redis: Redis, tokens: list[int]) -> set[int]:
    """Those of the tokens that have a record."""
    with redis.pipeline(transaction=False) as commands:
        for token in tokens:
            commands.exists(job_key(token))
        return {token for token, found in zip(tokens, commands.execute(), strict=True) if found}


def _database(url: str) -> int:
    """The number of the database that a Redis URL names; 0 when it names none."""
    return int(parse_url(url).get("db", 0))  # type: ignore[no-untyped-call]
