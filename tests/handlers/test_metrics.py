from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from airpy.errors import InternalFault
from airpy.web.spec import internal, load, operations
from tests.conftest import fresh
from tests.contract.wire import send
from tests.handlers.conftest import Judged
from tests.service import WAIT_S, running_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.handlers.conftest import ByHand
    from tests.service import Service

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(service: Service) -> Samples:
    """Every sample by name and labels, as Prometheus reads it."""
    text = service.get("metrics").text
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    by_name = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in found}
    assert len(by_name) == len(found)
    return by_name


def value(samples: Samples, name: str, **labels: str) -> float:
    """The value of one sample; 0 when it is not there."""
    return samples.get((name, frozenset(labels.items())), 0)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, base: Any, databases: Iterator[str]) -> Iterator[Service]:
    """A service that nobody else uses."""
    with running_service(tmp_path_factory.mktemp("metrics"), base, fresh(next(databases))) as service:
        yield Judged(*service)


def test_metrics_are_in_prometheus_own_format(own: Service) -> None:
    answer = own.get("metrics")

    families = {family.name: family.type for family in text_string_to_metric_families(answer.text)}
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert {name: kind for name, kind in families.items() if not name.endswith("_created")} == {
        "airpy_http_request_seconds": "histogram",
        "airpy_jobs_ended": "counter",
        "airpy_child_exits": "counter",
        "airpy_results_reused": "counter",
        "airpy_job_wait_seconds": "histogram",
        "airpy_job_run_seconds": "histogram",
        "airpy_job_memory_mebibytes": "histogram",
        "airpy_jobs_active": "gauge",
        "airpy_jobs_waiting": "gauge",
        "airpy_jobs_oldest_wait_seconds": "gauge",
        "airpy_worker_slots": "gauge",
        "airpy_dead_letters": "gauge",
        "airpy_redis_memory_ratio": "gauge",
    }


def test_what_was_run_is_what_is_counted(own: Service) -> None:
    before = samples(own)
    good = {"datasource_id": "e", "plan": {"dataset": "energy_parquet"}}
    bad = {"datasource_id": "e", "plan": {"dataset": "energy_parquet", "select": ["kwhh"]}}
    for _ in range(3):
        own.data("query", good)
    for _ in range(2):
        own.run("query", bad)
    own.data("discover", {"datasource_id": "e", "uri": "csv"})

    after = samples(own)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("airpy_jobs_ended_total", type="query", status="completed") == 3
    assert grown("airpy_jobs_ended_total", type="query", status="failed") == 2
    assert grown("airpy_jobs_ended_total", type="discover", status="completed") == 1
    for name in ("wait_seconds", "run_seconds", "memory_mebibytes"):
        assert grown(f"airpy_job_{name}_count", type="query") == 5
        assert grown(f"airpy_job_{name}_bucket", type="query", le="+Inf") == 5
        assert grown(f"airpy_job_{name}_sum", type="query") > 0
    assert value(after, "airpy_jobs_active") == value(after, "airpy_jobs_waiting") == 0
    assert value(after, "airpy_worker_slots") == 2


def test_the_buckets_of_a_histogram_only_grow(own: Service) -> None:
    own.data("query", {"datasource_id": "e", "plan": {"dataset": "energy_parquet"}})

    found = samples(own)

    histograms = {name for name, _ in found if name.endswith("_bucket")}
    assert len(histograms) == 4
    for name in histograms:
        series: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
        for (sample, labels), count in found.items():
            if sample == name:
                bounds = dict(labels)
                bound = float(bounds.pop("le"))
                series.setdefault(frozenset(bounds.items()), []).append((bound, count))
        for buckets in series.values():
            counts = [count for _, count in sorted(buckets)]
            assert counts == sorted(counts)
            assert max(buckets)[0] == float("inf")


def test_jobs_in_line_and_at_work_are_counted(by_hand: ByHand) -> None:
    tokens = [by_hand.submit(f"gauges-{number}") for number in range(3)]
    by_hand.begin()

    found = samples(by_hand.service)

    assert (value(found, "airpy_jobs_active"), value(found, "airpy_jobs_waiting")) == (3, 2)
    assert 0 < value(found, "airpy_jobs_oldest_wait_seconds") < WAIT_S
    for token in tokens:
        by_hand.service.call("DELETE", f"jobs/{token}")
    found = samples(by_hand.service)
    assert value(found, "airpy_jobs_ended_total", type="discover", status="cancelled") == 3
    assert value(found, "airpy_jobs_active") == 0
    assert value(found, "airpy_jobs_oldest_wait_seconds") == 0


def test_a_signal_that_ended_a_child_is_counted(by_hand: ByHand) -> None:
    by_hand.submit("signals")
    claim = by_hand.begin()
    claim.count_exit("SIGSEGV")
    claim.count_exit("SIGSEGV")

    found = samples(by_hand.service)

    assert value(found, "airpy_child_exits_total", signal="SIGSEGV") == 2
    assert value(found, "airpy_dead_letters") == 0
    assert claim.fail(InternalFault("a fault").describe("req_1"), dead=True)
    assert value(samples(by_hand.service), "airpy_dead_letters") == 1


def test_requests_are_counted_by_the_contracts_paths(own: Service) -> None:
    token = own.run("discover", {"datasource_id": "e", "uri": "csv"})["token"]
    before = samples(own)
    for _ in range(4):
        own.get(f"jobs/{token}")
    own.get(f"jobs/{token}/download")
    own.get("jobs/987654321")
    own.call("HEAD", "health")
    own.post("discover", {})

    after = samples(own)

    def grown(method: str, path: str, status: int) -> float:
        labels = {"method": method, "path": f"/v1/py/{path}", "status": str(status)}
        name = "airpy_http_request_seconds_count"
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("GET", "jobs/{token}", 200) == 4
    assert grown("GET", "jobs/{token}", 404) == 1
    assert grown("GET", "jobs/{token}/download", 409) == 1
    assert grown("HEAD", "health", 200) == 1
    assert grown("POST", "discover", 400) == 1


def test_nobody_can_make_more_series(own: Service) -> None:
    methods = ["PROPFIND", "MKCOL", "LOCK", "PURGE", "REPORT"]
    for number in range(20):
        statuses = [
            send(own, "GET", f"/v1/py/nothing/{number}/at-all-{number}").status_code,
            send(own, methods[number % 5], "/v1/py/health").status_code,
            send(own, "POST", f"/v1/py/zipped-{number}", ["Content-Encoding: gzip"], b"x").status_code,
            send(own, "POST", f"/v1/py/large-{number}", ["Content-Length: 1000000000000"]).status_code,
            send(own, "GET", f"/v1/py/docs/{number}").status_code,
            send(own, "GET", f"/v1/py/jobs/{number}", signed=False).status_code,
        ]
    assert statuses == [404, 405, 415, 413, 404, 401]

    found = samples(own)

    known = {operation.path for operation in operations(internal(load()))}
    labels = [dict(labels) for name, labels in found if name == "airpy_http_request_seconds_count"]
    assert {label["path"] for label in labels} - known == {"other"}
    assert {label["method"] for label in labels if label["path"] == "other"} == {"other"}
    assert {label["method"] for label in labels} <= {"GET", "HEAD", "POST", "DELETE", "other"}
    assert len(labels) < 100
