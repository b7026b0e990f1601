"""Functions of texts, by letters rather than bytes; what they find is Unicode's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import narwhals as nw

from airpy.engine.columns import type_word
from airpy.engine.families import TEXT
from airpy.engine.operands import read
from airpy.engine.patterns import check_regex, groups_of
from airpy.errors import InvalidPlan, TypeMismatch, did_you_mean, listed, nearest, shortened

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from airpy.contract import Concat, ReplaceText, SplitPart, Substring, TextFunction
    from airpy.engine.columns import Columns

__all__ = [
    "TEXTS",
    "check_concat",
    "check_replace",
    "check_split",
    "check_substring",
    "concat",
    "replace",
    "substring",
    "text",
]

TEXTS: dict[str, Callable[[nw.Expr], nw.Expr]] = {
    "lower": lambda column: column.str.to_lowercase(),
    "upper": lambda column: column.str.to_uppercase(),
    "trim": lambda column: column.str.strip_chars(),
    "length": lambda column: column.str.len_chars().cast(nw.Int64()),
}
REFERENCE = re.compile(r"\$(?:\$|\{(?P<braced>[^}]*)\}|(?P<bare>[0-9A-Za-z_]+))")
"""What stands for a group in a replacement; `$$` is a dollar sign, and `$1a` the group called `1a`."""


def text(columns: Columns, item: TextFunction, _: ZoneInfo, field: str) -> nw.Expr:
    """The text in small or capital letters, without white space at its ends, or its length as an `int64`."""
    return TEXTS[item.fn](_letters(columns, item.col, field))


def check_substring(item: Substring, field: str) -> None:
    """Refuse a start at 0: the first letter is 1, and the last is −1.

    Raises:
        InvalidPlan: It is.
    """
    _check_position(item.start, f"{field}.start", "letter")


def substring(columns: Columns, item: Substring, _: ZoneInfo, field: str) -> nw.Expr:
    """The letters from the start on; of `length` those that a start before the first letter leaves."""
    start = item.start - 1 if item.start > 0 else item.start
    return _letters(columns, item.col, field).str.slice(start, item.length)


def check_concat(item: Concat, field: str) -> None:
    """Refuse values that are no text.

    Raises:
        TypeMismatch: One is a number or a boolean.
    """
    for index, operand in enumerate(item.args):
        if operand.val is not None and not isinstance(operand.val, str):
            raise TypeMismatch(
                f'"concat" takes texts, not {shortened(repr(operand.val))}',
                field=f"{field}.args[{index}].val",
                constraint="a text",
                suggestion=[str(operand.val)],
            )


def concat(columns: Columns, item: Concat, _: ZoneInfo, field: str) -> nw.Expr:
    """The texts that are not null, one after the other; an empty one where all are null."""
    values = [read(columns, operand, f"{field}.args[{index}]") for index, operand in enumerate(item.args)]
    for value in values:
        if not isinstance(value.dtype, TEXT):
            raise TypeMismatch(
                f'"concat" takes texts, not a column of type {type_word(value.dtype)}',
                field=f"{value.field}.col",
                constraint="a column of strings",
                suggestion=["cast"],
            )
    return nw.concat_str(*(value.expr for value in values), separator=item.sep, ignore_nulls=True)


def check_replace(item: ReplaceText, field: str) -> None:
    """Refuse a pattern that is none, and a replacement that names groups the pattern does not have.

    Raises:
        InvalidPlan: Either is wrong.
    """
    if not item.regex:
        return
    check_regex(item.old, f"{field}.old")
    groups = groups_of(item.old)
    for found in REFERENCE.finditer(item.new):
        group = found["braced"] if found["braced"] is not None else found["bare"]
        if group is not None and group not in groups:
            digits = re.match("[0-9]+", group)
            close = [f"${{{digits[0]}}}"] if digits and digits[0] in groups else nearest(group, groups)
            raise InvalidPlan(
                f'the pattern has no group "{shortened(group)}"{did_you_mean(close)}',
                field=f"{field}.new",
                constraint=f"groups of the pattern: {listed(groups)}",
                suggestion=close,
            )


def replace(columns: Columns, item: ReplaceText, _: ZoneInfo, field: str) -> nw.Expr:
    """The text with every match replaced."""
    return _letters(columns, item.col, field).str.replace_all(item.old, item.new, literal=not item.regex)


def check_split(item: SplitPart, field: str) -> None:
    """Refuse part 0: the first is 1, and the last is −1.

    Raises:
        InvalidPlan: It is.
    """
    _check_position(item.part, f"{field}.part", "part")


def _letters(columns: Columns, name: str, field: str) -> nw.Expr:
    return columns.column(name, f"{field}.col").cast(nw.String())


def _check_position(position: int, field: str, what: str) -> None:
    if position == 0:
        raise InvalidPlan(
            f"there is no {what} 0: the first is 1, and the last is -1",
            field=field,
            constraint="1 or more, or from the end -1 or less",
            suggestion=["1", "-1"],
        )
