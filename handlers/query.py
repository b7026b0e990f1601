"""POST /v1/py/query — starts a job that runs a query plan over a dataset."""

from __future__ import annotations

from typing import Any

from airpy.contract import QueryRequest
from airpy.web.responses import Reply, job_started
from airpy.web.state import caller, state


async def run_query(body: dict[str, Any]) -> Reply:
    """Issue a token for the plan, once the plan and its data sets are known to be acceptable."""
    request = QueryRequest.model_validate(body)
    return job_started("query", await state().jobs.submit("query", request, caller()))
