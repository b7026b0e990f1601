from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.envelope import failed, refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service

FORMATS = ["energy_parquet", "csv", "jsonl/*.jsonl"]


def request(dataset: str = "energy_parquet", output: str = "json", **plan: Any) -> dict[str, Any]:
    return {"datasource_id": "energy-files", "plan": {"dataset": dataset, **plan}, "output": output}


def test_query_answers_with_a_token_and_where_to_poll(service: Service) -> None:
    answer = service.post("query", request())

    assert answer.status_code == 202
    token = answer.json()["token"]
    assert answer.json() == {"token": token, "status": "started", "message": "Query execution job started"}
    assert answer.headers["location"] == f"/v1/py/jobs/{token}"
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("dataset", FORMATS)
def test_sums_by_site_and_day_over_every_format(service: Service, dataset: str) -> None:
    # Site n uses n kWh four times a day; the last reading of site_003 is missing.
    data = service.data(
        "query",
        request(
            dataset,
            filters=[{"col": "timestamp", "op": ">=", "val": "2025-09-01T00:00:00Z"}],
            groupby=["site_id", "day"],
            aggs=[{"col": "kwh", "fn": "sum"}, {"col": "cost", "fn": "sum"}],
            grain="1 day",
            order=[{"col": "day", "dir": "asc"}],
        ),
    )

    rows = [(row["day"], row["site_id"], row["kwh_sum"]) for row in data["rows"]]
    assert rows == [
        ("2025-09-01", "site_001", 4.0),
        ("2025-09-01", "site_002", 8.0),
        ("2025-09-01", "site_003", 12.0),
        ("2025-09-02", "site_001", 4.0),
        ("2025-09-02", "site_002", 8.0),
        ("2025-09-02", "site_003", 9.0),
    ]
    assert [row["cost_sum"] for row in data["rows"]] == pytest.approx([0.6, 1.2, 1.8, 0.6, 1.2, 1.35])
    assert data["schema"] == {
        "fields": [
            {"name": "site_id", "type": "string", "nullable": False},
            {"name": "day", "type": "date", "nullable": False},
            {"name": "kwh_sum", "type": "float64", "nullable": False},
            {"name": "cost_sum", "type": "float64", "nullable": False},
        ]
    }


@pytest.mark.parametrize("dataset", FORMATS)
def test_the_answer_counts_rows_and_bytes_and_links_to_the_whole(service: Service, dataset: str) -> None:
    job = service.run("query", request(dataset, filters=[{"col": "site_id", "op": "=", "val": "site_002"}]))

    data, token = job["data"], job["token"]
    whole = service.get(data["download"].removeprefix("/v1/py/"))
    assert len(data["rows"]) == 12
    assert {row["kwh"] for row in data["rows"]} == {2.0}
    assert data["metrics"].keys() == {"rows", "bytes", "execution_time_ms", "cache_hit"}
    assert data["metrics"]["rows"] == 12
    assert data["metrics"]["bytes"] == len(whole.content)
    assert 0 <= data["metrics"]["execution_time_ms"] < 60_000
    assert data["truncated"] is False
    assert data["download"] == f"/v1/py/jobs/{token}/download"


@pytest.mark.parametrize("dataset", FORMATS)
def test_rows_come_in_file_order_unless_asked_otherwise(service: Service, dataset: str) -> None:
    data = service.data("query", request(dataset, select=["kwh", "site_id"], limit=4))

    assert data["rows"] == [
        {"kwh": 1.0, "site_id": "site_001"},
        {"kwh": 2.0, "site_id": "site_002"},
        {"kwh": 3.0, "site_id": "site_003"},
        {"kwh": 1.0, "site_id": "site_001"},
    ]
    assert [field["name"] for field in data["schema"]["fields"]] == ["kwh", "site_id"]


@pytest.mark.parametrize(
    "name", ["energy", "energy_parquet", "energy/measurements.parquet", "energy/*.parquet"]
)
def test_a_data_set_has_many_names(service: Service, name: str) -> None:
    data = service.data("query", request(name, aggs=[{"fn": "count"}]))

    assert data["rows"] == [{"count": 36}]


def test_the_steps_are_the_specifications(service: Service) -> None:
    job = service.run("query", request())

    assert [step["step"] for step in job["steps"]] == [
        "file_found",
        "loading_data",
        "applying_filters",
        "aggregating",
        "query_complete",
    ]
    assert job["steps"][0]["message"].startswith("Found energy_parquet")


@pytest.mark.parametrize("output", ["json", "arrow", "parquet"])
def test_no_rows_left_keeps_the_schema(service: Service, output: str) -> None:
    job = service.run("query", request(output=output, filters=[{"col": "kwh", "op": ">", "val": 1000}]))

    whole = service.get(f"jobs/{job['token']}/download")
    table = (
        pq.read_table(pa.BufferReader(whole.content))
        if output == "parquet"
        else pa.ipc.open_stream(whole.content).read_all()
    )
    names = ["timestamp", "site_id", "kwh", "cost"]
    assert job["data"]["rows"] == []
    assert [field["name"] for field in job["data"]["schema"]["fields"]] == names
    assert [field["type"] for field in job["data"]["schema"]["fields"]] == [
        "timestamp",
        "string",
        "float64",
        "float64",
    ]
    assert job["data"]["metrics"]["rows"] == 0
    assert whole.headers["x-arrow-rows"] == "0"
    assert table.num_rows == 0
    assert table.schema.names == names


@pytest.mark.parametrize(
    ("plan", "reason", "field", "message", "nearest"),
    [
        pytest.param(
            {"filters": [{"col": "kwh", "op": "=>", "val": 1}]},
            "SCHEMA_VIOLATION",
            "plan.filters[0].op",
            "'=>' is not one of: =, ==, !=, <>, <, <=, >, >=, between, in, not_in",
            ">",
            id="unknown operator",
        ),
        pytest.param(
            {"aggs": [{"col": "kwh", "fn": "summ"}]},
            "SCHEMA_VIOLATION",
            "plan.aggs[0].fn",
            "'summ' is not one of: count, count_valid, count_missing, n_unique, approx_n_unique, sum, mean",
            "sum",
            id="unknown function",
        ),
        pytest.param(
            {"filter": []},
            "SCHEMA_VIOLATION",
            "plan.filter",
            'plan.filter: "filter" is not known here; did you mean "filters"?',
            "filters",
            id="unknown key",
        ),
        pytest.param(
            {"filters": [{"col": "kwh", "op": ">", "val": {"gt": 1}}]},
            "SCHEMA_VIOLATION",
            "plan.filters[0].val",
            "must be one of: array, boolean, integer, number, string",
            None,
            id="object as value",
        ),
        pytest.param(
            {"filters": [{"col": "kwh", "op": ">"}]},
            "INVALID_PLAN",
            "plan.filters[0].val",
            'operator ">" takes one value, not None',
            None,
            id="no value",
        ),
        pytest.param(
            {"filters": [{"col": "kwh", "op": "in", "val": 1}]},
            "INVALID_PLAN",
            "plan.filters[0].val",
            'operator "in" takes a list of values, not 1',
            None,
            id="no list",
        ),
        pytest.param(
            {"filters": [{"col": "kwh", "op": "between", "val": [1, 2, 3]}]},
            "INVALID_PLAN",
            "plan.filters[0].val",
            'operator "between" takes two values, not [1, 2, 3]',
            None,
            id="three ends",
        ),
        pytest.param(
            {"filters": [{"col": "kwh", "op": "is_null", "val": 1}]},
            "INVALID_PLAN",
            "plan.filters[0].val",
            'operator "is_null" takes no value, not 1',
            None,
            id="value too many",
        ),
        pytest.param(
            {"aggs": [{"fn": "sum"}]},
            "INVALID_PLAN",
            "plan.aggs[0].col",
            'aggregate "sum" needs a column; only "count" counts rows without one',
            None,
            id="aggregate of nothing",
        ),
        pytest.param(
            {"select": ["kwh", "cost"], "order": [{"col": "costs"}]},
            "INVALID_PLAN",
            "plan.order[0].col",
            'the answer has no column "costs" to order by; did you mean "cost"?',
            "cost",
            id="order by what is not there",
        ),
        pytest.param(
            {"grain": "1 fortnight"},
            "SCHEMA_VIOLATION",
            "plan.grain",
            "'1 fortnight' does not have the form",
            None,
            id="unknown grain",
        ),
        pytest.param(
            {"grain": "1 day", "timezone": "Europe/Berln"},
            "INVALID_PLAN",
            "plan.timezone",
            '"Europe/Berln" is not an IANA time zone; did you mean "Europe/Berlin"',
            "Europe/Berlin",
            id="unknown zone",
        ),
        pytest.param(
            {"joins": [{"dataset": "csv"}]},
            "INVALID_PLAN",
            "plan.joins[0]",
            "a join names its columns with `on`, or with `left_on` and `right_on` of equal length",
            None,
            id="join on nothing",
        ),
        pytest.param(
            {"limit": 0},
            "SCHEMA_VIOLATION",
            "plan.limit",
            "0 is less than the minimum of 1",
            None,
            id="no rows",
        ),
    ],
)
def test_a_plan_that_no_data_could_save_is_refused_before_a_token(
    service: Service,
    plan: dict[str, Any],
    reason: str,
    field: str,
    message: str,
    nearest: str | None,
) -> None:
    before = service.get("health").json()["next_token"]

    error = refused(service.post("query", request(**plan)), 400, reason)

    assert error["details"]["field"] == field
    assert error["details"]["constraint"]
    assert message in error["message"]
    assert (error["details"].get("suggestion") or [None])[0] == nearest
    assert service.get("health").json()["next_token"] == before


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"filters": [{"col": "kwhh", "op": ">", "val": 1}]}, "plan.filters[0].col"),
        ({"select": ["site_id", "kwhh"]}, "plan.select[1]"),
        ({"groupby": ["kwhh"], "aggs": [{"fn": "count"}]}, "plan.groupby[0]"),
        ({"aggs": [{"col": "kwhh", "fn": "sum"}]}, "plan.aggs[0].col"),
        ({"order": [{"col": "kwhh"}]}, "plan.order[0].col"),
        ({"grain": "1 day", "time_col": "kwhh"}, "plan.time_col"),
        ({"clean": [{"op": "drop_nulls", "cols": ["kwhh"]}]}, "plan.clean[0].cols[0]"),
        ({"joins": [{"dataset": "csv", "on": ["kwhh"]}]}, "plan.joins[0].on[0]"),
    ],
)
def test_an_unknown_column_comes_with_a_change_that_helps(
    service: Service, plan: dict[str, Any], field: str
) -> None:
    error = failed(service.run("query", request(**plan)), 400, "UNKNOWN_COLUMN")

    assert error["message"] == 'unknown column "kwhh"; did you mean "kwh"?'
    assert error["details"]["field"] == field
    assert error["details"]["constraint"] == "one of: timestamp, site_id, kwh, cost"
    path = "/" + field.replace("[", "/").replace("]", "").replace(".", "/")
    change = {"op": "replace", "path": path, "value": "kwh"}
    # No grain is of a number, so it is the time column there is.
    helps = {"op": "remove", "path": path} if field == "plan.time_col" else change
    assert error["details"]["suggestion"] == [helps]
    assert error["details"]["retryable"] is False


@pytest.mark.parametrize(
    ("plan", "field", "message", "constraint"),
    [
        (
            {"filters": [{"col": "kwh", "op": ">", "val": "much"}]},
            "plan.filters[0].val",
            "'much' cannot be compared with column \"kwh\"",
            "a number",
        ),
        (
            {"filters": [{"col": "site_id", "op": "in", "val": ["site_001", 2]}]},
            "plan.filters[0].val[1]",
            '2 cannot be compared with column "site_id"',
            "a string",
        ),
        (
            {"filters": [{"col": "timestamp", "op": "<", "val": "tomorrow"}]},
            "plan.filters[0].val",
            "'tomorrow' cannot be compared with column \"timestamp\"",
            "a timestamp or date, as in 2025-09-01T00:00:00Z",
        ),
        (
            {"filters": [{"col": "kwh", "op": "contains", "val": "1"}]},
            "plan.filters[0].op",
            'operator "contains" needs a column of strings',
            (
                "one of: =, ==, !=, <>, <, <=, >, >=, between, in, not_in, is_null, not_null, is_nan, "
                "is_finite, is_distinct_from"
            ),
        ),
        (
            {"aggs": [{"col": "site_id", "fn": "sum"}]},
            "plan.aggs[0].fn",
            '"sum" cannot be taken of column "site_id"',
            (
                "one of: count, count_valid, count_missing, n_unique, approx_n_unique, min, max, first, "
                "last, any, mode, arg_min, arg_max, list, join_text"
            ),
        ),
        (
            {"grain": "1 day", "time_col": "site_id"},
            "plan.time_col",
            'column "site_id"',
            "a column of dates or timestamps",
        ),
    ],
)
def test_what_a_columns_type_cannot_do_says_what_it_can(
    service: Service, plan: dict[str, Any], field: str, message: str, constraint: str
) -> None:
    error = failed(service.run("query", request(**plan)), 400, "TYPE_MISMATCH")

    assert error["details"]["field"] == field
    assert error["message"].startswith(message)
    assert error["details"]["constraint"] == constraint


def test_a_cast_that_fails_names_a_value(service: Service) -> None:
    clean = [{"op": "cast", "col": "site_id", "type": "int64"}]

    error = failed(service.run("query", request(clean=clean)), 400, "CAST_FAILED")

    assert "int64" in error["message"]
    assert "site_001" in error["message"]


def test_a_misspelt_data_set_suggests_the_nearest(service: Service) -> None:
    error = refused(service.post("query", request("enregy_parquet")), 422, "FILE_MISSING", code="IO_ERROR")

    assert error["message"] == 'there is no data set "enregy_parquet"; did you mean "energy"?'
    assert error["details"]["field"] == "plan.dataset"
    assert error["details"]["suggestion"] == ["energy"]


def test_a_data_set_to_join_that_is_not_there_is_refused(service: Service) -> None:
    joins = [{"dataset": "sitess", "on": ["site_id"]}]

    error = refused(service.post("query", request(joins=joins)), 422, "FILE_MISSING", code="IO_ERROR")

    assert error["details"]["field"] == "plan.joins[0].dataset"


@pytest.mark.parametrize("name", ["empty.csv", "empty.jsonl"])
def test_an_empty_file_fails_the_job_by_name(service: Service, odd: Path, name: str) -> None:
    error = failed(service.run("query", request(f"{odd}/{name}")), 422, "EMPTY_FILE", code="IO_ERROR")

    assert error["message"] == f'"{name}" is empty'


def test_a_header_alone_is_a_result_without_rows(service: Service, odd: Path) -> None:
    data = service.data("query", request(f"{odd}/header.csv"))

    assert data["rows"] == []
    assert [field["name"] for field in data["schema"]["fields"]] == ["name", "age"]


def test_a_ragged_file_is_read_and_its_rows_are_counted(service: Service, odd: Path) -> None:
    data = service.data("query", request(f"{odd}/ragged.csv"))

    assert data["reading"]["faults"]["rows_ragged"] > 0
    assert data["reading"]["faults"]["examples"][0]["kind"] == "ragged_row"


def test_a_folder_without_data_files_is_refused(service: Service, odd: Path) -> None:
    answer = service.post("query", request(f"{odd}/notes"))

    error = refused(answer, 422, "NO_DATA_FILES", code="IO_ERROR")
    assert error["details"]["field"] == "plan.dataset"


def test_letters_of_a_pattern_in_a_name_are_letters(service: Service, base: Path) -> None:
    folder = base / "_letters"
    folder.mkdir()
    pl.DataFrame({"^a.*$": [1], "*": [2], "ab": [3]}).write_parquet(folder / "x[1].parquet")

    data = service.data("query", request("_letters/x[1].parquet", select=["^a.*$", "*"]))

    assert data["rows"] == [{"^a.*$": 1, "*": 2}]
