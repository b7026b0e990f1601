from __future__ import annotations

import datetime as dt
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest

from tests.envelope import refused, well_formed
from tests.service import kill_child_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.handlers.conftest import ByHand
    from tests.service import Service

ROWS = 20_000
"""Joined with themselves, 400 million rows, whose sum takes some seconds."""


class Dead(NamedTuple):
    """A job whose process was killed three times, and what it was asked."""

    job: dict[str, Any]
    request: dict[str, Any]


@pytest.fixture(scope="module")
def dead(service: Service, base: Path) -> Dead:
    """A dead job; its request is a good one."""
    pl.DataFrame({"one": [1] * ROWS}).write_parquet(base / "_few_ones.parquet")
    request = {
        "datasource_id": "poison",
        "plan": {
            "dataset": "_few_ones.parquet",
            "joins": [{"dataset": "_few_ones.parquet", "on": ["one"]}],
            "aggs": [{"col": "one", "fn": "sum", "as": "total"}],
        },
    }
    token = service.post("query", request, headers={"X-Request-Id": "poisoned"}).json()["token"]
    for _ in range(3):
        kill_child_of(service, token, signal.SIGSEGV)
    return Dead(service.wait(token), request)


def letters(service: Service) -> list[dict[str, Any]]:
    """Every dead letter, the newest first."""
    listed: list[dict[str, Any]] = service.get("dead-letters").json()["dead_letters"]
    return listed


def test_a_dead_letter_tells_what_was_asked_and_is_answered_when_asked_again(
    service: Service, dead: Dead
) -> None:
    token = dead.job["token"]

    letter = service.get(f"dead-letters/{token}").json()
    listed = [one["token"] for one in letters(service)]
    answer = service.call("POST", f"dead-letters/{token}/requeue")
    new = answer.json()["token"]
    job = service.wait(new)

    died_at = dt.datetime.fromisoformat(letter.pop("died_at"))
    assert json.loads(letter.pop("request")) == dead.request
    assert letter == {
        "token": token,
        "job_type": "query",
        "datasource_id": "poison",
        "request_id": "poisoned",
        "attempts": 3,
        "error": dead.job["error"],
    }
    assert abs(died_at - dt.datetime.fromisoformat(dead.job["updated_at"])) < dt.timedelta(seconds=1)
    assert token in listed
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/py/jobs/{new}"
    assert answer.json() == {"token": new, "status": "started", "message": "Query execution job started"}
    assert new > token
    assert job["data"]["rows"] == [{"total": ROWS**2}]
    assert job["attempt"] == 1
    refused(service.get(f"dead-letters/{token}"), 404, "NO_DEAD_LETTER")
    refused(service.call("POST", f"dead-letters/{token}/requeue"), 404, "NO_DEAD_LETTER")
    assert service.get(f"jobs/{token}").json() == dead.job


def test_its_error_says_what_killed_it(dead: Dead) -> None:
    error = dead.job["error"]

    well_formed(error)
    assert (dead.job["status"], dead.job["code"], dead.job["attempt"]) == ("failed", 422, 3)
    assert (error["code"], error["details"]["reason"]) == ("IO_ERROR", "READER_CRASHED")
    assert error["message"] == "the reader crashed on the data (SIGSEGV)"
    post_mortem = dict(error["details"]["post_mortem"])
    assert post_mortem.pop("peak_memory_mb") > 0
    assert post_mortem.pop("last_step") in {step["step"] for step in dead.job["steps"]}
    assert post_mortem == {"attempts": 3, "exit_signal": "SIGSEGV"}


def bury(by_hand: ByHand, name: str) -> int:
    """A job that has died."""
    token = by_hand.submit(name)
    error = {
        "code": "INTERNAL_ERROR",
        "message": "a fault",
        "details": {"field": None, "constraint": None, "reason": "INTERNAL", "retryable": False},
        "request_id": "req_1",
    }
    assert by_hand.begin().fail(error, dead=True)
    return token


def test_the_newest_dead_letter_comes_first(by_hand: ByHand) -> None:
    tokens = [bury(by_hand, f"order-{number}") for number in range(3)]

    listed = letters(by_hand.service)

    assert [letter["token"] for letter in listed[:3]] == tokens[::-1]
    for letter in listed[:3]:
        assert by_hand.service.get(f"dead-letters/{letter['token']}").json() == letter


def test_dead_letters_come_in_pages(by_hand: ByHand) -> None:
    tokens = [bury(by_hand, f"paged-{number}") for number in range(3)]

    first = by_hand.service.get("dead-letters?limit=2").json()
    last = by_hand.service.get(f"dead-letters?limit=2&cursor={first['next_cursor']}").json()

    assert [letter["token"] for letter in first["dead_letters"]] == [tokens[2], tokens[1]]
    assert first["next_cursor"] == tokens[1]
    assert [letter["token"] for letter in last["dead_letters"]] == [tokens[0]]
    assert last["next_cursor"] is None


def test_an_answer_that_was_lost_is_asked_for_again(by_hand: ByHand) -> None:
    token = bury(by_hand, "lost")
    key = {"Idempotency-Key": "requeue-1"}

    answers = [
        by_hand.service.call("POST", f"dead-letters/{token}/requeue", headers=key).json() for _ in range(2)
    ]
    other = by_hand.service.post("discover", {"datasource_id": "lost", "uri": "csv"}, headers=key)

    assert answers[0] == answers[1]
    assert answers[0]["message"] == "File discovery job started"
    refused(other, 409, "IDEMPOTENCY_KEY_REUSED")


def test_a_dead_letter_that_is_dropped_is_shown_for_the_last_time(by_hand: ByHand) -> None:
    token = bury(by_hand, "dropped")
    letter = by_hand.service.get(f"dead-letters/{token}").json()

    answer = by_hand.service.call("DELETE", f"dead-letters/{token}")

    assert (answer.status_code, answer.json()) == (200, letter)
    assert token not in [listed["token"] for listed in letters(by_hand.service)]
    refused(by_hand.service.call("DELETE", f"dead-letters/{token}"), 404, "NO_DEAD_LETTER")
    assert by_hand.service.get(f"jobs/{token}").json()["status"] == "failed"


def test_two_who_ask_again_at_the_same_moment_start_one_job(by_hand: ByHand) -> None:
    token = bury(by_hand, "twice")

    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda _: by_hand.service.call("POST", f"dead-letters/{token}/requeue"),
                range(10),
            )
        )

    new = {answer.json()["token"] for answer in answers if answer.status_code == 202}
    assert len(new) == 1
    assert {answer.status_code for answer in answers} <= {202, 404}
    assert by_hand.begin().token in new


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("DELETE", ""), ("POST", "/requeue")])
def test_a_job_that_did_not_die_has_no_dead_letter(service: Service, method: str, suffix: str) -> None:
    token = service.run("discover", {"datasource_id": "alive", "uri": "csv"})["token"]

    error = refused(service.call(method, f"dead-letters/{token}{suffix}"), 404, "NO_DEAD_LETTER")

    assert error["message"] == f"there is no dead letter of job {token}"
    assert error["details"]["field"] == "path.token"
    assert error["details"]["constraint"] == "a token that GET /v1/py/dead-letters lists"


def test_a_job_that_the_caller_got_wrong_is_no_dead_letter(service: Service) -> None:
    plan = {"dataset": "energy_parquet", "select": ["kwhh"]}
    token = service.run("query", {"datasource_id": "energy-files", "plan": plan})["token"]

    refused(service.get(f"dead-letters/{token}"), 404, "NO_DEAD_LETTER")


@pytest.mark.parametrize("suffix", ["", "/requeue"])
@pytest.mark.parametrize("token", ["0", "-1", "01", "9007199254740992"])
def test_a_number_that_is_no_token_has_no_dead_letter(service: Service, suffix: str, token: str) -> None:
    method = "POST" if suffix else "GET"

    refused(service.call(method, f"dead-letters/{token}{suffix}"), 404, "JOB_NOT_FOUND")


def test_a_path_of_dead_letters_says_which_methods_it_takes(service: Service) -> None:
    answers = {
        path: service.call("PUT", path).headers["allow"]
        for path in ("dead-letters", "dead-letters/1", "dead-letters/1/requeue", "jobs/1", "jobs/1/events")
    }

    assert answers == {
        "dead-letters": "GET, HEAD",
        "dead-letters/1": "DELETE, GET, HEAD",
        "dead-letters/1/requeue": "POST",
        "jobs/1": "DELETE, GET, HEAD",
        "jobs/1/events": "GET, HEAD",
    }
