"""Rules of the whole frame, a table from name to the aggregates it needs and how these are judged.

What is not known breaks no rule: a mean of no values lies between any ends; only
`fresher_than` wants one.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from airpy.contract import Aggregation, RelativeTime
from airpy.engine.encoding import json_ready
from airpy.engine.families import ANY, NUMBERS, ORDERED
from airpy.engine.moments import moment
from airpy.engine.profile.binding import TIMES
from airpy.engine.schema import type_name
from airpy.engine.steps import counted
from airpy.engine.units import DAY_S, read_grain
from airpy.errors import InvalidOptions, InvalidPlan, did_you_mean, listed, nearest, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airpy.contract import (
        AggregateFunction,
        ColumnExistsRule,
        ColumnsAreRule,
        DistinctRule,
        FreshRule,
        MeanRule,
        NullRatioRule,
        QuantileRule,
        RowCountRule,
        SumRule,
        TypeRule,
    )
    from airpy.engine.families import Family
    from airpy.engine.profile.binding import Bound

__all__ = ["FRAME_RULES", "FrameRule", "Judgement", "Measured", "oldest", "shown"]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NO_DATE = "a time that no calendar shows"
NANOSECONDS = {"ms": 1_000_000, "us": 1000, "ns": 1}


class Measured(NamedTuple):
    """What a rule of the whole frame is judged by."""

    schema: Mapping[str, pl.DataType]
    values: Mapping[str, pl.Series]
    """What it measured, by function, each a series of one value; `count` is of the rows it looks at."""
    bound: Bound
    now: dt.datetime

    def value(self, function: AggregateFunction) -> Any:  # noqa: ANN401  a number of any type
        """The value of one of its aggregates; null where a column can hold none."""
        return self.values[function].item() if function in self.values else None

    @property
    def rows(self) -> int:
        """How many rows it looks at."""
        return int(self.value("count"))


class Judgement(NamedTuple):
    """How a frame meets a rule."""

    held: bool
    observed: str
    checked: int
    failed: int


class FrameRule(NamedTuple):
    """What a rule of the whole frame measures, of which types, and how it is judged."""

    judge: Callable[[Any, Measured], Judgement]
    measures: tuple[AggregateFunction, ...] = ()
    accepts: Family = ANY
    kind: str = ""
    """What its column must hold, in messages."""

    @property
    def of_column(self) -> bool:
        """Whether it is of a column, which must be there."""
        return bool(self.measures) or self.judge is column_type

    def aggregates(self, rule: Any, bound: Bound) -> list[Aggregation]:  # noqa: ANN401  one of many models
        """The aggregates that it needs of its column; where all is null, counts alone."""
        return [
            Aggregation(col=rule.col, fn=function, q=rule.q if function == "quantile" else None)
            for function in self.measures
            if function == "count_missing" or rule.col not in bound.nulls
        ]


def shown(values: pl.Series) -> list[str]:
    """The values, none of them null, as the answer's rows show them."""
    ready = values.to_frame().select(json_ready(pl.first(), values.dtype)).to_series()
    return [NO_DATE if value is None else shortened(str(value)) for value in ready]


def oldest(rule: FreshRule, bound: Bound, now: dt.datetime) -> dt.datetime:
    """The least time that is no older than the rule's `age`.

    Raises:
        InvalidOptions: It lies before the year 1.
    """
    number, unit = read_grain(rule.age, f"{bound.field}.age")
    try:
        ago = RelativeTime(ago=f"{number} {unit}s")
        return dt.datetime.fromisoformat(moment(ago, now, bound.timezone, "monday", bound.field))
    except InvalidPlan as error:
        raise InvalidOptions(
            error.message, field=f"{bound.field}.age", constraint=error.constraint, suggestion=["1 day"]
        ) from None


def column_type(rule: TypeRule, measured: Measured) -> Judgement:
    """The column has this type."""
    found = type_name(measured.schema[rule.col])
    return _all_or_none(measured.rows, f"type {found}", held=found == rule.type)


def row_count_between(rule: RowCountRule, measured: Measured) -> Judgement:
    """There are this many rows."""
    rows = measured.rows
    missed = max((rule.min or 0) - rows, 0 if rule.max is None else rows - rule.max, 0)
    return Judgement(missed == 0, counted(rows, "row"), rows, missed)


def column_exists(rule: ColumnExistsRule, measured: Measured) -> Judgement:
    """There is a column of this name."""
    held = rule.col in measured.schema
    near = "" if held else did_you_mean(nearest(rule.col, measured.schema))
    observed = "it is there" if held else f"it is not there{near}"
    return _all_or_none(measured.rows, observed, held=held)


def columns_are(rule: ColumnsAreRule, measured: Measured) -> Judgement:
    """The columns are these."""
    found = list(measured.schema)
    missing = [name for name in dict.fromkeys(rule.cols) if name not in measured.schema]
    strange = [name for name in found if name not in rule.cols]
    told = [
        f"{what}: {listed(names)}"
        for what, names in (("missing", missing), ("not expected", strange))
        if names
    ]
    if not told and rule.ordered and list(dict.fromkeys(rule.cols)) != found:
        told = [f"in another order: {listed(found)}"]
    return _all_or_none(measured.rows, "; ".join(told) or counted(len(found), "column"), held=not told)


def mean_between(rule: MeanRule, measured: Measured) -> Judgement:
    """The mean lies between the ends."""
    return _between(rule, measured, "mean", "mean")


def sum_between(rule: SumRule, measured: Measured) -> Judgement:
    """The sum lies between the ends."""
    return _between(rule, measured, "sum", "sum")


def quantile_between(rule: QuantileRule, measured: Measured) -> Judgement:
    """A quantile lies between the ends."""
    return _between(rule, measured, "quantile", f"quantile {rule.q:g}")


def null_ratio_below(rule: NullRatioRule, measured: Measured) -> Judgement:
    """The share of nulls is below the greatest, or there are none."""
    missing = int(measured.value("count_missing"))
    share = missing / measured.rows if measured.rows else 0.0
    observed = f"{counted(missing, 'null')} in {counted(measured.rows, 'row')}"
    return _all_or_none(measured.rows, observed, held=missing == 0 or share < rule.max)


def distinct_between(rule: DistinctRule, measured: Measured) -> Judgement:
    """The number of distinct values lies between the ends."""
    distinct = int(measured.value("n_unique") or 0)
    held = (rule.min or 0) <= distinct and (rule.max is None or distinct <= rule.max)
    return _all_or_none(_values(measured), counted(distinct, "distinct value"), held=held)


def fresher_than(rule: FreshRule, measured: Measured) -> Judgement:
    """The latest value is no older than this."""
    least = oldest(rule, measured.bound, measured.now)
    latest = measured.values.get("max")
    if latest is None or latest.null_count():
        return _all_or_none(measured.rows, "no values", held=False)
    # No calendar need show the latest, but it can be counted.
    ticks = int(latest.to_physical().item())
    if isinstance(latest.dtype, pl.Datetime):
        at, since = ticks * NANOSECONDS[latest.dtype.time_unit], least - EPOCH
    else:
        at, since = ticks * DAY_S * 10**9, least.replace(tzinfo=dt.UTC) - EPOCH
    held = at >= since // dt.timedelta(microseconds=1) * 1000
    observed = f"latest {shown(latest)[0]}, oldest allowed {least.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    return _all_or_none(_values(measured), observed, held=held)


def _between(
    rule: MeanRule | SumRule | QuantileRule, measured: Measured, function: AggregateFunction, words: str
) -> Judgement:
    value = measured.value(function)
    if value is None:
        return _all_or_none(0, "no values", held=True)
    # NaN is greater than every number.
    low = rule.min is None or not value < rule.min
    high = rule.max is None or not (value > rule.max or math.isnan(value))
    return _all_or_none(_values(measured), f"{words} {_number(value)}", held=low and high)


def _number(value: Any) -> str:  # noqa: ANN401  a number of any type
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _values(measured: Measured) -> int:
    """How many values are not null."""
    return int(measured.value("count_valid") or 0)


def _all_or_none(checked: int, observed: str, *, held: bool) -> Judgement:
    return Judgement(held, observed, checked, 0 if held else checked)


FRAME_RULES: dict[str, FrameRule] = {
    "type": FrameRule(column_type),
    "row_count_between": FrameRule(row_count_between),
    "column_exists": FrameRule(column_exists),
    "columns_are": FrameRule(columns_are),
    "mean_between": FrameRule(mean_between, ("count_valid", "mean"), NUMBERS, "numbers"),
    "sum_between": FrameRule(sum_between, ("count_valid", "sum"), NUMBERS, "numbers"),
    "quantile_between": FrameRule(quantile_between, ("count_valid", "quantile"), NUMBERS, "numbers"),
    "null_ratio_below": FrameRule(null_ratio_below, ("count_missing",)),
    "distinct_between": FrameRule(
        distinct_between, ("count_valid", "n_unique"), ORDERED, "values that have an order"
    ),
    "fresher_than": FrameRule(fresher_than, ("count_valid", "max"), TIMES, "dates or timestamps"),
}
