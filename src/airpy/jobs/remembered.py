"""What is remembered of answered queries, so that an equal one over the same files is answered at once.

A result is remembered under its request and the state of the data that it was computed of: which files, their
sizes, times and inodes, and the settings and versions that an answer depends on. The server knows that state
before it accepts a request, the job once it has read; only where both are the same is anything remembered. So
what is given is never older than the files. `submit.lua` gives it, `remember.lua` takes it in and lets go of
what has not been asked for longest; the files stay in the folder of the attempt that wrote them.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, NamedTuple

from airpy.jobs.scripts import run
from airpy.jobs.states import STATE

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from airpy.jobs.record import ResultFrame

__all__ = ["Memory"]


class Memory(NamedTuple):
    """How much is remembered, and for how long."""

    most_bytes: int
    """Of the results; nothing is remembered when it is 0."""
    ttl_s: int

    def remember(self, redis: Redis, token: int, folder: Path, frame: ResultFrame) -> bool:
        """Remember the result of a completed job, if it is of the data that the job was asked of."""
        with contextlib.suppress(FileNotFoundError):
            state = (folder / STATE).read_text()
            size = sum(file.stat().st_size for file in folder.iterdir())
            if size <= self.most_bytes:
                told = (token, state, folder.name, json.dumps(frame), size)
                return bool(run(redis, "remember", *told, self.ttl_s * 1000, self.most_bytes))
        return False

    def tidy(self, redis: Redis) -> None:
        """Forget what is too old, or too much."""
        run(redis, "forget", self.most_bytes)
