"""The commands `airpy jobs` and `airpy dead`: they look after jobs, over HTTP as the Go backend does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.console import Console

from airpy.commands.terminal import (
    follow,
    show_dead_letter,
    show_dead_letters,
    show_failure,
    show_job,
    show_jobs,
)
from airpy.contract import JobStatus, JobType

if TYPE_CHECKING:
    from typing_extensions import TypeAliasType

    from airpy.client import Client

__all__ = ["HERE", "Url", "dead", "jobs"]

jobs = typer.Typer(no_args_is_help=True, help="Look after jobs: list, show, watch, cancel.")
dead = typer.Typer(no_args_is_help=True, help="Look after the jobs that died: list, show, requeue, drop.")
console = Console()

INTERRUPTED = 130
"""What a program ends with that Ctrl-C has stopped."""

Url = Annotated[str, typer.Option(help="Where the service is.")]
Token = Annotated[int, typer.Argument(help="The token that the POST answered with.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the service's answer, for programs.")]
Most = Annotated[int, typer.Option("--limit", help="The most of them to list.", min=1, max=1000)]
HERE = "http://127.0.0.1:9001"


def _choice(named: TypeAliasType) -> str:
    """The values of an enumeration of the contract, for help; the service itself refuses others."""
    return "|".join(get_args(named.__value__))


@jobs.command("list")
def list_jobs(
    status: Annotated[
        str | None, typer.Option(help="Only jobs of this status.", metavar=_choice(JobStatus))
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--type", help="Only jobs of this type.", metavar=_choice(JobType))
    ] = None,
    limit: Most = 20,
    url: Url = HERE,
    *,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    with _client(url) as client:
        answer = client.get("jobs", status=status, type=kind, limit=limit)
    if as_json:
        _print_json(answer)
    elif answer["jobs"]:
        show_jobs(answer["jobs"], console)
        _show_whether_more(answer)
    else:
        console.print("There are no such jobs.")


@jobs.command("show")
def show(token: Token, url: Url = HERE, *, as_json: AsJson = False) -> None:
    """Show a job: its status, its steps, and its result or error."""
    with _client(url) as client:
        job = client.get(f"jobs/{token}")
    if as_json:
        _print_json(job)
    else:
        show_job(job, console)


@jobs.command("watch")
def watch(token: Token, url: Url = HERE) -> None:
    """Follow a job to its end, step by step; fails unless it completes.

    The server may be restarted meanwhile: the watch goes on where it was.
    """
    with _client(url) as client:
        try:
            end = follow(client.events(token), console)
        except KeyboardInterrupt:
            console.print(f"Job {token} goes on; `airpy jobs cancel {token}` would end it.", highlight=False)
            raise typer.Exit(INTERRUPTED) from None
    console.print(f"Job {token} {_has(end['status'])}.", highlight=False)
    if end["error"]:
        show_failure(end["error"], console)
    if end["status"] != "completed":
        raise typer.Exit(1)


@jobs.command("cancel")
def cancel(token: Token, url: Url = HERE) -> None:
    """Cancel a job; fails when it had completed or failed before."""
    with _client(url) as client:
        status = client.delete(f"jobs/{token}")["status"]
    if status != "cancelled":
        console.print(f"Job {token} {_has(status)} already.", highlight=False)
        raise typer.Exit(1)
    console.print(f"Job {token} is cancelled.", highlight=False)


@dead.command("list")
def list_dead(limit: Most = 20, url: Url = HERE, *, as_json: AsJson = False) -> None:
    """List the jobs that killed what ran them, or fell over a fault of the service; the newest first."""
    with _client(url) as client:
        answer = client.get("dead-letters", limit=limit)
    if as_json:
        _print_json(answer)
    elif answer["dead_letters"]:
        show_dead_letters(answer["dead_letters"], console)
        _show_whether_more(answer)
    else:
        console.print("There are no dead letters.")


@dead.command("show")
def show_dead(token: Token, url: Url = HERE, *, as_json: AsJson = False) -> None:
    """Show a dead letter: what was asked, and what is known of the death."""
    with _client(url) as client:
        letter = client.get(f"dead-letters/{token}")
    if as_json:
        _print_json(letter)
    else:
        show_dead_letter(letter, console)


@dead.command("requeue")
def requeue(token: Token, url: Url = HERE) -> None:
    """Ask again what a dead letter asked, as a new job, and forget the dead letter."""
    with _client(url) as client:
        new = client.post(f"dead-letters/{token}/requeue")["token"]
    console.print(f"Job {new} asks again; `airpy jobs watch {new}` follows it.", highlight=False)


@dead.command("drop")
def drop(token: Token, url: Url = HERE) -> None:
    """Forget a dead letter."""
    with _client(url) as client:
        client.delete(f"dead-letters/{token}")
    console.print(f"The dead letter of job {token} is dropped.", highlight=False)


def _client(url: str) -> Client:
    from airpy.client import Client  # noqa: PLC0415  heavy, and no command on files needs it
    from airpy.config import Credentials  # noqa: PLC0415

    return Client(url, Credentials.of_caller().secret)


def _show_whether_more(answer: dict[str, Any]) -> None:
    if answer["next_cursor"] is not None:
        console.print("[dim]There are older ones: --limit shows more.[/dim]")


def _has(status: str) -> str:
    return "was cancelled" if status == "cancelled" else f"has {status}"


def _print_json(answer: dict[str, Any]) -> None:
    print(json.dumps(answer, ensure_ascii=False, indent=2))  # noqa: T201
