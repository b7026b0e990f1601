from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from connexion.exceptions import BadRequestProblem, OAuthProblem
from starlette.exceptions import HTTPException

from airpy.errors import (
    AirError,
    CapExceeded,
    FileUnavailable,
    InternalFault,
    InvalidRequest,
    JobTimedOut,
    JobUnavailable,
    QueueUnavailable,
    Unauthorized,
)
from airpy.web.problems import TRANSLATIONS, envelope, for_status, status_of
from airpy.web.spec import load

if TYPE_CHECKING:
    from airpy.contract import ErrorCode, ErrorReason

SCHEMAS = load()["components"]["schemas"]

# By the contract: the code and the status of every reason.
REASONS: dict[str, tuple[ErrorCode, int]] = {
    "SCHEMA_VIOLATION": ("VALIDATION_ERROR", 400),
    "MALFORMED_BODY": ("VALIDATION_ERROR", 400),
    "NOT_FOUND": ("VALIDATION_ERROR", 404),
    "METHOD_NOT_ALLOWED": ("VALIDATION_ERROR", 405),
    "NOT_ACCEPTABLE": ("VALIDATION_ERROR", 406),
    "UNSUPPORTED_MEDIA_TYPE": ("VALIDATION_ERROR", 415),
    "BAD_RANGE": ("VALIDATION_ERROR", 416),
    "BODY_TOO_LARGE": ("RESOURCE_CAP", 413),
    "BUDGET_EXCEEDED": ("RESOURCE_CAP", 413),
    "BODY_TIMEOUT": ("TIMEOUT", 408),
    "UNAUTHORIZED": ("AUTH_ERROR", 401),
    "PATH_REFUSED": ("VALIDATION_ERROR", 400),
    "EXTENSION_NOT_ALLOWED": ("VALIDATION_ERROR", 400),
    "AMBIGUOUS_DATASET": ("VALIDATION_ERROR", 400),
    "INVALID_PLAN": ("VALIDATION_ERROR", 400),
    "INVALID_OPTIONS": ("VALIDATION_ERROR", 400),
    "INVALID_FRAME": ("VALIDATION_ERROR", 400),
    "UNKNOWN_COLUMN": ("VALIDATION_ERROR", 400),
    "TYPE_MISMATCH": ("VALIDATION_ERROR", 400),
    "CAST_FAILED": ("VALIDATION_ERROR", 400),
    "JOB_NOT_FOUND": ("VALIDATION_ERROR", 404),
    "JOB_EXPIRED": ("VALIDATION_ERROR", 404),
    "NO_DEAD_LETTER": ("VALIDATION_ERROR", 404),
    "RESULT_NOT_READY": ("VALIDATION_ERROR", 409),
    "NO_RESULT_FRAME": ("VALIDATION_ERROR", 409),
    "IDEMPOTENCY_KEY_REUSED": ("VALIDATION_ERROR", 409),
    "FILE_MISSING": ("IO_ERROR", 422),
    "NO_DATA_FILES": ("IO_ERROR", 422),
    "UNREADABLE_FILE": ("IO_ERROR", 422),
    "EMPTY_FILE": ("IO_ERROR", 422),
    "UNSUPPORTED": ("IO_ERROR", 422),
    "ENCODING": ("IO_ERROR", 422),
    "CONTENT_MISMATCH": ("IO_ERROR", 422),
    "TOO_DEEP": ("IO_ERROR", 422),
    "FAULTY_ROW": ("IO_ERROR", 422),
    "FILE_CHANGED": ("IO_ERROR", 422),
    "TOO_LARGE": ("RESOURCE_CAP", 413),
    "READ_INTERRUPTED": ("IO_ERROR", 422),
    "READER_CRASHED": ("IO_ERROR", 422),
    "PROCESS_KILLED": ("RESOURCE_CAP", 413),
    "WORKER_DIED": ("INTERNAL_ERROR", 500),
    "QUEUE_UNAVAILABLE": ("IO_ERROR", 503),
    "QUEUE_FULL": ("RESOURCE_CAP", 429),
    "MEMORY_CAP": ("RESOURCE_CAP", 413),
    "ROW_CAP": ("RESOURCE_CAP", 413),
    "DISK_FULL": ("RESOURCE_CAP", 413),
    "TIME_LIMIT": ("TIMEOUT", 408),
    "INTERNAL": ("INTERNAL_ERROR", 500),
}


def kinds(of: type[AirError] = AirError) -> list[type[AirError]]:
    return [kind for child in of.__subclasses__() for kind in (child, *kinds(child))]


@pytest.mark.parametrize("reason", SCHEMAS["ErrorReason"]["enum"])
def test_every_reason_has_its_status(reason: ErrorReason) -> None:
    code, status = REASONS[reason]

    assert status_of(code, reason) == status


@pytest.mark.parametrize("code", SCHEMAS["ErrorCode"]["enum"])
def test_every_code_has_a_reason(code: ErrorCode) -> None:
    assert code in {known for known, _ in REASONS.values()}


@pytest.mark.parametrize("kind", kinds())
def test_every_failure_has_a_reason_of_its_code(kind: type[AirError]) -> None:
    assert REASONS[kind.reason][0] == kind.code


def test_the_envelope_has_what_the_contract_shows() -> None:
    error = InvalidRequest(
        "plan.limit: 0 is less than the minimum of 1", field="plan.limit", constraint="minimum: 1"
    )

    status, headers, body = envelope(error, "req_12345")

    assert status == 400
    assert headers == {"content-type": "application/json"}
    assert json.loads(body) == {
        "error": {
            "code": "VALIDATION_ERROR",
            "message": "plan.limit: 0 is less than the minimum of 1",
            "details": {
                "field": "plan.limit",
                "constraint": "minimum: 1",
                "reason": "SCHEMA_VIOLATION",
                "retryable": False,
            },
            "request_id": "req_12345",
        }
    }


def test_field_and_constraint_are_there_when_neither_applies() -> None:
    details = json.loads(envelope(InternalFault("a fault"), "req_1")[2])["error"]["details"]

    assert details == {"field": None, "constraint": None, "reason": "INTERNAL", "retryable": False}


def test_suggestions_come_best_first() -> None:
    error = FileUnavailable("no such file", suggestion=["energy", "energies"], reason="FILE_MISSING")

    assert json.loads(envelope(error, "req_1")[2])["error"]["details"]["suggestion"] == ["energy", "energies"]


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (Unauthorized("no token"), {"www-authenticate": "Bearer"}),
        (CapExceeded("full", reason="QUEUE_FULL"), {"retry-after": "5"}),
        (QueueUnavailable("away"), {"retry-after": "2"}),
        (CapExceeded("long", reason="BODY_TOO_LARGE"), {"connection": "close"}),
        (JobTimedOut("slow", reason="BODY_TIMEOUT"), {"connection": "close"}),
        (JobTimedOut("slow"), {}),
        (CapExceeded("big"), {}),
    ],
)
def test_some_failures_tell_the_client_what_to_do(error: AirError, headers: dict[str, str]) -> None:
    assert envelope(error, "req_1")[1] == {"content-type": "application/json", **headers}


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (QueueUnavailable("away"), True),
        (CapExceeded("full", reason="QUEUE_FULL"), True),
        (CapExceeded("full", reason="DISK_FULL"), True),
        (CapExceeded("big", reason="MEMORY_CAP"), False),
        (JobTimedOut("slow"), False),
        (JobUnavailable("gone"), False),
    ],
)
def test_a_failure_says_whether_another_try_may_succeed(error: AirError, *, retryable: bool) -> None:
    assert error.describe("req_1")["details"]["retryable"] is retryable


def test_half_of_a_surrogate_pair_does_not_break_the_answer() -> None:
    body = envelope(InvalidRequest("what is \ud800?"), "req_1")[2]

    assert json.loads(body)["error"]["message"] == "what is ??"


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, "VALIDATION_ERROR", "MALFORMED_BODY"),
        (401, "AUTH_ERROR", "UNAUTHORIZED"),
        (404, "VALIDATION_ERROR", "NOT_FOUND"),
        (405, "VALIDATION_ERROR", "METHOD_NOT_ALLOWED"),
        (406, "VALIDATION_ERROR", "NOT_ACCEPTABLE"),
        (415, "VALIDATION_ERROR", "UNSUPPORTED_MEDIA_TYPE"),
        (416, "VALIDATION_ERROR", "BAD_RANGE"),
        (500, "INTERNAL_ERROR", "INTERNAL"),
        (502, "INTERNAL_ERROR", "INTERNAL"),
    ],
)
def test_a_bare_status_becomes_a_failure(status: int, code: str, reason: str) -> None:
    error = for_status(status)

    assert (error.code, error.reason) == (code, reason)
    assert error.message


@pytest.mark.parametrize(
    ("raised", "code", "reason"),
    [
        (JobTimedOut("slow"), "TIMEOUT", "TIME_LIMIT"),
        (HTTPException(404), "VALIDATION_ERROR", "NOT_FOUND"),
        (HTTPException(405), "VALIDATION_ERROR", "METHOD_NOT_ALLOWED"),
        (BadRequestProblem(detail="odd"), "VALIDATION_ERROR", "MALFORMED_BODY"),
        (OAuthProblem(), "AUTH_ERROR", "UNAUTHORIZED"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "odd"), "INTERNAL_ERROR", "INTERNAL"),
        (RuntimeError("the secret is hunter2"), "INTERNAL_ERROR", "INTERNAL"),
    ],
)
def test_whatever_is_raised_is_told_in_our_words(raised: Exception, code: str, reason: str) -> None:
    translate = next(translate for kind, translate in TRANSLATIONS if isinstance(raised, kind))

    error = translate(raised)

    assert (error.code, error.reason) == (code, reason)
    assert "hunter2" not in error.message
