from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.envelope import refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    import httpx2

    from tests.handlers.conftest import ByHand
    from tests.service import Service

LONG_S = 20
"""A wait that a test would notice."""
SOON_S = 10
"""Well before that, on a machine that is busy with other things."""


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads for callers that wait."""
    with ThreadPoolExecutor(50) as pool:
        yield pool


def waiting(
    by_hand: ByHand, threads: ThreadPoolExecutor, token: int, since: int = 0
) -> Future[tuple[httpx2.Response, float]]:
    """The answer to a caller who waits, and the moment when it came."""

    def ask() -> tuple[httpx2.Response, float]:
        answer = by_hand.service.get(f"jobs/{token}?wait={LONG_S}&since={since}")
        return answer, time.monotonic()

    asked = threads.submit(ask)
    time.sleep(0.3)  # it waits by now; if not, the test is easier
    assert not asked.done()
    return asked


def test_a_step_ends_the_wait_as_soon_as_it_is_written(by_hand: ByHand, threads: ThreadPoolExecutor) -> None:
    token = by_hand.submit("one-step")
    claim = by_hand.begin()
    asked = waiting(by_hand, threads, token)

    claim.step("scanning_directory", "Scanning csv")
    written = time.monotonic()
    answer, came = asked.result()

    job = answer.json()
    assert came - written < SOON_S
    assert (job["status"], job["attempt"]) == ("running", 1)
    assert [step["message"] for step in job["steps"]] == ["Scanning csv"]
    assert "retry-after" not in answer.headers
    claim.complete("nowhere", None)


def test_a_step_that_was_seen_is_waited_beyond(by_hand: ByHand, threads: ThreadPoolExecutor) -> None:
    token = by_hand.submit("two-steps")
    claim = by_hand.begin()
    claim.step("scanning_directory", "Scanning csv")
    at_once = by_hand.service.get(f"jobs/{token}?wait={LONG_S}&since=0").json()
    asked = waiting(by_hand, threads, token, since=1)

    claim.step("files_found", "Found 1 file, processing...")
    answer, _ = asked.result()

    assert [step["step"] for step in at_once["steps"]] == ["scanning_directory"]
    assert [step["step"] for step in answer.json()["steps"]] == ["scanning_directory", "files_found"]
    claim.complete("nowhere", None)


def test_the_end_of_a_job_ends_the_wait_whatever_was_seen(
    by_hand: ByHand, threads: ThreadPoolExecutor
) -> None:
    token = by_hand.submit("an-end")
    claim = by_hand.begin()
    asked = waiting(by_hand, threads, token, since=100)
    fault = {
        "code": "IO_ERROR",
        "message": "gone",
        "details": {"field": None, "constraint": None, "reason": "FILE_MISSING", "retryable": False},
        "request_id": "req_1",
    }

    claim.fail(fault, dead=False)
    written = time.monotonic()
    answer, came = asked.result()

    assert came - written < SOON_S
    assert (answer.json()["status"], answer.json()["code"], answer.json()["error"]) == ("failed", 422, fault)


def test_a_job_that_another_is_run_for_is_waited_for_too(
    by_hand: ByHand, threads: ThreadPoolExecutor
) -> None:
    leader, follower = by_hand.submit("shared"), by_hand.submit("shared")
    claim = by_hand.begin()
    asked = waiting(by_hand, threads, follower)

    claim.step("scanning_directory", "Scanning csv")
    answer, _ = asked.result()

    assert (claim.token, answer.json()["token"]) == (leader, follower)
    assert [step["message"] for step in answer.json()["steps"]] == ["Scanning csv"]
    assert (answer.json()["status"], answer.json()["attempt"]) == ("running", 1)
    claim.complete("nowhere", None)


def test_everybody_who_waits_for_a_step_is_told(by_hand: ByHand, threads: ThreadPoolExecutor) -> None:
    token = by_hand.submit("many")
    claim = by_hand.begin()
    asked = [threads.submit(by_hand.service.get, f"jobs/{token}?wait={LONG_S}") for _ in range(50)]
    time.sleep(1)  # most of them wait by now
    written = time.monotonic()

    claim.step("scanning_directory", "Scanning csv")

    assert {len(one.result().json()["steps"]) for one in asked} == {1}
    assert time.monotonic() - written < SOON_S
    claim.complete("nowhere", None)


def test_without_news_the_answer_comes_after_the_wait(by_hand: ByHand) -> None:
    token = by_hand.submit("no-news")
    began = time.monotonic()

    answer = by_hand.service.get(f"jobs/{token}?wait=1.5")

    assert 1.5 <= time.monotonic() - began < SOON_S
    assert (answer.json()["status"], answer.json()["steps"]) == ("started", [])
    assert "retry-after" not in answer.headers
    assert by_hand.begin().complete("nowhere", None)


def test_without_a_wait_nothing_is_waited_for(by_hand: ByHand) -> None:
    token = by_hand.submit("no-wait")
    began = time.monotonic()

    answers = [by_hand.service.get(f"jobs/{token}{query}") for query in ("", "?since=5", "?wait=0&since=5")]

    assert time.monotonic() - began < SOON_S
    assert [answer.headers["retry-after"] for answer in answers] == ["1"] * 3
    assert by_hand.begin().complete("nowhere", None)


def test_a_job_that_has_ended_is_not_waited_for(service: Service) -> None:
    token = service.run("discover", {"datasource_id": "e", "uri": "csv"})["token"]
    began = time.monotonic()

    answer = service.get(f"jobs/{token}?wait={LONG_S}&since=100")

    assert time.monotonic() - began < SOON_S
    assert answer.json()["status"] == "completed"
    assert answer.json()["data"]["total_files"] == 1


def test_a_token_that_never_was_is_not_waited_for(service: Service) -> None:
    began = time.monotonic()

    error = refused(service.get(f"jobs/987654321?wait={LONG_S}"), 404, "JOB_NOT_FOUND")

    assert time.monotonic() - began < SOON_S
    assert error["details"]["field"] == "path.token"


@pytest.mark.parametrize(
    ("name", "value", "constraint"),
    [
        ("wait", "abc", "type: number"),
        ("wait", "", "type: number"),
        ("wait", "nan", "type: number"),
        ("wait", "-inf", "type: number"),
        ("wait", "1e400", "type: number"),
        ("wait", "-0.001", "minimum: 0"),
        ("wait", "60.001", "maximum: 60"),
        ("since", "abc", "type: integer"),
        ("since", "1.5", "type: integer"),
        ("since", "-1", "minimum: 0"),
        ("since", "100001", "maximum: 100000"),
    ],
)
def test_a_wait_that_cannot_be_is_refused(service: Service, name: str, value: str, constraint: str) -> None:
    asked: dict[str, Any] = {name: value}

    error = refused(service.get("jobs/1", params=asked), 400, "SCHEMA_VIOLATION")

    assert error["details"]["field"] == f"query.{name}"
    assert error["details"]["constraint"] == constraint


def test_a_parameter_that_is_not_known_is_refused(service: Service) -> None:
    error = refused(service.get("jobs/1?waits=3"), 400, "SCHEMA_VIOLATION")

    assert error["details"]["field"] == "query.waits"
