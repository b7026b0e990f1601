"""The command `airpy doctor`: what is wrong with a set-up, as a checklist, and how to mend it."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from airpy.commands.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

__all__ = ["doctor"]

SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "broken": ("✗", "red")}
INDENT = 21
"""Where what was found begins."""
LEAST_WIDTH = 20


def doctor(
    port: Annotated[
        int, typer.Option(help="The port that `airpy serve` would listen on.", min=1, max=65_535)
    ] = 9001,
    url: Annotated[
        str | None, typer.Option(help="A running service that must answer.", show_default=False)
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings, for programs.")] = False,
) -> None:
    """Say what is wrong with this set-up and how to mend it; fails when something is broken."""
    findings = _findings(port, url)
    if as_json:
        found = list(findings)
        told = {"broken": _is_broken(found), "findings": [one._asdict() for one in found]}
        print(json.dumps(told, ensure_ascii=False, indent=2))  # noqa: T201
    else:
        from airpy.commands.tables import table_console  # noqa: PLC0415  not needed for JSON

        console = table_console()
        found = []
        for one in findings:
            _show(one, console)
            found.append(one)
        _show_summary(found, console)
    if _is_broken(found):
        raise typer.Exit(1)


def _findings(port: int, url: str | None) -> Iterator[Finding]:
    """What the checks find, one by one; nothing but the missing library when they cannot be made."""
    try:
        from airpy.commands.checkup import check_up  # noqa: PLC0415  heavy, and only needed here
    except ImportError as error:
        yield Finding(
            "libraries", "broken", f"{error.name} cannot be imported: {error}", "Run `make install`."
        )
    else:
        yield from check_up(port, url)


def _is_broken(found: Iterable[Finding]) -> bool:
    return any(one.state == "broken" for one in found)


def _show(finding: Finding, console: Console) -> None:
    """Print a line of the checklist, and what to do where there is something to do."""
    from rich.text import Text  # noqa: PLC0415  only needed here

    sign, color = SIGNS[finding.state]
    told = _wrapped(finding.told, console.width)
    line = Text.assemble(
        " ", (sign, f"bold {color}"), " ", (f"{finding.about:<{INDENT - 4}}", "bold"), " ", told
    )
    if finding.next_step:
        step = _wrapped(f"→ {finding.next_step}", console.width)
        line.append("\n" + " " * INDENT).append("→", color).append(step.removeprefix("→"))
    console.print(line, soft_wrap=True)


def _wrapped(text: str, width: int) -> str:
    """The text in lines that fit, all of them as far in as the first; what can be copied is not cut."""
    room = max(width - INDENT, LEAST_WIDTH)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * INDENT).join(lines)


def _show_summary(found: Iterable[Finding], console: Console) -> None:
    from rich.text import Text  # noqa: PLC0415

    states = [one.state for one in found]
    broken, doubtful = states.count("broken"), states.count("warning")
    if broken:
        told = Text(f"{broken} broken", "bold red").append(f", {doubtful} to look at", "not bold default")
    elif doubtful:
        told = Text("Nothing is broken", "bold green").append(f", {doubtful} to look at", "not bold default")
    else:
        told = Text("All is well", "bold green")
    console.print()
    console.print(told.append(".", "not bold default"))
