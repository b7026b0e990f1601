"""POST /v1/py/infer_schema — starts a job that infers a file's schema and basic statistics."""

from __future__ import annotations

from typing import Any

from airpy.contract import InferSchemaRequest
from airpy.web.responses import Reply, job_started
from airpy.web.state import caller, state


async def infer_schema(body: dict[str, Any]) -> Reply:
    """Issue a token for the inference, once the path is known to be acceptable."""
    request = InferSchemaRequest.model_validate(body)
    return job_started("infer_schema", await state().jobs.submit("infer_schema", request, caller()))
