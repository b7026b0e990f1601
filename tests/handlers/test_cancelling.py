from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.envelope import refused
from tests.service import runs, wait_until, working_child

if TYPE_CHECKING:
    from tests.handlers.conftest import ByHand
    from tests.service import Service

WITHIN_S = 1.0
"""What the contract gives a process to be gone."""
LATE_S = 2.0
"""What a machine that is busy with other things may add to that."""


def endless(ones: str, number: int) -> dict[str, Any]:
    """A request that takes minutes; no two numbers ask the same."""
    plan = {
        "dataset": ones,
        "joins": [{"dataset": ones, "on": ["one"]}],
        "filters": [{"col": "one", "op": "<", "val": 1000 + number}],
        "aggs": [{"col": "one", "fn": "sum"}],
    }
    return {"datasource_id": "endless", "plan": plan}


def cancelled(service: Service, token: int) -> dict[str, Any]:
    """The job as its cancellation is answered."""
    answer = service.call("DELETE", f"jobs/{token}")
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def test_a_running_job_is_cancelled_and_its_process_is_gone_in_a_second(service: Service, ones: str) -> None:
    token = service.submit("query", endless(ones, 1))
    child = working_child(service, token)
    began = time.monotonic()

    job = cancelled(service, token)
    wait_until(lambda: not runs(child))
    took = time.monotonic() - began

    assert took < WITHIN_S + LATE_S
    assert (job["token"], job["status"], job["code"]) == (token, "cancelled", 200)
    assert (job["data"], job["error"]) == (None, None)
    assert job["expires_at"] is not None
    assert service.get(f"jobs/{token}").json() == job
    wait_until(lambda: not list(service.results.glob(f"{token}-*")))


def test_a_slot_whose_job_is_cancelled_takes_the_next_one(service: Service, ones: str) -> None:
    tokens = [service.submit("query", endless(ones, number)) for number in range(10, 14)]

    states = {cancelled(service, token)["status"] for token in tokens}

    assert states == {"cancelled"}
    assert service.data("discover", {"datasource_id": "after", "uri": "csv"})["total_files"] == 1


def test_a_waiting_job_is_cancelled_before_it_begins(by_hand: ByHand) -> None:
    first, second = by_hand.submit("waiting-1"), by_hand.submit("waiting-2")

    job = cancelled(by_hand.service, first)
    queue = by_hand.service.get("limits").json()["queue"]
    claim = by_hand.begin()

    assert (job["status"], job["attempt"], job["steps"]) == ("cancelled", 0, [])
    assert (queue["active"], queue["waiting"]) == (1, 1)
    assert claim.token == second
    assert claim.complete("nowhere", None)


def test_what_is_cancelled_is_not_written_to_any_more(by_hand: ByHand) -> None:
    token = by_hand.submit("late")
    claim = by_hand.begin()
    claim.step("scanning_directory", "Scanning csv")

    job = cancelled(by_hand.service, token)
    claim.step("files_found", "Found 1 file, processing...")
    completed = claim.complete("nowhere", None)

    assert not completed
    assert claim.watch.stop.is_set()
    assert [step["step"] for step in job["steps"]] == ["scanning_directory"]
    assert by_hand.service.get(f"jobs/{token}").json() == job


@pytest.mark.parametrize("columns", [["kwh"], ["kwhh"]])
def test_a_job_that_has_ended_stays_as_it_was(service: Service, columns: list[str]) -> None:
    plan = {"dataset": "energy_parquet", "select": columns}
    job = service.run("query", {"datasource_id": "energy-files", "plan": plan})

    answered = cancelled(service, job["token"])

    assert job["status"] == {"kwh": "completed", "kwhh": "failed"}[columns[0]]
    assert answered == job
    assert service.get(f"jobs/{job['token']}").json() == job


def test_cancelling_twice_is_cancelling_once(by_hand: ByHand) -> None:
    token = by_hand.submit("twice")

    first, second = cancelled(by_hand.service, token), cancelled(by_hand.service, token)

    assert first == second


def test_who_shares_the_work_of_a_cancelled_job_gets_it_done(by_hand: ByHand) -> None:
    leader, follower = by_hand.submit("led"), by_hand.submit("led")
    claim = by_hand.begin()

    job = cancelled(by_hand.service, leader)
    claim.step("scanning_directory", "Scanning csv")
    still_ours = not claim.watch.stop.is_set()
    other = by_hand.service.get(f"jobs/{follower}").json()
    claim.fail({**GONE, "request_id": "req_1"}, dead=False)

    assert (claim.token, job["status"]) == (leader, "cancelled")
    assert still_ours
    assert (other["status"], [step["message"] for step in other["steps"]]) == ("running", ["Scanning csv"])
    ended = [by_hand.service.get(f"jobs/{token}").json() for token in (leader, follower)]
    assert [job["status"] for job in ended] == ["cancelled", "failed"]
    assert [job["code"] for job in ended] == [200, 422]


def test_a_job_that_shares_another_s_work_leaves_it_alone(by_hand: ByHand) -> None:
    leader, follower = by_hand.submit("leading"), by_hand.submit("leading")
    claim = by_hand.begin()

    job = cancelled(by_hand.service, follower)
    claim.step("scanning_directory", "Scanning csv")

    assert job["status"] == "cancelled"
    assert not claim.watch.stop.is_set()
    assert by_hand.service.get(f"jobs/{leader}").json()["status"] == "running"
    assert claim.complete("nowhere", None)
    assert by_hand.service.get(f"jobs/{follower}").json()["status"] == "cancelled"


def test_work_that_nobody_wants_any_more_is_stopped(by_hand: ByHand) -> None:
    leader, follower = by_hand.submit("unwanted"), by_hand.submit("unwanted")
    claim = by_hand.begin()

    states = [cancelled(by_hand.service, token)["status"] for token in (leader, follower)]
    claim.step("scanning_directory", "Scanning csv")

    assert states == ["cancelled", "cancelled"]
    assert claim.watch.stop.is_set()


@pytest.mark.parametrize("token", ["987654321", "0", "-1", "01"])
def test_a_token_that_never_was_cannot_be_cancelled(service: Service, token: str) -> None:
    refused(service.call("DELETE", f"jobs/{token}"), 404, "JOB_NOT_FOUND")


GONE = {
    "code": "IO_ERROR",
    "message": "gone",
    "details": {"field": None, "constraint": None, "reason": "FILE_MISSING", "retryable": False},
}
