"""Judges frames by rules, and has queries find again what fails."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from pydantic import TypeAdapter

from airpy.contract import Filter, Plan, Rule, RuleResult
from airpy.engine.execute import execute
from airpy.engine.plan import check_plan
from airpy.engine.profile.row_rules import ROW_RULES
from airpy.engine.profile.rule_checks import check_rules
from airpy.engine.profile.rules import Around, validate

if TYPE_CHECKING:
    from airpy.errors import AirError

RULE: TypeAdapter[Rule] = TypeAdapter(Rule)


NOW = dt.datetime(2025, 9, 10, 12, tzinfo=dt.UTC)


def judged(frame: pl.DataFrame | dict[str, Any], **rule: Any) -> RuleResult:
    """How the frame meets the rule, which is one that may be asked; what it fails in, a query finds too."""
    rules = [RULE.validate_python(rule)]
    check_rules(rules)
    frame = pl.DataFrame(frame)
    (result,) = validate(frame.lazy(), rules, Around(now=NOW)).rules
    if rule["rule"] in ROW_RULES:
        assert (result.filter is not None) == (result.rows_failed > 0)
        found = queried(frame, result.filter or []) if result.filter else []
        assert len(found) == result.rows_failed
        assert [one.row for one in result.examples or []] == found[:5]
    return result


def queried(frame: pl.DataFrame, filters: list[Filter]) -> list[int]:
    """The numbers of the rows, from 1, that a query with these filters gives."""
    plan = Plan(dataset="frame", filters=filters)
    check_plan(plan)
    rows = execute(plan, frame.with_row_index("the row", offset=1).lazy()).collect()
    return rows["the row"].to_list()


def outcome(frame: pl.DataFrame | dict[str, Any], **rule: Any) -> tuple[bool, int, int, str]:
    result = judged(frame, **rule)
    return result.passed, result.rows_checked, result.rows_failed, result.observed


def refusal(error: type[AirError], *rules: dict[str, Any], frame: dict[str, Any] | None = None) -> AirError:
    """The error for these rules: before there is a frame, or for this one."""
    parsed = [RULE.validate_python(rule) for rule in rules]
    with pytest.raises(error) as caught:
        check_rules(parsed) if frame is None else validate(pl.DataFrame(frame).lazy(), parsed)
    return caught.value
