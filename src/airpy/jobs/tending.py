"""What a worker does beside its jobs: keeps their leases, calls to work, and takes over from the dead."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, cast

import structlog
from redis.exceptions import RedisError

from airpy.jobs import workers
from airpy.jobs.broker import call_to_work, queue_key
from airpy.jobs.claim import LEASE_MS, Claim
from airpy.jobs.scripts import ACTIVE, DEAD, JOBS, RESULTS, RESULTS_KEPT, dead_key, job_key, run

if TYPE_CHECKING:
    import threading

    from dramatiq.brokers.redis import RedisBroker
    from redis import Redis

    from airpy.jobs.copying import Copying
    from airpy.jobs.remembered import Memory
    from airpy.jobs.results import Results
    from airpy.jobs.runner import Runner

__all__ = ["Tending"]

log = structlog.get_logger(__name__)

TICK_S = 0.5
STALL_S = 3.0
"""When even this worker could not reach Redis for so long, others could not either: they are not dead."""
SWEEP_S = 60.0


class Tending(NamedTuple):
    """One worker's housekeeping."""

    redis: Redis
    broker: RedisBroker
    runner: Runner
    results: Results
    slots: int
    max_attempts: int
    memory: Memory
    copying: Copying | None = None

    def until(self, stop: threading.Event) -> None:
        """Do it twice a second, until told to stop."""
        swept = float("-inf")
        reached = time.monotonic()
        patient_until = 0.0
        while not stop.wait(TICK_S):
            try:
                self.runner.renew()
                workers.report(self.redis, self.slots)
                now = time.monotonic()
                if now - reached > STALL_S:
                    patient_until = now + LEASE_MS / 1000
                reached = now
                if now > patient_until:
                    self.reap()
                self.call_to_work()
                if self.copying is not None:
                    self.copying.tick(at_work=self.runner.at_work)
                if now - swept > SWEEP_S:
                    swept = now
                    self.sweep()
            except (RedisError, OSError) as error:
                log.warning("tending_interrupted", error=str(error))

    def reap(self) -> None:
        """Put jobs of dead workers back in line, and end those that killed too many."""
        for token, fields in run(self.redis, "reap", self.max_attempts, LEASE_MS):
            self.runner.bury(Claim.of(self.redis, token, fields))

    def call_to_work(self) -> None:
        """See to it that workers are called while jobs are in line, whatever became of the first call."""
        waiting = int(run(self.redis, "due"))
        if waiting and not self.broker.client.llen(queue_key()):
            for _ in range(min(waiting, self.slots)):
                self.broker.enqueue(call_to_work())

    def sweep(self) -> None:
        """Remove what belongs to no record any more: results, sent frames, and the tokens in the index."""
        self.memory.tidy(self.redis)
        self.results.sweep(self._existing, self._inputs, self._kept)
        tokens = [int(token) for token in cast("list[str]", self.redis.zrange(JOBS, 0, -1))]
        if gone := set(tokens) - self._existing(tokens):
            self.redis.zrem(JOBS, *gone)
        letters = [int(token) for token in cast("list[str]", self.redis.zrange(DEAD, 0, -1))]
        kept = self._found([dead_key(token) for token in letters])
        if gone := {token for token, found in zip(letters, kept, strict=True) if not found}:
            self.redis.zrem(DEAD, *gone)

    def _existing(self, tokens: list[int]) -> set[int]:
        """Those of the tokens that have a record."""
        found = self._found([job_key(token) for token in tokens])
        return {token for token, there in zip(tokens, found, strict=True) if there}

    def _kept(self, folders: list[str]) -> set[str]:
        """Those of the folders whose result is remembered, or another job's too."""
        with self.redis.pipeline(transaction=False) as commands:
            commands.hmget(RESULTS, folders)
            commands.zmscore(RESULTS_KEPT, folders)
            remembered, used = commands.execute()
        return {
            folder
            for folder, digest, until in zip(folders, remembered, used, strict=True)
            if digest is not None or until is not None
        }

    def _inputs(self) -> set[str]:
        """The names of inputs that a job or a dead letter still needs."""
        active = cast("list[str]", self.redis.zrange(ACTIVE, 0, -1))
        dead = cast("list[str]", self.redis.zrange(DEAD, 0, -1))
        with self.redis.pipeline(transaction=False) as commands:
            for key in [
                *(job_key(int(token)) for token in active),
                *(dead_key(int(token)) for token in dead),
            ]:
                commands.hget(key, "input")
            return {name for name in commands.execute() if name}

    def _found(self, keys: list[str]) -> list[bool]:
        with self.redis.pipeline(transaction=False) as commands:
            for key in keys:
                commands.exists(key)
            return [bool(found) for found in commands.execute()]
