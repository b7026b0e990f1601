"""Assembles a frame's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airpy.contract import FrameMetrics
from airpy.engine.profile.chart_hints import chart_hints
from airpy.engine.profile.checks import Facts, find_issues
from airpy.engine.profile.correlations import correlations
from airpy.engine.profile.metrics import column_metrics, duplicate_rows
from airpy.engine.profile.outliers import find_outliers
from airpy.engine.profile.rules import validate
from airpy.engine.schema import describe_schema
from airpy.engine.steps import OnStep, counted, ignore_steps

if TYPE_CHECKING:
    import polars as pl

    from airpy.contract import AnalysisKind, AnalyzeOptions, ChartHint, Issue, Schema, Validation

__all__ = ["Report", "report"]

MEBIBYTE = 1024 * 1024


class Report(NamedTuple):
    """What an analysis says of a frame, but for the sample rows."""

    metrics: FrameMetrics
    issues: list[Issue]
    chart_hints: list[ChartHint]
    schema: Schema
    validation: Validation | None


def report(
    frame: pl.DataFrame, kind: AnalysisKind, options: AnalyzeOptions, on_step: OnStep = ignore_steps
) -> Report:
    """The frame's report; `profile` adds the columns' metrics, `validate` the verdict on the rules.

    Raises:
        UnknownColumn: A rule names a column that is not there.
        TypeMismatch: A rule's values cannot be compared with its column.
    """
    on_step(
        "basic_stats",
        f"Computing basic statistics of {counted(frame.height, 'row')} and {counted(frame.width, 'column')}",
    )
    columns = column_metrics(frame)
    repeated = duplicate_rows(frame)

    if options.include_correlations:
        on_step("correlation_analysis", "Analyzing correlations")
        pairs = correlations(frame)
    else:
        on_step("correlation_analysis", "Correlations were not asked for")
        pairs = []

    if options.include_outliers:
        on_step("outlier_detection", f"Detecting outliers by {options.outlier_method}")
        outliers = find_outliers(frame, columns, options.outlier_method)
    else:
        on_step("outlier_detection", "Outliers were not asked for")
        outliers = {}
    for column in columns:
        if column.name in outliers:
            column.outliers = outliers[column.name].rows

    metrics = FrameMetrics(
        rows=frame.height,
        columns=frame.width,
        memory_usage_mb=round(frame.estimated_size() / MEBIBYTE, 3),
        correlations=[list(pair) for pair in pairs],
    )
    if repeated is not None:
        metrics.duplicate_rows = repeated
    if kind == "profile":
        metrics.column_metrics = columns
    facts = Facts(frame.height, columns, repeated, pairs, outliers)
    return Report(
        metrics=metrics,
        issues=find_issues(facts, options),
        chart_hints=chart_hints(columns, pairs, options.max_hints),
        schema=describe_schema(frame.schema, [column.name for column in columns if column.missing]),
        validation=validate(frame, options.rules or []) if kind == "validate" else None,
    )
