"""GET /v1/py/jobs/… — reports a job's progress and result, and streams its Arrow result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airpy.errors import JobUnavailable
from airpy.jobs.record import ENDED
from airpy.jobs.results import expired, frame_file, other_frame
from airpy.web.responses import Reply, accepted, frame_reply, job_reply
from airpy.web.state import accept_header, state

if TYPE_CHECKING:
    from airpy.jobs.record import Job, ResultFrame


async def get_job(token: int) -> Reply:
    """Report the job, with its result once it has one."""
    job = await state().store.get(token)
    data = None
    if job.status == "completed" and job.folder is not None:
        data = await asyncio.to_thread(state().results.data, job.folder, token)
    return job_reply(job, data)


async def download_job(token: int) -> Reply:
    """Stream the result frame in the format that the caller takes, made from the other if need be."""
    here = state()
    job = await here.store.get(token)
    frame, folder = _frame(job)
    form = accepted(accept_header(), "parquet" if frame.format == "parquet" else "arrow")
    place = here.results.folder(folder)
    if not place.exists():
        raise expired(token)
    path = frame_file(place, form)
    if not path.exists():
        await here.answer_now(other_frame, place, form)
    return frame_reply(path, form, frame)


def _frame(job: Job) -> tuple[ResultFrame, str]:
    """The job's frame and the folder it is in.

    Raises:
        JobUnavailable: There is none, or none yet.
    """
    if job.status not in ENDED:
        raise JobUnavailable(
            f"job {job.token} is {job.status}; its result is not ready",
            field="path.token",
            constraint="a job that has completed",
            reason="RESULT_NOT_READY",
        )
    if job.frame is None or job.folder is None:
        why = f"has {job.status}" if job.status != "completed" else f"is of kind {job.kind}"
        raise JobUnavailable(
            f"job {job.token} {why} and has no result frame",
            field="path.token",
            constraint="a query that has completed",
            reason="NO_RESULT_FRAME",
        )
    return job.frame, job.folder
