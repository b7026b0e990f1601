"""Runs one job to its end and records every step."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

import structlog

from airpy.engine.failures import failure
from airpy.errors import AirError, InternalFault
from airpy.jobs.context import JobContext
from airpy.jobs.kinds import JOBS
from airpy.jobs.store import Claim

if TYPE_CHECKING:
    from redis import Redis

    from airpy.files.paths import FileRoot
    from airpy.jobs.results import Results
    from airpy.jobs.sandbox import Sandbox

__all__ = ["Runner"]

log = structlog.get_logger(__name__)

CRASHES = {"INTERNAL", "READER_CRASHED", "WORKER_DIED"}
"""Reasons for which a job's message is kept, for a person to look at."""


class Runner(NamedTuple):
    """What it takes to run jobs."""

    redis: Redis
    sandbox: Sandbox
    results: Results
    files: FileRoot
    infer_rows: int
    max_rows_json: int
    timeout_s: float
    max_attempts: int

    def run(self, token: int) -> bool:
        """Run the job, unless it is gone or has ended; false when its message is for the dead letters."""
        claim = Claim.take(self.redis, token, worker_name())
        if claim is None:
            return True
        with structlog.contextvars.bound_contextvars(
            token=token, kind=claim.kind, attempt=claim.attempt, request_id=claim.request_id
        ):
            try:
                return self._run(claim)
            finally:
                self.sandbox.prepare()

    def _run(self, claim: Claim) -> bool:
        began = time.monotonic()
        try:
            if claim.attempt > self.max_attempts:
                raise InternalFault(
                    f"the worker died under this job {self.max_attempts} times", reason="WORKER_DIED"
                )
            kind = JOBS[claim.kind]
            folder = self.results.attempt(claim.token, claim.attempt)
            context = JobContext(
                files=self.files,
                folder=folder,
                input=self.results.input_frame(claim.token),
                token=claim.token,
                infer_rows=self.infer_rows,
                max_rows_json=self.max_rows_json,
            )
            frame = self.sandbox.call(
                kind.run,
                kind.request.model_validate_json(claim.request),
                context,
                timeout_s=self.timeout_s,
                on_step=claim.step,
            )
        except (AirError, OSError) as error:
            told = failure(error)
            claim.fail(told.describe(claim.request_id))
            self.results.discard(claim.token, claim.attempt)
            log.warning("job_failed", code=told.code, reason=told.reason, message=told.message)
            return told.reason not in CRASHES
        claim.complete(folder.name, frame)
        log.info("job_completed", seconds=round(time.monotonic() - began, 3))
        return True


def worker_name() -> str:
    """This worker process, by host and process number."""
    return f"{socket.gethostname()}:{os.getpid()}"
