"""Shows jobs in the terminal: lists, records, dead letters, and steps as they happen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.filesize import decimal
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.progress import ProgressColumn

    from airpy.client import Event

__all__ = [
    "bar_columns",
    "counted_work",
    "follow",
    "show_dead_letter",
    "show_dead_letters",
    "show_failure",
    "show_job",
    "show_jobs",
]

Answer = dict[str, Any]
"""What the service answers, as the contract has it."""

COLORS = {
    "started": "cyan",
    "running": "yellow",
    "completed": "green",
    "failed": "red",
    "cancelled": "magenta",
}


def bar_columns() -> tuple[ProgressColumn, ...]:
    """What the line of a job at work shows: its step, how far it is, and for how long."""
    return (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(show_speed=False),
        TextColumn("{task.fields[counted]}", markup=False),
        TimeElapsedColumn(),
    )


def follow(events: Iterable[Event], console: Console) -> Answer:
    """Show a job's steps as they come and, in a terminal, how far it is; give its end."""
    attempt = 1
    end: Answer = {}
    with Progress(
        *bar_columns(), console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task("in line", total=None, counted="")
        for name, data in events:
            if name == "step":
                if data["attempt"] > attempt:
                    attempt = data["attempt"]
                    console.print(f"  [yellow]↻[/yellow] begun again: attempt {attempt}", highlight=False)
                console.print(_step(data), highlight=False)
                progress.update(bar, description=data["message"])
            elif name == "progress":
                progress.update(
                    bar, total=1, completed=data["progress"] or 0, counted=counted_work(data["work"])
                )
            else:
                end = data
    return end


def show_failure(error: Answer, console: Console) -> None:
    """Show what a job failed of, and what was last known of it."""
    details = error["details"]
    console.print(
        f"[red]{error['code']}[/red] {details['reason']}: {escape(error['message'])}", highlight=False
    )
    known = {name: details[name] for name in ("field", "constraint") if details[name]}
    if details.get("suggestion"):
        known["suggestion"] = ", ".join(
            item if isinstance(item, str) else json.dumps(item) for item in details["suggestion"]
        )
    _show_facts(known | (details.get("post_mortem") or {}), console)


def show_jobs(jobs: Iterable[Answer], console: Console) -> None:
    """Show jobs as a table, one a line."""
    table = _table("token", "type", "status", "done", "data source", "attempt", "accepted", "changed")
    for job in jobs:
        table.add_row(
            str(job["token"]),
            job["job_type"],
            _status(job),
            _share(job["progress"]),
            escape(job["datasource_id"]),
            str(job["attempt"]),
            _moment(job["created_at"]),
            _moment(job["updated_at"]),
        )
    console.print(table)


def show_job(job: Answer, console: Console) -> None:
    """Show a job with its steps, and what came of it."""
    work = f" {counted_work(job['work'])}" if job["work"] else ""
    console.print(f"[bold]Job {job['token']}[/bold]  {job['job_type']}  {_status(job)}", highlight=False)
    facts = {
        "progress": f"{_share(job['progress'])}{work}",
        "attempt": job["attempt"],
        "request id": job["request_id"],
        "accepted": _moment(job["created_at"]),
        "changed": _moment(job["updated_at"]),
        "kept until": _moment(job["expires_at"]),
    }
    _show_facts(facts, console)
    for step in job["steps"]:
        console.print(_step(step), highlight=False)
    if job["error"]:
        show_failure(job["error"], console)
    if job["data"]:
        result = job["data"] | job["data"].get("metrics", {})
        counts = {name: len(value) if isinstance(value, list) else value for name, value in result.items()}
        _show_facts({name: value for name, value in counts.items() if not isinstance(value, dict)}, console)


def show_dead_letters(letters: Iterable[Answer], console: Console) -> None:
    """Show dead letters as a table, one a line."""
    table = _table("token", "type", "data source", "attempts", "died", "reason", "last step")
    for letter in letters:
        details = letter["error"]["details"]
        table.add_row(
            str(letter["token"]),
            letter["job_type"],
            escape(letter["datasource_id"]),
            str(letter["attempts"]),
            _moment(letter["died_at"]),
            f"[red]{details['reason']}[/red]",
            (details.get("post_mortem") or {}).get("last_step") or "–",
        )
    console.print(table)


def show_dead_letter(letter: Answer, console: Console) -> None:
    """Show a dead letter, with what was asked."""
    console.print(f"[bold]Dead letter of job {letter['token']}[/bold]  {letter['job_type']}", highlight=False)
    facts = {
        "data source": letter["datasource_id"],
        "attempts": letter["attempts"],
        "died": _moment(letter["died_at"]),
        "request id": letter["request_id"],
    }
    _show_facts(facts, console)
    show_failure(letter["error"], console)
    console.print_json(letter["request"])


def _table(*columns: str) -> Table:
    """A table without lines; where the terminal is narrow, the names of data sources give way."""
    table = Table(box=None, header_style="bold")
    for name in columns:
        numeric = name in {"token", "done", "attempt", "attempts"}
        table.add_column(name, justify="right" if numeric else "left", no_wrap=name != "data source")
    return table


def _show_facts(facts: Answer, console: Console) -> None:
    for name, value in facts.items():
        console.print(f"  {name:<18} {escape(str(value))}", highlight=False)


def _step(step: Answer) -> str:
    took = f"[dim]{step['duration_ms']:>5} ms[/dim]"
    return f"  [green]✓[/green] {step['step']:<20}{took}  {escape(step['message'])}"


def _status(job: Answer) -> str:
    return f"[{COLORS[job['status']]}]{job['status']}[/]"


def _share(progress: float | None) -> str:
    return "–" if progress is None else f"{progress:.0%}"


def counted_work(work: Answer | None) -> str:
    """What the progress counts, in words."""
    if work is None:
        return ""
    if work["unit"] == "bytes":
        return f"{decimal(work['done'])} of {decimal(work['total'])}"
    return f"{work['done']} of {work['total']} {work['unit']}"


def _moment(moment: str | None) -> str:
    """A time of the contract, to the second."""
    return "–" if moment is None else f"{moment[:10]} {moment[11:19]}Z"
