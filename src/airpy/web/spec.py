"""Loads the contract, keeps its internal operations and names each one's handler.

The contract is shared with Go and names no Python module. An operation's URL names its handler's module
and its `operationId` the function: `GET /v1/py/jobs/{token}/download` with `download_job` is answered by
`handlers.jobs.download_job`.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BASE_PATH", "Operation", "internal", "load", "operations", "routed", "template"]

BASE_PATH = "/v1/py"
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
TOKEN = re.compile(r"/[+-]?[0-9]+(?=/|$)")

Contract = dict[str, Any]


class Operation(NamedTuple):
    """One operation of the contract."""

    id: str
    method: str
    path: str
    definition: dict[str, Any]


def load() -> Contract:
    """The whole contract, from the checkout when there is one, else from the installed package."""
    package = Path(__file__).parents[1]
    for place in (package.parents[1] / "api" / "openapi.yaml", package / "openapi.yaml"):
        if place.is_file():
            loaded: Contract = yaml.load(place.read_text("utf-8"), Loader=yaml.CSafeLoader)
            # A round trip through JSON unshares what the YAML shares by anchor.
            return json.loads(json.dumps(loaded))  # type: ignore[no-any-return]
    raise FileNotFoundError("api/openapi.yaml is neither in the checkout nor in the package")


def internal(contract: Contract) -> Contract:
    """The contract without public operations, nor anything only they refer to."""
    paths = {}
    for path, item in contract["paths"].items():
        kept = {key: value for key, value in item.items() if key not in METHODS or value.get("x-internal")}
        if METHODS & kept.keys():
            paths[path] = kept
    components = _referenced(paths, contract["components"])
    components["securitySchemes"] = {"bearerAuth": contract["components"]["securitySchemes"]["bearerAuth"]}
    tags = [tag for tag in contract["tags"] if tag["name"] != "public"]
    return copy.deepcopy({**contract, "paths": paths, "components": components, "tags": tags})


def routed(contract: Contract) -> Contract:
    """A copy in which Connexion finds each operation's handler and the check of the bearer token."""
    routes = copy.deepcopy(contract)
    for operation in operations(routes):
        segment = operation.path.removeprefix(f"{BASE_PATH}/").split("/")[0].replace("-", "_")
        operation.definition["x-openapi-router-controller"] = f"handlers.{segment}"
    routes["components"]["securitySchemes"]["bearerAuth"]["x-bearerInfoFunc"] = "airpy.web.auth.verify"
    return routes


def operations(contract: Contract) -> Iterator[Operation]:
    """Every operation of the contract, in its order."""
    for path, item in contract["paths"].items():
        for method in METHODS & item.keys():
            yield Operation(item[method]["operationId"], method, path, item[method])


def template(path: str) -> str:
    """A request's path as the contract has it; a token is the only thing that a path names."""
    return TOKEN.sub("/{token}", path)


def _referenced(paths: Contract, components: Contract) -> Contract:
    """The components that the paths refer to, directly or not, in the contract's order."""
    wanted: set[tuple[str, str]] = set()
    pending: list[Any] = [paths]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            pending.extend(node.values())
            reference = node.get("$ref")
            if isinstance(reference, str):
                _, _, section, name = reference.split("/")
                if (section, name) not in wanted:
                    wanted.add((section, name))
                    pending.append(components[section][name])
    kept: Contract = {}
    for section, entries in components.items():
        chosen = {name: entry for name, entry in entries.items() if (section, name) in wanted}
        if chosen:
            kept[section] = chosen
    return kept


if __name__ == "__main__":
    json.dump(internal(load()), sys.stdout, indent=1, ensure_ascii=False)
