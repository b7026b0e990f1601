"""GET /v1/py/health — reports versions, memory, workers and the next token."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import psutil

from airpy import __version__
from airpy.contract import Health, Versions
from airpy.web.responses import Reply, json_reply
from airpy.web.state import state

MEBIBYTE = 1024 * 1024


async def get_health() -> Reply:
    """Say how the service stands; that it reaches its queue is part of the answer."""
    census = await state().store.census()
    health = Health(
        status="ok",
        versions=Versions(
            airpy=__version__,
            python=platform.python_version(),
            redis=census.redis_version,
            pandas=_version("pandas"),
            polars=_version("polars"),
            pyarrow=_version("pyarrow"),
            narwhals=_version("narwhals"),
            connexion=_version("connexion"),
            dramatiq=_version("dramatiq"),
        ),
        memory_usage_mb=psutil.Process().memory_info().rss // MEBIBYTE,
        workers_active=census.slots,
        active_jobs=census.active,
        next_token=census.next_token,
    )
    return json_reply(health)


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
