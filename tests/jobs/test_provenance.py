from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy import CONTRACT_VERSION, __version__
from airpy.contract import Plan
from airpy.jobs.provenance import plan_hash
from airpy.web.spec import load
from tests.second_opinion import check_schema

if TYPE_CHECKING:
    from tests.jobs.conftest import Bench

CSV = "id,day,kwh,code\n1,25/09/2025,1.5,007\n2,26/09/2025,2.5,010\n"


def hash_of(**plan: Any) -> str:
    """The hash of a plan."""
    return plan_hash(Plan.model_validate(plan))


def test_the_contract_is_the_version_that_answers_name() -> None:
    assert load()["info"]["version"] == CONTRACT_VERSION


def test_an_answer_tells_where_it_comes_from(bench: Bench) -> None:
    (bench.base / "a.csv").write_text(CSV)
    plan = {"dataset": "a.csv", "aggs": [{"col": "kwh", "fn": "sum"}]}

    data = bench.data("query", {"plan": plan, "output": "arrow"})

    told = data["provenance"]
    check_schema("Provenance", told)
    assert told["plan"] == plan
    assert told["plan_hash"] == hash_of(**plan)
    assert told["sources"] == data["reading"]["sources"]["fingerprint"]
    assert told["versions"]["airpy"] == __version__
    assert told["versions"]["polars"] == pl.__version__
    assert told["casts"] == [{"dataset": "a.csv", "column": "kwh", "from": "string", "to": "float64"}]
    assert told["replay"] == {
        "method": "POST",
        "path": "/v1/py/query",
        "body": {"datasource_id": "energy", "plan": plan, "output": "arrow"},
    }


def test_casts_are_those_of_text_and_of_files_that_differ(bench: Bench) -> None:
    (bench.base / "a.csv").write_text(CSV)
    (bench.base / "d").mkdir()
    pl.DataFrame({"id": [1]}, schema={"id": pl.Int32}).write_parquet(bench.base / "d" / "1.parquet")
    pl.DataFrame({"id": [2]}, schema={"id": pl.Int64}).write_parquet(bench.base / "d" / "2.parquet")
    pl.DataFrame({"id": [3]}, schema={"id": pl.Int16}).write_parquet(bench.base / "d" / "3.parquet")
    plan = {"dataset": "a.csv", "joins": [{"dataset": "d/", "on": ["id"]}]}

    casts = bench.data("query", {"plan": plan})["provenance"]["casts"]

    assert [
        (cast["dataset"], cast["column"], cast["from"], cast["to"], cast.get("form")) for cast in casts
    ] == [
        ("a.csv", "id", "string", "int64", None),
        ("a.csv", "day", "string", "date", "%d/%m/%Y"),
        ("a.csv", "kwh", "string", "float64", None),
        ("d", "id", "int32", "int64", None),
        ("d", "id", "int16", "int64", None),
    ]
    assert casts[4]["file"].endswith("/d/3.parquet")


def names_of(reading: dict[str, Any]) -> list[str]:
    """The names of the files that a reading names."""
    check_schema("Reading", reading)
    assert reading["sources"]["total_files"] == len(reading["sources"]["files"])
    return [file["path"].rpartition("/")[2] for file in reading["sources"]["files"]]


def test_what_foreign_keys_refer_to_is_named_beside_the_plans_data_sets(bench: Bench) -> None:
    (bench.base / "a.csv").write_text(CSV)
    (bench.base / "b.csv").write_text("id;km\n1;2,5\n")
    rules = [
        {"rule": "foreign_key", "cols": ["id"], "dataset": "b.csv"},
        {"rule": "not_null", "col": "id"},
        {"rule": "foreign_key", "cols": ["id"], "dataset": "a.csv"},
    ]
    request = {"plan": {"dataset": "a.csv"}, "job_kind": "validate", "options": {"rules": rules}}

    data = bench.data("analyze", request)

    told = data["provenance"]
    assert names_of(data["reading"]) == ["a.csv", "b.csv"]
    assert [text["delimiter"] for text in data["reading"]["texts"]] == [",", ";"]
    assert told["sources"] == data["reading"]["sources"]["fingerprint"]
    assert [(cast["dataset"], cast["column"], cast["to"]) for cast in told["casts"]] == [
        ("a.csv", "id", "int64"),
        ("a.csv", "day", "date"),
        ("a.csv", "kwh", "float64"),
        ("b.csv", "id", "int64"),
        ("b.csv", "km", "float64"),
    ]

    (bench.base / "b.csv").write_text("id;km\n1;2,6\n")
    assert bench.data("analyze", request)["provenance"]["sources"] != told["sources"]


def test_what_is_referred_to_is_named_of_a_frame_that_was_sent_too(bench: Bench) -> None:
    (bench.base / "b.csv").write_text("id;km\n1;2,5\n")
    sink = io.BytesIO()
    pl.DataFrame({"id": [1, 2]}).write_ipc_stream(sink)
    bench.give(sink.getvalue())
    rules = [{"rule": "foreign_key", "cols": ["id"], "dataset": "b.csv"}]
    sent = {"frame_ref": {"type": "arrow", "data": "sha256:00"}, "job_kind": "validate"}

    data = bench.data("analyze", {**sent, "options": {"rules": rules}})

    assert names_of(data["reading"]) == ["b.csv"]
    assert "provenance" not in data


def test_the_files_of_a_baseline_are_named_too(bench: Bench) -> None:
    (bench.base / "a.csv").write_text(CSV)
    (bench.base / "old.csv").write_text(CSV[:-1])
    baseline = {"datasource_id": "energy", "plan": {"dataset": "old.csv"}}
    request = {"plan": {"dataset": "a.csv"}, "job_kind": "compare", "baseline": baseline}

    data = bench.data("analyze", request)

    assert names_of(data["reading"]) == ["a.csv", "old.csv"]
    assert data["provenance"]["sources"] == data["reading"]["sources"]["fingerprint"]


def test_an_analysis_of_a_plan_tells_it_too_and_one_of_a_frame_does_not(bench: Bench) -> None:
    (bench.base / "a.csv").write_text(CSV)

    told = bench.data("analyze", {"plan": {"dataset": "a.csv"}, "job_kind": "eda"})["provenance"]

    check_schema("Provenance", told)
    assert told["replay"]["path"] == "/v1/py/analyze"
    assert told["replay"]["body"]["job_kind"] == "eda"


def test_the_hash_is_of_the_plan_as_canonical_json_with_its_defaults() -> None:
    plan = {"dataset": "é", "limit": 3}
    filled = Plan.model_validate(plan).model_dump(mode="json", by_alias=True, exclude_none=True)
    canonical = json.dumps(filled, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert hash_of(**plan) == hashlib.sha256(canonical.encode()).hexdigest()
    assert filled["week_start"] == "monday"


@pytest.mark.parametrize(
    "same",
    [
        {"limit": 3, "dataset": "a"},
        {"dataset": "a", "limit": 3, "distinct": False},
        {"dataset": "a", "limit": 3, "week_start": "monday"},
    ],
)
def test_a_plan_in_other_words_has_the_same_hash(same: dict[str, Any]) -> None:
    assert hash_of(**same) == hash_of(dataset="a", limit=3)


@pytest.mark.parametrize(
    "other",
    [
        {"limit": 4},
        {"distinct": True},
        {"filters": [{"col": "a", "op": "==", "val": 1}]},
        {"clean": [{"op": "replace", "cols": ["a"], "map": {"x": "y"}}]},
    ],
)
def test_another_plan_has_another_hash(other: dict[str, Any]) -> None:
    assert hash_of(dataset="a", **other) != hash_of(dataset="a")
