from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from airpy.supervise import NotReady, Service, Supervisor, stop_on_signals
from tests.service import wait_until

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = "import time; time.sleep(600)"
LASTING = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
DYING = "import os, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); sys.exit(3)"
STUBBORN = (
    "import signal, sys, time; signal.signal(15, lambda *_: None); print('up', flush=True); time.sleep(600)"
)


def python(code: str, *arguments: object) -> list[str]:
    """The command that runs the code."""
    return [sys.executable, "-c", code, *map(str, arguments)]


def pids(path: Path) -> list[int]:
    """Process numbers that were written there."""
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def watch_until(supervisor: Supervisor, condition: object) -> None:
    """Let the supervisor watch, from its main thread, until the condition holds."""
    ended = threading.Event()

    def interrupt() -> None:
        try:
            wait_until(condition)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            ended.set()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with stop_on_signals():
        supervisor.watch()
    thread.join()
    assert ended.is_set()


@pytest.fixture(autouse=True)
def handlers() -> object:
    """The signal handlers of the tests themselves, put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background job ignores it
    yield None
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_process_is_ready_when_it_says_so(tmp_path: Path) -> None:
    supervisor = Supervisor()
    marks = tmp_path / "marks"

    supervisor.start(Service("one", python(LASTING, marks), is_ready=lambda: bool(pids(marks))))
    (pid,) = pids(marks)
    alive = psutil.pid_exists(pid)
    supervisor.stop()

    assert alive
    assert not psutil.pid_exists(pid)


def test_what_a_process_prints_goes_to_its_log(tmp_path: Path) -> None:
    supervisor = Supervisor()
    log = tmp_path / "log"
    code = f"import sys; print('out'); print('err', file=sys.stderr); sys.stdout.flush(); {FOREVER}"

    supervisor.start(Service("one", python(code), log=log, is_ready=lambda: log.read_text().count("\n") == 2))
    supervisor.stop()

    assert sorted(log.read_text().split()) == ["err", "out"]


def test_a_process_has_the_environment_given(tmp_path: Path) -> None:
    supervisor = Supervisor()
    log = tmp_path / "log"
    code = f"import os; print(os.environ.get('NAME'), os.environ.get('HOME'), flush=True); {FOREVER}"

    supervisor.start(
        Service("one", python(code), {"NAME": "value"}, log, is_ready=lambda: "\n" in log.read_text())
    )
    supervisor.stop()

    assert log.read_text() == "value None\n"


def test_a_process_that_dies_at_once_is_not_ready_and_its_last_words_are_told(tmp_path: Path) -> None:
    supervisor = Supervisor()
    log = tmp_path / "log"
    code = "import sys; [print('line', n) for n in range(30)]; sys.exit('no such setting')"

    with pytest.raises(NotReady) as caught:
        supervisor.start(Service("one", python(code), log=log, is_ready=lambda: False))
    supervisor.stop()

    assert str(caught.value).startswith(f"one did not start; its log {log} ends with:")
    assert "no such setting" in str(caught.value)
    assert "line 29" in str(caught.value)
    assert "line 10\n" not in str(caught.value)


def test_a_process_without_a_log_has_no_last_words() -> None:
    supervisor = Supervisor()

    with pytest.raises(NotReady) as caught:
        supervisor.start(Service("one", python("raise SystemExit(1)"), is_ready=lambda: False))
    supervisor.stop()

    assert str(caught.value) == "one did not start"


def test_a_command_that_is_not_there_leaves_nothing_to_stop(tmp_path: Path) -> None:
    supervisor = Supervisor()

    with pytest.raises(FileNotFoundError):
        supervisor.start(Service("one", [str(tmp_path / "no such command")]))

    supervisor.stop()


def test_what_dies_is_started_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor()
    marks = tmp_path / "marks"
    supervisor.start(Service("one", python(LASTING, marks), is_ready=lambda: bool(pids(marks))))
    os.kill(pids(marks)[0], signal.SIGKILL)

    watch_until(supervisor, lambda: len(pids(marks)) >= 2)
    first, second = pids(marks)
    alive = psutil.pid_exists(second)
    supervisor.stop()

    assert first != second
    assert alive
    assert not psutil.pid_exists(second)
    assert "one ended with -9; starting it again" in capfd.readouterr().err


def test_what_dies_again_and_again_is_started_less_and_less_often(tmp_path: Path) -> None:
    supervisor = Supervisor()
    marks = tmp_path / "marks"
    supervisor.start(Service("one", python(DYING, marks), is_ready=lambda: bool(pids(marks))))
    began = time.monotonic()

    watch_until(supervisor, lambda: len(pids(marks)) >= 4)
    took = time.monotonic() - began
    supervisor.stop()

    # At once, then after 0.4 and 0.8 seconds.
    assert took > 1.2


def test_processes_are_stopped_in_reverse(tmp_path: Path) -> None:
    """So the queue outlives those who use it."""
    log = tmp_path / "log"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    time.sleep(0.2)\n"
        "    open(sys.argv[1], 'a').write(sys.argv[2] + ' down\\n')\n"
        "    sys.exit()\n"
        "signal.signal(15, end)\n"
        "open(sys.argv[1], 'a').write(sys.argv[2] + ' up\\n')\n"
        "time.sleep(600)\n"
    )
    supervisor = Supervisor()
    for name in ("redis", "server", "worker"):
        supervisor.start(
            Service(
                name,
                python(code, log, name),
                is_ready=lambda name=name: log.exists() and f"{name} up" in log.read_text(),  # type: ignore[misc]
            )
        )

    supervisor.stop()

    assert log.read_text().split("\n") == [
        "redis up",
        "server up",
        "worker up",
        "worker down",
        "server down",
        "redis down",
        "",
    ]


def test_what_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airpy.supervise.GRACE_S", 0.3)
    supervisor = Supervisor()
    log = tmp_path / "log"
    supervisor.start(Service("one", python(STUBBORN), log=log, is_ready=lambda: log.read_text() == "up\n"))
    began = time.monotonic()

    supervisor.stop()

    assert 0.3 <= time.monotonic() - began < 30


def test_what_never_gets_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airpy.supervise.START_S", 0.3)
    supervisor = Supervisor()

    with pytest.raises(NotReady):
        supervisor.start(Service("one", python(FOREVER), is_ready=lambda: False))
    supervisor.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_block_without_an_error(number: signal.Signals) -> None:
    reached = False

    with stop_on_signals():
        os.kill(os.getpid(), number)
        time.sleep(30)
        reached = True

    assert not reached


SUPERVISING = f"""
import sys
from pathlib import Path
from airpy.supervise import Service, Supervisor
marks = Path(sys.argv[1])
supervisor = Supervisor()
supervisor.start(Service("one", [sys.executable, "-c", {LASTING!r}, sys.argv[1]], is_ready=marks.exists))
supervisor.watch()
"""


def test_processes_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    with subprocess.Popen(python(SUPERVISING, marks)) as supervisor:
        wait_until(lambda: pids(marks))
        (pid,) = pids(marks)

        supervisor.kill()

        wait_until(lambda: not psutil.pid_exists(pid))
