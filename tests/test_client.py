from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from airpy.client import CallFailed, Client
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

    steps = list(client.steps(token))

    assert [step["step"] for step in steps] == [
        "file_found",
        "loading_data",
        "applying_filters",
        "aggregating",
        "query_complete",
    ]
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
    list(client.steps(token))

    with pytest.raises(CallFailed, match='unknown column "kwhh"; did you mean "kwh"'):
        client.result(token)


@pytest.mark.e2e
def test_another_secret_is_refused(service: Service) -> None:
    with (
        Client(service.url, "another secret, just as long as the right one") as stranger,
        pytest.raises(CallFailed, match="a valid bearer token is required"),
    ):
        stranger.get("health")


def test_a_service_that_is_away_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    with Client(url, SECRET) as client, pytest.raises(CallFailed, match=f"{url}.* cannot be reached"):
        client.get("health")


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
