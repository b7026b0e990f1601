"""Keeps suspected personal data out of an answer: its values are replaced by their kind, as in `[email]`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airpy.engine.profile.kinds import KINDS, PERSONAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airpy.contract import ColumnMetrics, TextKind

__all__ = ["personal_columns", "redacted"]

WITHIN = {
    kind: re.compile(rf"(?<![A-Za-z0-9])(?:{re.sub('[$^]', '', KINDS[kind])})(?![A-Za-z0-9])")
    for kind in PERSONAL
} | {"email": re.compile(rf"(?<![A-Za-z0-9._%+'-])(?:{re.sub('[$^]', '', KINDS['email'])})")}
"""What looks like a value of the kind within other text, whatever its check digits."""

NAMES = ("col", "column", "name")
"""Where a part of an answer says which column it is of."""
OF_COLUMN = {
    "val",
    "values",
    "min",
    "max",
    "value",
    "low",
    "high",
    "bounds",
    "top_values",
    "bottom_values",
    "new_categories",
    "gone_categories",
}
"""What holds values of a column beside its name."""
PATTERNS = {"regex", "not_regex"}
QUOTED = re.compile('".*"', re.DOTALL)
"""A value in a sentence, which may have been shortened and so look like nothing."""


def personal_columns(columns: Sequence[ColumnMetrics], least: float) -> dict[str, TextKind]:
    """The columns that are suspected of personal data, each with the likeliest kind.

    Args:
        columns: Their metrics.
        least: The share of the values from which a column is suspected.
    """
    return {
        column.name: max(column.personal, key=lambda each: each.count).kind
        for column in columns
        if column.personal and any(each.share >= least for each in column.personal)
    }


def redacted(answer: Any, personal: Mapping[str, TextKind]) -> Any:  # noqa: ANN401  any part of an answer
    """The answer, or a part of it, with placeholders in place of personal data.

    Values of the columns that are suspected are replaced wherever they stand: in rows, by the column's name;
    in filters, rules and metrics, beside it. In all other text, what looks like personal data is.
    """
    match answer:
        case str():
            for kind, pattern in WITHIN.items():
                answer = pattern.sub(f"[{kind}]", answer)
            return answer
        case list():
            return [redacted(part, personal) for part in answer]
        case dict():
            about = next(
                (personal[name] for key in NAMES if (name := str(answer.get(key))) in personal), None
            )
            about = None if answer.get("op") in PATTERNS else about
            return {name: _part(name, part, personal, about) for name, part in answer.items()}
        case _:
            return answer


def _part(name: str, part: Any, personal: Mapping[str, TextKind], about: TextKind | None) -> Any:  # noqa: ANN401
    """A member of an object: a value under its column's name, one beside it, or any other."""
    if name in personal and not isinstance(part, (dict, list)):
        return _masked(part, personal[name])
    if about is not None and name in OF_COLUMN:
        return _masked(part, about)
    if about is not None and name == "detail":
        part = QUOTED.sub(f'"[{about}]"', part)
    return part if name in NAMES and str(part) in personal else redacted(part, personal)


def _masked(part: Any, kind: TextKind) -> Any:  # noqa: ANN401  a value, or what holds some
    match part:
        case str():
            return f"[{kind}]"
        case list():
            return [_masked(each, kind) for each in part]
        case dict():
            return {name: _masked(each, kind) for name, each in part.items()}
        case _:
            return part
