"""The second opinion itself: it must be able to disagree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from jsonschema import ValidationError  # type: ignore[import-untyped]
from openapi_core.exceptions import OpenAPIError

from tests.second_opinion import RESULTS, check_response, check_result

if TYPE_CHECKING:
    from collections.abc import Callable

HEALTH: dict[str, Any] = {
    "status": "ok",
    "versions": dict.fromkeys(
        ["airpy", "python", "pandas", "polars", "pyarrow", "narwhals", "connexion", "dramatiq", "redis"], "1"
    ),
    "memory_usage_mb": 1,
    "workers_active": 1,
    "active_jobs": 0,
    "next_token": 1,
}
HEADERS = {"content-type": "application/json", "x-request-id": "req_1"}


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> httpx2.Response:
    request = httpx2.Request("GET", "http://airpy/v1/py/health")
    return httpx2.Response(status, headers=headers or HEADERS, content=json.dumps(body), request=request)


def test_a_right_answer_is_let_through() -> None:
    check_response(answer(HEALTH))


@pytest.mark.parametrize(
    "wrong",
    [
        answer({**HEALTH, "next_token": "1"}),
        answer({**HEALTH, "extra": 1}),
        answer({key: value for key, value in HEALTH.items() if key != "status"}),
        answer(HEALTH, headers={"content-type": "application/json"}),
        answer(HEALTH, headers={**HEADERS, "content-type": "text/plain"}),
        answer({"error": "text"}, 400),
        answer({"detail": "Connexion's own"}, 404),
    ],
)
def test_a_wrong_answer_is_told(wrong: httpx2.Response) -> None:
    with pytest.raises(OpenAPIError):
        check_response(wrong)


def test_every_kind_of_job_has_a_result() -> None:
    from airpy.jobs.kinds import JOBS

    assert RESULTS.keys() == JOBS.keys()


@pytest.mark.parametrize("spoil", [lambda data: data.pop("files"), lambda data: data.update(total_files="1")])
def test_a_wrong_result_is_told(spoil: Callable[[dict[str, Any]], object]) -> None:
    data: dict[str, Any] = {"files": [], "total_files": 0, "total_size_bytes": 0, "truncated": False}
    job = {"job_type": "discover", "data": data}

    check_result(job)
    spoil(data)

    with pytest.raises(ValidationError):
        check_result(job)
