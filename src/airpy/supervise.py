"""Keeps processes running: starts them in order, restarts those that die, stops them in reverse.

A process ends with its supervisor even when that is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["NotReady", "Service", "Supervisor", "stop_on_signals"]

LOOK_S = 0.1
START_S = 60.0
STEADY_S = 10.0
"""A process that has lived so long starts afresh in the count of its deaths."""
LONGEST_PAUSE_S = 10.0
GRACE_S = 40.0
"""Longer than the worker's own grace for running jobs."""
PR_SET_PDEATHSIG = 1


class NotReady(Exception):
    """A process did not come up; the message says which, and where its log is."""


class Service(NamedTuple):
    """A process to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    log: Path | None = None
    """Where what it prints goes; to the terminal when there is none."""
    is_ready: Callable[[], bool] = lambda: True


class Supervisor:
    """Processes that live and end together."""

    def __init__(self) -> None:
        self._services: list[Service] = []
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._deaths: dict[str, int] = {}

    def start(self, service: Service) -> None:
        """Start a process and wait until it is ready.

        Raises:
            NotReady: It died or took too long.
        """
        self._launch(service)
        self._services.append(service)
        deadline = time.monotonic() + START_S
        while not service.is_ready():
            if self._processes[service.name].poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"{service.name} did not start{_last_words(service)}")
            time.sleep(LOOK_S)

    def watch(self) -> None:
        """Restart what dies, after a pause that grows with its deaths; never returns."""
        while True:
            for service in self._services:
                if self._processes[service.name].poll() is not None:
                    self._restart(service)
            time.sleep(LOOK_S)

    def stop(self) -> None:
        """End every process, the last one first; kill what does not end in time."""
        for service in reversed(self._services):
            process = self._processes[service.name]
            process.terminate()
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._services.clear()

    def _launch(self, service: Service) -> None:
        with contextlib.ExitStack() as files:
            log = files.enter_context(service.log.open("ab")) if service.log else None
            self._processes[service.name] = subprocess.Popen(
                service.command,
                env=service.environment,
                stdout=log,
                stderr=subprocess.STDOUT if log else None,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops them in order
                preexec_fn=_end_with_parent,  # noqa: PLW1509  there is one thread
            )
        self._started[service.name] = time.monotonic()

    def _restart(self, service: Service) -> None:
        code = self._processes[service.name].returncode
        lived = time.monotonic() - self._started[service.name]
        deaths = 0 if lived > STEADY_S else self._deaths.get(service.name, 0)
        pause = 0.0 if deaths == 0 else min(0.2 * 2**deaths, LONGEST_PAUSE_S)
        self._deaths[service.name] = deaths + 1
        print(f"{service.name} ended with {code}; starting it again", file=sys.stderr, flush=True)  # noqa: T201
        time.sleep(pause)
        self._launch(service)


@contextlib.contextmanager
def stop_on_signals() -> Iterator[None]:
    """Leave the block without an error on SIGTERM, SIGHUP or Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    with contextlib.suppress(KeyboardInterrupt):
        yield


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _last_words(service: Service) -> str:
    """The end of a service's log, for the message that it did not start."""
    if service.log is None or not service.log.exists():
        return ""
    lines = service.log.read_text(errors="replace").splitlines()[-15:]
    return "; its log " + str(service.log) + " ends with:\n  " + "\n  ".join(lines)
