"""Serves the contract and a page to browse it; neither holds data, and both are open."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from connexion.options import SwaggerUIOptions
from starlette.responses import Response

from airpy.web.spec import BASE_PATH

if TYPE_CHECKING:
    from connexion import AsyncApp
    from starlette.requests import Request

    from airpy.web.spec import Contract

__all__ = ["add_contract", "page_options"]

CONTRACT_PATH = f"{BASE_PATH}/openapi.json"


def page_options(*, shown: bool) -> SwaggerUIOptions:
    """The documentation page, or none. Connexion's own copy of the contract would leak our wiring."""
    return SwaggerUIOptions(
        serve_spec=False,
        swagger_ui=shown,
        swagger_ui_path=f"{BASE_PATH}/docs",
        swagger_ui_template_arguments={"openapi_spec_url": CONTRACT_PATH},
    )


def add_contract(app: AsyncApp, contract: Contract) -> None:
    """Serve the contract, written out once."""
    body = json.dumps(contract, ensure_ascii=False).encode()
    headers = {"etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "cache-control": "no-cache"}

    async def serve_contract(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")

    app.add_url_rule(CONTRACT_PATH, "contract", serve_contract, methods=["GET"])
