"""Every failure AIR-Py reports on purpose, as one tree.

    AirError                    code               reason, unless the raiser names a finer one
    ├── InvalidRequest          VALIDATION_ERROR   SCHEMA_VIOLATION
    │   ├── PathRefused         VALIDATION_ERROR   PATH_REFUSED
    │   ├── AmbiguousDataset    VALIDATION_ERROR   AMBIGUOUS_DATASET
    │   ├── InvalidPlan         VALIDATION_ERROR   INVALID_PLAN
    │   │   ├── UnknownColumn   VALIDATION_ERROR   UNKNOWN_COLUMN
    │   │   └── TypeMismatch    VALIDATION_ERROR   TYPE_MISMATCH
    │   ├── InvalidOptions      VALIDATION_ERROR   INVALID_OPTIONS
    │   ├── InvalidFrame        VALIDATION_ERROR   INVALID_FRAME
    │   ├── JobUnavailable      VALIDATION_ERROR   JOB_NOT_FOUND
    │   └── IdempotencyConflict VALIDATION_ERROR   IDEMPOTENCY_KEY_REUSED
    ├── FileUnavailable         IO_ERROR           UNREADABLE_FILE
    ├── QueueUnavailable        IO_ERROR           QUEUE_UNAVAILABLE
    ├── JobTimedOut             TIMEOUT            TIME_LIMIT
    ├── CapExceeded             RESOURCE_CAP       MEMORY_CAP
    ├── Unauthorized            AUTH_ERROR         UNAUTHORIZED
    └── InternalFault           INTERNAL_ERROR     INTERNAL

Each says what was wrong, what was allowed and the nearest right answer. Which HTTP status a failure has
is known to `airpy.web.problems` alone.
"""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airpy.contract import ErrorDetails, JobError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airpy.contract import ErrorCode, ErrorReason, Fault, JsonPatchOperation, PlanEstimate, PostMortem

__all__ = [
    "AirError",
    "AmbiguousDataset",
    "CapExceeded",
    "FileUnavailable",
    "IdempotencyConflict",
    "InternalFault",
    "InvalidFrame",
    "InvalidOptions",
    "InvalidPlan",
    "InvalidRequest",
    "JobTimedOut",
    "JobUnavailable",
    "PathRefused",
    "QueueUnavailable",
    "TypeMismatch",
    "Unauthorized",
    "UnknownColumn",
    "did_you_mean",
    "nearest",
    "within",
]


class AirError(Exception):
    """A failure that the caller is told about.

    Args:
        message: For a person to read.
        field: What part of the request is meant, as in `plan.filters[0].op`.
        constraint: What it had to be.
        suggestion: The nearest right answers, best first.
        repair: A change of the request that was tried and works, in place of a suggestion.
        fault: The place in a file where something is wrong.
        reason: The exact case, where it is finer than the class says.
        violations: Everything that breaks the contract, when that is more than one thing.
    """

    code: ClassVar[ErrorCode]
    reason: ErrorReason
    retryable: ClassVar[bool] = False

    def __init__(  # noqa: PLR0913  each is one thing that a caller may be told
        self,
        message: str,
        *,
        field: str | None = None,
        constraint: str | None = None,
        suggestion: Iterable[str] = (),
        repair: Iterable[JsonPatchOperation] = (),
        fault: Fault | None = None,
        reason: ErrorReason | None = None,
        violations: Iterable[Violation] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.constraint = constraint
        self.suggestion = list(suggestion)
        self.repair = list(repair)
        self.fault = fault
        self.violations = list(violations)
        self.post_mortem: PostMortem | None = None
        self.estimate: PlanEstimate | None = None
        self.retry_after_s: int | None = None
        if reason is not None:
            self.reason = reason

    def describe(self, request_id: str) -> dict[str, Any]:
        """The failure as the contract's `Error`, ready for JSON."""
        details = ErrorDetails(
            field=self.field,
            constraint=self.constraint,
            reason=self.reason,
            retryable=self.retryable,
            suggestion=self.suggestion or None,
            violations=self.violations or None,
            post_mortem=self.post_mortem,
            estimate=self.estimate,
        )
        error = JobError(code=self.code, message=self.message, details=details, request_id=request_id)
        described = error.model_dump(mode="json")
        described["details"] = {
            key: value
            for key, value in described["details"].items()
            if value is not None or key in {"field", "constraint"}
        }
        if self.repair:
            described["details"]["suggestion"] = [
                operation.model_dump(mode="json", exclude_unset=True) for operation in self.repair
            ]
        if self.fault:
            described["details"]["fault"] = self.fault.model_dump(mode="json", exclude_none=True)
        return described

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword arguments are lost by an exception's own pickling; a failure crosses from a job's child.
        return (_restored, (type(self), self.message), self.__dict__)


def _restored(kind: type[AirError], message: str) -> AirError:
    return kind(message)


class InvalidRequest(AirError):
    """The request breaks the contract."""

    code = "VALIDATION_ERROR"
    reason: ErrorReason = "SCHEMA_VIOLATION"


class PathRefused(InvalidRequest):
    """The path lies outside the base path, or is of a kind that is not allowed."""

    reason: ErrorReason = "PATH_REFUSED"


class AmbiguousDataset(InvalidRequest):
    """The name of a data set has two meanings."""

    reason: ErrorReason = "AMBIGUOUS_DATASET"


class InvalidPlan(InvalidRequest):
    """The plan cannot be run, whatever the data."""

    reason: ErrorReason = "INVALID_PLAN"


class UnknownColumn(InvalidPlan):
    """The plan names a column that is not there."""

    reason: ErrorReason = "UNKNOWN_COLUMN"

    @classmethod
    def among(cls, name: str, columns: Iterable[str], field: str) -> Self:
        """The error for `name`, with the nearest of the columns that are there."""
        known = list(columns)
        close = nearest(name, known)
        return cls(
            f'unknown column "{shortened(name)}"{did_you_mean(close)}',
            field=field,
            constraint=f"one of: {listed(known)}",
            suggestion=close,
        )


class TypeMismatch(InvalidPlan):
    """The plan asks of a column what its type cannot do."""

    reason: ErrorReason = "TYPE_MISMATCH"


class InvalidOptions(InvalidRequest):
    """The options of a job contradict one another or its kind."""

    reason: ErrorReason = "INVALID_OPTIONS"


class InvalidFrame(InvalidRequest):
    """The frame in the request is not what it says it is."""

    reason: ErrorReason = "INVALID_FRAME"


class JobUnavailable(InvalidRequest):
    """There is no such job, or not what was asked of it."""

    reason: ErrorReason = "JOB_NOT_FOUND"


class IdempotencyConflict(InvalidRequest):
    """An idempotency key came with another request before."""

    reason: ErrorReason = "IDEMPOTENCY_KEY_REUSED"


class FileUnavailable(AirError):
    """A file is missing, or cannot be read."""

    code = "IO_ERROR"
    reason: ErrorReason = "UNREADABLE_FILE"

    @property
    def retryable(self) -> bool:  # type: ignore[override]
        """Storage that failed in passing may be back, and a file be done changing; a damaged one stays so."""
        return self.reason in {"READ_INTERRUPTED", "FILE_CHANGED"}


class QueueUnavailable(AirError):
    """Redis is away, and with it the queue and the job records."""

    code = "IO_ERROR"
    reason: ErrorReason = "QUEUE_UNAVAILABLE"
    retryable = True


class JobTimedOut(AirError):
    """The work took longer than it may."""

    code = "TIMEOUT"
    reason: ErrorReason = "TIME_LIMIT"


class CapExceeded(AirError):
    """The work, the request or the queue went over a limit."""

    code = "RESOURCE_CAP"
    reason: ErrorReason = "MEMORY_CAP"

    @property
    def retryable(self) -> bool:  # type: ignore[override]
        """A full queue, disk or machine empties; a limit of size stays."""
        return self.reason in {"QUEUE_FULL", "DISK_FULL", "PROCESS_KILLED"}


class Unauthorized(AirError):
    """The request carries no valid token."""

    code = "AUTH_ERROR"
    reason: ErrorReason = "UNAUTHORIZED"


class InternalFault(AirError):
    """A fault of ours."""

    code = "INTERNAL_ERROR"
    reason: ErrorReason = "INTERNAL"


@contextmanager
def within(part: str) -> Iterator[None]:
    """Have what fails in here told of this part of the request: its field, and where a repair is made."""
    try:
        yield
    except AirError as error:
        error.field = f"{part}.{error.field}" if error.field else None
        error.repair = [one.model_copy(update={"path": f"/{part}{one.path}"}) for one in error.repair]
        raise


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names most like `name`, best first; upper and lower case do not count."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold()[:200], by_folded, n=limit, cutoff=0.6)
    return [by_folded[folded] for folded in close]


def did_you_mean(close: list[str]) -> str:
    """The end of a message that offers the nearest right answers, or nothing."""
    if not close:
        return ""
    return "; did you mean " + " or ".join(f'"{shortened(name)}"' for name in close) + "?"


def listed(names: Iterable[str], limit: int = 30) -> str:
    """The names as a list for a message, cut where it would grow too long."""
    shown = [shortened(name) for name in names]
    rest = len(shown) - limit
    return ", ".join(shown[:limit]) + (f" and {rest} more" if rest > 0 else "")


def shortened(text: str, limit: int = 80) -> str:
    """The text, cut where it would swamp a message."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
