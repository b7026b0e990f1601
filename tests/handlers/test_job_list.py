from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import pytest

from airpy.jobs import store
from tests.envelope import refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.handlers.conftest import ByHand
    from tests.service import Service


def listed(service: Service, **query: Any) -> list[dict[str, Any]]:
    """The jobs on the first page."""
    jobs: list[dict[str, Any]] = service.get("jobs", params=query).json()["jobs"]
    return jobs


def tokens(service: Service, **query: Any) -> list[int]:
    """Their tokens."""
    return [job["token"] for job in listed(service, **query)]


def pages(service: Service, **query: Any) -> Iterator[dict[str, Any]]:
    """Every page, from the first on."""
    while True:
        page: dict[str, Any] = service.get("jobs", params=query).json()
        yield page
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def test_a_job_is_listed_as_it_stands_without_steps_and_data(service: Service) -> None:
    job = service.run("query", {"datasource_id": "energy-files", "plan": {"dataset": "energy_parquet"}})

    (summary,) = [one for one in listed(service) if one["token"] == job["token"]]

    kept = (
        "token",
        "job_type",
        "status",
        "progress",
        "attempt",
        "code",
        "request_id",
        "created_at",
        "updated_at",
    )
    assert summary == {**{name: job[name] for name in kept}, "datasource_id": "energy-files"}


def test_the_newest_job_comes_first(by_hand: ByHand) -> None:
    issued = [by_hand.submit(f"order-{number}") for number in range(3)]

    listing = tokens(by_hand.service)

    assert listing[:3] == issued[::-1]
    for _ in issued:
        by_hand.begin().complete("nowhere", None)


def test_jobs_are_told_apart_by_status_and_type(by_hand: ByHand) -> None:
    service = by_hand.service
    waiting, running, done, dropped = (by_hand.submit(f"states-{number}") for number in range(4))
    query = service.submit(
        "query", {"datasource_id": "states-4", "plan": {"dataset": "csv/measurements.csv"}}
    )
    service.call("DELETE", f"jobs/{dropped}")
    claims = {}
    for _ in range(4):
        claim = by_hand.begin()
        claims[claim.token] = claim
    claims[done].complete("nowhere", None)
    claims[waiting].release(60_000, failed=False)

    by_status = {
        status: set(tokens(service, status=status))
        for status in ("started", "running", "completed", "failed", "cancelled")
    }

    assert by_status["started"] == set()
    assert by_status["running"] == {waiting, running, query}  # one that pauses has begun already
    assert done in by_status["completed"]
    assert dropped in by_status["cancelled"]
    assert tokens(service, type="query") == [query]
    assert query not in tokens(service, type="discover")
    assert tokens(service, status="running", type="discover") == [running, waiting]
    assert tokens(service, status="cancelled", type="query") == []
    for token in (waiting, running, query):
        service.call("DELETE", f"jobs/{token}")


def test_a_job_that_shares_another_s_work_is_listed_as_that_stands(by_hand: ByHand) -> None:
    leader, follower = by_hand.submit("alike"), by_hand.submit("alike")
    claim = by_hand.begin()

    running = tokens(by_hand.service, status="running")

    assert running == [follower, leader]
    claim.complete("nowhere", None)
    assert tokens(by_hand.service, status="completed")[:2] == [follower, leader]


def test_jobs_are_told_apart_by_age(by_hand: ByHand) -> None:
    service = by_hand.service
    old = by_hand.submit("old")
    accepted = dt.datetime.fromisoformat(service.get(f"jobs/{old}").json()["created_at"])
    time.sleep(2.1)
    young = by_hand.submit("young")

    age = (dt.datetime.now(dt.UTC) - accepted).total_seconds()
    older, newer = tokens(service, older_than_s=2), tokens(service, newer_than_s=max(int(age) - 1, 1))

    assert old in older
    assert young not in older
    assert young in newer
    assert old not in newer
    assert old in tokens(service, older_than_s=1, newer_than_s=3600)
    assert tokens(service, older_than_s=3600) == []
    for token in (old, young):
        service.call("DELETE", f"jobs/{token}")


def test_the_cursor_walks_over_every_job_once(by_hand: ByHand) -> None:
    service = by_hand.service
    issued = [by_hand.submit(f"walk-{number}") for number in range(7)]

    walked = list(pages(service, limit=3, status="started"))

    assert [job["token"] for page in walked for job in page["jobs"]] == issued[::-1]
    assert all(len(page["jobs"]) <= 3 for page in walked)
    for token in issued:
        service.call("DELETE", f"jobs/{token}")


def test_jobs_that_come_meanwhile_do_not_disturb_a_walk(by_hand: ByHand) -> None:
    service = by_hand.service
    issued = [by_hand.submit(f"meanwhile-{number}") for number in range(4)]

    first = service.get("jobs?limit=2&status=started").json()
    later = by_hand.submit("meanwhile-later")
    rest = list(pages(service, limit=2, status="started", cursor=first["next_cursor"]))

    walked = [job["token"] for page in [first, *rest] for job in page["jobs"]]
    assert walked == issued[::-1]
    for token in [*issued, later]:
        service.call("DELETE", f"jobs/{token}")


def test_a_page_that_searches_many_records_in_vain_says_where_to_go_on(by_hand: ByHand) -> None:
    oldest = by_hand.submit("oldest")
    by_hand.begin().fail({"code": "IO_ERROR", "details": {"reason": "FILE_MISSING"}}, dead=False)
    bystander = by_hand.submit("bystander")
    fields: Any = by_hand.redis.hgetall(f"airpy:job:{bystander}")
    first = by_hand.redis.incrby("airpy:token", store.MOST_LOOKED_AT) - store.MOST_LOOKED_AT + 1
    with by_hand.redis.pipeline() as commands:
        for token in range(first, first + store.MOST_LOOKED_AT):
            commands.hset(f"airpy:job:{token}", mapping=fields)
            commands.zadd("airpy:jobs", {str(token): token})
        commands.execute()

    walked = list(pages(by_hand.service, status="failed", limit=1))

    assert walked[0] == {"jobs": [], "next_cursor": first}
    assert next(job["token"] for page in walked for job in page["jobs"]) == oldest
    with by_hand.redis.pipeline() as commands:
        for token in range(first, first + store.MOST_LOOKED_AT):
            commands.delete(f"airpy:job:{token}")
            commands.zrem("airpy:jobs", str(token))
        commands.execute()
    by_hand.service.call("DELETE", f"jobs/{bystander}")


@pytest.mark.parametrize(
    ("name", "value", "constraint"),
    [
        ("status", "done", "enum: started, running, completed, failed, cancelled"),
        ("type", "preview", "enum: discover, infer_schema, query, analyze"),
        ("older_than_s", "-1", "minimum: 0"),
        ("older_than_s", "1.5", "type: integer"),
        ("newer_than_s", "soon", "type: integer"),
        ("limit", "0", "minimum: 1"),
        ("limit", "1001", "maximum: 1000"),
        ("limit", "", "type: integer"),
        ("cursor", "0", "minimum: 1"),
        ("cursor", "9007199254740992", "maximum: 9007199254740991"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(service: Service, name: str, value: str, constraint: str) -> None:
    error = refused(service.get("jobs", params={name: value}), 400, "SCHEMA_VIOLATION")

    assert error["details"]["field"] == f"query.{name}"
    assert error["details"]["constraint"] == constraint


def test_a_filter_that_is_not_known_is_refused(service: Service) -> None:
    error = refused(service.get("jobs?state=running"), 400, "SCHEMA_VIOLATION")

    assert error["details"]["field"] == "query.state"
