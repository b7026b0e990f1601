"""Tables for the terminal: as many columns as fit, numbers aligned, null told apart from empty text."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from airpy.engine.profile.markup import type_of
from airpy.engine.steps import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

__all__ = [
    "NUMBERS",
    "Column",
    "data_column",
    "number",
    "plain",
    "show_columns",
    "show_rows",
    "table_console",
    "type_of",
]

WIDEST = 40
"""Cells of more are cut."""
LEAST_WRAPPED = 24
"""What a column of sentences needs at least."""
MOST_DECIMALS = 6
LARGEST = 1e15
SMALLEST = 1e-4
NUMBERS = frozenset(
    {
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
        "decimal",
    }
)
GAP = 2
"""Between two columns."""


class Column(NamedTuple):
    """A column of a table, its cells ready to be shown."""

    title: str
    cells: list[Text]
    kind: str = ""
    """Stands under the title."""
    right: bool = False
    wraps: bool = False
    """Whether it is of sentences, and takes what room is left."""

    @property
    def width(self) -> int:
        """How many characters wide it is."""
        if self.wraps:
            return LEAST_WRAPPED
        texts = (self.title, self.kind, *(cell.plain for cell in self.cells))
        return min(max(map(cell_len, texts)), WIDEST)


def table_console(*, stderr: bool = False) -> Console:
    """A console that shows text as it is; 80 characters wide, or COLUMNS, where there is no terminal."""
    from rich.console import Console  # noqa: PLC0415  not needed where only JSON is printed

    return Console(stderr=stderr, highlight=False, markup=True, emoji=False)


def show_rows(rows: Sequence[dict[str, Any]], fields: Iterable[dict[str, Any]], console: Console) -> None:
    """Show rows of the contract's form, and say which columns there was no room for."""
    show_columns([data_column(field, [row[field["name"]] for row in rows]) for field in fields], console)


def data_column(field: dict[str, Any], values: Sequence[Any]) -> Column:
    """The values of one of the contract's fields."""
    right = field["type"] in NUMBERS
    if right and any(isinstance(value, float) for value in values):
        cells = _decimals(values)
    else:
        cells = [_cell(value, timestamps=field["type"] == "timestamp") for value in values]
    return Column(_printable(field["name"]) or '""', cells, type_of(field), right=right)


def show_columns(columns: Sequence[Column], console: Console) -> None:
    """Show as many of the columns as fit, and name the others."""
    shown = _fitting(columns, console.width)
    table = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, GAP - 1, 0, 0),
        header_style="bold",
        border_style="dim",
    )
    for column in columns[:shown]:
        head = Text(column.title, "bold", end="")
        if any(each.kind for each in columns[:shown]):
            head.append("\n").append(column.kind, "not bold dim")
        table.add_column(
            head,
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            max_width=None if column.wraps else WIDEST,
        )
    for cells in zip(*(column.cells for column in columns[:shown]), strict=True):
        table.add_row(*cells)
    console.print(table)
    if rest := [column.title for column in columns[shown:]]:
        line = Text(f"… {counted(len(rest), 'more column')}: {', '.join(rest)}", "dim", no_wrap=True)
        line.truncate(console.width, overflow="ellipsis")
        console.print(line)


def plain(text: object, style: str = "") -> Text:
    """Text of our own, or of the data, that cannot reach the terminal's controls."""
    return Text(_printable(str(text)), style)


def number(value: float | None) -> Text:
    """A measured number, to six digits; a dash where there is none."""
    if value is None:
        return Text("–", "dim")
    return Text(f"{value:,}" if isinstance(value, int) else f"{value:,.6g}")


def portion(count: int, share: float | None) -> Text:
    """A count, and which share of all it is where there is any."""
    shown = number(count)
    if count and share is not None:
        shown.append(f" ({share:.1%})" if share >= 0.001 else " (< 0.1%)", "dim")  # noqa: PLR2004  what one digit can say
    return shown


def _fitting(columns: Sequence[Column], width: int) -> int:
    """How many of the columns fit, one at least."""
    used = -GAP
    for place, column in enumerate(columns):
        used += GAP + column.width
        if used > width:
            return max(place, 1)
    return len(columns)


def _cell(value: Any, *, timestamps: bool = False) -> Text:  # noqa: ANN401, PLR0911  JSON is any, and has as many kinds
    """One value; text that could be taken for something else is quoted."""
    if value is None:
        return Text("null", "dim italic")
    if isinstance(value, bool):
        return Text("true" if value else "false")
    if isinstance(value, (dict, list)):
        return Text(_printable(_cut(json.dumps(value, ensure_ascii=False))))
    if not isinstance(value, str):
        return Text(str(value))
    if timestamps:
        return Text(value.replace("T", " ").replace(".000000", "").removesuffix("Z"))
    if not value or value == "null" or value != value.strip():
        return Text(f'"{_printable(_cut(value))}"')
    return Text(_printable(_cut(value)))


def _decimals(values: Sequence[float | None]) -> list[Text]:
    """Numbers with their points beneath one another, as far as they are of like size."""
    floats = [float(value) for value in values if value is not None]
    usual = [one for one in floats if one == 0 or SMALLEST <= abs(one) < LARGEST]
    places = max((_places(one) for one in usual), default=1)
    return [
        _cell(None)
        if value is None
        else Text(f"{value:.{places}f}" if value == 0 or SMALLEST <= abs(value) < LARGEST else f"{value:.6g}")
        for value in values
    ]


def _places(value: float) -> int:
    """Digits after the point that tell the value, at most six."""
    _, _, digits = f"{value:.{MOST_DECIMALS}f}".rstrip("0").partition(".")
    return max(len(digits), 1) if math.isfinite(value) else 1


def _cut(text: str) -> str:
    """As much of the text as can be seen."""
    return text[: WIDEST + 1]


def _printable(text: str) -> str:
    """The text with what a terminal would act upon in the letters that Python writes it with."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
