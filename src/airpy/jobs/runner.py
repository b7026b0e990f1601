"""Runs one job to its end and records every step."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

import structlog
from redis.exceptions import RedisError

from airpy.engine.failures import failure
from airpy.errors import InternalFault
from airpy.jobs.context import JobContext
from airpy.jobs.kinds import JOBS
from airpy.jobs.store import Claim

if TYPE_CHECKING:
    from redis import Redis

    from airpy.files.paths import FileRoot
    from airpy.jobs.record import ResultFrame
    from airpy.jobs.results import Results
    from airpy.jobs.sandbox import Sandbox

__all__ = ["Runner"]

log = structlog.get_logger(__name__)

CRASHES = {"INTERNAL", "READER_CRASHED", "WORKER_DIED"}
"""Reasons for which a job's message is kept, for a person to look at."""
PAUSE_S = 1.0
"""Between attempts at a job whose record cannot be reached."""


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
        """Run the job, unless it is gone or has ended; false when its message is for the dead letters.

        Returns once the end is in the record: were the message acknowledged before, nobody would end the job.
        """
        while True:
            try:
                return self._attempt(token)
            except RedisError as error:
                log.warning("record_unreachable", token=token, error=str(error))
                time.sleep(PAUSE_S)

    def _attempt(self, token: int) -> bool:
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
            folder, frame = self._result(claim)
        except RedisError:
            raise
        except Exception as error:
            told = failure(error)
            if told.reason == "INTERNAL" and told is not error:
                log.exception("job_fault")
            claim.fail(told.describe(claim.request_id))
            self.results.discard(claim.token, claim.attempt)
            log.warning("job_failed", code=told.code, reason=told.reason, message=told.message)
            return told.reason not in CRASHES
        claim.complete(folder, frame)
        log.info("job_completed", seconds=round(time.monotonic() - began, 3))
        return True

    def _result(self, claim: Claim) -> tuple[str, ResultFrame | None]:
        """The name of the folder with the job's result, and what is known of its frame."""
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
        return folder.name, frame


def worker_name() -> str:
    """This worker process, by host and process number."""
    return f"{socket.gethostname()}:{os.getpid()}"
