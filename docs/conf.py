"""How Sphinx builds the documentation: Markdown in, pages out that ask nothing of another host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

from contract_pages import CONTRACT, PAGES

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "AIR-Py"
extensions = ["myst_parser"]
exclude_patterns = ["conf.py"]

myst_heading_anchors = 4
# A link to another host is followed by the reader alone, and never while the site is built.
myst_url_schemes = ["http", "https"]

html_theme = "furo"
html_title = "AIR-Py"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "tango"
pygments_dark_style = "monokai"


def insert_contract(app: Sphinx, name: str, source: list[str]) -> None:
    """Put what is generated from the contract where a page has room for it."""
    if name in PAGES:
        app.env.note_dependency(str(CONTRACT))
        source[0] = source[0].replace("<!-- from the contract -->", PAGES[name]())


def setup(app: Sphinx) -> None:
    """Tell Sphinx of what this documentation has of its own."""
    app.connect("source-read", insert_contract)
