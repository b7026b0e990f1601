"""Puts the filter of every issue of a report into a plan, and compares the rows with what the issue says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.contract import Issue, Plan
from airpy.engine.encoding import json_rows
from airpy.engine.execute import execute
from airpy.engine.plan import check_plan
from airpy.engine.profile.selecting import MOST_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["assert_filters_select", "rows_of"]

NUMBER = "\N{INFORMATION SEPARATOR ONE}row number"


def rows_of(frame: pl.DataFrame, issue: Issue) -> list[int]:
    """The numbers, from 1, of the rows that a plan with the issue's filter has, which was sent as JSON."""
    sent = Issue.model_validate_json(issue.model_dump_json(by_alias=True, exclude_unset=True))
    plan = Plan(dataset="frame", filters=sent.filter)
    check_plan(plan)
    numbered = frame.with_columns(pl.int_range(1, frame.height + 1, dtype=pl.Int64).alias(NUMBER))
    return execute(plan, numbered.lazy()).collect()[NUMBER].to_list()


def assert_filters_select(frame: pl.DataFrame, issues: Iterable[Issue], most_examples: int = 5) -> None:
    """The filter of each issue selects as many rows as it tells, and the examples are the first of them."""
    for issue in issues:
        rows = rows_of(frame, issue)
        assert (issue.code, issue.column, len(rows)) == (issue.code, issue.column, issue.affected_rows)
        examples = issue.examples or []
        assert [each.row for each in examples] == rows[:most_examples], issue
        if 0 < frame.width <= MOST_COLUMNS:
            shown = [tuple((each.values.model_extra or {}).values()) for each in examples]
            assert shown == json_rows(frame[[row - 1 for row in rows[:most_examples]]])
