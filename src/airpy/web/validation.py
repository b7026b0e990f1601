"""Connexion's validators, with compiled checkers in place of its own.

A body is read strictly: UTF-8, no NaN or infinity, no key twice, no half of a surrogate pair, since what
one parser reads so another reads otherwise.
"""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from connexion.datastructures import MediaTypeDict
from connexion.validators import AbstractRequestBodyValidator, ParameterValidator

from airpy.errors import InvalidRequest
from airpy.web.spec import operations
from airpy.web.violations import Checker, compile_checker

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope

    from airpy.web.spec import Contract

__all__ = ["read_json", "validator_map"]

LARGE_BODY = 1 << 20
"""Bytes; parsing more than that would hold up every other request."""


def validator_map(contract: Contract) -> dict[str, Any]:
    """Validators for every body and parameter of the contract."""
    bodies: dict[str, Checker] = {}
    parameters: dict[str, Checker] = {}
    for operation in operations(contract):
        content = operation.definition.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            schema = content["application/json"]["schema"]
            bodies[operation.id] = compile_checker(contract, schema, "body")
    for parameter in contract["components"].get("parameters", {}).values():
        place = f"{parameter['in']}.{parameter['name']}"
        parameters[place] = compile_checker(contract, parameter["schema"], place)

    class Body(AbstractRequestBodyValidator):  # type: ignore[misc]
        """Checks a JSON body and hands it on unchanged."""

        async def wrap_receive(self, receive: Receive, *, scope: Scope) -> tuple[Receive, Scope]:
            messages = [await receive()]
            while messages[-1].get("more_body"):
                messages.append(await receive())
            raw = b"".join(message.get("body", b"") for message in messages)
            handler: str = scope["extensions"]["connexion_routing"]["operation_id"]
            checker = bodies[handler.rpartition(".")[2]]
            if len(raw) > LARGE_BODY:
                await asyncio.to_thread(_check, checker, raw)
            else:
                _check(checker, raw)
            return _replay(raw, receive), scope

    class Parameters(ParameterValidator):  # type: ignore[misc]
        """Checks parameters one by one."""

        @staticmethod
        def validate_parameter(
            parameter_type: str, value: object, param: dict[str, Any], param_name: str | None = None
        ) -> None:
            place = f"{parameter_type}.{param_name or param['name']}"
            if value is not None:
                parameters[place].check(value)
            elif param.get("required"):
                raise InvalidRequest(f"{place}: is required", field=place, constraint="required")

    return {"body": MediaTypeDict({"*/*json": Body}), "parameter": Parameters}


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


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) < len(pairs):
        raise ValueError("an object has a key twice")
    return body
