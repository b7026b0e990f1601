from __future__ import annotations

import json

import pytest

from airpy.jobs.record import ENDED, Job, ResultFrame, Step, rfc3339

FIELDS = {
    "kind": "query",
    "status": "running",
    "request_id": "req_1",
    "created_ms": "1756684800000",
    "updated_ms": "1756684801000",
    "ttl_s": "60",
    "attempt": "2",
}


def test_a_running_job_has_no_result_yet() -> None:
    assert Job.from_hash(7, FIELDS) == Job(
        token=7,
        kind="query",
        status="running",
        request_id="req_1",
        created_ms=1756684800000,
        updated_ms=1756684801000,
        ttl_s=60,
        attempt=2,
    )


def test_steps_are_in_the_order_of_their_numbers_and_of_the_last_attempt() -> None:
    steps = {
        f"step:{attempt}:{number}": json.dumps([f"step_{number}", f"attempt {attempt}", "2025-09-01", number])
        for attempt in (1, 2, 22)
        for number in (10, 2, 0, 1)
    }

    job = Job.from_hash(7, FIELDS | steps)

    assert job.steps == tuple(
        Step(f"step_{number}", "attempt 2", "2025-09-01", number) for number in (0, 1, 2, 10)
    )


def test_the_end_of_a_job_is_read_back() -> None:
    frame = ResultFrame("parquet", 5, "c2NoZW1h", "sha256:00")
    ended = {
        "status": "completed",
        "folder": "7-2",
        "frame": json.dumps(frame),
        "error": json.dumps({"code": "IO_ERROR"}),
        "expires_ms": "1756684861000",
    }

    job = Job.from_hash(7, FIELDS | ended)

    assert job.folder == "7-2"
    assert job.frame == frame
    assert job.error == {"code": "IO_ERROR"}
    assert job.expires_ms == 1756684861000


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1756684800000, "2025-09-01T00:00:00.000Z"),
        (1756684800007, "2025-09-01T00:00:00.007Z"),
        (951782399999, "2000-02-28T23:59:59.999Z"),
    ],
)
def test_times_are_rfc_3339_in_utc_to_the_millisecond(milliseconds: int, written: str) -> None:
    assert rfc3339(milliseconds) == written


def test_three_states_are_final() -> None:
    assert {"completed", "failed", "cancelled"} == ENDED
