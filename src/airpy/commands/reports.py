"""Shows schemas and profiles in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.filesize import decimal
from rich.text import Text

from airpy.commands.tables import (
    NUMBERS,
    Column,
    data_column,
    number,
    plain,
    portion,
    show_columns,
    type_of,
)
from airpy.engine.steps import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

__all__ = ["show_profile", "show_reading", "show_schema"]

Answer = dict[str, Any]
"""What the service answers, as the contract has it."""

SEVERITIES = {"info": "cyan", "warning": "yellow", "error": "red"}
MEBIBYTE = 1024 * 1024
MOST_PAIRS = 5
"""Correlations that are shown; they are told strongest first."""


def show_schema(answer: Answer, console: Console) -> None:
    """Show each column's type, nulls, distinct values and an example, and how large the data set is."""
    stats, rows = answer["stats"], answer["sample_preview"]
    fields = answer["schema"]["fields"]
    names = [field["name"] for field in fields]
    noted = _notes(answer["columns"])
    show_columns(
        [
            _column("column", (plain(name, "bold") for name in names)),
            _column("type", (plain(type_of(field), "cyan") for field in fields)),
            _column(
                "nulls", (_nulls(stats["null_ratio"][field["name"]], field) for field in fields), right=True
            ),
            _column("distinct", (number(stats["unique_counts"].get(name)) for name in names), right=True),
            _column("example", (_example(field, rows) for field in fields)),
            *([_column("why", (plain(noted.get(name, "")) for name in names), wraps=True)] if noted else []),
        ],
        console,
    )
    counts = ", ".join(counted(stats[f"{what}s"], what) for what in ("row", "column", "file"))
    size = f"{counts}; about {_memory(stats)} in memory"
    console.print(Text(size, "dim"))
    if stats["sampled_rows"] < stats["rows"]:
        told = f"Types, nulls and distinct values are of {counted(stats['sampled_rows'], 'row')}."
        console.print(Text(f"{told} --infer-rows 0 reads them all.", "dim"))


def show_profile(answer: Answer, console: Console) -> None:
    """Show the metrics of each column, what is remarkable, and which charts would show it."""
    metrics = answer["metrics"]
    size = f"{counted(metrics['rows'], 'row')}, {counted(metrics['columns'], 'column')}"
    repeated = metrics.get("duplicate_rows")
    size += f", {counted(repeated, 'duplicate row')}" if repeated is not None else ""
    console.print(Text(f"{size}; {_memory(metrics)} in memory", "dim"))
    _show_columns(metrics["column_metrics"], answer["schema"]["fields"], console)
    if pairs := metrics["correlations"]:
        _show_heading("Correlations, the strongest first", console)
        show_columns(
            [
                _column("column", (plain(pair[0]) for pair in pairs[:MOST_PAIRS])),
                _column("with", (plain(pair[1]) for pair in pairs[:MOST_PAIRS])),
                _column("r", (Text(f"{pair[2]:.3f}") for pair in pairs[:MOST_PAIRS]), right=True),
            ],
            console,
        )
        if len(pairs) > MOST_PAIRS:
            console.print(
                Text(f"… {counted(len(pairs) - MOST_PAIRS, 'more pair')}; --json tells them", "dim")
            )
    _show_heading("Issues", console)
    _show_issues(answer["issues"], console)
    if hints := answer["chart_hints"]:
        _show_heading("Charts that would show it", console)
        show_columns(
            [
                _column("chart", (plain(hint["type"], "cyan") for hint in hints)),
                _column("x", (plain(hint["x"]) for hint in hints)),
                _column("y", (plain(hint["y"]) for hint in hints)),
                _column("title", (plain(hint["title"]) for hint in hints), wraps=True),
            ],
            console,
        )


def show_reading(reading: Answer, console: Console) -> None:
    """Say how text files were read where that was not plain, and what could not be read as it stands."""
    for form in reading["texts"]:
        odd = _oddities(form)
        if odd:
            name = form["example"].rpartition("/")[2]
            more = f" and {form['files'] - 1} more" if form["files"] > 1 else ""
            console.print(Text(f"{name}{more}: {', '.join(odd)}", "dim"))
    faults = reading["faults"]
    told = [
        f"{counted(faults[member], what)} {became}"
        for member, what, became in (
            ("rows_skipped", "row", "left out"),
            ("values_nulled", "value", "read as null"),
            ("rows_ragged", "row", "with more or fewer values than the header"),
        )
        if faults[member]
    ]
    if told:
        console.print(Text("; ".join(told), "yellow"))


def _show_columns(columns: Sequence[Answer], fields: Sequence[Answer], console: Console) -> None:
    """Show what there is to say of every column, then of numbers, then the ends of the others."""
    _show_heading("Columns", console)
    show_columns(
        [
            _column("column", (plain(one["name"], "bold") for one in columns)),
            _column("type", (plain(type_of(field), "cyan") for field in fields)),
            *(
                _column(title, (number(one[metric] or None) for one in columns), right=True)
                for title, metric in (
                    ("nulls", "missing"),
                    ("distinct", "unique"),
                    ("zeros", "zeros"),
                    ("outliers", "outliers"),
                )
            ),
        ],
        console,
    )
    for heading, are_numbers in (("Numbers", True), ("Others", False)):
        chosen = [
            (one, field)
            for one, field in zip(columns, fields, strict=True)
            if (field["type"] in NUMBERS) == are_numbers and one["min"] is not None
        ]
        if chosen:
            names = ("min", "q1", "median", "mean", "q3", "max", "std") if are_numbers else ("min", "max")
            _show_heading(heading, console)
            show_columns(
                [
                    _column("column", (plain(one["name"], "bold") for one, _ in chosen)),
                    *(
                        _column(name, (_metric(one[name], field) for one, field in chosen), right=are_numbers)
                        for name in names
                    ),
                ],
                console,
            )


def _show_issues(issues: Sequence[Answer], console: Console) -> None:
    if not issues:
        console.print(Text("none", "green"))
        return
    show_columns(
        [
            _column("issue", (plain(one["code"], SEVERITIES[one["severity"]]) for one in issues)),
            _column("column", (plain(one.get("column") or "–") for one in issues)),
            _column("rows", (portion(one["affected_rows"], one.get("share")) for one in issues), right=True),
            _column("detail", (plain(one["detail"]) for one in issues), wraps=True),
        ],
        console,
    )


def _show_heading(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, "bold blue"))


def _column(title: str, cells: Iterable[Text], *, right: bool = False, wraps: bool = False) -> Column:
    return Column(title, list(cells), right=right, wraps=wraps)


def _notes(columns: Iterable[Answer]) -> dict[str, str]:
    """What there is to say of why a column has its type, by column."""
    told = {
        column["name"]: "; ".join(
            part
            for part in (
                column.get("form") and f"written as {column['form']}",
                column.get("note"),
                column["null_markers"] and f"null is {', '.join(column['null_markers'])}",
            )
            if part
        )
        for column in columns
    }
    return {name: note for name, note in told.items() if note}


def _oddities(form: Answer) -> list[str]:
    """How a text file is written, where that is not plain."""
    encoding, delimiter, quote = form["encoding"], form.get("delimiter", ","), form.get("quote", '"')
    told = {
        f"in {encoding}": encoding.lower() not in {"utf-8", "ascii", "utf-8-sig"},
        f"{form.get('compression')}": "compression" in form,
        f"delimited by {delimiter!r}": delimiter != ",",
        "without quotes" if not quote else f"quoted by {quote}": quote not in {'"', ""},
        f"comments begin with {form.get('comment')}": bool(form.get("comment")),
        "without a header": form.get("header") is False,
        f"a header of {form.get('header_rows')} lines": form.get("header_rows", 1) > 1,
        f"{counted(form.get('skipped_lines', 0), 'line')} before the header": form.get("skipped_lines", 0)
        > 0,
        f"{counted(form.get('footer_lines', 0), 'line')} after the rows": form.get("footer_lines", 0) > 0,
    }
    return [words for words, holds in told.items() if holds]


def _memory(measured: Answer) -> str:
    return decimal(round(measured["memory_usage_mb"] * MEBIBYTE))


def _nulls(ratio: float, field: Answer) -> Text:
    """The share of nulls; `none` where there can be none."""
    if ratio:
        return Text(f"{ratio:.1%}" if ratio >= 0.001 else "< 0.1%")  # noqa: PLR2004  what one digit can say
    return Text("none seen" if field["nullable"] else "none", "dim")


def _example(field: Answer, rows: Sequence[Answer]) -> Text:
    """The first value of the column that is not null."""
    values = [row[field["name"]] for row in rows]
    return data_column(field, [next((value for value in values if value is not None), None)]).cells[0]


def _metric(value: Any, field: Answer) -> Text:  # noqa: ANN401  JSON is any
    """A metric of a column, in the column's own form."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return number(value)
    return data_column(field, [value]).cells[0]
