"""A job as a value: token, kind, status, steps, result, error."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from airpy.errors import JobUnavailable
from airpy.jobs.work import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airpy.contract import JobStatus, JobType, OutputFormat

__all__ = ["ENDED", "DeadLetter", "Job", "ResultFrame", "Step", "rfc3339"]

ENDED: frozenset[JobStatus] = frozenset({"completed", "failed", "cancelled"})
"""States that never change again."""

STEP = "step:"
"""What the fields of steps begin with; attempt and number follow."""


class Step(NamedTuple):
    """One entry of a job's progress."""

    step: str
    message: str
    timestamp_ms: int
    duration_ms: int
    attempt: int


class ResultFrame(NamedTuple):
    """What is known of a result's frame without opening its file."""

    format: OutputFormat
    rows: int
    schema: str
    """The Arrow schema as a base64 IPC message."""
    digest: str
    """`sha256:` and the hexadecimal digest of that message."""


class Job(NamedTuple):
    """A job's record. Times are milliseconds since the epoch, by Redis's clock."""

    token: int
    kind: JobType
    status: JobStatus
    source: str
    request_id: str
    created_ms: int
    updated_ms: int
    ttl_s: int
    attempt: int = 0
    version: int = 0
    """Grows with every change."""
    steps: tuple[Step, ...] = ()
    work: Work | None = None
    folder: str | None = None
    """The folder that the result is in, under the results path."""
    frame: ResultFrame | None = None
    error: dict[str, Any] | None = None
    expires_ms: int | None = None
    reused: bool = False
    """Whether it was answered with the result of an equal request before it."""
    leader: int | None = None
    """The job whose equal request is at work for this one too."""

    @classmethod
    def from_hash(cls, token: int, fields: Mapping[str, str]) -> Self:
        """The job that a Redis hash describes, as its caller sees it."""
        status = cast("JobStatus", fields["status"])
        frame, error, work = fields.get("frame"), _error(fields), json.loads(fields.get("work", "null"))
        return cls(
            token=token,
            kind=cast("JobType", fields["kind"]),
            # Its work goes on for others, who asked for the same.
            status="cancelled" if "withdrawn" in fields else status,
            source=fields["source"],
            request_id=fields["request_id"],
            created_ms=int(fields["created_ms"]),
            updated_ms=int(fields["updated_ms"]),
            ttl_s=int(fields["ttl_s"]),
            attempt=int(fields["attempt"]),
            version=int(fields["version"]),
            steps=_steps(fields),
            work=Work(*work) if work else None,
            folder=fields.get("folder"),
            frame=ResultFrame(*json.loads(frame)) if frame else None,
            error=error,
            expires_ms=int(fields["expires_ms"]) if "expires_ms" in fields else None,
            reused="reused" in fields,
            leader=int(fields["leader"]) if "leader" in fields else None,
        )

    def following(self, leading: Mapping[str, str]) -> Self:
        """The job as the record of the one that it follows has it, under its own name."""
        lead = type(self).from_hash(self.leader or 0, leading)
        seen = self._replace(
            steps=lead.steps, work=lead.work, attempt=lead.attempt, version=self.version + lead.version
        )
        if self.status in ENDED:
            return seen
        return seen._replace(
            status=cast("JobStatus", leading["status"]), updated_ms=max(self.updated_ms, lead.updated_ms)
        )

    def check_ended(self, field: str = "path.token") -> None:
        """Refuse a job that has not ended; `field` is where the request names it.

        Raises:
            JobUnavailable: It has not.
        """
        if self.status not in ENDED:
            raise JobUnavailable(
                f"job {self.token} is {self.status}; its result is not ready",
                field=field,
                constraint="a job that has completed",
                reason="RESULT_NOT_READY",
            )

    def result_frame(
        self, field: str = "path.token", allowed: str = "a query that has completed"
    ) -> tuple[ResultFrame, str]:
        """The result frame and the folder it is in.

        Args:
            field: Where the request names the job.
            allowed: What it may name.

        Raises:
            JobUnavailable: There is none, or none yet.
        """
        self.check_ended(field)
        if self.frame is None or self.folder is None:
            why = f"has {self.status}" if self.status != "completed" else f"is of kind {self.kind}"
            raise JobUnavailable(
                f"job {self.token} {why} and has no result frame",
                field=field,
                constraint=allowed,
                reason="NO_RESULT_FRAME",
            )
        return self.frame, self.folder

    @property
    def progress(self) -> float | None:
        """The share of the work that is done, 0 to 1; None where it is not counted. 1 when it is all over."""
        if self.status == "completed":
            return 1.0
        return None if self.work is None else self.work.share


class DeadLetter(NamedTuple):
    """What is kept of a job that killed what ran it, or fell over a fault of ours."""

    token: int
    kind: JobType
    request: str
    request_id: str
    source: str
    lane: str
    input: str | None
    attempt: int
    died_ms: int
    error: dict[str, Any]

    @classmethod
    def from_hash(cls, token: int, fields: Mapping[str, str]) -> Self:
        """The dead letter that a Redis hash describes."""
        return cls(
            token=token,
            kind=cast("JobType", fields["kind"]),
            request=fields["request"],
            request_id=fields["request_id"],
            source=fields["source"],
            lane=fields["lane"],
            input=fields.get("input"),
            attempt=int(fields["attempt"]),
            died_ms=int(fields["died_ms"]),
            error=json.loads(fields["error"]),
        )


def rfc3339(milliseconds: int) -> str:
    """The moment as RFC 3339 in UTC, to the millisecond."""
    moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(fields: Mapping[str, str]) -> dict[str, Any] | None:
    """The job's error; that of a job which followed another names its own request all the same."""
    if "error" not in fields:
        return None
    error: dict[str, Any] = json.loads(fields["error"])
    return error | {"request_id": fields["request_id"]} if "leader" in fields else error


def _steps(fields: Mapping[str, str]) -> tuple[Step, ...]:
    """The steps of every attempt, in order."""
    places = sorted(
        (tuple(map(int, name.removeprefix(STEP).split(":"))), value)
        for name, value in fields.items()
        if name.startswith(STEP)
    )
    return tuple(Step(*json.loads(value)) for _, value in places)
