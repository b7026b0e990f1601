"""Rules of rows, a table from name to the filters that say which rows it looks at, and which of them fail.

Nulls are for `not_null` to judge; every other rule leaves them out. NaN is greater than every number.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from airpy.contract import Filter
from airpy.engine.families import ORDERED, TEXT
from airpy.engine.filters import condition
from airpy.engine.profile.binding import TIMES
from airpy.engine.profile.conditions import among, any_of, leaf, length_pattern, opposite, present
from airpy.engine.steps import counted
from airpy.errors import InvalidOptions, TypeMismatch, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airpy.contract import (
        CompareColumnsRule,
        DecreasingRule,
        FilterOperator,
        IncreasingRule,
        InRangeRule,
        InSetRule,
        LengthRule,
        MatchesRule,
        NoGapsRule,
        NotInSetRule,
        NotNullRule,
        RowRelation,
        SatisfiesRule,
        Scalar,
        UniqueRule,
    )
    from airpy.engine.profile.binding import Bound

__all__ = ["ROW_RULES", "Compiled", "RowRule", "Seen", "reversed_ends"]


class Compiled(NamedTuple):
    """A rule of rows as filters, beside the rule's own `filter`."""

    looked: list[Filter]
    """The rows that it looks at."""
    failing: list[Filter]
    """Those that fail."""


class Seen(NamedTuple):
    """What was found of a rule of rows."""

    failed: int
    values: list[str]
    """Some of the values that failed, where the rule asks for them."""
    ends: list[str]
    """The least and the greatest value that it looked at, where it asks for them."""


class RowRule(NamedTuple):
    """How a rule of rows is compiled, and how what was found of it is told."""

    compile: Callable[[Any, Bound], Compiled]
    observed: Callable[[Any, Seen], str]
    shows: bool = False
    """Whether to look for values of `col` that fail."""
    spans: bool = False
    """Whether to look for the least and the greatest value of `col`."""


def reversed_ends(low: object, high: object, field: str) -> InvalidOptions:
    """The error for ends that are the wrong way round."""
    return InvalidOptions(
        f"min {shortened(str(low))} is greater than max {shortened(str(high))}",
        field=f"{field}.min",
        constraint="no greater than max",
    )


def not_null(rule: NotNullRule, bound: Bound) -> Compiled:
    """No value is null."""
    bound.column(rule.col)
    return Compiled([], [leaf(rule.col, "is_null")])


def unique(rule: UniqueRule, bound: Bound) -> Compiled:
    """No combination of values occurs twice; rows with a null among them are not compared."""
    for place, name in enumerate(rule.cols):
        bound.column(name, f"cols[{place}]")
    names = list(dict.fromkeys(rule.cols))
    looked = present(*names)
    return _unless_null(bound, names, Compiled(looked, [*looked, among(rule.filter, "shared", names)]))


def in_set(rule: InSetRule, bound: Bound) -> Compiled:
    """Every value is one of these."""
    return _of_set(rule, bound, "not_in")


def not_in_set(rule: NotInSetRule, bound: Bound) -> Compiled:
    """No value is one of these."""
    return _of_set(rule, bound, "in")


def in_range(rule: InRangeRule, bound: Bound) -> Compiled:
    """Every value lies between the ends.

    Raises:
        InvalidOptions: The ends are the wrong way round in the column's type.
    """
    bound.column(rule.col)
    ends: list[tuple[str, FilterOperator, Scalar | None]] = [("min", "<", rule.min), ("max", ">", rule.max)]
    given = [(member, op, value) for member, op, value in ends if value is not None]
    values = [bound.value(value, rule.col, member) for member, _, value in given]
    if any(low is not None and low > high for low, high in pairwise(values)):
        raise reversed_ends(rule.min, rule.max, bound.field)
    beyond = [leaf(rule.col, op, value) for _, op, value in given]
    return _unless_null(bound, [rule.col], Compiled(present(rule.col), any_of(beyond)))


def matches(rule: MatchesRule, bound: Bound) -> Compiled:
    """Every value contains a match of the pattern."""
    bound.typed(rule.col, TEXT, "strings", rule.rule)
    strange = leaf(rule.col, "not_regex", rule.pattern)
    return _unless_null(bound, [rule.col], Compiled(present(rule.col), [strange]))


def length_between(rule: LengthRule, bound: Bound) -> Compiled:
    """Every text has this many characters."""
    bound.typed(rule.col, TEXT, "strings", rule.rule)
    strange = leaf(rule.col, "not_regex", length_pattern(rule.min, rule.max))
    return _unless_null(bound, [rule.col], Compiled(present(rule.col), [strange]))


def increasing(rule: IncreasingRule, bound: Bound) -> Compiled:
    """No value is less than the one before it."""
    return _in_order(rule, bound, "falling")


def decreasing(rule: DecreasingRule, bound: Bound) -> Compiled:
    """No value is greater than the one before it."""
    return _in_order(rule, bound, "rising")


def no_gaps(rule: NoGapsRule, bound: Bound) -> Compiled:
    """No two times that follow one another are further apart."""
    bound.typed(rule.col, TIMES, "dates or timestamps", rule.rule)
    _within(rule, bound)
    gap = among(rule.filter, "after_gap", [rule.col], rule.by, every=rule.every)
    if rule.col not in bound.nulls:
        try:
            bound.tested(gap, "every")
        except TypeMismatch as error:
            error.field = f"{bound.field}.every"
            raise
    return _unless_null(bound, [rule.col], Compiled(present(rule.col), [gap]))


def compare_columns(rule: CompareColumnsRule, bound: Bound) -> Compiled:
    """In every row in which neither is null, the columns compare so."""
    bound.column(rule.col)
    bound.column(rule.col2, "col2")
    both = [rule.col, rule.col2]
    item = Filter(col=rule.col, op=rule.op, col2=rule.col2)
    if bound.nulls.isdisjoint(both):
        condition(bound.columns, item, bound.timezone, bound.field)
    return _unless_null(bound, both, Compiled(present(*both), [opposite(item)]))


def satisfies(rule: SatisfiesRule, bound: Bound) -> Compiled:
    """In no row the condition is false."""
    return Compiled([], [opposite(bound.tested(rule.condition, "condition"))])


def _of_set(rule: InSetRule | NotInSetRule, bound: Bound, op: FilterOperator) -> Compiled:
    bound.column(rule.col)
    for place, value in enumerate(rule.values):
        bound.value(value, rule.col, f"values[{place}]")
    strange = leaf(rule.col, op, rule.values)
    return _unless_null(bound, [rule.col], Compiled(present(rule.col), [strange]))


def _in_order(rule: IncreasingRule | DecreasingRule, bound: Bound, wrong: RowRelation) -> Compiled:
    bound.typed(rule.col, ORDERED, "values that have an order", rule.rule)
    _within(rule, bound)
    relations: list[RowRelation] = [wrong, "level"] if rule.strict else [wrong]
    failing = any_of([among(rule.filter, are, [rule.col], rule.by) for are in relations])
    return _unless_null(bound, [rule.col], Compiled(present(rule.col), failing))


def _within(rule: IncreasingRule | DecreasingRule | NoGapsRule, bound: Bound) -> None:
    for place, name in enumerate(rule.by or []):
        bound.column(name, f"by[{place}]")


def _unless_null(bound: Bound, names: Sequence[str], compiled: Compiled) -> Compiled:
    """The rule, which looks at no row where one of the columns holds nothing but nulls."""
    return compiled if bound.nulls.isdisjoint(names) else Compiled(compiled.looked, compiled.looked)


def _told(some: str, none: str) -> Callable[[Any, Seen], str]:
    return lambda _, seen: f"{some}: {', '.join(seen.values)}" if seen.failed else none


def _rows(words: str) -> Callable[[Any, Seen], str]:
    return lambda _, seen: f"{counted(seen.failed, 'row')} {words}"


ROW_RULES: dict[str, RowRule] = {
    "not_null": RowRule(not_null, lambda _, seen: counted(seen.failed, "null")),
    "unique": RowRule(
        unique,
        lambda _, seen: (
            f"{counted(seen.failed, 'row')} {'shares its' if seen.failed == 1 else 'share their'}"
            " values with another"
        ),
    ),
    "in_set": RowRule(in_set, _told("not in the set", "all in the set"), shows=True),
    "not_in_set": RowRule(not_in_set, _told("in the set", "none in the set"), shows=True),
    "in_range": RowRule(
        in_range,
        lambda _, seen: f"from {' to '.join(seen.ends)}" if seen.ends else "no values",
        spans=True,
    ),
    "matches": RowRule(matches, _told("without a match", "all match"), shows=True),
    "length_between": RowRule(length_between, _told("of another length", "all of this length"), shows=True),
    "increasing": RowRule(increasing, _rows("out of order")),
    "decreasing": RowRule(decreasing, _rows("out of order")),
    "no_gaps": RowRule(no_gaps, lambda rule, seen: f"{counted(seen.failed, 'gap')} wider than {rule.every}"),
    "compare_columns": RowRule(
        compare_columns,
        lambda rule, seen: f"not {rule.col} {rule.op} {rule.col2} in {counted(seen.failed, 'row')}",
    ),
    "satisfies": RowRule(satisfies, lambda _, seen: f"false in {counted(seen.failed, 'row')}"),
}
