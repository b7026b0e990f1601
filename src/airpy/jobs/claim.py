"""A worker's claim on a job: one attempt, and the only one that may write to the record.

What is written after the lease was lost, or after the job ended, is dropped.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import TYPE_CHECKING, Any, Self, cast

from airpy.jobs.costs import learnt
from airpy.jobs.counters import ended
from airpy.jobs.sandbox import Watch
from airpy.jobs.scripts import COUNTERS, flat, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from redis import Redis

    from airpy.contract import JobStatus, JobType
    from airpy.jobs.record import ResultFrame

__all__ = ["LEASE_MS", "Claim", "renew"]

LEASE_MS = 8_000
"""How long a worker may be silent before its jobs are another's; it renews them every half second."""
DEAD_LETTER_S = 7 * 86_400


class Claim:
    """An attempt at a job, or what is left of one for whoever ends it."""

    def __init__(self, redis: Redis, token: int, fields: Mapping[str, str]) -> None:
        self._redis = redis
        self.token = token
        self.fence = fields["fence"]
        self.attempt = int(fields["attempt"])
        self.failures = int(fields["failures"])
        self.kind = cast("JobType", fields["kind"])
        self.lane = fields["lane"]
        self.suspect = "suspect" in fields
        """Whether a worker died under it before."""
        self.request = fields["request"]
        self.request_id = fields["request_id"]
        self.input = fields.get("input")
        self.traceparent = fields.get("traceparent")
        self.asked_at = dt.datetime.fromtimestamp(int(fields["created_ms"]) / 1000, dt.UTC)
        self.waited_ms = int(fields["began_ms"]) - int(fields["created_ms"])
        self.watch = Watch(peak_mb=float(fields.get("peak_mb", 0)))
        self.last_step = _last_step(fields, self.attempt)
        self._began = time.monotonic()
        self._steps = 0

    @classmethod
    def take(cls, redis: Redis, worker: str, *, long_too: bool, suspect_too: bool = True) -> Self | None:
        """Begin an attempt at the next job in line; nothing when none may begin."""
        taken = run(redis, "claim", LEASE_MS, int(long_too), int(suspect_too), worker)
        return None if taken is None else cls.of(redis, *taken)

    @classmethod
    def of(cls, redis: Redis, token: str, fields: list[str]) -> Self:
        """The claim that a script gives: a token, then names and values in turn."""
        return cls(redis, int(token), dict(zip(fields[::2], fields[1::2], strict=True)))

    def step(self, step: str, message: str) -> None:
        """Record that a step was reached."""
        if not run(self._redis, "step", self.token, self.fence, self._steps, step, message):
            self.watch.stop.set()
        self._steps += 1
        self.last_step = step

    def complete(self, folder: str, frame: ResultFrame | None) -> bool:
        """End the job with its result; false when it is no longer this attempt's to end."""
        fields = {
            "folder": folder,
            "frame": None if frame is None else json.dumps(frame),
            "work": json.dumps(self.watch.work),  # what has been done since it was last renewed
        }
        return self._finish("completed", fields)

    def fail(self, error: dict[str, Any], *, dead: bool) -> bool:
        """End the job with an error, kept as a dead letter if `dead`; false when it is not ours to end."""
        return self._finish("failed", {"error": json.dumps(error)}, dead=dead)

    def count_exit(self, name: str) -> None:
        """Count a child that this signal ended."""
        self._redis.hincrbyfloat(COUNTERS, f"exit:{name}", 1)

    def release(self, pause_ms: int, *, failed: bool) -> bool:
        """Give the job back, to be begun again after a pause; false when it is no longer this attempt's."""
        return bool(run(self._redis, "release", self.token, self.fence, pause_ms, int(failed)))

    def _finish(self, status: JobStatus, fields: Mapping[str, str | None], *, dead: bool = False) -> bool:
        run_ms = round((time.monotonic() - self._began) * 1000)
        counters = ended(
            self.kind, status, waited_ms=self.waited_ms, run_ms=run_ms, peak_mb=self.watch.peak_mb
        )
        if status == "completed" and self.watch.cost is not None and self.watch.peak_mb:
            counters |= learnt(self.watch.cost, run_ms / 1000, self.watch.peak_mb)
        pace = run_ms if status == "completed" else ""
        kept = DEAD_LETTER_S if dead else ""
        head = (self.token, self.fence, status, pace, kept, len(counters))
        return bool(run(self._redis, "finish", *head, *flat(counters), *flat(fields)))


def renew(redis: Redis, claims: Sequence[Claim]) -> None:
    """Prolong the leases of these jobs, and stop those that are no longer ours."""
    entries = [
        part
        for claim in claims
        for part in (claim.token, claim.fence, round(claim.watch.peak_mb), json.dumps(claim.watch.work))
    ]
    for place in run(redis, "renew", LEASE_MS, *entries):
        claims[place].watch.stop.set()


def _last_step(fields: Mapping[str, str], attempt: int) -> str | None:
    begin = f"step:{attempt}:"
    steps = [
        (int(name.removeprefix(begin)), value) for name, value in fields.items() if name.startswith(begin)
    ]
    return json.loads(max(steps)[1])[0] if steps else None
