"""Validation rules, a table from name to judgement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw
import polars as pl

from airpy.contract import RuleResult, Validation
from airpy.engine.literals import literal, zone
from airpy.engine.schema import type_name
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
    return Judgement(frame.height, missing, f"{missing} nulls")


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
    shown = ", ".join(shortened(str(value)) for value in strange.unique(maintain_order=True).head(5))
    return Judgement(len(present), len(strange), f"not in the set: {shown}" if shown else "all in the set")


def in_range(frame: pl.DataFrame, rule: InRangeRule, field: str) -> Judgement:
    """Every value lies between the ends."""
    column = _column(frame, rule.col, f"{field}.col").drop_nulls()
    failed = pl.Series([False]).new_from_index(0, len(column))
    if rule.min is not None:
        failed |= column < _cast(column, rule.min, f"{field}.min")
    if rule.max is not None:
        failed |= column > _cast(column, rule.max, f"{field}.max")
    return Judgement(len(column), int(failed.sum()), f"from {column.min()!s} to {column.max()!s}")


def matches(frame: pl.DataFrame, rule: MatchesRule, field: str) -> Judgement:
    """Every value contains a match of the pattern."""
    column = _column(frame, rule.col, f"{field}.col").drop_nulls()
    if not isinstance(column.dtype, (pl.String, pl.Categorical, pl.Enum)):
        raise TypeMismatch(
            f'"matches" needs a column of strings; "{rule.col}" is of type {column.dtype}',
            field=f"{field}.col",
            constraint="a column of strings",
        )
    try:
        strange = column.filter(~column.cast(pl.String).str.contains(rule.pattern))
    except pl.exceptions.ComputeError as error:
        raise InvalidOptions(
            f"the pattern is not a regular expression: {str(error).splitlines()[-1]}",
            field=f"{field}.pattern",
            constraint="a regular expression in Rust's syntax",
        ) from None
    shown = ", ".join(shortened(value) for value in strange.unique(maintain_order=True).head(5))
    return Judgement(len(column), len(strange), f"without a match: {shown}" if shown else "all match")


def column_type(frame: pl.DataFrame, rule: TypeRule, field: str) -> Judgement:
    """The column has this type."""
    found = type_name(_column(frame, rule.col, f"{field}.col").dtype)
    held = found == rule.type
    return Judgement(frame.height, 0 if held else frame.height, f"type {found}", held)


def row_count_between(frame: pl.DataFrame, rule: RowCountRule, _: str) -> Judgement:
    """There are this many rows."""
    low, high = rule.min or 0, frame.height if rule.max is None else rule.max
    missed = max(low - frame.height, frame.height - high, 0)
    return Judgement(frame.height, missed, f"{frame.height} rows")


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
        InvalidOptions: A range has no end, or its ends are the wrong way round.
    """
    for index, rule in enumerate(rules):
        if rule.rule not in {"in_range", "row_count_between"}:
            continue
        low, high = getattr(rule, "min", None), getattr(rule, "max", None)
        if low is None and high is None:
            raise InvalidOptions(
                f'rule "{rule.rule}" needs min, max or both',
                field=f"options.rules[{index}]",
                constraint="at least one of: min, max",
            )
        if type(low) is type(high) and low is not None and high is not None and low > high:
            raise InvalidOptions(
                f"min {low} is greater than max {high}",
                field=f"options.rules[{index}].min",
                constraint="no greater than max",
            )


def validate(frame: pl.DataFrame, rules: Sequence[Rule]) -> Validation:
    """How the frame meets each rule, and the verdict: `fail`, `warn` or `pass` by the worst rule not met.

    Raises:
        UnknownColumn: A rule names a column that is not there.
        TypeMismatch: A rule's values cannot be compared with its column.
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
    dtype = nw.from_native(column, series_only=True).dtype
    return literal(value, dtype, timezone=zone(None), column=column.name, field=field)
