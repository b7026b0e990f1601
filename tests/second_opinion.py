"""What openapi-core thinks of our answers; it shares no code with the validators that we serve with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from airpy.web.spec import internal, load

if TYPE_CHECKING:
    import httpx2

RESULTS = {
    "discover": "DiscoverResult",
    "infer_schema": "InferSchemaResult",
    "query": "QueryResult",
    "analyze": "AnalyzeResult",
}


def check_response(response: httpx2.Response) -> None:
    """Fail unless the answer is one that the contract documents for its operation."""
    request = response.request
    _contract().validate_response(
        MockRequest(
            f"{request.url.scheme}://{request.url.netloc.decode()}", request.method, request.url.path
        ),
        MockResponse(
            response.content,
            response.status_code,
            dict(response.headers),
            response.headers.get("content-type", ""),
        ),
    )


def check_result(job: dict[str, Any]) -> None:
    """Fail unless the data of a completed job is what its kind of job gives."""
    _result_validator(job["job_type"]).validate(job["data"])


@cache
def _contract() -> OpenAPI:
    # The server that the contract names is the host that serves it.
    return OpenAPI.from_dict(internal(load()))


@cache
def _result_validator(kind: str) -> OAS30Validator:
    components = internal(load())["components"]
    schema = {"$ref": f"#/components/schemas/{RESULTS[kind]}", "components": components}
    return OAS30Validator(schema, format_checker=oas30_format_checker)
