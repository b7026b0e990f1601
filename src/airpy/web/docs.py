"""Serves the contract and a page to browse it; neither holds data, and both are open.

The page is Swagger UI. What is ours of it lies in `page/`: its text, its looks, and how it is set up.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.responses import Response

from airpy.web.spec import BASE_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from connexion import AsyncApp
    from starlette.requests import Request

    from airpy.web.spec import Contract

__all__ = ["add_contract", "add_page"]

CONTRACT_PATH = f"{BASE_PATH}/openapi.json"
PAGE_PATH = f"{BASE_PATH}/docs"

OURS = files("airpy.web") / "page"
SWAGGER_UI = files("mkdocs_swagger_ui_tag") / "swagger-ui"  # the plugin itself is never loaded
PAGE = {
    "": (OURS / "page.html", "text/html"),
    "/": (OURS / "page.html", "text/html"),
    "/page.css": (OURS / "page.css", "text/css"),
    "/page.js": (OURS / "page.js", "text/javascript"),
    "/icon.svg": (OURS / "icon.svg", "image/svg+xml"),
    "/swagger-ui.css": (SWAGGER_UI / "stylesheets" / "swagger-ui.css", "text/css"),
    "/swagger-ui.js": (SWAGGER_UI / "javascripts" / "swagger-ui-bundle.js", "text/javascript"),
}
"""What the page is made of, by path under its own: all of it comes from here."""

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",  # the arrows in Swagger UI's stylesheet
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
"""The browser loads nothing from elsewhere, sends nothing there, and runs no script within the page."""


def add_contract(app: AsyncApp, contract: Contract) -> None:
    """Serve the contract, written out once."""
    body = json.dumps(contract, ensure_ascii=False).encode()
    app.add_url_rule(CONTRACT_PATH, "contract", _document(body, "application/json"), methods=["GET"])


def add_page(app: AsyncApp) -> None:
    """Serve the page that shows the contract."""
    headers = {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in POLICY.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    for path, (file, media_type) in PAGE.items():
        document = _document(file.read_bytes(), media_type, headers)
        app.add_url_rule(f"{PAGE_PATH}{path}", f"page {path}", document, methods=["GET"])


def _document(
    body: bytes, media_type: str, headers: dict[str, str] | None = None
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """What serves a document, which is not sent again to whoever has it."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    headers = {"etag": f'"{digest}"', "cache-control": "no-cache", **(headers or {})}

    async def serve(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=media_type)

    return serve
