"""Which worker processes are alive: each says so twice a second, with its number of slots."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, cast

from airpy.jobs.scripts import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from redis import Redis

__all__ = ["SILENT_S", "dismiss", "latest", "report", "reports", "slots_of", "worker_name"]

SILENT_S = 15
"""A worker that has not reported for so long counts as gone."""


def worker_name() -> str:
    """This worker process, by host and process number."""
    return f"{socket.gethostname()}:{os.getpid()}"


def report(redis: Redis, slots: int) -> None:
    """Say that this worker is alive."""
    now = time.time()
    redis.zadd(WORKERS, {f"{worker_name()}:{slots}": now})
    redis.zremrangebyscore(WORKERS, 0, now - 10 * SILENT_S)


def dismiss(redis: Redis, slots: int) -> None:
    """Say that this worker has ended."""
    redis.zrem(WORKERS, f"{worker_name()}:{slots}")


def latest() -> tuple[str, float, str]:
    """Key and scores under which workers are that have reported lately."""
    return WORKERS, time.time() - SILENT_S, "+inf"


def slots_of(workers: Iterable[str]) -> int:
    """The slots of these workers."""
    return sum(int(worker.rpartition(":")[2]) for worker in workers)


def reports(redis: Redis, host: str) -> bool:
    """Whether a worker process of this host has reported lately."""
    lately = cast("list[str]", redis.zrangebyscore(*latest()))
    return any(worker.startswith(f"{host}:") for worker in lately)
