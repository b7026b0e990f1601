"""The commands `airpy jobs` and `airpy dead`, as a person calls them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.conftest import fresh, write_energy
from tests.service import SECRET, child_of, running_service, runs, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psutil

    from tests.service import Service

pytestmark = pytest.mark.e2e

BY_SITE = {
    "datasource_id": "energy-files",
    "plan": {"dataset": "energy", "groupby": ["site_id"], "aggs": [{"col": "kwh", "fn": "sum"}]},
}
MISSPELT = {"datasource_id": "energy-files", "plan": {"dataset": "energy", "select": ["kwhh"]}}
# Of 300 000 rows that all match, whose sum takes minutes.
ENDLESS = {
    "datasource_id": "long-ones",
    "plan": {
        "dataset": "ones",
        "joins": [{"dataset": "ones", "on": ["one"]}],
        "aggs": [{"col": "one", "fn": "sum"}],
    },
}
STEPS = ["file_found", "loading_data", "applying_filters", "aggregating"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, databases: Iterator[str]) -> Iterator[Service]:
    """A service that nobody else asks, and whose server may be killed."""
    base = tmp_path_factory.mktemp("base")
    write_energy(base)
    pl.DataFrame({"one": [1] * 300_000}).write_parquet(base / "ones.parquet")
    url = fresh(next(databases))
    with running_service(tmp_path_factory.mktemp("own"), base, url, PY_MAX_ATTEMPTS="2") as service:
        yield service


def command(service: Service, *arguments: object) -> tuple[list[str], dict[str, Any]]:
    """The command line that asks this service, and what it is run with."""
    words = [sys.executable, "-m", "airpy", *map(str, arguments), "--url", service.url]
    environment = os.environ | {"PY_AUTH_SECRET": SECRET, "COLUMNS": "160"}
    return words, {"env": environment, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def airpy(service: Service, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What the command printed."""
    words, settings = command(service, *arguments)
    run = subprocess.run(words, **settings, timeout=120, check=False)
    assert "Traceback" not in run.stderr
    return run


@contextlib.contextmanager
def watching(service: Service, token: int, folder: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The command that watches a job, and the file with what it has printed."""
    words, settings = command(service, "jobs", "watch", token)
    printed = folder / "printed"
    with printed.open("w") as file:
        process = subprocess.Popen(words, **settings | {"stdout": file, "stderr": file})
    try:
        yield process, printed
    finally:
        process.kill()
        process.wait()


def shown_steps(text: str) -> list[str]:
    """The steps that were shown, in order."""
    return [line.split()[1] for line in text.splitlines() if line.startswith("  ✓")]


def kill_child(service: Service, token: int) -> None:
    """Kill the child that does this job, once it has begun."""
    children: list[psutil.Process] = []

    def found() -> bool:
        child = child_of(service, token)
        children.extend([child] if child else [])
        return child is not None

    wait_until(found)
    children[0].kill()
    wait_until(lambda: not runs(children[0]))


def kill_server_and_start_it_again(service: Service) -> None:
    """Kill the server as a crash would, and start it again at the same address."""
    server = service.processes["server"]
    server.kill()
    server.wait()
    with (service.logs / "server.log").open("ab") as log:
        service.processes["server"] = subprocess.Popen(
            list(map(str, server.args)),  # type: ignore[arg-type]
            env=service.environment,
            stdout=log,
            stderr=log,
        )


def test_jobs_are_listed_the_newest_first_and_filtered(own: Service) -> None:
    tokens = [own.submit("query", BY_SITE | {"datasource_id": f"list-{number}"}) for number in range(3)]
    bad = own.submit("query", MISSPELT)
    for token in (*tokens, bad):
        own.wait(token)

    listed = airpy(own, "jobs", "list")
    failed = airpy(own, "jobs", "list", "--status", "failed", "--type", "query", "--limit", 1)
    shortened = airpy(own, "jobs", "list", "--limit", 2)

    rows = [line.split() for line in listed.stdout.splitlines()[1:]]
    assert listed.returncode == 0
    assert listed.stdout.split()[:4] == ["token", "type", "status", "done"]
    assert [row[:5] for row in rows[:4]] == [
        [str(bad), "query", "failed", "–", "energy-files"],
        *[[str(tokens[n]), "query", "completed", "100%", f"list-{n}"] for n in (2, 1, 0)],
    ]
    assert [line.split()[0] for line in failed.stdout.splitlines()[1:2]] == [str(bad)]
    assert "There are older ones" in shortened.stdout
    assert len(shortened.stdout.splitlines()) == 4


def test_what_is_printed_for_programs_is_the_services_answer(own: Service) -> None:
    token = own.submit("query", BY_SITE)
    own.wait(token)

    listed = airpy(own, "jobs", "list", "--limit", 1, "--json")
    shown = airpy(own, "jobs", "show", token, "--json")
    letters = airpy(own, "dead", "list", "--json")

    assert json.loads(listed.stdout) == own.get("jobs", params={"limit": 1}).json()
    assert json.loads(shown.stdout) == own.get(f"jobs/{token}").json()
    assert json.loads(letters.stdout) == own.get("dead-letters").json()


def test_a_list_may_be_empty(own: Service) -> None:
    run = airpy(own, "jobs", "list", "--type", "infer_schema")

    assert (run.returncode, run.stdout) == (0, "There are no such jobs.\n")


def test_a_job_is_shown_with_its_steps_and_its_result(own: Service) -> None:
    token = own.submit("query", BY_SITE)
    own.wait(token)

    run = airpy(own, "jobs", "show", token)

    assert run.returncode == 0
    assert run.stdout.splitlines()[0].split() == ["Job", str(token), "query", "completed"]
    assert shown_steps(run.stdout) == [*STEPS, "query_complete"]
    # One row of each of 3 sites.
    assert ["rows", "3"] in [line.split() for line in run.stdout.splitlines()]


def test_a_failed_job_is_shown_with_the_nearest_right_answer(own: Service) -> None:
    token = own.submit("query", MISSPELT)
    own.wait(token)

    run = airpy(own, "jobs", "show", token)

    lines = [" ".join(line.split()) for line in run.stdout.splitlines()]
    assert run.returncode == 0
    assert lines[0] == f"Job {token} query failed"
    assert 'VALIDATION_ERROR UNKNOWN_COLUMN: unknown column "kwhh"; did you mean "kwh"?' in lines
    assert 'suggestion {"op": "replace", "path": "/plan/select/0", "value": "kwh"}' in lines


def test_a_watch_ends_as_the_job_does(own: Service) -> None:
    good, bad = own.submit("query", BY_SITE), own.submit("query", MISSPELT)

    completed, failed = airpy(own, "jobs", "watch", good), airpy(own, "jobs", "watch", bad)

    assert completed.returncode == 0
    assert shown_steps(completed.stdout) == [*STEPS, "query_complete"]
    assert completed.stdout.splitlines()[-1] == f"Job {good} has completed."
    assert failed.returncode == 1
    assert f"Job {bad} has failed." in failed.stdout
    assert 'did you mean "kwh"?' in failed.stdout


def test_a_watch_outlives_the_server_and_tells_of_the_second_attempt_and_the_death(
    own: Service, tmp_path: Path
) -> None:
    token = own.submit("query", ENDLESS)
    with watching(own, token, tmp_path) as (watch, printed):
        wait_until(lambda: len(shown_steps(printed.read_text())) == 4)
        kill_server_and_start_it_again(own)
        kill_child(own, token)
        wait_until(lambda: len(shown_steps(printed.read_text())) == 8)
        kill_child(own, token)
        code = watch.wait(60)
    listed, shown = airpy(own, "dead", "list"), airpy(own, "dead", "show", token)
    as_json = airpy(own, "dead", "show", token, "--json")
    asked_again = airpy(own, "dead", "requeue", token)
    none_left = airpy(own, "dead", "list")
    new = int(asked_again.stdout.split()[1])
    wait_until(lambda: len(own.get(f"jobs/{new}").json()["steps"]) == 4)
    cancelled, again = airpy(own, "jobs", "cancel", new), airpy(own, "jobs", "cancel", new)

    told = printed.read_text()
    assert code == 1
    assert shown_steps(told) == STEPS * 2
    assert told.count("begun again: attempt 2") == 1
    assert f"Job {token} has failed." in told
    assert "RESOURCE_CAP PROCESS_KILLED" in told
    assert ["exit_signal", "SIGKILL"] in [line.split() for line in told.splitlines()]
    row = listed.stdout.splitlines()[1].split()
    assert row[:4] == [str(token), "query", "long-ones", "2"]
    assert row[-2:] == ["PROCESS_KILLED", "aggregating"]
    assert f"Dead letter of job {token}" in shown.stdout
    assert '"dataset": "ones"' in shown.stdout
    assert json.loads(json.loads(as_json.stdout)["request"]) == ENDLESS
    assert new > token
    assert none_left.stdout == "There are no dead letters.\n"
    assert (cancelled.returncode, cancelled.stdout) == (0, f"Job {new} is cancelled.\n")
    assert again.returncode == 0


def test_a_dead_letter_can_be_dropped(own: Service) -> None:
    token = own.submit("query", ENDLESS)
    for _ in range(2):
        kill_child(own, token)
    own.wait(token)

    dropped, gone = airpy(own, "dead", "drop", token), airpy(own, "dead", "drop", token)

    assert (dropped.returncode, dropped.stdout) == (0, f"The dead letter of job {token} is dropped.\n")
    assert gone.returncode == 1
    assert f"there is no dead letter of job {token}" in gone.stderr
    assert "`airpy dead list` shows" in gone.stderr


def test_a_watch_that_is_left_leaves_the_job_at_work(own: Service, tmp_path: Path) -> None:
    token = own.submit("query", ENDLESS)
    with watching(own, token, tmp_path) as (watch, printed):
        wait_until(lambda: len(shown_steps(printed.read_text())) == 4)
        watch.send_signal(signal.SIGINT)
        code = watch.wait(60)
    status = own.get(f"jobs/{token}").json()["status"]
    airpy(own, "jobs", "cancel", token)

    assert code == 130
    assert f"Job {token} goes on; `airpy jobs cancel {token}` would end it." in printed.read_text()
    assert status == "running"
    assert own.wait(token)["status"] == "cancelled"


def test_a_job_that_has_ended_is_not_cancelled(own: Service) -> None:
    token = own.submit("query", BY_SITE)
    own.wait(token)

    run = airpy(own, "jobs", "cancel", token)

    assert (run.returncode, run.stdout) == (1, f"Job {token} has completed already.\n")


@pytest.mark.parametrize("verb", ["show", "watch", "cancel"])
def test_a_token_that_is_not_there_is_told_with_what_to_do(own: Service, verb: str) -> None:
    run = airpy(own, "jobs", verb, 999_999)

    assert (run.returncode, run.stdout) == (1, "")
    assert "there is no job 999999; the last token issued is" in run.stderr
    assert "`airpy jobs list` shows" in run.stderr


def test_a_wrong_status_is_told_with_the_right_ones(own: Service) -> None:
    run = airpy(own, "jobs", "list", "--status", "done")

    assert run.returncode == 1
    assert "started, running, completed, failed, cancelled" in run.stderr


def test_another_secret_is_told_with_what_to_do(own: Service) -> None:
    words, settings = command(own, "jobs", "list")
    settings["env"] = settings["env"] | {"PY_AUTH_SECRET": "another secret, just as long as the right one"}

    run = subprocess.run(words, **settings, timeout=120, check=False)

    assert run.returncode == 1
    assert "Set PY_AUTH_SECRET to the secret that the service has." in run.stderr
