"""Calls a function in a child process under a memory and a time cap.

No limit of time or memory reaches into native code, and some files crash their reader; a child can be
killed, and only the child dies of such a file. Children come from a fork server that has imported what they
need and computed nothing: forking after a query would hang them. One child serves one call and is gone, so
nothing leaks from one job to the next; a spare stands ready, so the next call need not wait for it.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import importlib
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import structlog

from airpy.engine.failures import failure
from airpy.errors import CapExceeded, FileUnavailable, InternalFault, JobTimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkServerProcess

    from airpy.engine.steps import OnStep
    from airpy.errors import AirError

__all__ = ["Sandbox"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

PRELOADED = "airpy.jobs.preload"
WATCH_S = 0.05
"""How often memory is looked at."""
RESERVE_MB = 4096
"""What a child may reserve beyond what it uses: a sort of the engine asks for 2 GiB that it never touches,
Arrow's allocator for 1 GiB. So the kernel's cap only stops what outruns the look at the memory in use."""
KEPT_STDERR = 4096
PR_SET_PDEATHSIG = 1

_starting = threading.Lock()
"""Starting or joining a child reaps the children of other threads too, which loses their exit codes."""


class Child(NamedTuple):
    """A child process, the pipes to it, and the folder for its temporary files."""

    process: ForkServerProcess
    pipe: Connection
    stderr: Connection
    temporary: str


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
        # This module too: a child enters it, and would import it on its own.
        self._context.set_forkserver_preload([PRELOADED, __name__])
        # The fork server inherits these; Polars reads them once, when it is imported.
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        os.environ["RUST_BACKTRACE"] = "0"
        # Freed memory is kept for reuse. A fork has no thread to give it back in the background, and would do
        # so at once, which takes CSV a quarter longer. Polars has set its own wish here when it was imported.
        os.environ["_RJEM_MALLOC_CONF"] = "dirty_decay_ms:-1"

    def prepare(self) -> None:
        """Put children that are done away, and start others until enough stand ready."""
        with self._preparing:
            while self._spent:
                _reap(self._spent.popleft())
            while len(self._spares) < self._most_spares:
                self._spares.append(self._start())

    def call(
        self, function: Callable[..., T], *args: object, timeout_s: float, on_step: OnStep | None = None
    ) -> T:
        """What the function returns; it is given the arguments and, as `on_step`, a way to report steps.

        Raises:
            AirError: What the function raised, as the caller is told of it.
            JobTimedOut: It took longer than `timeout_s`.
            CapExceeded: It needed more memory than it may use.
            FileUnavailable: The child died in native code.
        """
        child = self._hand_over(ForkingPickler.dumps((function, args)))
        try:
            result: T = self._supervise(child, timeout_s, on_step)
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
                child = self._start()
                child.pipe.send_bytes(task)
                return child
            try:
                child.pipe.send_bytes(task)
            except OSError:  # the spare died while it waited
                self._spent.append(child)
            else:
                return child

    def _start(self) -> Child:
        ours, theirs = self._context.Pipe()
        stderr, their_stderr = self._context.Pipe(duplex=False)
        temporary = tempfile.mkdtemp(prefix="airpy-child-")
        process = self._context.Process(
            target=_serve, args=(theirs, their_stderr, temporary, self._memory_mb), daemon=True
        )
        with _starting, _main_module_hidden():
            process.start()
        # Until our copies are closed, the end of the child is not the end of its pipes.
        theirs.close()
        their_stderr.close()
        return Child(process, ours, stderr, temporary)

    def _supervise(self, child: Child, timeout_s: float, on_step: OnStep | None) -> Any:  # noqa: ANN401  what the function returns
        deadline = time.monotonic() + timeout_s
        said = bytearray()
        while True:
            match self._next_message(child, said):
                case ("done", value):
                    return value
                case ("failed", error):
                    if said:
                        log.error("job_child_failed", stderr=said.decode(errors="replace"))
                    raise error
                case ("step", step) if on_step is not None:
                    on_step(*step)
            self._check_limits(child, deadline, timeout_s)

    def _next_message(self, child: Child, said: bytearray) -> tuple[str, Any] | None:
        """What the child sends next, if that comes before the next look at its memory."""
        ready = wait([child.pipe, child.stderr, child.process.sentinel], timeout=WATCH_S)
        if child.stderr in ready:
            said += _read(child.stderr)
            del said[:-KEPT_STDERR]
        if child.pipe in ready:
            try:
                message: tuple[str, Any] = child.pipe.recv()
            except (EOFError, OSError):
                raise self._died(child, said) from None
            return message
        if child.process.sentinel in ready:
            raise self._died(child, said)
        return None

    def _check_limits(self, child: Child, deadline: float, timeout_s: float) -> None:
        if time.monotonic() > deadline:
            raise JobTimedOut(
                f"the work took longer than {timeout_s:g} seconds",
                constraint=f"at most {timeout_s:g} seconds",
            )
        if anonymous_memory_mb(child.process.pid or 0) > self._memory_mb:
            raise self._over_memory()

    def _died(self, child: Child, said: bytearray) -> AirError:
        """What the caller is told of a child that ended without an answer."""
        wait([child.process.sentinel], timeout=1)
        with _starting:
            child.process.join(timeout=1)
        code = child.process.exitcode
        while child.stderr.poll(0) and (more := _read(child.stderr)):
            said += more
        log.error("job_child_died", exit_code=code, stderr=said[-KEPT_STDERR:].decode(errors="replace"))
        if code == -signal.SIGABRT and b"memory allocation of" in said:
            return self._over_memory()
        if code == -signal.SIGKILL:  # not by us: most likely the kernel was short of memory
            return self._over_memory()
        if code is not None and code < 0:
            return FileUnavailable(
                f"the reader crashed on the data ({signal.Signals(-code).name})",
                constraint="data that its reader survives",
                reason="READER_CRASHED",
            )
        return InternalFault("the job's process ended without an answer")

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


def _serve(pipe: Connection, stderr: Connection, temporary: str, memory_mb: int) -> None:
    """The child: wait for one task, do it, send what came of it, and end."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    os.dup2(stderr.fileno(), 2)
    tempfile.tempdir = os.environ["TMPDIR"] = temporary
    cap = (memory_mb + RESERVE_MB) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (cap, cap))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # a full disk keeps nobody from trying
        importlib.import_module(PRELOADED).warm_up()
    try:
        task = pipe.recv_bytes()
    except (EOFError, OSError):
        os._exit(0)
    try:
        function, args = ForkingPickler.loads(task)
        pipe.send(("done", function(*args, on_step=lambda *step: pipe.send(("step", step)))))
    except BaseException as error:  # noqa: BLE001  a panic in native code is no Exception
        told = failure(error)
        if told.code == "INTERNAL_ERROR":
            traceback.print_exc()
        pipe.send(("failed", told))
    pipe.close()
    os._exit(0)


def _die_with_parent() -> None:
    """Have the kernel kill this child when the fork server ends, which it does with the supervisor.

    The server lives as long as anyone holds the other end of a pipe, and every child is given that end too.
    """
    os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]  # noqa: SLF001
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # it ended before the kernel was told
            os._exit(1)
