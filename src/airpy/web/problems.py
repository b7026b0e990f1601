"""Turns errors into the error envelope; the only place that knows their statuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import structlog
from connexion.exceptions import ProblemException
from connexion.lifecycle import ConnexionResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from airpy.errors import AirError, InternalFault, InvalidRequest, Unauthorized
from airpy.web.spec import operations, template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connexion import AsyncApp
    from connexion.lifecycle import ConnexionRequest

    from airpy.contract import ErrorCode, ErrorReason
    from airpy.web.spec import Contract

__all__ = ["add_error_handlers", "envelope", "for_status", "status_of"]

log = structlog.get_logger(__name__)

STATUSES: dict[ErrorCode, int] = {
    "VALIDATION_ERROR": 400,
    "AUTH_ERROR": 401,
    "TIMEOUT": 408,
    "RESOURCE_CAP": 413,
    "IO_ERROR": 422,
    "INTERNAL_ERROR": 500,
}
FINER_STATUSES: dict[ErrorReason, int] = {
    "NOT_FOUND": 404,
    "JOB_NOT_FOUND": 404,
    "JOB_EXPIRED": 404,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "RESULT_NOT_READY": 409,
    "NO_RESULT_FRAME": 409,
    "IDEMPOTENCY_KEY_REUSED": 409,
    "NO_DEAD_LETTER": 404,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "BAD_RANGE": 416,
    "QUEUE_FULL": 429,
    "QUEUE_UNAVAILABLE": 503,
}
# What the framework says in a status alone, in our words.
REASONS: dict[int, tuple[ErrorReason, str]] = {
    404: ("NOT_FOUND", "there is no such path"),
    405: ("METHOD_NOT_ALLOWED", "the path does not take this method"),
    406: ("NOT_ACCEPTABLE", "the path cannot answer in a media type that Accept allows"),
    415: ("UNSUPPORTED_MEDIA_TYPE", "the body must be application/json, and not compressed"),
    416: ("BAD_RANGE", "the range cannot be read, or lies outside the file"),
}
RETRY_AFTER_S = {"QUEUE_FULL": 5, "QUEUE_UNAVAILABLE": 2}


def status_of(code: ErrorCode, reason: ErrorReason) -> int:
    """The HTTP status of a failure."""
    return FINER_STATUSES.get(reason, STATUSES[code])


def envelope(error: AirError, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer that reports an error."""
    headers = {"content-type": "application/json"}
    if seconds := error.retry_after_s or RETRY_AFTER_S.get(error.reason):
        headers["retry-after"] = str(seconds)
    if error.reason in {"BODY_TOO_LARGE", "BODY_TIMEOUT"}:
        headers["connection"] = "close"  # nobody reads what is left of the body
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = "Bearer"
    body = json.dumps({"error": error.describe(request_id)}, ensure_ascii=False, separators=(",", ":"))
    return status_of(error.code, error.reason), headers, body.encode("utf-8", "replace")


def for_status(status: int, detail: str = "") -> AirError:
    """The error for an answer of which only the status is known."""
    if status in REASONS:
        reason, message = REASONS[status]
        return InvalidRequest(message, reason=reason)
    if status == 401:  # noqa: PLR2004
        return Unauthorized(
            "a valid bearer token is required",
            field="header.Authorization",
            constraint="Bearer, an HS256 JWT with exp, signed with the shared secret",
        )
    if 400 <= status < 500:  # noqa: PLR2004
        return InvalidRequest(detail or "the request is malformed", reason="MALFORMED_BODY")
    return InternalFault("the service has a fault; the request id finds it in the log")


def add_error_handlers(app: AsyncApp, contract: Contract) -> None:
    """Have the application answer every exception with the envelope."""
    methods: dict[str, set[str]] = {}
    types: dict[str, list[str]] = {}
    for operation in operations(contract):
        also = {"HEAD"} if operation.method == "get" else set()
        methods.setdefault(operation.path, set()).update({operation.method.upper()} | also)
        types.setdefault(operation.path, []).extend(
            operation.definition.get("requestBody", {}).get("content", {})
        )
    allowed = {path: ", ".join(sorted(of_path)) for path, of_path in methods.items()}
    for kind, translate in TRANSLATIONS:
        app.add_error_handler(kind, _handler(translate, allowed, types))


def _of_another_type(types: list[str]) -> AirError:
    """The error for a body of a media type that the path does not take."""
    return InvalidRequest(
        f"the body must be {' or '.join(types)}, and not compressed",
        field="header.Content-Type",
        constraint=f"one of: {', '.join(types)}",
        suggestion=types,
        reason="UNSUPPORTED_MEDIA_TYPE",
    )


def _ours(error: AirError) -> AirError:
    return error


def _frameworks(error: Any) -> AirError:  # noqa: ANN401  one of two classes that share no base
    """Starlette's exception, or Connexion's, which has other names for the same things."""
    status = error.status_code if isinstance(error, HTTPException) else error.status
    return for_status(status, str(error.detail or ""))


def _fault(error: Exception) -> AirError:
    log.error("unexpected_error", exc_info=error)
    return InternalFault("the service has a fault; the request id finds it in the log")


def _model(error: ValidationError) -> AirError:
    """The models are laxer than the contract but for depth; what else they refuse is a fault of ours."""
    if any(
        one["type"] == "recursion_depth_exceeded"
        for one in error.errors(include_input=False, include_url=False)
    ):
        return InvalidRequest(
            "the body is nested too deeply",
            field="body",
            constraint="no filter nested more than 32 deep",
            reason="MALFORMED_BODY",
        )
    return _fault(error)


# Connexion's own handler for its exceptions would otherwise answer in its own format.
TRANSLATIONS: tuple[tuple[type[Exception], Callable[[Any], AirError]], ...] = (
    (AirError, _ours),
    (HTTPException, _frameworks),
    (ProblemException, _frameworks),
    (ValidationError, _model),
    (Exception, _fault),
)


def _handler(
    translate: Callable[[Any], AirError], allowed: Mapping[str, str], types: Mapping[str, list[str]]
) -> Callable[[ConnexionRequest, Exception], Any]:
    async def handle(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        told = translate(error)
        if told.reason == "UNSUPPORTED_MEDIA_TYPE" and told.field is None:
            told = _of_another_type(types.get(template(request.scope["path"]), []))
        status, headers, body = envelope(told, request.state.request_id)
        kept = dict(getattr(error, "headers", None) or {})  # 405 carries Allow
        if "Allow" in kept:  # Starlette names the methods of one operation, not those of the path
            kept["Allow"] = allowed.get(template(request.scope["path"]), kept["Allow"])
        return ConnexionResponse(
            status_code=status, headers={**kept, **headers}, mimetype="application/json", body=body
        )

    return handle
