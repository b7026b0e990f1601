"""Streams a job as server-sent events: its steps, its progress, and its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sse_starlette import EventSourceResponse

from airpy.errors import AirError
from airpy.jobs.record import ENDED
from airpy.web.responses import code_of, described_step

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from airpy.jobs.record import Job

__all__ = ["event_stream"]

GRACE_S = 5.0
"""When the server stops, the states end, and with them the stream; only one that does not is cut off."""


def event_stream(states: AsyncGenerator[Job], seen: int) -> EventSourceResponse:
    """The job's states as events, from the step after the `seen` first ones on."""
    return EventSourceResponse(_events(states, seen), sep="\n", shutdown_grace_period=GRACE_S)


async def _events(states: AsyncGenerator[Job], seen: int) -> AsyncIterator[bytes]:
    work = None
    try:
        async for job in states:
            news = [
                _event("step", described_step(step), number)
                for number, step in enumerate(job.steps[seen:], seen + 1)
            ]
            seen = max(seen, len(job.steps))
            if job.work != work:
                work = job.work
                counts = work._asdict() if work else None
                news.append(_event("progress", {"progress": job.progress, "work": counts}))
            if job.status in ENDED:
                news.append(_event("end", {"status": job.status, "code": code_of(job), "error": job.error}))
            if news:
                yield b"".join(news)
    except AirError:
        return  # Redis is away; the client comes back with the last id
    finally:
        await states.aclose()


def _event(name: str, data: Any, number: int | None = None) -> bytes:  # noqa: ANN401  JSON is any
    """An event as it is sent; JSON has no line ends of its own."""
    head = "" if number is None else f"id: {number}\n"
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{head}event: {name}\ndata: {told}\n\n".encode()
