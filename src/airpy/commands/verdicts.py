"""Shows how data meet their rules in the terminal: verdicts, rows that fail, and rules that are proposed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.text import Text

from airpy.commands.tables import Column, number, plain, portion, show_columns, show_rows
from airpy.engine.steps import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

__all__ = ["show_validation"]

Answer = dict[str, Any]
"""What the service answers, as the contract has it."""

SEVERITIES = {"info": "cyan", "warning": "yellow", "error": "red"}
VERDICTS = {"pass": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}
MOST_SHOWN = 3
"""Rules whose failing rows are shown; what is wrong with many is told by the table."""
ROW = {"name": "row", "type": "int64"}


def show_validation(answer: Answer, console: Console) -> None:
    """Show the rules that are proposed; how the data meet the given ones, rows that fail, the verdict."""
    found, fields = answer["validation"], answer["schema"]["fields"]
    if proposed := found.get("suggested"):
        _show_proposed(proposed, console)
    rules = found["rules"]
    if not rules:
        return
    if proposed:
        _show_heading("Rules", console)
    show_columns(
        [
            Column("", [_mark(rule) for rule in rules]),
            Column("rule", [plain(rule["name"], "bold") for rule in rules]),
            Column("checked", [number(rule["rows_checked"]) for rule in rules], right=True),
            Column("failed", [portion(rule["rows_failed"], rule.get("share")) for rule in rules], right=True),
            Column("found", [plain(rule["observed"]) for rule in rules], wraps=True),
        ],
        console,
    )
    broken = [rule for rule in rules if not rule["passed"]]
    for rule in [rule for rule in broken if rule.get("examples")][:MOST_SHOWN]:
        _show_examples(rule, fields, console)
    sign, color = VERDICTS[found["verdict"]]
    told = f"{len(broken)} not met" if broken else "all met"
    if broken:
        console.print()
    console.print(
        Text(f"{sign} {found['verdict']}", f"bold {color}").append(
            f"  {counted(len(rules), 'rule')}, {told}", "not bold default"
        )
    )


def _show_examples(rule: Answer, fields: Sequence[Answer], console: Console) -> None:
    """Show the first rows that fail, those columns first that the rule is of."""
    examples = rule["examples"]
    of_rule = {item["col"] for item in rule.get("filter", []) if "col" in item}
    shown = [field for field in fields if field["name"] in examples[0]["values"]]
    ordered = sorted(shown, key=lambda field: field["name"] not in of_rule)
    name = ROW | {"name": _unused({field["name"] for field in fields})}
    more = rule["rows_failed"] - len(examples)
    told = (
        f"{rule['name']}: the first of {rule['rows_failed']:,} rows" if more else f"{rule['name']}: the rows"
    )
    _show_heading(told, console)
    show_rows([one["values"] | {name["name"]: one["row"]} for one in examples], [name, *ordered], console)


def _show_proposed(proposed: Sequence[Answer], console: Console) -> None:
    _show_heading("Rules that the data meet; --json tells them for --rules", console)
    show_columns(
        [
            Column(
                "rule", [plain(json.dumps(each["rule"], ensure_ascii=False)) for each in proposed], wraps=True
            ),
            Column("because", [plain(each["evidence"]) for each in proposed], wraps=True),
        ],
        console,
    )


def _show_heading(text: str, console: Console) -> None:
    console.print()
    console.print(plain(text, "bold blue"))


def _unused(names: set[str]) -> str:
    """What to call the numbers of rows beside columns of these names."""
    name = "row"
    while name in names:
        name += " "
    return name


def _mark(rule: Answer) -> Text:
    if rule["passed"]:
        return Text("✓", "green")
    return Text("✗" if rule["severity"] == "error" else "!", SEVERITIES[rule["severity"]])
