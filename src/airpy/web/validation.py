"""Connexion's validators, with compiled checkers in place of its own.

A body is read strictly: UTF-8, no NaN or infinity, no key twice, no half of a surrogate pair, since what
one parser reads so another reads otherwise.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

from connexion.datastructures import MediaTypeDict
from connexion.validators import AbstractRequestBodyValidator, ParameterValidator
from starlette.datastructures import Headers

from airpy.engine.encoding import check_signature
from airpy.errors import InvalidRequest, JobUnavailable, shortened
from airpy.web.spec import operations
from airpy.web.state import FRAME_TYPE
from airpy.web.violations import Checker, compile_checker, in_json_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from connexion.lifecycle import ConnexionRequest
    from starlette.types import Message, Receive, Scope

    from airpy.contract import ErrorReason
    from airpy.web.spec import Contract

__all__ = ["read_json", "validator_map"]

LARGE_BODY = 1 << 20
"""Bytes; parsing more than that would hold up every other request."""
MOST_DIGITS = 1000
"""Of an integer; no number of the contract has as many, and Python reads no more than 4300."""
Parameter: TypeAlias = tuple[str, str]
"""Where a parameter is, and its description: two operations may each have a `limit`, of other bounds."""
Check: TypeAlias = "Callable[[object], None]"
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
JSON = "application/json"
SIGNATURE = 8
"""Bytes, no fewer than any form of frames is known by."""


class Body(NamedTuple):
    """What an operation takes."""

    checker: Checker
    types: list[str]


def validator_map(contract: Contract) -> dict[str, Any]:
    """Validators for every body and parameter of the contract."""
    contract = in_json_schema(contract)
    bodies: dict[str, Body] = {}
    parameters: dict[Parameter, Check] = {}
    for operation in operations(contract):
        content = operation.definition.get("requestBody", {}).get("content", {})
        if JSON in content:
            schema = content[JSON]["schema"]
            bodies[operation.id] = Body(compile_checker(contract, schema, "body"), list(content))
    for parameter in contract["components"].get("parameters", {}).values():
        place = f"{parameter['in']}.{parameter['name']}"
        parameters[place, parameter["description"]] = _check_of(contract, parameter, place)
    return {
        "body": MediaTypeDict({"*/*json": _body_validator(bodies), FRAME_TYPE: FrameBody}),
        "parameter": _parameter_validator(parameters),
    }


def _check_of(contract: Contract, parameter: dict[str, Any], place: str) -> Check:
    """What refuses a parameter that breaks the contract: a plain one, or JSON in a text."""
    if "schema" in parameter:
        return compile_checker(contract, parameter["schema"], place).check
    schema = parameter["content"][JSON]["schema"]
    where, name = parameter["in"], parameter["name"]
    for outer in (name, where):  # so that every violation says where it stands
        schema = {"type": "object", "properties": {outer: schema}}
    checker = compile_checker(contract, schema, place)

    def check(text: object) -> None:
        checker.check({where: {name: read_json(str(text).encode(), place, "SCHEMA_VIOLATION")}})

    return check


class FrameBody(AbstractRequestBodyValidator):  # type: ignore[misc]
    """Looks at the first bytes of a body that is a frame, and hands it on, part by part, as it comes."""

    async def wrap_receive(self, receive: Receive, *, scope: Scope) -> tuple[Receive, Scope]:
        """Refuse a body that is empty, or begins as no frame does."""
        messages = [await receive()]
        while messages[-1].get("more_body") and _length(messages) < SIGNATURE:
            messages.append(await receive())
        if not _length(messages):
            raise InvalidRequest(
                "the body is missing", field="body", constraint="required, as an Arrow IPC stream"
            )
        check_signature(b"".join(message.get("body", b"") for message in messages), "arrow", "body")
        messages.reverse()

        async def again() -> Message:
            return messages.pop() if messages else await receive()

        return again, scope


def _length(messages: list[Message]) -> int:
    return sum(len(message.get("body", b"")) for message in messages)


def _body_validator(bodies: dict[str, Body]) -> type:
    class JsonBody(AbstractRequestBodyValidator):  # type: ignore[misc]
        """Checks a JSON body, and hands it on unchanged, and as what it spells."""

        async def wrap_receive(self, receive: Receive, *, scope: Scope) -> tuple[Receive, Scope]:
            messages = [await receive()]
            while messages[-1].get("more_body"):
                messages.append(await receive())
            raw = b"".join(message.get("body", b"") for message in messages)
            handler: str = scope["extensions"]["connexion_routing"]["operation_id"]
            checker, types = bodies[handler.rpartition(".")[2]]
            if raw and "content-type" not in Headers(scope=scope):
                raise InvalidRequest(
                    "the body has no Content-Type",
                    field="header.Content-Type",
                    constraint=" or ".join(types),
                    reason="UNSUPPORTED_MEDIA_TYPE",
                )
            # Read once: a frame in base64 is a megabyte and more.
            large = len(raw) > LARGE_BODY
            body = await asyncio.to_thread(_checked, checker, raw) if large else _checked(checker, raw)
            scope["state"]["body"] = body
            return _replay(raw, receive), scope

    return JsonBody


def _parameter_validator(parameters: dict[Parameter, Check]) -> type:
    class Parameters(ParameterValidator):  # type: ignore[misc]
        """Checks parameters one by one."""

        def validate_query_parameter_list(
            self, request: ConnexionRequest, security_params: list[str] | None = None
        ) -> set[str]:
            unknown: set[str] = super().validate_query_parameter_list(request, security_params)
            if unknown:
                place = f"query.{shortened(min(unknown))}"
                raise InvalidRequest(f"{place}: is not known here", field=place, constraint="left out")
            return unknown

        def validate_path_parameter(self, param: dict[str, Any], request: ConnexionRequest) -> None:
            """Refuse what is no token as a job that never was, and a token that is written otherwise too."""
            place, value = f"path.{param['name']}", request.path_params[param["name"]]
            try:
                parameters[place, param["description"]](value)
            except InvalidRequest as error:
                raise JobUnavailable(error.message, field=place, constraint=error.constraint) from None
            if str(value) not in request.scope["path"].split("/"):
                raise JobUnavailable(
                    f"{place}: a token is written without sign and leading zeros",
                    field=place,
                    constraint="a token as the POST answered with it",
                    suggestion=[str(value)],
                )

        def validate_header_parameter(self, param: dict[str, Any], request: ConnexionRequest) -> None:
            """Check a header as the number that it spells; Connexion leaves it as text."""
            value = request.headers.get(param["name"])
            numeric = param["schema"]["type"] == "integer" and WHOLE_NUMBER.fullmatch(value or "")
            self.validate_parameter("header", int(value) if numeric else value, param)

        @staticmethod
        def validate_parameter(
            parameter_type: str, value: object, param: dict[str, Any], param_name: str | None = None
        ) -> None:
            place = f"{parameter_type}.{param_name or param['name']}"
            if value is not None:
                parameters[place, param["description"]](value)
            elif param.get("required"):
                raise InvalidRequest(f"{place}: is required", field=place, constraint="required")

    return Parameters


def read_json(raw: bytes, place: str = "body", reason: ErrorReason = "MALFORMED_BODY") -> Any:  # noqa: ANN401  JSON is any
    """The body as JSON, read strictly; or what else stands in this place of the request.

    Raises:
        InvalidRequest: It is no JSON, or JSON that two parsers may read differently.
    """
    if not raw and place == "body":
        raise InvalidRequest("the body is missing", field="body", constraint="required, as JSON")
    try:
        body = json.loads(
            raw.decode("utf-8"),
            parse_constant=_refused_constant,
            parse_float=_finite,
            parse_int=_integer,
            object_pairs_hook=_without_repeats,
        )
        if b"\\" in raw:  # an escape may spell half of a pair; to look for one byte takes no time
            json.dumps(body, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        why = "it is not UTF-8, or has half of a surrogate pair"
    except RecursionError:
        why = "it is nested too deeply"
    except ValueError as error:
        why = str(error)
    else:
        return body
    what = "the body" if place == "body" else place
    raise InvalidRequest(
        f"{what} is not valid JSON: {why}", field=place, constraint="one JSON value in UTF-8", reason=reason
    )


def _checked(checker: Checker, raw: bytes) -> Any:  # noqa: ANN401  JSON is any
    body = read_json(raw)
    checker.check(body)
    return body


def _replay(raw: bytes, receive: Receive) -> Receive:
    """A channel that gives the body again, then whatever comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": raw, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


def _refused_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is beyond every double")
    return number


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"an integer has {len(text)} digits")
    return int(text)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) < len(pairs):
        raise ValueError("an object has a key twice")
    return body
