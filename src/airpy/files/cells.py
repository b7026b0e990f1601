"""Tells the values of delimited text apart, by the rules."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Cells", "Style", "plain_line", "strict_cells", "unquoted"]


class Style(NamedTuple):
    """How values are told apart."""

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    """What stands before a quote inside of quotes; a second quote when None."""


class Cells(NamedTuple):
    """Values of a text, as far as it could be read by the rules."""

    values: list[str | None]
    """None where nothing stands, not even quotes."""
    stop: int | None
    """Where it went no further; None when it was read to its end."""
    unclosed: bool
    """Whether what stops it is a quote that the text does not close."""
    plain: bool
    """Whether every reader reads it so: no quote in a value without quotes, no spaces around quotes."""


class _Grammar(NamedTuple):
    cell: re.Pattern[str]
    open: re.Pattern[str]


@lru_cache(64)
def _grammar(style: Style) -> _Grammar:
    """What a cell is, and what the rest of a line is whose last value goes on in the next line."""
    quote, delimiter = re.escape(style.quote or ""), re.escape(style.delimiter)
    escape = "" if style.escape is None else re.escape(style.escape)
    inside = rf"[^{quote}]|{quote}{quote}" if not escape else rf"[^{quote}{escape}]|{escape}.|{quote}{quote}"
    around = "" if style.delimiter.isspace() else " *+"
    bare = rf"[^{delimiter}]*+" if len(style.delimiter) == 1 else rf"(?:(?!{delimiter}).)*+"
    return _Grammar(
        re.compile(
            rf"(?:(?P<before>{around}){quote}(?P<quoted>(?:{inside})*+){quote}(?P<after>{around})"
            rf"|(?!{around}{quote})(?P<bare>{bare}))(?P<end>{delimiter}|\Z)",
            re.DOTALL,
        ),
        re.compile(rf"{around}{quote}(?:{inside})*+\Z", re.DOTALL),
    )


def plain_line(style: Style, width: int) -> re.Pattern[str]:
    """What a line with so many values looks like that every reader reads alike."""
    quote, delimiter = re.escape(style.quote or ""), re.escape(style.delimiter)
    bare = rf"[^{delimiter}{quote}]*+"
    cell = rf"(?:{quote}(?:[^{quote}]|{quote}{quote})*+{quote}|{bare})" if quote else bare
    return re.compile(rf"(?:{cell}{delimiter}){{{width - 1}}}{cell}", re.DOTALL)


class _PlainGrammar(NamedTuple):
    line: re.Pattern[str]
    cell: re.Pattern[str]


@lru_cache(64)
def _plain_grammar(style: Style) -> _PlainGrammar:
    """What values are that every reader reads alike, a delimiter behind each; and one of them."""
    quote, delimiter = map(re.escape, (style.quote or "", style.delimiter))
    cell = rf"{quote}(?:[^{quote}]|{quote}{quote})*+{quote}|[^{delimiter}{quote}]*+"
    return _PlainGrammar(re.compile(rf"(?:(?:{cell}){delimiter})*+"), re.compile(rf"({cell}){delimiter}"))


def _plain_values(text: str, style: Style) -> list[str | None] | None:
    """The values of a text in which all are plainly written, at once; None of any other."""
    quote, delimiter = style.quote, style.delimiter
    if quote is None or style.escape is not None or len(delimiter) != 1 or delimiter == quote:
        return None
    grammar, text = _plain_grammar(style), text + delimiter
    if not grammar.line.fullmatch(text):
        return None
    return [
        (cell[1:-1].replace(quote + quote, quote) if cell[0] == quote else cell) if cell else None
        for cell in grammar.cell.findall(text)
    ]


def strict_cells(text: str, style: Style, start: int = 0) -> Cells:
    """The values that stand in a text from a place on, where one begins; quotes may hold line ends."""
    if not start and (plainly := _plain_values(text, style)) is not None:
        return Cells(plainly, None, unclosed=False, plain=True)
    grammar = _grammar(style)
    quote = style.quote or ""
    values: list[str | None] = []
    place, plain = start, True
    while match := grammar.cell.match(text, place):
        quoted, bare = match["quoted"], match["bare"]
        if quoted is not None:
            values.append(unquoted(quoted, style))
            plain = plain and not (match["before"] or match["after"])
        else:
            values.append(bare or None)
            plain = plain and quote not in bare
        if not match["end"]:
            return Cells(values, None, unclosed=False, plain=plain)
        place = match.end()
    return Cells(values, place, unclosed=grammar.open.match(text, place) is not None, plain=plain)


def unquoted(text: str, style: Style) -> str:
    """What stands between quotes, as it was meant."""
    quote = style.quote or ""
    if style.escape is not None:
        escape = re.escape(style.escape)
        text = re.sub(rf"{escape}({escape}|{re.escape(quote)})", r"\1", text)
    return text.replace(quote + quote, quote)
