"""The two busiest operations in FastAPI, on the same queue and records.

Everything below the web layer is the service's own: the request's model, the plan's checks, the Redis
transaction. So what differs is what a hand-written FastAPI application would do in place of `airpy.web`.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from redis.asyncio import Redis

from airpy.config import Settings
from airpy.contract import QueryRequest  # noqa: TC001  FastAPI reads the annotations
from airpy.files.paths import FileRoot
from airpy.jobs.queue import Caller, JobQueue
from airpy.jobs.record import rfc3339
from airpy.jobs.results import Results
from airpy.jobs.store import JobStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

bearer = HTTPBearer()


def create_app() -> FastAPI:
    """The application, for uvicorn."""
    settings = Settings.from_env()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        redis = Redis.from_url(settings.redis_url, decode_responses=True)
        files = FileRoot.at(settings.base_path, settings.allowed_ext, settings.cloud_prefixes)
        store = JobStore(redis, settings.redis_url, settings.broker_url)
        results = Results(settings.results_path)
        app.state.store = store
        app.state.jobs = JobQueue(
            store, results, files, settings.max_queued_jobs, settings.job_ttl_s, "", remembers=False
        )
        app.state.secret = settings.secret
        yield
        await redis.aclose()

    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/v1/py/query", run_query, methods=["POST"], status_code=202)
    app.add_api_route("/v1/py/jobs/{token}", get_job, methods=["GET"])
    return app


async def signed(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]
) -> None:
    """Refuse a request without a valid token."""
    try:
        jwt.decode(
            credentials.credentials,
            request.app.state.secret,
            algorithms=["HS256"],
            options={"require": ["exp"]},
        )
    except jwt.PyJWTError:
        raise HTTPException(401) from None


async def run_query(
    request: Request, response: Response, body: QueryRequest, _: Annotated[None, Depends(signed)]
) -> dict[str, Any]:
    """Accept a query."""
    caller = Caller(request.headers.get("x-request-id", "none"))
    token = await request.app.state.jobs.submit("query", body, caller)
    response.headers["location"] = f"/v1/py/jobs/{token}"
    return {"token": token, "status": "started", "message": "Query execution job started"}


async def get_job(request: Request, token: int, _: Annotated[None, Depends(signed)]) -> Response:
    """Report a job that has no result yet."""
    job = await request.app.state.store.get(token)
    fields = {
        "token": job.token,
        "job_type": job.kind,
        "status": job.status,
        "steps": [step._asdict() for step in job.steps],
        "attempt": job.attempt,
        "code": 200,
        "error": job.error,
        "request_id": job.request_id,
        "created_at": rfc3339(job.created_ms),
        "updated_at": rfc3339(job.updated_ms),
        "ttl": job.ttl_s,
        "data": None,
    }
    return Response(json.dumps(fields), media_type="application/json")
