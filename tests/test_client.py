from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from airpy.client import UNREACHABLE, CallFailed, Client
from tests.service import SECRET, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service import Service

QUERY = {
    "datasource_id": "energy",
    "plan": {"dataset": "energy", "groupby": ["site_id"], "aggs": [{"col": "kwh", "fn": "sum"}]},
}


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """A client of the shared service."""
    with Client(service.url, SECRET) as client:
        yield client


@contextlib.contextmanager
def other_server(status: int, body: bytes) -> Iterator[str]:
    """A server of something else, which answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.e2e
def test_a_get_gives_the_answer(client: Client) -> None:
    assert client.get("health")["status"] == "ok"


@pytest.mark.e2e
def test_a_job_can_be_followed_to_its_result(client: Client) -> None:
    token = client.post("query", QUERY)["token"]

    *events, end = client.events(token)

    assert [event.data["step"] for event in events if event.name == "step"] == [
        "file_found",
        "loading_data",
        "applying_filters",
        "aggregating",
        "query_complete",
    ]
    assert end == ("end", {"status": "completed", "code": 200, "error": None})
    assert client.result(token)["rows"] == [
        {"site_id": "site_001", "kwh_sum": 12.0},
        {"site_id": "site_002", "kwh_sum": 24.0},
        {"site_id": "site_003", "kwh_sum": 33.0},
    ]


@pytest.mark.e2e
def test_a_refusal_is_told_in_the_services_words(client: Client) -> None:
    with pytest.raises(CallFailed, match="there is no job 999999999"):
        client.get("jobs/999999999")


@pytest.mark.e2e
def test_a_failed_job_has_no_result(client: Client) -> None:
    plan = {"dataset": "energy", "select": ["kwhh"]}
    token = client.post("query", {"datasource_id": "energy", "plan": plan})["token"]
    *_, end = client.events(token)

    assert (end.name, end.data["status"], end.data["code"]) == ("end", "failed", 400)
    change = {"op": "replace", "path": "/plan/select/0", "value": "kwh"}
    assert end.data["error"]["details"]["suggestion"] == [change]
    with pytest.raises(CallFailed, match='unknown column "kwhh"; did you mean "kwh"'):
        client.result(token)


@pytest.mark.e2e
def test_a_list_is_asked_for_with_what_is_given(client: Client) -> None:
    token = client.post("discover", {"datasource_id": "energy", "uri": "energy"})["token"]
    list(client.events(token))

    (job,) = client.get("jobs", type="discover", status=None, limit=1)["jobs"]

    assert (job["token"], job["status"]) == (token, "completed")


@pytest.mark.e2e
def test_a_job_that_is_not_there_cannot_be_followed(client: Client) -> None:
    with pytest.raises(CallFailed, match="there is no job 999999999") as caught:
        list(client.events(999_999_999))

    assert (caught.value.reason, caught.value.passing) == ("JOB_NOT_FOUND", False)


@pytest.mark.e2e
def test_another_secret_is_refused(service: Service) -> None:
    with (
        Client(service.url, "another secret, just as long as the right one") as stranger,
        pytest.raises(CallFailed, match="a valid bearer token is required"),
    ):
        stranger.get("health")


def test_a_service_that_is_away_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    with (
        Client(url, SECRET) as client,
        pytest.raises(CallFailed, match=f"{url}.* cannot be reached") as caught,
    ):
        client.get("health")

    assert (caught.value.reason, caught.value.passing) == (UNREACHABLE, True)


def test_a_service_that_is_away_from_the_first_is_not_waited_for() -> None:
    with Client(f"http://127.0.0.1:{free_port()}", SECRET) as client, pytest.raises(CallFailed):
        list(client.events(1))


BUSY = b"""{"error": {"code": "IO_ERROR", "message": "the queue is away", "request_id": "r",
    "details": {"field": null, "constraint": null, "reason": "QUEUE_UNAVAILABLE", "retryable": true}}}"""
FIRST = b'id: 1\nevent: step\ndata: {"step":"file_found"}\n\n'
SECOND = b'id: 2\nevent: step\ndata: {"step":"loading_data"}\n\n'
HALF = b'id: 3\nevent: step\ndata: {"ste'
COUNT = b'event: progress\ndata: {"progress":0.5,"work":null}\n\n'
END = b'event: end\ndata: {"status":"completed","code":200,"error":null}\n\n'


@contextlib.contextmanager
def streams(*answers: tuple[int, bytes] | None) -> Iterator[tuple[str, list[str]]]:
    """A server of events that gives each answer once, the stream broken off behind it; None: none at all.

    It gives its URL, and the ids after which a stream was asked for.
    """
    left, ids = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ids.append(self.headers["Last-Event-ID"])
            answer = left.pop(0)
            if answer is not None:
                status, body = answer
                form = "text/event-stream" if status == 200 else "application/json"
                self.send_response(status)
                self.send_header("Content-Type", form)
                self.send_header("Content-Length", str(len(body) + (status == 200)))  # one byte never comes
                self.end_headers()
                self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", ids
        finally:
            server.shutdown()
            thread.join()


def test_a_stream_that_breaks_is_taken_up_after_the_last_step() -> None:
    broken = ((200, FIRST + HALF), None, (503, BUSY), (200, COUNT), (200, SECOND + END))

    with streams(*broken) as (url, ids), Client(url, SECRET) as client:
        events = list(client.events(7))

    assert [event.name for event in events] == ["step", "progress", "step", "end"]
    assert [event.data["step"] for event in events if event.name == "step"] == ["file_found", "loading_data"]
    assert ids == ["0", "1", "1", "1", "1"]


def test_a_service_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airpy.client.PATIENCE_S", 1)

    with (
        streams((200, FIRST), *[(503, BUSY)] * 20) as (url, ids),
        Client(url, SECRET) as client,
        pytest.raises(CallFailed, match="the queue is away"),
    ):
        list(client.events(7))

    assert 3 <= len(ids) < 20


def test_a_job_that_expires_meanwhile_is_not_waited_for() -> None:
    gone = BUSY.replace(b"true", b"false").replace(b"the queue is away", b"job 7 has expired")

    with (
        streams((200, FIRST), (404, gone)) as (url, ids),
        Client(url, SECRET) as client,
        pytest.raises(CallFailed, match="job 7 has expired"),
    ):
        list(client.events(7))

    assert ids == ["0", "1"]


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>Welcome</html>"), (502, b"Bad gateway"), (404, b'{"detail":"?"}'), (500, b"[]")],
)
def test_something_else_at_that_address_is_told(status: int, body: bytes) -> None:
    with (
        other_server(status, body) as url,
        Client(url, SECRET) as client,
        pytest.raises(CallFailed, match=f"is no AIR-Py: it answered {status}"),
    ):
        client.get("health")


def test_something_else_has_no_events() -> None:
    with (
        other_server(200, b"<html>Welcome</html>") as url,
        Client(url, SECRET) as client,
        pytest.raises(CallFailed, match="is no AIR-Py: it answered 200"),
    ):
        list(client.events(1))
