"""The command `airpy doctor`, on set-ups that are right and wrong."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import redis

from airpy import __version__
from airpy.commands.checkup import CHECKS, apart, missing_mount
from tests.conftest import database_url
from tests.service import SECRET, free_port, running_redis, running_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service import Service


class Visit(NamedTuple):
    """What the doctor said, for programs."""

    code: int
    findings: list[dict[str, Any]]

    def of(self, about: str) -> list[dict[str, Any]]:
        """What was found about this."""
        return [one for one in self.findings if one["about"] == about]

    def worst(self, about: str) -> dict[str, Any]:
        """The worst that was found about this."""
        return max(self.of(about), key=lambda one: ("ok", "warning", "broken").index(one["state"]))

    @property
    def broken(self) -> set[str]:
        """What something is broken about."""
        return {one["about"] for one in self.findings if one["state"] == "broken"}


def run(folder: Path, *arguments: str, before: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """What the command printed, run in the folder with no settings but these."""
    ours = {"REDIS_URL", "DRAMATIQ_BROKER_URL", "CELERY_BROKER_URL"}
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("PY_") and name not in ours
    }
    command = [sys.executable, "-m", "airpy", "doctor", *arguments]
    if "--url" not in arguments and "--port" not in arguments:
        command += ["--port", str(free_port())]
    return subprocess.run(
        ["/bin/sh", "-c", f'{before}\nexec "$@"', "sh", *command] if before else command,
        cwd=folder,
        env=clean | {"COLUMNS": "80"} | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def visit(folder: Path, *arguments: str, before: str = "", **settings: str) -> Visit:
    """What the doctor says of this set-up."""
    told = run(folder, "--json", *arguments, before=before, **settings)
    assert told.stderr == ""
    found = json.loads(told.stdout)
    assert found["broken"] == (told.returncode == 1)
    return Visit(told.returncode, found["findings"])


@pytest.fixture(scope="module")
def sound_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that there is nothing to say against, whatever the one is that the other tests use."""
    with running_redis(tmp_path_factory.mktemp("sound")) as url:
        yield url


@pytest.fixture
def good(base: Path, sound_redis: str) -> dict[str, str]:
    """Settings with which nothing is broken."""
    return {"PY_AUTH_SECRET": SECRET, "PY_BASE_PATH": str(base), "REDIS_URL": sound_redis}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, base: Path, sound_redis: str) -> Iterator[Service]:
    """A service that nobody else asks."""
    url = database_url(sound_redis, 1)
    with running_service(tmp_path_factory.mktemp("own"), base, url) as service:
        yield service


def given(service: Service, **others: str) -> dict[str, str]:
    """The settings that the service was started with, and others."""
    names = {"PY_AUTH_SECRET", "PY_BASE_PATH", "PY_RESULTS_PATH", "REDIS_URL"}
    return {name: value for name, value in service.environment.items() if name in names} | others


@pytest.mark.e2e
def test_a_service_at_work_is_well(own: Service, tmp_path: Path) -> None:
    own.data("infer_schema", {"datasource_id": "energy-files", "uri": "energy"})

    found = visit(tmp_path, "--url", own.url, **given(own))

    assert found.code == 0
    assert {one["state"] for one in found.findings} == {"ok"}, found.findings
    assert {one["about"] for one in found.findings} == set(CHECKS)
    assert found.of("server")[0]["told"] == f"{own.url} runs airpy {__version__}, as here"
    assert found.of("workers")[0]["told"].startswith("1 worker with 2 slots on ")


@pytest.mark.e2e
def test_results_that_lie_elsewhere_and_another_secret_are_found(own: Service, tmp_path: Path) -> None:
    own.data("infer_schema", {"datasource_id": "energy-files", "uri": "csv"})
    settings = given(own, PY_RESULTS_PATH=str(tmp_path / "mine"), PY_AUTH_SECRET=SECRET + "!")

    found = visit(tmp_path, "--url", own.url, **settings)

    assert found.broken == {"results path", "server"}
    assert "are not in" in found.worst("results path")["told"]
    assert "one PY_RESULTS_PATH" in found.worst("results path")["next_step"]
    assert "another secret" in found.worst("server")["told"]


def test_a_set_up_that_has_not_been_started_has_no_worker(good: dict[str, str], tmp_path: Path) -> None:
    shown = run(tmp_path, **good)

    marks = [line.split()[:2] for line in shown.stdout.splitlines() if line.startswith((" ✓", " !"))]
    assert (shown.returncode, shown.stderr) == (0, "")
    assert [mark for mark in marks if mark[0] == "!"] == [["!", "workers"]]
    assert "→ Start one: `airpy worker`." in shown.stdout
    assert shown.stdout.splitlines()[-1] == "Nothing is broken, 1 to look at."
    assert all(len(line) <= 80 for line in shown.stdout.splitlines() if "/" not in line)
    assert not (tmp_path / ".airpy").exists()


@pytest.mark.parametrize(
    ("about", "settings", "told"),
    [
        ("settings", {"PY_WORKERS": "many"}, "PY_WORKERS: "),
        (
            "settings",
            {"DRAMATIQ_BROKER_URL": "redis://elsewhere/0"},
            "DRAMATIQ_BROKER_URL: must be on the server",
        ),
        ("secret", {"PY_AUTH_SECRET": "too short"}, "must have at least 32 bytes and has 9"),
        ("secret", {"PY_AUTH_SECRET": ""}, "PY_AUTH_SECRET is not set"),
        ("base path", {"PY_BASE_PATH": "/nowhere"}, "/nowhere is none"),
        ("results path", {"PY_RESULTS_PATH": "/proc/airpy"}, "/proc/airpy cannot be written to"),
        ("Redis", {"REDIS_URL": "unix:///nowhere/redis.sock"}, "no answer from unix:///nowhere/redis.sock"),
    ],
    ids=["number", "broker", "short secret", "no secret", "base path", "results path", "Redis down"],
)
def test_what_is_wrong_is_found_and_nothing_else(
    good: dict[str, str], tmp_path: Path, about: str, settings: dict[str, str], told: str
) -> None:
    found = visit(tmp_path, **good | settings)

    assert found.code == 1
    assert found.broken == {about}
    assert told in found.worst(about)["told"]
    assert found.worst(about)["next_step"]
    assert not any(value in json.dumps(found.findings) for value in (SECRET, "too short"))


def test_all_that_is_wrong_is_found_at_once(tmp_path: Path) -> None:
    shown = run(
        tmp_path,
        PY_BASE_PATH="/nowhere",
        PY_TIMEOUT_S="soon",
        PY_LOG_FORMAT="xml",
        REDIS_URL="redis://:hush@127.0.0.1:1/0",
    )

    assert shown.returncode == 1
    assert shown.stdout.count(" ✗ settings") == 2
    assert all(f" ✗ {about}" in shown.stdout for about in ("secret", "base path", "Redis"))
    assert shown.stdout.splitlines()[-1].startswith("5 broken")
    assert "hush" not in shown.stdout
    assert "Traceback" not in shown.stderr


def test_a_misspelt_setting_is_found(good: dict[str, str], tmp_path: Path) -> None:
    found = visit(tmp_path, **good, PY_WORKRS="3", PY_COLORS="1")

    assert next((one["state"], one["told"], one["next_step"]) for one in found.of("settings")) == (
        "warning",
        "PY_WORKRS is no setting",
        "Did you mean PY_WORKERS?",
    )
    assert len(found.of("settings")) == 2


def test_the_secret_of_development_is_told_by_its_place_and_not_made(
    good: dict[str, str], tmp_path: Path
) -> None:
    del good["PY_AUTH_SECRET"]
    kept = tmp_path / ".airpy" / "secret"

    before = visit(tmp_path, **good, PY_ENV="dev")
    assert not kept.exists()
    kept.parent.mkdir()
    kept.write_text(SECRET)
    kept.chmod(0o644)
    after = visit(tmp_path, **good, PY_ENV="dev")
    kept.chmod(0o600)
    mended = visit(tmp_path, **good, PY_ENV="dev")
    production = visit(tmp_path, **good)

    assert "the first start makes one" in before.worst("secret")["told"]
    assert after.worst("secret")["next_step"] == "Run: chmod 600 .airpy/secret"
    assert mended.worst("secret")["state"] == "ok"
    assert production.worst("secret")["state"] == "warning"
    assert "only `airpy up` and callers use" in production.worst("secret")["told"]


def test_a_base_path_without_data_is_found(good: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()

    found = visit(tmp_path, **good | {"PY_BASE_PATH": str(tmp_path)})

    assert found.worst("base path")["state"] == "warning"
    assert ".csv, .parquet, .jsonl" in found.worst("base path")["next_step"]


@pytest.mark.parametrize(
    ("configuration", "about", "state", "told"),
    [
        (
            {"maxmemory": "64mb", "maxmemory-policy": "allkeys-lru"},
            "Redis",
            "broken",
            "evicts by allkeys-lru",
        ),
        ({"maxmemory": "1mb"}, "Redis memory", "broken", "jobs are refused above 80%"),
        ({"maxmemory-policy": "allkeys-lru"}, "Redis memory", "warning", "once it has a maxmemory"),
        ({"appendonly": "no"}, "Redis keeps", "warning", "jobs are lost when Redis is restarted"),
    ],
    ids=["evicting", "full", "would evict", "forgets"],
)
def test_a_redis_that_is_not_fit_is_found(
    good: dict[str, str], tmp_path: Path, configuration: dict[str, str], about: str, state: str, told: str
) -> None:
    with running_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        for name, value in configuration.items():
            client.config_set(name, value)
        found = visit(tmp_path, **good | {"REDIS_URL": url})

    assert (found.worst(about)["state"], found.code) == (state, int(state == "broken"))
    assert told in found.worst(about)["told"]
    assert found.worst(about)["next_step"]


def test_few_open_files_are_found(good: dict[str, str], tmp_path: Path) -> None:
    found = visit(tmp_path, **good, before="ulimit -n 256")

    assert found.worst("open files")["state"] == "warning"
    assert "may open 256" in found.worst("open files")["told"]


def test_a_port_that_something_else_has_is_found(good: dict[str, str], tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        found = visit(tmp_path, "--port", port, **good)

    assert found.broken == {"server"}
    assert found.worst("server")["told"] == f"port {port} is taken, and not by an AIR-Py"


def test_a_service_that_must_answer_and_does_not_is_found(good: dict[str, str], tmp_path: Path) -> None:
    found = visit(tmp_path, "--url", f"http://127.0.0.1:{free_port()}", **good)

    assert found.broken == {"server"}
    assert "cannot be reached" in found.worst("server")["told"]


def test_libraries_are_held_to_the_projects_own_requirements(good: dict[str, str], tmp_path: Path) -> None:
    info = tmp_path / "airpy-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: airpy\nVersion: 0\nRequires-Python: <3\n"
        "Requires-Dist: polars<1\nRequires-Dist: no-such-library>=2\nRequires-Dist: redis>1\n"
        "Requires-Dist: another; extra == 'local'\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])

    found = visit(tmp_path, **good, PYTHONPATH=path)

    assert found.broken == {"Python", "libraries"}
    assert "is not <1, no-such-library is missing" in found.worst("libraries")["told"]
    assert "another" not in found.worst("libraries")["told"]


def test_without_a_library_the_doctor_still_speaks(good: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "packaging.py").write_text(
        "raise ModuleNotFoundError('No module of that name', name='packaging')"
    )

    found = visit(tmp_path, **good, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))

    assert (found.code, found.broken) == (1, {"libraries"})
    assert found.worst("libraries")["told"].startswith("packaging cannot be imported")


def test_a_mount_that_is_missing_is_named(tmp_path: Path) -> None:
    table = f"# data\nserver:/x {tmp_path}/data nfs defaults 0 0\nserver:/y {tmp_path}/other nfs noauto 0 0\n"

    assert missing_mount(tmp_path / "data" / "energy", table) == tmp_path / "data"
    assert missing_mount(tmp_path / "other", table) is None
    assert missing_mount(tmp_path, table) is None
    assert missing_mount(Path("/proc/self"), "proc /proc proc defaults 0 0") is None


def test_clocks_are_compared_as_far_as_the_way_allows() -> None:
    assert apart(before=100.0, there=100.5, after=101.0) == 0
    assert apart(before=100.0, there=90.0, after=101.0) == 10
    assert apart(before=100.0, there=121.0, after=101.0) == 20
