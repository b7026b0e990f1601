from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.asyncio import Redis as AsyncRedis

from airpy.errors import JobUnavailable, QueueUnavailable
from airpy.jobs import changes as module
from airpy.jobs.changes import Changes
from airpy.jobs.store import JobStore
from tests.jobs.asking import submission, submit, take
from tests.service import running_redis, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from airpy.jobs.record import Job

SOON_S = 10.0
"""Sooner than a change would be found that was not told."""


@contextlib.asynccontextmanager
async def following(url: str, *, listening: bool = True) -> AsyncIterator[tuple[Changes, JobStore]]:
    """Changes over the database, listened to as a server does."""
    async with contextlib.AsyncExitStack() as stack:
        client, ears = (AsyncRedis.from_url(url, decode_responses=True, retry=None) for _ in range(2))
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(ears.aclose)
        store = JobStore(client, url, url)
        changes = Changes(ears, store)
        if listening:
            await stack.enter_async_context(changes.running())
            await asyncio.to_thread(wait_until, partial(listened_to, url))
        yield changes, store


def listened_to(url: str) -> bool:
    """Whether somebody listens for changes."""
    with redis.Redis.from_url(url) as client:
        return bool(client.pubsub_numsub("airpy:changes")[0][1])


async def seen(changes: Changes, token: int) -> list[Job]:
    """Every state of the job that its follower sees."""
    async with asyncio.timeout(SOON_S):
        return [job async for job in changes.follow(token)]


def looks(client: redis.Redis) -> int:
    """How often a record was looked at, by Redis's own count."""
    counts = client.info("commandstats")
    return int(counts.get("cmdstat_hgetall", {"calls": 0})["calls"])


def test_a_job_is_seen_now_and_at_every_change_until_it_has_ended(
    redis_url: str, client: redis.Redis
) -> None:
    token = submit(redis_url)

    async def followed() -> list[Job]:
        states = []
        async with following(redis_url) as (changes, _), asyncio.timeout(SOON_S):
            async for job in changes.follow(token):
                states.append(job)
                match len(states):
                    case 1:
                        claims.append(take(client))
                    case 2 | 3:
                        claims[0].step("scanning_directory", f"step {len(states)}")
                    case 4:
                        claims[0].complete("1-1", None)
        return states

    claims: list[Any] = []
    states = asyncio.run(followed())

    assert [(job.status, len(job.steps)) for job in states] == [
        ("started", 0),
        ("running", 0),
        ("running", 1),
        ("running", 2),
        ("completed", 2),
    ]


def test_a_job_that_has_ended_is_seen_once(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    take(client).complete("1-1", None)

    async def followed() -> list[Job]:
        async with following(redis_url) as (changes, _):
            return await seen(changes, token)

    assert [job.status for job in asyncio.run(followed())] == ["completed"]


def test_whoever_follows_an_equal_request_sees_its_steps_and_end(redis_url: str, client: redis.Redis) -> None:
    same: dict[str, Any] = {"request": "{}", "data": "a"}
    submit(redis_url, **same)
    token = submit(redis_url, **same)
    claim = take(client)

    async def followed() -> Job:
        async with following(redis_url) as (changes, _):
            watching = asyncio.create_task(seen(changes, token))
            await asyncio.sleep(0.2)
            claim.step("scanning_directory", "for both")
            await asyncio.sleep(0.2)
            claim.complete("1-1", None)
            return (await watching)[-1]

    last = asyncio.run(followed())

    assert (last.token, last.status, last.folder, len(last.steps)) == (token, "completed", "1-1", 1)


def test_no_change_is_missed_however_soon_it_comes(redis_url: str, client: redis.Redis) -> None:
    """Each job is claimed and ended while its follower is just beginning to look."""

    def work() -> None:
        take(client).complete("1-1", None)

    async def followed() -> list[str]:
        ends = []
        async with following(redis_url) as (changes, store):
            for _ in range(60):
                token = await store.submit(submission(), 1000)
                states, _ = await asyncio.gather(seen(changes, token), asyncio.to_thread(work))
                ends.append(states[-1].status)
        return ends

    assert asyncio.run(followed()) == ["completed"] * 60


def test_a_change_before_anyone_listens_is_not_missed(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)

    async def followed() -> list[Job]:
        async with following(redis_url, listening=False) as (changes, _):
            watching = asyncio.create_task(seen(changes, token))
            await asyncio.sleep(0.2)
            take(client).complete("1-1", None)
            async with changes.running():
                return await watching

    assert [job.status for job in asyncio.run(followed())] == ["started", "completed"]


def test_two_hundred_who_wait_cost_one_look_a_change(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    claim = take(client)

    async def followed() -> list[list[Job]]:
        async with following(redis_url) as (changes, _):
            crowd = [asyncio.create_task(seen(changes, token)) for _ in range(200)]
            await asyncio.sleep(0.5)
            for number in range(10):
                await asyncio.to_thread(claim.step, "scanning_directory", f"step {number}")
            await asyncio.to_thread(claim.complete, "1-1", None)
            return await asyncio.gather(*crowd)

    before = looks(client)
    crowd = asyncio.run(followed())

    # One when the first began to follow, one if the listener subscribed only after that, and one for each of
    # 11 changes, or fewer where they came at once.
    assert looks(client) - before <= 13
    assert [(states[-1].status, len(states[-1].steps)) for states in crowd] == [("completed", 10)] * 200


def test_nobody_looks_at_a_job_that_nobody_waits_for_any_more(redis_url: str, client: redis.Redis) -> None:
    token = submit(redis_url)
    claim = take(client)

    async def followed() -> tuple[int, int]:
        async with following(redis_url) as (changes, _):
            two = [changes.follow(token), changes.follow(token)]
            for states in two:
                await anext(states)
            await two[0].aclose()
            await asyncio.to_thread(claim.step, "scanning_directory", "one still waits")
            await anext(two[1])
            await two[1].aclose()
            await asyncio.sleep(0.3)  # a look may have been under way
            before = looks(client)
            await asyncio.to_thread(claim.step, "scanning_directory", "nobody waits")
            await asyncio.sleep(0.3)
            return before, looks(client)

    before, after = asyncio.run(followed())

    assert after == before


def test_a_server_that_stops_lets_everybody_go(redis_url: str) -> None:
    token, other = submit(redis_url), submit(redis_url)

    async def followed() -> list[list[Job]]:
        async with following(redis_url) as (changes, _):
            crowd = [asyncio.create_task(seen(changes, token)) for _ in range(3)]
            await asyncio.sleep(0.2)
            changes.let_go()
            return [*await asyncio.gather(*crowd), await seen(changes, other)]

    waits = asyncio.run(followed())

    assert [[job.status for job in states] for states in waits[:3]] == [["started"]] * 3
    assert len(waits[3]) <= 1  # a newcomer does not wait either


def test_a_token_that_never_was_has_nothing_to_follow(redis_url: str) -> None:
    async def followed() -> None:
        async with following(redis_url) as (changes, _):
            for _ in range(2):
                with pytest.raises(JobUnavailable):
                    await seen(changes, 7)

    asyncio.run(followed())


def test_without_redis_nothing_can_be_followed_and_listening_goes_on() -> None:
    async def followed() -> None:
        async with (
            following("unix:///nowhere/redis.sock", listening=False) as (changes, _),
            changes.running(),
        ):
            await asyncio.sleep(0.5)  # two tries to subscribe
            with pytest.raises(QueueUnavailable):
                await seen(changes, 7)

    asyncio.run(followed())


def test_a_change_that_was_never_told_is_found_in_the_end(
    redis_url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.3)
    token = submit(redis_url)

    async def followed() -> list[Job]:
        async with following(redis_url, listening=False) as (changes, _):
            watching = asyncio.create_task(seen(changes, token))
            await asyncio.sleep(0.2)
            take(client).complete("1-1", None)
            return await watching

    assert [job.status for job in asyncio.run(followed())] == ["started", "completed"]


@pytest.mark.parametrize("told", ["", "the end", "-1", "9" * 5000, b"\xff"])
def test_what_others_say_on_the_channel_deafens_nobody(
    redis_url: str, client: redis.Redis, told: str | bytes
) -> None:
    token = submit(redis_url)

    async def followed() -> list[Job]:
        async with following(redis_url) as (changes, _):
            watching = asyncio.create_task(seen(changes, token))
            await asyncio.sleep(0.1)
            client.publish("airpy:changes", told)
            await asyncio.sleep(0.1)
            take(client).complete("1-1", None)
            return await watching

    assert [job.status for job in asyncio.run(followed())][-1] == "completed"


def test_a_change_while_the_subscription_was_broken_is_seen_at_once(
    redis_url: str, client: redis.Redis
) -> None:
    token = submit(redis_url)
    claim = take(client)

    async def followed() -> list[Job]:
        async with following(redis_url) as (changes, _):
            watching = asyncio.create_task(seen(changes, token))
            await asyncio.sleep(0.3)
            # Nobody can subscribe again between the two.
            with client.pipeline(transaction=True) as commands:
                commands.client_kill_filter(_type="pubsub")
                commands.hset(f"airpy:job:{token}", mapping={"status": "completed", "folder": "1-1"})
                commands.hincrby(f"airpy:job:{token}", "version", 1)
                commands.execute()
            return await watching

    assert [job.status for job in asyncio.run(followed())] == ["running", "completed"]
    assert claim.attempt == 1


def test_a_restart_of_redis_wakes_everybody(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:

        def restart() -> None:
            first.close()
            stack.enter_context(running_redis(tmp_path))
            with redis.Redis.from_url(url, decode_responses=True) as client:
                client.hset(f"airpy:job:{token}", mapping={"status": "completed", "folder": "1-1"})
                client.hincrby(f"airpy:job:{token}", "version", 1)

        first = contextlib.ExitStack()
        url = first.enter_context(running_redis(tmp_path))
        token = submit(url)

        async def followed() -> tuple[list[list[Job]], float]:
            async with following(url) as (changes, _):
                crowd = [asyncio.create_task(seen(changes, token)) for _ in range(20)]
                await asyncio.sleep(0.3)
                await asyncio.to_thread(restart)
                back = time.monotonic()
                return await asyncio.gather(*crowd), time.monotonic() - back

        crowd, woken_s = asyncio.run(followed())

    assert [[job.status for job in states] for states in crowd] == [["started", "completed"]] * 20
    assert woken_s < SOON_S


def test_whoever_waits_while_redis_is_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.3)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(running_redis(tmp_path))
        token = submit(url)

        async def followed() -> list[list[Job] | BaseException]:
            async with following(url) as (changes, _):
                crowd = [asyncio.create_task(seen(changes, token)) for _ in range(3)]
                await asyncio.sleep(0.3)
                await asyncio.to_thread(stack.close)
                return await asyncio.gather(*crowd, return_exceptions=True)

        told = asyncio.run(followed())

    assert [type(one) for one in told] == [QueueUnavailable] * 3
