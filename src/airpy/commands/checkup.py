"""Checks of a set-up, a table from name to function; each says what it found and how to mend it."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import socket
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import redis
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from airpy import __version__
from airpy.client import UNREACHABLE, CallFailed, Client
from airpy.commands.findings import Finding, State
from airpy.config import SHORTEST_SECRET, Credentials, Settings, SettingsError, misspelt_settings, variables
from airpy.engine.steps import counted
from airpy.errors import AirError, listed
from airpy.files.listing import data_files
from airpy.files.paths import FileRoot
from airpy.jobs.estimates import MOST_MEMORY
from airpy.jobs.fitness import connection, unfit
from airpy.jobs.record import Job
from airpy.jobs.scripts import ACTIVE, DEAD, JOBS, WAITING, job_key
from airpy.jobs.workers import SILENT_S, latest, slots_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CHECKS", "Setup", "apart", "check_up", "missing_mount"]

MEBIBYTE = 1024 * 1024
LEAST_FREE_MB = 1024
LEAST_OPEN_FILES = 1024
PINGS = 5
SLOW_PING_S = 0.02
SKEW_S = 2
FULLNESS = 0.8
LONG_WAIT_S = 60
LOOKED_AT_JOBS = 20
COUNTED_FILES = 1000
FSTAB = Path("/etc/fstab")
STAND_IN = "-" * SHORTEST_SECRET
UNSET = "must be set"
KEYGEN = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))' makes one."
CLIENT_TIMEOUT_S = 3

Answer = tuple[State, str, str | None]
"""A finding of a check, whose name is what it is about."""


@dataclass(frozen=True)
class Setup:
    """What is checked: settings, as far as they are right, and the Redis that they name."""

    settings: Settings
    wrong: dict[str, str]
    """What is wrong with settings, by the name of the variable; defaults stand in their place."""
    port: int
    url: str | None
    told: dict[str, Any] = field(default_factory=dict)
    """What Redis tells of itself; nothing when it cannot be reached."""
    unreachable: str = ""

    @classmethod
    def found(cls, port: int, url: str | None) -> Setup:
        """The set-up that this environment describes."""
        settings, wrong = _settings()
        try:
            with connection(settings.redis_url) as client:
                told = cast("dict[str, Any]", client.info())
        except redis.RedisError as error:
            return cls(settings, wrong, port, url, unreachable=str(error))
        return cls(settings, wrong, port, url, told)

    @property
    def redis(self) -> redis.Redis:
        """A client of the Redis that the settings name."""
        return connection(self.settings.redis_url)


def check_up(port: int, url: str | None) -> Iterator[Finding]:
    """What there is to say of the set-up, check by check."""
    setup = Setup.found(port, url)
    for about, check in CHECKS.items():
        try:
            for state, told, next_step in check(setup):
                yield Finding(about, state, told, next_step)
        except (redis.RedisError, OSError) as error:
            yield Finding(about, "broken", f"this cannot be checked: {error}", "Mend that first.")


def python(_: Setup) -> Iterator[Answer]:
    """Whether this Python is one that the project takes."""
    try:
        wanted = metadata("airpy")["Requires-Python"] or ""
    except PackageNotFoundError:
        yield "warning", "airpy is not installed, so nobody knows what it needs", "Run `make install`."
        return
    here = platform.python_version()
    if SpecifierSet(wanted).contains(here, prereleases=True):
        yield "ok", here, None
    else:
        yield "broken", f"{here}, and {wanted} is needed", f"Install airpy with a Python {wanted}."


def libraries(_: Setup) -> Iterator[Answer]:
    """Whether every library that the project needs is there, in a version that it takes."""
    needed = [Requirement(line) for line in _requirements()]
    needed = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = {}
    for one in needed:
        try:
            here = version(one.name)
        except PackageNotFoundError:
            wrong[one.name] = f"{one.name} is missing"
        else:
            if not one.specifier.contains(here, prereleases=True):
                wrong[one.name] = f"{one.name} {here} is not {one.specifier}"
    if wrong:
        yield "broken", listed(wrong.values()), "Run `make install`, or install airpy anew with pip."
    else:
        yield "ok", f"all {len(needed)} fit; polars {version('polars')}, pyarrow {version('pyarrow')}", None


def settings(setup: Setup) -> Iterator[Answer]:
    """Whether each setting has a value that it takes, and none is misspelt."""
    others = {
        name: told for name, told in setup.wrong.items() if name not in {"PY_AUTH_SECRET", "PY_BASE_PATH"}
    }
    for name, told in others.items():
        yield (
            "broken",
            f"{name}: {told}",
            f"Set {name} rightly, or not at all: the README lists the settings.",
        )
    for name, close in misspelt_settings().items():
        yield "warning", f"{name} is no setting", f"Did you mean {' or '.join(close)}?"
    if not others:
        yield "ok", f"all are right; PY_ENV is {setup.settings.environment}", None


def secret(setup: Setup) -> Iterator[Answer]:
    """Whether there is a secret to share with Go, one that is long enough, and kept to ourselves."""
    dev = setup.settings.environment == "dev"
    kept = setup.settings.state_path / "secret"
    given, wrong = _secret(setup)
    if not wrong:
        yield "ok", f"PY_AUTH_SECRET has {len(given.encode())} bytes", None
    elif wrong != UNSET:
        yield (
            "warning" if dev else "broken",
            f"PY_AUTH_SECRET {wrong}",
            f"Share a longer one with Go. {KEYGEN}",
        )
    elif not given and dev:
        yield "ok", f"PY_AUTH_SECRET is not set; the first start makes one and keeps it in {kept}", None
    elif not given:
        yield "broken", "PY_AUTH_SECRET is not set", f"Set it to what Go signs with. {KEYGEN}"
    elif dev:
        yield "ok", f"PY_AUTH_SECRET is not set; the one kept in {kept} is used", None
    else:
        told = f"PY_AUTH_SECRET is not set; only `airpy up` and callers use the one kept in {kept}"
        yield "warning", told, f"Set it before `airpy serve` and `airpy worker`. {KEYGEN}"
    if kept.exists() and kept.stat().st_mode & 0o077:
        yield "broken", f"others may read {kept}", f"Run: chmod 600 {kept}"


def base_path(setup: Setup) -> Iterator[Answer]:
    """Whether data sets can be read where they are said to lie, and there are any."""
    if told := setup.wrong.get("PY_BASE_PATH"):
        yield "broken", f"PY_BASE_PATH {told}", "Set PY_BASE_PATH to the directory that your data lie under."
        return
    base = setup.settings.base_path
    if mount := missing_mount(base.resolve(), FSTAB.read_text() if FSTAB.exists() else ""):
        yield "broken", f"{mount} is not mounted, and {base} lies there", f"Run: mount {mount}"
        return
    if not os.access(base, os.R_OK | os.X_OK):
        yield "broken", f"{base} may not be read by this user", f"Run: chmod o+rx {base}"
        return
    root = FileRoot.at(base, setup.settings.allowed_ext)
    try:
        found = sum(1 for _ in islice(data_files(root, root.real, unreadable=lambda _: None), COUNTED_FILES))
    except AirError as error:
        yield "broken", error.message, "Let this user read it."
        return
    if found:
        more = "at least " if found == COUNTED_FILES else ""
        yield "ok", f"{base} holds {more}{counted(found, 'data file')}", None
    else:
        kinds = listed(setup.settings.allowed_ext)
        yield "warning", f"{base} holds no data file", f"Put files there that end in one of: {kinds}"


def results_path(setup: Setup) -> Iterator[Answer]:
    """Whether results can be written, there is room, and it is where the workers write theirs."""
    place = setup.settings.results_path.absolute()
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    yield from _room(there, "PY_RESULTS_PATH", place)
    if not setup.told:
        return
    with setup.redis as client:
        tokens = cast("list[str]", client.zrevrange(JOBS, 0, LOOKED_AT_JOBS - 1))
        records = {token: cast("dict[str, str]", client.hgetall(job_key(int(token)))) for token in tokens}
    jobs = [Job.from_hash(int(token), record) for token, record in records.items() if record]
    folders = [job.folder for job in jobs if job.status == "completed" and job.folder]
    lost = [folder for folder in folders if not (place / folder).is_dir()]
    if lost:
        yield (
            "broken",
            f"{len(lost)} of the last {counted(len(folders), 'result')} are not in {place}",
            "Give servers and workers one PY_RESULTS_PATH, on storage that all of them share.",
        )


def temporary_files(_: Setup) -> Iterator[Answer]:
    """Whether the children of jobs have room for temporary files."""
    yield from _room(Path(tempfile.gettempdir()), "TMPDIR")


def open_files(_: Setup) -> Iterator[Answer]:
    """Whether a process may open as many files as connections and data sets take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= LEAST_OPEN_FILES:
        yield "ok", "without limit" if soft == resource.RLIM_INFINITY else f"at most {soft:,}", None
    else:
        step = f"Run `ulimit -n {LEAST_OPEN_FILES}` before the start, or set LimitNOFILE or --ulimit."
        yield "warning", f"a process may open {soft:,} (hard limit {hard:,})", step


def redis_server(setup: Setup) -> Iterator[Answer]:
    """Whether Redis answers, soon, and is fit to keep jobs."""
    where = _without_password(setup.settings.redis_url)
    if "REDIS_URL" in setup.wrong:
        yield "broken", "not looked for, since REDIS_URL is wrong", None
        return
    if not setup.told:
        told = f"no answer from {where}: {setup.unreachable}"
        yield "broken", told, "Start one, or let REDIS_URL name it; `airpy up` brings its own."
        return
    told = f"{setup.told.get('server_name', 'redis')} {setup.told['redis_version']} at {where}"
    if fault := unfit(setup.told):
        evicts = "Run: redis-cli CONFIG SET maxmemory-policy noeviction; and set it in redis.conf."
        yield "broken", f"{where} {fault}", evicts if "evicts" in fault else "Install a newer one."
        return
    with setup.redis as client:
        pings = []
        for _ in range(PINGS):
            began = time.perf_counter()
            client.ping()
            pings.append(time.perf_counter() - began)
    latency = statistics.median(pings)
    if latency > SLOW_PING_S:
        yield "warning", f"{told} takes {latency * 1000:.0f} ms to answer", "Run it near servers and workers."
    else:
        yield "ok", f"{told}, answers within {latency * 1000:.1f} ms", None


def redis_keeps(setup: Setup) -> Iterator[Answer]:
    """Whether Redis keeps what it has acknowledged."""
    if not setup.told:
        return
    if setup.told.get("aof_enabled"):
        yield "ok", "appendonly is on: jobs outlive its restart", None
    else:
        yield (
            "warning",
            "appendonly is off: jobs are lost when Redis is restarted",
            "Start it with `appendonly yes`.",
        )


def redis_memory(setup: Setup) -> Iterator[Answer]:
    """Whether Redis has memory left, and evicts nothing to get it."""
    if not setup.told:
        return
    used, most = int(setup.told["used_memory"]), int(setup.told.get("maxmemory") or 0)
    policy = setup.told.get("maxmemory_policy", "noeviction")
    if not most:
        if policy != "noeviction":
            yield (
                "warning",
                f"it would evict jobs by {policy}, once it has a maxmemory",
                "Set its maxmemory-policy to noeviction.",
            )
        yield "ok", f"{used / MEBIBYTE:.1f} MiB used, without a bound", None
        return
    share = used / most
    told = f"{used / MEBIBYTE:.1f} of {most / MEBIBYTE:.0f} MiB used"
    if share > MOST_MEMORY:
        yield (
            "broken",
            f"{told}: jobs are refused above {MOST_MEMORY:.0%}",
            "Give it more maxmemory, or shorten PY_JOB_TTL_S.",
        )
    elif share > MOST_MEMORY * FULLNESS:
        yield "warning", f"{told}: jobs are refused above {MOST_MEMORY:.0%}", "Give it more maxmemory soon."
    else:
        yield "ok", told, None


def clock(setup: Setup) -> Iterator[Answer]:
    """Whether this host and Redis agree on the time."""
    if not setup.told:
        return
    with setup.redis as client:
        before = time.time()
        seconds, micros = cast("tuple[int, int]", client.time())
        after = time.time()
    skew = apart(before, seconds + micros / 1e6, after)
    told = f"this host and Redis are {skew:.1f} s apart"
    if skew > SILENT_S:
        yield "broken", f"{told}: workers seem dead, and tokens expired", "Let NTP set both clocks."
    elif skew > SKEW_S:
        yield "warning", told, "Let NTP set both clocks."
    else:
        yield "ok", "this host and Redis agree on the time", None


def workers(setup: Setup) -> Iterator[Answer]:
    """Whether there is anybody to do the jobs."""
    if not setup.told:
        return
    with setup.redis as client:
        alive = cast("list[str]", client.zrangebyscore(*latest()))
        waiting = cast("int", client.zcard(WAITING))
    if alive:
        hosts = sorted({worker.rpartition(":")[0].rpartition(":")[0] for worker in alive})
        yield (
            "ok",
            f"{counted(len(alive), 'worker')} with {counted(slots_of(alive), 'slot')} on {listed(hosts, 5)}",
            None,
        )
    else:
        waits = f", and {counted(waiting, 'job')} in line" if waiting else ""
        yield "broken" if waiting else "warning", f"none is alive{waits}", "Start one: `airpy worker`."


def queue(setup: Setup) -> Iterator[Answer]:
    """Whether jobs are begun soon, there is room for more, and none has died."""
    if not setup.told:
        return
    with setup.redis as client:
        active, waiting, dead = (cast("int", client.zcard(key)) for key in (ACTIVE, WAITING, DEAD))
        first = cast("list[tuple[str, float]]", client.zrange(WAITING, 0, 0, withscores=True))
        now = cast("tuple[int, int]", client.time())[0]
    oldest = max(0, now - first[0][1] / 1000) if first else 0
    most = setup.settings.max_queued_jobs
    told = f"{counted(active, 'job')} of at most {most:,}, {waiting:,} in line"
    if active >= most:
        yield "broken", f"{told}: more are refused", "Start more workers, or raise PY_MAX_QUEUED_JOBS."
    elif active >= most * FULLNESS:
        yield "warning", told, "Start more workers, or raise PY_MAX_QUEUED_JOBS."
    elif oldest > LONG_WAIT_S:
        yield (
            "warning",
            f"{told}, the oldest for {oldest:.0f} s",
            "Start more workers; `airpy jobs list` shows what runs.",
        )
    else:
        yield "ok", told + (f", the oldest for {oldest:.0f} s" if first else ""), None
    if dead:
        yield "warning", counted(dead, "dead letter"), "`airpy dead list` shows them."


def server(setup: Setup) -> Iterator[Answer]:
    """Whether the server that runs is of this version; or the port is free for one."""
    url = setup.url or f"http://127.0.0.1:{setup.port}"
    if setup.url is None and _is_free(setup.port):
        yield "ok", f"port {setup.port} is free; no server runs there", None
        return
    try:
        with Client(url, _secret(setup)[0] or STAND_IN, timeout_s=CLIENT_TIMEOUT_S) as client:
            running = str(client.get("health")["versions"]["airpy"])
    except CallFailed as failed:
        yield from _no_answer(setup, url, failed)
        return
    if running == __version__:
        yield "ok", f"{url} runs airpy {running}, as here", None
    else:
        yield "warning", f"{url} runs airpy {running}, and this is {__version__}", "Start it again from here."


def _no_answer(setup: Setup, url: str, failed: CallFailed) -> Iterator[Answer]:
    """What it means that health was not told."""
    if failed.reason == "UNAUTHORIZED":
        yield "broken", f"{url} has another secret", "Set PY_AUTH_SECRET to what the service has."
    elif failed.reason == UNREACHABLE and setup.url:
        yield "broken", str(failed), "Start it: `airpy serve`."
    elif failed.reason in {None, UNREACHABLE}:
        yield "broken", f"port {setup.port} is taken, and not by an AIR-Py", "Choose another with --port."
    else:
        yield "broken", f"{url} says: {failed}", None


CHECKS: dict[str, Callable[[Setup], Iterator[Answer]]] = {
    "Python": python,
    "libraries": libraries,
    "settings": settings,
    "secret": secret,
    "base path": base_path,
    "results path": results_path,
    "temporary files": temporary_files,
    "open files": open_files,
    "Redis": redis_server,
    "Redis keeps": redis_keeps,
    "Redis memory": redis_memory,
    "clock": clock,
    "workers": workers,
    "queue": queue,
    "server": server,
}


def apart(before: float, there: float, after: float) -> float:
    """Seconds that a clock is off at least, which told the time between two looks at this host's own."""
    return max(before - there, there - after, 0.0)


def missing_mount(path: Path, fstab: str) -> Path | None:
    """What the table says is mounted at the path or above it, and is not."""
    for line in fstab.splitlines():
        fields = line.split("#")[0].split()
        if len(fields) > 1 and fields[1] not in {"/", "none"} and "noauto" not in "".join(fields[3:4]):
            mount = Path(fields[1].replace("\\040", " "))
            if (mount == path or mount in path.parents) and not mount.is_mount():
                return mount
    return None


def _room(there: Path, setting: str, place: Path | None = None) -> Iterator[Answer]:
    """Whether files can be written in a directory, and how much room is left."""
    place = place or there
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        yield (
            "broken",
            f"{place} cannot be written to: {why}",
            f"Let this user write there, or set {setting}.",
        )
        return
    free = shutil.disk_usage(there).free // MEBIBYTE
    if free < LEAST_FREE_MB:
        yield "warning", f"{place} has {free:,} MiB left", f"Free some, or let {setting} name a larger disk."
    else:
        later = "" if there == place else "; the first start makes it"
        yield "ok", f"{place} has {free / 1024:,.0f} GiB left{later}", None


def _settings() -> tuple[Settings, dict[str, str]]:
    """The settings, with something harmless in place of wrong ones, and what is wrong, by variable."""
    names = variables()
    wrong: dict[str, str] = {}
    # A secret is not asked for here: in development that would make one.
    stand_ins: dict[str, Any] = {"auth_secret": STAND_IN}
    while True:
        try:
            return Settings.from_env(**stand_ins), wrong
        except SettingsError as error:
            for line in str(error).splitlines():
                variable, _, told = line.partition(": ")
                name = names[variable]
                wrong[variable] = told
                stand_ins[name] = Path() if name == "base_path" else Settings.model_fields[name].default


def _secret(setup: Setup) -> tuple[str, str]:
    """The secret that callers use, if there is one, and what is wrong with it in production."""
    state = setup.settings.state_path
    try:
        return Credentials.from_env(environment="production", state_path=state).secret, ""
    except SettingsError as error:
        told = str(error).removeprefix("PY_AUTH_SECRET: ").partition(" (")[0]
    if told == UNSET and not (state / "secret").exists():
        return "", told
    return Credentials.from_env(environment="dev", state_path=state).secret, told  # it is there: none is made


def _requirements() -> list[str]:
    try:
        return requires("airpy") or []
    except PackageNotFoundError:
        return []


def _without_password(url: str) -> str:
    """A Redis URL as it may be shown."""
    parts = urlsplit(url)
    return url.replace(f"{parts.netloc}", parts.netloc.rpartition("@")[2], 1) if parts.netloc else url


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
