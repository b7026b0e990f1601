"""Shapes the replies handlers share: JSON, job started, job, frame."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar

from starlette.responses import FileResponse, Response
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_etags, quote_etag, unquote_etag

from airpy.errors import InvalidRequest, listed
from airpy.jobs.kinds import JOBS
from airpy.jobs.record import ENDED, rfc3339
from airpy.web.problems import status_of
from airpy.web.spec import BASE_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from airpy.contract import JobType
    from airpy.jobs.record import DeadLetter, Job, ResultFrame, Step

__all__ = [
    "MEDIA_TYPES",
    "PAGE_TYPES",
    "REPORT_TYPES",
    "Page",
    "Reply",
    "accepted",
    "frame_reply",
    "job_reply",
    "job_started",
    "json_reply",
    "markdown_reply",
    "page_reply",
]

Reply = Response

DownloadForm: TypeAlias = Literal["arrow", "parquet", "csv"]
PageForm: TypeAlias = Literal["json", "arrow"]
ReportForm: TypeAlias = Literal["json", "markdown"]
Form = TypeVar("Form", DownloadForm, PageForm, ReportForm)

MEDIA_TYPES: dict[DownloadForm, str] = {
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv",
}
PAGE_TYPES: dict[PageForm, str] = {"json": "application/json", "arrow": MEDIA_TYPES["arrow"]}
REPORT_TYPES: dict[ReportForm, str] = {"json": "application/json", "markdown": "text/markdown"}
EXTENSIONS: dict[DownloadForm, str] = {"arrow": ".arrows", "parquet": ".parquet", "csv": ".csv"}
LONGEST_SCHEMA_HEADER = 4096
POLL_AFTER_S = 1


def json_reply(body: BaseModel | bytes, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """An answer in JSON, given as a model of the contract or as bytes."""
    content = body if isinstance(body, bytes) else body.model_dump_json(by_alias=True, exclude_unset=True)
    return Response(content, status, headers, media_type="application/json")


def markdown_reply(text: str) -> Reply:
    """An answer in Markdown."""
    return Response(text, media_type=REPORT_TYPES["markdown"])


def text_reply(body: bytes, media_type: str) -> Reply:
    """An answer in text."""
    return Response(body, headers={"content-type": media_type})


def json_document(body: Any) -> Reply:  # noqa: ANN401  JSON is any
    """An answer in JSON, given as what it spells."""
    return json_reply(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def job_started(kind: JobType, token: int) -> Reply:
    """The answer that gives a token."""
    body = {"token": token, "status": "started", "message": JOBS[kind].started}
    headers = {"Location": f"{BASE_PATH}/jobs/{token}", "Retry-After": str(POLL_AFTER_S)}
    return json_reply(json.dumps(body).encode(), 202, headers)


def job_reply(job: Job, data: bytes | None, *, waited: bool = False) -> Reply:
    """A job as it stands; `data` is JSON already. Who has waited for news may ask again at once."""
    fields = {
        "token": job.token,
        "job_type": job.kind,
        "status": job.status,
        "steps": [described_step(step) for step in job.steps],
        "progress": job.progress,
        "work": job.work._asdict() if job.work else None,
        "attempt": job.attempt,
        "code": code_of(job),
        "error": job.error,
        "request_id": job.request_id,
        "created_at": rfc3339(job.created_ms),
        "updated_at": rfc3339(job.updated_ms),
        "expires_at": rfc3339(job.expires_ms) if job.expires_ms is not None else None,
        "ttl": job.ttl_s,
    }
    head = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    # A finished job is polled once more at most.
    headers = {} if waited or job.status in ENDED else {"Retry-After": str(POLL_AFTER_S)}
    return json_reply(head[:-1] + b',"data":' + (data or b"null") + b"}", headers=headers)


def code_of(job: Job) -> int:
    """The HTTP status that the work would have had; 200 while it is under way."""
    return 200 if job.error is None else status_of(job.error["code"], job.error["details"]["reason"])


def described_step(step: Step) -> dict[str, Any]:
    """A step as the contract has it."""
    return {
        "step": step.step,
        "message": step.message,
        "timestamp": rfc3339(step.timestamp_ms),
        "duration_ms": step.duration_ms,
        "attempt": step.attempt,
    }


def job_list(jobs: Iterable[Job], next_cursor: int | None) -> Reply:
    """A page of jobs, without steps and data."""
    summaries = [
        {
            "token": job.token,
            "job_type": job.kind,
            "status": job.status,
            "datasource_id": job.source,
            "progress": job.progress,
            "attempt": job.attempt,
            "code": code_of(job),
            "request_id": job.request_id,
            "created_at": rfc3339(job.created_ms),
            "updated_at": rfc3339(job.updated_ms),
        }
        for job in jobs
    ]
    return json_document({"jobs": summaries, "next_cursor": next_cursor})


def dead_letter(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter as the contract has it."""
    return {
        "token": letter.token,
        "job_type": letter.kind,
        "datasource_id": letter.source,
        "request_id": letter.request_id,
        "attempts": letter.attempt,
        "died_at": rfc3339(letter.died_ms),
        "request": letter.request,
        "error": letter.error,
    }


def accepted(accept: str | None, types: Mapping[Form, str], preferred: Form) -> Form:
    """The format among these that the request's `Accept` asks for, `preferred` where it leaves the choice.

    Raises:
        InvalidRequest: It allows none.
    """
    if not accept:
        return preferred
    forms = sorted(types, key=lambda form: form != preferred)
    offered = [types[form] for form in forms]
    best = parse_accept_header(accept, MIMEAccept).best_match(offered)
    if best is None:
        raise InvalidRequest(
            "the answer cannot be given in a media type that Accept allows",
            field="header.Accept",
            constraint=f"one of: {listed(offered)}",
            suggestion=offered,
            reason="NOT_ACCEPTABLE",
        )
    return forms[offered.index(best)]


class FrameResponse(FileResponse):
    """A file sent in large parts: each costs a change of threads, which in small ones is most of the work."""

    chunk_size = 1 << 20


def frame_reply(
    path: Path, form: DownloadForm, frame: ResultFrame, name: str, none_match: str | None
) -> Reply:
    """A result frame's file, whole or in the ranges asked for; who saves it is offered the name.

    Who has it already, as its entity tag among those of `If-None-Match` says, is only told so.
    """
    status = path.stat()
    tag = quote_etag(hashlib.sha256(f"{status.st_mtime_ns}-{status.st_size}".encode()).hexdigest()[:32])
    if none_match and parse_etags(none_match).contains_weak(unquote_etag(tag)[0] or ""):
        return Response(status_code=304, headers={"ETag": tag})
    headers = {
        "ETag": tag,
        "X-Arrow-Rows": str(frame.rows),
        "X-Arrow-Bytes": str(status.st_size),
        "X-Arrow-Schema-Digest": frame.digest,
    }
    if len(base64.b64decode(frame.schema)) <= LONGEST_SCHEMA_HEADER:
        headers["X-Arrow-Schema"] = frame.schema
    filename = name + EXTENSIONS[form]
    return FrameResponse(path, headers=headers, media_type=MEDIA_TYPES[form], filename=filename)


class Page(NamedTuple):
    """Rows of a result frame, and which they are."""

    token: int
    offset: int
    limit: int
    shown: int
    rows: int
    """Of the whole frame."""

    @property
    def next(self) -> str | None:
        """The page after it, if there is one."""
        end = self.offset + self.shown
        return (
            f"{BASE_PATH}/jobs/{self.token}/rows?offset={end}&limit={self.limit}" if end < self.rows else None
        )


def page_reply(page: Page, rows: bytes, schema: bytes | None) -> Reply:
    """A page of rows: as JSON with its schema, or as an Arrow stream without."""
    headers = {"X-Arrow-Rows": str(page.rows)}
    if schema is None:
        if page.next:
            headers["Link"] = f'<{page.next}>; rel="next"'
        return Response(rows, headers=headers, media_type=PAGE_TYPES["arrow"])
    told = {"offset": page.offset, "limit": page.limit, "total_rows": page.rows, "next": page.next}
    tail = json.dumps(told, separators=(",", ":")).encode()
    return json_reply(b'{"rows":' + rows + b',"schema":' + schema + b"," + tail[1:], headers=headers)
