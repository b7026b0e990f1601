"""Issues, judged from metrics alone; the rows of each are then counted by its filter.

A check is a pure function from facts to findings, so checks cost nothing and never disagree about a count.
Its name in capitals is its issue code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from airpy.contract import Issue, IssueBounds
from airpy.engine.profile.checks_of_frames import FRAME_CHECKS
from airpy.engine.profile.checks_of_texts import TEXT_CHECKS
from airpy.engine.profile.checks_of_times import TIME_CHECKS
from airpy.engine.profile.checks_of_values import VALUE_CHECKS
from airpy.engine.profile.findings import share_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airpy.contract import IssueCode
    from airpy.engine.profile.findings import Facts, Finding
    from airpy.engine.profile.selecting import Selected

__all__ = ["CHECKS", "Judged", "issues_of", "judged"]

CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    *FRAME_CHECKS,
    *VALUE_CHECKS,
    *TEXT_CHECKS,
    *TIME_CHECKS,
)
SEVERITIES = ("error", "warning", "info")


class Judged(NamedTuple):
    """A finding and its code."""

    code: IssueCode
    finding: Finding


def judged(facts: Facts) -> list[Judged]:
    """What the checks find, warnings first, then in the order of the checks."""
    found = [
        Judged(cast("IssueCode", check.__name__.upper()), finding)
        for check in CHECKS
        for finding in check(facts)
    ]
    return sorted(found, key=lambda each: SEVERITIES.index(each.finding.severity))


def issues_of(facts: Facts, found: Sequence[Judged], selected: Sequence[Selected]) -> list[Issue]:
    """The findings as issues, with the rows that their filters select; those of none are none."""
    times = [column.name for column in facts.columns if column.time is not None]
    return [
        _issue(facts, each, rows, times)
        for each, rows in zip(found, selected, strict=True)
        if rows.rows or each.code == "EMPTY_FRAME"
    ]


def _issue(facts: Facts, each: Judged, rows: Selected, times: Sequence[str]) -> Issue:
    finding = each.finding
    issue = Issue(
        code=each.code,
        severity=finding.severity,
        detail=_dated(finding, rows, times) if finding.dated else finding.detail,
        affected_rows=rows.rows,
        column=finding.column,
        share=share_of(rows.rows, facts.rows),
        filter=list(finding.filter),
    )
    if finding.bounds is not None:
        ends = zip(("low", "high"), finding.bounds, strict=True)
        issue.bounds = IssueBounds.model_validate({name: end for name, end in ends if end is not None})
    for name in ("value", "threshold", "method"):
        if (told := getattr(finding, name)) is not None:
            setattr(issue, name, told)
    if facts.options.max_examples:
        issue.examples = rows.examples[: facts.options.max_examples]
    return issue


def _dated(finding: Finding, rows: Selected, times: Sequence[str]) -> str:
    """The detail with the day of the first row, where the frame has one temporal column."""
    values = (rows.examples[0].values.model_extra or {}) if rows.examples else {}
    first = values.get(times[0]) if len(times) == 1 else None
    if first is None:
        return finding.detail
    head, colon, tail = finding.detail.rpartition(": ")
    when = f"{', the first' if rows.rows > 1 else ''} on {str(first)[:10]}"
    return f"{head or tail}{when}{colon}{tail if head else ''}"
