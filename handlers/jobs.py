"""GET /v1/py/jobs/… — reports a job's progress and result, and gives its frame, whole or by pages."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from airpy.jobs.record import ENDED
from airpy.jobs.results import expired, frame_file, frame_schema, other_frame, page_arrow, page_json
from airpy.web.events import event_stream
from airpy.web.responses import (
    MEDIA_TYPES,
    PAGE_TYPES,
    Page,
    Reply,
    accepted,
    frame_reply,
    job_list,
    job_reply,
    page_reply,
)
from airpy.web.state import accept_header, header, state

if TYPE_CHECKING:
    from airpy.contract import JobStatus, JobType
    from airpy.jobs.record import Job


async def list_jobs(
    status: JobStatus | None = None,
    type: JobType | None = None,  # noqa: A002  the contract's word
    older_than_s: int | None = None,
    newer_than_s: int | None = None,
    limit: int = 100,
    cursor: int | None = None,
) -> Reply:
    """List the jobs that are wanted, the newest first."""
    now = time.time()

    def wanted(job: Job) -> bool:
        age = now - job.created_ms / 1000
        return (
            status in {None, job.status}
            and type in {None, job.kind}
            and (older_than_s is None or age >= older_than_s)
            and (newer_than_s is None or age <= newer_than_s)
        )

    return job_list(*await state().store.page(cursor, wanted, limit))


async def get_job(token: int, wait: float = 0, since: int = 0) -> Reply:
    """Report the job, with its result once it has one; with `wait`, once it has more steps than `since`."""
    here = state()
    job = await here.store.get(token)
    if wait and not _is_news(job, since):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait), contextlib.aclosing(here.changes.follow(token)) as states:
                async for job in states:
                    if _is_news(job, since):
                        break
    return await _report(job, waited=wait > 0)


async def cancel_job(token: int) -> Reply:
    """Cancel the job, unless it has ended, and report it."""
    here = state()
    await here.store.cancel(token)
    return await _report(await here.store.get(token))


async def stream_job_events(token: int) -> Reply:
    """Stream the job's steps and progress until it has ended."""
    here = state()
    await here.store.get(token)  # a job that is not there is an answer, not a stream
    return event_stream(here.changes.follow(token), int(header("last-event-id") or 0))


async def download_job(token: int) -> Reply:
    """Stream the result frame in the format that the caller takes, made from the other if need be."""
    here = state()
    job = await here.store.get(token)
    frame, folder = job.result_frame()
    form = accepted(accept_header(), MEDIA_TYPES, "parquet" if frame.format == "parquet" else "arrow")
    place = here.results.folder(folder)
    if not place.exists():
        raise expired(token)
    path = frame_file(place, form)
    if not path.exists():
        await here.answer_now(other_frame, place, form)
    return frame_reply(path, form, frame, f"job-{token}", header("if-none-match"))


async def get_job_rows(token: int, offset: int = 0, limit: int = 1000) -> Reply:
    """Give a page of the result frame, as JSON or as an Arrow stream."""
    here = state()
    job = await here.store.get(token)
    frame, folder = job.result_frame()
    form = accepted(accept_header(), PAGE_TYPES, "json")
    place = here.results.folder(folder)
    if not place.exists():
        raise expired(token)
    limit = min(limit, here.settings.max_rows_json)
    cut = page_json if form == "json" else page_arrow
    if frame_file(place, "arrow").exists():  # the rows lie in the file as they are given
        rows, shown = await asyncio.to_thread(cut, place, offset, limit)
    else:
        rows, shown = await here.answer_now(cut, place, offset, limit)
    schema = await asyncio.to_thread(frame_schema, place) if form == "json" else None
    return page_reply(Page(token, offset, limit, shown, frame.rows), rows, schema)


def _is_news(job: Job, since: int) -> bool:
    return len(job.steps) > since or job.status in ENDED


async def _report(job: Job, *, waited: bool = False) -> Reply:
    data = None
    if job.status == "completed" and job.folder is not None:
        data = await asyncio.to_thread(state().results.data, job.folder, job.token, reused=job.reused)
    return job_reply(job, data, waited=waited)
