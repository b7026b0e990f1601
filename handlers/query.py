"""POST /v1/py/query — starts a job that runs a query plan over a dataset."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from airpy.contract import QueryRequest
from airpy.errors import AirError
from airpy.jobs.costs import Bounds
from airpy.jobs.preflight import may_differ, preflight, survey
from airpy.web.responses import Reply, job_started, json_reply
from airpy.web.state import caller, state


async def run_query(body: dict[str, Any], *, dry_run: bool = False) -> Reply:
    """Issue a token for the plan, once the plan and its data sets are known to be acceptable.

    Of a dry run, say at once what would come of it; files are opened in a child process alone.
    """
    request = QueryRequest.model_validate(body)
    if dry_run:
        here = state()
        settings = here.settings
        counters = await here.store.counters()
        bounds = Bounds(settings.memory_mb, settings.job_timeout_s, counters, settings.max_join_rows)
        for thorough in (False, True):
            sets = await asyncio.to_thread(survey, request, here.files, thorough=thorough)
            call = partial(preflight, thorough=thorough)
            try:
                return json_reply(
                    await here.answer_now(call, request, sets, here.files, settings.infer_rows, bounds)
                )
            except AirError as error:
                if thorough or not may_differ(error, sets):
                    raise
    return job_started("query", await state().jobs.submit("query", request, caller()))
