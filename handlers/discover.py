"""POST /v1/py/discover — starts a job that lists the dataset files under a directory."""

from __future__ import annotations

from typing import Any

from airpy.contract import DiscoverRequest
from airpy.web.responses import Reply, job_started
from airpy.web.state import caller, state


async def discover_files(body: dict[str, Any]) -> Reply:
    """Issue a token for the listing, once the path is known to be acceptable."""
    request = DiscoverRequest.model_validate(body)
    return job_started("discover", await state().jobs.submit("discover", request, caller()))
