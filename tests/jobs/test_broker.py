from __future__ import annotations

import contextlib
import queue
import threading
import time
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import dramatiq
import pytest
import redis
from dramatiq.errors import ConnectionClosed
from redis.backoff import NoBackoff
from redis.retry import Retry

from airpy.jobs.broker import QUEUE, WakeBroker, enqueue_commands, worker_client
from airpy.jobs.queue import declare_actors, message_for
from tests.conftest import database_url, fresh
from tests.service import running_redis, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAIT_S = 30


@contextlib.contextmanager
def new_broker(url: str) -> Iterator[WakeBroker]:
    """A broker over the database."""
    client = worker_client(url, decode=False)
    broker = WakeBroker(client)
    broker.declare_queue(QUEUE)
    try:
        yield broker
    finally:
        client.close()


@contextlib.contextmanager
def new_worker(broker: WakeBroker, run: Callable[[int], bool], threads: int = 1) -> Iterator[None]:
    """A worker that hands the tokens of its messages to `run`."""
    declare_actors(broker, run)
    worker = dramatiq.Worker(broker, worker_threads=threads)
    worker.queue_prefetch = threads
    worker.start()
    try:
        yield
    finally:
        worker.stop(timeout=30_000)


def enqueue(url: str, token: int) -> None:
    """Enqueue a message as the server does."""
    with redis.Redis.from_url(url) as client, client.pipeline() as commands:
        enqueue_commands(commands, message_for("discover", token))
        commands.execute()


def test_an_idle_worker_starts_a_job_at_once(redis_url: str) -> None:
    started: queue.Queue[float] = queue.Queue()

    def run(_: int) -> bool:
        started.put(time.monotonic())
        return True

    delays = []
    with new_broker(redis_url) as broker, new_worker(broker, run):
        enqueue(redis_url, 0)
        started.get(timeout=WAIT_S)  # the worker has come up
        for token in range(1, 21):
            time.sleep(0.02)  # it has gone back to waiting
            sent = time.monotonic()
            enqueue(redis_url, token)
            delays.append(started.get(timeout=WAIT_S) - sent)

    assert median(delays) < 0.05


def test_the_brokers_own_enqueue_wakes_a_worker_too(redis_url: str) -> None:
    started: queue.Queue[float] = queue.Queue()

    def run(_: int) -> bool:
        started.put(time.monotonic())
        return True

    delays = []
    with new_broker(redis_url) as broker, new_worker(broker, run):
        for token in range(6):
            sent = time.monotonic()
            broker.enqueue(message_for("discover", token))
            delays.append(started.get(timeout=WAIT_S) - sent)
            time.sleep(0.02)

    assert median(delays) < 0.05


def test_every_message_is_run_once_and_leaves_nothing(redis_url: str) -> None:
    seen: queue.Queue[int] = queue.Queue()

    def run(token: int) -> bool:
        seen.put(token)
        return True

    for token in range(100):
        enqueue(redis_url, token)
    with new_broker(redis_url) as broker, new_worker(broker, run, threads=4):
        tokens = [seen.get(timeout=WAIT_S) for _ in range(100)]
        broker.join(QUEUE, timeout=WAIT_S * 1000)

    assert sorted(tokens) == list(range(100))
    assert seen.empty()


def test_a_worker_takes_no_more_than_it_can_run(redis_url: str) -> None:
    """A message must not wait behind a long job while another worker is idle."""
    begun: queue.Queue[int] = queue.Queue()
    done: queue.Queue[None] = queue.Queue()

    def hold(token: int) -> bool:
        begun.put(token)
        done.get(timeout=WAIT_S)
        return True

    taken: queue.Queue[int] = queue.Queue()

    def run(token: int) -> bool:
        taken.put(token)
        return True

    with new_broker(redis_url) as one, new_worker(one, hold):
        enqueue(redis_url, 1)
        first = begun.get(timeout=WAIT_S)
        enqueue(redis_url, 2)
        with new_broker(redis_url) as two, new_worker(two, run):
            second = taken.get(timeout=WAIT_S)
        done.put(None)

    assert (first, second) == (1, 2)


def test_a_busy_worker_goes_on_as_soon_as_it_is_free(redis_url: str) -> None:
    seen: queue.Queue[float] = queue.Queue()

    def run(_: int) -> bool:
        time.sleep(0.05)
        seen.put(time.monotonic())
        return True

    with new_broker(redis_url) as broker, new_worker(broker, run):
        for token in range(10):
            enqueue(redis_url, token)
        ends = [seen.get(timeout=WAIT_S) for _ in range(10)]

    assert median(later - earlier for earlier, later in pairwise(ends)) < 0.15


def test_the_message_of_a_dead_worker_goes_to_another(redis_url: str) -> None:
    seen: queue.Queue[int] = queue.Queue()

    def run(token: int) -> bool:
        seen.put(token)
        return True

    enqueue(redis_url, 5)
    with new_broker(redis_url) as dead:
        message = next(dead.consume(QUEUE))  # it fetches the message, and is never heard of again
    with new_broker(redis_url) as alive:
        alive.heartbeat_timeout = 500
        with new_worker(alive, run):
            token = seen.get(timeout=WAIT_S)

    assert message is not None
    assert token == 5


def test_a_waiting_consumer_that_loses_redis_says_so_in_dramatiqs_words(redis_url: str) -> None:
    """Upon which Dramatiq makes another."""
    impatient = redis.Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0))
    with impatient, redis.Redis.from_url(redis_url) as other:
        broker = WakeBroker(impatient)
        broker.declare_queue(QUEUE)
        consumer = broker.consume(QUEUE)
        next(consumer)  # it has found nothing, and waited
        cut = threading.Timer(0.3, other.client_kill_filter, [impatient.client_id()])
        cut.start()

        with pytest.raises(ConnectionClosed):
            next(consumer)
        cut.join()


def test_a_dead_letter_is_kept(redis_url: str) -> None:
    enqueue(redis_url, 5)
    with (
        new_broker(redis_url) as broker,
        new_worker(broker, lambda _: False),
        redis.Redis.from_url(redis_url) as client,
    ):
        wait_until(lambda: client.zcard("dramatiq:airpy.XQ"))
        (kept,) = client.hvals("dramatiq:airpy.XQ.msgs")

    assert dramatiq.Message.decode(kept).args == (5,)


def test_a_worker_outlasts_a_redis_restart(tmp_path: Path) -> None:
    seen: queue.Queue[int] = queue.Queue()

    def run(token: int) -> bool:
        seen.put(token)
        return True

    with contextlib.ExitStack() as stack:
        with running_redis(tmp_path) as url:
            broker = stack.enter_context(new_broker(url))
            stack.enter_context(new_worker(broker, run))
            enqueue(url, 1)
            first = seen.get(timeout=WAIT_S)
            broker.join(QUEUE, timeout=WAIT_S * 1000)
        with running_redis(tmp_path):
            enqueue(url, 2)
            second = seen.get(timeout=WAIT_S)
            stack.close()

    assert (first, second) == (1, 2)


def test_commands_write_what_dramatiq_writes(redis_url: str) -> None:
    """Guards against a new layout of Dramatiq's keys, which are its own."""
    theirs_url = fresh(database_url(redis_url, 2))
    message = message_for("query", 7)
    with new_broker(theirs_url) as broker:
        dramatiq.brokers.redis.RedisBroker.enqueue(broker, message)
    with redis.Redis.from_url(redis_url) as client, client.pipeline() as commands:
        enqueue_commands(commands, message)
        commands.execute()

    ours, theirs = contents(redis_url), contents(theirs_url)

    assert ours == theirs
    assert ours["dramatiq:airpy"] == ["id"]


def contents(url: str) -> dict[str, object]:
    """The queue in a database, with the message's id in Redis, which is random, as `id`."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        (stored,) = client.lrange("dramatiq:airpy", 0, -1)
        (encoded,) = client.hgetall("dramatiq:airpy.msgs").items()
        keys = set(client.keys("*")) - {"dramatiq:__heartbeats__", "dramatiq:airpy.wake"}
    field, body = encoded
    message = dramatiq.Message.decode(body.encode())
    named = message.options.pop("redis_message_id")
    return {
        "keys": keys,
        "dramatiq:airpy": [name.replace(named, "id") for name in (stored,)],
        "dramatiq:airpy.msgs": (field.replace(named, "id"), message),
    }


def test_wakes_do_not_pile_up_while_no_worker_listens(redis_url: str) -> None:
    for token in range(50):
        enqueue(redis_url, token)

    with redis.Redis.from_url(redis_url) as client:
        wakes = client.llen("dramatiq:airpy.wake")

    assert wakes == 32


@pytest.mark.parametrize("decode", [True, False])
def test_a_workers_client_outlasts_a_broken_connection(tmp_path: Path, decode: bool) -> None:  # noqa: FBT001
    with running_redis(tmp_path) as url, redis.Redis.from_url(url) as other:
        client = worker_client(url, decode=decode)
        client.set("key", "value")
        other.client_kill_filter(_type="normal")

        value = client.get("key")
        client.close()

    assert value == ("value" if decode else b"value")
