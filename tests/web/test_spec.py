from __future__ import annotations

import copy
import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

import airpy
import handlers
from airpy.web.spec import internal, load, operations, routed
from tests.envelope import refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service import Service

ROOT = Path(__file__).parents[2]
HANDLERS = {
    "get_health": ("get", "/v1/py/health", "handlers.health"),
    "discover_files": ("post", "/v1/py/discover", "handlers.discover"),
    "infer_schema": ("post", "/v1/py/infer_schema", "handlers.infer_schema"),
    "preview_file": ("post", "/v1/py/preview", "handlers.preview"),
    "run_query": ("post", "/v1/py/query", "handlers.query"),
    "analyze_frame": ("post", "/v1/py/analyze", "handlers.analyze"),
    "list_jobs": ("get", "/v1/py/jobs", "handlers.jobs"),
    "get_job": ("get", "/v1/py/jobs/{token}", "handlers.jobs"),
    "cancel_job": ("delete", "/v1/py/jobs/{token}", "handlers.jobs"),
    "get_job_rows": ("get", "/v1/py/jobs/{token}/rows", "handlers.jobs"),
    "stream_job_events": ("get", "/v1/py/jobs/{token}/events", "handlers.jobs"),
    "download_job": ("get", "/v1/py/jobs/{token}/download", "handlers.jobs"),
    "list_dead_letters": ("get", "/v1/py/dead-letters", "handlers.dead_letters"),
    "get_dead_letter": ("get", "/v1/py/dead-letters/{token}", "handlers.dead_letters"),
    "drop_dead_letter": ("delete", "/v1/py/dead-letters/{token}", "handlers.dead_letters"),
    "requeue_dead_letter": ("post", "/v1/py/dead-letters/{token}/requeue", "handlers.dead_letters"),
    "get_limits": ("get", "/v1/py/limits", "handlers.limits"),
    "get_metrics": ("get", "/v1/py/metrics", "handlers.metrics"),
}

# Two paths, of which one has a public operation beside an internal one; components that refer to others.
SMALL: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Small", "version": "1"},
    "tags": [{"name": "public"}, {"name": "python"}],
    "paths": {
        "/v1/things": {
            "get": {"operationId": "list", "responses": {"200": {"$ref": "#/components/responses/Things"}}}
        },
        "/v1/py/work": {
            "parameters": [{"$ref": "#/components/parameters/Size"}],
            "get": {"operationId": "look", "responses": {"200": {"$ref": "#/components/responses/Things"}}},
            "post": {
                "operationId": "do_work",
                "x-internal": True,
                "responses": {"200": {"content": {"a/b": {"$ref": "#/components/schemas/Outer"}}}},
            },
        },
    },
    "components": {
        "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}, "userAuth": {"type": "http"}},
        "parameters": {"Size": {"name": "size", "in": "query"}, "Shape": {"name": "shape", "in": "query"}},
        "responses": {"Things": {"description": "Things"}},
        "schemas": {
            "Outer": {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/Inner"}]}},
            "Inner": {"type": "object", "properties": {"again": {"$ref": "#/components/schemas/Outer"}}},
            "Thing": {"type": "string"},
        },
    },
}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for item in node.values():
            yield from references(item)


def test_public_operations_are_left_out_though_they_share_a_path() -> None:
    contract = internal(SMALL)

    assert list(contract["paths"]) == ["/v1/py/work"]
    assert list(contract["paths"]["/v1/py/work"]) == ["parameters", "post"]
    assert contract["tags"] == [{"name": "python"}]


def test_components_that_only_public_operations_refer_to_are_left_out() -> None:
    components = internal(SMALL)["components"]

    assert components == {
        "parameters": {"Size": {"name": "size", "in": "query"}},
        "schemas": {name: SMALL["components"]["schemas"][name] for name in ("Outer", "Inner")},
        "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}},
    }


def test_the_contract_that_is_given_stays_as_it_is() -> None:
    given = copy.deepcopy(SMALL)

    routes = routed(internal(given))
    routes["paths"]["/v1/py/work"]["post"]["responses"].clear()

    assert given == SMALL


def test_only_internal_operations_are_served() -> None:
    served = {operation.id: (operation.method, operation.path) for operation in operations(internal(load()))}

    assert served == {name: (method, path) for name, (method, path, _) in HANDLERS.items()}


def test_nothing_public_is_left_and_nothing_needed_is_gone() -> None:
    contract = internal(load())

    used = set(references(contract))
    there = {
        f"#/components/{section}/{name}"
        for section, entries in contract["components"].items()
        for name in entries
        if section != "securitySchemes"
    }
    assert used == there
    assert (
        not {"DatasourceList", "Datasource", "ReportList", "Report"}
        & contract["components"]["schemas"].keys()
    )
    assert list(contract["components"]["securitySchemes"]) == ["bearerAuth"]
    assert "public" not in [tag["name"] for tag in contract["tags"]]


def test_the_url_names_the_handlers_module_and_the_operation_its_function() -> None:
    named = {
        operation.id: operation.definition["x-openapi-router-controller"]
        for operation in operations(routed(internal(load())))
    }

    assert named == {name: module for name, (_, _, module) in HANDLERS.items()}
    for name, module in named.items():
        assert inspect.iscoroutinefunction(getattr(importlib.import_module(module), name))


def test_the_contract_names_no_python_module() -> None:
    text = json.dumps(load())

    assert "x-openapi-router-controller" not in text
    assert "x-bearerInfoFunc" not in text
    assert routed(internal(load()))["components"]["securitySchemes"]["bearerAuth"]["x-bearerInfoFunc"] == (
        "airpy.web.auth.verify"
    )


@pytest.mark.parametrize("right", ["get_health", "download_job"])
def test_a_handler_that_is_missing_stops_the_start(tmp_path: Path, base: Path, right: str) -> None:
    # The same sources, beside a contract in which one operation is misspelt.
    rooms: dict[str, str | Path] = {
        "src/airpy": airpy.__path__[0],
        "handlers": handlers.__path__[0],
        "api": ROOT / "api",
    }
    for room, place in rooms.items():
        shutil.copytree(place, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    contract = tmp_path / "api" / "openapi.yaml"
    contract.write_text(contract.read_text().replace(right, f"{right}x"))
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path / 'src'}:{tmp_path}",
        "PY_AUTH_SECRET": "a secret that is long enough for HS256",
        "PY_BASE_PATH": str(base),
        "PY_RESULTS_PATH": str(tmp_path / "results"),
    }

    ended = subprocess.run(
        [sys.executable, "-c", "from airpy.app import create_app; create_app()"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode != 0
    assert f"{right}x" in ended.stderr
    assert str(tmp_path) in ended.stderr


@pytest.mark.parametrize("path", ["/v1/datasources", "/v1/reports", "/", "/v1", "/v1/py", "/openapi.json"])
def test_what_is_not_ours_is_not_there(service: Service, path: str) -> None:
    headers = {"Authorization": f"Bearer {service.token()}"}

    refused(httpx2.get(f"{service.url}{path}", headers=headers), 404, "NOT_FOUND")
