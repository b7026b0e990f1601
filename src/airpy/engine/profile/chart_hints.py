"""Chart suggestions: ideas of what to draw, ranked, each with the plan that yields its points."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airpy.engine.plan import group_keys, is_grouped
from airpy.engine.profile.chart_columns import roles
from airpy.engine.profile.chart_ideas import Facts, areas, bars, boxes, histograms, lines, pies
from airpy.engine.profile.chart_pairs import heatmaps, scatters
from airpy.engine.profile.chart_plans import extended, is_finished
from airpy.engine.profile.chart_rows import bars_of_rows, lines_of_rows, scatters_of_rows
from airpy.engine.profile.chart_scales import MOST_POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airpy.contract import ChartHint, ColumnMetrics, FrameMetrics, Plan
    from airpy.engine.profile.chart_ideas import Idea

__all__ = ["chart_hints"]

REPEATED = 0.5
"""What a column is worth that was drawn already, beside one that was not."""
LATER = 0.8
"""What the next chart of a type is worth beside the one before."""

DRAWN: tuple[Callable[[Facts], Iterator[Idea]], ...] = (
    lines,
    bars,
    scatters,
    histograms,
    heatmaps,
    areas,
    boxes,
    pies,
)
AS_THEY_ARE: tuple[Callable[[Facts], Iterator[Idea]], ...] = (
    lines_of_rows,
    bars_of_rows,
    scatters_of_rows,
)


def chart_hints(
    columns: Sequence[ColumnMetrics], metrics: FrameMetrics, most: int, source: Plan | None
) -> list[ChartHint]:
    """Charts worth drawing, best first, at most `most` of them, each with a plan that yields its points.

    They come in rounds of one chart of each type. Within a type the best comes first: by the share of rows
    that have all its values, times the strength of what it shows, and halved for each time that one of its
    columns was drawn before. The score is 1 for the best chart there could be, falls by at most 0.2 within a
    round, evenly by the types' places in it, and to 0.8 of itself from one round to the next.

    Args:
        columns: Metrics of every column.
        metrics: Those of the frame.
        most: How many hints to give.
        source: The plan that the frame is the answer of, which theirs extend; nothing of a frame that was
            sent, which theirs then call `frame`.
    """
    waiting = _ideas(columns, metrics, source) if metrics.rows and most else []
    hints: list[ChartHint] = []
    drawn: Counter[str] = Counter()
    worth = 1.0
    while len(hints) < most and any(waiting):
        for place, candidates in enumerate(waiting):
            best = _best(candidates, drawn, source)
            if best is None:
                continue
            fallen = (place + 1 - best.goodness) / len(waiting)
            best.hint.score = round(worth * (1 - (1 - LATER) * fallen), 4)
            hints.append(best.hint)
            drawn.update(column.name for column in best.columns)
        worth *= LATER
    return hints[:most]


def _best(candidates: list[Idea], drawn: Counter[str], source: Plan | None) -> Idea | None:
    """The best that has a plan, as good as it is now; it is taken away, as are those that have none."""

    def goodness(idea: Idea) -> float:
        return idea.goodness * REPEATED ** sum(drawn[column.name] for column in idea.columns)

    while candidates:
        best = max(candidates, key=goodness)  # the first of several
        candidates.remove(best)
        best.hint.plan = extended(source, best.parts)
        if best.hint.plan is not None:
            return best._replace(goodness=goodness(best))
    return None


def _ideas(columns: Sequence[ColumnMetrics], metrics: FrameMetrics, source: Plan | None) -> list[list[Idea]]:
    """Charts that the frame could be drawn as, by type, the types in the order in which they are worth most.

    A time and a number make a line, and an area where amounts of categories stand on one another; a category
    of 2 to 30 values bars of a number, or of counts, and a pie of up to 6; two numbers with |r| from 0.3 to
    0.98 a scatter plot, and of more than 2,000 rows a heat map too; a number alone a histogram, or a box plot
    where it is skewed; 4 numbers or more a heat map of their correlations; two categories with a Cramér's V
    of 0.1 or more one of counts. Of a plan whose rows cannot be grouped again, charts are of those rows,
    where each is one point.
    """
    by = group_keys(source) if source is not None and is_grouped(source) else None
    keys = {frozenset(key) for key in metrics.candidate_keys or []}
    keys |= {frozenset([column.name]) for column in columns if column.unique == metrics.rows}
    if source is not None and by and not source.pivot:
        keys.add(frozenset(by))
    facts = Facts(
        roles(columns, metrics.rows, by),
        metrics.rows,
        [(str(one), str(two), float(r)) for one, two, r in metrics.correlations],
        {
            frozenset([each.a, each.b]): each.value
            for each in metrics.associations or []
            if each.method == "cramers_v"
        },
        source,
        keys,
    )
    if is_finished(source):
        return [list(draw(facts)) for draw in AS_THEY_ARE if facts.rows <= MOST_POINTS]
    return [list(draw(facts)) for draw in DRAWN]
