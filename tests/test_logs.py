from __future__ import annotations

import json
import subprocess
import sys

PROLOGUE = """
import logging, structlog
from airpy.logs import configure_logs
configure_logs("{form}")
log = structlog.get_logger("airpy.tests")
"""


def printed(code: str, form: str = "json") -> list[str]:
    """The lines that a program with our logs prints; nothing goes to its standard output."""
    run = subprocess.run(
        [sys.executable, "-c", PROLOGUE.format(form=form) + code], capture_output=True, text=True, check=True
    )
    assert run.stdout == ""
    return run.stderr.splitlines()


def test_an_event_is_a_line_of_json() -> None:
    (line,) = printed("log.info('job_completed', token=7, seconds=0.5)")

    entry = json.loads(line)
    timestamp = entry.pop("timestamp")
    assert entry == {
        "event": "job_completed",
        "token": 7,
        "seconds": 0.5,
        "level": "info",
        "logger": "airpy.tests",
    }
    assert timestamp.endswith("Z")


def test_what_is_bound_is_in_every_line() -> None:
    lines = printed(
        "with structlog.contextvars.bound_contextvars(request_id='req_1'):\n"
        "    log.info('one')\n"
        "    logging.getLogger('dramatiq').warning('two %s', 2)\n"
        "log.info('three')\n"
    )

    entries = [json.loads(line) for line in lines]
    assert [(entry["event"], entry.get("request_id")) for entry in entries] == [
        ("one", "req_1"),
        ("two 2", "req_1"),
        ("three", None),
    ]
    assert entries[1]["logger"] == "dramatiq"


def test_line_breaks_cannot_forge_a_line() -> None:
    (line,) = printed("log.info('request', path='/x\\n{\"event\":\"forged\"}')")

    assert json.loads(line)["path"] == '/x\n{"event":"forged"}'


def test_an_exception_is_in_its_line_without_local_variables() -> None:
    lines = printed(
        "def fail(secret):\n"
        "    raise ValueError('no')\n"
        "try:\n"
        "    fail('hunter' + str(2))\n"
        "except ValueError:\n"
        "    log.exception('fault')\n"
    )

    (line,) = lines
    assert "ValueError: no" in json.loads(line)["exception"]
    assert "hunter2" not in line


def test_readable_lines_have_no_local_variables_either() -> None:
    lines = printed(
        "def fail(secret):\n"
        "    raise ValueError('no')\n"
        "try:\n"
        "    fail('hunter' + str(2))\n"
        "except ValueError:\n"
        "    log.exception('fault')\n",
        form="text",
    )

    text = "\n".join(lines)
    assert "ValueError: no" in text
    assert "hunter2" not in text


def test_readable_lines_are_plain_when_nobody_watches() -> None:
    (line,) = printed("log.warning('queue_full', jobs=3)", form="text")

    assert "queue_full" in line
    assert "jobs=3" in line
    assert "\x1b" not in line


def test_debugging_and_connexions_warnings_are_left_out() -> None:
    lines = printed("log.debug('x'); logging.getLogger('connexion.validators').warning('refused')")

    assert lines == []
