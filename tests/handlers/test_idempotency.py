from __future__ import annotations

import base64
import json
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import polars as pl
import pyarrow as pa
import pytest

from tests.envelope import refused

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from tests.service import Service


def frame(*values: int) -> dict[str, str]:
    """A small frame, as Go sends it."""
    table = pa.table({"kwh": list(values)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {"type": "arrow", "data": base64.b64encode(sink.getvalue().to_pybytes()).decode()}


# Of every kind: a request, and another.
REQUESTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "discover": ({"datasource_id": "e", "uri": "csv"}, {"datasource_id": "e", "uri": "jsonl"}),
    "infer_schema": (
        {"datasource_id": "e", "uri": "csv/measurements.csv"},
        {"datasource_id": "e", "uri": "jsonl/measurements.jsonl"},
    ),
    "query": (
        {"datasource_id": "e", "plan": {"dataset": "energy_parquet", "limit": 1}},
        {"datasource_id": "e", "plan": {"dataset": "energy_parquet", "limit": 2}},
    ),
    "analyze": (
        {"frame_ref": frame(1, 2, 3), "job_kind": "eda"},
        {"frame_ref": frame(1, 2, 4), "job_kind": "eda"},
    ),
}


@pytest.fixture
def key() -> str:
    """A key that was never used."""
    return str(uuid.uuid4())


def post(service: Service, path: str, body: Any, key: str) -> httpx2.Response:
    """The answer to a request with a key."""
    return service.post(path, body, headers={"Idempotency-Key": key})


def accepted(answer: httpx2.Response) -> int:
    """The token that a request was given."""
    assert answer.status_code == 202, answer.text
    token: int = answer.json()["token"]
    assert answer.headers["location"] == f"/v1/py/jobs/{token}"
    return token


@pytest.mark.parametrize("path", REQUESTS)
def test_the_same_request_gives_the_same_token(service: Service, path: str, key: str) -> None:
    body, _ = REQUESTS[path]

    first = accepted(post(service, path, body, key))
    second = accepted(post(service, path, body, key))
    job = service.wait(first)
    third = accepted(post(service, path, body, key))
    without = service.submit(path, body)

    assert first == second == third
    assert job["status"] == "completed"
    assert without > first


@pytest.mark.parametrize("path", REQUESTS)
def test_the_same_key_with_another_body_is_refused(service: Service, path: str, key: str) -> None:
    body, other = REQUESTS[path]
    token = accepted(post(service, path, body, key))

    error = refused(post(service, path, other, key), 409, "IDEMPOTENCY_KEY_REUSED")

    assert error["message"] == f"this idempotency key came with another request before, which is job {token}"
    assert error["details"]["field"] == "header.Idempotency-Key"
    assert error["details"]["retryable"] is False
    assert accepted(post(service, path, body, key)) == token


def test_the_same_key_and_body_on_another_path_is_refused(service: Service, key: str) -> None:
    body = {"datasource_id": "e", "uri": "csv/measurements.csv"}
    accepted(post(service, "discover", body, key))

    refused(post(service, "infer_schema", body, key), 409, "IDEMPOTENCY_KEY_REUSED")


def test_what_is_spelt_otherwise_is_the_same_request(service: Service, key: str) -> None:
    body = {"datasource_id": "e", "uri": "csv"}
    turned = json.dumps({"uri": "csv", "datasource_id": "e"}, indent=4)

    first = accepted(post(service, "discover", body, key))
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    second = accepted(service.call("POST", "discover", content=turned, headers=headers))

    assert first == second


@pytest.mark.parametrize("path", REQUESTS)
@pytest.mark.parametrize("bad", ["", "a b", "a/b", "é", "x" * 129])
def test_a_key_that_is_none_is_refused(service: Service, path: str, bad: str) -> None:
    body, _ = REQUESTS[path]
    headers = [("Idempotency-Key", bad.encode("latin-1"))]

    answer = service.call("POST", path, json=body, headers=dict(headers))

    error = refused(answer, 400, "SCHEMA_VIOLATION")
    assert error["details"]["field"] == "header.Idempotency-Key"
    assert error["details"]["constraint"] == "pattern: ^[A-Za-z0-9._:-]{1,128}$"


@pytest.mark.parametrize("good", ["a", "A.b_c:d-9", "x" * 128])
def test_a_key_may_be_of_letters_digits_and_some_signs(service: Service, good: str) -> None:
    assert accepted(post(service, "discover", {"datasource_id": "good", "uri": "csv"}, good)) > 0


@pytest.mark.parametrize("path", REQUESTS)
def test_a_request_whose_answer_was_lost_is_not_done_twice(service: Service, path: str, key: str) -> None:
    body, _ = REQUESTS[path]
    before = service.get("health").json()["next_token"]
    for answer_begun in (True, False, True, False):
        send_and_hang_up(service, path, body, key, answer_begun=answer_begun)

    token = accepted(post(service, path, body, key))

    assert token == before
    assert service.get("health").json()["next_token"] == token + 1
    assert service.wait(token)["status"] == "completed"


def test_requests_at_the_same_moment_are_one_job(service: Service, key: str) -> None:
    body, _ = REQUESTS["query"]

    with ThreadPoolExecutor(20) as pool:
        tokens = {accepted(one) for one in pool.map(lambda _: post(service, "query", body, key), range(20))}

    assert len(tokens) == 1


def test_the_token_is_given_again_when_the_data_has_gone_since(
    service: Service, base: Path, key: str
) -> None:
    path = base / "_passing.parquet"
    pl.DataFrame({"n": [1]}).write_parquet(path)
    body = {"datasource_id": "e", "plan": {"dataset": "_passing.parquet"}}
    token = accepted(post(service, "query", body, key))
    service.wait(token)
    path.unlink()

    assert accepted(post(service, "query", body, key)) == token
    refused(service.post("query", body), 422, "FILE_MISSING", code="IO_ERROR")


def test_a_request_that_is_refused_leaves_its_key_unused(service: Service, key: str) -> None:
    body, _ = REQUESTS["query"]
    refused(
        post(service, "query", {**body, "plan": {"dataset": "nothing"}}, key), 422, "FILE_MISSING", "IO_ERROR"
    )
    refused(post(service, "query", {**body, "output": "xml"}, key), 400, "SCHEMA_VIOLATION")

    assert accepted(post(service, "query", body, key)) > 0


def send_and_hang_up(service: Service, path: str, body: Any, key: str, *, answer_begun: bool) -> None:
    """Send a request and end the connection, at once or when the answer has begun."""
    content = json.dumps(body).encode()
    head = [
        f"POST /v1/py/{path} HTTP/1.1",
        "Host: airpy",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        f"Authorization: Bearer {service.token()}",
        f"Idempotency-Key: {key}",
    ]
    port = cast("int", urlsplit(service.url).port)
    with socket.create_connection(("127.0.0.1", port), 30) as line:
        line.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + content)
        if answer_begun:
            line.recv(1)
