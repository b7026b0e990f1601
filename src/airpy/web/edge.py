"""Wraps the whole application: request ids, body limit, envelope for what escapes, gzip.

What Connexion and Starlette answer past their own error handling ends here: a bad range, a fault outside the
exception middleware, a WebSocket.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from typing import TYPE_CHECKING

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from airpy.errors import AirError, CapExceeded, JobTimedOut
from airpy.traces import answered, request_span
from airpy.web.problems import envelope, for_status
from airpy.web.responses import MEDIA_TYPES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from airpy.web.metrics import Requests

__all__ = ["Edge", "compressed"]

log = structlog.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LONGEST_PATH = 2048


def compressed(app: ASGIApp) -> ASGIApp:
    """The application with JSON gzipped for those who take it; frames are sent as they are, with ranges."""
    return GZipMiddleware(
        app,
        minimum_size=1024,
        compresslevel=1,  # a third of the work of the usual level, for answers a fifth larger
        exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *MEDIA_TYPES.values()),
    )


class Edge:
    """The outermost layer.

    Args:
        app: The application.
        requests: Where what was answered is counted.
        max_body_bytes: The longest body that is read.
        body_timeout_s: How long a client may take to send the next part of it.
    """

    def __init__(
        self, app: ASGIApp, requests: Requests, *, max_body_bytes: int, body_timeout_s: float
    ) -> None:
        self._app = app
        self._requests = requests
        self._max_body_bytes = max_body_bytes
        self._body_timeout_s = body_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Media types are the same in capitals, but the framework would not find their validators.
        scope["headers"] = [
            (name, value.strip().lower() if name == b"content-type" else value)
            for name, value in scope["headers"]
        ]
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id, scope["method"])
        began = time.perf_counter()
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            request_span(scope["method"], headers) as span,
        ):
            try:
                self._check(scope, headers)
                await self._app(scope, self._limited(receive), answer.send)
            except AirError as error:
                await answer.report(error)
            except Exception:
                log.exception("unexpected_error")
                await answer.report(for_status(500))
            seconds = time.perf_counter() - began
            answered(span, scope["path"], answer.status or 0)
            self._requests.add(scope["method"], scope["path"], answer.status or 0, seconds)
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"][:200],
                status=answer.status,
                ms=round(seconds * 1000, 2),
            )

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Refuse what must not reach the application at all."""
        if len(scope["path"]) > LONGEST_PATH:
            raise for_status(404)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise for_status(415)
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self._max_body_bytes:
            raise self._too_large()

    def _limited(self, receive: Receive) -> Receive:
        """The channel with a limit on the body's length and on the wait for its parts."""
        seen = 0
        complete = False

        async def limited() -> Message:
            nonlocal seen, complete
            if complete:  # only a disconnect can follow, and may take its time
                return await receive()
            try:
                async with asyncio.timeout(self._body_timeout_s):  # without a task for every part
                    message = await receive()
            except TimeoutError:
                raise JobTimedOut(
                    "the body did not arrive in time",
                    field="body",
                    constraint=f"the next part within {self._body_timeout_s:g} seconds",
                    reason="BODY_TIMEOUT",
                ) from None
            seen += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if seen > self._max_body_bytes:
                raise self._too_large()
            return message

        return limited

    def _too_large(self) -> CapExceeded:
        return CapExceeded(
            "the body is too large",
            field="body",
            constraint=f"at most {self._max_body_bytes} bytes (PY_MAX_BODY_MB)",
            reason="BODY_TOO_LARGE",
        )


class _Answer:
    """The way back: adds the request id, and puts errors that are no JSON into the envelope."""

    def __init__(self, send: Send, request_id: str, method: str) -> None:
        self._send = send
        self._request_id = request_id
        self._method = method
        self._replaced = False
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            if message["status"] >= 400 and "json" not in headers.get("content-type", ""):  # noqa: PLR2004
                self._replaced = True
                kept = {name: headers[name] for name in ("allow", "content-range") if name in headers}
                # What Starlette refuses with 400 is a Range header that it cannot read.
                status = 416 if message["status"] == 400 else message["status"]  # noqa: PLR2004
                await self.report(for_status(status), kept)
                return
            headers["x-request-id"] = self._request_id
            self.status = message["status"]
            message = {**message, "headers": headers.raw}
        if not self._replaced:
            await self._send(message)

    async def report(self, error: AirError, kept: dict[str, str] | None = None) -> None:
        """Answer with the envelope, unless an answer has begun; then only the connection can tell."""
        if self.status is not None:
            return
        self.status, headers, body = envelope(error, self._request_id)
        headers |= {"x-request-id": self._request_id, "content-length": str(len(body)), **(kept or {})}
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": self.status, "headers": raw})
        await self._send({"type": "http.response.body", "body": b"" if self._method == "HEAD" else body})


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(8)}"
