"""Declares the actors on a broker and submits jobs to them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import dramatiq
from dramatiq.middleware import CurrentMessage

from airpy.engine.failures import failure
from airpy.jobs.broker import QUEUE
from airpy.jobs.kinds import JOBS

if TYPE_CHECKING:
    from collections.abc import Callable

    from dramatiq.broker import MessageProxy
    from pydantic import BaseModel

    from airpy.contract import JobType
    from airpy.files.paths import FileRoot
    from airpy.jobs.results import Results
    from airpy.jobs.store import JobStore

__all__ = ["JobQueue", "declare_actors"]


class JobQueue(NamedTuple):
    """Accepts jobs."""

    store: JobStore
    results: Results
    files: FileRoot
    max_jobs: int
    ttl_s: int

    async def submit(
        self, kind: JobType, request: BaseModel, request_id: str, frame: bytes | None = None
    ) -> int:
        """The token of a new job, once its request is known to be acceptable.

        Args:
            kind: The kind of job.
            request: What is asked of it.
            request_id: The caller's name for the request.
            frame: A frame that came with the request, which is kept beside the record.

        Raises:
            AirError: The request cannot be met, whatever the data; or the queue or the disk is full.
        """
        await asyncio.to_thread(JOBS[kind].check, request, self.files)
        token = await self.store.take_token(self.max_jobs)
        if frame is not None:
            try:
                await asyncio.to_thread(self.results.keep_input, token, frame)
            except OSError as error:
                raise failure(error) from error
        body = request.model_dump_json(by_alias=True, exclude_unset=True)
        await self.store.add(token, kind, body, request_id, self.ttl_s, message_for(kind, token))
        return token


def message_for(kind: JobType, token: int) -> dramatiq.Message[Any]:
    """The message that has a worker run the job."""
    return dramatiq.Message(queue_name=QUEUE, actor_name=kind, args=(token,), kwargs={}, options={})


def declare_actors(broker: dramatiq.Broker, run: Callable[[int], bool]) -> None:
    """Declare an actor for every kind of job. `run` is given a token, and is false for a dead letter."""

    def act(token: int) -> None:
        if not run(token):
            message = cast("MessageProxy", CurrentMessage.get_current_message())
            message.fail()  # it goes to the dead letters instead of being forgotten

    broker.add_middleware(CurrentMessage())
    for kind in JOBS:
        dramatiq.Actor(act, broker=broker, actor_name=kind, queue_name=QUEUE, priority=0, options={})
