"""Compares a frame with a baseline: rows, columns, keys, and how far the values of each have drifted."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from airpy.contract import ColumnDrift, DriftTest, FrameComparison, RowsChange, ValueCount
from airpy.engine.encoding import json_values
from airpy.engine.profile.changes import ColumnSide, Side, key_changes, schema_changes
from airpy.engine.profile.drift import (
    greatest_distance,
    jensen_shannon,
    parts_of,
    stability_index,
    tenths_of,
)
from airpy.engine.profile.ranks import NO_RANKS, Ranks
from airpy.engine.profile.times import second_of
from airpy.engine.profile.values import TIMES
from airpy.engine.schema import type_name
from airpy.engine.widening import wider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from airpy.contract import DriftStatistic, IssueThresholds
    from airpy.engine.profile.frequent import Frequent

__all__ = ["ColumnSide", "Side", "compare"]

CHANCE = 0.05
"""How likely chance may make a distance that is no drift."""
MOST_CATEGORIES = 20


class _Parts(NamedTuple):
    """How often each part occurs on either side."""

    before: NDArray[np.int64]
    after: NDArray[np.int64]


def compare(before: Side, after: Side, thresholds: IssueThresholds) -> FrameComparison:
    """What has changed since the baseline.

    Of every column that both have it is tested how far the shares of nulls are apart; of values, where both
    have some of the same kind, how far the shares of their parts are: of numbers and times the baseline's
    tenths and NaN, of all else the values themselves, where all are known. Numbers and times are tested by
    their distributions too. A statistic at or beyond its threshold has drifted; that of distributions, if
    chance alone makes it as great in fewer than 5 of 100 cases.
    """
    others = {column.name: column for column in after.columns}
    drift = [
        _drift(column, others[column.name], (before.rows, after.rows), thresholds)
        for column in before.columns
        if column.name in others
    ]
    rows, columns, keys = (
        _rows(before.rows, after.rows, thresholds.rows_change),
        schema_changes(before, after),
        key_changes(before, after),
    )
    has_changed = rows.drifted or columns or keys or any(column.drifted for column in drift)
    is_broken = any(column.breaking for column in columns) or any(key.breaking for key in keys)
    return FrameComparison(
        verdict="breaking" if is_broken else "drifted" if has_changed else "same",
        rows=rows,
        schema_changes=columns,
        drift=sorted(drift, key=lambda column: not column.drifted),
        keys=keys,
    )


def _rows(before: int, after: int, threshold: float) -> RowsChange:
    change = (after - before) / before if before else None
    drifted = after > 0 if change is None else _is_beyond(abs(change), threshold)
    return RowsChange(before=before, after=after, change=change, drifted=drifted)


def _drift(
    before: ColumnSide, after: ColumnSide, rows: tuple[int, int], thresholds: IssueThresholds
) -> ColumnDrift:
    tests = list(_tests(before, after, rows, thresholds))
    drift = ColumnDrift(
        column=before.name,
        type=type_name(after.dtype),
        drifted=any(test.drifted for test in tests),
        tests=tests,
    )
    values = _values(before, after)
    if values is not None:
        drift.new_categories = _only_in(values, "after")
        drift.gone_categories = _only_in(values, "before")
    return drift


def _tests(
    before: ColumnSide, after: ColumnSide, rows: tuple[int, int], thresholds: IssueThresholds
) -> Iterator[DriftTest]:
    numbers = _numbers(before, after)
    if numbers is not None and all(len(ranks.values) for ranks in numbers):
        distance = greatest_distance(*numbers)
        test = _test("ks", distance.value, thresholds.ks)
        test.p_value = distance.p_value
        test.drifted = test.drifted and distance.p_value < CHANCE
        yield test
    parts = _parts(before, after, numbers)
    if parts is not None and before.count and after.count:
        yield _test("js", jensen_shannon(*parts), thresholds.js)
        yield _test("psi", stability_index(*parts), thresholds.psi)
    if all(rows):
        # Exactly, so that 15 of 100 are 0.05 from 10 of 100.
        change = abs(Fraction(after.missing, rows[1]) - Fraction(before.missing, rows[0]))
        yield _test("missing", float(change), thresholds.missing_change)


def _test(statistic: DriftStatistic, value: float, threshold: float) -> DriftTest:
    return DriftTest(
        statistic=statistic, value=value, threshold=threshold, drifted=_is_beyond(value, threshold)
    )


def _is_beyond(value: float, threshold: float) -> bool:
    """Whether it has drifted; what is the same has not, whatever the threshold."""
    return value >= threshold and value > 0


def _numbers(before: ColumnSide, after: ColumnSide) -> tuple[Ranks, Ranks] | None:
    """The numbers of both sides on one scale, where both hold numbers, or both times."""
    one, other = before.dtype, after.dtype
    if one.is_numeric() and other.is_numeric():
        return before.ranks or NO_RANKS, after.ranks or NO_RANKS
    if isinstance(one, TIMES) and isinstance(other, TIMES):
        ranks = before.ranks or NO_RANKS, after.ranks or NO_RANKS
        return (
            ranks
            if second_of(one) == second_of(other)
            else (_seconds(ranks[0], one), _seconds(ranks[1], other))
        )
    return None


def _seconds(ranks: Ranks, dtype: pl.DataType) -> Ranks:
    return ranks._replace(values=ranks.values / second_of(dtype))


def _parts(before: ColumnSide, after: ColumnSide, numbers: tuple[Ranks, Ranks] | None) -> _Parts | None:
    if numbers is not None:
        edges = tenths_of(numbers[0])
        return _Parts(
            *(
                np.append(parts_of(ranks, edges), side.count - ranks.total)
                for ranks, side in zip(numbers, (before, after), strict=True)
            )
        )
    values = _values(before, after)
    if values is None:
        return None
    return _Parts(*(values[side].to_numpy() for side in ("before", "after")))


def _values(before: ColumnSide, after: ColumnSide) -> pl.DataFrame | None:
    """How often each value occurs on either side: `value`, `before`, `after`; where all are known."""
    common = wider(before.dtype, after.dtype)
    if common is None or _numbers(before, after) is not None:
        return None
    one, other = _counted(before.frequent, common, "before"), _counted(after.frequent, common, "after")
    if one is None or other is None:
        return None
    counts = one.join(other, on="value", how="full", coalesce=True, nulls_equal=True)
    return counts.with_columns(pl.col("before", "after").fill_null(0)).sort("value")


def _counted(frequent: Frequent | None, dtype: pl.DataType, name: str) -> pl.DataFrame | None:
    if frequent is None or frequent.missed:
        return None
    return pl.DataFrame({"value": frequent.values.cast(dtype), name: frequent.counts.cast(pl.Int64)})


def _only_in(values: pl.DataFrame, side: str) -> list[ValueCount]:
    """Values that the other side does not have, the most frequent first."""
    other = "before" if side == "after" else "after"
    whole = values[side].sum()
    found = values.filter(pl.col(other) == 0, pl.col(side) > 0).sort(side, "value", descending=[True, False])
    found = found.head(MOST_CATEGORIES)
    return [
        ValueCount(value=value, count=count, share=count / whole)
        for value, count in zip(json_values(found["value"]), found[side], strict=True)
    ]
