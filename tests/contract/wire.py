"""Sends a service bytes that no client would send, and reads what comes back."""

from __future__ import annotations

import contextlib
import io
import json
import socket
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http.client import HTTPMessage

    from tests.service import Service

WAIT_S = 30


class Heard(NamedTuple):
    """An answer, read to the end of the connection."""

    status_code: int
    headers: HTTPMessage
    content: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


def send(
    service: Service,
    method: str,
    path: str,
    headers: Sequence[str] = (),
    body: bytes = b"",
    *,
    signed: bool = True,
) -> Heard:
    """The answer to a request whose every byte is as given; the connection is closed after it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: airpy", "Connection: close", *headers]
    if signed:
        lines.append(f"Authorization: Bearer {service.token()}")
    if body and not any(line.lower().startswith("transfer-encoding") for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    return parse(exchange(service, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body), method)


def exchange(service: Service, request: bytes) -> bytes:
    """Whatever the service says until it closes the connection, which it must do in time."""
    heard = b""
    with socket.create_connection(("127.0.0.1", cast("int", urlsplit(service.url).port)), WAIT_S) as line:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough
            line.sendall(request)
        with contextlib.suppress(ConnectionResetError):  # it closed before it had read everything
            while part := line.recv(65_536):
                heard += part
    return heard


def parse(heard: bytes, method: str = "GET") -> Heard:
    """The answer in these bytes."""
    response = HTTPResponse(cast("socket.socket", _Heard(heard)), method=method)
    response.begin()
    return Heard(response.status, response.headers, response.read())


class _Heard:
    """What `HTTPResponse` wants of a socket."""

    def __init__(self, heard: bytes) -> None:
        self._heard = heard

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._heard)
