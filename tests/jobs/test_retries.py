from __future__ import annotations

import pytest

from airpy.engine.failures import failure
from airpy.errors import (
    AirError,
    CapExceeded,
    FileUnavailable,
    InternalFault,
    InvalidPlan,
    JobTimedOut,
    UnknownColumn,
)
from airpy.jobs.retries import CRASHES, is_retried, pause_ms


@pytest.mark.parametrize(
    "error",
    [
        FileUnavailable("…", reason="READER_CRASHED"),
        CapExceeded("…", reason="PROCESS_KILLED"),
        InternalFault("…", reason="WORKER_DIED"),
        failure(OSError(5, "Input/output error")),
        failure(OSError(116, "Stale file handle")),
    ],
)
def test_what_may_pass_is_tried_again(error: AirError) -> None:
    assert is_retried(error)


@pytest.mark.parametrize(
    "error",
    [
        UnknownColumn("…"),
        InvalidPlan("…", reason="CAST_FAILED"),
        FileUnavailable("…"),
        FileUnavailable("…", reason="FILE_MISSING"),
        CapExceeded("…"),
        CapExceeded("…", reason="DISK_FULL"),
        JobTimedOut("…"),
        InternalFault("…"),
    ],
)
def test_what_would_fail_again_is_not(error: AirError) -> None:
    assert not is_retried(error)


def test_a_crash_is_what_dies_and_not_what_is_refused() -> None:
    assert sorted(CRASHES) == ["PROCESS_KILLED", "READER_CRASHED", "WORKER_DIED"]


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [
        (0, 100, 200),
        (1, 100, 200),
        (2, 200, 400),
        (3, 400, 800),
        (6, 3200, 6400),
        (7, 5000, 10_000),
        (60, 5000, 10_000),
    ],
)
def test_pauses_double_up_to_a_bound_and_are_spread(failures: int, least: int, most: int) -> None:
    pauses = [pause_ms(failures) for _ in range(2000)]

    # All of 2000 in one of its quarters would be a chance of 0.25 to the 2000th.
    quarter = (most - least) / 4
    assert least <= min(pauses) < least + quarter
    assert most - quarter < max(pauses) <= most
