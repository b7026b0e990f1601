"""Builds the worker.

One process with as many threads as there are slots; each thread supervises the child that does a job. Run as
`python -m airpy.worker`; `airpy worker` does so and starts it again when it dies.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading

import dramatiq
import structlog
from redis.exceptions import RedisError

from airpy.config import Settings, SettingsError
from airpy.files.access import Access
from airpy.files.copies import Copies
from airpy.files.paths import FileRoot
from airpy.jobs.broker import WakeBroker, worker_client
from airpy.jobs.copying import Copying
from airpy.jobs.fitness import check_redis
from airpy.jobs.queue import declare_actor
from airpy.jobs.remembered import Memory
from airpy.jobs.results import Results
from airpy.jobs.runner import Limits, Runner
from airpy.jobs.sandbox import Sandbox
from airpy.jobs.tending import Tending
from airpy.jobs.workers import dismiss
from airpy.logs import configure_logs
from airpy.traces import configure_traces

__all__ = ["main", "run_worker"]

log = structlog.get_logger(__name__)

GRACE_S = 25.0
"""How long running jobs may go on after a request to stop; then they are given back."""

LAST_TICK_S = 2.0
"""How long its housekeeping may take to end."""


def run_worker(settings: Settings, stop: threading.Event) -> None:
    """Run jobs until told to stop; then finish those that are running, or give them back."""
    redis = worker_client(settings.redis_url)
    broker = WakeBroker(worker_client(settings.broker_url, decode=False))
    results = Results(settings.results_path.absolute())
    memory = Memory(settings.cache_mb << 20, settings.cache_ttl_s)
    results.path.mkdir(parents=True, exist_ok=True)
    copies = Copies(results.copies, settings.copies_mb << 20) if settings.copies_mb else None
    files = FileRoot.at(
        settings.base_path,
        settings.allowed_ext,
        settings.cloud_prefixes,
        Access(settings.storage),
        results.memory,
        None if copies is None else copies.path,
    )
    sandbox = Sandbox(memory_mb=settings.memory_mb, threads=os.cpu_count() or 1, spares=settings.workers)
    runner = Runner(
        redis=redis,
        sandbox=sandbox,
        results=results,
        files=files,
        limits=Limits(
            settings.infer_rows,
            settings.max_rows_json,
            settings.job_timeout_s,
            settings.max_attempts,
            settings.max_join_rows,
            memory,
        ),
        slots=settings.workers,
    )
    declare_actor(broker, runner.work)
    sandbox.prepare()
    gc.freeze()  # to look through what is here to stay would hold up every job for a tenth of a second
    crew = dramatiq.Worker(broker, worker_threads=settings.workers)
    # No message waits in this process behind a long job while another process is idle.
    crew.queue_prefetch = settings.workers
    crew.start()
    ended = threading.Event()
    copying = None if copies is None else Copying(copies, files, sandbox, settings.job_timeout_s)
    tending = Tending(
        redis, broker, runner, results, settings.workers, settings.max_attempts, memory, copying
    )
    tender = threading.Thread(target=tending.until, args=(ended,), name="tending", daemon=True)
    tender.start()
    log.info("worker_started", slots=settings.workers)
    try:
        stop.wait()
    finally:
        runner.close(GRACE_S)
        crew.stop(timeout=1000)
        ended.set()
        tender.join(LAST_TICK_S)
        if not tender.is_alive():  # else it waits for Redis, and so would this
            with contextlib.suppress(RedisError):
                dismiss(redis, settings.workers)
        sandbox.close()
        log.info("worker_stopped")


def main() -> None:
    """Run a worker until SIGTERM or SIGINT."""
    try:
        settings = Settings.from_env()
        configure_logs(settings.log_format)
        check_redis(settings.redis_url)
    except SettingsError as error:
        sys.exit(str(error))
    configure_traces("airpy-worker")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_worker(settings, stop)


if __name__ == "__main__":
    main()
