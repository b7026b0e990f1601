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

from airpy.jobs.broker import (
    ACTOR,
    QUEUE,
    WakeBroker,
    as_enqueued,
    call_to_work,
    queue_key,
    worker_client,
)
from airpy.jobs.queue import declare_actor
from tests.conftest import database_url, fresh
from tests.jobs.asking import submit
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
def new_worker(broker: WakeBroker, work: Callable[[], None], threads: int = 1) -> Iterator[None]:
    """A worker that does the work at each call."""
    declare_actor(broker, work)
    worker = dramatiq.Worker(broker, worker_threads=threads)
    worker.queue_prefetch = threads
    worker.start()
    try:
        yield
    finally:
        worker.stop(timeout=30_000)


def test_an_idle_worker_starts_a_job_at_once(redis_url: str) -> None:
    started: queue.Queue[float] = queue.Queue()

    delays = []
    with new_broker(redis_url) as broker, new_worker(broker, lambda: started.put(time.monotonic())):
        submit(redis_url)
        started.get(timeout=WAIT_S)  # the worker has come up
        for _ in range(20):
            time.sleep(0.02)  # it has gone back to waiting
            sent = time.monotonic()
            submit(redis_url)
            delays.append(started.get(timeout=WAIT_S) - sent)

    assert median(delays) < 0.1


def test_the_brokers_own_enqueue_wakes_a_worker_too(redis_url: str) -> None:
    started: queue.Queue[float] = queue.Queue()

    delays = []
    with new_broker(redis_url) as broker, new_worker(broker, lambda: started.put(time.monotonic())):
        for _ in range(6):
            sent = time.monotonic()
            broker.enqueue(call_to_work())
            delays.append(started.get(timeout=WAIT_S) - sent)
            time.sleep(0.02)

    assert median(delays) < 0.05


def test_every_call_is_heard_once_and_leaves_nothing(redis_url: str) -> None:
    heard: queue.Queue[None] = queue.Queue()

    for _ in range(100):
        submit(redis_url)
    with (
        new_broker(redis_url) as broker,
        new_worker(broker, lambda: heard.put(None), threads=4),
        redis.Redis.from_url(redis_url) as client,
    ):
        for _ in range(100):
            heard.get(timeout=WAIT_S)
        broker.join(QUEUE, timeout=WAIT_S * 1000)
        wait_until(lambda: not client.exists("dramatiq:airpy.msgs"))

    assert heard.empty()


def test_a_worker_takes_no_more_than_it_can_run(redis_url: str) -> None:
    """A call must not wait behind a long job while another worker is idle."""
    begun: queue.Queue[None] = queue.Queue()
    done: queue.Queue[None] = queue.Queue()

    def hold() -> None:
        begun.put(None)
        done.get(timeout=WAIT_S)

    taken: queue.Queue[str] = queue.Queue()

    with new_broker(redis_url) as one, new_worker(one, hold):
        submit(redis_url)
        begun.get(timeout=WAIT_S)
        submit(redis_url)
        with new_broker(redis_url) as two, new_worker(two, lambda: taken.put("by the other")):
            second = taken.get(timeout=WAIT_S)
        done.put(None)

    assert second == "by the other"


def test_a_busy_worker_goes_on_as_soon_as_it_is_free(redis_url: str) -> None:
    seen: queue.Queue[float] = queue.Queue()

    def work() -> None:
        time.sleep(0.05)
        seen.put(time.monotonic())

    with new_broker(redis_url) as broker, new_worker(broker, work):
        for _ in range(10):
            submit(redis_url)
        ends = [seen.get(timeout=WAIT_S) for _ in range(10)]

    assert median(later - earlier for earlier, later in pairwise(ends)) < 0.15


def test_the_call_that_a_dead_worker_heard_goes_to_another(redis_url: str) -> None:
    heard: queue.Queue[str] = queue.Queue()

    submit(redis_url)
    with new_broker(redis_url) as dead:
        message = next(dead.consume(QUEUE))  # it fetches the message, and is never heard of again
    with new_broker(redis_url) as alive:
        alive.heartbeat_timeout = 500
        with new_worker(alive, lambda: heard.put("again")):
            again = heard.get(timeout=WAIT_S)

    assert message is not None
    assert again == "again"


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


def test_work_that_fails_makes_room_for_the_next(redis_url: str) -> None:
    """A message that is not acknowledged must not count as outstanding for ever."""
    heard: queue.Queue[None] = queue.Queue()

    def work() -> None:
        heard.put(None)
        raise RuntimeError("a fault of ours")

    with new_broker(redis_url) as broker, new_worker(broker, work):
        for _ in range(3):
            submit(redis_url)
            heard.get(timeout=WAIT_S)

    assert heard.empty()


def test_a_message_that_nobody_understands_makes_room_for_the_next(redis_url: str) -> None:
    """As another version of the service may have left one."""
    heard: queue.Queue[None] = queue.Queue()

    with new_broker(redis_url) as broker:
        foreign = call_to_work().copy(actor_name="query", args=(7,))
        broker.enqueue(foreign)
        with new_worker(broker, lambda: heard.put(None)):
            submit(redis_url)
            heard.get(timeout=WAIT_S)
            submit(redis_url)
            heard.get(timeout=WAIT_S)

    assert heard.empty()


def test_a_worker_outlasts_a_redis_restart(tmp_path: Path) -> None:
    heard: queue.Queue[None] = queue.Queue()

    with contextlib.ExitStack() as stack:
        with running_redis(tmp_path) as url:
            broker = stack.enter_context(new_broker(url))
            stack.enter_context(new_worker(broker, lambda: heard.put(None)))
            submit(url)
            heard.get(timeout=WAIT_S)
            broker.join(QUEUE, timeout=WAIT_S * 1000)
        with running_redis(tmp_path):
            submit(url)
            heard.get(timeout=WAIT_S)
            stack.close()

    assert heard.empty()


def test_a_call_to_work_names_no_job() -> None:
    call = call_to_work()

    assert (call.queue_name, call.actor_name, call.args, call.kwargs) == (QUEUE, ACTOR, (), {})
    assert call_to_work().message_id != call.message_id


def test_the_server_enqueues_what_dramatiq_enqueues(redis_url: str) -> None:
    """Guards against a new layout of Dramatiq's keys, which are its own."""
    theirs_url = fresh(database_url(redis_url, 2))
    with new_broker(theirs_url) as broker:
        dramatiq.brokers.redis.RedisBroker.enqueue(broker, call_to_work())
    submit(redis_url)

    ours, theirs = contents(redis_url), contents(theirs_url)

    assert ours == theirs
    assert ours["dramatiq:airpy"] == ["id"]


def test_a_message_is_enqueued_under_its_own_id() -> None:
    name, encoded = as_enqueued(call_to_work())

    message = dramatiq.Message.decode(encoded)
    assert message.message_id == message.options["redis_message_id"] == name
    assert queue_key() == f"dramatiq:{QUEUE}"


def contents(url: str) -> dict[str, object]:
    """The queue in a database, with the message's ids, which are random, as `id`."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        (stored,) = client.lrange("dramatiq:airpy", 0, -1)
        (encoded,) = client.hgetall("dramatiq:airpy.msgs").items()
        keys = set(client.keys("dramatiq:*")) - {"dramatiq:__heartbeats__", "dramatiq:airpy.wake"}
    field, body = encoded
    message = dramatiq.Message.decode(body.encode())
    named = message.options.pop("redis_message_id")
    return {
        "keys": keys,
        "dramatiq:airpy": [name.replace(named, "id") for name in (stored,)],
        "dramatiq:airpy.msgs": (
            field.replace(named, "id"),
            message._replace(message_id="id", message_timestamp=0),
        ),
    }


@pytest.mark.parametrize("decode", [True, False])
def test_a_workers_client_outlasts_a_broken_connection(tmp_path: Path, decode: bool) -> None:  # noqa: FBT001
    with running_redis(tmp_path) as url, redis.Redis.from_url(url) as other:
        client = worker_client(url, decode=decode)
        client.set("key", "value")
        other.client_kill_filter(_type="normal")

        value = client.get("key")
        client.close()

    assert value == ("value" if decode else b"value")
