"""Reads Markdown pages: their code blocks, their tables, and the recipes of the cookbook."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAPERS = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")
PAGES = [*PAPERS, *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))]
PARSER = MarkdownIt("commonmark").enable("table")


class Block(NamedTuple):
    """A fenced block of code; what follows the language says what it claims to be."""

    page: str
    line: int
    language: str
    claim: str
    text: str


class Table(NamedTuple):
    """A table's cells, as text."""

    columns: list[str]
    rows: list[list[str]]

    def by(self, column: str) -> dict[str, dict[str, str]]:
        """The rows by what stands in one of the columns."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {row[column]: row for row in rows}


class Recipe(NamedTuple):
    """A question, the request that asks it, and the parts of the answer that are shown."""

    question: str
    line: int
    schema: str
    request: dict[str, Any]
    answers: list[tuple[str, Table]]
    remark: str


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [_block(page, token) for token in _tokens(page) if token.type == "fence"]


def tables(page: str) -> list[Table]:
    """The tables of a page, in order."""
    tokens = _tokens(page)
    return [_table(tokens, place) for place, token in enumerate(tokens) if token.type == "table_open"]


def recipes(page: str) -> Iterator[Recipe]:
    """The recipes of a page: a heading, a block of JSON, tables, and a remark.

    A table is the answer's rows, unless the paragraph before it names another part, as in `data.issues`.
    """
    tokens = _tokens(page)
    heads = [place for place, token in enumerate(tokens) if token.type == "heading_open"] + [len(tokens)]
    for start, end in itertools.pairwise(heads):
        section = tokens[start:end]
        asked = [
            _block(page, token)
            for token in section
            if token.type == "fence" and token.info.startswith("json")
        ]
        if not asked:
            continue
        answers: list[tuple[str, Table]] = []
        part, remark = "rows", ""
        for place, token in enumerate(section):
            if token.type == "table_open":
                answers.append((part, _table(section, place)))
                part, remark = "rows", ""
            elif token.type == "paragraph_open":
                remark = _text(section[place + 1])
                if remark.startswith("data."):
                    part = remark.removeprefix("data.").rstrip(":")
        block = asked[0]
        yield Recipe(_text(section[1]), block.line, block.claim, json.loads(block.text), answers, remark)


def _tokens(page: str) -> list[Token]:
    return PARSER.parse((ROOT / page).read_text("utf-8"))


def _block(page: str, token: Token) -> Block:
    language, _, claim = token.info.strip().partition(" ")
    assert token.map is not None
    return Block(page, token.map[0] + 1, language, claim, token.content)


def _table(tokens: list[Token], start: int) -> Table:
    rows: list[list[str]] = []
    for token, inside in itertools.pairwise(tokens[start:]):
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type in {"th_open", "td_open"}:
            rows[-1].append(_text(inside))
    return Table(rows[0], rows[1:])


def _text(inline: Token) -> str:
    """The text, without the marks of emphasis, code and links."""
    return "".join(" " if child.type == "softbreak" else child.content for child in inline.children or [])
