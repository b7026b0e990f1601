"""Filter operators, a table from name to expression; NaN equals itself and is greater than every number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw

from airpy.engine.comparisons import COMPARISONS
from airpy.engine.families import ANY, COMPARABLE, NUMBERS, TEXT
from airpy.engine.patterns import check_like, check_regex, ignoring_case, like

if TYPE_CHECKING:
    from collections.abc import Callable

    from airpy.contract import ClosedEnds, FilterOperator
    from airpy.engine.families import Family

__all__ = ["FILTERS", "OF_TWO_COLUMNS", "Between", "Operator"]

ENDS: dict[ClosedEnds, tuple[str, str]] = {
    "both": (">=", "<="),
    "left": (">=", "<"),
    "right": (">", "<="),
    "none": (">", "<"),
}


class Between(NamedTuple):
    """What `between` takes."""

    low: Any
    high: Any
    closed: ClosedEnds


class Operator(NamedTuple):
    """How an operator becomes an expression, and what it takes."""

    apply: Callable[[nw.Expr, Any], nw.Expr]
    takes: str
    accepts: Family
    """Types of the column; every type when it names none."""
    check: Callable[[str, str], None] | None = None
    """Refuses a string that is no pattern; told the string and where it stands."""


def _compare(operator: str) -> Callable[[nw.Expr, Any], nw.Expr]:
    return lambda column, value: COMPARISONS[operator](column, value, value)


def _between(column: nw.Expr, value: Between) -> nw.Expr:
    above, below = ENDS[value.closed]
    return _compare(above)(column, value.low) & _compare(below)(column, value.high)


def _is_distinct(column: nw.Expr, value: Any) -> nw.Expr:  # noqa: ANN401  a value of the column's type
    return ~column.is_null() if value is None else (column != value).fill_null(value=True)


def _comparison(operator: str) -> Operator:
    return Operator(_compare(operator), "one value", COMPARABLE)


def _text(
    apply: Callable[[nw.Expr, str], nw.Expr], check: Callable[[str, str], None] | None = None
) -> Operator:
    return Operator(apply, "a string", TEXT, check)


def _about(apply: Callable[[nw.Expr], nw.Expr], accepts: Family) -> Operator:
    return Operator(lambda column, _: apply(column), "no value", accepts)


FILTERS: dict[FilterOperator, Operator] = {
    "=": _comparison("="),
    "==": _comparison("=="),
    "!=": _comparison("!="),
    "<>": _comparison("<>"),
    "<": _comparison("<"),
    "<=": _comparison("<="),
    ">": _comparison(">"),
    ">=": _comparison(">="),
    "between": Operator(_between, "two values", COMPARABLE),
    "in": Operator(lambda column, values: column.is_in(values), "a list of values", COMPARABLE),
    "not_in": Operator(lambda column, values: ~column.is_in(values), "a list of values", COMPARABLE),
    "is_null": _about(lambda column: column.is_null(), ANY),
    "not_null": _about(lambda column: ~column.is_null(), ANY),
    "is_nan": _about(lambda column: column.cast(nw.Float64()).is_nan(), NUMBERS),
    "is_finite": _about(lambda column: column.cast(nw.Float64()).is_finite(), NUMBERS),
    "is_blank": _about(lambda column: column.str.strip_chars() == "", TEXT),
    "like": _text(like, check_like),
    "not_like": _text(lambda column, pattern: ~like(column, pattern), check_like),
    "ilike": _text(
        lambda column, pattern: column.str.contains(ignoring_case(pattern, whole="like")), check_like
    ),
    "contains": _text(lambda column, part: column.str.contains(part, literal=True)),
    "icontains": _text(lambda column, part: column.str.contains(ignoring_case(part))),
    "starts_with": _text(lambda column, part: column.str.starts_with(part)),
    "ends_with": _text(lambda column, part: column.str.ends_with(part)),
    "regex": _text(lambda column, pattern: column.str.contains(pattern), check_regex),
    "not_regex": _text(lambda column, pattern: ~column.str.contains(pattern), check_regex),
    "is_distinct_from": Operator(_is_distinct, "one value or none", COMPARABLE),
}
OF_TWO_COLUMNS: tuple[FilterOperator, ...] = ("=", "==", "!=", "<>", "<", "<=", ">", ">=", "is_distinct_from")
