"""What runs in a job's child process: it waits for one call, makes it, and tells what came of it."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from multiprocessing import forkserver
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.failures import failure
from airpy.files import holding
from airpy.jobs import work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["PRELOADED", "serve"]

PRELOADED = "airpy.jobs.preload"
RESERVE_MB = 4096
"""What a child may reserve beyond what it uses: a sort of the engine asks for 2 GiB that it never touches,
Arrow's allocator for 1 GiB. So the kernel's cap only stops what outruns the look at the memory in use."""
PR_SET_PDEATHSIG = 1
SETTLED_S = 0.05
"""How long a child has nothing to do before it looks whether the machine has nothing to do either."""


def serve(pipe: Connection, stderr: Connection, temporary: str, memory_mb: int, threads: int | None) -> None:
    """Wait for one call, make it, send what came of it, and end.

    Args:
        pipe: Where the call comes from, and what is told goes to.
        stderr: Where what is printed goes to.
        temporary: A folder for temporary files.
        memory_mb: Memory that the call may use, in MiB.
        threads: Threads of the engine, when fewer than usual.
    """
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    os.dup2(stderr.fileno(), 2)
    tempfile.tempdir = os.environ["TMPDIR"] = temporary
    if threads is not None:  # the engine read its environment in the fork server, and does so once more
        pl.Config.load(json.dumps({"environment": {"POLARS_MAX_THREADS": str(threads)}}))
    cap = (memory_mb + RESERVE_MB) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (cap, cap))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most_open = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (most_open, most_open)
    )  # every file of a data set is held open
    preload = importlib.import_module(PRELOADED)
    with contextlib.suppress(OSError):  # a full disk keeps nobody from trying
        preload.warm_up()
    try:
        while not pipe.poll(SETTLED_S):
            if preload.warm_up_further(lambda: _is_idle() and not pipe.poll()):
                break
        task = pipe.recv_bytes()
    except (EOFError, OSError):
        os._exit(0)
    work.listen(lambda *counts: pipe.send(("work", counts)))
    work.listen_to_cost(lambda cost: pipe.send(("cost", cost)))
    holding.listen(lambda states: pipe.send(("holds", states)))
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


def _is_idle() -> bool:
    """Whether a processor has nothing to do but for this; never where nobody tells."""
    try:
        at_work = Path("/proc/loadavg").read_text().split()[3].partition("/")[0]
    except OSError:
        return False
    return int(at_work) <= (os.cpu_count() or 1)


def _die_with_parent() -> None:
    """Have the kernel kill this child when the fork server ends, which it does with the supervisor.

    The server lives as long as anyone holds the other end of a pipe, and every child is given that end too.
    """
    os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]  # noqa: SLF001
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # it ended before the kernel was told
            os._exit(1)
