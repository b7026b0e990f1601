"""Requests that no good client sends, and a raw client that sends anything."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

ANSWER_S = 60
BODY_MB = 1
PATHS = ("discover", "infer_schema", "preview", "query", "analyze")
GOOD: dict[str, dict[str, Any]] = {
    "discover": {"datasource_id": "a", "uri": "files", "recurse": True, "max_files": 3},
    "infer_schema": {"datasource_id": "a", "uri": "counted.csv", "sample_files": 2, "infer_rows": 9},
    "preview": {"datasource_id": "a", "uri": "counted.csv"},
    "query": {
        "datasource_id": "a",
        "plan": {
            "dataset": "numbers",
            "select": ["n"],
            "filters": [{"col": "n", "op": "<", "val": 3}],
            "order": [{"col": "n", "dir": "asc"}],
            "limit": 2,
        },
    },
    "analyze": {"datasource_id": "a", "plan": {"dataset": "numbers"}, "job_kind": "eda", "options": {}},
}
NONSENSE: tuple[Any, ...] = (
    *(None, True, -1, 0, 0.5, 2**63, 10**400, "", "\x00", "\ud800", "../../etc/passwd", "a" * 70_000),
    *([], {}, [[]], {"": {}}, ["a"] * 2000, "=cmd()", "file:///etc/passwd", "s3://bucket/a.csv", "%00", "*"),
)
VALUES = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"01",
    b"+1",
    b"'a'",
    b"{,}",
    b'"\\ud800"',
    b'"\xff"',
    b"9" * 5000,
)


class Sent(NamedTuple):
    """Bytes to send, and whether the connection is of use afterwards."""

    data: bytes
    is_http: bool = True
    """Whether it is so well formed that there must be an answer."""


def signed(method: str, path: str, token: str, body: bytes = b"", *headers: str) -> bytes:
    """A request as a client writes it."""
    lines = [f"{method} /v1/py/{path} HTTP/1.1", "Host: airpy", f"Authorization: Bearer {token}", *headers]
    if body:
        lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def bad_request(dice: random.Random, token: str) -> Sent:
    """Something malformed, hostile or oversized."""
    return dice.choice(KINDS)(dice, token)


def wrong_value(dice: random.Random, token: str) -> Sent:
    """A good body in which one value is nonsense, or a key is."""
    path = dice.choice(PATHS)
    body = json.loads(json.dumps(GOOD[path]))
    place = body
    while (
        inner := [value for value in place.values() if isinstance(value, dict) and value]
    ) and dice.random() < 0.7:
        place = dice.choice(inner)
    place[dice.choice([*place, "else", "__class__"])] = dice.choice(NONSENSE)
    place |= {"": 0}  # whatever the nonsense is, this is not allowed
    return Sent(signed("POST", path, token, json.dumps(body).encode()))


def broken_json(dice: random.Random, token: str) -> Sent:
    """A body that is no JSON, or none that may be sent."""
    whole = json.dumps(GOOD[path := dice.choice(PATHS)]).encode()
    cut = dice.randrange(1, len(whole))
    body = dice.choice(
        (
            whole[:cut],
            whole[:cut] + dice.randbytes(3) + whole[cut:] + b"}",
            b'{"datasource_id":' + dice.choice(VALUES) + b"}",
            b"[" * 100_000,
            b'{"a":' * 5000 + b"1" + b"}" * 5000,
            whole[:-1] + b',"datasource_id":"b"}',
            whole.decode().encode("utf-16"),
            dice.randbytes(200),
            b" ",
        )
    )
    return Sent(signed("POST", path, token, body))


def wrong_frame(dice: random.Random, token: str) -> Sent:
    """A frame that is none, or not in base64."""
    data = dice.choice(("====", "a", "\u00e9", base64.b64encode(dice.randbytes(50)).decode() + "!"))
    body = {"frame_ref": {"type": "arrow", "data": data}, "job_kind": "eda", "more": 1}
    return Sent(signed("POST", "analyze", token, json.dumps(body).encode()))


def wrong_place(dice: random.Random, token: str) -> Sent:
    """A path, a token or a parameter that is not there."""
    path = dice.choice(
        (
            *(
                "jobs/-1",
                "jobs/0",
                "jobs/01",
                "jobs/1.0",
                f"jobs/{2**63}",
                "jobs/%EF%BC%91",
                "jobs/999999999",
                "jobs/x",
            ),
            *(
                "jobs/1?wait=-1",
                "jobs/1?wait=1e9",
                "jobs/1?since=x",
                "jobs?limit=0",
                "jobs?cursor=%00",
                "jobs?status=x",
            ),
            *(
                "nowhere",
                "..%2f..%2fetc%2fpasswd",
                "%00",
                "jobs/../../x",
                "a" * 5000,
                "jobs/1/download/",
                "//",
            ),
            *(
                "dead-letters/0",
                "dead-letters/x",
                f"dead-letters/{10**30}",
                "health?x=1",
                "jobs/9999999/events",
            ),
        )
    )
    method = dice.choice(("GET", "GET", "GET", "DELETE", "PUT", "PATCH", "TRACE", "OPTIONS", "BREW"))
    return Sent(signed(method, path, token) if method != "GET" else signed("GET", path, token))


def wrong_signature(dice: random.Random, token: str) -> Sent:
    """A request that nobody signed, or somebody else did."""
    head, body, signature = token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    forged = dice.choice(
        (
            "",
            "x",
            f"{none}.{body}.",
            f"{head}.{body}.",
            f"{head}.{body}.{signature[::-1]}",
            "a" * 20_000,
            f"{head}.{head}.{signature}",
        )
    )
    path = dice.choice(PATHS)
    return Sent(signed("POST", path, forged, json.dumps(GOOD[path]).encode()))


def wrong_header(dice: random.Random, token: str) -> Sent:
    """A header that is refused."""
    header = dice.choice(
        (
            *(
                "Content-Encoding: gzip",
                "Content-Encoding: br",
                f"Idempotency-Key: {'k' * 5000}",
                "Idempotency-Key: \xff",
            ),
            *("Content-Type: text/html; x=1", "Content-Type: application/xml"),
        )
    )
    return Sent(signed("POST", "discover", token, b'{"datasource_id":1}', header))


def too_large(dice: random.Random, token: str) -> Sent:
    """A body over the limit: said so, or in chunks that tell nothing beforehand."""
    size = dice.randint((BODY_MB << 20) + 1, 2 * BODY_MB << 20)
    if dice.random() < 0.5:
        return Sent(
            signed("POST", "query", token, b"", f"Content-Length: {size}", "Content-Type: application/json")
        )
    chunk = b"ffff\r\n" + b" " * 0xFFFF + b"\r\n"
    head = signed("POST", "query", token, b"", "Transfer-Encoding: chunked", "Content-Type: application/json")
    return Sent(head + chunk * (size // 0xFFFF + 1) + b"0\r\n\r\n")


def no_http(dice: random.Random, token: str) -> Sent:
    """Bytes that are hardly a request."""
    whole = signed("POST", "query", token, json.dumps(GOOD["query"]).encode())
    return Sent(
        dice.choice(
            (
                dice.randbytes(100),
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"GET / HTTP/9.9\r\n\r\n",
                b"GET  HTTP/1.1\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                whole[: dice.randrange(10, len(whole))],
                whole.replace(b"Host", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nHost"),
                whole.replace(b"Host: airpy", b"Host: a\x00b"),
                whole.replace(b"Host", b"X: " + b"y" * 100_000 + b"\r\nHost"),
                signed("POST", "query", token, b"", "Transfer-Encoding: chunked") + b"zz\r\nab\r\n",
            )
        ),
        is_http=False,
    )


KINDS: tuple[Callable[[random.Random, str], Sent], ...] = (
    wrong_value,
    wrong_value,
    broken_json,
    wrong_frame,
    wrong_place,
    wrong_place,
    wrong_signature,
    wrong_header,
    too_large,
    no_http,
)


class Line:
    """A connection that is opened again when it is gone."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def exchange(self, sent: Sent) -> tuple[int, bytes]:
        """Status and body of the answer; 0 when there is none."""
        if self._writer is None or not sent.is_http:
            await self.close()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        try:
            with contextlib.suppress(ConnectionError):  # it may have heard enough, and said so
                self._writer.write(sent.data)
                await self._writer.drain()
            if not sent.is_http:
                self._writer.write_eof()
            async with asyncio.timeout(ANSWER_S):
                status, body, is_open = await heard(self._reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            status, body, is_open = 0, b"", False
        if not is_open or not sent.is_http or status in {413, 415}:
            await self.close()
        return status, body

    async def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()
            self._writer = None


async def heard(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Status and body of an answer, and whether the connection stays open."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    status = int(lines[0].split()[1])
    body = b""
    if fields.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    elif status != 204:
        body = await reader.readexactly(int(fields.get("content-length", "0")))
    return status, body, fields.get("connection") != "close"
