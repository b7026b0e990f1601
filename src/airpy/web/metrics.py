"""Metrics in Prometheus's format: this server's requests, and the whole service's jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from airpy.jobs.counters import BOUNDS
from airpy.jobs.kinds import JOBS
from airpy.web.spec import operations, template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.core import Metric

    from airpy.jobs.store import Census
    from airpy.web.spec import Contract

__all__ = ["CONTENT_TYPE", "Requests", "exposition"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HISTOGRAMS = {
    "wait": ("airpy_job_wait_seconds", "Time in line, from accepted to begun"),
    "run": ("airpy_job_run_seconds", "Time at work"),
    "memory": ("airpy_job_memory_mebibytes", "The most anonymous memory in use"),
}

GAUGES: dict[str, tuple[str, Callable[[Census], float]]] = {
    "airpy_jobs_active": ("Jobs that have not ended", lambda census: census.active),
    "airpy_jobs_waiting": ("Jobs in line", lambda census: census.waiting),
    "airpy_jobs_oldest_wait_seconds": (
        "Time in line of the job that waits longest",
        lambda census: census.oldest_s,
    ),
    "airpy_worker_slots": ("Worker slots that are alive", lambda census: census.slots),
    "airpy_dead_letters": ("Jobs that died and that nobody has looked into", lambda census: census.dead),
    "airpy_redis_memory_ratio": (
        "How much of its memory Redis uses; 0 when it has no bound",
        lambda census: census.memory_share,
    ),
}


class Requests:
    """The HTTP requests of this server.

    Args:
        contract: Whose operations are told apart. All else counts as one, so that nobody can make more.
    """

    def __init__(self, contract: Contract) -> None:
        self._known = {(operation.method.upper(), operation.path) for operation in operations(contract)}
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "airpy_http_request_seconds",
            "Time from request to the end of the answer",
            ("method", "path", "status"),
            registry=self.registry,
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
        )

    def add(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        place = template(path)
        known = ("GET" if method == "HEAD" else method, place) in self._known
        self._seconds.labels(*((method, place) if known else ("other", "other")), status).observe(seconds)


def exposition(requests: Requests, counters: Mapping[str, float], census: Census) -> bytes:
    """Everything that is measured, as Prometheus reads it."""
    jobs = CollectorRegistry(auto_describe=False)
    jobs.register(_Jobs(counters, census))
    return generate_latest(requests.registry) + generate_latest(jobs)


class _Jobs:
    """What was counted of jobs in Redis, and how the queue stands."""

    def __init__(self, counters: Mapping[str, float], census: Census) -> None:
        self._counters = counters
        self._census = census

    def collect(self) -> Iterator[Metric]:
        """The metrics, as the client library asks for them."""
        ended = CounterMetricFamily("airpy_jobs_ended", "Jobs by type and outcome", labels=["type", "status"])
        exits = CounterMetricFamily("airpy_child_exits", "Children ended by a signal", labels=["signal"])
        reused = CounterMetricFamily("airpy_results_reused", "Jobs answered with the result of an equal one")
        reused.add_metric([], self._counters.get("reused", 0))
        for name, amount in sorted(self._counters.items()):
            what, *labels = name.split(":")
            if what == "ended":
                ended.add_metric(labels, amount)
            elif what == "exit":
                exits.add_metric(labels, amount)
        yield ended
        yield exits
        yield reused
        for what, (name, help_text) in HISTOGRAMS.items():
            yield self._histogram(what, name, help_text)
        for name, (help_text, measured) in GAUGES.items():
            yield GaugeMetricFamily(name, help_text, measured(self._census))

    def _histogram(self, what: str, name: str, help_text: str) -> HistogramMetricFamily:
        family = HistogramMetricFamily(name, help_text, labels=["type"])
        for kind in JOBS:
            if f"{what}:{kind}:+Inf" in self._counters:
                bounds = [*(f"{bound:g}" for bound in BOUNDS[what]), "+Inf"]
                buckets = [(bound, self._counters.get(f"{what}:{kind}:{bound}", 0)) for bound in bounds]
                family.add_metric([kind], buckets, self._counters.get(f"{what}:{kind}:sum", 0))
        return family
