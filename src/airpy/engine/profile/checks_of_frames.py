"""Checks of whole frames: their rows, their keys, and what hangs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.contract import Filter, RowsFilter
from airpy.engine.profile.findings import Finding, leaf, share_of
from airpy.engine.steps import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airpy.engine.profile.findings import Facts

__all__ = ["FRAME_CHECKS"]

LEAST_PAIRS = 3
"""Rows with both values; two points always lie on a line."""


def empty_frame(facts: Facts) -> Iterator[Finding]:
    """The frame has no rows."""
    if facts.rows == 0:
        yield Finding("warning", "the frame has no rows", [])


def small_sample(facts: Facts) -> Iterator[Finding]:
    """There are too few rows for statistics to mean much."""
    threshold = facts.thresholds.small_sample
    if 0 < facts.rows < threshold:
        detail = f"{counted(facts.rows, 'row')} {'is' if facts.rows == 1 else 'are'} too few to judge by"
        yield Finding("info", detail, [], value=facts.rows, threshold=threshold)


def duplicate_rows(facts: Facts) -> Iterator[Finding]:
    """Rows repeat earlier rows."""
    repeated = facts.metrics.duplicate_rows
    if repeated:
        detail = f"{counted(repeated, 'row')} {'repeats' if repeated == 1 else 'repeat'} an earlier row"
        whole = Filter(rows=RowsFilter(are="repeated", cols=[column.name for column in facts.columns]))
        yield Finding("warning", detail, [whole], rows=repeated)


def duplicate_keys(facts: Facts) -> Iterator[Finding]:
    """Values that should name a row name several: of the keys asked for, else of what is nearly a key."""
    if keys := facts.options.keys:
        yield _shared(keys, f"the keys {', '.join(keys)} do not name each row", "asked for")
        return
    for column in facts.columns:
        share = share_of(column.unique or 0, column.count)
        is_key_like = column.text is not None or column.type.startswith(("int", "uint"))
        if (
            is_key_like
            and column.count > 1
            and facts.thresholds.near_unique <= share < 1
            and column.is_unique is False
        ):
            found = _shared(
                [column.name], f"{column.name} is nearly a key, but values occur twice", "distinct share"
            )
            yield found._replace(
                severity="info", column=column.name, value=share, threshold=facts.thresholds.near_unique
            )


def high_correlation(facts: Facts) -> Iterator[Finding]:
    """Two columns are correlated at or above the threshold."""
    threshold = facts.options.correlation_threshold
    rows = facts.state.pairs.rows
    places = {facts.columns[place].name: n for n, place in enumerate(facts.state.paired)}
    for one, two, r in (pair.root if hasattr(pair, "root") else pair for pair in facts.metrics.correlations):
        enough = rows[places[str(one)], places[str(two)]] >= LEAST_PAIRS
        if isinstance(r, float) and abs(r) >= threshold and enough:
            both = [leaf(str(name), "not_null") for name in (one, two)]
            detail = f"{one} and {two} are correlated (r = {r:.2f})"
            yield Finding("info", detail, both, str(one), value=r, threshold=threshold, method="pearson")


def _shared(columns: list[str], detail: str, method: str) -> Finding:
    """Rows whose values in these columns are those of another row, and none of them null."""
    whole = [leaf(name, "not_null") for name in columns]
    return Finding(
        "warning", detail, [Filter(rows=RowsFilter(are="shared", cols=columns)), *whole], method=method
    )


FRAME_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    empty_frame,
    small_sample,
    duplicate_rows,
    duplicate_keys,
    high_correlation,
)
