"""Charts of rows that cannot be grouped again, as those of a plan that groups: each of them is one point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.contract import ChartHint
from airpy.engine.profile import chart_plans as plans
from airpy.engine.profile.chart_columns import complete
from airpy.engine.profile.chart_ideas import MOST_SERIES, Idea, values
from airpy.engine.profile.chart_pairs import scatters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airpy.contract import ChartType, ColumnMetrics
    from airpy.engine.profile.chart_ideas import Facts

__all__ = ["bars_of_rows", "lines_of_rows", "scatters_of_rows"]


def lines_of_rows(facts: Facts) -> Iterator[Idea]:
    """Numbers by time."""
    yield from _of_rows(facts, "line", facts.roles.times, "over")


def bars_of_rows(facts: Facts) -> Iterator[Idea]:
    """Numbers by category."""
    yield from _of_rows(facts, "bar", facts.roles.categories, "by")


def _of_rows(facts: Facts, kind: ChartType, axes: Sequence[ColumnMetrics], by: str) -> Iterator[Idea]:
    """Charts of rows as they are, where no two are at the same place."""
    few = [category for category in facts.roles.categories if values(category) <= MOST_SERIES]
    for x in axes:
        alone = frozenset([x.name]) in facts.keys
        others = [each for each in few if each is not x and frozenset([x.name, each.name]) in facts.keys]
        color = None if alone or not others else others[0]
        for number in facts.roles.numbers if alone or color else []:
            columns = [x, number, color] if color else [x, number]
            hint = ChartHint(
                type=kind,
                x=x.name,
                y=number.name,
                title=f"{number.name} {by} {x.name}",
                reason=f"Each row is one point of {x.name}.",
            )
            if color is not None:
                hint.color = color.name
            yield Idea(hint, columns, complete(columns, facts.rows), plans.own_rows(facts.source))


def scatters_of_rows(facts: Facts) -> Iterator[Idea]:
    """Numbers that are related, and not the same."""
    for idea in scatters(facts):
        yield idea._replace(parts=plans.own_rows(facts.source))
