"""GET /v1/py/limits — reports caps, queue and what would be refused now."""

from __future__ import annotations

from airpy.contract import Caps, Limits
from airpy.jobs.estimates import queue_state, refusals
from airpy.web.responses import Reply, json_reply
from airpy.web.state import state


async def get_limits() -> Reply:
    """Say what bounds a request, how the queue stands, and whether a job would be accepted."""
    here = state()
    settings = here.settings
    census, paces, active = await here.store.census(), await here.store.paces(), await here.store.active()
    queue, jobs = queue_state(census, paces, active)
    refused = refusals(census, settings.max_queued_jobs)
    limits = Limits(
        caps=Caps(
            memory_mb=settings.memory_mb,
            job_timeout_s=settings.job_timeout_s,
            timeout_s=settings.timeout_s,
            max_rows_json=settings.max_rows_json,
            max_body_mb=settings.max_body_mb,
            max_queued_jobs=settings.max_queued_jobs,
            max_attempts=settings.max_attempts,
            max_join_rows=settings.max_join_rows,
        ),
        queue=queue,
        jobs=jobs,
        accepting=not refused,
        refused=refused,
    )
    return json_reply(limits)
