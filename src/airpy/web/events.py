"""Streams a job as server-sent events: its steps, its progress, and its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sse_starlette import EventSourceResponse, ServerSentEvent

from airpy.errors import AirError
from airpy.jobs.record import ENDED
from airpy.web.responses import code_of, described_step

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from airpy.jobs.record import Job

__all__ = ["event_stream"]


def event_stream(states: AsyncGenerator[Job], seen: int) -> EventSourceResponse:
    """The job's states as events, from the step after the `seen` first ones on."""
    return EventSourceResponse(_events(states, seen), sep="\n")


async def _events(states: AsyncGenerator[Job], seen: int) -> AsyncIterator[ServerSentEvent]:
    work = None
    try:
        async for job in states:
            for number, step in enumerate(job.steps[seen:], seen + 1):
                yield _event("step", described_step(step), str(number))
            seen = max(seen, len(job.steps))
            if job.work != work:
                work = job.work
                counts = work._asdict() if work else None
                yield _event("progress", {"progress": job.progress, "work": counts})
            if job.status in ENDED:
                yield _event("end", {"status": job.status, "code": code_of(job), "error": job.error})
    except AirError:
        return  # Redis is away; the client comes back with the last id
    finally:
        await states.aclose()


def _event(name: str, data: Any, number: str | None = None) -> ServerSentEvent:  # noqa: ANN401  JSON is any
    return ServerSentEvent(json.dumps(data, ensure_ascii=False, separators=(",", ":")), event=name, id=number)
