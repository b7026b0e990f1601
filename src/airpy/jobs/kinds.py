"""The table of job kinds, from name to function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from airpy.contract import AnalyzeRequest, DiscoverRequest, InferSchemaRequest, QueryRequest
from airpy.jobs.analyze import analyze, check_analyze
from airpy.jobs.discover import check_discover, discover
from airpy.jobs.infer_schema import check_infer_schema, infer_schema
from airpy.jobs.query import check_query, query

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from airpy.contract import JobType
    from airpy.files.datasets import Load
    from airpy.files.paths import FileRoot
    from airpy.jobs.record import ResultFrame

__all__ = ["JOBS", "JobKind"]


class JobKind(NamedTuple):
    """A kind of job."""

    request: type[BaseModel]
    check: Callable[[Any, FileRoot], Load]
    """Refuses a request before a token is issued, and says what it will read."""
    run: Callable[..., ResultFrame | None]
    """Does the work, in a child process: of the request, the job's context and `on_step`."""
    started: str
    """What the caller is told when its job is accepted."""
    remembered: bool = False
    """Whether an equal request is answered with its result."""


JOBS: dict[JobType, JobKind] = {
    "discover": JobKind(DiscoverRequest, check_discover, discover, "File discovery job started"),
    "infer_schema": JobKind(
        InferSchemaRequest, check_infer_schema, infer_schema, "Schema inference job started"
    ),
    "query": JobKind(QueryRequest, check_query, query, "Query execution job started", remembered=True),
    "analyze": JobKind(AnalyzeRequest, check_analyze, analyze, "Analysis job started"),
}
