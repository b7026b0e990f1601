"""How long a job would wait, and whether it would be accepted, at the pace of the last ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from airpy.contract import JobLoad, QueueState
from airpy.jobs.kinds import JOBS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airpy.contract import ErrorReason
    from airpy.jobs.record import Job
    from airpy.jobs.store import Census

__all__ = ["MOST_MEMORY", "queue_state", "refusals", "retry_after_s"]

MOST_MEMORY = 0.8
"""The share of Redis's memory beyond which `submit.lua` accepts no job."""
LONGEST_RETRY_S = 60
ROOM = 10
"""One in so many jobs shall have ended before another try: who is refused is seldom alone."""
USUAL_RUN_S = 1.0
"""Of a job of a type that has not run yet."""


def retry_after_s(census: Census, paces: Mapping[str, float]) -> int:
    """Seconds until a tenth of the jobs has ended, by the average run and the number of slots; 1 to 60."""
    run_s = sum(paces.values()) / len(paces) if paces else USUAL_RUN_S
    ending = max(census.active // ROOM, 1)
    return max(1, min(LONGEST_RETRY_S, math.ceil(ending * run_s / max(census.slots, 1))))


def refusals(census: Census, most_jobs: int) -> list[ErrorReason]:
    """Why a job would be refused now, if it would."""
    full = census.active >= most_jobs or census.memory_share > MOST_MEMORY
    return ["QUEUE_FULL"] if full else []


def queue_state(
    census: Census, paces: Mapping[str, float], active: Sequence[Job]
) -> tuple[QueueState, list[JobLoad]]:
    """The queue as a whole, and the jobs of each type with how long a new one would wait."""
    own = [job for job in active if job.leader is None]  # those that follow another cost nothing
    ahead_s = sum(paces.get(job.kind, USUAL_RUN_S) for job in own if job.status == "started")
    jobs = []
    for kind in JOBS:
        of_kind = [job.status for job in own if job.kind == kind]
        jobs.append(
            JobLoad(
                job_type=kind,
                waiting=of_kind.count("started"),
                running=of_kind.count("running"),
                run_s=round(paces[kind], 3) if kind in paces else None,
                wait_s=round(ahead_s / census.slots, 3) if census.slots else None,
            )
        )
    queue = QueueState(
        active=census.active,
        waiting=census.waiting,
        slots=census.slots,
        redis_memory_share=round(census.memory_share, 4),
        retry_after_s=retry_after_s(census, paces),
    )
    return queue, jobs
