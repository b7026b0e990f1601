from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from airpy.commands.tables import Column, show_columns, show_rows, type_of


def shown(rows: list[dict[str, Any]], types: dict[str, str], width: int = 80) -> list[str]:
    """The lines of the table."""
    console = Console(file=io.StringIO(), width=width)
    show_rows(rows, [{"name": name, "type": kind, "nullable": True} for name, kind in types.items()], console)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def cells(values: list[Any], kind: str = "string") -> list[str]:
    """How the values of a column are shown, with the spaces before them."""
    return shown([{"a": value} for value in values], {"a": kind})[3:]


def test_names_stand_above_types_and_numbers_to_the_right() -> None:
    assert shown([{"site": "north", "n": 7}, {"site": "s", "n": 1234}], {"site": "string", "n": "int64"}) == [
        "site        n",
        "string  int64",
        "─────────────",
        "north       7",
        "s        1234",
    ]


def test_null_is_told_apart_from_text() -> None:
    assert cells([None, "", "null", " a ", "a"]) == ["null", '""', '"null"', '" a "', "a"]


def test_the_points_of_numbers_stand_beneath_one_another() -> None:
    assert cells([1.5, 10.25, None, 0.0, -3.0], "float64") == [
        "   1.50",
        "  10.25",
        "   null",
        "   0.00",
        "  -3.00",
    ]


def test_numbers_of_other_sizes_do_not_widen_the_others() -> None:
    assert cells([1.5, 1e300, 1e-9, 1 / 3], "float64") == ["1.500000", "  1e+300", "   1e-09", "0.333333"]


def test_what_would_reach_the_terminals_controls_is_written_out() -> None:
    assert cells(["a\nb", "\x1b[31mred", "[red]x[/red]", "\u202eback"]) == [
        r"a\nb",
        r"\x1b[31mred",
        "[red]x[/red]",
        r"\u202eback",
    ]


def test_timestamps_are_shown_without_what_says_nothing() -> None:
    assert cells(["2025-09-01T06:00:00.000000Z", "2025-09-01T06:00:00.250000Z"], "timestamp") == [
        "2025-09-01 06:00:00",
        "2025-09-01 06:00:00.250000",
    ]


def test_nested_values_are_shown_as_json() -> None:
    assert cells([[1, 2], {"a": "é"}], "list") == ["[1, 2]", '{"a": "é"}']


def test_long_cells_are_cut() -> None:
    assert cells(["x" * 41, "x" * 40]) == ["x" * 39 + "…", "x" * 40]


@pytest.mark.parametrize("width", [20, 40, 80, 150])
def test_no_line_is_wider_than_the_terminal_and_what_is_cut_is_named(width: int) -> None:
    names = [f"column_{number}" for number in range(20)]
    lines = shown([dict.fromkeys(names, 1)], dict.fromkeys(names, "int64"), width)

    there = lines[0].split()
    left = len(names) - len(there)
    assert there == names[: len(there)]
    assert all(len(line) <= width for line in lines)
    assert lines[-1].startswith(f"… {left} more columns: {names[len(there)]}"[: width - 1])


def test_letters_of_two_places_do_not_break_the_lines() -> None:
    lines = shown([{"名前": "日本語", "n": 1}, {"名前": "ab", "n": 2}], {"名前": "string", "n": "int64"})

    assert lines[3:] == ["日本語      1", "ab          2"]


def test_a_column_wider_than_the_terminal_is_cut() -> None:
    assert shown([{"a": "x" * 30, "b": 1}], {"a": "string", "b": "int64"}, 10)[3:] == [
        "x" * 9 + "…",
        "… 1 more …",
    ]


def test_sentences_are_wrapped_in_their_own_column() -> None:
    console = Console(file=io.StringIO(), width=40)
    show_columns([Column("a", [Text("one")]), Column("told", [Text("word " * 12)], wraps=True)], console)

    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) > 3
    assert all(len(line) <= 40 for line in lines)
    assert sum(line.count("word") for line in lines) == 12


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({"type": "timestamp", "timezone": "UTC"}, "timestamp UTC"),
        ({"type": "decimal", "precision": 10, "scale": 2}, "decimal(10,2)"),
        ({"type": "list", "items": {"type": "list", "items": {"type": "date"}}}, "list of list of date"),
        ({"type": "struct", "fields": []}, "struct"),
    ],
)
def test_types_are_told_as_one_says_them(field: dict[str, Any], told: str) -> None:
    assert type_of(field) == told
