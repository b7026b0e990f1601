"""With `test_claim.py` and `test_tending.py` the only tests that read Redis keys."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.asyncio import Redis as AsyncRedis

from airpy.errors import CapExceeded, IdempotencyConflict, JobUnavailable, QueueUnavailable
from airpy.jobs import store as module
from airpy.jobs import workers
from airpy.jobs.claim import Claim
from airpy.jobs.record import ResultFrame
from airpy.jobs.scripts import run
from airpy.jobs.store import JobStore
from tests.conftest import database_url, fresh
from tests.jobs.asking import (
    TTL_S,
    WORKER,
    ask,
    cancel,
    get,
    reap,
    retake,
    submission,
    submit,
    take,
    worker_dies,
)
from tests.service import running_redis

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from airpy.contract import JobStatus
    from airpy.jobs.record import Job

SAME: dict[str, Any] = {"request": '{"datasource_id":"energy","uri":"same"}'}
OTHER: dict[str, Any] = {"request": '{"datasource_id":"energy","uri":"other"}'}


def test_a_new_job_is_a_record_a_place_in_line_and_a_call_to_work(
    redis_url: str, client: redis.Redis
) -> None:
    before = time.time() * 1000
    token = submit(redis_url, request="{}", traceparent="00-1-2-03", input="input-1")

    record: Any = client.hgetall(f"airpy:job:{token}")
    created = int(record.pop("created_ms"))

    assert before - 1 <= created <= time.time() * 1000
    assert len(record.pop("digest")) == 64
    assert record == {
        "kind": "discover",
        "status": "started",
        "request": "{}",
        "request_id": "req_1",
        "source": "energy",
        "lane": "short",
        "input": "input-1",
        "traceparent": "00-1-2-03",
        "updated_ms": str(created),
        "ttl_s": "60",
        "attempt": "0",
        "failures": "0",
        "version": "0",
        "fence": "",
    }
    assert client.zrange("airpy:active", 0, -1, withscores=True) == [(str(token), float(created))]
    assert client.zrange("airpy:jobs", 0, -1, withscores=True) == [(str(token), float(token))]
    assert client.zrange("airpy:waiting", 0, -1) == [str(token)]
    assert client.lrange("airpy:lane:short", 0, -1) == ["energy"]
    assert client.lrange("airpy:line:short:energy", 0, -1) == [str(token)]
    assert client.llen("dramatiq:airpy") == client.hlen("dramatiq:airpy.msgs") == 1
    assert client.llen("dramatiq:airpy.wake") == 1


def test_the_queue_may_be_in_another_database(redis_url: str, client: redis.Redis) -> None:
    broker_url = fresh(database_url(redis_url, 2))

    async def submit_and_get(store: JobStore) -> Job:
        token = await store.submit(submission(), 10)
        return await store.get(token)  # over the same connection, which must be back where it was

    job = ask(redis_url, submit_and_get, broker_url)

    with redis.Redis.from_url(broker_url) as queue:
        assert queue.llen("dramatiq:airpy") == 1
        assert queue.exists("airpy:job:1", "airpy:active") == 0
    assert job.status == "started"
    assert client.exists("dramatiq:airpy", "dramatiq:airpy.msgs", "dramatiq:airpy.wake") == 0


def test_calls_to_work_do_not_pile_up_while_no_worker_listens(redis_url: str, client: redis.Redis) -> None:
    async def submit_many(store: JobStore) -> None:
        for _ in range(270):
            await store.submit(submission(), 1000)

    ask(redis_url, submit_many)

    assert client.zcard("airpy:waiting") == 270
    assert client.llen("dramatiq:airpy") == client.hlen("dramatiq:airpy.msgs") == 256
    assert client.llen("dramatiq:airpy.wake") == 32


def test_tokens_count_up_and_survive_a_restart(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url:
        before = [submit(url) for _ in range(3)]
    with running_redis(tmp_path) as url:
        after = submit(url)
        kept = get(url, 2)

    assert before == [1, 2, 3]
    assert after == 4
    assert kept.status == "started"


def test_a_full_queue_takes_nothing(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    submit(redis_url)

    with pytest.raises(CapExceeded) as caught:
        submit(redis_url, most=2)

    assert caught.value.reason == "QUEUE_FULL"
    assert caught.value.retryable
    assert "2 jobs" in caught.value.message
    assert client.get("airpy:token") == "2"
    assert client.zcard("airpy:active") == client.zcard("airpy:jobs") == client.llen("dramatiq:airpy") == 2


def test_the_queue_has_room_again_when_a_job_has_ended(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    take(client).complete("1-1", None)

    assert submit(redis_url, most=1) == 2


def test_a_crowded_redis_takes_no_job_and_goes_on_with_those_it_has(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url, redis.Redis.from_url(url, decode_responses=True) as client:
        token = submit(url)
        used: Any = client.info("memory")
        client.config_set("maxmemory", int(used["used_memory"] / 0.85))

        with pytest.raises(CapExceeded) as crowded:
            submit(url)
        census = ask(url, lambda store: store.census())
        client.config_set("maxmemory", 1)  # now it refuses what takes memory
        with pytest.raises(QueueUnavailable):
            submit(url)
        claim = take(client)
        claim.step("scanning_directory", "all the same")
        run(client, "due")
        completed = claim.complete("1-1", None)

        assert crowded.value.reason == "QUEUE_FULL"
        assert 0.8 < census.memory_share < 1
        assert client.get("airpy:token") == "1"
        assert completed
        job = get(url, token)
        assert (job.status, len(job.steps)) == ("completed", 1)


def test_an_idempotency_key_gives_its_token_again(redis_url: str, client: redis.Redis) -> None:
    first = submit(redis_url, idempotency_key="k1", data="a", **SAME)
    again = submit(redis_url, idempotency_key="k1", data="b", **SAME)  # whatever became of the data
    full = submit(redis_url, most=1, idempotency_key="k1", **SAME)
    take(client).complete("1-1", None)
    ended = submit(redis_url, idempotency_key="k1", **SAME)
    another_key = submit(redis_url, idempotency_key="k2", **SAME)

    assert (first, again, full, ended, another_key) == (1, 1, 1, 1, 2)
    assert client.llen("dramatiq:airpy") == 2
    assert [key for key in client.scan_iter("airpy:key:*") if "k1" in key] == []  # a caller's key may be long
    assert all(0 < int(client.ttl(key)) <= TTL_S for key in client.scan_iter("airpy:key:*"))


@pytest.mark.parametrize("parts", [OTHER, SAME | {"kind": "infer_schema"}], ids=["body", "path"])
def test_an_idempotency_key_is_for_one_request(
    redis_url: str, client: redis.Redis, parts: dict[str, Any]
) -> None:
    submit(redis_url, idempotency_key="k1", **SAME)

    with pytest.raises(IdempotencyConflict) as caught:
        submit(redis_url, idempotency_key="k1", **parts)

    assert caught.value.reason == "IDEMPOTENCY_KEY_REUSED"
    assert "job 1" in caught.value.message
    assert client.zcard("airpy:jobs") == 1


def test_one_key_sent_many_times_at_once_makes_one_job(redis_url: str, client: redis.Redis) -> None:
    def submitted(_: int) -> int:
        return submit(redis_url, idempotency_key="k1", **SAME)

    with ThreadPoolExecutor(8) as threads:
        tokens = list(threads.map(submitted, range(24)))

    assert set(tokens) == {1}
    assert client.zcard("airpy:jobs") == client.zcard("airpy:waiting") == 1


def test_equal_requests_share_one_run_and_all_it_gives(redis_url: str, client: redis.Redis) -> None:
    leader = submit(redis_url, data="a", **SAME)
    early = submit(redis_url, data="a", request_id="req_2", **SAME)
    claim = take(client)
    claim.step("scanning_directory", "for both")
    late = submit(redis_url, data="a", **SAME)
    running = get(redis_url, late)
    lines = client.llen("airpy:line:short:energy"), client.llen("dramatiq:airpy")

    claim.complete(f"{leader}-1", None)

    assert lines == (0, 1)
    assert (running.status, running.leader, running.attempt) == ("running", leader, 1)
    assert [step.message for step in running.steps] == ["for both"]
    ended = [get(redis_url, token) for token in (leader, early, late)]
    assert [job.status for job in ended] == ["completed"] * 3
    assert [job.folder for job in ended] == ["1-1"] * 3
    assert [len(job.steps) for job in ended] == [1, 1, 1]
    assert ended[1].request_id == "req_2"
    assert client.zcard("airpy:active") == 0
    assert all(0 < int(client.ttl(f"airpy:job:{token}")) <= TTL_S for token in (leader, early, late))
    assert client.exists(f"airpy:followers:{leader}", "airpy:twins") == 0


def test_a_followers_version_grows_with_its_leader(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url, data="a", **SAME)
    follower = submit(redis_url, data="a", **SAME)
    versions = [get(redis_url, follower).version]
    claim = take(client)
    versions.append(get(redis_url, follower).version)
    for _ in range(3):
        claim.step("scanning_directory", "one more")
        versions.append(get(redis_url, follower).version)
    claim.complete("1-1", None)
    versions.append(get(redis_url, follower).version)

    assert versions == sorted(set(versions))


def test_equal_requests_share_an_error_and_each_names_its_own(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url, data="a", **SAME)
    follower = submit(redis_url, data="a", request_id="req_2", **SAME)

    take(client).fail({"code": "IO_ERROR", "message": "gone", "request_id": "req_1"}, dead=False)

    job = get(redis_url, follower)
    assert job.status == "failed"
    assert job.error == {"code": "IO_ERROR", "message": "gone", "request_id": "req_2"}


@pytest.mark.parametrize(
    ("first", "second", "begun", "joined"),
    [
        ({"data": "a"}, {"data": "a"}, False, True),
        ({"data": "a"}, {"data": "a"}, True, True),
        ({"data": "a"}, {"data": "b"}, False, False),
        ({"data": "a"}, {"data": None}, False, False),
        ({"data": None}, {"data": None}, False, True),
        ({"data": None}, {"data": None}, True, False),
        ({"data": "a"}, {"data": "a", "kind": "infer_schema"}, False, False),
        ({"data": "a"}, {"data": "a"} | OTHER, False, False),
    ],
    ids=[
        "waiting",
        "running",
        "the data changed",
        "the data are unknown",
        "unknown data, not begun",
        "unknown data, begun",
        "another kind",
        "another request",
    ],
)
def test_a_request_joins_only_work_that_will_see_the_same_data(
    redis_url: str,
    client: redis.Redis,
    first: dict[str, Any],
    second: dict[str, Any],
    *,
    begun: bool,
    joined: bool,
) -> None:
    leader = submit(redis_url, **SAME | first)
    if begun:
        take(client)

    token = submit(redis_url, **SAME | second)

    assert get(redis_url, token).leader == (leader if joined else None)
    assert client.zcard("airpy:waiting") == (0 if begun else 1) + (0 if joined else 1)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_nothing_joins_work_that_has_ended(redis_url: str, client: redis.Redis, status: JobStatus) -> None:
    token = submit(redis_url, data="a", **SAME)
    end(redis_url, take(client), status)

    assert get(redis_url, submit(redis_url, data="a", **SAME)).leader is None
    assert get(redis_url, token).status == status


def end(url: str, claim: Claim, status: JobStatus) -> None:
    """End a job that runs."""
    match status:
        case "completed":
            claim.complete(f"{claim.token}-{claim.attempt}", None)
        case "failed":
            claim.fail({"code": "TIMEOUT"}, dead=False)
        case _:
            cancel(url, claim.token)


def test_the_end_of_older_work_does_not_hide_newer(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url, **SAME)
    older = take(client)
    newer = submit(redis_url, **SAME)
    older.complete("1-1", None)

    assert get(redis_url, submit(redis_url, **SAME)).leader == newer


def test_a_waiting_job_is_cancelled(redis_url: str, client: redis.Redis) -> None:
    cancelled, other = submit(redis_url), submit(redis_url)

    cancel(redis_url, cancelled)

    assert get(redis_url, cancelled).status == "cancelled"
    assert 0 < int(client.ttl(f"airpy:job:{cancelled}")) <= TTL_S
    assert client.zrange("airpy:waiting", 0, -1) == [str(other)]
    assert take(client).token == other
    assert Claim.take(client, WORKER, long_too=True) is None
    assert ask(redis_url, lambda store: store.counters()) == {"ended:discover:cancelled": 1}


def test_the_last_waiting_job_of_a_source_takes_its_turn_with_it(redis_url: str, client: redis.Redis) -> None:
    cancel(redis_url, submit(redis_url, source="one"))
    other = submit(redis_url, source="two")

    assert client.lrange("airpy:lane:short", 0, -1) == ["two"]
    assert take(client).token == other


def test_a_running_job_is_cancelled_and_its_worker_told(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    claim = take(client)

    cancel(redis_url, token)
    claim.step("scanning_directory", "too late")

    assert claim.watch.stop.is_set()
    assert not claim.complete("1-1", None)
    job = get(redis_url, token)
    assert (job.status, job.steps, job.folder) == ("cancelled", (), None)
    assert client.zcard("airpy:leases") == client.zcard("airpy:active") == 0


def test_a_job_that_pauses_is_cancelled(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    take(client).release(0, failed=True)

    cancel(redis_url, token)

    assert run(client, "due") == 0
    assert Claim.take(client, WORKER, long_too=True) is None
    assert get(redis_url, token).status == "cancelled"


def test_a_cancelled_follower_leaves_the_others_be(redis_url: str, client: redis.Redis) -> None:
    leader = submit(redis_url, data="a", **SAME)
    one, two = (submit(redis_url, data="a", **SAME) for _ in range(2))
    claim = take(client)

    cancel(redis_url, one)
    claim.complete("1-1", None)

    assert [get(redis_url, token).status for token in (leader, one, two)] == [
        "completed",
        "cancelled",
        "completed",
    ]
    assert get(redis_url, one).folder is None


def test_the_work_of_a_cancelled_job_goes_on_for_those_that_follow_it(
    redis_url: str, client: redis.Redis
) -> None:
    leader = submit(redis_url, data="a", **SAME)
    follower = submit(redis_url, data="a", **SAME)
    claim = take(client)

    cancel(redis_url, leader)
    cancel(redis_url, leader)  # once is enough
    claim.step("scanning_directory", "for the follower")
    joined = submit(redis_url, data="a", **SAME)
    seen = get(redis_url, leader), get(redis_url, follower)
    claim.complete("1-1", None)

    assert not claim.watch.stop.is_set()
    assert [job.status for job in seen] == ["cancelled", "running"]
    assert [get(redis_url, token).status for token in (leader, follower, joined)] == [
        "cancelled",
        "completed",
        "completed",
    ]
    assert get(redis_url, leader).folder is None
    assert 0 < int(client.ttl(f"airpy:job:{leader}")) <= TTL_S


def test_work_goes_on_while_one_still_wants_it(redis_url: str, client: redis.Redis) -> None:
    leader = submit(redis_url, data="a", **SAME)
    one, two = (submit(redis_url, data="a", **SAME) for _ in range(2))
    claim = take(client)

    cancel(redis_url, leader)
    cancel(redis_url, one)

    assert claim.complete("1-1", None)
    assert get(redis_url, two).status == "completed"


def test_work_that_nobody_wants_any_more_is_stopped(redis_url: str, client: redis.Redis) -> None:
    leader = submit(redis_url, data="a", **SAME)
    followers = [submit(redis_url, data="a", **SAME) for _ in range(2)]
    claim = take(client)

    for token in (leader, *followers):
        cancel(redis_url, token)
    claim.step("scanning_directory", "too late")

    assert claim.watch.stop.is_set()
    assert [get(redis_url, token).status for token in (leader, *followers)] == ["cancelled"] * 3
    assert client.zcard("airpy:leases") == client.zcard("airpy:active") == 0
    assert ask(redis_url, lambda store: store.counters()) == {"ended:discover:cancelled": 3}


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_job_that_has_ended_is_not_cancelled(
    redis_url: str, client: redis.Redis, status: JobStatus
) -> None:
    token = submit(redis_url)
    end(redis_url, take(client), status)
    before = client.hgetall(f"airpy:job:{token}")

    cancel(redis_url, token)

    assert client.hgetall(f"airpy:job:{token}") == before


@pytest.mark.parametrize("question", ["get", "cancel"])
def test_an_expired_token_is_told_from_one_never_issued(
    redis_url: str, client: redis.Redis, question: str
) -> None:
    token = submit(redis_url, ttl_s=1)
    take(client).complete("1-1", None)
    time.sleep(1.1)

    with pytest.raises(JobUnavailable) as expired:
        ask(redis_url, lambda store: getattr(store, question)(token))
    with pytest.raises(JobUnavailable) as unknown:
        ask(redis_url, lambda store: getattr(store, question)(token + 1))

    assert expired.value.reason == "JOB_EXPIRED"
    assert unknown.value.reason == "JOB_NOT_FOUND"
    assert unknown.value.message == "there is no job 2; the last token issued is 1"


def test_before_the_first_job_every_token_is_unknown(redis_url: str) -> None:
    with pytest.raises(JobUnavailable) as caught:
        get(redis_url, 1)

    assert caught.value.reason == "JOB_NOT_FOUND"


def test_a_follower_outlives_the_record_of_its_leader(redis_url: str, client: redis.Redis) -> None:
    leader = submit(redis_url, data="a", ttl_s=1, **SAME)
    follower = submit(redis_url, data="a", **SAME)
    take(client).complete("1-1", None)
    client.delete(f"airpy:job:{leader}")

    job = get(redis_url, follower)

    assert (job.status, job.folder, job.steps) == ("completed", "1-1", ())


class EndsMeanwhile(AsyncRedis):
    """A client between whose first two looks a job ends."""

    claim: Claim | None = None

    async def hgetall(self, name: Any) -> Any:
        """The hash, before the job ends."""
        fields = await super().hgetall(name)
        if self.claim is not None:
            self.claim.complete("1-1", None)
            self.claim = None
        return fields


def test_a_follower_that_ends_between_two_looks_is_seen_ended(redis_url: str, client: redis.Redis) -> None:
    """Its leader's state without its own result would be a completed job that has none."""
    submit(redis_url, data="a", **SAME)
    follower = submit(redis_url, data="a", **SAME)
    claim = take(client)

    async def seen() -> Job:
        racing = EndsMeanwhile.from_url(redis_url, decode_responses=True)
        assert isinstance(racing, EndsMeanwhile)
        async with racing:
            racing.claim = claim
            return await JobStore(racing, redis_url, redis_url).get(follower)

    job = asyncio.run(seen())

    assert (job.status, job.folder) == ("completed", "1-1")


def listed(
    url: str, below: int | None, limit: int, wanted: Callable[[Job], bool]
) -> tuple[list[int], int | None]:
    """The tokens of a page, and where the next begins."""
    jobs, cursor = ask(url, lambda store: store.page(below, wanted, limit))
    return [job.token for job in jobs], cursor


def test_jobs_are_listed_from_the_newest_in_pages(redis_url: str, client: redis.Redis) -> None:
    for source in ("one", "two") * 3:
        submit(redis_url, source=source)
    client.delete("airpy:job:5")  # expired

    def everything(_: Job) -> bool:
        return True

    assert listed(redis_url, None, 2, everything) == ([6, 4], 4)
    assert listed(redis_url, 4, 2, everything) == ([3, 2], 2)
    assert listed(redis_url, 2, 2, everything) == ([1], None)
    assert listed(redis_url, 1, 2, everything) == ([], None)
    assert listed(redis_url, None, 9, lambda job: job.source == "one") == ([3, 1], None)


def test_a_page_is_searched_for_through_jobs_without_end(redis_url: str) -> None:
    async def submit_many(store: JobStore) -> None:
        for number in range(405):
            await store.submit(submission(source="rare" if number in {0, 200} else "common"), 1000)

    ask(redis_url, submit_many)

    assert listed(redis_url, None, 9, lambda job: job.source == "rare") == ([201, 1], None)


def test_a_search_that_finds_nothing_is_given_up_and_can_go_on(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LISTED_AT_ONCE", 2)
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 4)
    for source in ("rare", *("common",) * 5):
        submit(redis_url, source=source)

    def rare(job: Job) -> bool:
        return job.source == "rare"

    assert listed(redis_url, None, 9, rare) == ([], 3)
    assert listed(redis_url, 3, 9, rare) == ([1], None)


def test_followers_are_listed_as_their_leaders_stand(redis_url: str, client: redis.Redis) -> None:
    same = SAME | {"data": "a"}
    for _ in range(3):
        submit(redis_url, **same)
    take(client).step("scanning_directory", "for all")
    cancel(redis_url, 3)

    def everything(_: Job) -> bool:
        return True

    running, _ = ask(redis_url, lambda store: store.page(None, everything, 9))
    client.delete("airpy:job:1")
    alone, _ = ask(redis_url, lambda store: store.page(None, everything, 9))

    assert [(job.token, job.status, len(job.steps)) for job in running] == [
        (3, "cancelled", 1),
        (2, "running", 1),
        (1, "running", 1),
    ]
    assert [(job.token, job.status, len(job.steps)) for job in alone] == [
        (3, "cancelled", 0),
        (2, "started", 0),
    ]


def test_what_an_idempotency_key_gave_is_known(redis_url: str) -> None:
    submit(redis_url)
    token = submit(redis_url, idempotency_key="k1", **SAME)

    async def known(store: JobStore) -> list[int | None]:
        return [await store.known(key, "discover", SAME["request"]) for key in ("k1", "k2")]

    with pytest.raises(IdempotencyConflict) as caught:
        ask(redis_url, lambda store: store.known("k1", "discover", OTHER["request"]))

    assert ask(redis_url, known) == [token, None]
    assert "job 2" in caught.value.message


def test_the_census_counts_jobs_and_the_slots_of_living_workers(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    submit(redis_url)
    take(client)
    workers.report(client, 2)
    client.zadd("airpy:workers", {"host:2:4": time.time(), "host:4:16": time.time() - 16})

    census = ask(redis_url, lambda store: store.census())

    assert census[:4] == (3, 2, 1, 6)
    assert census.redis_version[0].isdecimal()
    assert census.memory_share == 0


def test_the_census_of_an_empty_redis(redis_url: str) -> None:
    assert ask(redis_url, lambda store: store.census())[:4] == (1, 0, 0, 0)


def test_jobs_that_have_not_ended_are_listed_the_oldest_first(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    take(client).complete("1-1", None)
    submit(redis_url, data="a", **SAME)
    take(client)
    submit(redis_url, data="a", **SAME)
    submit(redis_url)

    jobs = ask(redis_url, lambda store: store.active())

    assert [(job.token, job.status, job.leader) for job in jobs] == [
        (2, "running", None),
        (3, "running", 2),
        (4, "started", None),
    ]


def test_dead_letters_are_kept_shown_and_dropped(redis_url: str, client: redis.Redis) -> None:
    for number in (1, 2, 3):
        submit(redis_url, request=f'{{"n":{number}}}', lane="long", input="input-1", request_id=f"r{number}")
        retake(client, take(client)).fail({"code": "INTERNAL_ERROR", "n": number}, dead=number != 2)

    letters, more = ask(redis_url, lambda store: store.dead_letters(None, 100))
    letter = ask(redis_url, lambda store: store.dead_letter(3))
    ask(redis_url, lambda store: store.drop_dead_letter(3))
    left, _ = ask(redis_url, lambda store: store.dead_letters(None, 100))

    assert ([one.token for one in letters], more) == ([3, 1], None)
    assert letters[0] == letter
    died_ms = letter.died_ms
    assert abs(died_ms - time.time() * 1000) < 60_000
    assert letter == (
        3,
        "discover",
        '{"n":3}',
        "r3",
        "energy",
        "long",
        "input-1",
        2,
        died_ms,
        {"code": "INTERNAL_ERROR", "n": 3},
    )
    assert [one.token for one in left] == [1]
    assert client.keys("airpy:dead:*") == ["airpy:dead:1"]
    assert 0 < int(client.ttl("airpy:dead:1")) <= 7 * 86_400


def test_a_dead_letter_that_is_gone_is_not_listed(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    take(client).fail({"code": "INTERNAL_ERROR"}, dead=True)
    client.delete("airpy:dead:1")

    with pytest.raises(JobUnavailable) as caught:
        ask(redis_url, lambda store: store.dead_letter(1))

    assert caught.value.reason == "NO_DEAD_LETTER"
    assert ask(redis_url, lambda store: store.dead_letters(None, 100)) == ([], None)


def test_the_job_of_a_dead_letter_failed_too(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    claim = take(client)
    worker_dies(client, claim.token)

    (spent,) = reap(client, most_failures=1)
    spent.fail({"code": "INTERNAL_ERROR"}, dead=True)

    assert get(redis_url, token).status == "failed"


def test_the_pace_of_each_kind_is_an_average_of_its_last_runs(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    claim = take(client)
    run(client, "finish", claim.token, claim.fence, "completed", 2000, "", 0, "folder", "1-1")
    submit(redis_url)
    claim = take(client)
    run(client, "finish", claim.token, claim.fence, "completed", 4000, "", 0, "folder", "2-1")
    submit(redis_url, kind="query")
    take(client).fail({"code": "TIMEOUT"}, dead=False)  # tells nothing of how long a run takes

    # 0.9 × 2 s + 0.1 × 4 s
    assert ask(redis_url, lambda store: store.paces()) == {"discover": pytest.approx(2.2)}


@pytest.mark.parametrize(
    "question",
    [
        lambda store: store.submit(submission(), 10),
        lambda store: store.known("k1", "discover", "{}"),
        lambda store: store.get(1),
        lambda store: store.cancel(1),
        lambda store: store.page(None, lambda _: True, 10),
        lambda store: store.census(),
        lambda store: store.paces(),
        lambda store: store.active(),
        lambda store: store.counters(),
        lambda store: store.dead_letters(None, 100),
        lambda store: store.dead_letter(1),
        lambda store: store.drop_dead_letter(1),
    ],
)
def test_without_redis_the_queue_is_unavailable(question: Callable[[JobStore], Awaitable[Any]]) -> None:
    with pytest.raises(QueueUnavailable) as caught:
        ask("unix:///nowhere/redis.sock", question)

    assert caught.value.retryable
    assert "nowhere" not in caught.value.message


def test_a_frame_is_read_back_by_followers_too(redis_url: str, client: redis.Redis) -> None:
    frame = ResultFrame("arrow", 3, "c2NoZW1h", "sha256:00")
    submit(redis_url, data="a", **SAME)
    follower = submit(redis_url, data="a", **SAME)

    take(client).complete("1-1", frame)

    assert get(redis_url, follower).frame == frame
    assert json.loads(str(client.hget(f"airpy:job:{follower}", "frame"))) == list(frame)
