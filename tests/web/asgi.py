"""Asks an ASGI application without a server between."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message

Body = tuple[bytes, ...]


class Asked(NamedTuple):
    """What an application answered."""

    status_code: int
    headers: Headers
    content: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


def ask(
    app: ASGIApp,
    path: str = "/",
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: Body = (b"",),
    *,
    stall: bool = False,
) -> Asked:
    """The application's answer to a request whose body comes in these parts, or never ends if it stalls."""
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": raw,
        "server": ("test", 80),
        "client": ("test", 1),
    }
    parts: list[Message] = [
        {"type": "http.request", "body": part, "more_body": stall or number < len(body)}
        for number, part in enumerate(body, 1)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        if parts:
            return parts.pop(0)
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def answered() -> None:
        await app(scope, receive, send)

    asyncio.run(answered())
    start, *rest = sent
    return Asked(
        start["status"], Headers(raw=start["headers"]), b"".join(part.get("body", b"") for part in rest)
    )
