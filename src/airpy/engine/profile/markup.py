"""Text, code and tables in Markdown, escaped so that no name or value can break out of its place."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["code", "percent", "plain", "table", "type_of", "value"]

LONGEST = 200
"""Characters of a name or a value; the rest of a longer one is left out."""
MARKS = re.compile(r"[\\`*\[\]~#$]|(?<![^\W_])_|_(?![^\W_])")
"""What CommonMark or its common extensions may read as more than itself. Within a word `_` is only itself."""
# No parser takes an entity for a part of the structure; a table is split at `\|` by some, and not by others.
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"})
NOT_AS_CODE = re.compile(r"[`|\\]|^\s|\s$|^$")


def plain(text: str) -> str:
    r"""The text as a reader of the page sees it; what cannot be seen is written as in `\n` and `\u202e`."""
    escaped = MARKS.sub(r"\\\g<0>", _visible(text)).translate(ENTITIES)
    inner = escaped.strip(" ")
    before = len(escaped) - len(escaped.lstrip(" "))
    after = len(escaped) - len(inner) - before
    return "&#32;" * before + inner + "&#32;" * after


def code(text: str) -> str:
    """A name or a value, in the type of code where code can say it."""
    if text == "":
        return '""'
    shown = _visible(text)
    return plain(text) if NOT_AS_CODE.search(shown) else f"`{shown}`"


def value(item: Any) -> str:  # noqa: ANN401  JSON is any
    """A value of JSON."""
    match item:
        case None:
            return "null"
        case str():
            return code(item)
        case bool():
            return str(item).lower()
        case int() | float():
            return f"{item:.15g}" if isinstance(item, float) else str(item)
        case _:
            return code(json.dumps(item, ensure_ascii=False))


def percent(share: float) -> str:
    """A share as a percentage: to a tenth, and never 0 or 100 unless it is."""
    if 0 < share < 0.001:  # noqa: PLR2004  what one digit can say
        return "&lt; 0.1 %"
    if 0.999 < share < 1:  # noqa: PLR2004
        return "&gt; 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[str] = ()) -> str:
    """A table of cells that are Markdown already; the columns of the titles in `right` are aligned so."""
    numbers = set(right)
    lines = [titles, ["---:" if title in numbers else "---" for title in titles], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def type_of(field: dict[str, Any]) -> str:
    """The type of a field of the contract as one says it: `timestamp UTC`, `list of int64`."""
    kind: str = field["type"]
    if zone := field.get("timezone"):
        return f"{kind} {zone}"
    if field.get("precision"):
        return f"{kind}({field['precision']},{field['scale']})"
    if items := field.get("items"):
        return f"{kind} of {type_of(items)}"
    return kind


def _visible(text: str) -> str:
    """The text in characters that can be seen, cut where it would swamp a page."""
    shown = "".join(char if char.isprintable() else _escape(char) for char in text[:LONGEST])
    return shown + ("…" if len(text) > LONGEST else "")


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
