"""Holds the papers to the code: the map of rooms, the dependencies, the settings."""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import AliasChoices

import airpy
import handlers
from airpy.config import Settings

ROOT = Path(__file__).parents[1]
PACKAGES = {"src/airpy": Path(airpy.__path__[0]), "handlers": Path(handlers.__path__[0])}
MODULES = {
    f"{prefix}/{path.relative_to(folder)}": path
    for prefix, folder in PACKAGES.items()
    for path in sorted(folder.rglob("*.py"))
}


def opening(path: Path) -> str:
    """The first sentence of a module."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert docstring, f"{path} has no docstring"
    return " ".join(docstring.split("\n\n")[0].split())


def rooms() -> dict[str, str]:
    """The map in ARCHITECTURE.md: a path and its sentence."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## The rooms")[1].split("```")[1]
    found: dict[str, str] = {}
    folders: list[str] = []
    for line in filter(str.strip, text.splitlines()):
        name, sentence = re.split(r"\s{2,}", line.strip(), maxsplit=1)
        depth = (len(line) - len(line.lstrip())) // 4
        if name.endswith("/"):
            folders = [*folders[:depth], name]
            name = "__init__.py"
        else:
            folders = folders[:depth]
        found["".join([*folders, name])] = sentence
    return found


@pytest.mark.parametrize("module", [name for name in MODULES if name != "src/airpy/contract.py"])
def test_the_map_has_every_module_with_the_sentence_that_opens_it(module: str) -> None:
    assert rooms().get(module) == opening(MODULES[module])


def test_the_map_has_no_room_that_is_not_there() -> None:
    folders = ("tests", "docs", "benchmarks", "clients/go")
    others = {"api/openapi.yaml", *(f"{folder}/__init__.py" for folder in folders)}

    assert set(rooms()) - others <= set(MODULES)


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    paper = (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("## Dependencies")[1]
    extras = project["project"]["optional-dependencies"]
    needed = itertools.chain(project["project"]["dependencies"], *extras.values())

    for requirement in needed:
        name = re.split(r"[\[<>=~!]", requirement)[0]
        assert f"| {name} |" in paper, f"ARCHITECTURE.md does not say what {name} is for"


def test_the_readme_lists_every_setting_with_its_default() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `((?:PY_|REDIS_|DRAMATIQ_)\w+)` \| (.+?) \|", readme, re.MULTILINE))
    plain = {int, float, str, bool}

    names = set()
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        name = str(alias.choices[0] if isinstance(alias, AliasChoices) else alias)
        names.add(name)
        default = field.default
        if type(default) in plain and default != "":
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert listed[name] == f"`{shown}`", name

    assert names == set(listed)
