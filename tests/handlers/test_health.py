from __future__ import annotations

import platform
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from airpy import __version__
from tests.envelope import refused

if TYPE_CHECKING:
    from tests.service import Service


def test_health_names_every_version_at_work(service: Service) -> None:
    answer = service.get("health")

    assert answer.status_code == 200
    versions = answer.json()["versions"]
    assert versions.pop("redis")[0].isdigit()
    assert versions == {
        "airpy": __version__,
        "python": platform.python_version(),
        "pandas": version("pandas") if find_spec("pandas") else "not installed",
        "polars": version("polars"),
        "pyarrow": version("pyarrow"),
        "narwhals": version("narwhals"),
        "connexion": version("connexion"),
        "dramatiq": version("dramatiq"),
    }


def test_health_counts_slots_jobs_and_memory(service: Service) -> None:
    health = service.get("health").json()

    assert list(health) == [
        "status",
        "versions",
        "memory_usage_mb",
        "workers_active",
        "active_jobs",
        "next_token",
    ]
    assert health["status"] == "ok"
    assert health["workers_active"] == 2
    assert health["active_jobs"] >= 0
    assert 20 < health["memory_usage_mb"] < 4096


def test_next_token_is_the_one_that_the_next_job_gets(service: Service) -> None:
    announced = service.get("health").json()["next_token"]

    assert service.submit("discover", {"datasource_id": "e", "uri": "csv"}) == announced
    assert service.get("health").json()["next_token"] == announced + 1


def test_head_has_the_headers_of_get_and_no_body(service: Service) -> None:
    answer = service.call("HEAD", "health")

    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 100


def test_health_takes_no_query(service: Service) -> None:
    error = refused(service.get("health?verbose=1&verbose=2"), 400, "SCHEMA_VIOLATION")

    assert error["message"] == "query.verbose: is not known here"
    assert error["details"]["field"] == "query.verbose"


def test_health_without_a_token_is_refused(service: Service) -> None:
    error = refused(
        service.get("health", headers={"Authorization": ""}), 401, "UNAUTHORIZED", code="AUTH_ERROR"
    )

    assert error["message"] == "a valid bearer token is required"
    assert error["details"]["field"] == "header.Authorization"
