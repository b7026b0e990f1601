"""Refuses rules that say nothing, whatever the data: a table from name to what is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from airpy.engine.columns import repeated
from airpy.engine.failures import message_of
from airpy.engine.filter_trees import check_filter, check_filters
from airpy.engine.profile.conditions import opposite
from airpy.engine.profile.row_rules import reversed_ends
from airpy.errors import InvalidOptions, InvalidPlan, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airpy.contract import (
        ColumnsAreRule,
        CompareColumnsRule,
        Filter,
        ForeignKeyRule,
        MatchesRule,
        Rule,
        SatisfiesRule,
        Tolerance2,
    )

__all__ = ["check_rules"]

MOST_KEYS = 16
"""Columns that a join takes."""
COMPARING = {"unique", "increasing", "decreasing", "no_gaps"}
"""Rules whose own filter must leave room for the relation of rows, perhaps one of two, that it goes into."""


def check_rules(rules: Sequence[Rule]) -> None:
    """Refuse rules that say nothing, whatever the data.

    Raises:
        InvalidOptions: A range has no end, or its ends are the wrong way round; a pattern is none; a filter
            is none; what is to be compared does not pair up; a tolerance leaves nothing to warn of.
    """
    for index, rule in enumerate(rules):
        field = f"options.rules[{index}]"
        for check in CHECKS.get(rule.rule, ()):
            check(rule, field)
        if hasattr(rule, "filter"):
            _check_own(rule.filter or [], f"{field}.filter")
            if rule.rule in COMPARING:
                _check_own([opposite(opposite(item)) for item in rule.filter or []], f"{field}.filter")
        if hasattr(rule, "tolerance"):
            _check_tolerance(rule, field)


def ends(rule: Any, field: str) -> None:  # noqa: ANN401  every rule that has them
    """There is an end, and the least is no greater than the greatest."""
    low, high = rule.min, rule.max
    if low is None and high is None:
        raise InvalidOptions(
            f'rule "{rule.rule}" needs min, max or both', field=field, constraint="at least one of: min, max"
        )
    # Which of two strings is greater depends on the column's type.
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        raise reversed_ends(low, high, field)


def pattern(rule: MatchesRule, field: str) -> None:
    """The pattern is a regular expression."""
    try:
        pl.Series([], dtype=pl.String).str.contains(rule.pattern)
    except pl.exceptions.ComputeError as error:
        reason = message_of(error).rpartition("error: ")[2]
        raise InvalidOptions(
            f"the pattern is not a regular expression: {reason}",
            field=f"{field}.pattern",
            constraint="a regular expression in Rust's syntax",
        ) from None


def two_columns(rule: CompareColumnsRule, field: str) -> None:
    """The two columns are two."""
    if rule.col == rule.col2:
        raise InvalidOptions(
            f'column "{shortened(rule.col)}" is compared with itself',
            field=f"{field}.col2",
            constraint="another column",
        )


def once(rule: ColumnsAreRule, field: str) -> None:
    """No column is named twice."""
    if twice := repeated(rule.cols):
        raise InvalidOptions(
            f"a frame has a column once, and {listed(twice)} is named twice",
            field=f"{field}.cols",
            constraint="different names",
        )


def pairs(rule: ForeignKeyRule, field: str) -> None:
    """There are as many columns there as here, each named once."""
    for member, names in (("cols", rule.cols), ("dataset_cols", rule.dataset_cols or [])):
        if twice := repeated(names):
            raise InvalidOptions(
                f"a key names a column once, and {listed(twice)} stands there twice",
                field=f"{field}.{member}",
                constraint="different names",
            )
    if len(rule.cols) > MOST_KEYS:
        raise InvalidOptions(
            f"a key of {len(rule.cols)} columns is too wide",
            field=f"{field}.cols",
            constraint=f"at most {MOST_KEYS} columns",
        )
    if rule.dataset_cols is not None and len(rule.dataset_cols) != len(rule.cols):
        raise InvalidOptions(
            f"{len(rule.cols)} columns here are compared with {len(rule.dataset_cols)} there",
            field=f"{field}.dataset_cols",
            constraint=f"{len(rule.cols)} names",
        )


def condition(rule: SatisfiesRule, field: str) -> None:
    """The condition is one, and leaves room for its opposite."""
    _as_options(lambda: check_filter(rule.condition, f"{field}.condition"))
    _as_options(lambda: check_filter(opposite(rule.condition), f"{field}.condition"))


CHECKS: dict[str, tuple[Callable[[Any, str], None], ...]] = {
    "in_range": (ends,),
    "matches": (pattern,),
    "length_between": (ends,),
    "row_count_between": (ends,),
    "columns_are": (once,),
    "mean_between": (ends,),
    "sum_between": (ends,),
    "quantile_between": (ends,),
    "distinct_between": (ends,),
    "foreign_key": (pairs,),
    "compare_columns": (two_columns,),
    "satisfies": (condition,),
}


def _check_own(filters: Sequence[Filter], field: str) -> None:
    _as_options(lambda: check_filters(filters, field))


def _check_tolerance(rule: Any, field: str) -> None:  # noqa: ANN401  every rule of rows
    tolerance, within = rule.tolerance, rule.warn_within
    if within is None:
        return
    if rule.severity != "error":
        raise InvalidOptions(
            f'warn_within says when an error is a warning, and severity is "{rule.severity}"',
            field=f"{field}.warn_within",
            constraint="only with severity error",
            suggestion=["error"],
        )
    if tolerance is not None and any(wide < narrow for narrow, wide in _comparable(tolerance, within)):
        raise InvalidOptions(
            "warn_within is narrower than tolerance, and so nothing is left to warn of",
            field=f"{field}.warn_within",
            constraint="no less than tolerance",
        )


def _comparable(tolerance: Tolerance2, within: Tolerance2) -> list[tuple[float, float]]:
    """The two, where both count rows or both are shares."""
    both = [(tolerance.rows, within.rows), (tolerance.share, within.share)]
    return [(one, two) for one, two in both if one is not None and two is not None]


def _as_options(check: Callable[[], None]) -> None:
    """A filter that is refused is a fault of the options it stands in."""
    try:
        check()
    except InvalidPlan as error:
        raise InvalidOptions(
            error.message, field=error.field, constraint=error.constraint, suggestion=error.suggestion
        ) from None
