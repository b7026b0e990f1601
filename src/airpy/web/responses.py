"""Shapes the replies handlers share: JSON, job started, job, frame."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Literal

from starlette.responses import FileResponse, Response
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from airpy.errors import InvalidRequest, listed
from airpy.jobs.kinds import JOBS
from airpy.jobs.record import ENDED, rfc3339
from airpy.web.problems import status_of
from airpy.web.spec import BASE_PATH

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

    from airpy.contract import JobType
    from airpy.jobs.record import Job, ResultFrame

__all__ = ["MEDIA_TYPES", "Reply", "accepted", "frame_reply", "job_reply", "job_started", "json_reply"]

Reply = Response

FrameFormat = Literal["arrow", "parquet"]
MEDIA_TYPES: dict[FrameFormat, str] = {
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
LONGEST_SCHEMA_HEADER = 4096
POLL_AFTER_S = 1


def json_reply(body: BaseModel | bytes, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """An answer in JSON, given as a model of the contract or as bytes."""
    content = body if isinstance(body, bytes) else body.model_dump_json(by_alias=True, exclude_unset=True)
    return Response(content, status, headers, media_type="application/json")


def job_started(kind: JobType, token: int) -> Reply:
    """The answer that gives a token."""
    body = {"token": token, "status": "started", "message": JOBS[kind].started}
    headers = {"Location": f"{BASE_PATH}/jobs/{token}", "Retry-After": str(POLL_AFTER_S)}
    return json_reply(json.dumps(body).encode(), 202, headers)


def job_reply(job: Job, data: bytes | None) -> Reply:
    """A job as it stands; `data` is JSON already."""
    error = job.error
    code = 200 if error is None else status_of(error["code"], error["details"]["reason"])
    fields = {
        "token": job.token,
        "job_type": job.kind,
        "status": job.status,
        "steps": [step._asdict() for step in job.steps],
        "progress": 1.0 if job.status == "completed" else None,
        "attempt": job.attempt,
        "code": code,
        "error": error,
        "request_id": job.request_id,
        "created_at": rfc3339(job.created_ms),
        "updated_at": rfc3339(job.updated_ms),
        "expires_at": rfc3339(job.expires_ms) if job.expires_ms is not None else None,
        "ttl": job.ttl_s,
    }
    head = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    # A finished job is polled once more at most, so only others get a hint.
    headers = {} if job.status in ENDED else {"Retry-After": str(POLL_AFTER_S)}
    return json_reply(head[:-1] + b',"data":' + (data or b"null") + b"}", headers=headers)


def accepted(accept: str | None, preferred: FrameFormat) -> FrameFormat:
    """The frame format that the request's `Accept` asks for, `preferred` where it leaves the choice.

    Raises:
        InvalidRequest: It allows none.
    """
    if not accept:
        return preferred
    by_type = {media_type: form for form, media_type in MEDIA_TYPES.items()}
    offered = [MEDIA_TYPES[preferred], *(one for one in by_type if one != MEDIA_TYPES[preferred])]
    best = parse_accept_header(accept, MIMEAccept).best_match(offered)
    if best is None:
        raise InvalidRequest(
            "the frame cannot be given in a media type that Accept allows",
            field="header.Accept",
            constraint=f"one of: {listed(offered)}",
            suggestion=offered,
            reason="NOT_ACCEPTABLE",
        )
    return by_type[best]


class FrameResponse(FileResponse):
    """A file sent in large parts: each costs a change of threads, which in small ones is most of the work."""

    chunk_size = 1 << 20


def frame_reply(path: Path, form: FrameFormat, frame: ResultFrame) -> Reply:
    """A result frame's file, whole or in the ranges asked for."""
    headers = {
        "X-Arrow-Rows": str(frame.rows),
        "X-Arrow-Bytes": str(path.stat().st_size),
        "X-Arrow-Schema-Digest": frame.digest,
    }
    if len(base64.b64decode(frame.schema)) <= LONGEST_SCHEMA_HEADER:
        headers["X-Arrow-Schema"] = frame.schema
    return FrameResponse(path, headers=headers, media_type=MEDIA_TYPES[form])
