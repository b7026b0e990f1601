"""Detects how a CSV file is written: delimiter, quotes, escapes, line ends, comments, header, footer."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, lru_cache
from io import StringIO
from itertools import dropwhile, islice, product, starmap
from typing import TYPE_CHECKING, NamedTuple

from airpy.files.cells import Style
from airpy.files.layout import Layout, find_layout
from airpy.files.records import Record, read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airpy.contract import ReadOptions

__all__ = ["Dialect", "detect_dialect", "lines_of"]

SCORED_RECORDS = 200
SCORED_LETTERS = 64 * 1024
LAID_OUT_RECORDS = 2000

LIKELINESS = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, ":": 0.6, " ": 0.55, "~": 0.8, "^": 0.8, "\x1f": 0.9}
"""Delimiters that are looked for, and how far each is trusted: text is full of some of them."""
IN_TEXT = {":", " "}
"""Delimiters that text has as well: they need as many values in every row."""
SURE, MOSTLY = 0.9, 0.7
ALONE = 0.7
"""How far a delimiter is trusted that the first line does not have."""
TYPED = re.compile(
    r"""
    [-+]?[$€£¥]?[-+]?\d[\d.,'’\ ]*(?:[eE][-+]?\d+)?\s?[%€$£]?   # numbers, amounts
    | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T\ ]\d{1,2}:\d{2}.*)?   # dates
    | \d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[AaPp][Mm])?       # times
    | [\w.+-]+@[\w-]+\.[\w.]+ | https?://\S+                     # addresses
    | [nN]/?[aA] | nan | NaN | NULL | null | [-.*]{1,2}          # nothing
    """,
    re.VERBOSE,
)
WORDS = re.compile(r"[^,;\t|]{1,80}")
LONE_DECIMAL = re.compile(r"-?\d+,\d+")


class Dialect(NamedTuple):
    """How a CSV file is written."""

    encoding: str
    style: Style = Style(",")
    line_end: str = "\n"
    """The one that most lines have."""
    mixed_ends: bool = False
    comment: str | None = None
    layout: Layout = Layout(1)


def lines_of(text: str, line_end: str, *, mixed: bool) -> Iterator[str]:
    """The lines of a text, each with its end."""
    return iter(StringIO(text, newline="" if mixed or line_end == "\r" else "\n"))


def detect_dialect(text: str, encoding: str, options: ReadOptions, tail: str = "") -> Dialect:
    """How a file is written that begins with this text and ends with that tail; nothing cut in them.

    What the options say is not looked for.
    """
    line_end, mixed = _line_ends(text)
    lines = list(lines_of(text, line_end, mixed=mixed))
    lines = lines[options.skip or 0 :]
    comment = _comment(lines) if options.comment is None else options.comment or None
    sample = _sample(lines)
    style = _style(sample, options, comment)
    records = list(islice(read_records(lines, style, None, comment), LAID_OUT_RECORDS))
    width = _width(records)
    if any(not record.strict or len(record.cells) != width for record in records):
        records = list(islice(read_records(lines, style, width, comment), LAID_OUT_RECORDS))
    ending = (
        list(read_records(lines_of(tail, line_end, mixed=mixed), style, width, comment)) if tail else records
    )
    layout = find_layout(records, ending, width, options, lines)
    return Dialect(encoding, style, line_end, mixed, comment, layout)


def _line_ends(text: str) -> tuple[str, bool]:
    """The line end that most lines have, and whether others end otherwise; a CR LF beside LF is no matter."""
    pairs = text.count("\r\n")
    feeds, returns = text.count("\n") - pairs, text.count("\r") - pairs
    if returns > pairs + feeds:
        return "\r", bool(pairs + feeds)
    return ("\r\n" if pairs > feeds else "\n"), _returns_end_lines(text, returns)


def _returns_end_lines(text: str, returns: int) -> bool:
    """Whether lone carriage returns end lines, and are not just letters within quotes."""
    if not returns:
        return False
    return not any("\r" in line.removesuffix("\r") and '"' in line for line in text.split("\n"))


def _comment(lines: Sequence[str]) -> str | None:
    """The sign that begins lines of comment: `#`, where such lines are written unlike the others."""
    marked = [line for line in lines if line.startswith("#")]
    others = [line for line in lines if line.strip() and not line.startswith("#")]
    if not marked or not others:
        return None
    for delimiter in LIKELINESS:
        usual = Counter(line.count(delimiter) for line in others).most_common(1)[0][0]
        if usual and delimiter not in IN_TEXT and any(line.count(delimiter) == usual for line in marked):
            return None
    return "#"


def _sample(lines: Sequence[str]) -> list[str]:
    """Lines that are scored: from the beginning, and no more than is soon done."""
    sample, letters = [], 0
    for line in lines[: 2 * SCORED_RECORDS]:
        letters += len(line)
        sample.append(line)
        if letters > SCORED_LETTERS:
            break
    return sample


def _style(sample: list[str], options: ReadOptions, comment: str | None) -> Style:
    """The style in which the lines are most alike, and their values most like values."""
    text = "".join(sample)
    quotes: list[str | None] = [quote for quote in "\"'" if quote in text] or ['"']
    if quotes == ["'"]:
        quotes.append('"')
    if options.quote is not None:
        quotes = [options.quote or None]
    best = _scored(sample, options, comment, quotes)
    if options.quote is None:
        best = best._replace(quote=_quote(sample, best.delimiter))
    escape = _escape(sample, best, comment) if options.escape is None else options.escape or None
    return best._replace(escape=escape if best.quote else None)


def _scored(
    sample: list[str], options: ReadOptions, comment: str | None, quotes: Sequence[str | None]
) -> Style:
    """The style with the best score."""

    @cache
    def read(style: Style) -> list[Record]:
        return list(islice(read_records(sample, style, None, comment), SCORED_RECORDS))

    text = "".join(sample)
    if options.delimiter is not None:
        delimiters = [options.delimiter]
    else:
        delimiters = [delimiter for delimiter in LIKELINESS if delimiter in text]
    given = options.delimiter is not None
    best, most = Style(delimiters[0] if delimiters else ",", quotes[0]), 0.0
    for style in starmap(Style, product(delimiters, quotes)):
        if not given and most >= LIKELINESS[style.delimiter]:
            continue  # no score is as high as that
        score = _score(sample, style, read(style), given=given)
        if score > most:
            best, most = style, score
    if given:
        return best
    if not most:  # of one column; so what is in its values is no delimiter
        alone = next((letter for letter in (*LIKELINESS, "\x1e") if letter not in text), ",")
        return best._replace(delimiter=alone)
    if best.delimiter == "," and _decimals_alone(sample):
        best = best._replace(delimiter=";")
    return best._replace(delimiter=_longer(sample, best, read))


def _score(sample: list[str], style: Style, records: Sequence[Record], *, given: bool) -> float:
    if not records:
        return 0.0
    widths = Counter(len(record.cells) for record in records)
    width, alike = max(widths.items(), key=lambda item: item[1] * (item[0] - 1) / item[0])
    share = alike / len(records)
    if width == 1:
        return 0.01 if given else 0.0
    table = list(dropwhile(lambda record: len(record.cells) == 1, records))
    alone = len(table) < len(records)
    if not given and alone and alike < MOSTLY * len(table):
        return 0.0
    if not given and style.delimiter in IN_TEXT and (share < SURE or len(records[0].cells) != width):
        return 0.0
    told = [record for record in records if len(record.cells) == width]
    cells = [cell for record in told for cell in record.cells]
    quoted = _quoted_cells(sample, style)
    typed = min(1.0, (sum(map(_likeness, cells)) + 0.5 * min(quoted, len(cells))) / len(cells))
    if not given and style.delimiter in IN_TEXT and width == 2 and not quoted:  # noqa: PLR2004  two words
        return 0.0
    strict = _strict_share(records)
    likely = LIKELINESS.get(style.delimiter, 1.0) * (ALONE if alone else 1)
    return share * (1 - 1 / width) * (0.3 + 0.7 * typed) * (0.2 + 0.8 * strict) * likely


@lru_cache(8192)
def _likeness(cell: str | None) -> float:
    """How much a cell is like a value."""
    if not cell or TYPED.fullmatch(cell.strip()):
        return 1.0
    return 0.8 if WORDS.fullmatch(cell) else 0.3


def _quoted_cells(sample: list[str], style: Style) -> int:
    """Values in quotes, about."""
    quote, delimiter = style.quote, style.delimiter
    if quote is None:
        return 0
    return sum(line.startswith(quote) + line.count(delimiter + quote) for line in sample)


def _decimals_alone(sample: list[str]) -> bool:
    """Whether the commas are those of numbers, in a file of one column."""
    lines = [line.strip() for line in sample if line.strip()]
    body = lines[1:]
    return bool(body) and "," not in lines[0] and all(map(LONE_DECIMAL.fullmatch, body))


def _longer(sample: list[str], style: Style, read: Callable[[Style], Sequence[Record]]) -> str:
    """The delimiter with a second letter, where every one is followed by it."""
    delimiter = style.delimiter
    if delimiter.isspace():
        return delimiter
    short = read(style)
    for longer in (delimiter + " ", delimiter * 2):
        if not any(longer in line for line in sample):
            continue
        long = read(style._replace(delimiter=longer))
        later = [cell or "" for record in short for cell in record.cells[1:]]
        if longer == delimiter * 2:
            left = any(delimiter in (cell or "") for record in long for cell in record.cells)
            fits = len(long) > 1 and not left and len(long[0].cells) > 1 and _alike(long) > SURE
        elif sum(cell.startswith(" ") for cell in later) >= SURE * len(later):
            fits = bool(later) and _alike(long) >= _alike(short)
        elif all((cell or "").startswith(" ") for cell in short[0].cells[1:]):
            fits = _alike(long) >= SURE > _alike(short)  # other commas are those of numbers
        else:  # the spaces are before quotes
            strict = _strict_share(short) < 1 - SURE and _strict_share(long) > SURE
            fits = strict and _alike(long) >= _alike(short)
        if fits:
            return longer
    return delimiter


def _strict_share(records: Sequence[Record]) -> float:
    return sum(record.strict for record in records) / len(records) if records else 1.0


def _alike(records: Sequence[Record]) -> float:
    """The share of the records that are as wide as most."""
    widths = Counter(len(record.cells) for record in records)
    return widths.most_common(1)[0][1] / len(records) if records else 0.0


def _quote(sample: list[str], delimiter: str) -> str | None:
    """What values are put in; None where quotes only stand inside of them."""
    text = "".join(sample)
    if any(_begins([line], delimiter, '"') for line in sample):
        return '"'
    if begins := _begins(sample, delimiter, "'"):
        ends = len(re.findall(rf"' *(?={re.escape(delimiter)}|[\r\n]|\Z)", text))
        # Of an apostrophe that begins a word not every one ends one.
        if min(begins, ends) >= SURE * max(begins, ends):
            return "'"
    return None if '"' in text else '"'


def _begins(sample: list[str], delimiter: str, quote: str) -> int:
    """How many values begin with the quote, about."""
    around = "" if delimiter.isspace() else " *"
    begins = re.compile(rf"(?:^|{re.escape(delimiter)}){around}{quote}")
    return sum(len(begins.findall(line)) for line in sample)


def _escape(sample: list[str], style: Style, comment: str | None) -> str | None:
    """The backslash, if more lines can be read by the rules with it."""
    if style.quote is None or "\\" + style.quote not in "".join(sample):
        return None
    escaped = style._replace(escape="\\")

    def broken(style: Style) -> int:
        return sum(not record.strict for record in read_records(sample, style, None, comment))

    return "\\" if broken(escaped) < broken(style) else None


def _width(records: Sequence[Record]) -> int:
    """How many values most records have; those of one value count for little."""
    widths = Counter(len(record.cells) for record in records)
    if not widths:
        return 1
    return max(widths.items(), key=lambda item: item[1] * (item[0] - 1) / item[0] + 1e-6 * item[1])[0]
