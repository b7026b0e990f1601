"""Which failures are tried again, by reason, and after which pause."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airpy.contract import ErrorReason
    from airpy.errors import AirError

__all__ = ["CRASHES", "TRANSIENT", "is_retried", "pause_ms"]

CRASHES: frozenset[ErrorReason] = frozenset({"READER_CRASHED", "PROCESS_KILLED", "WORKER_DIED"})
"""The job's process was ended by a signal, or its worker died: by chance, or because of the job."""

TRANSIENT: frozenset[ErrorReason] = frozenset({"READ_INTERRUPTED", "FILE_CHANGED"})
"""The storage failed in a way that may pass, or files were replaced while they were read."""

FIRST_PAUSE_MS = 200
LONGEST_PAUSE_MS = 10_000


def is_retried(error: AirError) -> bool:
    """Whether the job may succeed if it is simply begun again; what the caller got wrong is never retried."""
    return error.reason in CRASHES or error.reason in TRANSIENT


def pause_ms(failures: int) -> int:
    """The pause before the next attempt, in ms: doubled with each failure, and shortened by chance.

    "Full jitter" over the upper half, so that jobs that failed together do not come back together
    (Brooker, "Exponential Backoff And Jitter", 2015).
    """
    ceiling = min(FIRST_PAUSE_MS * 2 ** max(failures - 1, 0), LONGEST_PAUSE_MS)
    return random.randint(ceiling // 2, ceiling)  # noqa: S311  no secret
