"""Builds the site as `make docs` does, and reads what came of it."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from airpy.web.spec import internal, load, operations
from tests.docs.markdown import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FETCHED = {
    ("script", "src"),
    ("link", "href"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("form", "action"),
}
"""What a browser asks for by itself; a link is followed by the reader."""


class Page(HTMLParser):
    """The addresses that a page has a browser fetch, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is fetched."""
        self.fetched += [value for name, value in attrs if (tag, name) in FETCHED and value is not None]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with every warning an error: a link that leads nowhere is one."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--nitpicky", "--keep-going", "--quiet"]
    built = subprocess.run(
        [*command, "--doctree-dir", str(folder / ".doctrees"), str(ROOT / "docs"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    pages = {path: Page(path) for path in site.glob("*.html")}

    assert pages
    assert [
        (path.name, address) for path, page in pages.items() for address in page.fetched if "//" in address
    ] == []


def test_no_style_fetches_anything_from_elsewhere(site: Path) -> None:
    styles = list(site.rglob("*.css"))

    assert styles
    for style in styles:
        text = style.read_text("utf-8").replace('"', "").replace("'", "")
        assert "url(http" not in text, style
        assert "url(//" not in text, style
        assert "@import" not in text.replace("@import url(basic.css)", ""), style


def test_every_operation_and_every_schema_of_the_contract_has_its_place(site: Path) -> None:
    contract = internal(load())
    told = Page(site / "contract.html").text
    schemas = (site / "schemas.html").read_text("utf-8")

    for operation in operations(contract):
        assert f"{operation.method.upper()} {operation.path}" in told
    for name in contract["components"]["schemas"]:
        assert f'<section id="{name.lower()}">' in schemas
