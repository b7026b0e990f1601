"""Connexion's validators, with compiled checkers in place of its own.

A body is read strictly: UTF-8, no NaN or infinity, no key twice, no half of a surrogate pair, since what
one parser reads so another reads otherwise.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from connexion.datastructures import MediaTypeDict
from connexion.validators import AbstractRequestBodyValidator, ParameterValidator
from starlette.datastructures import Headers

from airpy.errors import InvalidRequest, JobUnavailable, shortened
from airpy.web.spec import operations
from airpy.web.violations import Checker, compile_checker, in_json_schema

if TYPE_CHECKING:
    from connexion.lifecycle import ConnexionRequest
    from starlette.types import Message, Receive, Scope

    from airpy.web.spec import Contract

__all__ = ["read_json", "validator_map"]

LARGE_BODY = 1 << 20
"""Bytes; parsing more than that would hold up every other request."""
MOST_DIGITS = 1000
"""Of an integer; no number of the contract has as many, and Python reads no more than 4300."""
Parameter: TypeAlias = tuple[str, str]
"""Where a parameter is, and its description: two operations may each have a `limit`, of other bounds."""
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


def validator_map(contract: Contract) -> dict[str, Any]:
    """Validators for every body and parameter of the contract."""
    contract = in_json_schema(contract)
    bodies: dict[str, Checker] = {}
    parameters: dict[Parameter, Checker] = {}
    for operation in operations(contract):
        content = operation.definition.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            schema = content["application/json"]["schema"]
            bodies[operation.id] = compile_checker(contract, schema, "body")
    for parameter in contract["components"].get("parameters", {}).values():
        place = f"{parameter['in']}.{parameter['name']}"
        parameters[place, parameter["description"]] = compile_checker(contract, parameter["schema"], place)
    return {
        "body": MediaTypeDict({"*/*json": _body_validator(bodies)}),
        "parameter": _parameter_validator(parameters),
    }


def _body_validator(bodies: dict[str, Checker]) -> type:
    class Body(AbstractRequestBodyValidator):  # type: ignore[misc]
        """Checks a JSON body and hands it on unchanged."""

        async def wrap_receive(self, receive: Receive, *, scope: Scope) -> tuple[Receive, Scope]:
            messages = [await receive()]
            while messages[-1].get("more_body"):
                messages.append(await receive())
            raw = b"".join(message.get("body", b"") for message in messages)
            if raw and "content-type" not in Headers(scope=scope):
                raise InvalidRequest(
                    "the body has no Content-Type",
                    field="header.Content-Type",
                    constraint="application/json",
                    reason="UNSUPPORTED_MEDIA_TYPE",
                )
            handler: str = scope["extensions"]["connexion_routing"]["operation_id"]
            checker = bodies[handler.rpartition(".")[2]]
            if len(raw) > LARGE_BODY:
                await asyncio.to_thread(_check, checker, raw)
            else:
                _check(checker, raw)
            return _replay(raw, receive), scope

    return Body


def _parameter_validator(parameters: dict[Parameter, Checker]) -> type:
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
                parameters[place, param["description"]].check(value)
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
                parameters[place, param["description"]].check(value)
            elif param.get("required"):
                raise InvalidRequest(f"{place}: is required", field=place, constraint="required")

    return Parameters


def read_json(raw: bytes) -> Any:  # noqa: ANN401  JSON is any
    """The body as JSON, read strictly.

    Raises:
        InvalidRequest: It is no JSON, or JSON that two parsers may read differently.
    """
    if not raw:
        raise InvalidRequest("the body is missing", field="body", constraint="required, as JSON")
    try:
        body = json.loads(
            raw.decode("utf-8"),
            parse_constant=_refused_constant,
            parse_float=_finite,
            parse_int=_integer,
            object_pairs_hook=_without_repeats,
        )
        if b"\\u" in raw:
            json.dumps(body, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise _malformed("it is not UTF-8, or has half of a surrogate pair") from None
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    except ValueError as error:
        raise _malformed(str(error)) from None
    return body


def _check(checker: Checker, raw: bytes) -> None:
    checker.check(read_json(raw))


def _replay(raw: bytes, receive: Receive) -> Receive:
    """A channel that gives the body again, then whatever comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": raw, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


def _malformed(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"the body is not valid JSON: {why}",
        field="body",
        constraint="one JSON value in UTF-8",
        reason="MALFORMED_BODY",
    )


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
