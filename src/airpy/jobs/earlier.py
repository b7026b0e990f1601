"""Finds the results of earlier jobs that a request names by their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.errors import JobUnavailable
from airpy.jobs.results import ANALYSIS_STATE, expired, original

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from airpy.jobs.inputs import Given
    from airpy.jobs.record import Job
    from airpy.jobs.results import Results
    from airpy.jobs.store import JobStore

__all__ = ["gone", "named_results"]

COMPARABLE = "a query or an analysis that has completed"


async def named_results(request: BaseModel, store: JobStore, results: Results) -> dict[str, Path]:
    """The files of results that the request names, by the names of `inputs.py`.

    `token` is that of a query, `baseline.token` may also be that of an analysis.

    Raises:
        JobUnavailable: There is no such job, or it has no such result, or none yet.
    """
    found: dict[str, Path] = {}
    if (token := getattr(request, "token", None)) is not None:
        job = await _job(token, "token", store)
        found |= _frame(job, "token", results)
    baseline = getattr(request, "baseline", None)
    if (token := getattr(baseline, "token", None)) is not None:
        field = "baseline.token"
        job = await _job(token, field, store)
        of_analysis = job.kind == "analyze" and job.status == "completed"
        found |= _state(job, field, results) if of_analysis else _frame(job, field, results, COMPARABLE)
    return found


def gone(given: Mapping[str, Given], path: str) -> JobUnavailable:
    """The error for a result that expired while the request came."""
    field = next((name.rpartition(".")[0] for name, what in given.items() if str(what) == path), None)
    return JobUnavailable(
        "the result that the request names has just expired",
        field=field,
        constraint="a job that ended within PY_JOB_TTL_S",
        reason="JOB_EXPIRED",
    )


async def _job(token: int, field: str, store: JobStore) -> Job:
    try:
        return await store.get(token)
    except JobUnavailable as error:
        error.field = field
        raise


def _frame(
    job: Job, field: str, results: Results, allowed: str = "a query that has completed"
) -> dict[str, Path]:
    """The file of its result frame."""
    _, folder = job.result_frame(field, allowed)
    place = results.folder(folder)
    if not place.exists():
        raise expired(job.token, field)
    path = original(place)
    return {field + path.suffix: path}


def _state(job: Job, field: str, results: Results) -> dict[str, Path]:
    """The file of what the analysis has measured."""
    place = results.folder(job.folder or "")
    if not results.has(place.name):
        raise expired(job.token, field)
    path = place / ANALYSIS_STATE
    if not path.exists():
        raise JobUnavailable(
            f"job {job.token} is an analysis of which no measurements are kept",
            field=field,
            constraint=COMPARABLE,
            suggestion=["the plan or the frame that it was of"],
            reason="NO_RESULT_FRAME",
        )
    return {f"{field}.state": path}
