"""POST /v1/py/analyze — starts a job that profiles a frame or the result of a plan."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from airpy.contract import AnalyzeRequest
from airpy.engine.encoding import decode_base64
from airpy.web.responses import Reply, job_started
from airpy.web.state import caller, state


async def analyze_frame(body: dict[str, Any]) -> Reply:
    """Issue a token for the analysis, once the frame, the plan and the rules are known to be acceptable."""
    request = AnalyzeRequest.model_validate(body)
    frame = None
    if request.frame_ref is not None:
        frame = await asyncio.to_thread(decode_base64, request.frame_ref.data, request.frame_ref.type)
        # The frame is kept as a file; the record only says which it was.
        request.frame_ref.data = f"sha256:{hashlib.sha256(frame).hexdigest()}"
    return job_started("analyze", await state().jobs.submit("analyze", request, caller(), frame))
