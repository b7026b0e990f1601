"""Metrics of columns, made from what one pass has kept of them.

Quantiles are by linear interpolation (Hyndman and Fan's type 7), variance and standard deviation are those of
a sample (n − 1). NaN is a value, and no null, where values are counted; statistics leave it out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from airpy.contract import ColumnMetrics, Estimate, KindCount, Quantiles, TextMetrics, ValueCount
from airpy.engine.encoding import json_values
from airpy.engine.profile.frames import Differing
from airpy.engine.profile.histograms import histogram
from airpy.engine.profile.kinds import PERSONAL, found_kinds, found_patterns
from airpy.engine.profile.times import time_metrics
from airpy.engine.profile.values import TEXTS, TIMES
from airpy.engine.schema import type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airpy.contract import PatternCount, TextKind
    from airpy.engine.profile.states import ColumnState, FrameState
    from airpy.engine.profile.tallies import Tallies

__all__ = ["column_metrics", "differing"]

SHARES = {"p01": 0.01, "p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}
MOST_TOP, MOST_BOTTOM = 10, 5


class _Shown(NamedTuple):
    """Values of a column in the forms of the contract."""

    ends: list[Any]
    top: list[Any]
    bottom: list[Any]
    """The most frequent first, as above."""


class _Texts(NamedTuple):
    """Sampled values of a column of text, how many are of which kind, and their shapes."""

    values: pl.Series
    kinds: Mapping[TextKind, int]
    patterns: list[PatternCount]


def column_metrics(state: FrameState, unique: Mapping[int, int] | None = None) -> list[ColumnMetrics]:
    """Metrics of every column, in order; `outliers` and their bounds are for `outliers.py` to fill in.

    Args:
        state: What was kept of the frame.
        unique: The exact number of different values, by the places of columns where the state has estimates.
    """
    texts = _texts(state)
    return [
        _metrics(state, place, texts.get(place), (unique or {}).get(place))
        for place in range(len(state.columns))
    ]


def differing(state: FrameState, place: int, unique: int | None = None) -> Differing:
    """How many different values a column has, and whether each occurs once."""
    column = state.columns[place]
    if column.distinct is None:
        return Differing(None, None)
    size, exact, count = column.distinct.size, column.distinct.exact, state.rows - column.missing
    if not exact:
        size = min(size, count) if unique is None else unique
    is_known = exact or unique is not None
    return Differing(size, _is_unique(size, count, exact=is_known) if count else None)


def _texts(state: FrameState) -> dict[int, _Texts]:
    """By place, the sampled values of columns of text."""
    places = [place for place, dtype in enumerate(state.schema.dtypes()) if isinstance(dtype, TEXTS)]
    values = [state.texts(place) for place in places]
    found = map(_Texts, values, found_kinds(values), found_patterns(values))
    return dict(zip(places, found, strict=True))


def _null_if_beyond(value: float | None) -> float | None:
    """The value, or null where JSON has none for it."""
    return value if value is not None and math.isfinite(value) else None


def _metrics(state: FrameState, place: int, texts: _Texts | None, unique: int | None) -> ColumnMetrics:
    column, rows = state.columns[place], state.sample.rows.to_series(place)
    shown = _shown(column)
    name, dtype = rows.name, rows.dtype
    count = state.rows - column.missing
    size, is_unique = differing(state, place, unique)
    metrics = ColumnMetrics(
        name=name,
        type=type_name(dtype),
        count=count,
        missing=column.missing,
        unique=size,
        min=shown.ends[0],
        max=shown.ends[1],
        mean=None,
        std=None,
        median=None,
        q1=None,
        q3=None,
        zeros=column.tallies.counts.get("zeros"),
        outliers=None,
        is_constant=None if size is None else size == 1 and not column.missing,
        is_unique=is_unique,
    )
    if dtype.is_numeric():
        _add_statistics(metrics, column)
    if column.order is not None and (order := column.order.name) is not None:
        metrics.order = order
    if (bins := histogram(column.ranks, dtype)) is not None:
        metrics.histogram = bins
    if column.frequent is not None and count:
        counts = column.frequent.counts
        metrics.top_values = _counted(counts.head(MOST_TOP), shown.top, count)
        if column.frequent.known:
            metrics.bottom_values = _counted(counts.tail(MOST_BOTTOM), shown.bottom, count)[::-1]
    if texts is not None and count:
        _add_text(metrics, column.tallies, texts)
    if isinstance(dtype, TIMES) and count:
        metrics.time = time_metrics(column, dtype, count)
    if estimates := list(_estimates(column, count, unique)):
        metrics.estimates = estimates
    return metrics


def _is_unique(size: int, count: int, *, exact: bool) -> bool | None:
    """Whether no value occurs twice; None where an estimate cannot say so."""
    if exact:
        return size == count
    return None if size >= count * (1 - NEAR) else False


NEAR = 0.05
"""How near the number of values an estimate of the different ones may be, and still be all of them."""


def _add_statistics(metrics: ColumnMetrics, column: ColumnState) -> None:
    counts, powers, ranks = column.tallies.counts, column.powers, column.ranks
    metrics.negatives = counts.get("negatives", 0)
    metrics.nan, metrics.infinite = counts.get("nan", 0), counts.get("infinite", 0)
    if not len(ranks.values):
        return
    quantiles = ranks.quantiles(list(SHARES.values()))
    if all(map(math.isfinite, quantiles)):
        metrics.quantiles = Quantiles(**dict(zip(SHARES, quantiles, strict=True)))
    metrics.q1, metrics.median, metrics.q3 = map(_null_if_beyond, quantiles[2:5])
    if metrics.q1 is not None and metrics.q3 is not None:
        metrics.iqr = _null_if_beyond(metrics.q3 - metrics.q1)
    if metrics.median is not None:
        metrics.mad = _null_if_beyond(ranks.deviations(metrics.median).quantiles([0.5])[0])
    if metrics.infinite or not powers.total:
        return
    metrics.sum, metrics.mean = _null_if_beyond(powers.sum), _null_if_beyond(powers.mean)
    metrics.variance = _null_if_beyond(powers.variance)
    metrics.std = None if powers.variance is None else _null_if_beyond(math.sqrt(powers.variance))
    metrics.skew, metrics.kurtosis = _null_if_beyond(powers.skew), _null_if_beyond(powers.kurtosis)


def _add_text(metrics: ColumnMetrics, tallies: Tallies, texts: _Texts) -> None:
    looked_at = max(len(texts.values), 1)
    found = [
        KindCount(kind=kind, count=number, share=number / looked_at)
        for kind, number in sorted(texts.kinds.items(), key=lambda each: -each[1])
    ]
    metrics.text = TextMetrics(
        min_length=tallies.shortest or 0,
        mean_length=tallies.characters / metrics.count,
        max_length=tallies.longest or 0,
        blank=tallies.counts["blank"],
        whitespace=tallies.counts["whitespace"],
        patterns=texts.patterns,
        kinds=found,
    )
    if personal := [each for each in found if each.kind in PERSONAL]:
        metrics.personal = personal


def _estimates(column: ColumnState, count: int, unique: int | None) -> Iterable[Estimate]:
    if column.distinct is not None and not column.distinct.exact and unique is None:
        method = f"the {len(column.distinct.hashes)} least of 64-bit hashes (k minimum values)"
        yield Estimate(metric="unique", method=method, error=column.distinct.error)
    if not column.ranks.exact:
        method = f"{len(column.ranks.values)} evenly spaced ranks"
        yield Estimate(metric="quantiles", method=method, error=column.ranks.error)
    if column.frequent is not None and not column.frequent.known and len(column.frequent.values):
        method = f"the {len(column.frequent.counts)} most frequent of each part (Misra and Gries)"
        yield Estimate(metric="top_values", method=method, error=min(column.frequent.missed / count, 1.0))


def _counted(counts: pl.Series, values: Sequence[Any], whole: int) -> list[ValueCount]:
    return [
        ValueCount(value=value, count=count, share=count / whole)
        for value, count in zip(values, counts, strict=True)
    ]


def _shown(column: ColumnState) -> _Shown:
    """Values of a column; a duration has no ends that are shown."""
    if column.ends is None or column.frequent is None:
        return _Shown([None, None], [], [])
    top, bottom = column.frequent.values.head(MOST_TOP), column.frequent.values.tail(MOST_BOTTOM)
    # At once, since each conversion of times costs as much as one of many.
    values = json_values(pl.concat([column.ends, top, bottom]))
    ends = [None, None] if isinstance(column.ends.dtype, pl.Duration) else values[:2]
    return _Shown(ends, values[2 : 2 + len(top)], values[2 + len(top) :])
