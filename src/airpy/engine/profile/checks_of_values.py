"""Checks of columns of any type, and of numbers: what is missing, all the same, far away, or out of place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from airpy.contract import Filter
from airpy.engine.profile.ends import greatest_of, least_of
from airpy.engine.profile.equals import equal_to
from airpy.engine.profile.findings import Finding, either, leaf, negated, share_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from airpy.contract import ColumnMetrics
    from airpy.engine.profile.findings import Facts
    from airpy.engine.profile.outliers import Bounds

__all__ = ["VALUE_CHECKS"]

METHOD_NAMES = {"iqr": "IQR", "zscore": "3-sigma", "mad": "MAD"}
FEWEST_CATEGORIES, MOST_CATEGORIES = 2, 30
LEAST_DISTINCT = 50
SENTINELS = (-999, -9999, -99999, -999999, 999, 9999, 99999, 999999, -1)
"""Numbers that people write where there is none."""
LEAST_SENTINELS = 0.01


def outliers(facts: Facts) -> Iterator[Finding]:
    """Values lie beyond the bounds of the outlier method, of the whole column or of their group."""
    method = METHOD_NAMES[facts.options.outlier_method]
    for column in facts.columns:
        if groups := facts.group_bounds.get(column.name):
            within = [
                Filter(all=[*found.group, *outside])
                for found in groups
                if (outside := _beyond(facts, column, found.bounds))
            ]
            detail = f"{column.name} {method} outliers detected within {', '.join(facts.options.by or [])}"
            yield Finding(
                "warning",
                detail,
                [either(within)],
                column.name,
                method=facts.options.outlier_method,
                dated=True,
            )
        elif bounds := facts.bounds.get(column.name):
            outside = _beyond(facts, column, bounds)
            if _is_within(column, bounds) or not outside:
                continue
            detail = (
                f"{column.name} {method} outliers detected: outside {bounds.low:.6g} to {bounds.high:.6g}"
            )
            yield Finding(
                "warning",
                detail,
                outside,
                column.name,
                bounds=bounds,
                method=facts.options.outlier_method,
                dated=True,
            )


def all_null(facts: Facts) -> Iterator[Finding]:
    """A column has nothing but nulls."""
    for column in facts.columns:
        if facts.rows and not column.count:
            detail = f"{column.name} column has only nulls"
            yield Finding("warning", detail, [leaf(column.name, "is_null")], column.name, rows=column.missing)


def high_null_ratio(facts: Facts) -> Iterator[Finding]:
    """A column has a share of nulls at or above the threshold, but not only nulls."""
    threshold = facts.options.null_ratio_threshold
    for column in facts.columns:
        share = share_of(column.missing, facts.rows)
        if column.missing and column.count and share >= threshold:
            # Not all are null, however few are not.
            detail = f"{column.name} column has {min(share * 100, 99.9):.3g}% null values"
            yield _known(column, detail, leaf(column.name, "is_null"), column.missing, share, threshold)


def constant(facts: Facts) -> Iterator[Finding]:
    """A column has the same value in every row."""
    for column in facts.columns:
        if column.is_constant and facts.rows > 1:
            detail = f"{column.name} column has one value only"
            yield Finding("info", detail, [leaf(column.name, "not_null")], column.name, rows=facts.rows)


def near_constant(facts: Facts) -> Iterator[Finding]:
    """One value stands in nearly every row."""
    threshold = facts.thresholds.near_constant
    for place, column in enumerate(facts.columns):
        if not column.top_values or (column.unique or 0) < FEWEST_CATEGORIES:
            continue
        top = column.top_values[0]
        if top.share >= threshold and (equal := _most_frequent(facts, place)) is not None:
            detail = f"{column.name} has the same value in {top.share:.3%} of its values"
            yield Finding("info", detail, [equal], column.name, value=top.share, threshold=threshold)


def unique(facts: Facts) -> Iterator[Finding]:
    """No value occurs twice: a key, and nothing to group by."""
    for column in facts.columns:
        if column.is_unique and column.count > 1 and column.mean is None and column.time is None:
            detail = f"{column.name} has a different value in every row"
            yield Finding("info", detail, [leaf(column.name, "not_null")], column.name, rows=column.count)


def high_cardinality(facts: Facts) -> Iterator[Finding]:
    """Text has too many different values to group by, but is no key."""
    threshold = facts.thresholds.high_cardinality
    for column in facts.columns:
        share = share_of(column.unique or 0, column.count)
        if (
            column.text is None
            or column.is_unique
            or (column.unique or 0) <= LEAST_DISTINCT
            or share < threshold
        ):
            continue
        detail = f"{column.name} has {column.unique:,} different values"
        yield _of_all(column, detail, share, threshold)


def imbalanced(facts: Facts) -> Iterator[Finding]:
    """Few categories, of which one has nearly all rows; judged by the entropy of their shares."""
    threshold = facts.thresholds.imbalance
    for place, column in enumerate(facts.columns):
        frequent = facts.state.columns[place].frequent
        size = column.unique or 0
        is_category = column.text is not None or column.type == "bool"
        if not is_category or frequent is None or not frequent.known:
            continue
        if not FEWEST_CATEGORIES <= size <= MOST_CATEGORIES or not column.top_values:
            continue
        shares = [count / column.count for count in frequent.counts]
        entropy = -sum(share * math.log(share) for share in shares)
        imbalance = 1 - entropy / math.log(size)
        if imbalance >= threshold and (equal := _most_frequent(facts, place)) is not None:
            top = column.top_values[0]
            detail = f"{column.name} is imbalanced: {top.share:.1%} of its values are {_shown(top.value)}"
            yield Finding(
                "info",
                detail,
                [equal],
                column.name,
                value=imbalance,
                threshold=threshold,
                method="1 - entropy / log(categories)",
            )


def skewed(facts: Facts) -> Iterator[Finding]:
    """Numbers lie far to one side of their mean."""
    threshold = facts.thresholds.skew
    for column in facts.columns:
        if column.skew is not None and abs(column.skew) >= threshold:
            side = "right" if column.skew > 0 else "left"
            detail = f"{column.name} has a long tail to the {side} (skewness {column.skew:.3g})"
            yield _of_all(column, detail, column.skew, threshold)


def heavy_tailed(facts: Facts) -> Iterator[Finding]:
    """Numbers lie further from their mean, and more often, than those of a normal distribution."""
    threshold = facts.thresholds.kurtosis
    for column in facts.columns:
        if column.kurtosis is not None and column.kurtosis >= threshold:
            detail = f"{column.name} has heavy tails (excess kurtosis {column.kurtosis:.3g})"
            yield _of_all(column, detail, column.kurtosis, threshold)


def zeros(facts: Facts) -> Iterator[Finding]:
    """Many numbers are 0."""
    threshold = facts.thresholds.zeros
    for column in facts.columns:
        share = share_of(column.zeros or 0, column.count)
        if column.zeros and share >= threshold and (column.unique or 0) > 1:
            detail = f"{column.name} is 0 in {share:.3%} of its values"
            yield _known(column, detail, leaf(column.name, "=", 0), column.zeros, share, threshold)


def negative_values(facts: Facts) -> Iterator[Finding]:
    """Few numbers are negative, among many that are not."""
    threshold = facts.thresholds.negatives
    for column in facts.columns:
        share = share_of(column.negatives or 0, column.count)
        if column.negatives and share <= threshold:
            detail = f"{column.name} is negative in {share:.3%} of its values"
            yield _known(column, detail, leaf(column.name, "<", 0), column.negatives, share, threshold)


def infinite_values(facts: Facts) -> Iterator[Finding]:
    """Numbers are infinite."""
    for column in facts.columns:
        if column.infinite:
            wanted = [
                negated(leaf(column.name, "is_finite")),
                negated(leaf(column.name, "is_nan")),
            ]
            detail = f"{column.name} has infinite values"
            yield Finding("warning", detail, wanted, column.name, rows=column.infinite)


def null_markers(facts: Facts) -> Iterator[Finding]:
    """Numbers are some that stand for nothing, at one end of the column."""
    for column in facts.columns:
        if column.mean is None or not column.top_values:
            continue
        ends = {column.min, column.max}
        for top in column.top_values:
            if (
                top.value in SENTINELS
                and top.value in ends
                and top.share >= LEAST_SENTINELS
                and _is_apart(column, top.value)
            ):
                detail = f"{column.name} is {top.value} where there may be no value"
                yield Finding(
                    "warning",
                    detail,
                    [leaf(column.name, "=", top.value)],
                    column.name,
                    value=top.share,
                    threshold=LEAST_SENTINELS,
                )


def _is_apart(column: ColumnMetrics, value: Any) -> bool:  # noqa: ANN401  a number
    """Whether the value lies far from the middle of the others."""
    if column.q1 is None or column.q3 is None or column.median is None or column.median == value:
        return False
    return bool(abs(value - column.median) > 3 * max(column.q3 - column.q1, 1e-12))


def _of_all(column: ColumnMetrics, detail: str, value: float, threshold: float) -> Finding:
    """A finding about all values of a column."""
    return _known(column, detail, leaf(column.name, "not_null"), column.count, value, threshold)


def _known(
    column: ColumnMetrics, detail: str, condition: Filter, rows: int, value: float, threshold: float
) -> Finding:
    """A finding about values that a metric has counted."""
    return Finding("info", detail, [condition], column.name, value=value, threshold=threshold, rows=rows)


def _is_within(column: ColumnMetrics, bounds: Bounds) -> bool:
    """Whether no value can lie beyond them."""
    if column.infinite:
        return False
    low, high = (float(end) if end is not None else None for end in (column.min, column.max))
    return (low is None or low >= bounds.low) and (high is None or high <= bounds.high)


def _beyond(facts: Facts, column: ColumnMetrics, bounds: Bounds) -> list[Filter]:
    """Numbers that lie outside; NaN, which is greater than all, is none of them. Empty where none can."""
    dtype = facts.dtype(column.name)
    low, high = least_of(dtype, bounds.low), greatest_of(dtype, bounds.high)
    ends = [
        *([leaf(column.name, "<", low)] if low is not None else []),
        *([leaf(column.name, ">", high)] if high is not None else []),
    ]
    if not ends:
        return []
    return [either(ends), negated(leaf(column.name, "is_nan"))] if column.nan else [either(ends)]


def _most_frequent(facts: Facts, place: int) -> Filter | None:
    """Selects the rows that have the column's most frequent value; None where no filter can name it."""
    frequent = facts.state.columns[place].frequent
    return equal_to(facts.columns[place].name, frequent.values.head(1)) if frequent else None


def _shown(value: Any) -> str:  # noqa: ANN401  a value of the column
    return f'"{value[:40]}"' if isinstance(value, str) else str(value)


VALUE_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    outliers,
    all_null,
    high_null_ratio,
    constant,
    near_constant,
    unique,
    high_cardinality,
    imbalanced,
    skewed,
    heavy_tailed,
    zeros,
    negative_values,
    infinite_values,
    null_markers,
)
