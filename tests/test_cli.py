from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import jwt
import pytest
import redis

from airpy import __version__
from tests.service import SECRET, free_port, running_redis

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service


def airpy(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the command printed, run in the folder with nothing of ours but this in its environment."""
    ours = {"REDIS_URL", "DRAMATIQ_BROKER_URL", "CELERY_BROKER_URL"}
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("PY_") and name not in ours
    }
    return subprocess.run(
        [sys.executable, "-m", "airpy", *arguments],
        cwd=folder,
        env=clean | {"COLUMNS": "120"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_version_is_printed(tmp_path: Path) -> None:
    run = airpy(tmp_path, "--version")

    assert (run.returncode, run.stdout) == (0, f"airpy {__version__}\n")


def test_help_names_every_command(tmp_path: Path) -> None:
    run = airpy(tmp_path, "--help")

    assert run.returncode == 0
    commands = [line.split()[1] for line in run.stdout.splitlines() if line.startswith("│ ")]
    assert {"preview", "schema", "query", "profile", "validate"} < set(commands)
    assert {"up", "serve", "worker", "token", "health", "doctor", "jobs", "dead"} < set(commands)
    assert all(group in run.stdout for group in ("On files", "The service", "Looking after it"))
    assert "airpy up --demo" in run.stdout


def test_without_a_command_help_is_shown(tmp_path: Path) -> None:
    run = airpy(tmp_path)

    assert "Usage:" in run.stdout + run.stderr
    assert run.returncode == 2


@pytest.mark.parametrize(("arguments", "seconds"), [((), 3600), (("--hours", "0.5"), 1800)])
def test_a_token_is_valid_for_the_hours_asked(
    tmp_path: Path, arguments: tuple[str, ...], seconds: int
) -> None:
    before = int(time.time())

    run = airpy(tmp_path, "token", *arguments, PY_AUTH_SECRET=SECRET)

    claims = jwt.decode(run.stdout.strip(), SECRET, algorithms=["HS256"])
    assert seconds <= claims["exp"] - before <= seconds + 60


@pytest.mark.parametrize("hours", ["0", "-1", "9000", "soon"])
def test_a_token_for_no_sensible_time_is_refused(tmp_path: Path, hours: str) -> None:
    run = airpy(tmp_path, "token", "--hours", hours, PY_AUTH_SECRET=SECRET)

    assert run.returncode == 2
    assert run.stdout == ""
    assert "Traceback" not in run.stderr


def test_a_token_is_signed_with_the_secret_kept_here(tmp_path: Path) -> None:
    (tmp_path / ".airpy").mkdir()
    (tmp_path / ".airpy" / "secret").write_text(SECRET)

    run = airpy(tmp_path, "token")

    assert jwt.decode(run.stdout.strip(), SECRET, algorithms=["HS256"])["sub"] == "airpy"


def test_the_environments_secret_goes_before_the_one_kept(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "secret").write_text("another secret, which is as long as it must be")

    run = airpy(tmp_path, "token", PY_AUTH_SECRET=SECRET, PY_STATE_PATH="state")

    assert jwt.decode(run.stdout.strip(), SECRET, algorithms=["HS256"])["sub"] == "airpy"


def test_there_is_no_token_without_a_secret(tmp_path: Path) -> None:
    run = airpy(tmp_path, "token")

    assert (run.returncode, run.stdout) == (2, "")
    assert "PY_AUTH_SECRET: must be set" in run.stderr
    assert not (tmp_path / ".airpy").exists()


@pytest.mark.e2e
def test_health_shows_how_the_service_stands(tmp_path: Path, service: Service) -> None:
    run = airpy(tmp_path, "health", "--url", service.url, PY_AUTH_SECRET=SECRET)

    shown = dict(line.split(maxsplit=1) for line in run.stdout.splitlines() if line.strip())
    assert run.returncode == 0
    assert shown["status"].strip() == "ok"
    assert shown["workers_active"].strip() == "2"
    assert f"airpy {__version__}" in shown["versions"]


@pytest.mark.e2e
def test_health_of_a_worker_is_asked_of_redis(tmp_path: Path, service: Service) -> None:
    run = airpy(tmp_path, "health", "--worker", **given(service))

    assert (run.returncode, run.stdout) == (0, "a worker of this host is alive\n")


def test_health_of_a_worker_that_is_not_there_fails(tmp_path: Path, redis_url: str) -> None:
    settings = {"PY_AUTH_SECRET": SECRET, "PY_BASE_PATH": str(tmp_path)}

    silent = airpy(tmp_path, "health", "--worker", **settings, REDIS_URL=redis_url)
    away = airpy(tmp_path, "health", "--worker", **settings, REDIS_URL="unix:///nowhere/redis.sock")

    assert silent.returncode == away.returncode == 1
    assert "no worker of this host has reported" in silent.stderr
    assert "Redis cannot be reached" in away.stderr
    assert "Traceback" not in silent.stderr + away.stderr


def given(service: Service) -> dict[str, str]:
    """The settings that the service was started with."""
    names = {"PY_AUTH_SECRET", "PY_BASE_PATH", "REDIS_URL"}
    return {name: value for name, value in service.environment.items() if name in names}


@pytest.mark.parametrize(
    "command",
    [["health"], ["jobs", "list"], ["jobs", "watch", "1"], ["jobs", "cancel", "1"], ["dead", "drop", "1"]],
    ids=" ".join,
)
def test_a_command_fails_when_nothing_answers_and_says_what_to_do(tmp_path: Path, command: list[str]) -> None:
    run = airpy(tmp_path, *command, "--url", f"http://127.0.0.1:{free_port()}", PY_AUTH_SECRET=SECRET)

    assert (run.returncode, run.stdout) == (1, "")
    assert "cannot be reached" in run.stderr
    assert "`airpy up` starts one" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, "PY_AUTH_SECRET: must be set (PY_ENV=dev makes and keeps one)"),
        (
            {"PY_AUTH_SECRET": "change-me-in-production"},
            "PY_AUTH_SECRET: must have at least 32 bytes and has 23",
        ),
        ({"PY_AUTH_SECRET": SECRET, "PY_WORKERS": "none"}, "PY_WORKERS: Input should be a valid integer"),
        (
            {"PY_AUTH_SECRET": SECRET, "PY_BASE_PATH": "/nowhere"},
            "PY_BASE_PATH: must be an existing directory; /nowhere is none",
        ),
        ({"PY_AUTH_SECRET": SECRET, "REDIS_URL": "localhost"}, "REDIS_URL: must be redis://"),
    ],
    ids=["no secret", "short secret", "wrong number", "no base path", "no URL"],
)
def test_the_server_does_not_start_with_wrong_settings(
    tmp_path: Path, environment: dict[str, str], line: str
) -> None:
    run = airpy(tmp_path, "serve", **{"PY_BASE_PATH": str(tmp_path), **environment})

    assert run.returncode == 2
    assert line in run.stderr
    assert "Traceback" not in run.stderr
    assert environment.get("PY_AUTH_SECRET", "\0") not in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize(
    ("command", "code"), [(["airpy", "serve"], 2), (["airpy", "worker"], 2), (["airpy.worker"], 1)]
)
def test_nothing_starts_on_a_redis_that_evicts(tmp_path: Path, command: list[str], code: int) -> None:
    with running_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        client.config_set("maxmemory", "64mb")
        client.config_set("maxmemory-policy", "allkeys-lfu")
        run = subprocess.run(
            [sys.executable, "-m", *command],
            env={name: value for name, value in os.environ.items() if not name.startswith("PY_")}
            | {"PY_AUTH_SECRET": SECRET, "PY_BASE_PATH": str(tmp_path), "REDIS_URL": url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    told = " ".join(run.stderr.split())
    assert run.returncode == code
    assert "REDIS_URL: must be a Redis that evicts nothing" in told
    assert "evicts by allkeys-lfu" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(("command", "code"), [(["airpy", "worker"], 2), (["airpy.worker"], 1)])
def test_a_worker_does_not_start_with_wrong_settings(tmp_path: Path, command: list[str], code: int) -> None:
    run = subprocess.run(
        [sys.executable, "-m", *command],
        env={name: value for name, value in os.environ.items() if not name.startswith("PY_")}
        | {"PY_BASE_PATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == code
    assert "PY_AUTH_SECRET: must be set" in run.stderr
    assert "Traceback" not in run.stderr
