from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from airpy.jobs.claim import LEASE_MS, Claim, renew
from airpy.jobs.record import ResultFrame
from airpy.jobs.scripts import run
from airpy.jobs.work import Work
from tests.jobs.asking import TTL_S, WORKER, ask, cancel, get, reap, retake, submit, take, worker_dies

if TYPE_CHECKING:
    import redis


def now_ms(client: redis.Redis) -> int:
    """The time by Redis's clock."""
    seconds, microseconds = client.time()
    return int(seconds * 1000 + microseconds // 1000)


def test_a_claim_begins_an_attempt(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url, request="{}", input="input-1", traceparent="00-1-2-03", lane="long")

    claim = take(client)

    assert (claim.token, claim.attempt, claim.failures, claim.kind) == (token, 1, 0, "discover")
    assert (claim.request, claim.request_id, claim.lane) == ("{}", "req_1", "long")
    assert 0 <= now_ms(client) - claim.asked_at.timestamp() * 1000 < 60_000
    assert (claim.input, claim.traceparent, claim.last_step) == ("input-1", "00-1-2-03", None)
    assert (get(redis_url, token).status, get(redis_url, token).attempt) == ("running", 1)
    assert client.hget(f"airpy:job:{token}", "worker") == WORKER
    assert client.zcard("airpy:waiting") == 0
    lease = client.zscore("airpy:leases", str(token))
    assert lease is not None
    assert 0 < lease - now_ms(client) <= LEASE_MS


def test_nothing_is_claimed_when_nothing_is_in_line(client: redis.Redis) -> None:
    assert Claim.take(client, WORKER, long_too=True) is None
    assert client.keys("*") == ["airpy:turn"]


def test_no_job_is_claimed_twice(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    take(client)

    assert Claim.take(client, WORKER, long_too=True) is None


def test_jobs_of_one_source_are_begun_in_the_order_they_came(redis_url: str, client: redis.Redis) -> None:
    tokens = [submit(redis_url) for _ in range(3)]

    assert [take(client).token for _ in range(3)] == tokens


def test_data_sources_take_turns(redis_url: str, client: redis.Redis) -> None:
    for source in ("busy", "busy", "busy", "busy", "rare", "other", "other"):
        submit(redis_url, source=source)

    taken = [take(client).token for _ in range(7)]

    # Of 1-4 busy, 5 rare, 6-7 other.
    assert taken == [1, 5, 6, 2, 7, 3, 4]


def test_short_jobs_go_first_and_every_fourth_turn_is_a_long_ones(
    redis_url: str, client: redis.Redis
) -> None:
    for lane in ("long", "long", "short", "short", "short", "short", "short", "short"):
        submit(redis_url, lane=lane)

    lanes = [take(client).lane[0] for _ in range(8)]

    assert "".join(lanes) == "sssl" + "sssl"


@pytest.mark.parametrize("lane", ["short", "long"])
def test_no_turn_is_left_out_for_a_lane_that_is_empty(redis_url: str, client: redis.Redis, lane: str) -> None:
    tokens = [submit(redis_url, lane=lane) for _ in range(6)]

    assert [take(client).token for _ in range(6)] == tokens


def test_a_slot_that_is_kept_for_short_jobs_takes_no_long_one(redis_url: str, client: redis.Redis) -> None:
    long = submit(redis_url, lane="long")
    short = submit(redis_url, lane="short")

    taken = [Claim.take(client, WORKER, long_too=False) for _ in range(5)]

    assert [claim and claim.token for claim in taken] == [short, None, None, None, None]
    assert take(client).token == long


def test_a_job_that_was_given_back_goes_to_the_head_of_its_line(redis_url: str, client: redis.Redis) -> None:
    first, second = submit(redis_url), submit(redis_url)
    take(client).release(0, failed=False)
    run(client, "due")

    assert [take(client).token, take(client).token] == [first, second]


def test_jobs_that_a_worker_died_under_go_first(redis_url: str, client: redis.Redis) -> None:
    """So that its neighbours, which died with it, need not wait again."""
    long = submit(redis_url, lane="long")
    worker_dies(client, take(client).token)
    short, other = submit(redis_url), submit(redis_url)
    reap(client)

    claims = [take(client) for _ in range(3)]

    assert [claim.token for claim in claims] == [long, short, other]
    assert [claim.suspect for claim in claims] == [True, False, False]


def test_a_suspect_waits_where_none_may_begin(redis_url: str, client: redis.Redis) -> None:
    suspect = submit(redis_url)
    worker_dies(client, take(client).token)
    reap(client)
    other = submit(redis_url)

    taken = [Claim.take(client, WORKER, long_too=True, suspect_too=False) for _ in range(2)]

    assert [claim and claim.token for claim in taken] == [other, None]
    assert take(client).token == suspect


def test_a_suspect_that_is_cancelled_leaves_its_line(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    worker_dies(client, take(client).token)
    reap(client)

    cancel(redis_url, token)

    assert Claim.take(client, WORKER, long_too=True) is None
    assert client.keys("airpy:l*") == []


def test_steps_are_recorded_in_order(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    claim = take(client)

    for number in range(12):
        claim.step(f"step_{number}", f"message {number}")

    steps = get(redis_url, token).steps
    durations = [step.duration_ms for step in steps]
    assert [step.step for step in steps] == [f"step_{number}" for number in range(12)]
    assert steps[11].message == "message 11"
    assert durations == sorted(durations)
    assert all(abs(step.timestamp_ms - time.time() * 1000) < 60_000 for step in steps)
    assert claim.last_step == "step_11"


def test_a_step_written_twice_is_there_once(redis_url: str, client: redis.Redis) -> None:
    """A client that lost the answer to its first try writes again."""
    token = submit(redis_url)
    claim = take(client)

    for _ in range(2):
        run(client, "step", claim.token, claim.fence, 0, "scanning_directory", "once")

    assert [step.message for step in get(redis_url, token).steps] == ["once"]


def test_steps_of_two_attempts_are_told_apart(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    first = take(client)
    first.step("scanning_directory", "first")
    first.step("files_found", "first")
    retake(client, first).step("scanning_directory", "second")

    steps = get(redis_url, token).steps

    assert [(step.attempt, step.step, step.message) for step in steps] == [
        (1, "scanning_directory", "first"),
        (1, "files_found", "first"),
        (2, "scanning_directory", "second"),
    ]
    assert steps[2].duration_ms >= steps[1].duration_ms  # since the job was first begun


def test_what_a_stale_attempt_writes_is_dropped(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    stale = take(client)
    current = retake(client, stale)
    before = client.hgetall(f"airpy:job:{token}"), client.zscore("airpy:leases", str(token))
    stale.watch.peak_mb = 77

    stale.step("scanning_directory", "late")
    told = stale.watch.stop.is_set()
    stale.watch.stop.clear()
    renew(client, [stale])
    written = [
        stale.complete("1-1", None),
        stale.fail({"code": "IO_ERROR"}, dead=True),
        stale.release(0, failed=True),
    ]

    assert told
    assert stale.watch.stop.is_set()
    assert written == [False, False, False]
    assert (client.hgetall(f"airpy:job:{token}"), client.zscore("airpy:leases", str(token))) == before
    assert client.exists("airpy:dead", "airpy:delayed", "airpy:counters", "airpy:pace") == 0
    assert current.complete("1-2", None)
    assert get(redis_url, token).folder == "1-2"


def test_an_attempt_whose_job_went_back_in_line_owns_it_no_more(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    stale = take(client)
    worker_dies(client, stale.token)
    reap(client)

    stale.step("scanning_directory", "late")

    assert stale.watch.stop.is_set()
    assert not stale.complete("1-1", None)
    assert take(client).attempt == 2


def test_a_completed_job_has_its_result(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    frame = ResultFrame("arrow", 3, "c2NoZW1h", "sha256:00")

    assert take(client).complete("1-1", frame)

    job = get(redis_url, token)
    assert (job.status, job.folder, job.frame, job.error) == ("completed", "1-1", frame, None)
    assert job.expires_ms == job.updated_ms + TTL_S * 1000


@pytest.mark.parametrize("dead", [False, True])
def test_a_failed_job_has_its_error(redis_url: str, client: redis.Redis, *, dead: bool) -> None:
    token = submit(redis_url)

    assert take(client).fail({"code": "IO_ERROR", "message": "gone"}, dead=dead)

    job = get(redis_url, token)
    assert (job.status, job.folder, job.frame) == ("failed", None, None)
    assert job.error == {"code": "IO_ERROR", "message": "gone"}
    assert client.zcard("airpy:dead") == int(dead)


@pytest.mark.parametrize("first", ["completed", "failed", "cancelled"])
def test_a_job_that_has_ended_never_changes(redis_url: str, client: redis.Redis, first: str) -> None:
    token = submit(redis_url)
    claim = take(client)
    if first == "completed":
        claim.complete("1-1", None)
    elif first == "failed":
        claim.fail({"code": "TIMEOUT"}, dead=False)
    else:
        cancel(redis_url, token)
    before = client.hgetall(f"airpy:job:{token}")

    claim.step("files_found", "too late")
    renew(client, [claim])
    worker_dies(client, claim.token)  # as if a lease were left
    again = [
        claim.complete("other", None),
        claim.fail({"code": "IO_ERROR"}, dead=False),
        claim.release(0, failed=True),
    ]

    assert again == [False, False, False]
    assert reap(client, most_failures=1) == []
    assert Claim.take(client, WORKER, long_too=True) is None
    assert client.hgetall(f"airpy:job:{token}") == before
    assert get(redis_url, token).status == first


def test_a_record_lives_until_its_time_after_the_end(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    claim = take(client)
    while_it_runs = client.ttl(f"airpy:job:{token}")

    claim.complete("1-1", None)

    assert while_it_runs == -1
    assert 0 < int(client.ttl(f"airpy:job:{token}")) <= TTL_S
    assert client.zcard("airpy:active") == client.zcard("airpy:leases") == 0


@pytest.mark.parametrize(("failed", "failures"), [(True, 1), (False, 0)])
def test_a_job_given_back_is_begun_again_after_its_pause(
    redis_url: str, client: redis.Redis, *, failed: bool, failures: int
) -> None:
    token = submit(redis_url)
    claim = take(client)

    released = claim.release(60_000, failed=failed)
    early = run(client, "due")
    due_ms = client.zscore("airpy:delayed", str(token))
    client.zadd("airpy:delayed", {str(token): 0})
    late = run(client, "due")

    assert (released, early, late) == (True, 0, 1)
    assert due_ms is not None
    assert 0 < due_ms - now_ms(client) <= 60_000
    assert client.zcard("airpy:leases") == client.zcard("airpy:delayed") == 0
    again = take(client)
    assert (again.token, again.attempt, again.failures) == (token, 2, failures)


def test_a_lost_lease_is_told_to_its_attempt_alone(redis_url: str, client: redis.Redis) -> None:
    """Also where one worker has both: it had lost the job, and claimed it anew."""
    submit(redis_url)
    stale = take(client)
    current = retake(client, stale)
    submit(redis_url)
    other = take(client)
    client.zadd("airpy:leases", {"1": 1, "2": 1})

    renew(client, [other, stale, current])

    assert [claim.watch.stop.is_set() for claim in (other, stale, current)] == [False, True, False]
    leases = [client.zscore("airpy:leases", token) or 0 for token in ("1", "2")]
    assert all(0 < lease - now_ms(client) <= LEASE_MS for lease in leases)


def test_what_a_job_uses_and_has_done_is_told_with_its_lease(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    claim = take(client)
    claim.watch.peak_mb, claim.watch.work = 123.4, Work(3, 8, "files")

    renew(client, [claim])

    job = get(redis_url, token)
    assert (job.work, job.progress) == (Work(3, 8, "files"), 0.375)
    assert client.hget(f"airpy:job:{token}", "peak_mb") == "123"


def test_a_completed_job_has_all_its_work_done(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    claim = take(client)
    claim.watch.work = Work(3, 8, "files")
    renew(client, [claim])
    claim.watch.work = Work(8, 8, "files")

    claim.complete("1-1", None)

    assert get(redis_url, token).work == Work(8, 8, "files")


def test_those_who_wait_are_told_of_progress_and_not_of_every_renewal(
    redis_url: str, client: redis.Redis
) -> None:
    token = submit(redis_url)
    claim = take(client)
    renew(client, [claim])
    before = get(redis_url, token).version

    renew(client, [claim])
    claim.watch.peak_mb = 50
    renew(client, [claim])
    unchanged = get(redis_url, token).version
    claim.watch.work = Work(1, 2, "files")
    renew(client, [claim])

    assert unchanged == before
    assert get(redis_url, token).version == before + 1


def test_renewing_nothing_is_no_fault(client: redis.Redis) -> None:
    renew(client, [])

    assert client.keys("*") == []


def test_every_change_is_told_on_the_channel_to_followers_too(redis_url: str, client: redis.Redis) -> None:
    same: dict[str, Any] = {"request": "{}", "data": "a"}
    leader, follower = submit(redis_url, **same), submit(redis_url, **same)
    with client.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
        channel.subscribe("airpy:changes")
        channel.get_message(timeout=5)
        claim = take(client)
        claim.step("scanning_directory", "one")
        claim.release(0, failed=False)
        run(client, "due")
        take(client).complete("1-2", None)
        client.publish("airpy:changes", "the end")
        told = list(iter(lambda: channel.get_message(timeout=30)["data"], "the end"))

    both = [str(leader), str(follower)]
    # Claimed, a step, given back, claimed again; then each of them has ended.
    assert told[:8] == both * 4
    assert sorted(told[8:]) == both


def test_the_end_of_a_job_is_counted(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url, kind="query")
    claim = take(client)
    claim.watch.peak_mb = 100
    claim.complete("1-1", None)
    submit(redis_url, kind="query")
    take(client).fail({"code": "TIMEOUT"}, dead=False)

    counters = ask(redis_url, lambda store: store.counters())

    assert counters["ended:query:completed"] == counters["ended:query:failed"] == 1
    assert counters["wait:query:+Inf"] == counters["run:query:+Inf"] == counters["memory:query:+Inf"] == 2
    assert (counters["memory:query:64"], counters["memory:query:128"]) == (1, 2)
    assert counters["memory:query:sum"] == 100
    assert client.hkeys("airpy:pace") == ["query"]


def test_the_time_in_line_ends_when_the_job_is_first_begun(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    client.hincrby("airpy:job:1", "created_ms", -2000)
    first = take(client)
    client.hincrby("airpy:job:1", "began_ms", -500)

    again = retake(client, first)

    assert 2000 <= first.waited_ms < 12_000
    assert again.waited_ms == first.waited_ms - 500


def test_children_that_signals_ended_are_counted(redis_url: str, client: redis.Redis) -> None:
    submit(redis_url)
    claim = take(client)

    claim.count_exit("SIGSEGV")
    claim.count_exit("SIGSEGV")

    assert ask(redis_url, lambda store: store.counters()) == {"exit:SIGSEGV": 2}


def test_what_a_dead_attempt_left_is_known_to_whoever_ends_the_job(
    redis_url: str, client: redis.Redis
) -> None:
    submit(redis_url)
    first = take(client)
    for number in range(11):
        first.step(f"step_{number}", "the first attempt went further")
    second = retake(client, first)
    second.step("scanning_directory", "…")
    second.step("files_found", "…")
    second.watch.peak_mb = 200
    renew(client, [second])
    worker_dies(client, second.token)

    (spent,) = reap(client, most_failures=2)

    assert (spent.attempt, spent.failures, spent.last_step, spent.watch.peak_mb) == (2, 2, "files_found", 200)


def test_followers_end_with_the_dead(redis_url: str, client: redis.Redis) -> None:
    same: dict[str, Any] = {"request": "{}", "data": "a"}
    tokens = [submit(redis_url, **same) for _ in range(3)]
    worker_dies(client, take(client).token)

    (spent,) = reap(client, most_failures=1)
    spent.fail({"code": "INTERNAL_ERROR"}, dead=True)

    assert [get(redis_url, token).status for token in tokens] == ["failed"] * 3
    assert client.zrange("airpy:dead", 0, -1) == ["1"]
    assert json.loads(str(client.hget("airpy:dead:1", "error"))) == {"code": "INTERNAL_ERROR"}
