"""Proposes rules that a frame meets for certain, judged from its metrics alone; estimates speak for none."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

from airpy.contract import SuggestedRule
from airpy.engine.profile.equals import is_taken
from airpy.engine.profile.kinds import KINDS
from airpy.engine.steps import counted
from airpy.engine.units import SECONDS, as_grain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airpy.contract import ColumnMetrics, FrameMetrics

__all__ = ["suggestions"]

LEAST_VALUES = 20
"""Of fewer values than this nothing is concluded."""
MOST_CATEGORIES = 20
LONGEST_CATEGORY = 100
MOST_LENGTH = 10_000
"""That a rule of lengths may ask for."""
NUMBERS = re.compile(r"u?int[0-9]+|float[0-9]+|decimal")
IDENTIFIERS = re.compile(r"u?int[0-9]+|string|date|timestamp")
"""Types whose values may name a row; that no measurement occurs twice is by chance."""
TIMES = {"date", "timestamp"}
SHAPES = {"a": r"\p{Ll}", "A": r"\p{Lu}", "9": "[0-9]"}
"""What a letter of a pattern stands for."""
SPECIAL = frozenset(r"\.+*?()|[]{}^$")
"""Letters that do not stand for themselves in a regular expression."""
MOST_PATTERN = 1000
"""Characters of one, by the contract."""
TOLD_KINDS = {"email", "url", "uuid", "leading_zeros"}
"""Those that say more than a type does."""
LONGEST_STEP_S = 2**53 // 10**9
"""Seconds that a float tells from a nanosecond more."""
ORDERS = {
    "strictly_ascending": ("increasing", True),
    "ascending": ("increasing", False),
    "descending": ("decreasing", False),
    "strictly_descending": ("decreasing", True),
}


def suggestions(metrics: FrameMetrics, columns: Sequence[ColumnMetrics]) -> list[SuggestedRule]:
    """Rules that the frame meets, each with what speaks for it: those of the frame, then of each column."""
    found = list(_of_frame(metrics, {one.name for one in columns if one.is_unique}))
    for column in columns:
        found += _of_column(column)
    return found


def _of_frame(metrics: FrameMetrics, alone: set[str]) -> Iterator[SuggestedRule]:
    if metrics.rows:
        yield _rule(f"there are {counted(metrics.rows, 'row')}", rule="row_count_between", min=1)
    if metrics.rows < LEAST_VALUES:
        return
    for key in metrics.candidate_keys or []:
        if len(key) > 1 or key[0] not in alone:
            told = (
                "no value is null, and none"
                if len(key) == 1
                else "no combination of values is null, and none"
            )
            yield _rule(f"{told} occurs twice in {counted(metrics.rows, 'row')}", rule="unique", cols=key)


def _of_column(column: ColumnMetrics) -> Iterator[SuggestedRule]:
    yield _rule(f"the column is of type {column.type}", rule="type", col=column.name, type=column.type)
    rows = column.count + column.missing
    if rows >= LEAST_VALUES:
        yield from _of_nulls(column, rows)
    if column.count < LEAST_VALUES:
        return
    for of_values in (_of_uniqueness, _of_categories, _of_ends, _of_text, _of_order):
        yield from of_values(column)


def _of_nulls(column: ColumnMetrics, rows: int) -> Iterator[SuggestedRule]:
    if not column.missing:
        yield _rule(f"none of {counted(rows, 'value')} is null", rule="not_null", col=column.name)
    elif column.count:
        most = (column.missing * 100 // rows + 1) / 100
        told = f"{counted(column.missing, 'null')} in {counted(rows, 'row')}, {column.missing / rows:.2%}"
        yield _rule(told, rule="null_ratio_below", col=column.name, max=most)


def _of_uniqueness(column: ColumnMetrics) -> Iterator[SuggestedRule]:
    if column.is_unique and IDENTIFIERS.fullmatch(column.type):
        told = f"none of {counted(column.count, 'value')} occurs twice"
        yield _rule(told, rule="unique", cols=[column.name])


def _of_categories(column: ColumnMetrics) -> Iterator[SuggestedRule]:
    """A set, where the values with their counts are all there are, and none is somebody's own."""
    known = {each.value: each.count for each in [*(column.top_values or []), *(column.bottom_values or [])]}
    values = [value for value in known if isinstance(value, str) and len(value) <= LONGEST_CATEGORY]
    if (
        column.type == "string"
        and not column.personal
        and 0 < len(values) <= MOST_CATEGORIES
        and len(values) == len(known) == column.unique
        and sum(known.values()) == column.count
        and len(values) * 2 <= column.count
    ):
        told = f"{counted(len(values), 'value')} cover all {column.count:,}"
        if column.top_values:
            told += f"; the most frequent, {column.top_values[0].share:.0%}"
        yield _rule(told, rule="in_set", col=column.name, values=sorted(values))


def _of_ends(column: ColumnMetrics) -> Iterator[SuggestedRule]:
    is_number = NUMBERS.fullmatch(column.type) is not None
    if not (is_number or column.type in TIMES) or column.infinite:
        return
    low, high = (end if _can_be_said(end, column) else None for end in (column.min, column.max))
    if column.type.startswith("float") and column.nan != 0:
        high = None  # NaN is greater than every number
    told = " to ".join(str(end) for end in (low, high) if end is not None)
    if is_number and low is not None and float(low) >= 0 and not column.type.startswith("u"):
        yield _rule(f"no value is negative: {told}", rule="in_range", col=column.name, min=0)
    if low is not None and high is not None:
        told = f"{counted(column.count, 'value')} from {told}"
        yield _rule(told, rule="in_range", col=column.name, min=low, max=high)


def _of_text(column: ColumnMetrics) -> Iterator[SuggestedRule]:
    """A length that all values have; a shape or a kind that all have and that all were looked at for."""
    text = column.text
    if text is None:
        return
    if 0 < text.min_length == text.max_length <= MOST_LENGTH:
        told = f"all {column.count:,} values have {counted(text.min_length, 'character')}"
        yield _rule(told, rule="length_between", col=column.name, min=text.min_length, max=text.max_length)
    for kind in text.kinds:
        if kind.count == column.count and kind.kind in TOLD_KINDS:
            told = f"all {column.count:,} values look like {kind.kind}"
            yield _rule(told, rule="matches", col=column.name, pattern=KINDS[kind.kind])
            return
    for shape in text.patterns:
        if shape.count == column.count and (pattern := _pattern(shape.pattern)):
            told = f"all {column.count:,} values have the shape {shape.pattern}"
            yield _rule(told, rule="matches", col=column.name, pattern=pattern)


def _of_order(column: ColumnMetrics) -> Iterator[SuggestedRule]:
    """The order of times, and their step, where that is one that a rule can name."""
    if column.type not in TIMES or column.time is None:
        return
    if column.order in ORDERS:
        name, strict = ORDERS[column.order]
        told = f"{counted(column.count, 'time')} in {'strict ' if strict else ''}order"
        yield _rule(told, rule=name, col=column.name, strict=strict)
    step = column.time.step_s
    if column.type == "timestamp" and (step or 0) > LONGEST_STEP_S:
        return
    if column.time.gaps == 0 and step and step == int(step):
        # A day of the clock may have other than 24 hours.
        every = as_grain(int(step), ["day"] if column.type == "date" else SECONDS)
        if every is not None:
            told = f"no two of {counted(column.count, 'time')} that follow one another are further apart"
            yield _rule(told, rule="no_gaps", col=column.name, every=every)


def _can_be_said(end: Any, column: ColumnMetrics) -> bool:  # noqa: ANN401  JSON is any
    """Whether a rule can name the value exactly.

    None can name a time finer than microseconds, or one outside the years 1 to 9999 of the column's zone.
    """
    if isinstance(end, float):
        return math.isfinite(end)
    if column.type == "timestamp" and end is not None:
        return is_taken(end, pl.Datetime("us", column.time.timezone if column.time else None))
    return end is not None


def _pattern(shape: str) -> str | None:
    """The regular expression of a shape; a plus after a letter may be one, or stand for several letters."""
    if "++" in shape or not any(letter in SHAPES for letter in shape):
        return None
    parts = []
    for before, letter in pairwise(f" {shape}"):
        if letter == "+" and before in SHAPES:
            parts.append(r"+\+?")
        else:
            parts.append(SHAPES.get(letter) or (f"\\{letter}" if letter in SPECIAL else letter))
    whole = f"^{''.join(parts)}$"
    return whole if len(whole) <= MOST_PATTERN else None


def _rule(evidence: str, **rule: Any) -> SuggestedRule:  # noqa: ANN401  members of many models
    return SuggestedRule.model_validate({"rule": rule, "evidence": evidence})
