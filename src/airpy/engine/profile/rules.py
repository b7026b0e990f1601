"""Validation rules, a table from name to judgement.

Nulls are for `not_null` to judge; every other rule leaves them out. NaN is greater than every number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw
import polars as pl

from airpy.contract import RuleResult, Validation
from airpy.engine.encoding import json_ready
from airpy.engine.failures import message_of
from airpy.engine.literals import literal, zone
from airpy.engine.schema import type_name
from airpy.engine.steps import counted
from airpy.errors import InvalidOptions, TypeMismatch, UnknownColumn, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airpy.contract import (
        InRangeRule,
        InSetRule,
        MatchesRule,
        NotNullRule,
        RowCountRule,
        Rule,
        Scalar,
        TypeRule,
        UniqueRule,
        Verdict,
    )

__all__ = ["RULES", "check_rules", "validate"]


class Judgement(NamedTuple):
    """How a frame meets a rule."""

    checked: int
    failed: int
    observed: str
    held: bool | None = None
    """Whether the rule held, where the rows that failed cannot say so."""


def not_null(frame: pl.DataFrame, rule: NotNullRule, field: str) -> Judgement:
    """No value is null."""
    missing = _column(frame, rule.col, f"{field}.col").null_count()
    return Judgement(frame.height, missing, counted(missing, "null"))


def unique(frame: pl.DataFrame, rule: UniqueRule, field: str) -> Judgement:
    """No combination of values occurs twice."""
    columns = [_column(frame, name, f"{field}.cols[{n}]") for n, name in enumerate(rule.cols)]
    rows = pl.DataFrame([column.alias(str(n)) for n, column in enumerate(columns)]).drop_nulls()
    repeated = int(rows.is_duplicated().sum())
    return Judgement(rows.height, repeated, f"{repeated} rows share their values with another")


def in_set(frame: pl.DataFrame, rule: InSetRule, field: str) -> Judgement:
    """Every value is one of these."""
    column = _column(frame, rule.col, f"{field}.col")
    values = [_cast(column, value, f"{field}.values[{n}]") for n, value in enumerate(rule.values)]
    present = column.drop_nulls()
    strange = present.filter(~present.is_in(values))
    observed = f"not in the set: {_examples(strange)}" if len(strange) else "all in the set"
    return Judgement(len(present), len(strange), observed)


def in_range(frame: pl.DataFrame, rule: InRangeRule, field: str) -> Judgement:
    """Every value lies between the ends."""
    column = _column(frame, rule.col, f"{field}.col").drop_nulls()
    low = None if rule.min is None else _cast(column, rule.min, f"{field}.min")
    high = None if rule.max is None else _cast(column, rule.max, f"{field}.max")
    if low is not None and high is not None and low > high:
        raise _reversed(rule, field)
    failed = pl.Series([False]).new_from_index(0, len(column))
    if low is not None:
        failed |= column < low
    if high is not None:
        failed |= column > high
    ends = [
        _shown(column.to_frame().select(end).to_series())[0]
        for end in (pl.first().min(), pl.first().max())
        if len(column)
    ]
    return Judgement(len(column), int(failed.sum()), f"from {' to '.join(ends)}" if ends else "no values")


def matches(frame: pl.DataFrame, rule: MatchesRule, field: str) -> Judgement:
    """Every value contains a match of the pattern."""
    column = _column(frame, rule.col, f"{field}.col").drop_nulls()
    if not isinstance(column.dtype, (pl.String, pl.Categorical, pl.Enum, pl.Null)):
        found = type_name(column.dtype)
        raise TypeMismatch(
            f'"matches" needs a column of strings; "{shortened(rule.col)}" is of type {found}',
            field=f"{field}.col",
            constraint="a column of strings",
        )
    strange = column.filter(~column.cast(pl.String).str.contains(rule.pattern))
    observed = f"without a match: {_examples(strange)}" if len(strange) else "all match"
    return Judgement(len(column), len(strange), observed)


def column_type(frame: pl.DataFrame, rule: TypeRule, field: str) -> Judgement:
    """The column has this type."""
    found = type_name(_column(frame, rule.col, f"{field}.col").dtype)
    held = found == rule.type
    return Judgement(frame.height, 0 if held else frame.height, f"type {found}", held)


def row_count_between(frame: pl.DataFrame, rule: RowCountRule, _: str) -> Judgement:
    """There are this many rows."""
    low, high = rule.min or 0, frame.height if rule.max is None else rule.max
    missed = max(low - frame.height, frame.height - high, 0)
    return Judgement(frame.height, missed, counted(frame.height, "row"))


RULES: dict[str, Callable[[pl.DataFrame, Any, str], Judgement]] = {
    "not_null": not_null,
    "unique": unique,
    "in_set": in_set,
    "in_range": in_range,
    "matches": matches,
    "type": column_type,
    "row_count_between": row_count_between,
}


def check_rules(rules: Sequence[Rule]) -> None:
    """Refuse rules that say nothing, whatever the data.

    Raises:
        InvalidOptions: A range has no end, or its ends are the wrong way round; a pattern is none.
    """
    for index, rule in enumerate(rules):
        field = f"options.rules[{index}]"
        match rule.rule:
            case "in_range" | "row_count_between":
                _check_ends(rule, field)
            case "matches":
                _check_pattern(rule.pattern, f"{field}.pattern")
            case _:
                pass


def validate(frame: pl.DataFrame, rules: Sequence[Rule]) -> Validation:
    """How the frame meets each rule, and the verdict: `fail`, `warn` or `pass` by the worst rule not met.

    Raises:
        UnknownColumn: A rule names a column that is not there.
        TypeMismatch: A rule's values cannot be compared with its column.
        InvalidOptions: The ends of a range are the wrong way round in the column's type.
    """
    results = []
    for index, rule in enumerate(rules):
        judged = RULES[rule.rule](frame, rule, f"options.rules[{index}]")
        results.append(
            RuleResult(
                name=rule.name or _default_name(rule),
                rule=rule.rule,
                severity=rule.severity,
                passed=judged.failed == 0 if judged.held is None else judged.held,
                rows_checked=judged.checked,
                rows_failed=judged.failed,
                observed=judged.observed,
            )
        )
    return Validation(verdict=_verdict(results), rules=results)


def _check_ends(rule: InRangeRule | RowCountRule, field: str) -> None:
    low, high = rule.min, rule.max
    if low is None and high is None:
        raise InvalidOptions(
            f'rule "{rule.rule}" needs min, max or both', field=field, constraint="at least one of: min, max"
        )
    # Which of two strings is greater depends on the column's type.
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        raise _reversed(rule, field)


def _reversed(rule: InRangeRule | RowCountRule, field: str) -> InvalidOptions:
    return InvalidOptions(
        f"min {shortened(str(rule.min))} is greater than max {shortened(str(rule.max))}",
        field=f"{field}.min",
        constraint="no greater than max",
    )


def _check_pattern(pattern: str, field: str) -> None:
    try:
        pl.Series([], dtype=pl.String).str.contains(pattern)
    except pl.exceptions.ComputeError as error:
        reason = message_of(error).rpartition("error: ")[2]
        raise InvalidOptions(
            f"the pattern is not a regular expression: {reason}",
            field=field,
            constraint="a regular expression in Rust's syntax",
        ) from None


def _examples(values: pl.Series) -> str:
    """A few of the values, each once."""
    return ", ".join(_shown(values.unique(maintain_order=True).head(5)))


def _shown(values: pl.Series) -> list[str]:
    """The values as the answer's rows show them."""
    ready = values.to_frame().select(json_ready(pl.first(), values.dtype)).to_series()
    return [shortened(str(value)) for value in ready]


def _verdict(results: Sequence[RuleResult]) -> Verdict:
    broken = {result.severity for result in results if not result.passed}
    return "fail" if "error" in broken else "warn" if "warning" in broken else "pass"


def _default_name(rule: Rule) -> str:
    match rule.rule:
        case "row_count_between":
            return rule.rule
        case "unique":
            return f"{rule.rule}({', '.join(rule.cols)})"
        case _:
            return f"{rule.rule}({rule.col})"


def _column(frame: pl.DataFrame, name: str, field: str) -> pl.Series:
    if name not in frame.columns:
        raise UnknownColumn.among(name, frame.columns, field)
    return frame.get_column(name)


def _cast(column: pl.Series, value: Scalar, field: str) -> Any:  # noqa: ANN401  a value of the column's type
    if isinstance(column.dtype, pl.Null):
        return None  # there is nothing to compare it with
    dtype = nw.from_native(column, series_only=True).dtype
    return literal(value, dtype, timezone=zone(None), column=column.name, field=field)
