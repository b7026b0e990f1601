"""POST /v1/py/analyze — starts a job that profiles a frame or the result of a plan."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from airpy.contract import AnalyzeRequest
from airpy.engine.encoding import decode_base64
from airpy.errors import InvalidRequest
from airpy.jobs.inputs import received
from airpy.web.responses import Reply, job_started
from airpy.web.state import body_parts, caller, frame_sent, json_sent, query_json, state

if TYPE_CHECKING:
    from airpy.contract import AnalysisKind


async def analyze_frame(job_kind: AnalysisKind | None = None) -> Reply:
    """Issue a token for the analysis, once the frame, the plan and the rules are known to be acceptable."""
    options = query_json("options")
    if frame_sent():
        return await _analyze_body(job_kind, options)
    for name, value in (("job_kind", job_kind), ("options", options)):
        if value:  # an empty object, which the documentation page sends, says nothing
            raise InvalidRequest(
                f"query.{name}: a body in JSON has its own",
                field=f"query.{name}",
                constraint="left out, unless the body is a frame",
                suggestion=[name],
            )
    request = AnalyzeRequest.model_validate(json_sent())
    sent = {}
    for part, place in ((request, ""), (request.baseline, "baseline.")):
        if part is not None and part.frame_ref is not None:
            form, field = part.frame_ref.type, f"{place}frame_ref.data"
            frame = await asyncio.to_thread(decode_base64, part.frame_ref.data, form, field)
            # The frame is kept as a file; the record only says which it was.
            part.frame_ref.data = _named(hashlib.sha256(frame).hexdigest())
            sent[f"{field}.{form}"] = frame
    return job_started("analyze", await state().jobs.submit("analyze", request, caller(), sent))


async def _analyze_body(job_kind: AnalysisKind | None, options: object) -> Reply:
    """The same of the body itself, which goes into a file as it comes."""
    if job_kind is None:
        raise InvalidRequest(
            "query.job_kind: is required with a frame as the body",
            field="query.job_kind",
            constraint="required, unless the body is JSON",
        )
    here = state()
    async with received(body_parts(), here.results.path) as frame:
        sent = {"frame_ref": {"type": "arrow", "data": _named(frame.digest)}, "job_kind": job_kind}
        asked = {} if options is None else {"options": options}
        request = AnalyzeRequest.model_validate(sent | asked)
        token = await here.jobs.submit("analyze", request, caller(), {"body.arrow": frame.path})
    return job_started("analyze", token)


def _named(digest: str) -> str:
    return f"sha256:{digest}"
