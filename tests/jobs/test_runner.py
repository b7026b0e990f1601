from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import psutil
import pytest
import redis
from structlog.testing import capture_logs

from airpy.files.paths import FileRoot
from airpy.jobs.claim import Claim
from airpy.jobs.results import Results
from airpy.jobs.runner import Limits, Runner
from airpy.jobs.sandbox import Sandbox
from airpy.jobs.scripts import run
from tests.jobs.asking import WORKER, ask, cancel, get, reap, submit, take, worker_dies
from tests.service import running_redis, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUERY = {"datasource_id": "energy", "plan": {"dataset": "energy", "aggs": [{"col": "kwh", "fn": "sum"}]}}
UNKNOWN = {"datasource_id": "energy", "plan": {"dataset": "energy", "select": ["kwhh"]}}
# Of 300 000 rows that all match, whose sum takes minutes.
ENDLESS = {
    "datasource_id": "energy",
    "plan": {
        "dataset": "ones",
        "joins": [{"dataset": "ones", "on": ["one"]}],
        "aggs": [{"col": "one", "fn": "sum"}],
    },
}
LIMITS = Limits(infer_rows=100, max_rows_json=100, timeout_s=120, max_attempts=3)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox for every job of this module."""
    sandbox = Sandbox(memory_mb=1024, threads=2)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="module")
def files(base: Path) -> FileRoot:
    """The specification's data, and as many ones as to be busy with."""
    if not (base / "ones.parquet").exists():
        pl.DataFrame({"one": [1] * 300_000}).write_parquet(base / "ones.parquet")
    return FileRoot.at(base, (".csv", ".parquet", ".jsonl"))


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """A folder for results."""
    (tmp_path / "results").mkdir()
    return Results(tmp_path / "results")


@pytest.fixture
def runner(client: redis.Redis, sandbox: Sandbox, files: FileRoot, results: Results) -> Runner:
    """A runner over the specification's data."""
    return Runner(client, sandbox, results, files, LIMITS, slots=2)


@contextlib.contextmanager
def working(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """Work in a thread that has ended after the block."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield thread
    thread.join(60)
    assert not thread.is_alive()


def ask_for(url: str, body: dict[str, Any], **parts: Any) -> int:
    """The token of a new query; what is asked of it is not checked."""
    return submit(url, **{"kind": "query", "request": json.dumps(body), **parts})


def reached(url: str, token: int, attempt: int, step: str = "aggregating") -> bool:
    """Whether an attempt has reached a step."""
    return (attempt, step) in [(one.attempt, one.step) for one in get(url, token).steps]


def children() -> set[int]:
    """Process numbers of this process's children."""
    return {process.pid for process in multiprocessing.active_children() if process.pid}


def busy_child() -> int:
    """The child that is at work on what has no end."""

    def seconds(pid: int) -> float:
        with contextlib.suppress(psutil.Error):
            return psutil.Process(pid).cpu_times().user
        return 0

    wait_until(lambda: max(map(seconds, children()), default=0) > 0.5)
    return max(children(), key=seconds)


def left(results: Results) -> list[str]:
    """What is in the folder of results."""
    return sorted(place.name for place in results.path.iterdir())


def test_a_job_is_run_to_its_end(redis_url: str, runner: Runner, results: Results) -> None:
    token = ask_for(redis_url, QUERY)

    runner.work()

    job = get(redis_url, token)
    assert (job.status, job.attempt, job.folder, job.error) == ("completed", 1, f"{token}-1", None)
    assert [step.step for step in job.steps] == [
        "file_found",
        "loading_data",
        "applying_filters",
        "aggregating",
        "query_complete",
    ]
    assert job.frame is not None
    assert (job.frame.format, job.frame.rows) == ("json", 1)
    # 12 readings of sites 1, 2 and 3, the last of site 3 missing: 12 + 24 + 33.
    assert json.loads(results.data(f"{token}-1", token))["rows"] == [{"kwh_sum": 69.0}]


def test_one_call_is_enough_for_all_the_work_there_is(redis_url: str, runner: Runner) -> None:
    tokens = [ask_for(redis_url, QUERY, request_id=f"req_{n}", data=str(n)) for n in range(3)]
    failing = ask_for(redis_url, UNKNOWN)

    runner.work()

    assert [get(redis_url, token).status for token in tokens] == ["completed"] * 3
    assert get(redis_url, failing).status == "failed"


def test_a_call_without_work_is_done_with(runner: Runner, results: Results) -> None:
    runner.work()

    assert left(results) == []


def test_a_callers_error_is_told_at_once_and_leaves_no_folder(
    redis_url: str, runner: Runner, results: Results
) -> None:
    token = ask_for(redis_url, UNKNOWN)

    runner.work()

    job = get(redis_url, token)
    assert (job.status, job.attempt, job.folder, job.frame) == ("failed", 1, None, None)
    assert job.error is not None
    assert job.error["code"] == "VALIDATION_ERROR"
    assert job.error["request_id"] == "req_1"
    assert job.error["details"]["reason"] == "UNKNOWN_COLUMN"
    change = {"op": "replace", "path": "/plan/select/0", "value": "kwh"}
    assert job.error["details"]["suggestion"] == [change]
    assert "post_mortem" not in job.error["details"]
    assert left(results) == []
    assert ask(redis_url, lambda store: store.dead_letters(None, 100)) == ([], None)


def test_the_third_attempt_is_still_run_and_nothing_is_left_of_the_others(
    redis_url: str, client: redis.Redis, runner: Runner, results: Results
) -> None:
    token = ask_for(redis_url, QUERY)
    for attempt in (1, 2):
        worker_dies(client, take(client).token)
        results.attempt(token, attempt)
        reap(client)

    runner.work()

    job = get(redis_url, token)
    assert (job.status, job.attempt, job.folder) == ("completed", 3, f"{token}-3")
    assert left(results) == [f"{token}-3"]


@pytest.mark.parametrize(
    ("request_", "kind"),
    [("{", "query"), ('{"from":"another version"}', "query"), ("{}", "unheard_of")],
    ids=["no JSON", "another schema", "another kind"],
)
def test_a_record_that_makes_no_sense_fails_its_job_and_is_kept(
    redis_url: str, runner: Runner, request_: str, kind: str
) -> None:
    token = submit(redis_url, request=request_, kind=kind)

    with capture_logs() as logs:
        runner.work()

    job = get(redis_url, token)
    assert (job.status, job.attempt) == ("failed", 1)
    assert job.error is not None
    assert job.error["code"] == "INTERNAL_ERROR"
    assert "another version" not in job.error["message"]
    assert job.error["details"]["post_mortem"]["attempts"] == 1
    assert "job_fault" in [entry["event"] for entry in logs]
    assert ask(redis_url, lambda store: store.dead_letter(token)).request == request_


def test_a_fault_of_a_child_is_no_fault_of_the_parent(redis_url: str, runner: Runner) -> None:
    """The child's own words are in the log already."""
    token = ask_for(redis_url, QUERY, input="a/../../nowhere")

    with capture_logs() as logs:
        runner.work()

    assert get(redis_url, token).status == "completed"  # a query reads no frame
    assert "job_fault" not in [entry["event"] for entry in logs]


def work_until_ended(runner: Runner, client: redis.Redis) -> None:
    """Work as long as there are jobs, those that pause too."""
    while client.zcard("airpy:active"):
        runner.work()
        run(client, "due")
        time.sleep(0.02)


def engine_threads(pid: int) -> int:
    """The engine's threads that compute in a process."""
    names = [task.read_text().strip() for task in Path(f"/proc/{pid}/task").glob("*/comm")]
    return sum(name.startswith("polars-") and name.removeprefix("polars-").isdecimal() for name in names)


def test_a_job_that_kills_its_child_is_tried_carefully_and_dead_after_three_starts(
    redis_url: str, client: redis.Redis, runner: Runner, sandbox: Sandbox, results: Results
) -> None:
    sandbox.prepare()
    token = ask_for(redis_url, ENDLESS)
    used: list[int] = []
    with working(lambda: work_until_ended(runner, client)), capture_logs() as logs:
        for attempt in (1, 2, 3):
            wait_until(lambda attempt=attempt: reached(redis_url, token, attempt))
            at_work = busy_child()
            used.append(engine_threads(at_work))
            os.kill(at_work, signal.SIGSEGV)
            if attempt == 1:
                neighbour = ask_for(redis_url, QUERY)

    job = get(redis_url, token)
    letter = ask(redis_url, lambda store: store.dead_letter(token))
    counters = ask(redis_url, lambda store: store.counters())
    assert used == [2, 1, 1]
    assert (job.status, job.attempt, letter.attempt) == ("failed", 3, 3)
    assert job.error == letter.error
    assert job.error is not None
    assert (job.error["code"], job.error["details"]["reason"]) == ("IO_ERROR", "READER_CRASHED")
    post_mortem = job.error["details"]["post_mortem"]
    assert post_mortem["peak_memory_mb"] > 10
    assert post_mortem | {"peak_memory_mb": 0} == {
        "attempts": 3,
        "last_step": "aggregating",
        "exit_signal": "SIGSEGV",
        "peak_memory_mb": 0,
    }
    assert counters["exit:SIGSEGV"] == 3
    assert counters["ended:query:failed"] == 1
    pauses = [entry["pause_ms"] for entry in logs if entry["event"] == "job_to_be_retried"]
    assert [100 <= pauses[0] <= 200, 200 <= pauses[1] <= 400, len(pauses)] == [True, True, 2]
    assert get(redis_url, neighbour).status == "completed"
    assert left(results) == [f"{neighbour}-1"]


def test_a_job_that_was_killed_once_by_chance_is_right_in_the_end(
    redis_url: str, client: redis.Redis, runner: Runner, sandbox: Sandbox, results: Results
) -> None:
    sandbox.prepare()
    token = ask_for(redis_url, ENDLESS)
    with working(runner.work):
        wait_until(lambda: reached(redis_url, token, 1))
        client.hset(f"airpy:job:{token}", mapping={"request": json.dumps(QUERY)})  # it is quick from now on
        os.kill(busy_child(), signal.SIGKILL)
    paused = client.zscore("airpy:delayed", str(token))
    client.zadd("airpy:delayed", {str(token): 0})

    work_until_ended(runner, client)

    job = get(redis_url, token)
    assert paused is not None
    assert (job.status, job.attempt, job.error) == ("completed", 2, None)
    assert client.hget(f"airpy:job:{token}", "failures") == "1"
    assert json.loads(results.data(f"{token}-2", token))["rows"] == [{"kwh_sum": 69.0}]
    assert {step.attempt for step in job.steps} == {1, 2}


class BadStorage(Results):
    """A folder on storage that fails for a while."""

    failing = 0

    def attempt(self, token: int, attempt: int) -> Path:
        """A new folder, unless the storage fails."""
        if attempt <= self.failing:
            raise OSError(5, "Input/output error", str(self.path))
        return super().attempt(token, attempt)


@pytest.mark.parametrize(("failing", "status"), [(2, "completed"), (3, "failed")])
def test_storage_that_fails_for_a_while_is_tried_again(
    redis_url: str,
    client: redis.Redis,
    sandbox: Sandbox,
    files: FileRoot,
    results: Results,
    *,
    failing: int,
    status: str,
) -> None:
    storage = BadStorage(results.path)
    storage.failing = failing
    token = ask_for(redis_url, QUERY)

    work_until_ended(Runner(client, sandbox, storage, files, LIMITS, slots=2), client)

    job = get(redis_url, token)
    assert (job.status, job.attempt) == (status, 3)
    if status == "failed":
        assert job.error is not None
        assert job.error["details"]["reason"] == "READ_INTERRUPTED"
        assert job.error["details"]["retryable"] is True
        assert str(results.path) not in job.error["message"]
        letters, _ = ask(redis_url, lambda store: store.dead_letters(None, 100))
        assert letters == []  # it is the storage that is ill


def test_a_disk_that_takes_nothing_fails_the_job(
    redis_url: str, client: redis.Redis, sandbox: Sandbox, files: FileRoot, tmp_path: Path
) -> None:
    token = ask_for(redis_url, QUERY)
    (tmp_path / "a file").touch()

    Runner(client, sandbox, Results(tmp_path / "a file"), files, LIMITS, slots=2).work()

    job = get(redis_url, token)
    assert (job.status, job.attempt) == ("failed", 1)
    assert job.error is not None
    assert job.error["code"] == "IO_ERROR"
    assert str(tmp_path) not in job.error["message"]


@pytest.mark.parametrize("how", ["cancelled", "retaken"])
def test_an_attempt_that_lost_its_job_is_stopped_within_a_second(
    redis_url: str, client: redis.Redis, runner: Runner, results: Results, how: str
) -> None:
    token = ask_for(redis_url, ENDLESS)
    with working(runner.work) as thread, capture_logs() as logs:
        wait_until(lambda: reached(redis_url, token, 1))
        at_work = busy_child()
        if how == "cancelled":
            cancel(redis_url, token)
        else:
            worker_dies(client, token)
            reap(client)
            other = take(client)
        runner.renew()  # as it does twice a second
        told = time.monotonic()
        thread.join(60)
        stopped_s = time.monotonic() - told

    job = get(redis_url, token)
    assert stopped_s < 1
    assert at_work not in children()
    assert "job_stopped" in [entry["event"] for entry in logs]
    assert left(results) == []
    if how == "cancelled":
        assert job.status == "cancelled"
    else:
        assert (job.status, job.attempt) == ("running", 2)
        assert other.complete("1-2", None)


def test_a_worker_that_claims_a_job_anew_keeps_the_lease_of_the_new_attempt(
    redis_url: str, client: redis.Redis, runner: Runner
) -> None:
    """It was cut off, and its other slot took what it had lost: the old attempt must not end both."""
    token = ask_for(redis_url, ENDLESS)
    with working(runner.work) as old:
        wait_until(lambda: reached(redis_url, token, 1))
        worker_dies(client, token)
        reap(client)
        with working(runner.work):
            wait_until(lambda: reached(redis_url, token, 2))
            runner.renew()
            old.join(60)
            client.zadd("airpy:leases", {str(token): 1})
            runner.renew()
            lease = client.zscore("airpy:leases", str(token)) or 0
            status = get(redis_url, token).status
            cancel(redis_url, token)
            runner.renew()

    assert lease > 1
    assert status == "running"


def test_a_long_job_leaves_a_slot_to_the_short_ones(redis_url: str, runner: Runner) -> None:
    long, longer = (ask_for(redis_url, ENDLESS, lane="long", data=str(n)) for n in (1, 2))
    with working(runner.work):
        wait_until(lambda: reached(redis_url, long, 1))
        runner.work()  # the other slot: there is nothing for it
        waiting = get(redis_url, longer).status
        short = ask_for(redis_url, QUERY)
        runner.work()
        done = get(redis_url, short).status
        for token in (longer, long):
            cancel(redis_url, token)
        runner.renew()

    assert (waiting, done) == ("started", "completed")


def test_a_worker_of_one_slot_runs_long_jobs_too(
    redis_url: str, client: redis.Redis, sandbox: Sandbox, files: FileRoot, results: Results
) -> None:
    token = ask_for(redis_url, QUERY, lane="long")

    Runner(client, sandbox, results, files, LIMITS, slots=1).work()

    assert get(redis_url, token).status == "completed"


def test_a_running_job_is_given_back_at_the_end_of_the_grace_without_a_failure(
    redis_url: str, client: redis.Redis, runner: Runner, results: Results
) -> None:
    token = ask_for(redis_url, ENDLESS)
    with working(runner.work), capture_logs() as logs:
        wait_until(lambda: reached(redis_url, token, 1))
        waiting = ask_for(redis_url, QUERY)
        runner.close(0.3)
    runner.work()  # it begins no more

    job = get(redis_url, token)
    assert "job_given_back" in [entry["event"] for entry in logs]
    assert (job.status, job.attempt, job.error) == ("running", 1, None)
    assert left(results) == []
    run(client, "due")
    again = take(client)
    assert (again.token, again.attempt, again.failures) == (token, 2, 0)
    assert get(redis_url, waiting).status == "started"


def test_a_job_that_ends_within_the_grace_is_not_given_back(redis_url: str, runner: Runner) -> None:
    token = ask_for(redis_url, QUERY)
    with working(runner.work):
        wait_until(lambda: get(redis_url, token).status != "started")
        runner.close(60)

    job = get(redis_url, token)
    assert (job.status, job.attempt) == ("completed", 1)


class Flaky(redis.Redis):
    """A client that loses its connection at the first runs of a script."""

    losses: dict[str, int]

    def evalsha(self, sha: str, numkeys: int, *args: Any) -> Any:
        """Run a script, unless the connection is lost just now."""
        from airpy.jobs.scripts import load

        for name, left in self.losses.items():
            if left and sha == load(name).digest:
                self.losses[name] -= 1
                raise redis.ConnectionError("the connection was lost")
        return super().evalsha(sha, numkeys, *args)


@pytest.mark.parametrize(
    ("script", "body", "status"),
    [("step", QUERY, "completed"), ("finish", QUERY, "completed"), ("finish", UNKNOWN, "failed")],
)
def test_a_job_outlasts_the_loss_of_its_record(
    redis_url: str,
    sandbox: Sandbox,
    files: FileRoot,
    results: Results,
    *,
    script: str,
    body: dict[str, Any],
    status: str,
) -> None:
    token = ask_for(redis_url, body)
    with Flaky.from_url(redis_url, decode_responses=True) as flaky, capture_logs() as logs:
        flaky.losses = {script: 2}
        Runner(flaky, sandbox, results, files, LIMITS, slots=2).work()

    job = get(redis_url, token)
    assert (job.status, job.attempt) == (status, 1)
    assert job.steps[0].step == "file_found"
    assert len({step.step for step in job.steps}) == len(job.steps) == (5 if status == "completed" else 4)
    assert [entry["event"] for entry in logs].count("record_unreachable") == 2


def test_a_queue_that_cannot_be_reached_has_no_work(
    redis_url: str, sandbox: Sandbox, files: FileRoot, results: Results
) -> None:
    token = ask_for(redis_url, QUERY)
    with Flaky.from_url(redis_url, decode_responses=True) as flaky, capture_logs() as logs:
        flaky.losses = {"claim": 1}
        runner = Runner(flaky, sandbox, results, files, LIMITS, slots=2)
        runner.work()
        after_one = get(redis_url, token).status
        runner.work()

    assert next(entry["event"] for entry in logs) == "queue_unreachable"
    assert after_one == "started"
    assert get(redis_url, token).status == "completed"


def test_a_job_whose_redis_restarts_under_it_ends_all_the_same(
    tmp_path: Path, sandbox: Sandbox, files: FileRoot, results: Results
) -> None:
    with contextlib.ExitStack() as stack:
        with running_redis(tmp_path) as url:
            client = stack.enter_context(redis.Redis.from_url(url, decode_responses=True, retry=None))
            token = ask_for(url, ENDLESS)
            logs = stack.enter_context(capture_logs())
            runner = Runner(client, sandbox, results, files, LIMITS, slots=2)
            stack.enter_context(working(runner.work))
            wait_until(lambda: reached(url, token, 1))
        os.kill(busy_child(), signal.SIGSEGV)  # and nobody can be told
        wait_until(lambda: "record_unreachable" in [entry["event"] for entry in logs])
        with running_redis(tmp_path), redis.Redis.from_url(url, decode_responses=True) as other:
            wait_until(lambda: other.zcard("airpy:delayed"))
            failures = other.hget(f"airpy:job:{token}", "failures")
            exits = other.hget("airpy:counters", "exit:SIGSEGV")
            runner.close(0)
            stack.close()

    assert (failures, exits) == ("1", "1")


def test_a_job_buried_before_it_took_a_step_says_so(
    redis_url: str, client: redis.Redis, runner: Runner
) -> None:
    token = ask_for(redis_url, QUERY)
    worker_dies(client, take(client).token)
    (spent,) = reap(client, most_failures=1)

    runner.bury(spent)

    job = get(redis_url, token)
    assert job.error is not None
    assert job.error["details"]["post_mortem"] == {
        "attempts": 1,
        "last_step": None,
        "exit_signal": None,
        "peak_memory_mb": 0,
    }
    assert job.error["message"] == "the worker died under this job 1 time; it had taken no step"
    assert Claim.take(client, WORKER, long_too=True) is None


def test_two_suspects_of_a_death_never_run_side_by_side(
    redis_url: str, client: redis.Redis, sandbox: Sandbox, files: FileRoot, results: Results
) -> None:
    """Were the one that kills workers to take the other along, both would be dead letters."""
    runner = Runner(client, sandbox, results, files, LIMITS, slots=3)
    one, two = (ask_for(redis_url, ENDLESS, data=str(n)) for n in (1, 2))
    for _ in (one, two):
        worker_dies(client, take(client).token)
    reap(client)
    with working(runner.work):
        wait_until(lambda: any(reached(redis_url, token, 2) for token in (one, two)))
        runner.work()  # another slot: there is nothing for it
        attempts = sorted(get(redis_url, token).attempt for token in (one, two))
        for token in (one, two):
            cancel(redis_url, token)
        runner.renew()

    assert attempts == [1, 2]
