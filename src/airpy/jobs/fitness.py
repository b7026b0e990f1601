"""Whether a Redis is fit to keep jobs: asked at the start, as far as it can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import redis
import structlog

from airpy.config import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_redis", "connection", "unfit"]

log = structlog.get_logger(__name__)

OLDEST_VERSION = 7
"""The scripts declare that they may run when Redis is full, which older ones do not understand."""
TIMEOUT_S = 2


def check_redis(url: str) -> None:
    """Refuse a Redis that cannot keep jobs, and warn of one that forgets them when it is restarted.

    One that is away may come back, and stops nothing.

    Raises:
        SettingsError: It evicts records, or is too old.
    """
    try:
        with connection(url) as client:
            told = cast("dict[str, Any]", client.info())
    except redis.RedisError as error:
        log.warning("redis_unreachable", error=str(error))
        return
    if fault := unfit(told):
        raise SettingsError(f"REDIS_URL: {fault}")
    if not told.get("aof_enabled"):
        log.warning("redis_forgets", told="appendonly is off: jobs are lost when Redis is restarted")


def connection(url: str) -> redis.Redis:
    """A client that soon gives up."""
    return redis.Redis.from_url(
        url, decode_responses=True, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=None
    )


def unfit(told: Mapping[str, Any]) -> str | None:
    """What keeps the Redis that tells this of itself from keeping jobs; nothing if it is fit."""
    version, policy = str(told["redis_version"]), told.get("maxmemory_policy", "noeviction")
    if int(version.partition(".")[0]) < OLDEST_VERSION:
        return f"must be Redis {OLDEST_VERSION} or later, or Valkey; this is {version}"
    if told.get("maxmemory") and policy != "noeviction":
        return (
            f"must be a Redis that evicts nothing, or accepted jobs vanish; this one may use "
            f"{told['maxmemory'] >> 20} MiB and evicts by {policy} (set its maxmemory-policy to noeviction)"
        )
    return None
