from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import pytest

from airpy.contract import AnalyzeOptions, ColumnMetrics, Issue, IssueCode
from airpy.engine.profile.checks import CHECKS, Facts, find_issues
from airpy.engine.profile.outliers import Outliers

DEFAULTS = AnalyzeOptions()


def column(
    name: str = "cost", *, count: int = 100, missing: int = 0, unique: int | None = 50
) -> ColumnMetrics:
    return ColumnMetrics(
        name=name,
        type="float64",
        count=count,
        missing=missing,
        unique=unique,
        min=None,
        max=None,
        mean=None,
        std=None,
        median=None,
        q1=None,
        q3=None,
        zeros=None,
        outliers=None,
    )


def issues(options: AnalyzeOptions = DEFAULTS, **facts: Any) -> list[Issue]:
    """What is found of 100 rows of one column without fault, but for these facts."""
    sound = {
        "rows": 100,
        "columns": [column()],
        "duplicate_rows": 0,
        "correlations": [],
        "outliers": {},
    }
    return find_issues(Facts(**{**sound, **facts}), options)


def issue(code: IssueCode, severity: str, detail: str, rows: int, name: str | None = None) -> Issue:
    return Issue.model_validate(
        {"code": code, "severity": severity, "detail": detail, "affected_rows": rows, "column": name}
    )


def test_the_checks_are_the_issue_codes_of_the_contract() -> None:
    codes = [check.__name__.upper() for check in CHECKS]

    assert sorted(codes) == sorted(get_args(IssueCode.__value__))


def test_a_sound_frame_has_no_issues() -> None:
    assert issues() == []


def test_a_frame_without_rows_is_said_to_be_empty_and_no_more() -> None:
    found = issues(rows=0, columns=[column(count=0, unique=0)])

    assert found == [issue("EMPTY_FRAME", "warning", "the frame has no rows", 0)]


def test_an_outlier_is_told_with_its_method_date_and_bounds() -> None:
    outliers = {"kwh": Outliers(1, -3.0, 13.5, dt.date(2025, 9, 7))}
    found = issues(AnalyzeOptions(outlier_method="zscore"), outliers=outliers)

    assert found == [
        issue(
            "OUTLIERS", "warning", "kwh 3-sigma outliers detected on 2025-09-07: outside -3 to 13.5", 1, "kwh"
        )
    ]


def test_of_several_outliers_the_date_is_the_first() -> None:
    outliers = {"kwh": Outliers(5, 0.25, 1234567.0, dt.date(2025, 9, 7))}

    assert [found.detail for found in issues(outliers=outliers)] == [
        "kwh IQR outliers detected, the first on 2025-09-07: outside 0.25 to 1.23457e+06"
    ]


def test_outliers_without_a_time_have_no_date() -> None:
    outliers = {"kwh": Outliers(2, 0.0, 10.0, None)}
    found = issues(AnalyzeOptions(outlier_method="mad"), outliers=outliers)

    assert found == [issue("OUTLIERS", "warning", "kwh MAD outliers detected: outside 0 to 10", 2, "kwh")]


def test_bounds_that_no_value_crosses_are_no_issue() -> None:
    assert issues(outliers={"kwh": Outliers(0, 0.0, 10.0, None)}) == []


def test_nulls_at_the_threshold_are_an_issue_and_one_less_are_not() -> None:
    at = issues(columns=[column(count=90, missing=10)])
    below = issues(columns=[column(count=91, missing=9)])

    assert at == [issue("HIGH_NULL_RATIO", "info", "cost column has 10% null values", 10, "cost")]
    assert below == []


def test_nulls_are_told_as_in_the_specification() -> None:
    found = issues(rows=10_000, columns=[column(count=8_500, missing=1_500)])

    assert found == [issue("HIGH_NULL_RATIO", "info", "cost column has 15% null values", 1_500, "cost")]


@pytest.mark.parametrize(
    ("missing", "rows", "share"),
    [(1, 3, "33.3%"), (2, 3, "66.7%"), (1, 8, "12.5%"), (999, 1_000, "99.9%"), (99_999, 100_000, "99.9%")],
)
def test_a_share_of_nulls_is_rounded_but_never_to_all(missing: int, rows: int, share: str) -> None:
    found = issues(rows=rows, columns=[column(count=rows - missing, missing=missing)])

    assert [found.detail for found in found] == [f"cost column has {share} null values"]


@pytest.mark.parametrize(("threshold", "missing", "count"), [(0.0, 1, 1), (0.0, 0, 0), (1.0, 99, 0)])
def test_the_threshold_of_nulls_has_two_ends(threshold: float, missing: int, count: int) -> None:
    options = AnalyzeOptions(null_ratio_threshold=threshold)

    assert len(issues(options, columns=[column(count=100 - missing, missing=missing)])) == count


def test_a_column_of_nulls_alone_is_one_issue_not_two() -> None:
    found = issues(columns=[column(count=0, missing=100, unique=0)])

    assert found == [issue("ALL_NULL", "warning", "cost column has only nulls", 100, "cost")]


def test_a_column_of_one_value_is_constant() -> None:
    found = issues(columns=[column(unique=1)])

    assert found == [issue("CONSTANT", "info", "cost column has one value only", 100, "cost")]


@pytest.mark.parametrize(
    "facts",
    [
        {"columns": [column(unique=2)]},
        {"columns": [column(unique=None)]},
        {"columns": [column(unique=1, count=99, missing=1)]},
        {"columns": [column(unique=1, count=1)], "rows": 1},
    ],
)
def test_other_columns_are_not_constant(facts: dict[str, Any]) -> None:
    assert issues(**facts) == []


@pytest.mark.parametrize(
    ("repeated", "detail"),
    [(1, "1 row repeats an earlier row"), (1_500, "1,500 rows repeat an earlier row")],
)
def test_rows_that_repeat_others_are_an_issue(repeated: int, detail: str) -> None:
    assert issues(duplicate_rows=repeated) == [issue("DUPLICATE_ROWS", "warning", detail, repeated)]


def test_rows_that_were_not_compared_are_no_issue() -> None:
    assert issues(duplicate_rows=None) == []


@pytest.mark.parametrize("r", [0.9, -0.9])
def test_a_correlation_at_the_threshold_is_an_issue(r: float) -> None:
    found = issues(correlations=[("kwh", "cost", r), ("kwh", "hour", 0.8999)])

    assert found == [
        issue("HIGH_CORRELATION", "info", f"kwh and cost are correlated (r = {r:.2f})", 100, "kwh")
    ]


def test_the_threshold_of_correlations_is_the_callers() -> None:
    pairs = [("a", "b", 0.5), ("a", "c", -0.2)]

    assert len(issues(AnalyzeOptions(correlation_threshold=0.2), correlations=pairs)) == 2
    assert issues(AnalyzeOptions(correlation_threshold=0.6), correlations=pairs) == []


def test_warnings_come_first_and_then_the_checks_in_their_order() -> None:
    found = issues(
        columns=[column("a", unique=1), column("b", count=50, missing=50), column("c", count=0, missing=100)],
        duplicate_rows=3,
        correlations=[("a", "b", 1.0)],
        outliers={"b": Outliers(1, 0.0, 1.0, None)},
    )

    assert [(found.code, found.column) for found in found] == [
        ("OUTLIERS", "b"),
        ("ALL_NULL", "c"),
        ("DUPLICATE_ROWS", None),
        ("HIGH_NULL_RATIO", "b"),
        ("CONSTANT", "a"),
        ("HIGH_CORRELATION", "a"),
    ]
