"""Issues, judged from metrics alone.

A check is a pure function from facts and options to issues, so checks cost nothing and never disagree
about a count. Its name in capitals is its issue code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from airpy.contract import Issue
from airpy.engine.steps import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airpy.contract import AnalyzeOptions, ColumnMetrics, IssueCode, Severity
    from airpy.engine.profile.outliers import Outliers

__all__ = ["CHECKS", "Facts", "find_issues"]

METHOD_NAMES = {"iqr": "IQR", "zscore": "3-sigma", "mad": "MAD"}


class Facts(NamedTuple):
    """What was measured of a frame."""

    rows: int
    columns: Sequence[ColumnMetrics]
    duplicate_rows: int | None
    correlations: Sequence[tuple[str, str, float]]
    outliers: Mapping[str, Outliers]


class Finding(NamedTuple):
    """An issue before it has its code."""

    severity: Severity
    detail: str
    affected_rows: int
    column: str | None = None


def empty_frame(facts: Facts, _: AnalyzeOptions) -> Iterator[Finding]:
    """The frame has no rows."""
    if facts.rows == 0:
        yield Finding("warning", "the frame has no rows", 0)


def outliers(facts: Facts, options: AnalyzeOptions) -> Iterator[Finding]:
    """Values lie beyond the bounds of the outlier method."""
    method = METHOD_NAMES[options.outlier_method]
    for name, found in facts.outliers.items():
        if found.rows:
            when = f" on {found.first_at}" if found.first_at else ""
            first = ", the first" if when and found.rows > 1 else ""
            bounds = f"outside {found.low:.6g} to {found.high:.6g}"
            yield Finding(
                "warning", f"{name} {method} outliers detected{first}{when}: {bounds}", found.rows, name
            )


def high_null_ratio(facts: Facts, options: AnalyzeOptions) -> Iterator[Finding]:
    """A column has a share of nulls at or above the threshold, but not only nulls."""
    for column in facts.columns:
        if column.missing and column.count and column.missing / facts.rows >= options.null_ratio_threshold:
            # Not all are null, however few are not.
            percent = min(column.missing / facts.rows * 100, 99.9)
            detail = f"{column.name} column has {percent:.3g}% null values"
            yield Finding("info", detail, column.missing, column.name)


def all_null(facts: Facts, _: AnalyzeOptions) -> Iterator[Finding]:
    """A column has nothing but nulls."""
    for column in facts.columns:
        if facts.rows and not column.count:
            yield Finding("warning", f"{column.name} column has only nulls", facts.rows, column.name)


def constant(facts: Facts, _: AnalyzeOptions) -> Iterator[Finding]:
    """A column has the same value in every row."""
    for column in facts.columns:
        if column.unique == 1 and column.missing == 0 and facts.rows > 1:
            yield Finding("info", f"{column.name} column has one value only", facts.rows, column.name)


def duplicate_rows(facts: Facts, _: AnalyzeOptions) -> Iterator[Finding]:
    """Rows repeat earlier rows."""
    if facts.duplicate_rows:
        repeat = "repeats" if facts.duplicate_rows == 1 else "repeat"
        detail = f"{counted(facts.duplicate_rows, 'row')} {repeat} an earlier row"
        yield Finding("warning", detail, facts.duplicate_rows)


def high_correlation(facts: Facts, options: AnalyzeOptions) -> Iterator[Finding]:
    """Two columns are correlated at or above the threshold."""
    for one, two, r in facts.correlations:
        if abs(r) >= options.correlation_threshold:
            yield Finding("info", f"{one} and {two} are correlated (r = {r:.2f})", facts.rows, one)


CHECKS: tuple[Callable[[Facts, AnalyzeOptions], Iterator[Finding]], ...] = (
    empty_frame,
    outliers,
    all_null,
    high_null_ratio,
    duplicate_rows,
    constant,
    high_correlation,
)


def find_issues(facts: Facts, options: AnalyzeOptions) -> list[Issue]:
    """Every issue that the checks find, warnings first, then in the order of the checks."""
    issues = [
        Issue(code=cast("IssueCode", check.__name__.upper()), **finding._asdict())
        for check in CHECKS
        for finding in check(facts, options)
    ]
    return sorted(issues, key=lambda issue: ("error", "warning", "info").index(issue.severity))
