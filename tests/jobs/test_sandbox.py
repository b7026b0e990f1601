from __future__ import annotations

import contextlib
import datetime as dt
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import psutil
import pytest
from structlog.testing import capture_logs

from airpy.errors import (
    AirError,
    CapExceeded,
    FileUnavailable,
    InternalFault,
    JobTimedOut,
    UnknownColumn,
)
from airpy.jobs.sandbox import Sandbox, Stopped, Watch, anonymous_memory_mb
from airpy.jobs.work import Work, bytes_read
from tests.jobs import tasks
from tests.service import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY_MB = 144
LONG_S = 60.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with a small memory cap."""
    sandbox = Sandbox(memory_mb=MEMORY_MB, threads=2)
    yield sandbox
    sandbox.close()


@contextlib.contextmanager
def new_sandbox(**settings: int) -> Iterator[Sandbox]:
    """A sandbox of the test's own."""
    sandbox = Sandbox(**{"memory_mb": MEMORY_MB, "threads": 2, **settings})
    try:
        yield sandbox
    finally:
        sandbox.close()


def call(sandbox: Sandbox, function: Callable[..., Any], *args: object, timeout_s: float = LONG_S) -> Any:
    """What the function returns, and the sandbox ready for the next call, as its users leave it."""
    try:
        return sandbox.call(function, *args, timeout_s=timeout_s)
    finally:
        sandbox.prepare()


def children() -> set[int]:
    """Process numbers of this process's children."""
    return {process.pid for process in multiprocessing.active_children() if process.pid}


def test_a_call_gives_the_functions_result(sandbox: Sandbox) -> None:
    assert call(sandbox, tasks.add, 2, 3) == 5


def test_steps_arrive_in_order(sandbox: Sandbox) -> None:
    steps: list[tuple[str, ...]] = []

    sandbox.call(tasks.add, 2, 3, timeout_s=LONG_S, on_step=lambda *step: steps.append(step))

    assert steps == [("loading_data", "2"), ("aggregating", "3")]


@pytest.mark.parametrize(("careful", "threads"), [(False, 2), (True, 1)])
def test_a_child_runs_as_many_threads_as_it_was_told(*, careful: bool, threads: int) -> None:
    with new_sandbox(memory_mb=512) as sandbox:
        count, names = sandbox.call(tasks.engine_threads, timeout_s=LONG_S, careful=careful)

    assert count == threads
    assert [name for name in names if name.startswith("polars-")] == [f"polars-{n}" for n in range(threads)]


def test_a_careful_call_is_made_in_a_new_child() -> None:
    with new_sandbox() as sandbox:
        before = children()
        sandbox.prepare()
        spares = children() - before

        used = sandbox.call(tasks.process_id, timeout_s=LONG_S, careful=True)

        assert used not in spares
        assert sandbox.call(tasks.process_id, timeout_s=LONG_S) in spares


def test_a_watch_sees_the_most_memory_that_a_call_used(sandbox: Sandbox) -> None:
    watch = Watch()

    sandbox.call(tasks.hold, 30, 0.3, timeout_s=LONG_S, watch=watch)
    sandbox.prepare()

    assert 30 <= watch.peak_mb <= MEMORY_MB
    assert (watch.exit_signal, watch.work) == (None, None)


def test_a_watch_keeps_the_most_that_was_known_before(sandbox: Sandbox) -> None:
    watch = Watch(peak_mb=5000)

    sandbox.call(tasks.add, 1, 1, timeout_s=LONG_S, watch=watch)
    sandbox.prepare()

    assert watch.peak_mb == 5000


def test_a_watch_stops_a_call_within_a_second(sandbox: Sandbox) -> None:
    sandbox.prepare()
    watch = Watch()
    steps: list[tuple[str, ...]] = []
    stopped: list[float] = []

    def stop() -> None:
        wait_until(lambda: steps)
        watch.stop.set()
        stopped.append(time.monotonic())

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Stopped):
        sandbox.call(
            tasks.sleep, LONG_S, timeout_s=LONG_S, watch=watch, on_step=lambda *step: steps.append(step)
        )
    ended = time.monotonic()
    thread.join()
    sandbox.prepare()

    assert ended - stopped[0] < 1
    assert not psutil.pid_exists(int(steps[0][1]))


def test_a_watch_is_told_of_counted_work(sandbox: Sandbox) -> None:
    watch = Watch()
    seen: list[Work | None] = []

    sandbox.call(
        tasks.count_files, 3, timeout_s=LONG_S, watch=watch, on_step=lambda *_: seen.append(watch.work)
    )
    sandbox.prepare()

    assert seen == [Work(done, 3, "files") for done in (0, 1, 2)]
    assert watch.work == Work(3, 3, "files")


@pytest.mark.parametrize("how", ["read", "map"])
def test_bytes_that_a_child_reads_are_counted_from_outside(
    sandbox: Sandbox, tmp_path: Path, how: str
) -> None:
    """Whether it reads them or touches what it has mapped; and never more than there are."""
    size = 16 << 20
    (tmp_path / "half").write_bytes(b"x" * (size // 2))
    watch = Watch()
    seen: list[int] = []

    done = threading.Event()

    def observe() -> None:
        while not done.is_set():
            if watch.work is not None:
                seen.append(watch.work.done)
            time.sleep(0.01)

    thread = threading.Thread(target=observe)
    thread.start()
    sandbox.call(tasks.read_bytes, tmp_path / "half", size, how, 0.6, timeout_s=LONG_S, watch=watch)
    done.set()
    thread.join()
    sandbox.prepare()

    assert seen == sorted(seen)
    assert seen[0] < size // 4
    assert size // 2 <= seen[-1] < size
    assert watch.work is not None
    assert (watch.work.total, watch.work.unit) == (size, "bytes")


def test_no_more_bytes_are_done_than_there_are(sandbox: Sandbox, tmp_path: Path) -> None:
    """Some are read twice."""
    (tmp_path / "file").write_bytes(b"x" * (8 << 20))
    watch = Watch()

    sandbox.call(tasks.read_bytes, tmp_path / "file", 1 << 20, "read", 0.3, timeout_s=LONG_S, watch=watch)
    sandbox.prepare()

    assert watch.work == Work(1 << 20, 1 << 20, "bytes")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_watch_knows_the_signal_that_ended_a_child(sandbox: Sandbox, number: signal.Signals) -> None:
    watch = Watch()

    with pytest.raises(AirError):
        sandbox.call(tasks.die, number, timeout_s=LONG_S, watch=watch)
    sandbox.prepare()

    assert watch.exit_signal == number.name


def test_what_has_ended_uses_and_reads_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass

    assert anonymous_memory_mb(ended.pid) == 0
    assert bytes_read(ended.pid) == 0


LEAVING = """
import sys
from airpy.jobs.sandbox import Sandbox

sandbox = Sandbox(memory_mb=96, threads=2, spares=2)
sandbox.prepare()
print("ready", flush=True)
sys.stdin.read()
"""


def test_folders_that_the_children_of_the_dead_left_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    pipe = subprocess.PIPE
    with (
        subprocess.Popen([sys.executable, "-c", LEAVING], stdin=pipe, stdout=pipe, env=environment) as dying,
        subprocess.Popen([sys.executable, "-c", LEAVING], stdin=pipe, stdout=pipe, env=environment) as living,
    ):
        for process in (dying, living):
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        dying.kill()
        dying.wait()
        ours = [tmp_path / f"airpy-child-{living.pid}-x", tmp_path / "airpy-child-x", tmp_path / "notes"]
        for folder in ours:
            folder.mkdir()
        before = len(list(tmp_path.glob(f"airpy-child-{dying.pid}-*")))

        Sandbox(memory_mb=MEMORY_MB, threads=2).close()

        assert before == 2
        assert list(tmp_path.glob(f"airpy-child-{dying.pid}-*")) == []
        assert len(list(tmp_path.glob(f"airpy-child-{living.pid}-*"))) == 3
        assert all(folder.exists() for folder in ours)
        living.kill()


def test_an_error_of_ours_arrives_whole(sandbox: Sandbox) -> None:
    with pytest.raises(UnknownColumn) as caught:
        call(sandbox, tasks.refuse)

    assert caught.value.message == 'unknown column "kwhh"; did you mean "kwh"?'
    assert caught.value.field == "plan.select[0]"
    assert caught.value.constraint == "one of: kwh, cost"
    assert caught.value.suggestion == ["kwh"]


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (ZeroDivisionError("division by zero"), InternalFault, "INTERNAL"),
        (FileNotFoundError(2, "No such file"), FileUnavailable, "FILE_MISSING"),
        (OSError(28, "No space left on device"), CapExceeded, "DISK_FULL"),
        (MemoryError(), CapExceeded, "MEMORY_CAP"),
        (SystemExit(0), InternalFault, "INTERNAL"),
        (KeyboardInterrupt(), InternalFault, "INTERNAL"),
    ],
)
def test_anothers_error_is_told_in_our_words(
    sandbox: Sandbox, error: BaseException, kind: type[AirError], reason: str
) -> None:
    with pytest.raises(kind) as caught:
        call(sandbox, tasks.raise_error, error)

    assert caught.value.reason == reason


def test_a_fault_of_ours_says_nothing_of_itself_but_is_in_the_log(sandbox: Sandbox) -> None:
    with capture_logs() as logs, pytest.raises(InternalFault) as caught:
        call(sandbox, tasks.raise_error, ValueError("inner workings"))

    assert "inner workings" not in caught.value.message
    assert [entry["event"] for entry in logs] == ["job_child_failed"]
    assert "ValueError: inner workings" in logs[0]["stderr"]


def test_a_panic_is_a_crash_of_the_reader(sandbox: Sandbox) -> None:
    with pytest.raises(FileUnavailable) as caught:
        call(sandbox, tasks.panic)

    assert caught.value.reason == "READER_CRASHED"


def test_a_child_that_leaves_without_an_answer_is_a_fault(sandbox: Sandbox) -> None:
    with pytest.raises(InternalFault):
        call(sandbox, tasks.leave, 7)


@pytest.mark.parametrize("heir", ["holds the pipes", "still talks"])
def test_a_child_is_missed_even_where_a_process_of_its_own_lives_on(sandbox: Sandbox, heir: str) -> None:
    began = time.monotonic()

    with pytest.raises(InternalFault):
        call(sandbox, tasks.leave_an_heir, 3.0, heir == "still talks")

    assert time.monotonic() - began < 3


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL])
def test_a_death_in_native_code_is_a_crash_of_the_reader(sandbox: Sandbox, number: signal.Signals) -> None:
    with pytest.raises(FileUnavailable) as caught:
        call(sandbox, tasks.die, number)

    assert caught.value.reason == "READER_CRASHED"
    assert number.name in caught.value.message


def test_a_kill_that_is_not_ours_is_taken_for_want_of_memory(sandbox: Sandbox) -> None:
    with pytest.raises(CapExceeded) as caught:
        call(sandbox, tasks.die, signal.SIGKILL)

    assert caught.value.reason == "PROCESS_KILLED"
    assert caught.value.retryable


def test_the_last_words_of_a_crashed_child_are_in_the_log(sandbox: Sandbox) -> None:
    words = "x" * 10_000 + " the very end"

    with capture_logs() as logs, pytest.raises(FileUnavailable):
        call(sandbox, tasks.die, signal.SIGSEGV, words)

    assert logs[0]["event"] == "job_child_died"
    assert logs[0]["exit_code"] == -signal.SIGSEGV
    assert logs[0]["stderr"].endswith(" the very end")
    assert len(logs[0]["stderr"]) == 4096


@pytest.mark.parametrize(
    ("function", "amount"),
    [
        (tasks.reserve, 1024),
        (tasks.fill_with_polars, 100_000_000),
        (tasks.ask_of_polars, 10_000_000_000),
        (tasks.fill_with_pyarrow, 1024),
    ],
    ids=["python", "polars", "polars at once", "pyarrow"],
)
def test_memory_over_the_cap_is_refused_whoever_asks_for_it(
    sandbox: Sandbox, function: Callable[..., int], amount: int
) -> None:
    with pytest.raises(CapExceeded) as caught:
        call(sandbox, function, amount)

    assert caught.value.reason == "MEMORY_CAP"
    assert "PY_MEMORY_MB" in (caught.value.constraint or "")


def test_memory_that_passes_the_hard_limit_is_watched(sandbox: Sandbox) -> None:
    began = time.monotonic()

    with pytest.raises(CapExceeded) as caught:
        call(sandbox, tasks.hold, MEMORY_MB + 32, LONG_S)

    assert caught.value.message == f"the job needed more than {MEMORY_MB} MiB of memory"
    assert time.monotonic() - began < LONG_S / 2


def test_memory_under_the_cap_is_granted(sandbox: Sandbox) -> None:
    assert call(sandbox, tasks.hold, 32, 0.2) == 32 << 20


def test_a_call_over_its_time_is_ended_within_a_second(sandbox: Sandbox) -> None:
    sandbox.prepare()
    began = time.monotonic()

    with pytest.raises(JobTimedOut) as caught:
        sandbox.call(tasks.sleep, LONG_S, timeout_s=0.5)

    assert 0.5 <= time.monotonic() - began < 1.5
    assert caught.value.constraint == "at most 0.5 seconds"


def test_a_child_is_gone_when_its_time_is_over(sandbox: Sandbox) -> None:
    steps: list[tuple[str, ...]] = []
    with pytest.raises(JobTimedOut):
        sandbox.call(tasks.sleep, LONG_S, timeout_s=0.5, on_step=lambda *step: steps.append(step))

    sandbox.prepare()

    assert not psutil.pid_exists(int(steps[0][1]))


def test_a_child_is_killed_when_whoever_listens_to_its_steps_fails(sandbox: Sandbox) -> None:
    seen: list[int] = []

    def fail(_: str, message: str) -> None:
        seen.append(int(message))
        raise RuntimeError("nobody records this")

    with pytest.raises(RuntimeError, match="nobody records this"):
        sandbox.call(tasks.sleep, LONG_S, timeout_s=LONG_S, on_step=fail)
    sandbox.prepare()

    assert not psutil.pid_exists(seen[0])


def test_what_a_child_left_among_temporary_files_goes_with_it(sandbox: Sandbox) -> None:
    steps: list[tuple[str, ...]] = []
    with pytest.raises(JobTimedOut):
        sandbox.call(tasks.leave_a_file, LONG_S, timeout_s=0.5, on_step=lambda *step: steps.append(step))
    file = Path(steps[0][1])
    was_there = file.exists()

    sandbox.prepare()

    assert was_there
    assert not file.parent.exists()


def test_a_task_that_cannot_be_sent_fails_and_costs_no_child() -> None:
    with new_sandbox() as sandbox:
        sandbox.prepare()
        before = children()

        with pytest.raises((AttributeError, TypeError)):
            sandbox.call(tasks.add, threading.Lock(), timeout_s=LONG_S)

        assert children() == before
        assert call(sandbox, tasks.process_id) in before


def test_a_task_the_child_does_not_know_is_a_fault(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def newly_added(*, on_step: object) -> None:
        del on_step

    newly_added.__module__, newly_added.__qualname__ = tasks.__name__, "newly_added"
    monkeypatch.setattr(tasks, "newly_added", newly_added, raising=False)

    with capture_logs() as logs, pytest.raises(InternalFault):
        call(sandbox, newly_added)

    assert "AttributeError" in logs[0]["stderr"]


def test_a_result_that_cannot_be_sent_is_a_fault(sandbox: Sandbox) -> None:
    with capture_logs() as logs, pytest.raises(InternalFault):
        call(sandbox, tasks.unsendable)

    assert logs[0]["event"] == "job_child_failed"


def test_a_spare_does_the_next_call_and_is_replaced() -> None:
    with new_sandbox(spares=2) as sandbox:
        before = children()
        sandbox.prepare()
        spares = children() - before

        used = sandbox.call(tasks.process_id, timeout_s=LONG_S)
        sandbox.prepare()
        ready = children() - before

        assert len(spares) == len(ready) == 2
        assert used in spares
        assert used not in ready


def test_calls_beyond_the_spares_are_served_too() -> None:
    with new_sandbox(spares=1) as sandbox:
        sandbox.prepare()

        used = {sandbox.call(tasks.process_id, timeout_s=LONG_S) for _ in range(3)}

        assert len(used) == 3


def test_many_threads_make_no_more_spares_than_are_wanted() -> None:
    with new_sandbox(spares=3) as sandbox, ThreadPoolExecutor(8) as threads:
        before = children()

        for work in [threads.submit(sandbox.prepare) for _ in range(8)]:
            work.result()

        assert len(children() - before) == 3


def test_a_spare_that_died_while_it_waited_is_passed_over() -> None:
    with new_sandbox(spares=1) as sandbox:
        before = children()
        sandbox.prepare()
        (spare,) = children() - before
        os.kill(spare, signal.SIGKILL)
        wait_until(lambda: not psutil.pid_exists(spare))

        assert sandbox.call(tasks.add, 1, 2, timeout_s=LONG_S) == 3


def test_closing_ends_the_spares() -> None:
    sandbox = Sandbox(memory_mb=MEMORY_MB, threads=2, spares=2)
    before = children()
    sandbox.prepare()
    spares = children() - before

    sandbox.close()

    assert len(spares) == 2
    assert not any(psutil.pid_exists(spare) for spare in spares)


def test_the_fork_server_may_die_between_calls(sandbox: Sandbox) -> None:
    assert call(sandbox, tasks.add, 1, 1) == 2
    server = call(sandbox, tasks.parent_id)
    spares = children()

    os.kill(server, signal.SIGKILL)
    os.waitid(os.P_PID, server, os.WEXITED | os.WNOWAIT)
    wait_until(lambda: not any(map(psutil.pid_exists, spares)))

    assert call(sandbox, tasks.add, 2, 2) == 4
    assert call(sandbox, tasks.parent_id) != server


SUPERVISING = """
import sys
from airpy.jobs.sandbox import Sandbox
from tests.jobs import tasks

def tell(_, pid):
    print(pid, flush=True)

Sandbox(memory_mb=96, threads=2).call(tasks.sleep, 600, timeout_s=600, on_step=tell)
"""


def test_children_die_with_their_supervisor() -> None:
    with subprocess.Popen([sys.executable, "-c", SUPERVISING], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        alive = psutil.pid_exists(child)

        supervisor.kill()

        assert alive
        wait_until(lambda: not psutil.pid_exists(child))


def test_fifty_calls_leave_nothing_behind(sandbox: Sandbox) -> None:
    call(sandbox, tasks.add, 0, 0)
    me = psutil.Process()
    before = me.num_fds(), len(children()), len(threading.enumerate())

    for number in range(50):
        assert call(sandbox, tasks.add, number, 1) == number + 1

    assert (me.num_fds(), len(children()), len(threading.enumerate())) == before
    assert not [one for one in me.children(recursive=True) if one.status() == psutil.STATUS_ZOMBIE]


def test_four_threads_get_every_answer_and_every_exit_right() -> None:
    """Reaping a child in one thread must not lose the exit code that another waits for."""

    def outcome(sandbox: Sandbox, number: int) -> str:
        try:
            if number % 10 == 3:
                call(sandbox, tasks.die, signal.SIGSEGV)
            return str(call(sandbox, tasks.add, number, 1))
        except AirError as error:
            return error.reason

    with capture_logs(), new_sandbox(spares=4) as own, ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(partial(outcome, own), range(150)))

    assert outcomes == ["READER_CRASHED" if n % 10 == 3 else str(n + 1) for n in range(150)]


def test_children_forked_after_the_imports_can_run_queries() -> None:
    with new_sandbox(spares=2, memory_mb=512) as own, ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(partial(call, own, tasks.query), range(1, 51)))

    assert answers == list(range(1, 51))


def test_the_fork_server_has_imported_the_engine_and_not_woken_it(sandbox: Sandbox) -> None:
    server = call(sandbox, tasks.parent_id)

    names = {Path(task, "comm").read_text().strip() for task in Path(f"/proc/{server}/task").iterdir()}

    # An allocator's threads and one that only removes files survive a fork; the engine's pools do not.
    assert names <= {"python", "jemalloc_bg_thd", "polars-ooc-clea"}


def test_the_fork_server_has_imported_all_that_a_child_needs(sandbox: Sandbox) -> None:
    call(sandbox, tasks.add, 0, 0)
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()

    child = context.Process(target=tasks.send_loaded_modules, args=(theirs,))
    child.start()
    modules = ours.recv()
    child.join()

    assert {
        "airpy.jobs.child",  # its entry
        "airpy.jobs.preload",
        "airpy.jobs.analyze",
        "airpy.jobs.discover",
        "airpy.jobs.infer_schema",
        "airpy.jobs.preview",
        "airpy.jobs.query",
        "airpy.jobs.results",
        "polars",
        "pyarrow.parquet",
    } <= set(modules)


def test_a_query_imports_nothing_late(sandbox: Sandbox, base: Path, tmp_path: Path) -> None:
    assert call(sandbox, tasks.late_imports, base, tmp_path) == []


def test_a_child_warms_up_further_only_while_nothing_comes_between(sandbox: Sandbox) -> None:
    assert call(sandbox, tasks.further_warm_ups) == [False, False, True]


def test_an_analysis_imports_nothing_late(sandbox: Sandbox, base: Path, tmp_path: Path) -> None:
    rows, begin = 500, dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    (tmp_path / "input").mkdir()
    pl.DataFrame(
        {
            "at": [begin + dt.timedelta(hours=row) for row in range(rows)],
            "kwh": [math.sin(row / 12) + row % 7 for row in range(rows)],
            "site": [f"site {row % 5}" for row in range(rows)],
            "note": [f"note {row}" for row in range(rows)],
            "price": [Decimal(row) / 100 for row in range(rows)],
        }
    ).write_ipc_stream(tmp_path / "input" / "frame_ref.data.arrow")

    assert call(sandbox, tasks.late_imports_of_analysis, base, tmp_path) == []
