"""The Lua scripts that change job records, each all or nothing; owns every key name with them.

airpy:token                     the last token that was issued
airpy:job:{token}               a job's record
airpy:jobs                      tokens that have a record, by themselves
airpy:active                    tokens of jobs that have not ended, by the time they were accepted
airpy:waiting                   tokens of jobs in line, by the time they lined up
airpy:delayed                   tokens of jobs that pause before their next attempt, by its time
airpy:leases                    tokens of jobs at work, by the time their worker's lease runs out
airpy:lane:{lane}               data sources with jobs in line, in the order of their turns: short jobs, long
                                ones, and suspects, which a worker died under
airpy:line:{lane}:{source}      the tokens of one data source's jobs, in line
airpy:turn                      counts claims, so that each lane has its turns
airpy:twins                     by the digest of a request, the token that is at work on it
airpy:followers:{token}         tokens whose requests equal this one's
airpy:key:{key}                 the request and the token of an idempotency key
airpy:result:{digest}           a result that is remembered: its folder, frame and bytes
airpy:results                   by folder, the digests of all of them
airpy:results-used              the digests, by when they were last asked for
airpy:results-until             the digests, by when they are forgotten
airpy:results-bytes             what all of them come to
airpy:results-kept              folders whose result later jobs were answered with, by when those have expired
airpy:dead                      tokens of dead letters, in order
airpy:dead:{token}              a dead letter
airpy:counters, airpy:pace      what ended how, and how fast; for metrics and estimates
airpy:workers                   worker processes with their slots, by the time they last reported
airpy:changes                   the channel on which tokens of changed jobs are told
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

__all__ = [
    "ACTIVE",
    "CHANGES",
    "COUNTERS",
    "DEAD",
    "JOBS",
    "PACE",
    "RESULTS",
    "RESULTS_KEPT",
    "TOKEN",
    "WAITING",
    "WORKERS",
    "dead_key",
    "flat",
    "idempotency_key",
    "job_key",
    "result_key",
    "run",
    "run_async",
]

TOKEN = "airpy:token"  # noqa: S105  a key's name
JOBS = "airpy:jobs"
ACTIVE = "airpy:active"
WAITING = "airpy:waiting"
WORKERS = "airpy:workers"
DEAD = "airpy:dead"
COUNTERS = "airpy:counters"
PACE = "airpy:pace"
RESULTS = "airpy:results"
RESULTS_KEPT = "airpy:results-kept"
CHANGES = "airpy:changes"

NEEDS_MEMORY = frozenset({"submit", "remember"})
"""The others go on when Redis is full, or the queue could never drain."""


class Script(NamedTuple):
    """A script and the digest that Redis knows it by."""

    source: str
    digest: str


def job_key(token: int) -> str:
    """The key of a job's record."""
    return f"airpy:job:{token}"


def result_key(digest: str) -> str:
    """The key of a result that is remembered."""
    return f"airpy:result:{digest}"


def dead_key(token: int) -> str:
    """The key of a dead letter."""
    return f"airpy:dead:{token}"


def idempotency_key(digest: str) -> str:
    """The key of what an idempotency key, by its digest, was given for."""
    return f"airpy:key:{digest}"


def run(redis: Redis, name: str, *args: Any) -> Any:  # noqa: ANN401  what the script gives
    """What a script gives, run with these arguments."""
    script = load(name)
    try:
        return redis.evalsha(script.digest, 0, *args)
    except NoScriptError:
        return redis.eval(script.source, 0, *args)


async def run_async(redis: AsyncRedis, name: str, *args: Any) -> Any:  # noqa: ANN401  what the script gives
    """What a script gives, run with these arguments."""
    script = load(name)
    try:
        return await redis.evalsha(script.digest, 0, *args)
    except NoScriptError:
        return await redis.eval(script.source, 0, *args)


def flat(pairs: Mapping[str, Any]) -> list[Any]:
    """Names and values in turn, as Redis takes them; what is None is left out."""
    return [part for name, value in pairs.items() if value is not None for part in (name, value)]


@cache
def load(name: str) -> Script:
    """A script, with what all of them share before it."""
    folder = resources.files("airpy.jobs") / "lua"
    flags = "" if name in NEEDS_MEMORY else " flags=allow-oom"
    parts = [(folder / f"{part}.lua").read_text("utf-8") for part in ("prelude", name)]
    source = "\n".join([f"#!lua{flags}", *parts])
    return Script(source, hashlib.sha1(source.encode()).hexdigest())  # noqa: S324  Redis's choice
