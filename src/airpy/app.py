"""Builds the web application.

uvicorn --factory airpy.app:create_app --lifespan on --ws none
"""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import connexion
from connexion.options import SwaggerUIOptions
from redis.asyncio import BlockingConnectionPool, Redis
from starlette.routing import Router

from airpy.config import Settings
from airpy.files.access import Access
from airpy.files.paths import FileRoot
from airpy.jobs.changes import Changes
from airpy.jobs.fitness import check_redis
from airpy.jobs.queue import JobQueue
from airpy.jobs.results import Results
from airpy.jobs.sandbox import Sandbox
from airpy.jobs.states import ground_of
from airpy.jobs.store import JobStore
from airpy.logs import configure_logs
from airpy.traces import configure_traces, flush_traces
from airpy.web.docs import add_contract, add_page
from airpy.web.edge import Edge, compressed
from airpy.web.metrics import Requests
from airpy.web.problems import add_error_handlers
from airpy.web.spec import internal, load, routed
from airpy.web.state import AppState
from airpy.web.validation import validator_map

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp

__all__ = ["create_app"]

CONNECT_S = 5.0
"""After so long, a connection to Redis is tried anew; whoever asks something is refused sooner."""
MOST_CONNECTIONS = 32
"""To Redis: a crowd of requests takes turns. How long one of them waits in all, the store decides."""


def create_app(settings: Settings | None = None, *, validate_responses: bool = False) -> ASGIApp:
    """The application, ready to serve; fails when the contract names a handler that is not there.

    Args:
        settings: Those of the environment when not given.
        validate_responses: Check every answer against the contract, at a price.
    """
    if settings is None:
        settings = Settings.from_env()
        configure_logs(settings.log_format)
        configure_traces("airpy-server")
        check_redis(settings.redis_url)
    contract = internal(load())
    requests = Requests(contract)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:  # noqa: ANN401
        redis, listening = _redis(settings), _redis(settings)
        state = _state(settings, redis, listening, requests)
        await asyncio.to_thread(state.sandbox.prepare)
        # A look through what is here to stay, or through all of thousands of callers who wait, would hold up
        # everybody for a tenth of a second and more; and hardly any garbage here is in cycles.
        gc.freeze()
        gc.set_threshold(50_000, 10, 10)
        try:
            async with state.changes.running():
                yield {"airpy": state}
        finally:
            await asyncio.to_thread(state.sandbox.close)
            await asyncio.to_thread(flush_traces)
            await listening.aclose()
            await redis.aclose()

    app = connexion.AsyncApp("airpy", lifespan=lifespan)
    app.add_api(
        routed(contract),
        base_path="",
        strict_validation=True,
        validate_responses=validate_responses,
        validator_map=validator_map(contract),
        # Its own copy of the contract would leak our wiring, and its page is an old one.
        swagger_ui_options=SwaggerUIOptions(serve_spec=False, swagger_ui=False),
    )
    if settings.docs:
        add_contract(app, contract)
        add_page(app)
    add_error_handlers(app, contract)
    _build_now(app)
    edge = Edge(app, requests, max_body_bytes=settings.max_body_mb << 20, body_timeout_s=settings.timeout_s)
    return compressed(edge)


def _redis(settings: Settings) -> Redis:
    pool = BlockingConnectionPool.from_url(
        settings.redis_url,
        max_connections=MOST_CONNECTIONS,
        timeout=None,
        decode_responses=True,
        socket_timeout=None,
        socket_connect_timeout=CONNECT_S,
        retry=None,
    )
    return Redis.from_pool(pool)


def _state(settings: Settings, redis: Redis, listening: Redis, requests: Requests) -> AppState:
    results = Results(settings.results_path.absolute())
    results.path.mkdir(parents=True, exist_ok=True)
    files = FileRoot.at(
        settings.base_path,
        settings.allowed_ext,
        settings.cloud_prefixes,
        Access(settings.storage),
        results.memory,
    )
    store = JobStore(redis, settings.redis_url, settings.broker_url)
    return AppState(
        settings=settings,
        store=store,
        jobs=JobQueue(
            store,
            results,
            files,
            settings.max_queued_jobs,
            settings.job_ttl_s,
            ground_of(files, settings.infer_rows, settings.max_rows_json),
            remembers=settings.cache_mb > 0,
        ),
        results=results,
        files=files,
        changes=Changes(listening, store),
        requests=requests,
        sandbox=Sandbox(memory_mb=settings.memory_mb, threads=os.cpu_count() or 1),
        children=asyncio.Semaphore(settings.workers),
    )


def _build_now(app: connexion.AsyncApp) -> None:
    """Build Connexion's stack here, not at the first request, so that a missing handler stops the start.

    A path with a slash too many is another path: no redirect, which would answer without a token.
    """
    middleware = app.middleware
    middleware.app, middleware.middleware_stack = middleware._build_middleware_stack()  # noqa: SLF001  there is no public way
    pending: list[Any] = list(middleware.middleware_stack)
    while pending:
        layer = pending.pop()
        router = layer if isinstance(layer, Router) else getattr(layer, "router", None)
        if isinstance(router, Router):
            router.redirect_slashes = False
            pending.extend(getattr(route, "app", None) for route in router.routes)
