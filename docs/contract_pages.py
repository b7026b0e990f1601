"""Writes the contract as Markdown: its operations and its schemas, as api/openapi.yaml has them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["CONTRACT", "PAGES"]

CONTRACT = Path(__file__).parents[1] / "api" / "openapi.yaml"
METHODS = ("get", "post", "put", "patch", "delete")

Schema = dict[str, Any]


def operations() -> str:
    """Every internal operation: what it does, takes and answers."""
    return "\n\n".join(_operation(*one) for one in _internal())


def schemas() -> str:
    """Every schema that an internal operation refers to, in the contract's order."""
    used = _referenced([operation for _, _, operation in _internal()])
    named = _contract()["components"]["schemas"]
    return "\n\n".join(_schema(name, schema) for name, schema in named.items() if name in used)


PAGES: dict[str, Callable[[], str]] = {"contract": operations, "schemas": schemas}
"""What is generated, by the page that has room for it."""


@cache
def _contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(CONTRACT.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return loaded


def _internal() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and definition of the operations that are served."""
    for path, item in _contract()["paths"].items():
        for method in METHODS:
            if method in item and item[method].get("x-internal"):
                yield method, path, item[method]


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [
        f"## {operation['summary']}",
        f"`{method.upper()} {path}`",
        operation.get("description", "").strip(),
    ]
    parameters = [_resolved(one) for one in operation.get("parameters", [])]
    if parameters:
        rows = [
            (
                f"`{one['name']}`",
                one["in"],
                _type(_schema_of(one)),
                _limits(_schema_of(one)),
                _meaning(one),
            )
            for one in parameters
        ]
        parts += ["**Parameters**", _table(("name", "in", "type", "limits", "meaning"), rows)]
    if "requestBody" in operation:
        media = operation["requestBody"]["content"]["application/json"]
        parts += [f"**Body**: {_type(media['schema'])}", *_examples(media)]
    answers = {status: _resolved(one) for status, one in operation["responses"].items()}
    answered = [(status, *row) for status, answer in answers.items() for row in _answers(status, answer)]
    parts += ["**Answers**", _table(("status", "as", "body", "meaning"), answered)]
    for answer in operation["responses"].values():
        # What many operations answer with has an example of one of them; it has no `content` of its own here.
        parts += [shown for media in answer.get("content", {}).values() for shown in _examples(media)]
    return "\n\n".join(filter(None, parts))


def _answers(status: str, answer: Schema) -> Iterator[tuple[str, str, str]]:
    meaning = answer["description"] if status != "default" else "What went wrong: see [Errors](errors.md)."
    for media, body in answer.get("content", {"": {}}).items():
        kind = _type(body["schema"]) if "schema" in body else ""
        yield (f"`{media}`", kind, meaning)


def _examples(media: dict[str, Any]) -> Iterator[str]:
    if "example" in media:
        yield _code(media["example"])
    for example in media.get("examples", {}).values():
        yield f"{example['summary']}:"
        yield _code(example["value"])


def _code(value: Any) -> str:  # noqa: ANN401  JSON is any
    if isinstance(value, str):
        return f"```text\n{value.strip()}\n```"
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"


def _schema_of(parameter: Schema) -> Schema:
    """What a parameter is: one that is JSON in text says so by its content."""
    if "schema" in parameter:
        return cast("Schema", parameter["schema"])
    return cast("Schema", parameter["content"]["application/json"]["schema"])


def _schema(name: str, schema: Schema) -> str:
    parts = [f"## {name}", schema.get("description", "").strip()]
    if "properties" in schema:
        needed = schema.get("required", [])
        rows = [
            (
                f"`{field}`",
                _type(one),
                "yes" if field in needed else "",
                _limits(one),
                _meaning(one),
            )
            for field, one in schema["properties"].items()
        ]
        parts.append(
            _table(("field", "type", "required", "limits", "meaning"), rows) if rows else "An empty object."
        )
    elif "enum" in schema:
        parts.append("One of: " + _words(schema["enum"]) + ".")
    else:
        limits = _limits(schema)
        parts.append(f"Type: {_type(schema)}" + (f"; {limits}." if limits else "."))
    return "\n\n".join(filter(None, parts))


def _type(schema: Schema) -> str:
    """The type in a word, linked where it has a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](schemas.md#{name.lower()})"
    if "allOf" in schema:
        return " and ".join(map(_type, schema["allOf"]))
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(map(_type, schema[key])))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    word = str(schema.get("format", schema.get("type", "any")))
    return f"{word} or null" if schema.get("nullable") else word


def _meaning(schema: Schema) -> str:
    """What it means; where that is told of its named type alone, the first sentence of it."""
    if "description" in schema:
        return str(schema["description"])
    for one in (schema, *schema.get("allOf", [])):
        first, _, _ = " ".join(_resolved(one).get("description", "").split()).partition(". ")
        if first:
            return first.rstrip(".:") + "."
    return ""


def _limits(schema: Schema) -> str:
    """What bounds a value, and what it is when it is left out."""
    words = []
    if "enum" in schema:
        words.append(_words(schema["enum"]))
    low, high = schema.get("minimum"), schema.get("maximum")
    ends = [f"from {low}"] if low is not None else []
    ends += [f"to {high}"] if high is not None else []
    words += [" ".join(ends)] if ends else []
    for key, text in LENGTHS.items():
        words += [text.format(schema[key])] if key in schema else []
    words += [f"`{schema['pattern']}`"] if "pattern" in schema else []
    words += [f"default `{json.dumps(schema['default'])}`"] if "default" in schema else []
    return ", ".join(words)


LENGTHS = {
    "minLength": "at least {} long",
    "maxLength": "at most {} long",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
}


def _words(values: list[Any]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a column in which nothing stands is left out."""
    kept = [place for place in range(len(head)) if any(row[place] for row in rows)]
    lines = [[head[place] for place in kept], ["---"] * len(kept)]
    lines += [[" ".join(row[place].split()).replace("|", "\\|") for place in kept] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _resolved(one: Schema) -> Schema:
    if "$ref" not in one:
        return one
    found: Any = _contract()
    for key in one["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return dict(found)


def _referenced(start: Any) -> set[str]:  # noqa: ANN401  any part of the contract
    """The names of the schemas that a part of the contract refers to, and those that they do."""
    names: set[str] = set()
    waiting = [start]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += part.values()
            if isinstance(reference := part.get("$ref"), str):
                name = reference.rpartition("/")[2]
                if reference.startswith("#/components/schemas/"):
                    if name in names:
                        continue
                    names.add(name)
                waiting.append(_resolved(part))
        elif isinstance(part, list):
            waiting += part
    return names
