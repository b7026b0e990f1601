from __future__ import annotations

from typing import Any

import pytest

from airpy.jobs.estimates import MOST_MEMORY, queue_state, refusals, retry_after_s
from airpy.jobs.record import Job
from airpy.jobs.scripts import load
from airpy.jobs.store import Census


def census(**parts: Any) -> Census:
    """A service at rest, but for the parts."""
    return Census(1, 0, 0, 2, "7.2.4", 0.0)._replace(**parts)


def job(kind: str, status: str, leader: int | None = None) -> Job:
    """A job that has not ended."""
    fields = {
        "kind": kind,
        "status": status,
        "source": "energy",
        "request_id": "req_1",
        "created_ms": "0",
        "updated_ms": "0",
        "ttl_s": "60",
        "attempt": "0",
        "version": "0",
    }
    return Job.from_hash(1, fields | ({} if leader is None else {"leader": str(leader)}))


@pytest.mark.parametrize(
    ("paces", "active", "slots", "seconds"),
    [
        ({}, 9, 2, 1),  # a second's run is assumed, and half of it until a slot is free
        ({"query": 9.0}, 9, 2, 5),  # 4.5
        ({"query": 9.0, "discover": 1.0}, 9, 1, 5),  # the mean of both
        ({"query": 9.0, "discover": 1.0}, 9, 4, 2),  # 1.25
        ({"query": 30.0}, 9, 0, 30),  # no worker is alive: one is expected
        ({"query": 0.001}, 9, 8, 1),
        ({"query": 1200.0}, 9, 1, 60),
        ({"query": 0.06}, 1000, 2, 3),  # a hundred jobs of 60 ms
        ({"query": 0.06}, 200, 2, 1),  # twenty
        ({"query": 2.0}, 1000, 2, 60),  # a hundred seconds, and nobody is sent away for so long
    ],
)
def test_another_try_is_worth_it_when_a_tenth_of_the_jobs_has_ended(
    paces: dict[str, float], active: int, slots: int, seconds: int
) -> None:
    assert retry_after_s(census(active=active, slots=slots), paces) == seconds


@pytest.mark.parametrize(
    ("parts", "refused"),
    [
        ({}, []),
        ({"active": 9}, []),
        ({"active": 10}, ["QUEUE_FULL"]),
        ({"memory_share": 0.8}, []),
        ({"memory_share": 0.81}, ["QUEUE_FULL"]),
    ],
)
def test_what_would_be_refused_is_known(parts: dict[str, Any], refused: list[str]) -> None:
    assert refusals(census(**parts), 10) == refused


def test_the_share_of_memory_is_the_one_that_the_script_knows() -> None:
    assert f"used > {MOST_MEMORY} * limit" in load("submit").source


def test_a_new_job_waits_for_those_in_line_over_all_slots() -> None:
    active = [
        job("query", "started"),
        job("query", "started"),
        job("query", "running"),
        job("query", "started", leader=1),
        job("discover", "started"),
    ]

    queue, jobs = queue_state(census(active=5, waiting=3, memory_share=0.12345), {"query": 4.0}, active)

    assert queue.model_dump() == {
        "active": 5,
        "waiting": 3,
        "slots": 2,
        "redis_memory_share": 0.1235,
        "retry_after_s": 2,
    }
    loads = {one.job_type: (one.waiting, one.running, one.run_s) for one in jobs}
    assert loads == {
        "discover": (1, 0, None),
        "infer_schema": (0, 0, None),
        "query": (2, 1, 4.0),
        "analyze": (0, 0, None),
    }
    # 4 s + 4 s + 1 s, which is assumed of a discovery, over two slots.
    assert {one.wait_s for one in jobs} == {4.5}


def test_nobody_knows_how_long_a_job_waits_without_workers() -> None:
    _, jobs = queue_state(census(slots=0), {}, [])

    assert {one.wait_s for one in jobs} == {None}
