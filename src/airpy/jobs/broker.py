"""A Redis broker on which an idle worker starts a job within milliseconds.

Dramatiq's own consumer polls, with a pause that grows to a second. This one waits on a list to which every
enqueued message adds an entry, and asks again at the latest after `IDLE_S`, should an entry have been missed.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import redis
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from dramatiq.broker import MessageProxy

__all__ = [
    "ACTOR",
    "MOST_MESSAGES",
    "QUEUE",
    "WakeBroker",
    "as_enqueued",
    "call_to_work",
    "queue_key",
    "worker_client",
]

QUEUE = "airpy"
ACTOR = "work"
NAMESPACE = "dramatiq"
HEARTBEAT_MS = 10_000
"""A worker that is silent for so long is dead, and its messages go back to the queue."""
IDLE_S = 1.0
"""Must stay below the client's socket timeout."""
MOST_MESSAGES = 256
"""More would only wake workers that find nothing left to do."""
SOCKET_TIMEOUT_S = 5
RETRIES = 30


def worker_client(url: str, *, decode: bool = True) -> redis.Redis:
    """A client that outlasts a Redis restart or stall; its retries take about half a minute."""
    return redis.Redis.from_url(
        url,
        decode_responses=decode,
        socket_timeout=SOCKET_TIMEOUT_S,
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), RETRIES),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError],
    )


class WakeConsumer(_RedisConsumer):
    """Waits for a message instead of polling for it."""

    def __init__(self, broker: WakeBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        del timeout  # Dramatiq's pause between polls, in place of which this waits
        super().__init__(broker, queue_name, prefetch, timeout=1)  # type: ignore[no-untyped-call]
        self._wakes = wake_key(queue_name)
        self._freed = threading.Event()

    def __next__(self) -> MessageProxy | None:
        message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
        if message is None:
            if self.outstanding_message_count < self.prefetch:
                try:
                    self.broker.client.blpop([self._wakes], timeout=IDLE_S)
                except redis.ConnectionError as error:
                    raise ConnectionClosed(error) from None
            else:
                self._freed.wait(IDLE_S)
                self._freed.clear()
        return message

    def ack(self, message: MessageProxy) -> None:
        super().ack(message)  # type: ignore[no-untyped-call]
        self._freed.set()

    def nack(self, message: MessageProxy) -> None:
        super().nack(message)  # type: ignore[no-untyped-call]
        self._freed.set()


class WakeBroker(RedisBroker):
    """Dramatiq's Redis broker with the consumer above, and messages of dead workers given back in seconds."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            client=client,
            namespace=NAMESPACE,
            heartbeat_timeout=HEARTBEAT_MS,
            maintenance_chance=1_000_000,  # at every fetch: cheap while nobody is dead
            middleware=[],
        )

    @property
    def consumer_class(self) -> type[WakeConsumer]:
        """The consumer that waits."""
        return WakeConsumer

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Enqueue a message and wake an idle worker."""
        enqueued: Message[Any] = super().enqueue(message, delay=delay)
        self.client.rpush(wake_key(message.queue_name), 1)
        return enqueued


def wake_key(queue_name: str) -> str:
    """The list on which idle workers wait."""
    return f"{queue_key(queue_name)}.wake"


def queue_key(queue_name: str = QUEUE) -> str:
    """The list of the ids of a queue's messages, in Dramatiq's own key layout; `.msgs` has the messages."""
    return f"{NAMESPACE}:{queue_name}"


def call_to_work() -> Message[Any]:
    """The message that wakes a worker. It names no job: which one is next, the claim decides."""
    return Message(queue_name=QUEUE, actor_name=ACTOR, args=(), kwargs={}, options={})


def as_enqueued(message: Message[Any]) -> tuple[str, bytes]:
    """Id and bytes of a message as Dramatiq's script puts them into the queue."""
    return message.message_id, message.copy(options={"redis_message_id": message.message_id}).encode()
