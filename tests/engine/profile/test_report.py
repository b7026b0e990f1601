from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import AnalyzeOptions, FieldModel
from airpy.engine.profile.report import report
from airpy.errors import UnknownColumn

if TYPE_CHECKING:
    from airpy.contract import AnalysisKind

START = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
COST = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, None, None]

FRAME = pl.DataFrame(
    {
        "timestamp": [START + dt.timedelta(days=day) for day in range(9)] + [START],
        "site_id": ["a", "b"] * 4 + ["a", "a"],
        "kwh": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 100.0, 1.0],
        "cost": COST,
    }
)
"""The cost is ten times the kWh where there is one; the ninth reading, of 9 September, is far too high."""


def test_an_eda_has_metrics_issues_hints_and_the_schema() -> None:
    found = report(FRAME.lazy(), "eda", AnalyzeOptions())

    assert (found.metrics.rows, found.metrics.columns, found.metrics.duplicate_rows) == (10, 4, 0)
    assert found.metrics.memory_usage_mb == 0.0
    assert ["kwh", "cost", pytest.approx(1)] in found.metrics.correlations
    # Quartiles of kWh 2.25 and 6.75: fences −4.5 and 13.5.
    issues = {issue.code: (issue.severity, issue.detail) for issue in found.issues}
    assert issues["OUTLIERS"] == (
        "warning",
        "kwh IQR outliers detected on 2025-09-09: outside -4.5 to 13.5",
    )
    assert issues["HIGH_NULL_RATIO"] == ("info", "cost column has 20% null values")
    assert [hint.type for hint in found.chart_hints][:2] == ["line", "bar"]
    assert found.schema.fields == [
        FieldModel(name="timestamp", type="timestamp", nullable=False, timezone="UTC"),
        FieldModel(name="site_id", type="string", nullable=False),
        FieldModel(name="kwh", type="float64", nullable=False),
        FieldModel(name="cost", type="float64", nullable=True),
    ]
    assert found.validation is None
    assert "column_metrics" not in found.metrics.model_dump(exclude_unset=True)


def test_a_profile_adds_the_columns_metrics_and_their_outliers() -> None:
    found = report(FRAME.lazy(), "profile", AnalyzeOptions())

    assert found.metrics.column_metrics is not None
    assert [(column.name, column.outliers) for column in found.metrics.column_metrics] == [
        ("timestamp", None),
        ("site_id", None),
        ("kwh", 1),
        ("cost", 0),
    ]
    assert found.metrics.column_metrics[3].missing == 2


def test_a_validation_adds_the_verdict() -> None:
    options = AnalyzeOptions.model_validate(
        {
            "rules": [
                {"rule": "not_null", "col": "cost", "severity": "warning"},
                {"rule": "unique", "cols": ["kwh"]},
            ]
        }
    )
    found = report(FRAME.lazy(), "validate", options)

    assert found.validation is not None
    assert found.validation.verdict == "fail"
    assert [(rule.passed, rule.rows_failed) for rule in found.validation.rules] == [(False, 2), (False, 2)]


def test_a_rule_for_a_column_that_is_not_there_fails_the_report() -> None:
    options = AnalyzeOptions.model_validate({"rules": [{"rule": "not_null", "col": "costs"}]})

    with pytest.raises(UnknownColumn) as caught:
        report(FRAME.lazy(), "validate", options)

    assert caught.value.suggestion == ["cost"]


def test_rules_are_for_validate_alone() -> None:
    options = AnalyzeOptions.model_validate({"rules": [{"rule": "not_null", "col": "nowhere"}]})

    assert report(FRAME.lazy(), "eda", options).validation is None


@pytest.mark.parametrize("kind", ["eda", "profile", "validate"])
def test_the_steps_of_every_kind_are_the_specifications_in_their_order(kind: AnalysisKind) -> None:
    steps: list[tuple[str, str]] = []

    report(FRAME.lazy(), kind, AnalyzeOptions(), lambda *step: steps.append(step))

    assert steps == [
        ("basic_stats", "Computing basic statistics of 4 columns"),
        ("correlation_analysis", "Analyzing correlations"),
        ("outlier_detection", "Detecting outliers by iqr"),
    ]


def test_what_is_not_asked_for_is_told_and_left_out() -> None:
    steps: list[tuple[str, str]] = []
    options = AnalyzeOptions(include_correlations=False, include_outliers=False)

    found = report(FRAME.lazy(), "profile", options, lambda *step: steps.append(step))

    assert [step[0] for step in steps] == ["basic_stats", "correlation_analysis", "outlier_detection"]
    assert found.metrics.correlations == []
    assert "associations" not in found.metrics.model_dump(exclude_unset=True)
    assert {"OUTLIERS", "HIGH_CORRELATION"}.isdisjoint(issue.code for issue in found.issues)
    assert "HIGH_NULL_RATIO" in {issue.code for issue in found.issues}
    assert found.metrics.column_metrics is not None
    assert [column.outliers for column in found.metrics.column_metrics] == [None] * 4
    assert "scatter" not in {hint.type for hint in found.chart_hints}


def test_the_options_reach_every_part() -> None:
    options = AnalyzeOptions(
        outlier_method="mad", null_ratio_threshold=0.5, correlation_threshold=1.0, max_hints=1
    )
    found = report(FRAME.lazy(), "eda", options)

    # Median of kWh 4.5, deviations 0.5 and 1.5 and 2.5 twice each and 3.5 three times: their median 2.5.
    (outliers,) = [issue for issue in found.issues if issue.code == "OUTLIERS"]
    assert outliers.detail == "kwh MAD outliers detected on 2025-09-09: outside -8.47257 to 17.4726"
    assert "HIGH_NULL_RATIO" not in {issue.code for issue in found.issues}
    assert len(found.chart_hints) == 1


@pytest.mark.parametrize("kind", ["eda", "profile", "validate"])
@pytest.mark.parametrize("frame", [pl.DataFrame(), pl.DataFrame(schema={"a": pl.Int64, "b": pl.String})])
def test_a_frame_without_rows_or_columns_has_a_report(frame: pl.DataFrame, kind: AnalysisKind) -> None:
    found = report(frame.lazy(), kind, AnalyzeOptions())

    assert (found.metrics.rows, found.metrics.columns) == (0, frame.width)
    assert [issue.code for issue in found.issues] == ["EMPTY_FRAME"]
    assert found.chart_hints == []
    assert [field.name for field in found.schema.fields] == frame.columns
    assert (found.validation is not None) == (kind == "validate")


def test_nested_columns_make_rows_incomparable() -> None:
    found = report(pl.DataFrame({"a": [[1], [1]]}).lazy(), "eda", AnalyzeOptions())

    assert "duplicate_rows" not in found.metrics.model_dump(exclude_unset=True)
    assert [issue.code for issue in found.issues] == ["SMALL_SAMPLE"]


@pytest.mark.parametrize("name", ["*", "^.*$", ""])
def test_any_name_is_a_name(name: str) -> None:
    columns: dict[str, Any] = {"x": [1, 2, 3, 4], name: [1, 3, 2, 4]}

    found = report(pl.DataFrame(columns).lazy(), "profile", AnalyzeOptions())

    assert found.metrics.correlations == [["x", name, pytest.approx(0.8)]]
    assert found.metrics.column_metrics is not None
    assert [column.name for column in found.metrics.column_metrics] == ["x", name]
