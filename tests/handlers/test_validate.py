from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.conftest import energy
from tests.envelope import failed, refused
from tests.handlers.test_analyze import of_frame, of_plan

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service

SITES = ["site_001", "site_002"]
"""Of the three sites of the sample data; each has 12 of the 36 readings."""
KEY = {"rule": "foreign_key", "cols": ["site_id"], "dataset": "_sites"}


@pytest.fixture(scope="module", autouse=True)
def sites(base: Path) -> None:
    """Data sets that foreign keys refer to."""
    pl.DataFrame({"site_id": SITES}).write_parquet(base / "_sites.parquet")
    pl.DataFrame({"site_id": SITES, "city": ["Ulm", "Aue"]}).write_csv(base / "_places.csv")


def verdict(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """The validation in the answer to the request."""
    return service.data("analyze", request)["validation"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("rule", "failed_rows"),
    [
        ({"rule": "not_null", "col": "kwh"}, 1),
        ({"rule": "in_range", "col": "kwh", "max": 2}, 11),
        ({"rule": "in_set", "col": "site_id", "values": SITES}, 12),
        ({"rule": "matches", "col": "site_id", "pattern": "[12]$"}, 12),
        ({"rule": "length_between", "col": "site_id", "min": 9}, 36),
        ({"rule": "unique", "cols": ["timestamp"]}, 36),
        ({"rule": "increasing", "col": "timestamp", "strict": True}, 24),
        ({"rule": "no_gaps", "col": "timestamp", "every": "5 hours"}, 11),
        ({"rule": "compare_columns", "col": "kwh", "op": "<", "col2": "cost"}, 35),
        ({"rule": "satisfies", "condition": {"col": "kwh", "op": "<", "val": 3}}, 11),
    ],
)
def test_a_query_with_the_filter_yields_the_rows_that_failed(
    service: Service, rule: dict[str, Any], failed_rows: int
) -> None:
    (judged,) = verdict(service, of_plan("validate", rules=[rule]))["rules"]

    plan = {"dataset": "energy_parquet", "filters": judged["filter"]}
    answer = service.data("query", {"datasource_id": "energy-files", "plan": plan})
    assert judged["rows_failed"] == answer["metrics"]["rows"] == failed_rows
    assert judged["share"] == failed_rows / judged["rows_checked"]
    assert [one["values"] for one in judged["examples"]] == answer["rows"][:5]


def test_what_a_plan_has_filtered_is_judged_by_its_clock(service: Service) -> None:
    request = of_plan(
        "validate", rules=[{"rule": "in_range", "col": "timestamp", "min": "2025-09-01T00:00:00"}]
    )
    request["plan"]["timezone"] = "Europe/Berlin"

    (judged,) = verdict(service, request)["rules"]

    # In Berlin the 1st began at 22:00 UTC; four times a day, of three sites.
    assert judged["rows_failed"] == 12
    plan = request["plan"] | {"filters": judged["filter"]}
    answer = service.data("query", {"datasource_id": "energy-files", "plan": plan})
    assert answer["metrics"]["rows"] == 12


def test_rows_without_a_partner_come_with_a_plan_that_yields_them(service: Service) -> None:
    request = of_plan("validate", rules=[KEY])
    request["plan"]["filters"] = [{"col": "kwh", "op": "not_null"}]

    (judged,) = verdict(service, request)["rules"]

    assert (judged["rows_checked"], judged["rows_failed"]) == (35, 11)
    answer = service.data("query", {"datasource_id": "energy-files", "plan": judged["plan"]})
    assert answer["metrics"]["rows"] == 11
    assert {row["site_id"] for row in answer["rows"]} == {"site_003"}
    assert [one["values"] for one in judged["examples"]] == answer["rows"][:5]


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"dataset": "_places"},
        {"dataset": "_places.csv", "read": {"delimiter": ","}},
        {"datasource_id": "elsewhere"},
    ],
)
def test_a_frame_that_was_sent_may_refer_to_any_data_set(service: Service, other: dict[str, Any]) -> None:
    request = of_frame(energy(), "validate", rules=[{"rule": "not_null", "col": "site_id"}, KEY | other])
    if "datasource_id" not in other:
        request["datasource_id"] = "energy-files"

    kept, judged = verdict(service, request)["rules"]

    assert kept["passed"]
    assert (judged["rows_checked"], judged["rows_failed"]) == (36, 12)
    assert "plan" not in judged
    assert "filter" not in judged


def test_a_data_set_that_is_not_there_is_refused_before_a_token(service: Service) -> None:
    request = of_plan("validate", rules=[KEY | {"dataset": "_site"}])

    error = refused(service.post("analyze", request), 422, "FILE_MISSING", "IO_ERROR")

    assert error["details"]["field"] == "options.rules[0].dataset"


def test_a_frame_that_was_sent_needs_to_say_where_it_refers_to(service: Service) -> None:
    request = of_frame(energy(), "validate", rules=[KEY])

    error = refused(service.post("analyze", request), 400, "INVALID_OPTIONS")

    assert error["details"]["field"] == "options.rules[0].datasource_id"


def test_a_key_of_another_type_fails_the_job_in_its_place(service: Service) -> None:
    request = of_plan("validate", rules=[KEY | {"cols": ["kwh"], "dataset_cols": ["site_id"]}])

    error = failed(service.run("analyze", request), 400, "TYPE_MISMATCH")

    assert error["details"]["field"] == "options.rules[0].dataset_cols"


def test_few_failures_are_none_and_some_are_a_warning(service: Service) -> None:
    rule = {"rule": "not_null", "col": "kwh"}
    limits: list[dict[str, Any]] = [
        {"tolerance": {"rows": 1}},
        {"tolerance": {"share": 0.03}},
        {"tolerance": {"rows": 0}, "warn_within": {"share": 0.03}},
        {"warn_within": {"share": 0.02}},
    ]
    found = [verdict(service, of_plan("validate", rules=[rule | limit])) for limit in limits]

    assert [each["verdict"] for each in found] == ["pass", "pass", "warn", "fail"]
    judged = [each["rules"][0] for each in found]
    assert [(one["passed"], one["severity"]) for one in judged] == [
        (True, "error"),
        (True, "error"),
        (False, "warning"),
        (False, "error"),
    ]
    assert all(one["filter"] for one in judged)


def test_as_many_examples_are_given_as_are_asked_for(service: Service) -> None:
    rules = [{"rule": "in_range", "col": "kwh", "max": 1}]

    (none,) = verdict(service, of_plan("validate", rules=rules, max_examples=0))["rules"]
    (two,) = verdict(service, of_plan("validate", rules=rules, max_examples=2))["rules"]

    assert "examples" not in none
    # Rows go round the sites: the second and third are of sites 2 and 3.
    assert [(one["row"], one["values"]["kwh"]) for one in two["examples"]] == [(2, 2.0), (3, 3.0)]


def test_rules_are_proposed_when_they_are_asked_for(service: Service) -> None:
    found = verdict(service, of_plan("validate", suggest=True))

    assert (found["verdict"], found["rules"]) == ("pass", [])
    proposed = [each["rule"] for each in found["suggested"]]
    assert {"rule": "not_null", "col": "site_id"} in proposed
    assert {"rule": "type", "col": "kwh", "type": "float64"} in proposed
    assert {"rule": "null_ratio_below", "col": "cost", "max": 0.03} in proposed
    assert all(each["evidence"] for each in found["suggested"])
    again = verdict(service, of_plan("validate", rules=proposed))
    assert again["verdict"] == "pass"
    assert all(one["passed"] for one in again["rules"])
    assert "suggested" not in again


def test_only_a_validation_proposes_rules(service: Service) -> None:
    error = refused(service.post("analyze", of_plan("profile", suggest=True)), 400, "INVALID_OPTIONS")

    assert error["details"]["field"] == "options.suggest"
