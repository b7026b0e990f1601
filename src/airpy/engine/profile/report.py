"""Assembles a frame's report: measured, judged, and the rows of each finding counted."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from airpy.contract import FrameMetrics, IssueThresholds, OutlierBounds
from airpy.engine.filter_trees import relations_in
from airpy.engine.profile.associations import DEFAULT_METHODS, associations, correlations
from airpy.engine.profile.chart_hints import chart_hints
from airpy.engine.profile.checks import issues_of, judged
from airpy.engine.profile.findings import Facts
from airpy.engine.profile.frames import add_frame_metrics
from airpy.engine.profile.measuring import count_different, measured
from airpy.engine.profile.metrics import column_metrics
from airpy.engine.profile.outliers import bounds_by_group, outlier_bounds
from airpy.engine.profile.redaction import personal_columns
from airpy.engine.profile.rules import ALONE, validate
from airpy.engine.profile.selecting import Selected, selected
from airpy.engine.profile.series import series_metrics
from airpy.engine.profile.suggestions import suggestions
from airpy.engine.profile.time_axis import find_clock
from airpy.engine.profile.values import TIMES
from airpy.engine.schema import describe_schema
from airpy.engine.steps import OnStep, counted, ignore_steps
from airpy.errors import InvalidOptions, UnknownColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from airpy.contract import (
        AnalysisKind,
        AnalyzeOptions,
        ChartHint,
        Issue,
        Plan,
        Schema,
        TextKind,
        Validation,
    )
    from airpy.engine.profile.checks import Judged
    from airpy.engine.profile.rules import Around
    from airpy.engine.profile.states import FrameState

__all__ = ["Report", "report"]

MEBIBYTE = 1024 * 1024
NEARLY_UNIQUE = 0.98
"""An estimate of the different values from which they are counted."""
MOST_COUNTED = 50_000_000
"""Values whose hashes are held for that."""
MOST_HELD = 40_000_000
"""Values that are held to find out which rows stand how among others; of more, no examples are looked for."""


class Report(NamedTuple):
    """What an analysis says of a frame, but for the sample rows."""

    metrics: FrameMetrics
    issues: list[Issue]
    chart_hints: list[ChartHint]
    schema: Schema
    validation: Validation | None
    state: FrameState
    """What was kept of the frame, for a later comparison."""
    personal: Mapping[str, TextKind]
    """The columns that are suspected of personal data."""


def report(  # noqa: PLR0913  each is one thing that is known beside the frame
    frame: pl.LazyFrame,
    kind: AnalysisKind,
    options: AnalyzeOptions,
    on_step: OnStep = ignore_steps,
    *,
    measure: Callable[[], FrameState] | None = None,
    plan: Plan | None = None,
    now: dt.datetime | None = None,
    around: Around = ALONE,
) -> Report:
    """The frame's report; `profile` adds the columns' metrics, `validate` the verdict on the rules.

    Args:
        frame: The frame, which is read twice, or more often where values must be held together.
        kind: What the report is for.
        options: What to look for, and what counts as an issue.
        on_step: Is told how far it is.
        measure: Measures the frame, where more is known of it than that it is one.
        plan: The plan that the frame is the answer of, for the plans of charts.
        now: What is later is in the future.
        around: What rules are judged by, beside the frame, its plan and the time.

    Raises:
        UnknownColumn: An option or a rule names a column that is not there.
        TypeMismatch: A rule's values cannot be compared with its column.
    """
    schema = frame.collect_schema()
    _check_columns(options, schema)
    on_step("basic_stats", f"Computing basic statistics of {counted(len(schema), 'column')}")
    state = measured(frame) if measure is None else measure()
    columns = column_metrics(state, _counted_exactly(frame, state))
    metrics = FrameMetrics(
        rows=state.rows,
        columns=len(columns),
        memory_usage_mb=round(state.bytes / MEBIBYTE, 3),
        correlations=[],
    )
    add_frame_metrics(metrics, state, columns, whole=kind in {"profile", "compare"} or options.suggest)

    if options.include_correlations:
        on_step("correlation_analysis", "Analyzing correlations")
        metrics.correlations = [list(pair) for pair in correlations(state)]
        methods = DEFAULT_METHODS if options.association_methods is None else options.association_methods
        metrics.associations = associations(state, list(dict.fromkeys(methods)))
    else:
        on_step("correlation_analysis", "Correlations were not asked for")
    clock = find_clock(frame, columns, state.sample.rows, options.time_col, options.by or [])
    if clock is not None and (series := series_metrics(frame, clock, columns)):
        metrics.series = series

    if options.include_outliers:
        on_step("outlier_detection", f"Detecting outliers by {options.outlier_method}")
    else:
        on_step("outlier_detection", "Outliers were not asked for")
    facts = _with_outliers(
        frame,
        Facts(
            metrics=metrics,
            columns=columns,
            state=state,
            bounds={},
            group_bounds={},
            clock=clock,
            options=options,
            thresholds=options.thresholds or IssueThresholds(),
            now=now or dt.datetime.now(dt.UTC),
        ),
    )
    issues = _issues(frame, facts)
    if kind == "profile":
        metrics.column_metrics = columns
    return Report(
        metrics=metrics,
        issues=issues,
        chart_hints=chart_hints(columns, metrics, options.max_hints, plan),
        schema=describe_schema(schema, [column.name for column in columns if column.missing]),
        validation=validate(
            frame,
            options.rules or [],
            around._replace(plan=plan, now=facts.now),
            max_examples=options.max_examples,
            suggested=suggestions(metrics, columns) if options.suggest else None,
        )
        if kind == "validate"
        else None,
        state=state,
        personal=personal_columns(columns, facts.thresholds.personal),
    )


def _check_columns(options: AnalyzeOptions, schema: pl.Schema) -> None:
    """Refuse options that name columns which are not there, or are of no use.

    Raises:
        UnknownColumn: A column is not there.
        InvalidOptions: The time is no time, or a column that names groups has no values that could.
    """
    for field, names in (("by", options.by), ("keys", options.keys)):
        for place, name in enumerate(names or []):
            where = f"options.{field}[{place}]"
            if name not in schema:
                raise UnknownColumn.among(name, schema.names(), where)
            if schema[name].is_nested():
                raise InvalidOptions(
                    f'column "{name}" holds lists or objects, which name nothing',
                    field=where,
                    constraint="a column of single values",
                )
    if (time := options.time_col) is not None:
        if time not in schema:
            raise UnknownColumn.among(time, schema.names(), "options.time_col")
        temporal = [name for name, dtype in schema.items() if isinstance(dtype, TIMES)]
        if time not in temporal:
            raise InvalidOptions(
                f'column "{time}" holds no dates or timestamps',
                field="options.time_col",
                constraint="a temporal column",
                suggestion=temporal,
            )


def _counted_exactly(frame: pl.LazyFrame, state: FrameState) -> dict[int, int]:
    """The different values of columns that may be keys, where the state has but an estimate."""
    return {
        place: count_different(frame, place)
        for place, column in enumerate(state.columns)
        if column.distinct is not None
        and not column.distinct.exact
        and NEARLY_UNIQUE * (state.rows - column.missing) <= column.distinct.size
        and state.rows <= MOST_COUNTED
    }


def _with_outliers(frame: pl.LazyFrame, facts: Facts) -> Facts:
    """The facts with the bounds of outliers, which the columns are given too."""
    if not facts.options.include_outliers:
        return facts
    method, by = facts.options.outlier_method, facts.options.by
    bounds = {
        column.name: found
        for column in facts.columns
        if (found := outlier_bounds(column, method)) is not None
    }
    for column in facts.columns:
        if column.name in bounds and not by:
            low, high = bounds[column.name]
            column.outlier_bounds = OutlierBounds(low=low, high=high, method=method)
    if not by:
        return facts._replace(bounds=bounds)
    numbers = [column.name for column in facts.columns if column.negatives is not None]
    groups = {name: bounds_by_group(frame, name, by, method) for name in numbers if name not in by}
    return facts._replace(group_bounds=groups)


def _issues(frame: pl.LazyFrame, facts: Facts) -> list[Issue]:
    """What was found, each with its rows, and the number of outliers that each column has."""
    found = judged(facts)
    rows = _selected(frame, facts, found)
    judged_columns = facts.group_bounds if facts.options.by else facts.bounds
    outliers = {
        each.finding.column: selection.rows
        for each, selection in zip(found, rows, strict=True)
        if each.code == "OUTLIERS"
    }
    for column in facts.columns:
        if column.name in judged_columns:
            column.outliers = outliers.get(column.name, 0)
    return issues_of(facts, found, rows)


def _selected(frame: pl.LazyFrame, facts: Facts, found: Sequence[Judged]) -> list[Selected]:
    """The rows of each finding: by its filter, and where that would hold too much at once, by its metric."""
    known = {
        number: Selected(each.finding.rows, [])
        for number, each in enumerate(found)
        if each.finding.rows is not None and _held(each, facts) > MOST_HELD
    }
    asked = [number for number in range(len(found)) if number not in known]
    time = next((column.name for column in facts.columns if column.time is not None), None)
    most = max(facts.options.max_examples, int(any(found[number].finding.dated for number in asked)))
    rows = selected(
        frame,
        [found[number].finding.filter for number in asked],
        most_examples=most,
        shown=[_shown(found[number], time) for number in asked],
    )
    every = known | dict(zip(asked, rows, strict=True))
    return [every[number] for number in range(len(found))]


def _held(each: Judged, facts: Facts) -> int:
    """How many values must be held at once to know which rows the finding's filter selects."""
    return facts.rows * sum(
        len(relation.cols) + len(relation.by or []) for relation in relations_in([*each.finding.filter])
    )


def _shown(each: Judged, time: str | None) -> list[str]:
    """The columns that come first in its examples, where there are too many: its own, and its time."""
    wanted = [each.finding.column, time if each.finding.dated else None]
    return [name for name in wanted if name is not None]
