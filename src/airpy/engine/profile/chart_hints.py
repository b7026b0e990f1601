"""Chart suggestions, judged from schema and metrics."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from airpy.contract import ChartHint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airpy.contract import ColumnMetrics

__all__ = ["chart_hints"]

TEMPORAL = {"date", "timestamp"}
CATEGORICAL = {"string", "bool"}
FEWEST_BARS, MOST_BARS = 2, 30
WEAKEST, STRONGEST = 0.3, 0.98
"""Below these a scatter plot shows noise, above them a line that one number says better."""


def chart_hints(
    columns: Sequence[ColumnMetrics], correlations: Sequence[tuple[str, str, float]], most: int
) -> list[ChartHint]:
    """Charts worth drawing, best first, at most `most` of them.

    A time and a number make a line; a category of 2 to 30 values and a number, bars of sums; two numbers
    with |r| from 0.3 to 0.98, a scatter plot; a number alone, a histogram. Columns without variation are
    never drawn.
    """
    hints: list[ChartHint] = []
    # One chart of each kind comes before a second of any.
    kinds = [
        list(islice(kind, most))
        for kind in (
            _lines(columns),
            _bars(columns),
            _scatters(columns, correlations),
            _histograms(columns),
        )
    ]
    for rank in range(max(map(len, kinds))):
        hints += [kind[rank] for kind in kinds if rank < len(kind)]
    return hints[:most]


def _lines(columns: Sequence[ColumnMetrics]) -> Iterator[ChartHint]:
    for time in columns:
        if time.type in TEMPORAL and _varies(time):
            for number in _numbers(columns):
                yield ChartHint(type="line", x=time.name, y=number.name, title=f"{number.name} over time")


def _bars(columns: Sequence[ColumnMetrics]) -> Iterator[ChartHint]:
    for category in columns:
        if category.type in CATEGORICAL and FEWEST_BARS <= (category.unique or 0) <= MOST_BARS:
            for number in reversed(_numbers(columns)):
                yield ChartHint(
                    type="bar",
                    x=category.name,
                    y=f"sum({number.name})",
                    title=f"Total {number.name} by {category.name}",
                )


def _scatters(
    columns: Sequence[ColumnMetrics], correlations: Sequence[tuple[str, str, float]]
) -> Iterator[ChartHint]:
    numbers = {column.name for column in _numbers(columns)}
    for one, two, r in correlations:
        if {one, two} <= numbers and WEAKEST <= abs(r) <= STRONGEST:
            yield ChartHint(type="scatter", x=one, y=two, title=f"{one} and {two} (r = {r:.2f})")


def _histograms(columns: Sequence[ColumnMetrics]) -> Iterator[ChartHint]:
    for number in _numbers(columns):
        yield ChartHint(type="histogram", x=number.name, y="count(*)", title=f"Distribution of {number.name}")


def _numbers(columns: Sequence[ColumnMetrics]) -> list[ColumnMetrics]:
    return [column for column in columns if column.mean is not None and _varies(column)]


def _varies(column: ColumnMetrics) -> bool:
    return (column.unique or 0) > 1
