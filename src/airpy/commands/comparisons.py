"""Shows in the terminal what has changed since a baseline: rows, columns, keys, and what has drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from airpy.commands.tables import Column, plain, show_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["show_comparison"]

Answer = dict[str, Any]
"""What the service answers, as the contract has it."""

VERDICTS = {"same": ("✓", "green"), "drifted": ("!", "yellow"), "breaking": ("✗", "red")}
MOST_VALUES = 5
"""Of a column's new or gone values that are shown."""


def show_comparison(found: Answer, console: Console) -> None:
    """Show how many rows there were and are, what became of columns and keys, what drifted, the verdict."""
    rows = found["rows"]
    grown = "" if not rows["change"] else f" ({rows['change']:+.1%})"
    size = f"{rows['before']:,} rows before, {rows['after']:,} now{grown}"
    console.print(Text(size, "yellow" if rows["drifted"] else "dim"))
    if changes := [*found["schema_changes"], *map(_as_change, found["keys"])]:
        _show_heading("Columns and keys", console)
        show_columns(
            [
                Column("", [_mark(change) for change in changes]),
                Column("column", [plain(change["column"], "bold") for change in changes]),
                Column("before", [plain(change.get("before", "–"), "cyan") for change in changes]),
                Column("now", [plain(change.get("after", "–"), "cyan") for change in changes]),
                Column("detail", [plain(change["detail"]) for change in changes], wraps=True),
            ],
            console,
        )
    if drifted := [column for column in found["drift"] if column["drifted"]]:
        _show_heading("Drifted", console)
        show_columns(
            [
                Column("column", [plain(column["column"], "bold") for column in drifted]),
                Column("type", [plain(column["type"], "cyan") for column in drifted]),
                Column("by", [plain(", ".join(_beyond(column))) for column in drifted], wraps=True),
                Column("values", [plain("; ".join(_values(column))) for column in drifted], wraps=True),
            ],
            console,
        )
    if changes or drifted:
        console.print()
    sign, color = VERDICTS[found["verdict"]]
    console.print(Text(f"{sign} {found['verdict']}", f"bold {color}"))


def _as_change(key: Answer) -> Answer:
    """A key in the words of a column's change."""
    told = "names every row now" if key["after"] else "no longer names every row"
    return {"column": ", ".join(key["columns"]), "breaking": key["breaking"], "detail": told}


def _mark(change: Answer) -> Text:
    return Text("✗", "red") if change["breaking"] else Text("·", "dim")


def _beyond(column: Answer) -> Iterator[str]:
    """The statistics that have drifted, with their thresholds."""
    for test in column["tests"]:
        if test["drifted"]:
            yield f"{test['statistic']} {test['value']:.3g} (≥ {test['threshold']:.3g})"


def _values(column: Answer) -> Iterator[str]:
    """The values that are new, and those that are gone."""
    for which in ("new", "gone"):
        if values := column.get(f"{which}_categories"):
            shown = [str(one["value"]) for one in values[:MOST_VALUES]]
            yield f"{which}: {', '.join(shown)}" + (", …" if len(values) > MOST_VALUES else "")


def _show_heading(text: str, console: Console) -> None:
    console.print()
    console.print(plain(text, "bold blue"))
