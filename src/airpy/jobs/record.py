"""A job as a value: token, kind, status, steps, result, error."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airpy.contract import JobStatus, JobType, OutputFormat

__all__ = ["ENDED", "Job", "ResultFrame", "Step", "rfc3339"]

ENDED: frozenset[JobStatus] = frozenset({"completed", "failed", "cancelled"})
"""States that never change again."""

STEP = "step:"
"""What the fields of steps begin with; attempt and number follow."""


class Step(NamedTuple):
    """One entry of a job's progress."""

    step: str
    message: str
    timestamp: str
    duration_ms: int


class ResultFrame(NamedTuple):
    """What is known of a result's frame without opening its file."""

    format: OutputFormat
    rows: int
    schema: str
    """The Arrow schema as a base64 IPC message."""
    digest: str
    """`sha256:` and the hexadecimal digest of that message."""


class Job(NamedTuple):
    """A job's record. Times are milliseconds since the epoch."""

    token: int
    kind: JobType
    status: JobStatus
    request_id: str
    created_ms: int
    updated_ms: int
    ttl_s: int
    attempt: int = 0
    steps: tuple[Step, ...] = ()
    folder: str | None = None
    """The folder that the result is in, under the results path."""
    frame: ResultFrame | None = None
    error: dict[str, Any] | None = None
    expires_ms: int | None = None

    @classmethod
    def from_hash(cls, token: int, fields: Mapping[str, str]) -> Self:
        """The job that a Redis hash describes; only the steps of its last attempt count."""
        attempt = int(fields["attempt"])
        begin = f"{STEP}{attempt}:"
        steps = sorted(
            (int(name.removeprefix(begin)), Step(*json.loads(value)))
            for name, value in fields.items()
            if name.startswith(begin)
        )
        frame = fields.get("frame")
        error = fields.get("error")
        return cls(
            token=token,
            kind=cast("JobType", fields["kind"]),
            status=cast("JobStatus", fields["status"]),
            request_id=fields["request_id"],
            created_ms=int(fields["created_ms"]),
            updated_ms=int(fields["updated_ms"]),
            ttl_s=int(fields["ttl_s"]),
            attempt=attempt,
            steps=tuple(step for _, step in steps),
            folder=fields.get("folder"),
            frame=ResultFrame(*json.loads(frame)) if frame else None,
            error=json.loads(error) if error else None,
            expires_ms=int(fields["expires_ms"]) if "expires_ms" in fields else None,
        )


def rfc3339(milliseconds: int) -> str:
    """The moment as RFC 3339 in UTC, to the millisecond."""
    moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
