from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import fresh
from tests.envelope import refused
from tests.handlers.conftest import without_worker
from tests.service import running_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.handlers.conftest import ByHand
    from tests.service import Service

MOST_JOBS = 5


@pytest.fixture(scope="module")
def narrow_service(
    tmp_path_factory: pytest.TempPathFactory, base: Path, databases: Iterator[str]
) -> Iterator[ByHand]:
    """A service of five jobs at most, without a worker."""
    settings = {
        "PY_WORKERS": "2",
        "PY_MAX_QUEUED_JOBS": str(MOST_JOBS),
        "PY_MAX_ATTEMPTS": "4",
        "PY_MAX_JOIN_ROWS": "1000000000",
    }
    service = running_service(tmp_path_factory.mktemp("narrow"), base, fresh(next(databases)), **settings)
    with without_worker(service) as narrow:
        yield narrow


@pytest.fixture
def narrow(narrow_service: ByHand) -> ByHand:
    """That service, and no job in it."""
    narrow_service.redis.flushdb()
    return narrow_service


def load(limits: dict[str, Any], kind: str) -> dict[str, Any]:
    """What the limits say of the jobs of one type."""
    (found,) = [job for job in limits["jobs"] if job["job_type"] == kind]
    return dict(found)


def revive(narrow: ByHand, slots: int) -> None:
    """Have a worker of so many slots be alive for a while."""
    seconds, _ = narrow.redis.time()
    narrow.redis.zadd("airpy:workers", {f"test:1:{slots}": seconds + 3600})


def test_the_caps_are_those_that_are_set(narrow: ByHand) -> None:
    caps = narrow.service.get("limits").json()["caps"]

    assert caps == {
        "memory_mb": 2048,
        "job_timeout_s": 1200,
        "timeout_s": 90,
        "max_rows_json": 50_000,
        "max_body_mb": 64,
        "max_queued_jobs": MOST_JOBS,
        "max_attempts": 4,
        "max_join_rows": 1_000_000_000,
    }


def test_an_idle_service_says_that_it_is_idle(narrow: ByHand) -> None:
    limits = narrow.service.get("limits").json()

    assert limits["queue"].pop("redis_memory_share") == 0
    assert limits["queue"] == {"active": 0, "waiting": 0, "slots": 0, "retry_after_s": 1}
    assert [job.pop("job_type") for job in limits["jobs"]] == ["discover", "infer_schema", "query", "analyze"]
    assert limits["jobs"] == [{"waiting": 0, "running": 0, "run_s": None, "wait_s": None}] * 4
    assert (limits["accepting"], limits["refused"]) == (True, [])


def test_the_numbers_of_jobs_add_up(narrow: ByHand) -> None:
    for name in ("one", "two", "three", "three"):
        narrow.submit(name)  # the last two share their work
    narrow.service.submit("query", {"datasource_id": "e", "plan": {"dataset": "energy_parquet"}})
    claim = narrow.begin()

    limits = narrow.service.get("limits").json()

    assert (limits["queue"]["active"], limits["queue"]["waiting"]) == (5, 3)
    assert {job["job_type"]: (job["waiting"], job["running"]) for job in limits["jobs"]} == {
        "discover": (2, 1),
        "infer_schema": (0, 0),
        "query": (1, 0),
        "analyze": (0, 0),
    }
    assert narrow.service.get("health").json()["active_jobs"] == 5
    assert claim.complete("nowhere", None)
    assert narrow.service.get("limits").json()["queue"]["active"] == 4


def test_a_full_queue_is_told_before_and_refused_after(narrow: ByHand) -> None:
    tokens = [narrow.submit(f"full-{number}") for number in range(MOST_JOBS - 1)]
    before = narrow.service.get("limits").json()
    tokens.append(narrow.submit("full-last"))
    full = narrow.service.get("limits").json()

    answer = narrow.service.post("discover", {"datasource_id": "more", "uri": "csv"})

    error = refused(answer, 429, "QUEUE_FULL", code="RESOURCE_CAP")
    assert error["details"]["retryable"] is True
    assert (before["accepting"], before["refused"]) == (True, [])
    assert (full["accepting"], full["refused"]) == (False, ["QUEUE_FULL"])
    assert answer.headers["retry-after"] == str(full["queue"]["retry_after_s"])
    narrow.service.call("DELETE", f"jobs/{tokens[0]}")
    assert narrow.service.get("limits").json()["accepting"] is True
    assert narrow.submit("fits-again") > tokens[-1]


def fill(narrow: ByHand) -> None:
    """Submit as many jobs as there may be."""
    for number in range(MOST_JOBS):
        narrow.submit(f"full-{number}")


def test_the_pace_of_jobs_is_measured(narrow: ByHand) -> None:
    narrow.submit("measured")
    claim = narrow.begin()
    time.sleep(1.2)
    assert claim.complete("nowhere", None)
    revive(narrow, 1)
    fill(narrow)

    limits = narrow.service.get("limits").json()
    answer = narrow.service.post("discover", {"datasource_id": "more", "uri": "csv"})

    run_s = load(limits, "discover")["run_s"]
    assert 1.2 <= run_s < 10
    assert limits["queue"]["retry_after_s"] == math.ceil(run_s)
    assert answer.headers["retry-after"] == str(math.ceil(run_s))
    assert load(limits, "query")["run_s"] is None
    # Five jobs of its pace, and one slot.
    assert math.isclose(load(limits, "query")["wait_s"], 5 * run_s, abs_tol=0.01)


@pytest.mark.parametrize(
    ("paces_ms", "slots", "retry_after_s", "wait_s"),
    [
        ({"discover": 40_000}, 4, 10, 50.0),
        ({"discover": 10_000, "query": 30_000}, 1, 20, 50.0),
        ({"discover": 300}, 2, 1, 0.75),
        ({"discover": 900_000}, 1, 60, 4500.0),  # nobody is sent away for more than a minute
        ({}, 2, 1, 2.5),  # a second each, while nothing is known
    ],
)
def test_a_refusal_says_when_a_slot_will_be_free(
    narrow: ByHand, paces_ms: dict[str, int], slots: int, retry_after_s: int, wait_s: float
) -> None:
    for kind, pace_ms in paces_ms.items():
        narrow.redis.hset("airpy:pace", kind, str(pace_ms))
    revive(narrow, slots)
    fill(narrow)

    answer = narrow.service.post("discover", {"datasource_id": "more", "uri": "csv"})
    limits = narrow.service.get("limits").json()

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == str(retry_after_s)
    assert (limits["queue"]["retry_after_s"], limits["queue"]["slots"]) == (retry_after_s, slots)
    assert {job["wait_s"] for job in limits["jobs"]} == {wait_s}


def test_limits_take_no_query(service: Service) -> None:
    error = refused(service.get("limits?all=1"), 400, "SCHEMA_VIOLATION")

    assert error["details"]["field"] == "query.all"
