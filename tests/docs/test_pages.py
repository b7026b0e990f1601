"""Holds the pages' tables to the contract and the code: what can be met stands there, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import pytest

from airpy import contract, errors
from airpy.engine.profile.checks import CHECKS
from airpy.engine.profile.outliers import OUTLIER_METHODS
from airpy.engine.profile.rules import RULES
from airpy.jobs.retries import CRASHES, TRANSIENT
from airpy.web.problems import status_of
from tests.docs.markdown import tables

if TYPE_CHECKING:
    from pydantic import BaseModel

    from airpy.contract import ErrorCode, ErrorReason
    from airpy.errors import AirError

CODES, *BY_CODE = tables("docs/errors.md")
REASONS: list[tuple[str, dict[str, str]]] = [
    (code, row)
    for code, table in zip(CODES.by("code"), BY_CODE, strict=True)
    for row in table.by("reason").values()
]
YES_NO = {True: "yes", False: "no"}


def words(alias: Any) -> tuple[str, ...]:
    """The values of an enumeration of the contract."""
    value = alias.__value__
    while get_origin(value) is Annotated:
        value = get_args(value)[0]
    return get_args(value)


def raised(code: ErrorCode, reason: ErrorReason) -> AirError:
    """An error as the service raises it: of the class whose own reason it is, else of its code's first."""
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AirError)
    ]
    usual = [kind for kind in kinds if getattr(kind, "reason", None) == reason]
    of_code = [kind for kind in kinds if getattr(kind, "code", None) == code]
    return (usual or of_code)[0]("", reason=reason)


def test_the_errors_page_has_every_code_and_every_reason_once() -> None:
    assert tuple(CODES.by("code")) == words(contract.ErrorCode)
    assert sorted(row["reason"] for _, row in REASONS) == sorted(words(contract.ErrorReason))


@pytest.mark.parametrize(("code", "row"), REASONS, ids=[row["reason"] for _, row in REASONS])
def test_a_reason_is_answered_as_the_errors_page_says(code: ErrorCode, row: dict[str, Any]) -> None:
    error = raised(code, row["reason"])

    assert error.code == code
    assert row["status"] == str(status_of(code, row["reason"]))
    assert row["retryable"] == YES_NO[error.retryable]
    assert row["begun again"] == YES_NO[row["reason"] in CRASHES | TRANSIENT]
    assert row["means"]
    assert row["what to do"]


@pytest.mark.parametrize(
    ("column", "known"),
    [
        ("kind", words(contract.AnalysisKind)),
        ("outlier_method", tuple(OUTLIER_METHODS)),
        ("code", words(contract.IssueCode)),
        ("method", words(contract.AssociationMethod)),
        ("statistic", (*words(contract.DriftStatistic), "rows")),
        ("type", words(contract.ChartType)),
        ("rule", tuple(RULES)),
    ],
)
def test_the_analysis_page_has_everything_that_an_answer_may_hold(
    column: str, known: tuple[str, ...]
) -> None:
    listed = next(table.by(column) for table in tables("docs/analysis.md") if table.columns[0] == column)

    assert sorted(listed) == sorted(known)


def test_every_issue_has_a_check_that_finds_it() -> None:
    assert {check.__name__.upper() for check in CHECKS} == {*words(contract.IssueCode)}


def test_the_analysis_page_has_every_threshold_with_its_default() -> None:
    told = {
        row["option"]: float(row["default"])
        for table in tables("docs/analysis.md")
        if "option" in table.columns
        for row in table.by(table.columns[0]).values()
        if row["option"]
    }
    options, thresholds = contract.AnalyzeOptions(), contract.IssueThresholds()
    single = {name: getattr(options, name) for name in ("correlation_threshold", "null_ratio_threshold")}

    assert told == {**single, **thresholds.model_dump()}


def test_the_contract_says_of_every_threshold_which_issue_it_is_of() -> None:
    table = next(table for table in tables("docs/analysis.md") if table.columns[0] == "code")
    fields = contract.IssueThresholds.model_fields

    for code, row in table.by("code").items():
        if row["option"] in fields:
            assert code in str(fields[row["option"]].description)


@pytest.mark.parametrize(
    ("column", "models", "told_elsewhere"),
    [
        (
            "field",
            (contract.FrameMetrics, contract.ColumnMetrics),
            {"name", "type", "column_metrics"},
        ),
        ("of text", (contract.TextMetrics,), set[str]()),
        ("of time", (contract.TimeMetrics,), set[str]()),
        ("of a series", (contract.SeriesMetrics,), set[str]()),
    ],
)
def test_the_analysis_page_explains_every_metric(
    column: str, models: tuple[type[BaseModel], ...], told_elsewhere: set[str]
) -> None:
    told = {
        name
        for table in tables("docs/analysis.md")
        if table.columns[0] == column
        for names in table.by(column)
        for name in names.split(", ")
    }
    metrics = {name for model in models for name in model.model_fields}

    assert told == metrics - told_elsewhere


def test_the_concepts_page_has_the_steps_of_every_job() -> None:
    table = next(table for table in tables("docs/concepts.md") if table.columns == ["job", "steps"])
    steps = {step for row in table.rows for step in row[1].split(", ")}

    assert tuple(table.by("job")) == words(contract.JobType)
    assert steps == set(words(contract.StepName))
