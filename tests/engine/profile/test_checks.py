from __future__ import annotations

import datetime as dt
import math
import random
from typing import Any, get_args

import polars as pl
import pytest

from airpy.contract import AnalyzeOptions, Issue, IssueCode
from airpy.engine.profile.checks import CHECKS
from airpy.engine.profile.report import report
from tests.engine.profile.issue_cases import CASES, MISSES, NOW, START, Case, Miss, of
from tests.engine.profile.issue_filters import assert_filters_select, rows_of

CODES = get_args(IssueCode.__value__)


def issues(frame: pl.DataFrame, options: Any) -> list[Issue]:
    """What is found of the frame, on 1 October 2025 at noon."""
    return report(frame.lazy(), "eda", AnalyzeOptions.model_validate(options), now=NOW).issues


def named(each: Case | Miss) -> str:
    return f"{each.code}-{'-'.join(map(str, each.frame.dtypes))}"


def test_the_checks_are_the_issue_codes_of_the_contract() -> None:
    assert {check.__name__.upper() for check in CHECKS} == set(CODES)


def test_every_code_has_a_frame_with_the_issue_and_one_without() -> None:
    assert {case.code for case in CASES} == set(CODES)
    assert {miss.code for miss in MISSES} == set(CODES)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_an_issue_is_told_of_exactly_its_rows(case: Case) -> None:
    found = [issue for issue in issues(case.frame, case.options) if issue.code == case.code]

    assert [issue.column for issue in found] == [case.column]
    told = found[0].model_dump(by_alias=True, exclude_unset=True)
    assert {name: told.get(name) for name in case.told} == case.told
    assert found[0].affected_rows == len(case.rows)
    assert [example.row for example in found[0].examples or []] == list(case.rows[:5])
    assert rows_of(case.frame, found[0]) == list(case.rows)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_filters_of_all_other_issues_of_these_frames_select_their_rows_too(case: Case) -> None:
    assert_filters_select(case.frame, issues(case.frame, case.options))


@pytest.mark.parametrize("miss", MISSES, ids=named)
def test_a_frame_that_only_comes_near_has_no_such_issue(miss: Miss) -> None:
    assert miss.code not in {issue.code for issue in issues(miss.frame, miss.options)}


def test_errors_come_before_warnings_and_warnings_before_the_rest() -> None:
    frame = pl.DataFrame({"a": ["x"] * 40, "b": [*range(39), 1000], "c": [" y"] * 40})
    found = [issue.severity for issue in issues(frame, {})]

    assert found == sorted(found, key=["error", "warning", "info"].index)
    assert set(found) == {"warning", "info"}


@pytest.mark.parametrize(("most", "examples"), [(0, []), (2, [1, 2]), (5, [1, 2, 3])])
def test_as_many_examples_are_shown_as_are_asked_for(most: int, examples: list[int]) -> None:
    (found,) = [each for each in issues(of([7, 7, 7]), {"max_examples": most}) if each.code == "CONSTANT"]

    assert [each.row for each in found.examples or []] == examples


def test_an_example_has_the_values_of_its_row() -> None:
    frame = pl.DataFrame({"v": [1, 2, 3, 4, 5, 6, 7, 8, 100], "at": [f"row {n}" for n in range(1, 10)]})
    (found,) = [each for each in issues(frame, {}) if each.code == "OUTLIERS"]

    assert [each.model_dump() for each in found.examples or []] == [
        {"row": 9, "values": {"v": 100, "at": "row 9"}}
    ]


def test_the_period_of_a_series_is_counted_in_its_steps_whatever_is_missing() -> None:
    hours = [place for place in range(24 * 30) if place % 11 or place % 7]
    frame = pl.DataFrame(
        {
            "t": [START + dt.timedelta(hours=hour) for hour in hours],
            "v": [math.sin(math.pi * hour / 12) for hour in hours],
        }
    )
    (found,) = [each for each in issues(frame, {}) if each.code == "SEASONAL"]

    assert found.detail.startswith("v repeats itself every 24 points")


def test_the_period_of_a_ragged_series_is_the_top_of_its_peak() -> None:
    noise = random.Random(1)  # noqa: S311
    values = [math.sin(math.pi * day / 50) + noise.gauss(0, 0.5) for day in range(600)]
    frame = pl.DataFrame({"t": [START.date() + dt.timedelta(day) for day in range(600)], "v": values})
    (found,) = [
        each for each in issues(frame, {"thresholds": {"seasonality": 0.4}}) if each.code == "SEASONAL"
    ]

    period = int(found.detail.split(" every ")[1].split()[0])
    assert 96 <= period <= 104


def test_of_ten_series_of_mere_noise_hardly_one_is_said_to_drift() -> None:
    noise = random.Random(1)  # noqa: S311
    drifting = 0
    for _ in range(10):
        values = [noise.gauss(0, 1) for _ in range(100)]
        frame = pl.DataFrame({"t": [START + dt.timedelta(hours=hour) for hour in range(100)], "v": values})
        drifting += "NON_STATIONARY" in {each.code for each in issues(frame, {})}

    assert drifting <= 1


def test_a_series_of_numbers_near_the_greatest_is_measured_like_any_other() -> None:
    values = [1.7e308 * math.sin(math.pi * hour / 6) for hour in range(60)]
    frame = pl.DataFrame({"t": [START + dt.timedelta(hours=hour) for hour in range(60)], "v": values})

    assert "SEASONAL" in {each.code for each in issues(frame, {})}
