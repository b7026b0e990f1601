from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from airpy.engine.profile.markup import code, percent, plain, table, type_of, value

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = [
    "a|b",
    r"a\|b",
    "a\\",
    "`a`",
    "a`|`b",
    "``",
    "a\nb",
    "a\r\n| x | y |\n",
    "\x00\x1b[31m\x7f",
    "\u2028\u2029\x85",
    "\u202egnp.exe",
    "<script>alert(1)</script>",
    "<!-- -->",
    "&lt;&#124;",
    "[a](http://b)",
    "![a](b)",
    "*a* **b** _c_ __d__ ~~e~~",
    "# a #",
    "- a",
    "1. a",
    "> a",
    "---",
    " a ",
    "",
    "   ",
    "$a$",
    "ä 漢字 🙂",
    "kwh_sum",
    "_kwh_",
]


def shown(markdown: str) -> list[list[str]]:
    """What a reader sees in the cells of the only table of a page, row by row, the titles first."""
    tokens = READER.parse(markdown)
    assert [token.type for token in tokens if token.level == 0] == ["table_open", "table_close"]
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            kinds = {child.type for child in token.children or []}
            assert kinds <= {"text", "text_special", "code_inline", "entity"}, kinds
            rows[-1].append("".join(child.content for child in token.children or []))
    return rows


def seen(text: str) -> str:
    """What is to be seen of a text."""
    told = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text[:200]
    )
    return told + ("…" if len(text) > 200 else "")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_out_of_its_cell(text: str) -> None:
    page = table(["a", "b", "c"], [[plain(text), code(text), "end"], ["1", "2", "3"]])

    titles, first, second = shown(page)

    assert titles == ["a", "b", "c"]
    assert first == [seen(text), seen(text) or '""', "end"]
    assert second == ["1", "2", "3"]


@given(st.text(max_size=300), st.text(alphabet="|`\\\n _*<&# a", max_size=12))
def test_no_text_at_all_breaks_out_of_its_cell(one: str, other: str) -> None:
    (_, row) = shown(table(["a", "b", "c", "d"], [[plain(one), code(one), plain(other), code(other)]]))

    assert row == [seen(one), seen(one) or '""', seen(other), seen(other) or '""']


@given(st.text(alphabet="|`\\\n _*<&# a-1.>~[]()!=+", max_size=30))
def test_no_text_breaks_out_of_a_heading_or_an_item(text: str) -> None:
    tokens = READER.parse(f"# Of {plain(text)}.\n\n- **x** {plain(text)}, {code(text)}.\n")

    blocks = [token.type for token in tokens if token.nesting >= 0 and token.type != "inline"]
    assert blocks == ["heading_open", "bullet_list_open", "list_item_open", "paragraph_open"]
    heading, item = (token for token in tokens if token.type == "inline")
    assert "".join(child.content for child in heading.children or []) == f"Of {seen(text)}."
    told = "".join(child.content for child in item.children or [])
    assert told == f"x {seen(text)}, " + (seen(text) or '""') + "."


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (None, "null"),
        (True, "true"),
        (2025, "2025"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        ("a b", "`a b`"),
        ("", '""'),
        ([1, "a|b"], '\\[1, "a&#124;b"\\]'),
        ({"a": None}, '`{"a": null}`'),
    ],
)
def test_values_are_written_as_one_reads_them(item: Any, told: str) -> None:
    assert value(item) == told


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0, "0 %"),
        (0.0004, "&lt; 0.1 %"),
        (0.125, "12.5 %"),
        (0.5, "50 %"),
        (0.9996, "&gt; 99.9 %"),
        (1, "100 %"),
    ],
)
def test_shares_are_percentages_that_round_neither_to_none_nor_to_all(share: float, told: str) -> None:
    assert percent(share) == told


def test_numbers_are_aligned_to_the_right() -> None:
    assert table(["a", "n"], [["x", "1"]], ["n"]) == "| a | n |\n| --- | ---: |\n| x | 1 |"


def test_a_long_name_is_cut() -> None:
    assert code("a" * 201) == f"`{'a' * 200}…`"


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({"type": "timestamp", "timezone": "UTC"}, "timestamp UTC"),
        ({"type": "decimal", "precision": 10, "scale": 2}, "decimal(10,2)"),
        ({"type": "list", "items": {"type": "int64"}}, "list of int64"),
    ],
)
def test_types_say_what_they_are_of(field: dict[str, Any], told: str) -> None:
    assert type_of(field) == told
