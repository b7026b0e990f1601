"""Whether a Redis is fit to keep jobs: asked at the start, as far as it can be reached."""

from __future__ import annotations

import redis
import structlog

from airpy.config import SettingsError

__all__ = ["check_redis"]

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
        with redis.Redis.from_url(
            url, decode_responses=True, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=None
        ) as client:
            told = client.info()
    except redis.RedisError as error:
        log.warning("redis_unreachable", error=str(error))
        return
    version, policy = str(told["redis_version"]), told.get("maxmemory_policy", "noeviction")
    if int(version.partition(".")[0]) < OLDEST_VERSION:
        raise SettingsError(
            f"REDIS_URL: must be Redis {OLDEST_VERSION} or later, or Valkey; this is {version}"
        )
    if told.get("maxmemory") and policy != "noeviction":
        raise SettingsError(
            f"REDIS_URL: must be a Redis that evicts nothing, or accepted jobs vanish; this one may use "
            f"{told['maxmemory'] >> 20} MiB and evicts by {policy} (set its maxmemory-policy to noeviction)"
        )
    if not told.get("aof_enabled"):
        log.warning("redis_forgets", told="appendonly is off: jobs are lost when Redis is restarted")
