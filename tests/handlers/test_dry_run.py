from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.conftest import fresh
from tests.envelope import failed, refused
from tests.handlers.conftest import Judged
from tests.service import running_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

    from tests.service import Service

DAILY = {
    "filters": [{"col": "kwh", "op": ">", "val": 1}],
    "groupby": ["site_id", "day"],
    "grain": "1 day",
    "aggs": [{"col": "kwh", "fn": "sum"}],
    "order": [{"col": "kwh_sum", "dir": "desc"}],
    "limit": 3,
}


def request(dataset: str, plan: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"datasource_id": "energy-files", "plan": {"dataset": dataset, **plan}, **parts}


def ask(service: Service, dataset: str, plan: dict[str, Any], **parts: Any) -> httpx2.Response:
    return service.post("query", request(dataset, plan, **parts), params={"dry_run": "true"})


def preflight(service: Service, dataset: str, plan: dict[str, Any], **parts: Any) -> dict[str, Any]:
    answer = ask(service, dataset, plan, **parts)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def parts(base: Path) -> str:
    """Four files of 10 rows in two partitions; `n` counts on, so that each file has values of its own."""
    for number in range(4):
        folder = base / "_parts" / f"year={2024 + number // 2}"
        folder.mkdir(parents=True, exist_ok=True)
        frame = pl.DataFrame({"n": range(10 * number, 10 * number + 10), "word": ["some text"] * 10})
        frame.write_parquet(folder / f"{number}.parquet")
    return "_parts"


@pytest.mark.parametrize("dataset", ["energy_parquet", "csv", "jsonl/*.jsonl"])
def test_a_dry_run_tells_the_columns_that_the_job_gives(service: Service, dataset: str) -> None:
    before = service.get("health").json()["next_token"]

    found = preflight(service, dataset, DAILY)

    assert service.get("health").json()["next_token"] == before
    data = service.data("query", request(dataset, DAILY))
    told = [(field["name"], field["type"]) for field in found["schema"]["fields"]]
    assert told == [(field["name"], field["type"]) for field in data["schema"]["fields"]]
    assert found["verdict"] == "ok"
    assert found["breaks"] == []


@pytest.mark.parametrize("dry_run", ["false", None])
def test_without_it_the_answer_is_a_token(service: Service, dry_run: str | None) -> None:
    params = {} if dry_run is None else {"dry_run": dry_run}

    answer = service.post("query", request("energy_parquet", {}), params=params)

    assert answer.status_code == 202


def test_what_is_to_be_read_is_counted(service: Service, parts: str) -> None:
    found = preflight(service, parts, {"select": ["n"]})

    [dataset] = found["datasets"]
    assert dataset | {"bytes": 0} == {
        "name": "_parts",
        "format": "parquet",
        "files": 4,
        "files_left": 4,
        "row_groups": 4,
        "row_groups_left": 4,
        "rows": 40,
        "bytes": 0,
        "exact": True,
    }
    assert 0 < dataset["bytes"] < preflight(service, parts, {})["datasets"][0]["bytes"]
    assert found["estimate"]["rows_out"] == 40


def test_partitions_and_statistics_spare_files_and_row_groups(service: Service, parts: str) -> None:
    filters = [{"col": "year", "op": "=", "val": 2024}, {"col": "n", "op": ">=", "val": 10}]

    [dataset] = preflight(service, parts, {"filters": filters})["datasets"]

    # Files 0 and 1 are of 2024, and of those only file 1 has numbers from 10 on.
    assert (dataset["files"], dataset["files_left"]) == (4, 2)
    assert (dataset["row_groups"], dataset["row_groups_left"], dataset["rows"]) == (2, 1, 10)


def test_joined_data_sets_are_told_too(service: Service, parts: str) -> None:
    plan = {"joins": [{"dataset": "csv", "left_on": ["word"], "right_on": ["site_id"]}]}

    found = preflight(service, parts, plan)

    assert [each["format"] for each in found["datasets"]] == ["parquet", "csv"]
    assert found["estimate"]["rows_out"] is None


def test_the_plan_is_explained(service: Service) -> None:
    found = preflight(service, "energy_parquet", DAILY)

    assert [each["stage"] for each in found["explanation"]] == [
        "dataset",
        "filters",
        "grain",
        "aggs",
        "order",
        "limit",
    ]
    assert found["explanation"][1]["text"] == "Keep the rows where kwh is more than 1."


def test_an_estimate_rests_on_queries_that_were_run(service: Service) -> None:
    plan = {"groupby": ["site_id"], "aggs": [{"col": "kwh", "fn": "max"}]}
    before = preflight(service, "energy_parquet", plan)["estimate"]["calibrated_on"]

    service.data("query", request("energy_parquet", plan))

    estimate = preflight(service, "energy_parquet", plan)["estimate"]
    assert estimate["calibrated_on"] > before
    assert estimate["seconds"] > 0
    assert estimate["memory_mb"] > 0
    assert estimate["memory_at_most"]  # nobody knows how many sites there are


@pytest.mark.parametrize(
    ("plan", "reason", "change"),
    [
        ({"select": ["kwhh"]}, "UNKNOWN_COLUMN", [("replace", "/plan/select/0", "kwh")]),
        (
            {"filters": [{"col": "kwh", "op": ">", "val": "1,5"}]},
            "TYPE_MISMATCH",
            [("replace", "/plan/filters/0/val", 1.5)],
        ),
        (
            {"groupby": ["site_id"], "aggs": [{"col": "kwh", "fn": "sum"}], "order": [{"col": "kwh"}]},
            "INVALID_PLAN",
            [("replace", "/plan/order/0/col", "kwh_sum")],
        ),
    ],
)
def test_what_the_plan_gets_wrong_is_told_as_the_job_would_tell_it(
    service: Service, plan: dict[str, Any], reason: str, change: list[tuple[str, str, Any]]
) -> None:
    error = refused(ask(service, "energy_parquet", plan), 400, reason)

    told = [(each["op"], each["path"], each["value"]) for each in error["details"]["suggestion"]]
    assert told == change


def test_a_column_that_only_some_of_many_files_have_is_known(service: Service, base: Path) -> None:
    folder = base / "_many_files"
    folder.mkdir()
    for number in range(40):
        columns = {"n": [number]} | ({"rare": [1]} if number == 7 else {})
        pl.DataFrame(columns).write_parquet(folder / f"{number:02}.parquet")

    found = preflight(service, "_many_files", {"select": ["n", "rare"]})

    assert [field["name"] for field in found["schema"]["fields"]] == ["n", "rare"]
    error = refused(ask(service, "_many_files", {"select": ["rarer"]}), 400, "UNKNOWN_COLUMN")
    # Where there is no time to try a change, the nearest name is told as it is.
    told = error["details"]["suggestion"]
    assert told in (["rare"], [{"op": "replace", "path": "/plan/select/0", "value": "rare"}])


def test_a_key_that_only_later_lines_have_is_known(service: Service, base: Path) -> None:
    lines = ['{"a": 1}'] * 30_000 + ['{"a": 1, "late": 2}']
    (base / "_late.jsonl").write_text("\n".join(lines))

    found = preflight(service, "_late.jsonl", {"select": ["late"]})

    assert [field["name"] for field in found["schema"]["fields"]] == ["late"]


@pytest.mark.parametrize(
    ("dataset", "status", "code", "reason"),
    [
        ("nowhere", 422, "IO_ERROR", "FILE_MISSING"),
        ("../outside", 400, "VALIDATION_ERROR", "PATH_REFUSED"),
        ("_odd/broken.parquet", 422, "IO_ERROR", "UNREADABLE_FILE"),
        ("_odd/empty.csv", 422, "IO_ERROR", "EMPTY_FILE"),
    ],
)
def test_what_cannot_be_read_is_refused(
    service: Service, odd: Path, dataset: str, status: int, code: str, reason: str
) -> None:
    del odd

    refused(ask(service, dataset, {}), status, reason, code)


@pytest.mark.parametrize(
    ("budget", "cap"),
    [
        ({"rows": 39}, "budget.rows"),
        ({"scan_bytes": 10}, "budget.scan_bytes"),
        ({"seconds": 0.000001}, "budget.seconds"),
        ({"memory_mb": 1}, "budget.memory_mb"),
    ],
)
def test_a_plan_over_its_budget_is_refused_before_it_is_run(
    service: Service, parts: str, budget: dict[str, Any], cap: str
) -> None:
    found = preflight(service, parts, {}, budget=budget)

    assert found["verdict"] == "refused"
    [broken] = found["breaks"]
    assert broken["cap"] == cap
    assert broken["estimate"] > broken["limit"]

    job = service.run("query", request(parts, {}, budget=budget))
    error = failed(job, 413, "BUDGET_EXCEEDED", "RESOURCE_CAP")
    assert error["details"]["field"] == cap
    assert set(error["details"]["estimate"]) == set(found["estimate"])
    assert "aggregating" in [step["step"] for step in job["steps"]]
    assert "query_complete" not in [step["step"] for step in job["steps"]]


def test_a_plan_within_its_budget_is_run(service: Service, parts: str) -> None:
    budget = {"rows": 40, "scan_bytes": 1_000_000, "seconds": 1000, "memory_mb": 2000}

    assert preflight(service, parts, {}, budget=budget)["verdict"] == "ok"
    assert service.data("query", request(parts, {}, budget=budget))["metrics"]["rows"] == 40


def test_an_answer_that_turns_out_to_have_more_rows_fails(service: Service, parts: str) -> None:
    plan = {"filters": [{"col": "n", "op": "!=", "val": 0}]}  # how many that leaves, only the data tell

    assert preflight(service, parts, plan, budget={"rows": 38})["verdict"] == "ok"
    job = service.run("query", request(parts, plan, budget={"rows": 38}))

    error = failed(job, 413, "BUDGET_EXCEEDED", "RESOURCE_CAP")
    assert error["details"]["field"] == "budget.rows"
    assert service.data("query", request(parts, plan, budget={"rows": 39}))["metrics"]["rows"] == 39


def test_more_text_than_the_budget_allows_is_refused_before_a_token_is_issued(service: Service) -> None:
    answer = service.post("query", request("csv", {}, budget={"scan_bytes": 10}))

    refused(answer, 413, "BUDGET_EXCEEDED", "RESOURCE_CAP")


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, databases: Iterator[str]) -> Iterator[Service]:
    """A service of little memory, whose Parquet file takes more in memory and little on disk."""
    base = tmp_path_factory.mktemp("narrow")
    wide = {f"c{n}": pl.arange(0, 2_000_000, eager=True) // 1_000_000 for n in range(10)}
    pl.DataFrame(wide).write_parquet(base / "wide.parquet")
    settings = {"PY_MEMORY_MB": "200", "PY_WORKERS": "1", "PY_MAX_JOIN_ROWS": "1000000000"}
    service = running_service(tmp_path_factory.mktemp("service"), base, fresh(next(databases)), **settings)
    with service as running:
        yield Judged(*running)


def test_a_cross_join_that_makes_too_many_rows_is_refused_before_it_is_run(narrow: Service) -> None:
    plan = {"joins": [{"dataset": "wide", "how": "cross"}], "aggs": [{"fn": "count"}]}

    found = preflight(narrow, "wide", plan)

    assert found["verdict"] == "refused"
    [broken] = found["breaks"]
    # 2,000,000 rows beside as many.
    assert (broken["cap"], broken["estimate"]) == ("PY_MAX_JOIN_ROWS", 4_000_000_000_000)
    job = narrow.run("query", request("wide", plan))
    error = failed(job, 413, "TOO_LARGE", "RESOURCE_CAP")
    assert error["message"] == broken["message"]
    assert error["details"]["estimate"]["rows_out"] == 1


def test_a_sort_that_cannot_fit_into_memory_is_refused_with_what_helps(narrow: Service) -> None:
    # 2,000,000 rows of 10 columns of 8 bytes are 153 MiB, and a sort holds them twice at least.
    plan = {"order": [{"col": "c0"}]}

    found = preflight(narrow, "wide", plan)

    assert found["verdict"] == "refused"
    [broken] = found["breaks"]
    assert (broken["cap"], broken["limit"], broken["estimate"]) == ("PY_MEMORY_MB", 200, 305)
    assert "give a limit, filter, or select less" in broken["message"]
    job = narrow.run("query", request("wide", plan))
    error = failed(job, 413, "MEMORY_CAP", "RESOURCE_CAP")
    assert error["message"] == broken["message"]
    assert "post_mortem" not in error["details"]


def test_what_helps_does_help(narrow: Service) -> None:
    for less in ({"limit": 10}, {"select": ["c0"]}):
        plan = {"order": [{"col": "c0"}], **less}
        assert preflight(narrow, "wide", plan)["verdict"] == "ok"
        assert narrow.data("query", request("wide", plan))["rows"][0]["c0"] == 0
