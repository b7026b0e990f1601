"""Calls a function in a child process under a memory and a time cap.

No limit of time or memory reaches into native code, and some files crash their reader; a child can be
killed, and only the child dies of such a file. Children come from a fork server that has imported what they
need and computed nothing: forking after a query would hang them. One child serves one call and is gone, so
nothing leaks from one job to the next; a spare stands ready, so the next call need not wait for it.
"""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import psutil
import structlog

from airpy.errors import CapExceeded, FileUnavailable, InternalFault, JobTimedOut
from airpy.files.holding import check_unchanged
from airpy.jobs.child import PRELOADED, serve
from airpy.jobs.work import Work, bytes_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkServerProcess

    from airpy.engine.steps import OnStep
    from airpy.errors import AirError
    from airpy.files.holding import States
    from airpy.jobs.costs import Cost

__all__ = ["Sandbox", "Stopped", "Watch"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

MEBIBYTE = 1024 * 1024
WATCH_S = 0.05
"""How often memory is looked at."""
KEPT_STDERR = 4096
FOLDERS = "airpy-child-"
"""What the folders for temporary files begin with; the number of the process that made them follows."""

_starting = threading.Lock()
"""Starting or joining a child reaps the children of other threads too, which loses their exit codes."""


class Stopped(Exception):
    """The call was stopped by whoever watches it."""


@dataclass
class Watch:
    """What is known of a call while it runs, and the means to stop it."""

    stop: threading.Event = field(default_factory=threading.Event)
    peak_mb: float = 0
    """The most anonymous memory it was seen to use, in MiB."""
    work: Work | None = None
    """How much of its work is done."""
    cost: Cost | None = None
    """What it was expected to cost, where that was told."""
    exit_signal: str | None = None
    """The signal that ended it, if one did."""


class Child(NamedTuple):
    """A child process, the pipes to it, and the folder for its temporary files."""

    process: ForkServerProcess
    pipe: Connection
    stderr: Connection
    temporary: str

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.process.pid or 0


class Sandbox:
    """Runs functions in children of a fork server.

    Args:
        memory_mb: Anonymous memory that one call may use, in MiB.
        threads: Threads of the engine in one child.
        spares: Children that stand ready.
    """

    def __init__(self, *, memory_mb: int, threads: int, spares: int = 1) -> None:
        self._memory_mb = memory_mb
        self._most_spares = spares
        self._spares: collections.deque[Child] = collections.deque()
        self._spent: collections.deque[Child] = collections.deque()
        self._preparing = threading.Lock()
        self._context = multiprocessing.get_context("forkserver")
        # The child's module too: it enters there, and would import it on its own.
        self._context.set_forkserver_preload([PRELOADED, serve.__module__])
        # The fork server inherits these; Polars reads them once, when it is imported.
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        os.environ["OPENBLAS_NUM_THREADS"] = (
            "1"  # columns are measured side by side; more would wait for one another
        )
        os.environ["RUST_BACKTRACE"] = "0"
        # Freed memory is kept for reuse. A fork has no thread to give it back in the background, and would do
        # so at once, which takes CSV a quarter longer. Polars has set its own wish here when it was imported.
        os.environ["_RJEM_MALLOC_CONF"] = "dirty_decay_ms:-1"
        # NumPy's memory likewise: as much as the C library learns to keep, which a child would learn late.
        os.environ["MALLOC_MMAP_THRESHOLD_"] = str(32 * MEBIBYTE)
        os.environ["MALLOC_TRIM_THRESHOLD_"] = str(64 * MEBIBYTE)
        _remove_left_folders()

    @property
    def memory_mb(self) -> int:
        """Anonymous memory that one call may use, in MiB."""
        return self._memory_mb

    def prepare(self) -> None:
        """Put children that are done away, and start others until enough stand ready."""
        with self._preparing:
            while self._spent:
                _reap(self._spent.popleft())
            while len(self._spares) < self._most_spares:
                self._spares.append(self._start())

    def call(
        self,
        function: Callable[..., T],
        *args: object,
        timeout_s: float,
        on_step: OnStep | None = None,
        watch: Watch | None = None,
        careful: bool = False,
    ) -> T:
        """What the function returns; it is given the arguments and, as `on_step`, a way to report steps.

        Args:
            function: What to call.
            args: What to give it.
            timeout_s: How long it may take.
            on_step: Told of its steps.
            watch: Kept up to date while it runs, and its means to be stopped.
            careful: Call it in a new child with one thread, since its like has crashed.

        Raises:
            Stopped: `watch.stop` was set.
            AirError: What the function raised, as the caller is told of it.
            JobTimedOut: It took longer than `timeout_s`.
            CapExceeded: It needed more memory than it may use.
            FileUnavailable: The child died in native code.
        """
        task = ForkingPickler.dumps((function, args))
        child = self._fresh(task, threads=1) if careful else self._hand_over(task)
        supervision = _Supervision(child, self._memory_mb, timeout_s, watch or Watch())
        try:
            result: T = supervision.outcome(on_step)
        except BaseException:
            child.process.kill()
            raise
        finally:
            self._spent.append(child)
        return result

    def close(self) -> None:
        """End the children that stand ready."""
        with self._preparing:
            while self._spares:
                child = self._spares.popleft()
                child.process.kill()
                self._spent.append(child)
            while self._spent:
                _reap(self._spent.popleft())

    def _hand_over(self, task: memoryview) -> Child:
        while True:
            try:
                child = self._spares.popleft()
            except IndexError:
                return self._fresh(task)
            try:
                child.pipe.send_bytes(task)
            except OSError:  # the spare died while it waited
                self._spent.append(child)
            else:
                return child

    def _fresh(self, task: memoryview, threads: int | None = None) -> Child:
        child = self._start(threads)
        child.pipe.send_bytes(task)
        return child

    def _start(self, threads: int | None = None) -> Child:
        ours, theirs = self._context.Pipe()
        stderr, their_stderr = self._context.Pipe(duplex=False)
        temporary = tempfile.mkdtemp(prefix=f"{FOLDERS}{os.getpid()}-")
        process = self._context.Process(
            target=serve, args=(theirs, their_stderr, temporary, self._memory_mb, threads), daemon=True
        )
        with _starting, _main_module_hidden():
            process.start()
        # Until our copies are closed, the end of the child is not the end of its pipes.
        theirs.close()
        their_stderr.close()
        return Child(process, ours, stderr, temporary)


class _Supervision:
    """The parent's side of one call."""

    def __init__(self, child: Child, memory_mb: int, timeout_s: float, watch: Watch) -> None:
        self._child = child
        self._memory_mb = memory_mb
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._watch = watch
        self._said = bytearray()
        self._read_before: int | None = None
        self._holds: States = {}

    def outcome(self, on_step: OnStep | None) -> Any:  # noqa: ANN401  what the function returns
        """What the child says that the function returned; or raises what it says, or what befell it."""
        while True:
            message = self._next_message()
            self._look()
            match message:
                case ("done", value):
                    return value
                case ("failed", error):
                    if self._said:
                        log.error("job_child_failed", stderr=self._said.decode(errors="replace"))
                    raise error
                case ("step", step) if on_step is not None:
                    on_step(*step)
                case ("cost", cost):
                    self._watch.cost = cost
                case ("holds", states):
                    self._holds = states
                case ("work", counts):
                    self._watch.work = Work(*counts)
                    self._read_before = bytes_read(self._child.pid) if counts[2] == "bytes" else None

    def _next_message(self) -> tuple[str, Any] | None:
        """What the child sends next, if that comes before the next look at it."""
        child = self._child
        ready = wait([child.pipe, child.stderr, child.process.sentinel], timeout=WATCH_S)
        if child.stderr in ready:
            self._said += _read(child.stderr)
            del self._said[:-KEPT_STDERR]
        if child.pipe in ready:
            try:
                message: tuple[str, Any] = child.pipe.recv()
            except (EOFError, OSError):
                raise self._died() from None
            return message
        if child.process.sentinel in ready:
            raise self._died()
        return None

    def _look(self) -> None:
        """Measure the child, and end it when it may not go on."""
        watch = self._watch
        if watch.stop.is_set():
            raise Stopped
        if time.monotonic() > self._deadline:
            raise JobTimedOut(
                f"the work took longer than {self._timeout_s:g} seconds",
                constraint=f"at most {self._timeout_s:g} seconds",
            )
        memory_mb = anonymous_memory_mb(self._child.pid)
        watch.peak_mb = max(watch.peak_mb, memory_mb)
        if memory_mb > self._memory_mb:
            raise self._over_memory()
        if watch.work is not None and self._read_before is not None:
            done = max(watch.work.done, bytes_read(self._child.pid) - self._read_before)
            watch.work = watch.work._replace(done=min(done, watch.work.total))

    def _died(self) -> AirError:
        """What the caller is told of a child that ended without an answer."""
        child = self._child
        wait([child.process.sentinel], timeout=1)
        with _starting:
            child.process.join(timeout=1)
        code = child.process.exitcode
        while child.stderr.poll(0) and (more := _read(child.stderr)):
            self._said += more
        said = bytes(self._said[-KEPT_STDERR:])
        log.error("job_child_died", exit_code=code, stderr=said.decode(errors="replace"))
        if code is None or code >= 0:
            return InternalFault("the job's process ended without an answer")
        name = self._watch.exit_signal = signal.Signals(-code).name
        if code == -signal.SIGABRT and b"memory allocation of" in said:
            return self._over_memory()
        if code == -signal.SIGKILL:  # not by us: most likely the kernel was short of memory
            return CapExceeded(
                "the job's process was killed, most likely since the machine is short of memory",
                constraint=f"memory for {self._memory_mb} MiB (PY_MEMORY_MB) in every worker slot",
                reason="PROCESS_KILLED",
            )
        check_unchanged(self._holds)  # a file that is cut short while it is mapped ends its reader
        return FileUnavailable(
            f"the reader crashed on the data ({name})",
            constraint="data that its reader survives",
            reason="READER_CRASHED",
        )

    def _over_memory(self) -> CapExceeded:
        return CapExceeded(
            f"the job needed more than {self._memory_mb} MiB of memory",
            constraint=f"at most {self._memory_mb} MiB (PY_MEMORY_MB)",
        )


def _reap(child: Child) -> None:
    """Wait for a child that is ending, and free what it held."""
    child.pipe.close()
    wait([child.process.sentinel], timeout=1)
    with _starting:
        if child.process.is_alive():
            child.process.kill()
        child.process.join()
        child.process.close()
    child.stderr.close()
    shutil.rmtree(child.temporary, ignore_errors=True)  # one that was killed had no time to


def anonymous_memory_mb(pid: int) -> float:
    """Memory that is the process's own, in MiB; files it has mapped do not count."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended, or this is no Linux
        return 0
    kilobytes = 0
    for line in status.splitlines():
        if line.startswith(("RssAnon:", "RssShmem:")):
            kilobytes += int(line.split()[1])
    return kilobytes / 1024


def _read(stream: Connection) -> bytes:
    try:
        return os.read(stream.fileno(), 65_536)
    except OSError:
        return b""


@contextlib.contextmanager
def _main_module_hidden() -> Iterator[None]:
    """A child would run the parent's main script again, which costs it 40 ms and serves nothing."""
    names: dict[str, Any] = sys.modules["__main__"].__dict__
    hidden: dict[str, Any] = {name: names.pop(name) for name in ("__spec__", "__file__") if name in names}
    names["__spec__"] = None
    try:
        yield
    finally:
        names.update(hidden)


def _remove_left_folders() -> None:
    """Remove what children left whose parent was killed with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"):
        owner = folder.name.removeprefix(FOLDERS).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
