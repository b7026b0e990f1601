"""The `airpy` command: on files, for the service, and to look after it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from airpy import __version__
from airpy.commands.doctor import doctor
from airpy.commands.files import compare, preview, profile, query, schema, validate
from airpy.commands.jobs import HERE, Url, dead, jobs

if TYPE_CHECKING:
    from airpy.client import Client

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # they print local variables, secrets too
    help="""
    AIR-Py: a private data-science service that owns files for a Go backend.

    `airpy preview FILE` looks into a CSV, Parquet or JSONL file; the commands on files need no service.

    `airpy up --demo` runs the whole service on this machine with sample data and shows a query's answer. In
    production, run `airpy serve` and `airpy worker` beside a Redis. `airpy doctor` says what is wrong with a
    set-up, and how to mend it.

    Every setting is an environment variable; the README lists them.
    """,
)
ON_FILES, SERVICE, LOOKING_AFTER = "On files", "The service", "Looking after it"
for command in (preview, schema, query, profile, validate, compare):
    app.command(rich_help_panel=ON_FILES)(command)
console = Console()

HEALTH_TIMEOUT_S = 5

Port = Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65_535)]


@app.command(rich_help_panel=SERVICE)
def up(
    port: Port = 9001,
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make sample energy data and run a query on it.")
    ] = False,
) -> None:
    """Run the whole service on this machine: Redis, server and workers. Ctrl-C stops them all.

    Redis is built in unless `REDIS_URL` names one. Without `PY_BASE_PATH` data sets are looked for in
    `.airpy/data`. `PY_ENV` is `dev` unless set, so that a missing secret is made and kept.
    """
    from airpy.local import run_all  # noqa: PLC0415  heavy, and only needed here

    run_all(port, demo=demo, console=console)


@app.command(rich_help_panel=SERVICE)
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Port = 9001,
) -> None:
    """Run the HTTP server."""
    from airpy.config import Settings  # noqa: PLC0415  each command imports no more than it needs

    Settings.from_env()  # wrong ones are told before anything heavy is imported

    from airpy.server import run_server  # noqa: PLC0415  heavy, and only needed here

    run_server(host, port)


@app.command(rich_help_panel=SERVICE)
def worker() -> None:
    """Run a worker with `PY_WORKERS` slots, and start it again when it dies."""
    from airpy.config import Settings  # noqa: PLC0415  only needed here
    from airpy.jobs.fitness import check_redis  # noqa: PLC0415
    from airpy.logs import configure_logs  # noqa: PLC0415
    from airpy.supervise import Service, Supervisor, stop_on_signals  # noqa: PLC0415

    settings = Settings.from_env()
    configure_logs(settings.log_format)
    check_redis(settings.redis_url)  # a worker that it refused would be started again and again
    supervisor = Supervisor()
    with stop_on_signals():
        try:
            supervisor.start(Service("worker", [sys.executable, "-m", "airpy.worker"]))
            supervisor.watch()
        finally:
            supervisor.stop()


@app.command(rich_help_panel=SERVICE)
def token(
    hours: Annotated[float, typer.Option(help="How long the token is valid.", min=0.001, max=8784)] = 1,
) -> None:
    """Print a bearer token, signed with the shared secret."""
    from airpy.config import Credentials  # noqa: PLC0415  only needed here
    from airpy.web.auth import sign  # noqa: PLC0415

    print(sign(Credentials.of_caller().secret, hours * 3600))  # noqa: T201


@app.command(rich_help_panel=LOOKING_AFTER)
def health(
    url: Url = HERE,
    *,
    worker: Annotated[
        bool, typer.Option("--worker", help="Ask whether this host's worker is alive instead.")
    ] = False,
    alive: Annotated[
        bool, typer.Option("--alive", help="Ask only whether it answers at all, with Redis or without.")
    ] = False,
) -> None:
    """Ask a running service how it stands; fails when it does not answer, as a health check must."""
    if worker:
        _check_worker()
        return
    if alive:
        _check_answer(url)
        return
    with _client(url) as client:
        answer = client.get("health")
    from rich.table import Table  # noqa: PLC0415

    table = Table(show_header=False, box=None)
    versions = answer.pop("versions")
    for name, value in answer.items():
        table.add_row(name, str(value))
    table.add_row("versions", ", ".join(f"{name} {number}" for name, number in versions.items()))
    console.print(table)


def _check_answer(url: str) -> None:
    """Fail unless the server answers; a refusal is an answer, and 503 while Redis is away another."""
    from airpy.client import UNREACHABLE, CallFailed  # noqa: PLC0415  only needed here

    with _client(url) as client:
        try:
            client.get("health")
        except CallFailed as failed:
            if failed.reason in {None, UNREACHABLE}:
                raise
    console.print("the server answers")


def _client(url: str) -> Client:
    from airpy.client import Client  # noqa: PLC0415  only needed here
    from airpy.config import Credentials  # noqa: PLC0415

    return Client(url, Credentials.of_caller().secret, timeout_s=HEALTH_TIMEOUT_S)


def _check_worker() -> None:
    import socket  # noqa: PLC0415  only needed here

    import redis  # noqa: PLC0415

    from airpy.client import CallFailed  # noqa: PLC0415
    from airpy.config import Settings  # noqa: PLC0415
    from airpy.jobs.workers import reports  # noqa: PLC0415

    url = Settings.from_env().redis_url
    try:
        with redis.Redis.from_url(url, decode_responses=True, socket_timeout=HEALTH_TIMEOUT_S) as client:
            alive = reports(client, socket.gethostname())
    except redis.RedisError as error:
        raise CallFailed(f"Redis cannot be reached: {error}") from None
    if not alive:
        raise CallFailed("no worker of this host has reported in the last 15 seconds")
    console.print("a worker of this host is alive")


def version(show: bool) -> None:  # noqa: FBT001  typer's callback
    """Print the version and end."""
    if show:
        console.print(f"airpy {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=version, is_eager=True)
    ] = False,
) -> None:
    """Options before any command."""


app.command(rich_help_panel=LOOKING_AFTER)(doctor)
app.add_typer(jobs, name="jobs", rich_help_panel=LOOKING_AFTER)
app.add_typer(dead, name="dead", rich_help_panel=LOOKING_AFTER)


def main() -> None:
    """Run the command; a failure on purpose is told in a line, without a traceback."""
    try:
        app()
    except Exception as error:
        from airpy.commands.complaints import complain  # noqa: PLC0415  only needed here

        code = complain(error)
        if code is None:
            raise
        sys.exit(code)
