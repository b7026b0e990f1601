"""GET /v1/py/jobs/… — reports a job's progress and result, and gives its frame, whole or by pages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING

from airpy.engine.profile.markdown import DOCUMENTS
from airpy.errors import InvalidRequest
from airpy.jobs.record import ENDED
from airpy.jobs.results import expired, frame_file, frame_schema, other_frame, page_arrow, page_json
from airpy.web.events import event_stream
from airpy.web.responses import (
    MEDIA_TYPES,
    PAGE_TYPES,
    REPORT_TYPES,
    Page,
    Reply,
    accepted,
    frame_reply,
    job_list,
    job_reply,
    markdown_reply,
    page_reply,
)
from airpy.web.state import accept_header, header, state

if TYPE_CHECKING:
    from airpy.contract import JobStatus, JobType
    from airpy.jobs.record import Job
    from airpy.web.responses import ReportForm


JSON_ALONE: dict[ReportForm, str] = {"json": REPORT_TYPES["json"]}


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
    """Report the job, with its result once it has one; with `wait`, once it has more steps than `since`.

    In Markdown there is only the result.
    """
    here = state()
    form = accepted(accept_header(), REPORT_TYPES, "json")
    job = await here.store.get(token)
    if wait and not _is_news(job, since):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait), contextlib.aclosing(here.changes.follow(token)) as states:
                async for job in states:
                    if _is_news(job, since):
                        break
    if form == "markdown" and (told := await _document(job)) is not None:
        return markdown_reply(told)
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
    return job_reply(job, await _data(job), waited=waited)


async def _data(job: Job) -> bytes | None:
    """The job's data as JSON; None while it has none."""
    if job.status != "completed" or job.folder is None:
        return None
    return await asyncio.to_thread(state().results.data, job.folder, job.token, reused=job.reused)


async def _document(job: Job) -> str | None:
    """The job's result in Markdown; None where there is none, and JSON is welcome too.

    Raises:
        JobUnavailable: There is none yet.
        InvalidRequest: There never will be one.
    """
    document = DOCUMENTS.get(job.kind)
    if document is not None and (data := await _data(job)) is not None:
        return await asyncio.to_thread(lambda: document(json.loads(data)))
    try:
        accepted(accept_header(), JSON_ALONE, "json")
    except InvalidRequest:
        if document is not None:
            job.check_ended()
        raise
    return None
