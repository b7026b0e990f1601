"""Traces, as a collector receives them."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.conftest import fresh
from tests.service import running_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Span(NamedTuple):
    """What a collector is told of a span."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, object]


@pytest.fixture
def collector() -> Iterator[tuple[str, list[Span]]]:
    """The URL of a collector, and the spans that it has received."""
    spans: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            spans.extend(decoded(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", spans
        finally:
            server.shutdown()
            thread.join()


def decoded(body: bytes) -> Iterator[Span]:
    """The spans of an export."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        named = {entry.key: entry.value.string_value for entry in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes: dict[str, object] = {
                    entry.key: getattr(entry.value, str(entry.value.WhichOneof("value")))
                    for entry in span.attributes
                }
                yield Span(
                    named["service.name"],
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    attributes,
                )


@pytest.mark.e2e
def test_a_trace_leads_from_the_caller_through_the_queue_to_the_job(
    tmp_path: Path, base: Path, databases: Iterator[str], collector: tuple[str, list[Span]]
) -> None:
    url, spans = collector
    folder = tmp_path / "service"
    folder.mkdir()
    plan = {"dataset": "energy", "aggs": [{"col": "kwh", "fn": "count"}]}
    with running_service(folder, base, fresh(next(databases)), OTEL_EXPORTER_OTLP_ENDPOINT=url) as service:
        answer = service.post(
            "query",
            {"datasource_id": "energy", "plan": plan},
            headers={"traceparent": f"00-{TRACE}-{CALLER}-01"},
        )
        token = answer.json()["token"]
        service.wait(token)

    # Both have been stopped: what they had not exported by then would be missing.
    request, job = sorted((span for span in spans if span.trace == TRACE), key=lambda span: span.name)
    assert (request.service, request.name, request.parent) == ("airpy-server", "HTTP POST", CALLER)
    assert (job.service, job.name, job.parent) == ("airpy-worker", "job query", request.id)
    assert job.attributes == {"airpy.token": token, "airpy.attempt": 1, "airpy.kind": "query"}


def test_without_the_extra_there_are_no_traces_and_no_fault() -> None:
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None; sys.modules['opentelemetry.exporter'] = None\n"
        "from airpy.traces import configure_traces, current_traceparent, flush_traces, job_span\n"
        "configure_traces('airpy-worker')\n"
        "with job_span('query', 1, 1, None): print(current_traceparent())\n"
        "flush_traces()\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.splitlines()[-1] == "None"
    assert "traces_off" in run.stdout
    assert "airpy[otel]" in run.stdout
