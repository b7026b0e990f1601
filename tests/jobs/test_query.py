from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airpy.errors import FileUnavailable, InvalidPlan, UnknownColumn

if TYPE_CHECKING:
    from tests.jobs.conftest import Bench

BY_SITE = {"dataset": "energy", "groupby": ["site"], "aggs": [{"col": "kwh", "fn": "sum"}]}


@pytest.fixture(autouse=True)
def energy(bench: Bench) -> None:
    """Ten readings: sites 0 and 1 in turn, reading n of n kWh, the last one lost."""
    frame = pl.DataFrame({"site": [n % 2 for n in range(10)], "kwh": [*range(9), None]})
    frame.write_parquet(bench.base / "energy.parquet")


def test_the_answer_is_given_with_its_schema_and_measures(bench: Bench) -> None:
    data = bench.data("query", {"plan": BY_SITE})

    # 0 + 2 + 4 + 6 + 8, and 1 + 3 + 5 + 7.
    assert data["rows"] == [{"site": 0, "kwh_sum": 20}, {"site": 1, "kwh_sum": 16}]
    assert data["schema"]["fields"] == [
        {"name": "site", "type": "int64", "nullable": False},
        {"name": "kwh_sum", "type": "int64", "nullable": False},
    ]
    assert data["metrics"]["rows"] == 2
    assert data["metrics"]["bytes"] == (bench.context.folder / "frame.arrow").stat().st_size
    assert data["metrics"]["execution_time_ms"] >= 0
    assert not data["truncated"]
    assert data["download"] == "/v1/py/jobs/7/download"


def test_steps_are_those_of_the_specification(bench: Bench) -> None:
    bench.run("query", {"plan": BY_SITE})

    assert bench.step_names == [
        "file_found",
        "loading_data",
        "applying_filters",
        "aggregating",
        "query_complete",
    ]
    assert bench.steps[0][1] == "Found energy.parquet: 1 parquet file"
    assert bench.steps[4][1] == "Query execution completed: 2 rows"


@pytest.mark.parametrize("output", ["json", "arrow"])
def test_the_whole_answer_is_kept_as_an_arrow_stream(bench: Bench, output: str) -> None:
    frame = bench.run("query", {"plan": BY_SITE, "output": output})

    with pa.ipc.open_stream(bench.context.folder / "frame.arrow") as stream:
        table = stream.read_all()
    assert table.to_pydict() == {"site": [0, 1], "kwh_sum": [20, 16]}
    assert frame is not None
    assert (frame.format, frame.rows) == (output, 2)


def test_the_whole_answer_is_kept_as_parquet(bench: Bench) -> None:
    frame = bench.run("query", {"plan": BY_SITE, "output": "parquet"})

    table = pq.read_table(bench.context.folder / "frame.parquet")
    assert table.to_pydict() == {"site": [0, 1], "kwh_sum": [20, 16]}
    assert frame is not None
    assert (frame.format, frame.rows) == ("parquet", 2)


@pytest.mark.parametrize("output", ["json", "arrow", "parquet"])
@pytest.mark.parametrize(("most", "truncated"), [(9, True), (10, False)])
def test_rows_beyond_the_cap_are_for_download(
    bench: Bench, output: str, most: int, *, truncated: bool
) -> None:
    capped = bench._replace(context=bench.context._replace(max_rows_json=most))

    data = capped.data("query", {"plan": {"dataset": "energy"}, "output": output})

    assert (len(data["rows"]), data["metrics"]["rows"], data["truncated"]) == (most, 10, truncated)
    assert [row["kwh"] for row in data["rows"]] == [*range(9), None][:most]
    # A null that only a left-out row has is known too.
    assert [field["nullable"] for field in data["schema"]["fields"]] == [False, True]


@pytest.mark.parametrize("output", ["json", "parquet"])
def test_an_empty_answer_keeps_its_schema(bench: Bench, output: str) -> None:
    plan = {"dataset": "energy", "filters": [{"col": "kwh", "op": ">", "val": 100}]}

    data = bench.data("query", {"plan": plan, "output": output})

    assert data["rows"] == []
    assert [field["name"] for field in data["schema"]["fields"]] == ["site", "kwh"]
    assert data["metrics"]["rows"] == 0
    assert not data["truncated"]


def test_joined_data_sets_are_read_too(bench: Bench) -> None:
    pl.DataFrame({"site": [0, 1], "name": ["even", "odd"]}).write_csv(bench.base / "sites.csv")
    joins = [{"dataset": "sites", "on": ["site"]}]

    data = bench.data("query", {"plan": BY_SITE | {"joins": joins, "groupby": ["name"]}})

    assert data["rows"] == [{"name": "even", "kwh_sum": 20}, {"name": "odd", "kwh_sum": 16}]


def test_many_files_are_one_data_set(bench: Bench) -> None:
    (bench.base / "parts").mkdir()
    for part in range(3):
        pl.DataFrame({"site": [0], "kwh": [10**part]}).write_csv(bench.base / "parts" / f"{part}.csv")

    data = bench.data("query", {"plan": BY_SITE | {"dataset": "parts"}})

    assert data["rows"] == [{"site": 0, "kwh_sum": 111}]
    assert bench.steps[0][1] == "Found parts: 3 csv files"


def test_nothing_is_left_beside_the_result(bench: Bench) -> None:
    (bench.base / "latin.csv").write_bytes("name\nZürich\nGenève\n".encode("latin-1"))

    data = bench.data("query", {"plan": {"dataset": "latin.csv"}})

    assert [row["name"] for row in data["rows"]] == ["Zürich", "Genève"]
    left = sorted(path.name for path in bench.context.folder.iterdir())
    assert left == ["data.json", "frame.arrow", "schema.json"]


def test_a_failure_leaves_no_scratch(bench: Bench) -> None:
    with pytest.raises(UnknownColumn):
        bench.run("query", {"plan": {"dataset": "energy", "select": ["kwhh"]}})

    assert not list(bench.context.folder.glob("scratch-*"))


@pytest.mark.parametrize(
    ("plan", "error"),
    [({"dataset": "nowhere"}, FileUnavailable), ({"dataset": "energy", "select": ["a", "a"]}, InvalidPlan)],
)
def test_what_needs_no_data_is_refused_before_the_job(
    bench: Bench, plan: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        bench.check("query", {"plan": plan})
