"""POST /v1/py/preview — answers at once with the first rows of a file."""

from __future__ import annotations

from typing import Any

from airpy.contract import PreviewRequest
from airpy.jobs.preview import preview
from airpy.web.responses import Reply, json_reply
from airpy.web.state import state


async def preview_file(body: dict[str, Any]) -> Reply:
    """Read the first rows in a child process, under the caps of what answers at once."""
    request = PreviewRequest.model_validate(body)
    here = state()
    settings = here.settings
    rows = await here.answer_now(preview, request, here.files, settings.infer_rows, settings.max_rows_json)
    return json_reply(rows)
