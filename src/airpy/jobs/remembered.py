"""What is remembered of answered queries, so that an equal one over the same files is answered at once.

A result is remembered under its request and the state of the data that it was computed of: which files, their
sizes, times and inodes, and the settings and versions that an answer depends on. The server knows that state
before it accepts a request, the job once it has read; only where both are the same is anything remembered. So
what is given is never older than the files. `submit.lua` gives it, `remember.lua` takes it in and lets go of
what has not been asked for longest; the files stay in the folder of the attempt that wrote them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy import __version__
from airpy.jobs.scripts import run

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from airpy.files.datasets import Load
    from airpy.files.paths import FileRoot
    from airpy.jobs.record import ResultFrame

__all__ = ["Memory", "data_state", "ground_of", "keep_state"]

STATE = "state"
YOUNG_S = 2
"""A file that was changed so lately may change again, and look the same in size and time."""


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


def ground_of(root: FileRoot, infer_rows: int, max_rows_json: int) -> str:
    """What answers depend on beside request and files: where those are looked for, settings, versions."""
    ground = (__version__, pl.__version__, str(root.base), root.extensions, infer_rows, max_rows_json)
    return hashlib.sha256(repr(ground).encode()).hexdigest()


def data_state(load: Load, ground: str) -> str | None:
    """What tells the state of the data from another; None when it is not known."""
    if load.fingerprint is None:
        return None
    return hashlib.sha256(f"{load.fingerprint} {ground}".encode()).hexdigest()


def keep_state(folder: Path, load: Load, ground: str, began: float) -> None:
    """Keep in the folder of a result what state the data was in that it was computed of.

    Args:
        folder: The folder.
        load: What was read.
        ground: What the answer depends on beside.
        began: When reading began, in seconds since the epoch. Files that had just been changed then may have
            been changed again without a trace, and nothing is kept.
    """
    state = data_state(load, ground)
    if state is not None and load.changed_s < min(began, time.time()) - YOUNG_S:
        (folder / STATE).write_text(state)
