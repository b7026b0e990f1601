from __future__ import annotations

import asyncio
import gzip
import re
from typing import TYPE_CHECKING

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from airpy.web.edge import Edge, compressed
from airpy.web.metrics import Requests
from tests.envelope import refused
from tests.web.asgi import ask

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tests.service import Service

LIMIT = 1000


def edge(app: ASGIApp, timeout_s: float = 60) -> Edge:
    return Edge(app, Requests({"paths": {}}), max_body_bytes=LIMIT, body_timeout_s=timeout_s)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body."""
    length = 0
    while True:
        message = await receive()
        length += len(message["body"])
        if not message["more_body"]:
            break
    await JSONResponse({"length": length, "state": scope["state"]})(scope, receive, send)


async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("the secret is hunter2")


async def broken_midway(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("too late")


# Request ids


@pytest.mark.parametrize("given", ["a", "A.b_c-9", "x" * 64, "req_0123456789abcdef"])
def test_a_good_request_id_is_kept(given: str) -> None:
    answer = ask(edge(echo), headers={"X-Request-Id": given})

    assert answer.headers["x-request-id"] == given
    assert answer.json()["state"]["request_id"] == given


@pytest.mark.parametrize(
    "given", [None, "", "x" * 65, "a b", "a\nb", "a\r\nSet-Cookie: x", "é", "a/b", "<script>"]
)
def test_any_other_request_id_is_replaced(given: str | None) -> None:
    answer = ask(edge(echo), headers={} if given is None else {"X-Request-Id": given})

    assert re.fullmatch("req_[0-9a-f]{16}", answer.headers["x-request-id"])


def test_every_request_gets_an_id_of_its_own() -> None:
    ids = {ask(edge(echo)).headers["x-request-id"] for _ in range(20)}

    assert len(ids) == 20


def test_the_request_id_is_in_header_and_envelope_of_a_failure(service: Service) -> None:
    error = refused(service.get("jobs/999999", headers={"X-Request-Id": "mine"}), 404, "JOB_NOT_FOUND")

    assert error["request_id"] == "mine"


# The body


@pytest.mark.parametrize("length", [0, 1, LIMIT])
def test_a_body_up_to_the_limit_is_read(length: int) -> None:
    declared = ask(edge(echo), method="POST", headers={"Content-Length": str(length)}, body=(b"x" * length,))
    in_parts = ask(edge(echo), method="POST", body=(b"x" * (length // 2), b"x" * (length - length // 2)))

    assert declared.json()["length"] == length
    assert in_parts.json()["length"] == length


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({"Content-Length": str(LIMIT + 1)}, (b"",), id="declared"),
        pytest.param({"Content-Length": "9" * 19}, (b"",), id="declared beyond reason"),
        pytest.param({}, (b"x" * LIMIT, b"x"), id="chunked"),
        pytest.param({"Content-Length": "5"}, (b"x" * (LIMIT + 1),), id="longer than declared"),
    ],
)
def test_a_body_over_the_limit_is_refused(headers: dict[str, str], body: tuple[bytes, ...]) -> None:
    answer = ask(edge(echo), method="POST", headers=headers, body=body)

    error = refused(answer, 413, "BODY_TOO_LARGE", code="RESOURCE_CAP")
    assert error["details"]["constraint"] == f"at most {LIMIT} bytes (PY_MAX_BODY_MB)"
    assert error["details"]["field"] == "body"
    assert answer.headers["connection"] == "close"


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    answer = ask(edge(echo, timeout_s=0.05), method="POST", body=(b"{",), stall=True)

    error = refused(answer, 408, "BODY_TIMEOUT", code="TIMEOUT")
    assert error["details"]["constraint"] == "the next part within 0.05 seconds"
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "GZIP", "identity, gzip"])
def test_a_compressed_body_is_refused(encoding: str) -> None:
    body = gzip.compress(b"{}")

    answer = ask(edge(echo), method="POST", headers={"Content-Encoding": encoding}, body=(body,))

    error = refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert error["message"] == "the body must be application/json, and not compressed"


def test_a_body_that_says_it_is_not_compressed_is_read() -> None:
    answer = ask(edge(echo), method="POST", headers={"Content-Encoding": "Identity"}, body=(b"{}",))

    assert answer.json()["length"] == 2


# Paths and protocols


@pytest.mark.parametrize(("length", "status"), [(2048, 200), (2049, 404)])
def test_a_path_is_read_up_to_2048_letters(length: int, status: int) -> None:
    answer = ask(edge(echo), path="/" + "x" * (length - 1))

    assert answer.status_code == status
    if status == 404:
        refused(answer, 404, "NOT_FOUND")


def test_a_websocket_is_closed_before_it_opens() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    asyncio.run(edge(echo)({"type": "websocket"}, receive, send))

    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_the_lifespan_passes_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    asyncio.run(edge(app)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]

    assert seen == ["lifespan"]


@pytest.mark.parametrize("path", ["health/", "jobs/1/", "query/", "/health", "jobs//1"])
def test_a_slash_too_many_is_another_path(service: Service, path: str) -> None:
    answer = service.call("GET", path, follow_redirects=False)

    refused(answer, 404, "NOT_FOUND")
    assert "location" not in answer.headers


def test_another_method_is_told_which_there_are(service: Service) -> None:
    answer = service.call("DELETE", "query")

    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "POST"


# What escapes the application


def test_a_fault_outside_every_handler_is_in_the_envelope() -> None:
    answer = ask(edge(broken))

    error = refused(answer, 500, "INTERNAL", code="INTERNAL_ERROR")
    assert error["message"] == "the service has a fault; the request id finds it in the log"
    assert b"hunter2" not in answer.content


def test_after_a_fault_midway_nothing_more_is_said() -> None:
    answer = ask(edge(broken_midway))

    assert (answer.status_code, answer.content) == (200, b"half")


@pytest.mark.parametrize(
    ("status", "told", "reason", "code"),
    [
        (404, 404, "NOT_FOUND", "VALIDATION_ERROR"),
        (405, 405, "METHOD_NOT_ALLOWED", "VALIDATION_ERROR"),
        (416, 416, "BAD_RANGE", "VALIDATION_ERROR"),
        (400, 416, "BAD_RANGE", "VALIDATION_ERROR"),
        (500, 500, "INTERNAL", "INTERNAL_ERROR"),
    ],
)
def test_an_error_in_plain_text_is_put_into_the_envelope(
    status: int, told: int, reason: str, code: str
) -> None:
    plain = PlainTextResponse("hunter2", status, {"Allow": "GET", "Content-Range": "*/10", "X-Other": "1"})

    answer = ask(edge(plain))

    refused(answer, told, reason, code=code)
    assert b"hunter2" not in answer.content
    assert (answer.headers["allow"], answer.headers["content-range"]) == ("GET", "*/10")
    assert "x-other" not in answer.headers


def test_an_error_in_json_is_left_as_it_is() -> None:
    answer = ask(edge(JSONResponse({"error": "ours"}, 409)))

    assert (answer.status_code, answer.json()) == (409, {"error": "ours"})


def test_head_of_a_failure_has_its_length_and_no_body() -> None:
    answer = ask(edge(broken), method="HEAD")

    assert answer.status_code == 500
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 100


# Compression


@pytest.mark.parametrize(
    ("kind", "length", "smaller"),
    [
        ("application/json", 10_000, True),
        ("application/json", 100, False),
        ("application/vnd.apache.arrow.stream", 10_000, False),
        ("application/vnd.apache.parquet", 10_000, False),
    ],
)
def test_large_json_is_compressed_and_frames_never(kind: str, length: int, *, smaller: bool) -> None:
    content = b'"%s"' % (b"0" * length)

    answer = ask(compressed(Response(content, media_type=kind)), headers={"Accept-Encoding": "gzip"})
    plain = ask(compressed(Response(content, media_type=kind)))

    assert (answer.headers.get("content-encoding") == "gzip") is smaller
    assert "content-encoding" not in plain.headers
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert plain.content == content
    assert (gzip.decompress(answer.content) if smaller else answer.content) == content


def test_a_large_answer_of_the_service_is_compressed(service: Service) -> None:
    body = {"datasource_id": "e", "path": "csv"}

    small = service.post("preview", body, headers={"Accept-Encoding": "gzip"})
    plain = service.post("preview", body, headers={"Accept-Encoding": "identity"})

    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    assert small.json() == plain.json()
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"])


@pytest.mark.parametrize("output", ["arrow", "parquet"])
def test_a_download_keeps_its_length_whatever_may_be_compressed(service: Service, output: str) -> None:
    plan = {"dataset": "energy_parquet"}
    token = service.run("query", {"datasource_id": "e", "plan": plan, "output": output})["token"]

    answer = service.get(f"jobs/{token}/download", headers={"Accept-Encoding": "gzip, br"})

    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == answer.headers["x-arrow-bytes"] == str(len(answer.content))
    assert answer.headers["accept-ranges"] == "bytes"
