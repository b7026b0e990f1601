"""Declares the actor on a broker, and submits jobs for it.

A message says that there is work, and names no job: which one is next, the worker's claim decides, so that
neither the order of messages nor their loss or repetition matters.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import dramatiq

from airpy.engine.failures import failure
from airpy.engine.moments import fixed
from airpy.errors import CapExceeded, IdempotencyConflict, within
from airpy.jobs.broker import ACTOR, QUEUE
from airpy.jobs.earlier import gone, named_results
from airpy.jobs.estimates import retry_after_s
from airpy.jobs.kinds import JOBS
from airpy.jobs.states import data_state
from airpy.jobs.store import Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from airpy.contract import JobType
    from airpy.files.paths import FileRoot
    from airpy.jobs.inputs import Given
    from airpy.jobs.results import Results
    from airpy.jobs.store import JobStore

__all__ = ["Caller", "JobQueue", "declare_actor"]

MOST_SHORT_BYTES = 64 * 1024 * 1024
"""A job that reads no more than this is a short one."""


class Caller(NamedTuple):
    """What a request says of its caller."""

    request_id: str
    idempotency_key: str | None = None
    traceparent: str | None = None
    anew: bool = False
    """Whether the caller wants no answer that is remembered."""


class JobQueue(NamedTuple):
    """Accepts jobs."""

    store: JobStore
    results: Results
    files: FileRoot
    max_jobs: int
    ttl_s: int
    ground: str
    """What answers depend on beside requests and files."""
    remembers: bool
    """Whether results are remembered at all."""

    async def submit(
        self,
        kind: JobType,
        request: BaseModel,
        caller: Caller,
        sent: Mapping[str, Given] = MappingProxyType({}),
    ) -> int:
        """The token of a new job, once its request is known to be acceptable.

        Args:
            kind: The kind of job.
            request: What is asked of it.
            caller: Who asks.
            sent: What came with the request, by the names of `inputs.py`, and is kept for the job; so are the
                results that the request names.

        Raises:
            JobUnavailable: It names a job that has no result, or none yet.
            AirError: The request cannot be met, whatever the data; or the queue or the disk is full.
        """
        asked = request.model_dump_json(by_alias=True, exclude_unset=True)
        if caller.idempotency_key:
            known = await self.store.known(caller.idempotency_key, kind, asked)
            if known is not None:
                return known  # whatever has become of its data since
        request = _fixed(request)
        load = await asyncio.to_thread(JOBS[kind].check, request, self.files)
        given = {**sent, **await named_results(request, self.store, self.results)}
        kept, size = await self._kept(given)
        size += load.bytes
        submission = Submission(
            kind=kind,
            request=request.model_dump_json(by_alias=True, exclude_unset=True),
            data=data_state(load, self.ground),
            source=getattr(request, "datasource_id", None) or "",
            lane="short" if size <= MOST_SHORT_BYTES else "long",
            request_id=caller.request_id,
            ttl_s=self.ttl_s,
            input=kept,
            idempotency_key=caller.idempotency_key,
            traceparent=caller.traceparent,
            asked=asked,
            anew=caller.anew,
        )
        try:
            return await self._accept(submission, await self._result(submission))
        except (CapExceeded, IdempotencyConflict):  # had Redis not answered, the job might be there
            if kept is not None:
                await asyncio.to_thread(self.results.drop_input, kept)
            raise

    async def resubmit(self, dead: int, caller: Caller) -> int:
        """The token of a new job that asks again what the dead letter of a job asked.

        Raises:
            AirError: There is no such dead letter, or the queue is full.
        """
        key, asked = caller.idempotency_key, str(dead)
        if key and (known := await self.store.known(key, "requeue", asked)) is not None:
            return known
        letter = await self.store.dead_letter(dead)
        submission = Submission(
            kind=letter.kind,
            request=letter.request,
            data=None,
            source=letter.source,
            lane=letter.lane,
            request_id=caller.request_id,
            ttl_s=self.ttl_s,
            input=letter.input,
            idempotency_key=f"dead letter {dead}",  # no caller's key has a space
            traceparent=caller.traceparent,
        )
        token = await self._accept(submission)
        if key:
            await self.store.remember(key, "requeue", asked, token, self.ttl_s)
        await self.store.drop_dead_letter(dead)
        return token

    async def _kept(self, given: Mapping[str, Given]) -> tuple[str | None, int]:
        """The folder that it is kept in, and its bytes."""
        if not given:
            return None, 0
        try:
            size = sum(
                len(what) if isinstance(what, bytes) else what.stat().st_size for what in given.values()
            )
            return await asyncio.to_thread(self.results.keep_input, given), size
        except FileNotFoundError as error:
            raise gone(given, error.filename) from None
        except OSError as error:
            raise failure(error) from error

    async def _result(self, submission: Submission) -> str | None:
        """The folder of a result that answers the request, if one is remembered and still there."""
        if not self.remembers or not JOBS[submission.kind].remembered:
            return None
        folder = await self.store.result(submission)
        return folder if folder is not None and await asyncio.to_thread(self.results.has, folder) else None

    async def _accept(self, submission: Submission, result: str | None = None) -> int:
        """The token; a refusal says when another try is worth it."""
        try:
            return await self.store.submit(submission, self.max_jobs, result)
        except CapExceeded as error:
            error.retry_after_s = retry_after_s(await self.store.census(), await self.store.paces())
            raise


def _fixed(request: BaseModel) -> BaseModel:
    """The request with moments in place of what is relative to now, in its plan and in its baseline's."""
    now = dt.datetime.now(dt.UTC)
    plan, baseline = getattr(request, "plan", None), getattr(request, "baseline", None)
    changed: dict[str, BaseModel] = {} if plan is None else {"plan": fixed(plan, now)}
    if baseline is not None and baseline.plan is not None:
        with within("baseline"):
            changed["baseline"] = baseline.model_copy(update={"plan": fixed(baseline.plan, now)})
    return request.model_copy(update=changed) if changed else request


def declare_actor(broker: dramatiq.Broker, work: Callable[[], None]) -> None:
    """Declare the actor; `work` runs jobs while any is in line."""
    dramatiq.Actor(work, broker=broker, actor_name=ACTOR, queue_name=QUEUE, priority=0, options={})
