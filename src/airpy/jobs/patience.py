"""Decides how long the server waits for Redis: it soon says that the queue is away, but not to a crowd."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from airpy.errors import AirError

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["Patience"]

T = TypeVar("T")

SILENCE_S = 1.0
"""A Redis that has answered nobody for so long is away."""
GRACE_S = 0.3
"""In this time a process that is not too busy hears an answer that has come …"""
LATE_S = 0.1
"""… and is woken no later than so much after it."""


class Patience:
    """Waits for answers of one Redis."""

    def __init__(self) -> None:
        self._heard = float("-inf")

    async def answer(self, question: Coroutine[Any, Any, T]) -> T:
        """The answer, however long the line is, while Redis answers somebody.

        Raises:
            TimeoutError: It does not.
        """
        loop = asyncio.get_running_loop()
        asking = asyncio.create_task(question)
        since = loop.time()
        try:
            while not asking.done():
                silence = loop.time() - max(since, self._heard)
                if silence < SILENCE_S:
                    await asyncio.wait({asking}, timeout=SILENCE_S - silence)
                elif await self._is_silent(asking):
                    raise TimeoutError(f"no answer within {SILENCE_S:g} s")
                else:
                    since = loop.time()
            return asking.result()
        finally:
            if asking.done() and not asking.cancelled() and is_answer(asking.exception()):
                self._heard = loop.time()
            asking.cancel()

    async def _is_silent(self, asking: asyncio.Task[Any]) -> bool:
        """Whether it is Redis that is silent, and not this process that is too busy to hear it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.wait({asking}, timeout=GRACE_S)
        heard = asking.done() or self._heard > began
        return not heard and loop.time() < began + GRACE_S + LATE_S


def is_answer(error: BaseException | None) -> bool:
    """Whether this is what comes of a question that Redis answered."""
    return error is None or isinstance(error, AirError)
