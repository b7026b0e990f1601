from __future__ import annotations

import json

import pytest

from airpy.jobs.record import ENDED, DeadLetter, Job, ResultFrame, Step, rfc3339
from airpy.jobs.work import Work

FIELDS = {
    "kind": "query",
    "status": "running",
    "source": "energy",
    "request_id": "req_1",
    "created_ms": "1756684800000",
    "updated_ms": "1756684801000",
    "ttl_s": "60",
    "attempt": "2",
    "version": "5",
}


def test_a_running_job_has_no_result_yet() -> None:
    assert Job.from_hash(7, FIELDS) == Job(
        token=7,
        kind="query",
        status="running",
        source="energy",
        request_id="req_1",
        created_ms=1756684800000,
        updated_ms=1756684801000,
        ttl_s=60,
        attempt=2,
        version=5,
    )


def test_steps_are_in_the_order_of_their_attempts_and_numbers() -> None:
    steps = {
        f"step:{attempt}:{number}": json.dumps(
            [f"step_{number}", f"attempt {attempt}", 1000, number, attempt]
        )
        for attempt in (10, 1, 2)
        for number in (10, 2, 0, 1)
    }

    job = Job.from_hash(7, FIELDS | steps)

    assert job.steps == tuple(
        Step(f"step_{number}", f"attempt {attempt}", 1000, number, attempt)
        for attempt in (1, 2, 10)
        for number in (0, 1, 2, 10)
    )


@pytest.mark.parametrize(
    ("status", "work", "progress"),
    [
        ("started", None, None),
        ("running", "null", None),
        ("running", '[0,0,"files"]', None),
        ("running", '[0,8,"files"]', 0.0),
        ("running", '[3,8,"files"]', 0.375),
        ("running", '[8,8,"files"]', 0.99),  # it is not over yet
        ("running", '[9,8,"bytes"]', 0.99),
        ("failed", '[3,8,"files"]', 0.375),
        ("completed", '[3,8,"files"]', 1.0),
        ("completed", None, 1.0),
    ],
)
def test_progress_is_the_share_of_the_work_that_is_done(
    status: str, work: str | None, progress: float | None
) -> None:
    fields = FIELDS | {"status": status} | ({} if work is None else {"work": work})

    assert Job.from_hash(7, fields).progress == progress


def test_a_job_that_was_cancelled_while_others_wait_for_it_is_cancelled_to_its_caller() -> None:
    assert Job.from_hash(7, FIELDS | {"withdrawn": "1756684801000"}).status == "cancelled"


LEADING = FIELDS | {
    "version": "9",
    "attempt": "3",
    "updated_ms": "1756684809000",
    "work": '[3,8,"files"]',
    "step:3:0": '["file_found","…",1000,0,3]',
    "withdrawn": "1756684801000",
}


def test_a_follower_stands_as_its_leader_does_whoever_cancelled_that() -> None:
    follower = Job.from_hash(8, FIELDS | {"status": "started", "attempt": "0", "leader": "7"})

    seen = follower.following(LEADING)

    assert follower.leader == 7
    assert seen == follower._replace(
        status="running",
        attempt=3,
        version=14,
        updated_ms=1756684809000,
        work=Work(3, 8, "files"),
        steps=(Step("file_found", "…", 1000, 0, 3),),
    )


def test_a_follower_that_has_ended_keeps_its_own_end() -> None:
    follower = Job.from_hash(8, FIELDS | {"status": "cancelled", "leader": "7"})

    seen = follower.following(LEADING)

    assert (seen.status, seen.updated_ms) == ("cancelled", follower.updated_ms)
    assert len(seen.steps) == 1


@pytest.mark.parametrize("frame", [None, "input-1"])
def test_a_dead_letter_is_read_back(frame: str | None) -> None:
    fields = {
        "kind": "query",
        "request": "{}",
        "request_id": "req_1",
        "source": "energy",
        "lane": "long",
        "attempt": "3",
        "died_ms": "1756684800000",
        "error": '{"code":"INTERNAL_ERROR"}',
    }

    letter = DeadLetter.from_hash(7, fields | ({} if frame is None else {"input": frame}))

    assert letter == DeadLetter(
        token=7,
        kind="query",
        request="{}",
        request_id="req_1",
        source="energy",
        lane="long",
        input=frame,
        attempt=3,
        died_ms=1756684800000,
        error={"code": "INTERNAL_ERROR"},
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
