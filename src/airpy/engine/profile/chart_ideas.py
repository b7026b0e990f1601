"""Ideas of charts: numbers over time, by category and by themselves; each with what yields its points."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airpy.contract import ChartHint
from airpy.engine.profile import chart_plans as plans
from airpy.engine.profile.chart_columns import adds_up, complete, is_skewed
from airpy.engine.profile.chart_plans import written
from airpy.engine.profile.chart_scales import bucket, finest_grain, width_of_bins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airpy.contract import AggregateFunction, ChartType, ColumnMetrics, Plan
    from airpy.engine.profile.chart_columns import Roles
    from airpy.engine.profile.chart_plans import Parts

__all__ = [
    "MOST_SERIES",
    "Facts",
    "Idea",
    "areas",
    "bars",
    "boxes",
    "histograms",
    "lines",
    "pies",
    "values",
]

MOST_SERIES, MOST_BOXES, MOST_SLICES, MOST_BINS = 8, 12, 6, 30
FEWEST_BINNED = 3
"""Distinct numbers; two are told by bars."""
ONLY_COUNTED = 0.5
"""What a chart that counts rows is worth beside one of a number."""
TOTALS: dict[AggregateFunction, str] = {"sum": "Total", "mean": "Mean"}


class Idea(NamedTuple):
    """A chart that could be drawn, how good it is among those of its type, and what yields its points."""

    hint: ChartHint
    columns: Sequence[ColumnMetrics]
    goodness: float
    """0 to 1."""
    parts: Parts


class Facts(NamedTuple):
    """What ideas are judged by."""

    roles: Roles
    rows: int
    correlations: list[tuple[str, str, float]]
    tables: dict[frozenset[str], float]
    """Cramér's V by pair of categories."""
    source: Plan | None
    keys: set[frozenset[str]]
    """Columns that name every row together."""


def lines(facts: Facts) -> Iterator[Idea]:
    """Numbers by time, of a few categories each where there is one."""
    for time in facts.roles.times:
        for number in facts.roles.numbers:
            several = _by_category(facts, "line", time, number)
            if idea := next(several, None) or _over_time(facts, "line", time, number, None):
                yield idea


def areas(facts: Facts) -> Iterator[Idea]:
    """Amounts by time, those of a few categories on one another."""
    for time in facts.roles.times:
        for number in filter(adds_up, facts.roles.numbers):
            yield from _by_category(facts, "area", time, number)


def _by_category(facts: Facts, kind: ChartType, time: ColumnMetrics, number: ColumnMetrics) -> Iterator[Idea]:
    for category in facts.roles.categories:
        if values(category) <= MOST_SERIES and (idea := _over_time(facts, kind, time, number, category)):
            yield idea


def _over_time(
    facts: Facts, kind: ChartType, time: ColumnMetrics, number: ColumnMetrics, color: ColumnMetrics | None
) -> Idea | None:
    grain = finest_grain(time, values(color) if color else 1)
    if grain is None or (color is not None and color.name == bucket(grain)):
        return None
    fn: AggregateFunction = "sum" if adds_up(number) else "mean"
    # The bucket has the name of the unit already.
    y = number.name if number.name not in {"", bucket(grain)} else written(fn, number.name)
    own = time.time.timezone if time.time is not None and facts.source is None else None
    zone = None if own == "UTC" else own  # which is what a plan has anyway
    columns = [time, number, color] if color else [time, number]
    hint = ChartHint(
        type=kind,
        x=time.name,
        y=y,
        title=f"{number.name} over time{f' by {color.name}' if color else ''}",
        agg=fn,
        grain=grain,
        reason=f"{number.name} is a number with a time; {grain} is as fine as data and chart allow.",
    )
    if color is not None:
        hint.color = color.name
    return Idea(
        hint,
        columns,
        complete(columns, facts.rows),
        plans.over_time(time, grain, color, plans.aggregate(fn, number, y), zone),
    )


def bars(facts: Facts) -> Iterator[Idea]:
    """Numbers by category, and how many rows each value has."""
    for category in facts.roles.categories:
        for number in facts.roles.numbers:
            yield _by_value(facts, "bar", category, number, "by")
        yield _by_value(facts, "bar", category, None, "by")


def pies(facts: Facts) -> Iterator[Idea]:
    """What share of an amount, or of the rows, each of a few values has."""
    for category in facts.roles.categories:
        if values(category) <= MOST_SLICES:
            for number in filter(adds_up, facts.roles.numbers):
                yield _by_value(facts, "pie", category, number, "split by")
            yield _by_value(facts, "pie", category, None, "split by")


def _by_value(
    facts: Facts, kind: ChartType, category: ColumnMetrics, number: ColumnMetrics | None, by: str
) -> Idea:
    columns = [category, number] if number else [category]
    fn: AggregateFunction = "count" if number is None else "sum" if adds_up(number) else "mean"
    y = written(fn, number.name) if number else written(fn)
    what = f"{TOTALS[fn]} {number.name}" if number else "Rows"
    return Idea(
        ChartHint(
            type=kind,
            x=category.name,
            y=y,
            title=f"{what} {by} {category.name}",
            agg=fn,
            reason=f"{category.name} has {values(category)} values, few enough to be told apart.",
        ),
        columns,
        complete(columns, facts.rows) * (1 if number else ONLY_COUNTED),
        plans.by_groups([category], plans.aggregate(fn, number), greatest_first=True),
    )


def histograms(facts: Facts) -> Iterator[Idea]:
    """How numbers are distributed."""
    for number in facts.roles.numbers:
        width = width_of_bins(number, MOST_BINS)
        if width and values(number) >= FEWEST_BINNED and not is_skewed(number):
            yield Idea(
                ChartHint(
                    type="histogram",
                    x=number.name,
                    y=written("count"),
                    title=f"Distribution of {number.name}",
                    agg="count",
                    reason=f"{number.name} is a number of {values(number)} different values.",
                ),
                [number],
                complete([number], facts.rows),
                plans.binned([(number, width)]),
            )


def boxes(facts: Facts) -> Iterator[Idea]:
    """How skewed numbers are distributed, by category where there is one."""
    for number in facts.roles.numbers:
        if not is_skewed(number):
            continue
        few = [category for category in facts.roles.categories if values(category) <= MOST_BOXES]
        for category in few or (None,):
            columns = [category, number] if category else [number]
            yield Idea(
                ChartHint(
                    type="box",
                    x=columns[0].name,
                    y=number.name,
                    title=f"Quartiles of {number.name}{f' by {category.name}' if category else ''}",
                    reason=f"{number.name} is skewed ({number.skew:.1f}), which quartiles bear.",
                ),
                columns,
                complete(columns, facts.rows),
                plans.quartiles(number, category),
            )


def values(column: ColumnMetrics) -> int:
    """How many different values the column has."""
    return column.unique or 0
