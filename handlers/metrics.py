"""GET /v1/py/metrics — reports metrics in Prometheus's format."""

from __future__ import annotations

from airpy.web.metrics import CONTENT_TYPE, exposition
from airpy.web.responses import Reply, text_reply
from airpy.web.state import state


async def get_metrics() -> Reply:
    """Tell what this server has answered, and what the whole service has done."""
    here = state()
    return text_reply(
        exposition(here.requests, await here.store.counters(), await here.store.census()), CONTENT_TYPE
    )
