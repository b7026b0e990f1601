"""Explains what breaks the contract: which field, which constraint, and the nearest right answer.

The validators are compiled once, from our own copy of the contract; they report every violation, in
microseconds.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema_rs

from airpy.contract import Violation
from airpy.errors import InvalidRequest, did_you_mean, listed, nearest, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airpy.web.spec import Contract

__all__ = ["Checker", "compile_checker", "in_json_schema"]

MOST_VIOLATIONS = 20
LONGEST_MESSAGE = 200
Kind = jsonschema_rs.ValidationErrorKind


class Explained(NamedTuple):
    """One violation, in words."""

    field: str
    constraint: str
    message: str
    suggestion: list[str]


class Checker(NamedTuple):
    """Checks values against one schema of the contract."""

    validator: jsonschema_rs.Draft4Validator
    document: Contract
    name: str
    """What the value is called when the violation is of the whole of it."""

    def check(self, value: object) -> None:
        """Refuse a value that breaks the schema.

        Raises:
            InvalidRequest: It does; every violation is listed.
        """
        if self.validator.is_valid(value):
            return
        found = [
            explained
            for error in self.validator.iter_errors(value)
            for explained in _explained(error, self.document, self.name)
        ][:MOST_VIOLATIONS]
        first = found[0]
        raise InvalidRequest(
            f"{first.field}: {first.message}",
            field=first.field,
            constraint=first.constraint,
            suggestion=first.suggestion,
            violations=[
                Violation(field=one.field, constraint=one.constraint, message=one.message) for one in found
            ]
            if len(found) > 1
            else (),
        )


def in_json_schema(contract: Contract) -> Contract:
    """A copy of the contract whose schemas are JSON Schema's, for any number of checkers."""
    converted = copy.deepcopy(contract)
    _allow_nulls(converted)
    return converted


def compile_checker(contract: Contract, schema: dict[str, Any], name: str) -> Checker:
    """A checker of one schema, which may refer to the components of a contract in JSON Schema's words."""
    document = {**schema, "components": contract["components"]}
    return Checker(jsonschema_rs.Draft4Validator(document, validate_formats=True), document, name)


def _allow_nulls(node: Any) -> None:  # noqa: ANN401  JSON is any
    """Say OpenAPI's `nullable` in JSON Schema's words."""
    if isinstance(node, list):
        for item in node:
            _allow_nulls(item)
    elif isinstance(node, dict):
        for item in node.values():
            _allow_nulls(item)
        if node.get("nullable") is True and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
            if "enum" in node:
                node["enum"] = [*node["enum"], None]


def _explained(error: Any, document: Contract, name: str) -> Iterator[Explained]:  # noqa: ANN401  a class without types
    path = list(error.instance_path)
    place = _place(path) or name
    kind = error.kind
    match kind:
        case Kind.AdditionalProperties():
            known = sorted(_node(document, error.schema_path[:-1]).get("properties", {}))
            for unexpected in kind.unexpected:
                close = nearest(unexpected, known)
                yield Explained(
                    _place([*path, unexpected]),
                    f"one of: {listed(known)}",
                    f'"{shortened(unexpected)}" is not known here{did_you_mean(close)}',
                    close,
                )
        case Kind.Required():
            yield Explained(_place([*path, kind.property]), "required", "is required", [])
        case Kind.Enum():
            yield _not_among(place, error.instance, list(kind.options))
        case Kind.OneOfNotValid():
            yield from _no_branch(error, document, name)
        case Kind.AnyOf():
            types = sorted({one.kind.types[0] for one in _leaves(error) if isinstance(one.kind, Kind.Type)})
            yield Explained(place, f"type: {listed(types)}", f"must be one of: {listed(types)}", [])
        case Kind.Pattern():
            yield Explained(
                place,
                f"pattern: {kind.pattern}",
                f"{shortened(repr(error.instance))} does not have the form {kind.pattern}",
                [],
            )
        case _:
            keyword = str(error.schema_path[-1])
            constraint = f"{keyword}: {shortened(str(_node(document, error.schema_path)))}"
            # The validator's own words begin with the value, which may be a whole list.
            told = error.message if len(error.message) <= LONGEST_MESSAGE else f"does not fit {constraint}"
            yield Explained(place, constraint, told, [])


def _no_branch(error: Any, document: Contract, name: str) -> Iterator[Explained]:  # noqa: ANN401
    """The violations of the branch that is meant: by the discriminator, or by the value's own type."""
    union = _node(document, error.schema_path[:-1])
    discriminator = union.get("discriminator", {}).get("propertyName")
    if discriminator is None:
        of_type = [one for one in error.kind.context if not any(isinstance(e.kind, Kind.Type) for e in one)]
        types = [branch.get("type") for branch in union["oneOf"]]
        for one in of_type[0] if of_type else ():
            yield from _explained(one, document, name)
        if not of_type:
            told = f"one of: {listed(map(str, types))}"
            yield Explained(_place(list(error.instance_path)) or name, f"type: {told}", f"must be {told}", [])
        return
    options = list(union.get("discriminator", {}).get("mapping", {}))
    path = list(error.instance_path)
    place = _place([*path, discriminator])
    value = error.instance
    if not isinstance(value, dict):
        yield Explained(_place(path) or name, "type: object", "must be an object", [])
    elif discriminator not in value:
        yield Explained(place, f"required, one of: {listed(options)}", "is required", [])
    elif value[discriminator] not in options:
        yield _not_among(place, value[discriminator], options)
    else:
        branch = error.kind.context[options.index(value[discriminator])]
        for one in branch:
            yield from _explained(one, document, name)


def _not_among(place: str, value: object, options: list[Any]) -> Explained:
    known = [str(option) for option in options]
    close = nearest(value, known) if isinstance(value, str) else []
    return Explained(
        place,
        f"enum: {listed(known)}",
        f"{shortened(repr(value))} is not one of: {listed(known)}{did_you_mean(close)}",
        close,
    )


def _leaves(error: Any) -> Iterator[Any]:  # noqa: ANN401
    """The errors at the bottom of an `anyOf`."""
    for branch in error.kind.context:
        for one in branch:
            if isinstance(one.kind, Kind.AnyOf):
                yield from _leaves(one)
            else:
                yield one


def _node(document: Contract, path: list[str | int]) -> Any:  # noqa: ANN401
    node: Any = document
    for part in path:
        node = node[part]
    return node


def _place(path: list[str | int]) -> str:
    """The path as one reads it: `plan.filters[0].op`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shortened(part)}" if text else shortened(part)
    return text
