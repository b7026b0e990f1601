from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import dramatiq
import pytest
import redis
from structlog.testing import capture_logs

from airpy.files.paths import FileRoot
from airpy.jobs import tending as module
from airpy.jobs.broker import QUEUE, WakeBroker, worker_client
from airpy.jobs.claim import LEASE_MS, Claim, renew
from airpy.jobs.remembered import Memory
from airpy.jobs.results import Results
from airpy.jobs.runner import Limits, Runner
from airpy.jobs.sandbox import Sandbox
from airpy.jobs.tending import Tending
from airpy.jobs.workers import reports, worker_name
from tests.conftest import database_url, fresh
from tests.jobs.asking import WORKER, ask, get, reap, submit, take, worker_dies
from tests.service import running_redis, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def new_tending(client: redis.Redis, queue: redis.Redis, folder: Path, slots: int = 2) -> Tending:
    """A worker's housekeeping over results in the folder."""
    runner = Runner(
        redis=client,
        sandbox=Sandbox(memory_mb=512, threads=1, spares=0),
        results=Results(folder),
        files=FileRoot.at(folder, (".csv",)),
        limits=Limits(infer_rows=100, max_rows_json=100, timeout_s=60, max_attempts=3),
        slots=slots,
    )
    broker = WakeBroker(queue)
    broker.declare_queue(QUEUE)
    return Tending(client, broker, runner, runner._results, slots, 3, Memory(1 << 20, 60))  # noqa: SLF001  its own


@pytest.fixture
def queue(redis_url: str) -> Iterator[redis.Redis]:
    """A broker's client, of another database."""
    with redis.Redis.from_url(fresh(database_url(redis_url, 2))) as queue:
        yield queue


@pytest.fixture
def tending(client: redis.Redis, queue: redis.Redis, tmp_path: Path) -> Tending:
    """A worker's housekeeping."""
    return new_tending(client, queue, tmp_path)


@contextlib.contextmanager
def at_work(tending: Tending) -> Iterator[None]:
    """The housekeeping is done while the block runs."""
    stop = threading.Event()
    thread = threading.Thread(target=tending.until, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def calls(queue: redis.Redis) -> list[dramatiq.Message[Any]]:
    """The calls to work in the queue."""
    encoded = cast("list[bytes]", queue.hvals("dramatiq:airpy.msgs"))
    return [dramatiq.Message.decode(one) for one in encoded]


def test_the_job_of_a_dead_worker_goes_back_in_line(
    redis_url: str, client: redis.Redis, tending: Tending
) -> None:
    token = submit(redis_url)
    worker_dies(client, take(client).token)

    tending.reap()

    again = take(client)
    assert (again.token, again.attempt, again.failures) == (token, 2, 1)
    assert get(redis_url, token).status == "running"


def test_a_living_workers_job_is_left_alone(redis_url: str, client: redis.Redis, tending: Tending) -> None:
    submit(redis_url)
    claim = take(client)

    tending.reap()

    assert claim.complete("1-1", None)


def test_a_job_under_which_three_workers_died_is_ended_with_its_post_mortem(
    redis_url: str, client: redis.Redis, tending: Tending
) -> None:
    token = submit(redis_url)
    statuses = []
    for attempt in (1, 2, 3):
        claim = take(client)
        claim.step("scanning_directory", "…")
        claim.watch.peak_mb = 100 + attempt
        tending.results.attempt(token, attempt)
        renew(client, [claim])
        worker_dies(client, claim.token)
        tending.reap()
        statuses.append(get(redis_url, token).status)

    job = get(redis_url, token)
    letter = ask(redis_url, lambda store: store.dead_letter(token))
    assert statuses == ["running", "running", "failed"]
    assert Claim.take(client, WORKER, long_too=True) is None
    assert job.attempt == letter.attempt == 3
    assert job.error == letter.error
    assert job.error is not None
    assert (job.error["code"], job.error["request_id"]) == ("INTERNAL_ERROR", "req_1")
    assert job.error["details"]["reason"] == "WORKER_DIED"
    assert job.error["details"]["post_mortem"] == {
        "attempts": 3,
        "last_step": "scanning_directory",
        "exit_signal": None,
        "peak_memory_mb": 103,
    }
    assert "3 times" in job.error["message"]
    assert "scanning_directory" in job.error["message"]
    assert not (tending.results.path / f"{token}-3").exists()


def test_two_reapers_end_each_job_once(
    redis_url: str, client: redis.Redis, queue: redis.Redis, tmp_path: Path
) -> None:
    for _ in range(150):
        submit(redis_url)
        worker_dies(client, take(client).token)
    reapers = [new_tending(client, queue, tmp_path)._replace(max_attempts=1) for _ in range(2)]

    with ThreadPoolExecutor(2) as threads:
        for _ in range(2):  # a reaper takes a hundred at a time
            list(threads.map(lambda reaper: reaper.reap(), reapers))

    counters = ask(redis_url, lambda store: store.counters())
    assert counters["ended:discover:failed"] == 150
    assert client.zcard("airpy:dead") == 150
    assert client.zcard("airpy:active") == client.zcard("airpy:leases") == 0


def test_a_reaper_that_dies_before_it_ended_a_job_is_followed_by_another(
    redis_url: str, client: redis.Redis, tending: Tending
) -> None:
    token = submit(redis_url)
    worker_dies(client, take(client).token)
    impatient = tending._replace(max_attempts=1)
    reap(client, most_failures=1)  # and is never heard of again
    impatient.reap()
    too_early = get(redis_url, token).status

    worker_dies(client, token)
    impatient.reap()

    job = get(redis_url, token)
    assert (too_early, job.status) == ("running", "failed")
    assert job.error is not None
    assert job.error["details"]["post_mortem"]["attempts"] == 1


def test_workers_are_called_while_jobs_are_in_line_whatever_became_of_the_first_call(
    redis_url: str, client: redis.Redis, queue: redis.Redis, tending: Tending
) -> None:
    for _ in range(3):
        submit(redis_url)
    client.delete("dramatiq:airpy", "dramatiq:airpy.msgs")

    tending.call_to_work()
    called = calls(queue)
    tending.call_to_work()  # they have not been heard yet
    again = queue.llen("dramatiq:airpy")

    assert [(call.actor_name, call.args) for call in called] == [("work", ())] * 2  # one for each slot
    assert again == 2


def test_no_more_workers_are_called_than_there_are_jobs(
    redis_url: str, queue: redis.Redis, tending: Tending
) -> None:
    tending.call_to_work()
    none = queue.llen("dramatiq:airpy")
    submit(redis_url)
    tending.call_to_work()

    assert none == 0
    assert queue.llen("dramatiq:airpy") == 1


def test_a_job_whose_pause_is_over_is_called_for(
    redis_url: str, client: redis.Redis, queue: redis.Redis, tending: Tending
) -> None:
    token = submit(redis_url)
    take(client).release(300, failed=True)
    tending.call_to_work()
    early = queue.llen("dramatiq:airpy")
    time.sleep(0.4)

    tending.call_to_work()

    assert early == 0
    assert queue.llen("dramatiq:airpy") == 1
    assert take(client).token == token


def test_a_sweep_removes_what_belongs_to_no_record(
    redis_url: str, client: redis.Redis, tending: Tending
) -> None:
    results = tending.results
    frames = {
        name: results.keep_input({"a": b"frame"})
        for name in ("waiting", "ended", "dead", "forgotten", "unknown")
    }
    for name in ("ended", "dead", "forgotten"):
        submit(redis_url, input=frames[name])
        claim = take(client)
        results.attempt(claim.token, 1)
        claim.fail({"code": "INTERNAL_ERROR"}, dead=name != "ended")
    submit(redis_url, input=frames["waiting"])
    client.delete("airpy:job:2", "airpy:job:3", "airpy:dead:3")  # time goes by
    for place in results.path.iterdir():
        os.utime(place, (0, 0))

    tending.sweep()

    assert {place.name for place in results.path.iterdir()} == {"1-1", frames["waiting"], frames["dead"]}
    assert client.zrange("airpy:jobs", 0, -1) == ["1", "4"]
    assert client.zrange("airpy:dead", 0, -1) == ["2"]


def test_a_sweep_where_nothing_is_gone_takes_nothing(
    redis_url: str, client: redis.Redis, tending: Tending
) -> None:
    submit(redis_url)
    take(client).fail({"code": "INTERNAL_ERROR"}, dead=True)

    tending.sweep()

    assert client.zrange("airpy:jobs", 0, -1) == client.zrange("airpy:dead", 0, -1) == ["1"]


def test_it_is_all_done_while_the_worker_lives(
    redis_url: str, client: redis.Redis, queue: redis.Redis, tending: Tending
) -> None:
    """Leases are renewed, the dead are taken from, workers are called, and old results go."""
    submit(redis_url)
    claim = take(client)
    submit(redis_url)
    dead = take(client)
    tending.runner._running.add(claim)  # noqa: SLF001  it is this worker's
    worker_dies(client, dead.token)
    client.zadd("airpy:leases", {str(claim.token): 1 + int(client.time()[0]) * 1000 + 1000})
    abandoned = tending.results.attempt(99, 1)
    os.utime(abandoned, (0, 0))

    with at_work(tending):
        wait_until(lambda: not abandoned.exists() and queue.llen("dramatiq:airpy") == 1)
        host = worker_name().rpartition(":")[0]
        reported = reports(client, host)
        wait_until(lambda: time.time() * 1000 < (client.zscore("airpy:leases", "1") or 0) - LEASE_MS / 2)

    assert reported
    assert not claim.watch.stop.is_set()
    assert take(client).token == dead.token


def test_a_disk_that_cannot_be_swept_does_not_end_it(
    redis_url: str, client: redis.Redis, tending: Tending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.0)
    nowhere = tending._replace(results=Results(tending.results.path / "nowhere"))
    token = submit(redis_url)
    claim = take(client)

    with capture_logs() as logs, at_work(nowhere):
        wait_until(lambda: logs)
        worker_dies(client, claim.token)
        wait_until(lambda: client.zrange("airpy:waiting", 0, -1) == [str(token)])

    assert {entry["event"] for entry in logs} == {"tending_interrupted"}


def frozen(client: redis.Redis, seconds: float) -> None:
    """Have Redis stand still for so long."""
    pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


def test_a_reaper_that_was_itself_cut_off_is_patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other workers were cut off too; they are given the time to renew their leases."""
    patience_s = 3.0
    monkeypatch.setattr(module, "STALL_S", 1.0)
    monkeypatch.setattr(module, "LEASE_MS", 1000 * patience_s)
    (tmp_path / "results").mkdir()
    with running_redis(tmp_path) as url, contextlib.closing(worker_client(url)) as client:
        token = submit(url)
        claim = take(client)
        queue = worker_client(url, decode=False)
        with contextlib.closing(queue), at_work(new_tending(client, queue, tmp_path / "results")):
            wait_until(lambda: client.zcard("airpy:workers"))
            client.zadd("airpy:leases", {str(claim.token): int(client.time()[0]) * 1000 + 2500})
            frozen(client, 3.5)  # meanwhile the lease runs out
            thawed = time.monotonic()
            wait_until(lambda: client.zcard("airpy:waiting"))
            waited_s = time.monotonic() - thawed

        assert waited_s > patience_s - 0.2
        assert take(client).token == token


def test_an_outage_is_waited_out(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with contextlib.ExitStack() as stack:
        with running_redis(tmp_path) as url:
            client = redis.Redis.from_url(url, decode_responses=True, retry=None)
            queue = redis.Redis.from_url(url, retry=None)
            stack.callback(client.close)
            stack.callback(queue.close)
            logs = stack.enter_context(capture_logs())
            stack.enter_context(at_work(new_tending(client, queue, tmp_path / "results")))
            wait_until(lambda: client.zcard("airpy:workers"))
        wait_until(lambda: logs)
        with running_redis(tmp_path), redis.Redis.from_url(url) as other:
            other.delete("airpy:workers")
            wait_until(lambda: other.zcard("airpy:workers"))
            stack.close()

    assert {entry["event"] for entry in logs} == {"tending_interrupted"}
