"""What a handler can reach: settings, job queue, results, file root, and a child for what answers at once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from connexion import request
from starlette.requests import ClientDisconnect

from airpy.errors import InvalidRequest
from airpy.jobs.queue import Caller
from airpy.traces import current_traceparent
from airpy.web.responses import MEDIA_TYPES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from airpy.config import Settings
    from airpy.files.paths import FileRoot
    from airpy.jobs.changes import Changes
    from airpy.jobs.queue import JobQueue
    from airpy.jobs.results import Results
    from airpy.jobs.sandbox import Sandbox
    from airpy.jobs.store import JobStore
    from airpy.web.metrics import Requests

__all__ = [
    "FRAME_TYPE",
    "AppState",
    "accept_header",
    "body_parts",
    "caller",
    "frame_sent",
    "header",
    "json_sent",
    "query_json",
    "request_id",
    "state",
]

FRAME_TYPE = MEDIA_TYPES["arrow"]
"""Of a body that is a frame."""

T = TypeVar("T")


@dataclass(frozen=True)
class AppState:
    """The collaborators of the handlers, made once when the application starts."""

    settings: Settings
    store: JobStore
    jobs: JobQueue
    results: Results
    files: FileRoot
    sandbox: Sandbox
    changes: Changes
    requests: Requests
    children: asyncio.Semaphore
    """As many children at a time as there are worker slots."""

    async def answer_now(self, function: Callable[..., T], *args: object) -> T:
        """What the function returns, called in a child under the caps of what answers at once.

        Raises:
            AirError: What the function raised, or the cap it went over.
        """
        async with self.children:
            try:
                return await asyncio.to_thread(
                    self.sandbox.call, function, *args, timeout_s=self.settings.timeout_s
                )
            finally:
                _background(asyncio.to_thread(self.sandbox.prepare))


def state() -> AppState:
    """The state of the application that the current request came to."""
    return cast("AppState", request.state.airpy)


def accept_header() -> str | None:
    """What the current request accepts, if it says so."""
    return cast("str | None", request.headers.get("accept"))


def frame_sent() -> bool:
    """Whether the body of the current request is a frame itself, rather than JSON."""
    return cast("str", request.mimetype).lower() == FRAME_TYPE


def json_sent() -> Any:  # noqa: ANN401  JSON is any
    """The body of the current request, which is JSON, as it was read when it was checked."""
    return request.state.body


async def body_parts() -> AsyncIterator[bytes]:
    """The body of the current request, part by part.

    Raises:
        InvalidRequest: It breaks off.
    """
    try:
        async for part in request.stream():
            yield part
    except ClientDisconnect:  # nobody hears it; what was kept so far is let go
        raise InvalidRequest("the body breaks off", field="body", reason="MALFORMED_BODY") from None


def query_json(name: str) -> Any:  # noqa: ANN401  JSON is any
    """What a query parameter spells in JSON, which was validated; None when it was not given."""
    text = request.query_params.get(name)
    return None if text is None else json.loads(text)


def header(name: str) -> str | None:
    """A header of the current request."""
    return cast("str | None", request.headers.get(name))


def caller() -> Caller:
    """What the current request says of its caller."""
    directives = {part.strip().lower() for part in (header("cache-control") or "").split(",")}
    return Caller(
        request_id(), header("idempotency-key"), current_traceparent(), anew="no-cache" in directives
    )


def request_id() -> str:
    """The current request's id."""
    return cast("str", request.state.request_id)


_running: set[asyncio.Task[Any]] = set()


def _background(work: Any) -> None:  # noqa: ANN401  a coroutine
    """Let it run; a task that nothing refers to may be collected before it ends."""
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
