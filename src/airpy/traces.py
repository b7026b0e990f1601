"""Traces, when an OTLP endpoint is configured: from the caller's request through the queue to the job.

Without `OTEL_EXPORTER_OTLP_ENDPOINT`, or without the extra `airpy[otel]`, every span here is one that records
nothing. OpenTelemetry reads its own variables.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["answered", "configure_traces", "current_traceparent", "flush_traces", "job_span", "request_span"]

log = structlog.get_logger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_MS = 2000
_tracer = trace.get_tracer("airpy")
_propagator = TraceContextTextMapPropagator()


def configure_traces(service: str) -> None:
    """Export the spans of this process under this name, if the environment says where to."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return
    try:
        # An extra, and heavy.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        log.warning("traces_off", needed="airpy[otel]")
        return

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def flush_traces() -> None:
    """Export the spans that are left; a server that ends by a signal has no other time to."""
    flush = getattr(trace.get_tracer_provider(), "force_flush", None)  # of the extra's provider
    if flush is not None:
        flush(FLUSH_MS)


@contextmanager
def request_span(method: str, headers: Mapping[str, str]) -> Iterator[trace.Span]:
    """A span of a request, under the one that its `traceparent` names."""
    parent = _propagator.extract(headers)
    with _tracer.start_as_current_span(f"HTTP {method}", context=parent, kind=trace.SpanKind.SERVER) as span:
        span.set_attribute("http.request.method", method)
        yield span


def answered(span: trace.Span, path: str, status: int) -> None:
    """Say what a request was answered with."""
    span.set_attributes({"url.path": path, "http.response.status_code": status})
    if status >= 500:  # noqa: PLR2004
        span.set_status(trace.StatusCode.ERROR)


@contextmanager
def job_span(kind: str, token: int, attempt: int, traceparent: str | None) -> Iterator[trace.Span]:
    """A span of an attempt at a job, under the request that asked for it."""
    parent = _propagator.extract({"traceparent": traceparent}) if traceparent else context.Context()
    with _tracer.start_as_current_span(f"job {kind}", context=parent, kind=trace.SpanKind.CONSUMER) as span:
        span.set_attributes({"airpy.token": token, "airpy.attempt": attempt, "airpy.kind": kind})
        yield span


def current_traceparent() -> str | None:
    """What names the current span to another process; None when nothing is traced."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")
