"""Holds what deploys the service to the service: manifests, compose file, image, dashboard, alerts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pydantic import AliasChoices
from typer.testing import CliRunner

from airpy.cli import app
from airpy.config import Settings
from airpy.jobs.store import Census
from airpy.web.metrics import Requests, exposition
from airpy.web.spec import internal, load

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
CUSTOM = {"Kustomization", "Component", "ScaledObject"}
"""Kinds that Kubernetes itself does not know."""
METRIC = re.compile(r"\bairpy_[a-z_]+")


def documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]


def manifests() -> list[dict[str, Any]]:
    """Every Kubernetes object of the project."""
    return [each for path in KUBERNETES for each in documents(path) if each["kind"] not in CUSTOM]


def named(kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind, by name."""
    return {each["metadata"]["name"]: each for each in manifests() if each["kind"] == kind}


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """The pods that are run, by the name of what runs them."""
    for kind in ("Deployment", "StatefulSet"):
        for name, each in named(kind).items():
            yield name, each["spec"]["template"]


def settings() -> set[str]:
    """The environment variables that the service reads."""
    found: set[str] = set()
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        found.update(map(str, alias.choices) if isinstance(alias, AliasChoices) else {str(alias)})
    return found


@pytest.fixture(scope="module")
def metrics() -> set[str]:
    """The names of everything that `GET /v1/py/metrics` may tell."""
    requests = Requests(internal(load()))
    requests.add("GET", "/v1/py/health", 200, 0.1)
    kinds = ("wait", "run", "memory")
    counted = {f"{what}:query:{part}": 1.0 for what in kinds for part in ("+Inf", "sum")}
    counters = {"ended:query:failed": 1.0, "exit:SIGKILL": 1.0, **counted}
    text = exposition(requests, counters, Census(1, 0, 0, 0, "7", 0)).decode()
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


@pytest.mark.parametrize("path", KUBERNETES, ids=lambda path: path.name)
def test_manifests_are_what_kubernetes_takes(path: Path) -> None:
    for document in documents(path):
        if document["kind"] not in CUSTOM:
            kubernetes_validate.validate(document, "1.30", strict=True)


def test_the_kustomization_names_every_manifest() -> None:
    (kustomization,) = documents(DEPLOY / "kubernetes" / "kustomization.yaml")

    assert {*kustomization["resources"], "kustomization.yaml"} == {path.name for path in KUBERNETES}


def test_pods_use_only_what_is_there() -> None:
    claims, maps = named("PersistentVolumeClaim"), named("ConfigMap")
    for _, pod in pods():
        for volume in pod["spec"].get("volumes", []):
            if claim := volume.get("persistentVolumeClaim"):
                assert claim["claimName"] in claims
        for container in pod["spec"]["containers"]:
            for source in container.get("envFrom", []):
                assert source.get("configMapRef", {"name": "airpy"})["name"] in maps


def test_pods_are_locked_down() -> None:
    for name, pod in pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"], name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        for container in pod["spec"]["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name


def test_services_and_policies_select_pods_that_are_there() -> None:
    labels = [pod["metadata"]["labels"] for _, pod in pods()]
    selectors = [each["spec"]["selector"] for each in named("Service").values()]
    selectors += [each["spec"]["podSelector"]["matchLabels"] for each in named("NetworkPolicy").values()]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in named("PodDisruptionBudget").values()]

    assert len(selectors) == 7
    for selector in selectors:
        assert selector in labels


def test_the_scaler_scales_a_deployment_by_metrics_that_are_told(metrics: set[str]) -> None:
    (scaler,) = documents(DEPLOY / "kubernetes" / "keda" / "autoscaling.yaml")

    assert scaler["spec"]["scaleTargetRef"]["name"] in named("Deployment")
    (trigger,) = scaler["spec"]["triggers"]
    assert set(METRIC.findall(trigger["metadata"]["query"])) <= metrics


def test_what_is_set_is_a_setting() -> None:
    given = set(named("ConfigMap")["airpy"]["data"])
    (compose,) = documents(ROOT / "compose.yaml")
    for name in ("air-py", "air-py-worker"):
        given |= set(compose["services"][name]["environment"])
    image = (ROOT / "Dockerfile").read_text("utf-8")
    given |= set(re.findall(r"\b(PY_[A-Z_]+)=", image))

    assert given <= settings()


def commands() -> list[list[str]]:
    """What follows `airpy` in every command that an image, a pod or a health check runs."""
    text = "\n".join(
        path.read_text("utf-8") for path in [ROOT / "Dockerfile", ROOT / "compose.yaml", *KUBERNETES]
    )
    found = re.findall(r'\[(?:CMD, )?"?airpy"?, ([a-z"-][^\]]*)\]', text)
    return [[word.strip(' "') for word in words.split(",")] for words in found]


def test_commands_are_those_that_airpy_has() -> None:
    found = [command for command in commands() if command != ["airpy-worker"]]

    assert len(found) >= 7
    for name, *arguments in found:
        result = CliRunner().invoke(app, [name, "--help"])
        assert result.exit_code == 0, result.output
        assert all(word in result.output for word in arguments if word.startswith("--"))


def test_the_dashboard_asks_for_metrics_that_are_told(metrics: set[str]) -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "airpy.json").read_text("utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]

    assert len(asked) >= 15
    for query in asked:
        assert set(METRIC.findall(query)) <= metrics, query
    places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)


def test_alerts_are_of_metrics_that_are_told_and_say_what_to_do(metrics: set[str]) -> None:
    (rules,) = documents(DEPLOY / "prometheus" / "airpy-alerts.yaml")
    found = [rule for group in rules["groups"] for rule in group["rules"]]

    assert len({rule["alert"] for rule in found}) == len(found) > 0
    for rule in found:
        assert METRIC.search(rule["expr"])
        assert set(METRIC.findall(rule["expr"])) <= metrics, rule["alert"]
        assert {"summary", "action"} == set(rule["annotations"])
