"""Runs jobs, one after the other while there are any, each to its end."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

import structlog
from redis.exceptions import RedisError

from airpy.contract import PostMortem
from airpy.engine.failures import failure
from airpy.engine.steps import counted
from airpy.errors import InternalFault
from airpy.jobs.claim import Claim, renew
from airpy.jobs.context import JobContext
from airpy.jobs.costs import Bounds
from airpy.jobs.kinds import JOBS
from airpy.jobs.remembered import Memory
from airpy.jobs.retries import CRASHES, is_retried, pause_ms
from airpy.jobs.sandbox import Stopped
from airpy.jobs.scripts import COUNTERS
from airpy.jobs.workers import worker_name
from airpy.traces import job_span

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from airpy.contract import JobType
    from airpy.errors import AirError
    from airpy.files.paths import FileRoot
    from airpy.jobs.record import ResultFrame
    from airpy.jobs.results import Results
    from airpy.jobs.sandbox import Sandbox

__all__ = ["Limits", "Runner"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

PAUSE_S = 0.5
"""Between tries to reach a record that cannot be reached."""


class Limits(NamedTuple):
    """What a job may use, and how often it is begun."""

    infer_rows: int
    max_rows_json: int
    timeout_s: float
    max_attempts: int
    max_join_rows: int | None = None
    memory: Memory = Memory(most_bytes=0, ttl_s=0)
    """How much is remembered of what was answered."""


class Runner:
    """The jobs of one worker process.

    Args:
        redis: Where the records are; a client that outlasts an outage.
        sandbox: What runs their functions.
        results: Where their results go.
        files: Where data sets are.
        limits: What they may use.
        slots: How many run at a time. With two or more, one of them is never taken by a long job.
    """

    def __init__(
        self, redis: Redis, sandbox: Sandbox, results: Results, files: FileRoot, limits: Limits, slots: int
    ) -> None:
        self._redis = redis
        self._sandbox = sandbox
        self._results = results
        self._files = files
        self._limits = limits
        self._most_long = max(slots - 1, 1)
        self._running: set[Claim] = set()  # a job may be here twice: its new attempt, and one that lost it
        self._claiming = threading.Lock()
        self._closing = False

    @property
    def at_work(self) -> bool:
        """Whether a job runs."""
        return bool(self._running)

    def work(self) -> None:
        """Run jobs until none is in line."""
        while claim := self._next():
            with structlog.contextvars.bound_contextvars(
                token=claim.token, kind=claim.kind, attempt=claim.attempt, request_id=claim.request_id
            ):
                try:
                    with job_span(claim.kind, claim.token, claim.attempt, claim.traceparent):
                        self._run(claim)
                finally:
                    self._running.discard(claim)
                    self._sandbox.prepare()

    def renew(self) -> None:
        """Prolong the leases of the jobs that run, and stop those that are no longer ours."""
        renew(self._redis, list(self._running))

    def close(self, grace_s: float) -> None:
        """Begin no more jobs, and give back those that are not done in time."""
        with self._claiming:  # a claim that is under way is seen below
            self._closing = True
        self._wait(grace_s)
        for claim in list(self._running):
            claim.watch.stop.set()
        self._wait(grace_s)

    def bury(self, claim: Claim) -> None:
        """End a job that its workers died under too often."""
        reached = f"its last step was {claim.last_step}" if claim.last_step else "it had taken no step"
        fault = InternalFault(
            f"the worker died under this job {counted(claim.failures, 'time')}; {reached}",
            reason="WORKER_DIED",
        )
        self._fail(claim, fault)
        self._results.discard(claim.token, claim.attempt)

    def _next(self) -> Claim | None:
        with self._claiming:
            if self._closing:
                return None
            running = list(self._running)
            long_too = sum(claim.lane == "long" for claim in running) < self._most_long
            # Were two of them to run side by side, the one that kills workers would take the other along.
            suspect_too = long_too and not any(claim.suspect for claim in running)
            try:
                claim = Claim.take(self._redis, worker_name(), long_too=long_too, suspect_too=suspect_too)
            except RedisError as error:
                log.warning("queue_unreachable", error=str(error))
                return None
            if claim is not None:
                self._running.add(claim)
            return claim

    def _run(self, claim: Claim) -> None:
        began = time.monotonic()
        try:
            folder, frame = self._result(claim)
        except Stopped:
            self._results.discard(claim.token, claim.attempt)
            given_back = self._closing and self._recorded(lambda: claim.release(0, failed=False))
            log.info("job_given_back" if given_back else "job_stopped")
        except Exception as error:
            told = failure(error)
            if told.reason == "INTERNAL" and told is not error:
                log.exception("job_fault")
            self._results.discard(claim.token, claim.attempt)
            if signal := claim.watch.exit_signal:
                self._recorded(lambda: claim.count_exit(signal))
            claim.failures += 1
            if is_retried(told) and claim.failures < self._limits.max_attempts:
                pause = pause_ms(claim.failures)
                self._recorded(lambda: claim.release(pause, failed=True))
                log.warning("job_to_be_retried", reason=told.reason, message=told.message, pause_ms=pause)
            else:
                self._fail(claim, told)
        else:
            completed = self._recorded(lambda: claim.complete(folder, frame))
            if completed and frame is not None:
                self._remember(claim.token, folder, frame)
            log.info("job_completed", seconds=round(time.monotonic() - began, 3))

    def _fail(self, claim: Claim, told: AirError) -> None:
        dead = told.reason in CRASHES or told.code == "INTERNAL_ERROR"
        if dead:
            told.post_mortem = PostMortem(
                attempts=claim.failures,
                last_step=claim.last_step,
                exit_signal=claim.watch.exit_signal,
                peak_memory_mb=round(claim.watch.peak_mb),
            )
        self._recorded(lambda: claim.fail(told.describe(claim.request_id), dead=dead))
        log.warning("job_failed", code=told.code, reason=told.reason, message=told.message)

    def _result(self, claim: Claim) -> tuple[str, ResultFrame | None]:
        """The name of the folder with the job's result, and what is known of its frame."""
        kind = JOBS[claim.kind]
        for earlier in range(1, claim.attempt):
            self._results.discard(claim.token, earlier)  # its worker may have died, and left half a result
        folder = self._results.attempt(claim.token, claim.attempt)
        context = JobContext(
            files=self._files,
            folder=folder,
            input=self._results.input(claim.input or ""),
            token=claim.token,
            infer_rows=self._limits.infer_rows,
            max_rows_json=self._limits.max_rows_json,
            bounds=self._bounds(claim.kind),
            asked_at=claim.asked_at,
            max_join_rows=self._limits.max_join_rows,
        )
        frame = self._sandbox.call(
            kind.run,
            kind.request.model_validate_json(claim.request),
            context,
            timeout_s=self._limits.timeout_s,
            on_step=lambda step, message: self._recorded(lambda: claim.step(step, message)),
            watch=claim.watch,
            careful=claim.failures > 0,
        )
        return folder.name, frame

    def _bounds(self, kind: JobType) -> Bounds:
        """What a query may take, and what past ones took; of another job nothing is asked."""
        if kind != "query":
            return Bounds()
        try:
            counted = cast("dict[str, str]", self._redis.hgetall(COUNTERS))
        except RedisError:  # then it is judged by what is taken for granted
            counted = {}
        counters = {name: float(amount) for name, amount in counted.items()}
        limits = self._limits
        return Bounds(self._sandbox.memory_mb, limits.timeout_s, counters, limits.max_join_rows)

    def _remember(self, token: int, folder: str, frame: ResultFrame) -> None:
        """Remember the result for equal requests; without Redis or disk there is just nothing to remember."""
        with contextlib.suppress(RedisError, OSError):
            self._limits.memory.remember(self._redis, token, self._results.folder(folder), frame)

    def _recorded(self, write: Callable[[], T]) -> T:
        """What the write gives, once it has reached Redis; waits for that to come back."""
        while True:
            try:
                return write()
            except RedisError as error:
                log.warning("record_unreachable", error=str(error))
                time.sleep(PAUSE_S)

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            time.sleep(0.05)
