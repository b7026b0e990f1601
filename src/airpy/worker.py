"""Builds the worker.

One process with as many threads as there are slots; each thread supervises the child that does a job. Run as
`python -m airpy.worker`; `airpy worker` does so and starts it again when it dies.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import dramatiq
import structlog

from airpy.config import Settings, SettingsError
from airpy.files.paths import FileRoot
from airpy.jobs.broker import WakeBroker, worker_client
from airpy.jobs.queue import declare_actors
from airpy.jobs.results import Results
from airpy.jobs.runner import Runner, worker_name
from airpy.jobs.sandbox import Sandbox
from airpy.jobs.store import dismiss_worker, existing_jobs, report_worker
from airpy.logs import configure_logs

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["main", "run_worker"]

log = structlog.get_logger(__name__)

REPORT_S = 5.0
SWEEP_S = 60.0
GRACE_MS = 30_000
"""How long running jobs may go on after a request to stop."""


def run_worker(settings: Settings, stop: threading.Event) -> None:
    """Run jobs until told to stop; then finish those that are running."""
    redis = worker_client(settings.redis_url)
    broker = WakeBroker(worker_client(settings.broker_url, decode=False))
    results = Results(settings.results_path.absolute())
    results.path.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(memory_mb=settings.memory_mb, threads=os.cpu_count() or 1, spares=settings.workers)
    runner = Runner(
        redis=redis,
        sandbox=sandbox,
        results=results,
        files=FileRoot.at(settings.base_path, settings.allowed_ext, settings.cloud_prefixes),
        infer_rows=settings.infer_rows,
        max_rows_json=settings.max_rows_json,
        timeout_s=settings.job_timeout_s,
        max_attempts=settings.max_attempts,
    )
    declare_actors(broker, runner.run)
    sandbox.prepare()
    gc.freeze()  # to look through what is here to stay would hold up every job for a tenth of a second
    worker = dramatiq.Worker(broker, worker_threads=settings.workers)
    # No message waits in this process behind a long job while another process is idle.
    worker.queue_prefetch = settings.workers
    worker.start()
    log.info("worker_started", slots=settings.workers)
    try:
        _keep_house(redis, results, settings.workers, stop)
    finally:
        worker.stop(timeout=GRACE_MS)
        dismiss_worker(redis, worker_name(), settings.workers)
        sandbox.close()
        log.info("worker_stopped")
        if any(thread.is_alive() for thread in worker.workers):
            # A job that outlasts the grace goes back to the queue. An orderly exit would end its child first,
            # which the thread that watches it would record as a crash of the reader.
            os._exit(0)


def main() -> None:
    """Run a worker until SIGTERM or SIGINT."""
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        sys.exit(str(error))
    configure_logs(settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_worker(settings, stop)


def _keep_house(redis: Redis, results: Results, slots: int, stop: threading.Event) -> None:
    """Report this worker and remove what has expired, until told to stop."""
    swept = float("-inf")
    while True:
        report_worker(redis, worker_name(), slots)
        if time.monotonic() - swept > SWEEP_S:
            swept = time.monotonic()
            results.sweep(lambda tokens: existing_jobs(redis, tokens))
        if stop.wait(REPORT_S):
            return


if __name__ == "__main__":
    main()
