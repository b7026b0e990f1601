"""Checks the one shape that every failure has."""

from __future__ import annotations

from typing import Any, Protocol

from airpy.contract import ErrorEnvelope


class Answer(Protocol):
    """What a failure came in."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Any: ...
    def json(self) -> Any: ...


def refused(answer: Answer, status: int, reason: str, code: str = "VALIDATION_ERROR") -> dict[str, Any]:
    """The error in the answer, which must be of this kind and in the envelope."""
    assert answer.status_code == status, answer.json()
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    error: dict[str, Any] = body["error"]
    well_formed(error)
    assert list(body) == ["error"]
    assert (error["code"], error["details"]["reason"]) == (code, reason), error
    assert error["request_id"] == answer.headers["x-request-id"]
    return error


def failed(job: dict[str, Any], status: int, reason: str, code: str = "VALIDATION_ERROR") -> dict[str, Any]:
    """The error of a job, which must have failed in this way."""
    assert job["status"] == "failed", job
    error: dict[str, Any] = job["error"]
    well_formed(error)
    assert (job["code"], error["code"], error["details"]["reason"]) == (status, code, reason), error
    assert error["request_id"] == job["request_id"]
    assert job["data"] is None
    return error


def well_formed(error: dict[str, Any]) -> None:
    """Assert what holds of the error of every failure."""
    ErrorEnvelope.model_validate({"error": error})
    assert error["message"]
    assert {"field", "constraint", "reason", "retryable"} <= error["details"].keys()
    assert "Traceback" not in str(error)
