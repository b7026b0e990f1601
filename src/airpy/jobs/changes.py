"""Tells those who wait for a job that its record has changed.

One subscription serves the whole server, and whoever waits for the same job shares one look at its record:
a thousand waiting requests cost Redis one command a change.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from airpy.errors import AirError
from airpy.jobs.record import ENDED
from airpy.jobs.scripts import CHANGES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from redis.asyncio import Redis

    from airpy.jobs.record import Job
    from airpy.jobs.store import JobStore

__all__ = ["Changes"]

log = structlog.get_logger(__name__)

RECONNECT_S = 0.2
LOOK_AGAIN_S = 15.0
"""Should a change not have been told, it is seen this late."""


class Changes:
    """Follows the records of jobs that someone waits for.

    Args:
        redis: A client that may wait for messages without end.
        store: Where the records are.
    """

    def __init__(self, redis: Redis, store: JobStore) -> None:
        self._redis = redis
        self._store = store
        self._watched: dict[str, _Watched] = {}
        """By token, in the letters in which a change of it is told."""
        self._stopping = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen for changes while the block runs."""
        listener = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener

    def let_go(self) -> None:
        """End every wait with what is known by now: the server stops."""
        self._stopping = True
        for watched in self._watched.values():
            watched.changed.set()

    async def follow(self, token: int) -> AsyncGenerator[Job]:
        """The job as it stands now, and again whenever it has changed, until its end or the server's.

        Raises:
            JobUnavailable: There is no such job.
            QueueUnavailable: Redis is away.
        """
        watched = self._watched.get(str(token))
        if watched is None:
            watched = self._watched[str(token)] = _Watched(self._store, token)
            watched.look()
        watched.watchers += 1
        seen = -1
        try:
            while True:
                changed = watched.changed  # taken before the look at the job, so that no change is missed
                if watched.failure is not None:
                    raise watched.failure
                if watched.job is not None and watched.job.version != seen:
                    seen = watched.job.version
                    yield watched.job
                    if watched.job.status in ENDED:
                        return
                elif self._stopping:
                    return
                elif not await _set_within(changed, LOOK_AGAIN_S):
                    watched.look()
        finally:
            watched.watchers -= 1
            if not watched.watchers:
                self._watched.pop(str(token), None)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(CHANGES)
                    for watched in self._watched.values():
                        watched.look()  # what happened in between was not told
                    async for message in subscription.listen():
                        if concerned := self._watched.get(message["data"]):
                            concerned.look()
            except (RedisError, OSError, UnicodeDecodeError) as error:  # anyone may write to the channel
                log.warning("changes_unheard", error=str(error))
                await asyncio.sleep(RECONNECT_S)


class _Watched:
    """A job that someone waits for."""

    def __init__(self, store: JobStore, token: int) -> None:
        self._store = store
        self._token = token
        self._stale = False
        self._looking: asyncio.Task[None] | None = None
        self.watchers = 0
        self.job: Job | None = None
        self.failure: AirError | None = None
        self.changed = asyncio.Event()

    def look(self) -> None:
        """Look at the record, once more if a look is under way."""
        self._stale = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while self._stale:
            self._stale = False
            try:
                self.job, self.failure = await self._store.get(self._token), None
            except AirError as error:
                self.failure = error
            changed, self.changed = self.changed, asyncio.Event()
            changed.set()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):  # without a task of its own, as wait_for has
            await event.wait()
    except TimeoutError:
        return False
    return True
