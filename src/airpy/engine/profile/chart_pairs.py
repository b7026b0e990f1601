"""Charts of two columns or more that hang together: scatter plots and heat maps."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from airpy.contract import ChartHint
from airpy.engine.profile import chart_plans as plans
from airpy.engine.profile.chart_columns import complete, is_skewed
from airpy.engine.profile.chart_ideas import Idea
from airpy.engine.profile.chart_plans import written
from airpy.engine.profile.chart_scales import MOST_POINTS, width_of_bins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airpy.contract import ColumnMetrics
    from airpy.engine.profile.chart_ideas import Facts

__all__ = ["heatmaps", "scatters"]

MOST_BINS_EACH_WAY = 40
WEAKEST, STRONGEST = 0.3, 0.98
"""Below these a scatter plot shows noise, above them a line that one number says better."""
WEAKEST_TABLE = 0.1
"""Cramér's V of categories that are worth a table."""
FEWEST_CORRELATED, MOST_CORRELATED = 4, 12


def scatters(facts: Facts) -> Iterator[Idea]:
    """Numbers that are related, and not the same."""
    for one, two, r in _related(facts):
        columns = [one, two]
        if parts := plans.single_rows(columns, facts.source, facts.rows):
            yield Idea(
                ChartHint(
                    type="scatter",
                    x=one.name,
                    y=two.name,
                    title=f"{one.name} and {two.name} (r = {r:.2f})",
                    reason=f"{one.name} and {two.name} are related (r = {r:.2f}), and not the same.",
                ),
                columns,
                abs(r) * complete(columns, facts.rows),
                parts,
            )


def _related(facts: Facts) -> Iterator[tuple[ColumnMetrics, ColumnMetrics, float]]:
    """Numbers that are related, strongest first, and their correlation."""
    numbers = {column.name: column for column in facts.roles.numbers}
    for one, two, r in facts.correlations:
        if one in numbers and two in numbers and WEAKEST <= abs(r) <= STRONGEST:
            yield numbers[one], numbers[two], r


def heatmaps(facts: Facts) -> Iterator[Idea]:
    """Many related numbers by their bins, the correlations of numbers, and counts of two categories."""
    yield from _dense(facts)
    yield from _correlations(facts)
    yield from _tables(facts)


def _dense(facts: Facts) -> Iterator[Idea]:
    """Of numbers with so many rows that the points of a scatter plot hide one another."""
    if facts.rows <= MOST_POINTS:
        return
    for one, two, r in _related(facts):
        columns = [one, two]
        across, up = (width_of_bins(number, MOST_BINS_EACH_WAY) for number in columns)
        if across and up and not any(map(is_skewed, columns)):
            yield Idea(
                _counts(
                    columns,
                    f"{one.name} and {two.name} (r = {r:.2f})",
                    f"{one.name} and {two.name} are related (r = {r:.2f}), in too many rows for points.",
                ),
                columns,
                abs(r) * complete(columns, facts.rows),
                plans.binned([(one, across), (two, up)]),
            )


def _correlations(facts: Facts) -> Iterator[Idea]:
    numbers = {column.name: column for column in facts.roles.numbers if plans.is_finite(column)}
    related = dict.fromkeys(
        name for one, two, _ in facts.correlations if one in numbers and two in numbers for name in (one, two)
    )
    columns = [numbers[name] for name in related][:MOST_CORRELATED]
    if len(columns) >= FEWEST_CORRELATED:
        yield Idea(
            ChartHint(
                type="heatmap",
                x="*",
                y="*",
                color=written("corr"),
                title=f"Correlations of {len(columns)} numbers",
                agg="corr",
                reason=f"{len(columns)} numbers make {len(columns) * (len(columns) - 1) // 2} pairs.",
            ),
            columns,
            complete(columns, facts.rows),
            plans.correlated(columns),
        )


def _tables(facts: Facts) -> Iterator[Idea]:
    for one, two in combinations(facts.roles.categories, 2):
        v = facts.tables.get(frozenset([one.name, two.name]), 0.0)
        if v >= WEAKEST_TABLE:
            columns = [one, two]
            yield Idea(
                _counts(
                    columns,
                    f"Rows by {one.name} and {two.name}",
                    f"{one.name} and {two.name} hang together (Cramér's V = {v:.2f}).",
                ),
                columns,
                v * complete(columns, facts.rows),
                plans.by_groups(columns, plans.aggregate("count", None)),
            )


def _counts(columns: Sequence[ColumnMetrics], title: str, reason: str) -> ChartHint:
    """A heat map of counts."""
    x, y = (column.name for column in columns)
    return ChartHint(
        type="heatmap", x=x, y=y, color=written("count"), title=title, agg="count", reason=reason
    )
