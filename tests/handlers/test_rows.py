"""Pages of a result frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

from tests.envelope import refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service

ARROW = "application/vnd.apache.arrow.stream"
ROWS = 100_000


@pytest.fixture(scope="module", params=["arrow", "parquet"])
def token(request: pytest.FixtureRequest, service: Service, base: Path) -> int:
    """A job whose result is the numbers from 0 on, with their squares as text."""
    numbers = pl.DataFrame({"n": range(ROWS)}).with_columns(text=(pl.col("n") ** 2).cast(pl.String))
    numbers.write_parquet(base / "_numbered.parquet")
    body = {"datasource_id": "e", "plan": {"dataset": "_numbered.parquet"}, "output": request.param}
    job = service.run("query", body)
    assert job["status"] == "completed"
    found: int = job["token"]
    return found


def page(service: Service, token: int, **parameters: Any) -> dict[str, Any]:
    """A page as JSON."""
    answer = service.get(f"jobs/{token}/rows", params=parameters)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_page_says_which_rows_it_has_and_where_the_next_is(service: Service, token: int) -> None:
    told = page(service, token, offset=70_000, limit=2)

    assert told == {
        "rows": [{"n": 70_000, "text": "4900000000"}, {"n": 70_001, "text": "4900140001"}],
        "schema": {
            "fields": [
                {"name": "n", "type": "int64", "nullable": False},
                {"name": "text", "type": "string", "nullable": False},
            ]
        },
        "offset": 70_000,
        "limit": 2,
        "total_rows": ROWS,
        "next": f"/v1/py/jobs/{token}/rows?offset=70002&limit=2",
    }


def test_a_page_is_of_a_thousand_rows_from_the_first_on(service: Service, token: int) -> None:
    told = page(service, token)

    assert [row["n"] for row in told["rows"]] == list(range(1000))
    assert (told["offset"], told["limit"]) == (0, 1000)


def test_following_next_gives_every_row_once(service: Service, token: int) -> None:
    found, place = [], f"/v1/py/jobs/{token}/rows?limit=30000"
    while place:
        told = service.get(place.removeprefix("/v1/py/")).json()
        found += [row["n"] for row in told["rows"]]
        place = told["next"]

    assert found == list(range(ROWS))


@pytest.mark.parametrize("offset", [ROWS, ROWS + 1, 9007199254740991])
def test_beyond_the_end_is_an_empty_page(service: Service, token: int, offset: int) -> None:
    told = page(service, token, offset=offset)

    assert (told["rows"], told["next"], told["total_rows"]) == ([], None, ROWS)
    assert len(told["schema"]["fields"]) == 2


def test_a_page_has_no_more_rows_than_json_may_have(service: Service, token: int) -> None:
    told = page(service, token, limit=60_000)

    assert len(told["rows"]) == told["limit"] == 50_000
    assert told["next"] == f"/v1/py/jobs/{token}/rows?offset=50000&limit=50000"


def test_a_page_as_an_arrow_stream(service: Service, token: int) -> None:
    answer = service.get(f"jobs/{token}/rows?offset=99998&limit=1", headers={"Accept": ARROW})
    last = service.get(f"jobs/{token}/rows?offset=99999&limit=1", headers={"Accept": ARROW})

    assert answer.headers["content-type"] == ARROW
    assert answer.headers["x-arrow-rows"] == str(ROWS)
    assert answer.headers["link"] == f'</v1/py/jobs/{token}/rows?offset=99999&limit=1>; rel="next"'
    assert pa.ipc.open_stream(answer.content).read_all().column("n").to_pylist() == [99_998]
    assert "link" not in last.headers


@pytest.mark.parametrize(
    ("query", "field"),
    [("offset=-1", "offset"), ("limit=0", "limit"), ("limit=1000001", "limit"), ("offset=x", "offset")],
)
def test_a_page_that_cannot_be_is_refused(service: Service, token: int, query: str, field: str) -> None:
    error = refused(service.get(f"jobs/{token}/rows?{query}"), 400, "SCHEMA_VIOLATION")

    assert error["details"]["field"] == f"query.{field}"


def test_a_page_in_another_format_is_refused(service: Service, token: int) -> None:
    error = refused(service.get(f"jobs/{token}/rows", headers={"Accept": "text/csv"}), 406, "NOT_ACCEPTABLE")

    assert error["details"]["suggestion"] == ["application/json", ARROW]


def test_a_job_without_a_frame_has_no_rows(service: Service) -> None:
    token = service.run("discover", {"datasource_id": "e", "uri": "csv"})["token"]

    refused(service.get(f"jobs/{token}/rows"), 409, "NO_RESULT_FRAME")


def test_a_token_that_never_was_has_no_rows(service: Service) -> None:
    refused(service.get("jobs/9007199254740991/rows"), 404, "JOB_NOT_FOUND")


def test_rows_go_with_the_result(service: Service) -> None:
    body = {"datasource_id": "rows", "plan": {"dataset": "energy_parquet", "limit": 3}}
    token = service.run("query", body)["token"]
    (service.results / f"{token}-1" / "data.json").unlink()
    (service.results / f"{token}-1").rename(service.results / f"{token}-1.gone")

    refused(service.get(f"jobs/{token}/rows"), 404, "JOB_EXPIRED")


def test_a_result_without_rows_is_one_empty_page(service: Service) -> None:
    filters = [{"col": "site_id", "op": "==", "val": "nowhere"}]
    body = {"datasource_id": "rows", "plan": {"dataset": "energy_parquet", "filters": filters}}

    told = page(service, service.run("query", body)["token"])

    assert (told["rows"], told["total_rows"], told["next"]) == ([], 0, None)
    assert [field["name"] for field in told["schema"]["fields"]] == ["timestamp", "site_id", "kwh", "cost"]
