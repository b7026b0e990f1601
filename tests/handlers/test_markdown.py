from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from markdown_it import MarkdownIt

from tests.envelope import refused
from tests.handlers.test_analyze import of_frame, of_plan

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from tests.service import Service

MARKDOWN = "text/markdown"
SCHEMA = {"datasource_id": "energy-files", "uri": "energy/measurements.parquet"}


def page(service: Service, token: int, accept: str = MARKDOWN, **arguments: Any) -> httpx2.Response:
    """The answer about a job to one who accepts this."""
    return service.get(f"jobs/{token}", headers={"Accept": accept}, **arguments)


def ended(service: Service, path: str, body: dict[str, Any]) -> int:
    """The token of a job that has ended."""
    token = service.submit(path, body)
    service.wait(token)
    return token


def test_a_schema_comes_as_markdown(service: Service) -> None:
    answer = page(service, ended(service, "infer_schema", SCHEMA))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    title, *_, last = answer.text.rstrip("\n").split("\n")
    assert title == "# Schema of `measurements.parquet`"
    assert last.startswith("| `cost` | float64 | yes | 2.8 % | 3 | ")


@pytest.mark.parametrize(
    ("body", "title", "told"),
    [
        (of_plan(), "# Exploration of `energy_parquet`", "HIGH_CORRELATION"),
        (of_plan("profile"), "# Profile of `energy_parquet`", "| 1 to 3 |"),
        (
            of_plan("validate", rules=[{"rule": "not_null", "col": "kwh"}]),
            "# Validation of ",
            "## Verdict: fail",
        ),
        (of_frame(pl.DataFrame({"a|b": [1]})), "# Exploration\n", "| a&#124;b | int64 |"),
    ],
)
def test_an_analysis_comes_as_markdown(service: Service, body: dict[str, Any], title: str, told: str) -> None:
    answer = page(service, ended(service, "analyze", body))

    assert answer.status_code == 200
    assert answer.text.startswith(title)
    assert told in answer.text


def test_hostile_names_of_columns_are_cells_of_the_table(service: Service, base: Path) -> None:
    names = ["a|b", "`c`", "d\ne", "<b>", "\\", "[x](y)"]
    pl.DataFrame({name: [f"|{name}|"] for name in names}).write_parquet(base / "hostile.parquet")
    reader = MarkdownIt("commonmark").enable("table")
    plan = {"dataset": "hostile.parquet"}
    tokens = [
        ended(service, "infer_schema", {"datasource_id": "e", "uri": "hostile.parquet"}),
        ended(service, "analyze", {"datasource_id": "e", "plan": plan, "job_kind": "profile"}),
    ]

    for token in tokens:
        found = reader.parse(page(service, token).text)
        rows = [place for place, part in enumerate(found) if part.type == "tr_open"]
        firsts = [found[place + 2].children or [] for place in rows]
        told = ["".join(child.content for child in children) for children in firsts]
        assert told == ["Column", "a|b", "`c`", "d\\ne", "<b>", "\\", "[x](y)"]


@pytest.mark.parametrize(
    "accept",
    ["*/*", "application/json", "text/markdown;q=0.5, application/json", "application/*, text/*;q=0.1"],
)
def test_json_is_what_comes_unless_markdown_is_wanted_more(service: Service, accept: str) -> None:
    answer = page(service, ended(service, "infer_schema", SCHEMA), accept)

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["data"]["stats"]["rows"] == 36


def test_who_accepts_neither_is_refused(service: Service) -> None:
    token = ended(service, "infer_schema", SCHEMA)

    error = refused(page(service, token, "application/xml"), 406, "NOT_ACCEPTABLE")

    assert error["details"]["suggestion"] == ["application/json", "text/markdown"]


def test_of_other_jobs_there_is_json_alone(service: Service) -> None:
    listed = ended(service, "discover", {"datasource_id": "e", "uri": "csv"})
    failed = ended(service, "analyze", of_plan("validate", rules=[{"rule": "not_null", "col": "nothing"}]))

    for token in (listed, failed):
        error = refused(page(service, token), 406, "NOT_ACCEPTABLE")
        assert error["details"]["suggestion"] == ["application/json"]
        either = page(service, token, "text/markdown, application/json;q=0.9")
        assert either.headers["content-type"] == "application/json"


def test_a_result_that_is_not_ready_is_told_as_such(service: Service, base: Path) -> None:
    pl.DataFrame({"one": [1] * 20_000}).write_parquet(base / "_slow.parquet")
    joins = [{"dataset": "_slow.parquet", "on": ["one"]}]
    plan = {"dataset": "_slow.parquet", "joins": joins, "aggs": [{"col": "one", "fn": "sum"}]}
    token = service.submit("analyze", {"datasource_id": "slow", "plan": plan, "job_kind": "eda"})

    alone = page(service, token)
    either = page(service, token, "text/markdown, application/json;q=0.9")
    service.call("DELETE", f"jobs/{token}")

    refused(alone, 409, "RESULT_NOT_READY")
    assert either.json()["status"] in {"started", "running"}


def test_a_job_that_is_not_there_is_told_in_json(service: Service) -> None:
    refused(page(service, 10**9), 404, "JOB_NOT_FOUND")


def test_markdown_can_be_waited_for(service: Service) -> None:
    token = service.submit("infer_schema", SCHEMA)

    answer = page(service, token, params={"wait": 20, "since": 1000})

    assert answer.text.startswith("# Schema of ")
