"""What openapi-core thinks of our answers; it shares no code with the validators that we serve with."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from openapi_core import Config, OpenAPI
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
EVENTS = "text/event-stream"


def check_response(response: httpx2.Response) -> None:
    """Fail unless the contract documents the answer for its operation; of a stream, each event."""
    request = response.request
    kind = response.headers.get("content-type", "")
    for content in _events(response.content) if kind.startswith(EVENTS) else [response.content]:
        _contract().validate_response(
            MockRequest(
                f"{request.url.scheme}://{request.url.netloc.decode()}", request.method, request.url.path
            ),
            MockResponse(content, response.status_code, dict(response.headers), kind),
        )


def check_result(job: dict[str, Any]) -> None:
    """Fail unless the data of a completed job is what its kind of job gives."""
    _validator(RESULTS[job["job_type"]]).validate(job["data"])


def check_event(name: str, data: Any) -> None:
    """Fail unless the data of an event is what the contract has for its name."""
    reference: str = _components()["schemas"]["JobEvent"]["x-data"][name]["$ref"]
    _validator(reference.rpartition("/")[2]).validate(data)


def check_schema(name: str, value: Any) -> None:
    """Fail unless the value is what the contract describes under this name."""
    _validator(name).validate(value)


def _events(stream: bytes) -> list[bytes]:
    """The events of a stream that has ended, without comments."""
    blocks = [block for block in stream.split(b"\n\n") if block]
    return [block for block in blocks if not block.startswith(b":")]


def _fields(event: bytes, **_: str) -> dict[str, str]:
    """The fields of one event, of which each is one line."""
    fields = dict(line.split(": ", 1) for line in event.decode().split("\n"))
    check_event(fields["event"], json.loads(fields["data"]))
    return fields


def _text(content: bytes, **_: str) -> str:
    return content.decode()


@cache
def _contract() -> OpenAPI:
    # The server that the contract names is the host that serves it.
    config = Config(extra_media_type_deserializers={EVENTS: _fields, "text/markdown": _text})
    return OpenAPI.from_dict(internal(load()), config=config)


@cache
def _components() -> dict[str, Any]:
    components: dict[str, Any] = internal(load())["components"]
    return components


@cache
def _validator(name: str) -> OAS30Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": _components()}
    return OAS30Validator(schema, format_checker=oas30_format_checker)
