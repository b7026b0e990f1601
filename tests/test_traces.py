"""The trace of a request, from the caller through the queue to the job, as a collector gets it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import psutil
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.conftest import fresh
from tests.service import running_service, wait_until, worker_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.service import Service

pytestmark = pytest.mark.e2e

CALLER = "b7ad6b7169203331"
QUERY = {"datasource_id": "energy-files", "plan": {"dataset": "energy_parquet"}}
SERVER, CONSUMER = 2, 5
"""Kinds of span, as OTLP numbers them."""
ERROR = 2


class Span(NamedTuple):
    """A span as it was exported."""

    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    status: int
    attributes: dict[str, Any]


class Collector:
    """An OTLP/HTTP receiver on loopback."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.requests = 0
        collector = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests += 1
                if self.path == "/v1/traces":
                    collector.spans.extend(spans_in(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def of_trace(self, trace: str) -> list[Span]:
        """The spans of one trace that have come."""
        return [span for span in self.spans if span.trace == trace]

    def attempts(self, token: int, before: int) -> list[Span]:
        """The attempts at a job among the later spans; an earlier service had a job of that token too."""
        return [span for span in self.spans[before:] if span.attributes.get("airpy.token") == token]


def spans_in(body: bytes) -> Iterator[Span]:
    """The spans of an export."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        named = {entry.key: entry.value.string_value for entry in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = {
                    entry.key: getattr(entry.value, entry.value.WhichOneof("value"))
                    for entry in span.attributes
                }
                yield Span(
                    named["service.name"],
                    span.name,
                    span.kind,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.status.code,
                    attributes,
                )


@pytest.fixture
def trace() -> str:
    """The trace of a caller, which no other test is in."""
    return secrets.token_hex(16)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """A collector that listens."""
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        thread.join()
        collector.server.server_close()


@pytest.fixture(scope="module")
def traced(
    tmp_path_factory: pytest.TempPathFactory, base: Path, databases: Iterator[str], collector: Collector
) -> Iterator[Service]:
    """A service that exports its traces there."""
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    url = fresh(next(databases))
    with running_service(tmp_path_factory.mktemp("traced"), base, url, **settings) as service:
        yield service


def test_a_callers_trace_leads_through_the_queue_to_the_job(
    traced: Service, collector: Collector, trace: str
) -> None:
    headers = {"traceparent": f"00-{trace}-{CALLER}-01"}
    token = traced.post("query", QUERY, headers=headers).json()["token"]
    job = traced.wait(token)

    wait_until(lambda: len(collector.of_trace(trace)) == 2)
    request, attempt = sorted(collector.of_trace(trace), key=lambda span: span.kind)
    assert job["status"] == "completed"
    assert (request.service, request.name, request.kind) == ("airpy-server", "HTTP POST", SERVER)
    assert request.parent == CALLER
    assert request.attributes == {
        "http.request.method": "POST",
        "url.path": "/v1/py/query",
        "http.response.status_code": 202,
    }
    assert (attempt.service, attempt.name, attempt.kind) == ("airpy-worker", "job query", CONSUMER)
    assert attempt.parent == request.id
    assert attempt.attributes == {"airpy.kind": "query", "airpy.token": token, "airpy.attempt": 1}


def test_a_request_without_a_trace_begins_one(traced: Service, collector: Collector) -> None:
    before = len(collector.spans)
    token = traced.submit("discover", {"datasource_id": "e", "uri": "csv"})
    traced.wait(token)

    wait_until(lambda: collector.attempts(token, before))
    (attempt,) = collector.attempts(token, before)
    wait_until(lambda: len(collector.of_trace(attempt.trace)) == 2)
    (request,) = [span for span in collector.of_trace(attempt.trace) if span.kind == SERVER]
    assert request.parent == ""
    assert attempt.parent == request.id


@pytest.mark.parametrize("parent", ["nonsense", f"00-{'0' * 32}-{CALLER}-01", f"ff-{'a' * 32}-{CALLER}-01"])
def test_a_traceparent_that_is_none_is_left_out_of_account(
    traced: Service, collector: Collector, parent: str
) -> None:
    before = len(collector.spans)
    token = traced.post("query", QUERY, headers={"traceparent": parent}).json()["token"]

    assert traced.wait(token)["status"] == "completed"
    wait_until(lambda: collector.attempts(token, before))
    assert collector.attempts(token, before)[0].trace not in {"", "0" * 32, "a" * 32}


def test_what_is_left_is_exported_when_the_service_stops(
    tmp_path: Path, base: Path, databases: Iterator[str], collector: Collector, trace: str
) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    with running_service(tmp_path, base, fresh(next(databases)), **settings) as service:
        answer = service.post("query", QUERY, headers={"traceparent": f"00-{trace}-{CALLER}-01"})
        service.wait(answer.json()["token"])
        before = len(collector.of_trace(trace))

    assert before == 0
    assert {span.kind for span in collector.of_trace(trace)} == {SERVER, CONSUMER}


RECORDED = """
import sys
from airpy.traces import configure_traces, job_span, request_span

configure_traces("airpy-test")
with request_span("GET", {"traceparent": sys.argv[1]}) as request:
    with job_span("query", 1, 1, sys.argv[1]) as job:
        print(request.is_recording(), job.is_recording(), "opentelemetry.sdk" in sys.modules)
"""


@pytest.mark.parametrize(
    ("variable", "recorded"),
    [
        (None, "False False False"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "True True True"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "True True True"),
    ],
)
def test_nothing_is_recorded_unless_there_is_an_endpoint(
    collector: Collector, trace: str, variable: str | None, recorded: str
) -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    environment |= {variable: f"{collector.url}/v1/traces"} if variable else {}

    ended = subprocess.run(
        [sys.executable, "-c", RECORDED, f"00-{trace}-{CALLER}-01"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert ended.stdout.strip() == recorded
    assert ended.stderr == ""


def test_without_an_endpoint_a_service_exports_nothing(service: Service, trace: str) -> None:
    headers = {"traceparent": f"00-{trace}-{CALLER}-01"}
    token = service.post("query", QUERY, headers=headers).json()["token"]
    service.wait(token)

    worker = worker_process(service)
    server = psutil.Process(service.processes["server"].pid)
    known = {urlsplit(service.url).port, urlsplit(service.redis_url).port}
    others = [
        line.raddr
        for process in (server, worker)
        for line in process.net_connections("inet")
        if line.raddr and not known & {line.laddr.port, line.raddr.port}
    ]
    assert others == []
