"""Decides how long the server waits for Redis: it soon says that the queue is away, but not to a crowd."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from airpy.errors import AirError

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["Patience"]

T = TypeVar("T")

LOOK_S = 0.25
MOST_LOOKS = 5
"""A Redis that has answered nobody between so many looks is away."""
LATE_S = 0.1
"""A look that is so late counts for nothing: this process was too busy to hear an answer."""


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
        silent = 0
        try:
            while not asking.done():
                if silent == MOST_LOOKS:
                    raise TimeoutError(f"no answer within {MOST_LOOKS * LOOK_S:g} s")
                began = loop.time()
                await asyncio.wait({asking}, timeout=LOOK_S)
                if self._heard > began:
                    silent = 0
                elif loop.time() < began + LOOK_S + LATE_S:
                    silent += 1
            return asking.result()
        finally:
            if asking.done() and not asking.cancelled() and is_answer(asking.exception()):
                self._heard = loop.time()
            asking.cancel()


def is_answer(error: BaseException | None) -> bool:
    """Whether this is what comes of a question that Redis answered."""
    return error is None or isinstance(error, AirError)
