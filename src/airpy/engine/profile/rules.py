"""Validation rules: a rule is either of rows, and counts those that fail, or of the whole frame."""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from airpy.contract import RuleResult, Validation
from airpy.engine.moments import absolute
from airpy.engine.profile.asking import asked, measured, rows_counted, values_failed
from airpy.engine.profile.binding import Bound
from airpy.engine.profile.foreign_keys import plan_of_strangers, strangers
from airpy.engine.profile.frame_rules import FRAME_RULES, Measured, shown
from airpy.engine.profile.row_rules import ROW_RULES, Seen
from airpy.engine.steps import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from airpy.contract import Plan, Rule, Severity, SuggestedRule, Tolerance2, Verdict
    from airpy.engine.profile.asking import Asked
    from airpy.engine.profile.frame_rules import Judgement
    from airpy.engine.profile.selecting import Selected

__all__ = ["ALONE", "RULES", "Around", "validate"]

RULES = (*ROW_RULES, "foreign_key", *FRAME_RULES)
"""Every rule that there is."""


class Around(NamedTuple):
    """What rules are judged by, beside the frame."""

    now: dt.datetime | None = None
    """When the request came; this moment, when it is not given."""
    others: Mapping[int, pl.LazyFrame] = MappingProxyType({})
    """The data sets of foreign keys, by the place of the rule."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Where times are that carry no offset."""
    plan: Plan | None = None
    """What the frame is the answer of."""
    datasource_id: str | None = None
    """Where the plan's data sets are."""


ALONE = Around()


def validate(
    frame: pl.LazyFrame,
    rules: Sequence[Rule],
    around: Around = ALONE,
    *,
    max_examples: int = 5,
    suggested: list[SuggestedRule] | None = None,
) -> Validation:
    """How the frame meets each rule, and the verdict: `fail`, `warn` or `pass` by the worst rule not met.

    Args:
        frame: The rows; they are read a few times, however many rules there are.
        rules: What must hold; `check_rules` has passed them.
        around: What they are judged by, beside the frame.
        max_examples: How many of the rows that fail are shown for each rule.
        suggested: Rules to propose beside the verdict.

    Raises:
        UnknownColumn: A rule names a column that is not there.
        TypeMismatch: A rule's values cannot be compared with its column.
        InvalidOptions: The ends of a range are the wrong way round in the column's type.
    """
    now = around.now or dt.datetime.now(dt.UTC)
    week_start = around.plan.week_start if around.plan else "monday"
    common = Bound.to(frame, around.timezone)
    every: list[Asked] = []
    for n, rule in enumerate(rules):
        field = f"options.rules[{n}]"
        fixed: Any = absolute(rule, now, around.timezone, week_start, field)
        every.append(asked(fixed, common._replace(field=field)))
    values = measured(every, common)
    rows = rows_counted(every, frame, max_examples)
    told = values_failed(
        {n: every[n] for n, (_, failed) in rows.items() if failed and _tells(every[n], failed)}
    )
    schema = frame.collect_schema()
    results = []
    for n, one in enumerate(every):
        if n not in rows:
            judged = FRAME_RULES[one.rule.rule].judge(one.rule, Measured(schema, values[n], one.bound, now))
            results.append(_of_frame(one.rule, judged))
            continue
        looked, failed = rows[n]
        if failed is None:
            failed = strangers(one.rule, one.bound, around.others[n], max_examples)
            result = _of_rows(one.rule, looked, failed, f"{counted(failed.rows, 'row')} without a partner")
            plan = plan_of_strangers(one.rule, around.plan, around.datasource_id) if around.plan else None
            if failed.rows and plan is not None:
                result.plan = plan
        else:
            ends = [end for name in ("min", "max") if name in values[n] for end in _end(values[n][name])]
            observed = ROW_RULES[one.rule.rule].observed(one.rule, Seen(failed.rows, told.get(n, []), ends))
            result = _of_rows(one.rule, looked, failed, observed)
            if failed.rows:
                result.filter = one.failing
        results.append(result)
    validation = Validation(verdict=_verdict(results), rules=results)
    if suggested is not None:
        validation.suggested = suggested
    return validation


def _tells(one: Asked, failed: Selected) -> bool:
    """Whether values that fail are to be told of."""
    return failed.rows > 0 and ROW_RULES[one.rule.rule].shows


def _end(values: pl.Series) -> list[str]:
    return [] if values.null_count() else shown(values)


def _of_frame(rule: Any, judged: Judgement) -> RuleResult:  # noqa: ANN401  one of many models
    return RuleResult(
        name=rule.name or _default_name(rule),
        rule=rule.rule,
        severity=rule.severity,
        passed=judged.held,
        rows_checked=judged.checked,
        rows_failed=judged.failed,
        observed=judged.observed,
    )


def _of_rows(rule: Any, looked: int, failed: Selected, observed: str) -> RuleResult:  # noqa: ANN401
    passed = _is_within(failed.rows, looked, rule.tolerance)
    is_mild = rule.warn_within is not None and _is_within(failed.rows, looked, rule.warn_within)
    severity: Severity = "warning" if is_mild and not passed else rule.severity
    result = RuleResult(
        name=rule.name or _default_name(rule),
        rule=rule.rule,
        severity=severity,
        passed=passed,
        rows_checked=looked,
        rows_failed=failed.rows,
        observed=observed,
    )
    if looked:
        result.share = failed.rows / looked
    if failed.examples:
        result.examples = failed.examples
    return result


def _is_within(failed: int, looked: int, tolerance: Tolerance2 | None) -> bool:
    """Whether so few fail that it does no harm."""
    if tolerance is None or not failed:
        return not failed
    if tolerance.rows is not None:
        return failed <= tolerance.rows
    return tolerance.share is not None and failed / looked <= tolerance.share


def _verdict(results: Sequence[RuleResult]) -> Verdict:
    broken = {result.severity for result in results if not result.passed}
    return "fail" if "error" in broken else "warn" if "warning" in broken else "pass"


def _default_name(rule: Any) -> str:  # noqa: ANN401
    match rule.rule:
        case "row_count_between" | "satisfies":
            return str(rule.rule)
        case "unique" | "foreign_key" | "columns_are":
            return f"{rule.rule}({', '.join(rule.cols)})"
        case "compare_columns":
            return f"{rule.rule}({rule.col} {rule.op} {rule.col2})"
        case _:
            return f"{rule.rule}({rule.col})"
