"""Aggregation functions, a table from name to what it computes, the types it takes, and its arguments.

Nulls are left out of all but `count`, `count_missing`, `first` and `last`. Counts are `int64`, whatever the
engine counts in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import polars as pl

from airpy.engine import measures
from airpy.engine.columns import Columns, inner, type_word
from airpy.engine.families import ANY, FLOATS, INTEGERS, NUMBERS, ORDERED, TEXT
from airpy.engine.filter_trees import check_filter
from airpy.engine.filters import condition, related
from airpy.engine.measures import Measured, defined, of_floats, quantile
from airpy.errors import InvalidPlan, TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from airpy.contract import AggregateFunction, Aggregation
    from airpy.engine.columns import Frame
    from airpy.engine.families import Family

__all__ = [
    "AGGREGATIONS",
    "NUMBERS",
    "aggregate_name",
    "aggregated",
    "check_aggregates",
    "is_ordered_by_time",
]

PASSES = "\0passes"
"""What the columns of own filters are called, with a number; no column of the caller's has such a name."""
ARGUMENTS = ("q", "ddof", "by", "col2", "weight", "max", "sep")
SECOND = ("by", "col2", "weight")
"""Arguments that name a second column."""
SAMPLE = 1
"""Degrees of freedom that a sample's mean takes."""


class Aggregate(NamedTuple):
    """How a function becomes an expression, and what it takes."""

    apply: Callable[[Measured], pl.Expr]
    accepts: Family
    """Types of the column; every type when it names none."""
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Those of its arguments that it cannot do without."""
    pairs_with: Family = ANY
    """Types of the second column."""


def _column(measure: Callable[[pl.Expr], pl.Expr], accepts: Family) -> Aggregate:
    return Aggregate(lambda of: measure(of.column), accepts)


def _number(measure: Callable[[pl.Expr, Aggregation], pl.Expr], *takes: str) -> Aggregate:
    return Aggregate(of_floats(measure), NUMBERS, takes)


def _ddof(item: Aggregation) -> int:
    return SAMPLE if item.ddof is None else item.ddof


MEAN = Aggregate(measures.mean, (*NUMBERS, nw.Duration))

AGGREGATIONS: dict[AggregateFunction, Aggregate] = {
    "count": Aggregate(measures.count, ANY),
    "count_valid": _column(lambda column: column.count().cast(pl.Int64), ANY),
    "count_missing": Aggregate(measures.count_missing, ANY),
    "n_unique": Aggregate(measures.distinct, ORDERED),
    "approx_n_unique": Aggregate(measures.approximately_distinct, ORDERED),
    "sum": Aggregate(measures.total, (*NUMBERS, nw.Duration)),
    "mean": MEAN,
    "avg": MEAN,
    "min": _column(lambda column: column.min(), ORDERED),
    "max": _column(lambda column: column.max(), ORDERED),
    "median": _number(lambda column, _: column.median()),
    "quantile": Aggregate(
        of_floats(lambda column, item: column.quantile(item.q or 0.0, interpolation="linear")),
        NUMBERS,
        ("q",),
        ("q",),
    ),
    "q1": _number(quantile(0.25)),
    "q3": _number(quantile(0.75)),
    "std": _number(lambda column, item: column.std(ddof=_ddof(item)), "ddof"),
    "var": _number(lambda column, item: column.var(ddof=_ddof(item)), "ddof"),
    "stderr": _number(lambda column, item: column.std(ddof=_ddof(item)) / column.count().sqrt(), "ddof"),
    "first": Aggregate(measures.ordered, ANY, ("by",), pairs_with=ORDERED),
    "last": Aggregate(measures.ordered, ANY, ("by",), pairs_with=ORDERED),
    "any": _column(lambda column: column.drop_nulls().first(), ANY),
    "mode": _column(lambda column: column.drop_nulls().mode().min(), ORDERED),
    "product": Aggregate(measures.product, (*INTEGERS, *FLOATS)),
    "skew": _number(lambda column, _: defined(column.skew())),
    "kurtosis": _number(lambda column, _: defined(column.kurtosis())),
    "mad": _number(measures.deviation_from_median),
    "iqr": _number(
        lambda column, item: quantile(0.75)(column, item) - quantile(0.25)(column, item),
    ),
    "range": Aggregate(
        measures.spread, (*INTEGERS, *FLOATS, nw.Decimal, nw.Date, nw.Datetime, nw.Time, nw.Duration)
    ),
    "arg_min": Aggregate(measures.arg_extreme, ANY, ("by",), ("by",), ORDERED),
    "arg_max": Aggregate(measures.arg_extreme, ANY, ("by",), ("by",), ORDERED),
    "corr": Aggregate(measures.correlation, NUMBERS, ("col2",), ("col2",), NUMBERS),
    "weighted_mean": Aggregate(measures.weighted_mean, NUMBERS, ("weight",), ("weight",), NUMBERS),
    "share_of_total": Aggregate(measures.total, NUMBERS),
    "all": Aggregate(measures.truth, (nw.Boolean,)),
    "any_true": Aggregate(measures.truth, (nw.Boolean,)),
    "list": Aggregate(measures.listed_values, ANY, ("max",)),
    "join_text": Aggregate(measures.joined_text, TEXT, ("max", "sep")),
}


def aggregate_name(item: Aggregation) -> str:
    """The aggregate's name in the answer: `as`, else `{col}_{fn}`; `count` alone for rows."""
    if item.as_ is not None:
        return item.as_
    return item.fn if item.col in {None, "*"} and item.fn == "count" else f"{item.col}_{item.fn}"


def is_ordered_by_time(item: Aggregation) -> bool:
    """Whether the aggregate depends on the time column, which it does not name."""
    return item.fn in {"first", "last"} and item.by is None


def check_aggregates(items: Sequence[Aggregation], field: str) -> None:
    """Refuse aggregates whose arguments are not those of their functions, whatever the data.

    Raises:
        InvalidPlan: An argument is missing, or is another function's; or an own filter is refused.
    """
    for index, item in enumerate(items):
        place, function = f"{field}[{index}]", AGGREGATIONS[item.fn]
        if item.fn != "count" and item.col is None:
            raise InvalidPlan(
                f'aggregate "{item.fn}" needs a column; only "count" counts rows without one',
                field=f"{place}.col",
                constraint="the name of a column",
            )
        for argument in ARGUMENTS:
            is_given = getattr(item, argument) is not None
            if is_given and argument not in function.takes:
                takers = [name for name, other in AGGREGATIONS.items() if argument in other.takes]
                raise InvalidPlan(
                    f'"{item.fn}" takes no `{argument}`; that is an argument of {listed(takers)}',
                    field=f"{place}.{argument}",
                    constraint=f"one of: {listed(function.takes)}" if function.takes else "no arguments",
                    suggestion=function.takes,
                )
            if not is_given and argument in function.needs:
                raise InvalidPlan(
                    f'"{item.fn}" needs `{argument}`', field=f"{place}.{argument}", constraint="required"
                )
        if item.filter is not None:
            check_filter(item.filter, f"{place}.filter")


def aggregated(
    frame: Frame,
    keys: Sequence[str],
    items: Sequence[Aggregation],
    timezone: ZoneInfo,
    time_col: str | None = None,
    field: str = "plan.aggs",
) -> Frame:
    """One row for each group, in no order: its keys, then its aggregates; one row when there are no keys.

    Args:
        frame: The rows.
        keys: The inner names of the columns to group by.
        items: What to compute.
        timezone: Where dates and times of filters are that carry no offset.
        time_col: The column that orders rows where an aggregate needs an order and names none.
        field: Where the aggregates stand in the plan.

    Raises:
        UnknownColumn: One names a column that is not there.
        TypeMismatch: A function does not take the column's type.
        InvalidPlan: There is no column that orders the rows.
    """
    own = {
        n: (item.filter, f"{field}[{n}].filter") for n, item in enumerate(items) if item.filter is not None
    }
    frame = related(frame, own.values(), timezone)
    columns = Columns(frame)
    filters = [
        condition(columns, item, timezone, place).alias(f"{PASSES}{n}") for n, (item, place) in own.items()
    ]
    measured = [
        _aggregate(
            columns, item, None if item.filter is None else pl.col(f"{PASSES}{n}"), time_col, f"{field}[{n}]"
        )
        for n, item in enumerate(items)
    ]
    native = (frame.with_columns(*filters) if filters else frame).to_native()
    grouped = native.group_by(list(keys)).agg(measured) if keys else native.select(measured)
    shares = [
        measures.share(inner(aggregate_name(item)), columns.dtype(item.col or ""))
        for item in items
        if item.fn == "share_of_total"
    ]
    return nw.from_native(grouped.with_columns(shares) if shares else grouped)


def _aggregate(
    columns: Columns, item: Aggregation, passes: pl.Expr | None, time_col: str | None, field: str
) -> pl.Expr:
    function = AGGREGATIONS[item.fn]
    alias = inner(aggregate_name(item))
    if item.col is None or (item.fn == "count" and item.col == "*" and "*" not in columns):
        rows = pl.len()
        return function.apply(Measured(item, nw.Int64(), rows, rows, passes, rows)).alias(alias)
    raw = pl.col(columns.name(item.col, f"{field}.col"))
    dtype = columns.dtype(item.col)
    if function.accepts and not isinstance(dtype, function.accepts):
        allowed = [
            name for name, its in AGGREGATIONS.items() if not its.accepts or isinstance(dtype, its.accepts)
        ]
        raise TypeMismatch(
            f'"{item.fn}" cannot be taken of column "{shortened(item.col)}" of type {type_word(dtype)}; '
            f"allowed: {listed(allowed)}",
            field=f"{field}.fn",
            constraint=f"one of: {listed(allowed)}",
            suggestion=allowed,
        )
    other = _second(columns, item, function, time_col, field)
    column = raw if passes is None else pl.when(passes).then(raw)
    return function.apply(Measured(item, dtype, column, raw, passes, raw if other is None else other)).alias(
        alias
    )


def _second(
    columns: Columns, item: Aggregation, function: Aggregate, time_col: str | None, field: str
) -> pl.Expr | None:
    """The second column that the function takes, if it takes one."""
    argument = next((name for name in SECOND if name in function.takes), None)
    if argument is None:
        return None
    name = getattr(item, argument)
    if name is None:
        name = time_col if time_col is not None else _only_time(columns, item, field)
    place = f"{field}.{argument}"
    column = pl.col(columns.name(name, place))
    if not isinstance(columns.dtype(name), function.pairs_with):
        kind = "numbers" if function.pairs_with is NUMBERS else "values that have an order"
        fitting = [one for one in columns if isinstance(columns.dtype(one), function.pairs_with)]
        raise TypeMismatch(
            f'`{argument}` of "{item.fn}" cannot be column "{shortened(name)}" of type '
            f"{type_word(columns.dtype(name))}",
            field=place,
            constraint=f"a column of {kind}",
            suggestion=fitting[:3],
        )
    return column


def _only_time(columns: Columns, item: Aggregation, field: str) -> str:
    times = [name for name in columns if isinstance(columns.dtype(name), (nw.Date, nw.Datetime))]
    if len(times) == 1:
        return times[0]
    found = f"has {len(times)} of them: {listed(times)}" if times else "has none"
    raise InvalidPlan(
        f'"{item.fn}" needs an order: without `by` that of the only time column, and the data set {found}',
        field=f"{field}.by",
        constraint="the name of a column that orders the rows",
        suggestion=times[:3] or list(columns)[:3],
    )
