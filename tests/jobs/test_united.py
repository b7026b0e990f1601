"""Data sets that a plan unites, over real files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import Plan
from airpy.errors import AirError, FileUnavailable, PathRefused, TypeMismatch, UnknownColumn
from airpy.files.datasets import load_of
from airpy.jobs.planning import check_planned, plan_asked, plan_datasets

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jobs.conftest import Bench


@pytest.fixture(autouse=True)
def years(bench: Bench) -> None:
    """Readings of three years, each written otherwise."""
    (bench.base / "y2023.csv").write_text("site;kwh\na;1\nb;2\n")
    pl.DataFrame({"site": ["b"], "kwh": [2.5], "cost": [9]}).write_parquet(bench.base / "y2024.parquet")
    (bench.base / "y2025.jsonl").write_text('{"kwh": 4, "site": "c"}\n{"kwh": null, "site": "a"}\n')


def plan(**parts: Any) -> Plan:
    """A plan over the first year."""
    return Plan.model_validate({"dataset": "y2023", **parts})


def partitioned(base: Path, name: str) -> None:
    """Readings of a site in each of two years; the files of the first are no Parquet."""
    for year in (2024, 2025):
        folder = base / name / f"year={year}"
        folder.mkdir(parents=True)
        pl.DataFrame({"kwh": [year]}).write_parquet(folder / "part.parquet")
    (base / name / "year=2024" / "part.parquet").write_bytes(b"PAR1 is no more")


def test_files_of_every_format_are_united(bench: Bench) -> None:
    data = bench.data(
        "query", {"plan": {"dataset": "y2023", "union": [{"dataset": "y2024"}, {"dataset": "y2025"}]}}
    )

    assert [tuple(row.values()) for row in data["rows"]] == [
        ("a", 1.0, None),
        ("b", 2.0, None),
        ("b", 2.5, 9),
        ("c", 4.0, None),
        ("a", None, None),
    ]
    assert [(field["name"], field["type"]) for field in data["schema"]["fields"]] == [
        ("site", "string"),
        ("kwh", "float64"),
        ("cost", "int64"),
    ]
    assert [source["path"].rpartition("/")[2] for source in data["reading"]["sources"]["files"]] == [
        "y2023.csv",
        "y2024.parquet",
        "y2025.jsonl",
    ]


def test_each_is_cleaned_and_filtered_and_read_by_itself(bench: Bench) -> None:
    (bench.base / "hand.csv").write_text("Place,kWh\n a ,7\n b ,8\n")
    part = {
        "dataset": "hand",
        "read": {"types": {"kWh": "string"}},
        "clean": [
            {"op": "normalise_names"},
            {"op": "rename", "names": {"place": "site"}},
            {"op": "trim"},
            {"op": "cast", "col": "kwh", "type": "int64"},
        ],
        "filters": [{"col": "site", "op": "=", "val": "b"}],
        "select": ["kwh", "site"],
    }

    data = bench.data("query", {"plan": {"dataset": "y2023", "union": [part]}})

    assert data["rows"] == [{"site": "a", "kwh": 1}, {"site": "b", "kwh": 2}, {"site": "b", "kwh": 8}]


def test_joins_and_groups_see_them_all(bench: Bench) -> None:
    pl.DataFrame({"site": ["a", "b"], "region": ["n", "s"]}).write_csv(bench.base / "sites.csv")
    asked = {
        "dataset": "y2023",
        "union": [{"dataset": "y2024"}],
        "joins": [{"dataset": "sites", "on": ["site"]}],
        "groupby": ["region"],
        "aggs": [{"col": "kwh", "fn": "sum"}],
    }

    data = bench.data("query", {"plan": asked})

    assert data["rows"] == [{"region": "n", "kwh_sum": 1.0}, {"region": "s", "kwh_sum": 4.5}]


def test_they_stand_between_the_data_set_and_those_it_joins(bench: Bench) -> None:
    asked = plan(
        union=[{"dataset": "y2024"}, {"dataset": "y2025", "read": {"infer_rows": 1}}],
        joins=[{"dataset": "y2023", "on": ["site"]}],
    )

    found = plan_asked(asked, "energy", bench.root, None)

    assert [(each.dataset.name, each.pointer) for each in found] == [
        ("y2023.csv", "/read"),
        ("y2024.parquet", "/plan/union/0/read"),
        ("y2025.jsonl", "/plan/union/1/read"),
        ("y2023.csv", "/plan/joins/0/read"),
    ]
    assert found[2].options is not None
    assert found[2].options.infer_rows == 1


def test_all_of_them_are_weighed_before_the_job(bench: Bench) -> None:
    sizes = [(bench.base / name).stat().st_size for name in ("y2023.csv", "y2024.parquet", "y2025.jsonl")]

    load = load_of(
        check_planned(plan(union=[{"dataset": "y2024"}, {"dataset": "y2025"}]), "energy", bench.root)
    )

    assert load.bytes == sum(sizes)


@pytest.mark.parametrize(
    ("part", "error", "field"),
    [
        ({"dataset": "y202"}, FileUnavailable, "plan.union[1].dataset"),
        ({"dataset": "../x"}, PathRefused, "plan.union[1].dataset"),
        ({"dataset": "y2024", "clean": [{"op": "clip"}]}, AirError, "plan.union[1].clean[0]"),
    ],
)
def test_what_cannot_be_united_is_refused_before_the_job(
    bench: Bench, part: dict[str, Any], error: type[AirError], field: str
) -> None:
    with pytest.raises(error) as caught:
        check_planned(plan(union=[{"dataset": "y2024"}, part]), "energy", bench.root)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("part", "error", "field", "suggestion"),
    [
        (
            {"filters": [{"col": "kwhs", "op": "not_null"}]},
            UnknownColumn,
            "plan.union[0].filters[0].col",
            ["kwh"],
        ),
        (
            {"read": {"types": {"kwh": "string"}}},
            TypeMismatch,
            "plan.union[0]",
            ['{"clean": [{"op": "cast", "col": "kwh", "type": "int64"}]}'],
        ),
    ],
)
def test_what_the_data_contradict_is_told_where_it_stands(
    bench: Bench, part: dict[str, Any], error: type[AirError], field: str, suggestion: list[str]
) -> None:
    with pytest.raises(error) as caught:
        bench.run("query", {"plan": {"dataset": "y2023", "union": [{"dataset": "y2023", **part}]}})

    assert (caught.value.field, caught.value.suggestion) == (field, suggestion)


def test_a_fault_in_one_of_them_is_told_with_what_helps(bench: Bench) -> None:
    rows = "".join(f"a,{row}\n" for row in range(3000))
    (bench.base / "late.csv").write_text("site,kwh\n" + rows + "b,broken\n")
    asked = {"dataset": "y2023", "union": [{"dataset": "late"}], "aggs": [{"col": "kwh", "fn": "sum"}]}

    with pytest.raises(AirError) as caught:
        bench.run("query", {"plan": asked})

    error = caught.value
    assert (error.reason, error.field) == ("FAULTY_ROW", "plan.union[0].read")
    assert [(change.path, change.value) for change in error.repair] == [
        ("/plan/union/0/read", {"on_error": "null"})
    ]


@pytest.mark.parametrize(
    "parts",
    [
        {"union": [{"dataset": "parts", "filters": [{"col": "year", "op": ">", "val": 2024}]}]},
        {"union": [{"dataset": "parts"}], "filters": [{"col": "year", "op": ">", "val": 2024}]},
    ],
)
def test_filters_spare_the_files_of_what_is_united(bench: Bench, parts: dict[str, Any]) -> None:
    partitioned(bench.base, "parts")
    pl.DataFrame({"kwh": [1], "year": [2026]}).write_parquet(bench.base / "new.parquet")

    data = bench.data("query", {"plan": {"dataset": "new", "select": ["kwh"], **parts}})

    assert data["rows"] == [{"kwh": 1}, {"kwh": 2025}]


@pytest.mark.parametrize(
    "part",
    [
        # What `select` leaves out is null in the union, and no year of a folder.
        {"dataset": "parts", "select": ["kwh"]},
        {"dataset": "parts", "clean": [{"op": "drop", "cols": ["year"]}]},
    ],
)
def test_filters_spare_no_file_whose_rows_pass_in_the_union(bench: Bench, part: dict[str, Any]) -> None:
    partitioned(bench.base, "parts")
    pl.DataFrame({"kwh": [2024]}).write_parquet(bench.base / "parts" / "year=2024" / "part.parquet")
    pl.DataFrame({"kwh": [1], "year": [2026]}).write_parquet(bench.base / "new.parquet")
    filters = [{"col": "year", "op": "is_null"}]

    data = bench.data("query", {"plan": {"dataset": "new", "union": [part], "filters": filters}})

    assert [row["kwh"] for row in data["rows"]] == [2024, 2025]


def test_a_data_set_may_be_united_with_itself(bench: Bench) -> None:
    asked = plan(union=[{"dataset": "y2023"}])

    data = bench.data("query", {"plan": asked.model_dump(mode="json", exclude_none=True, by_alias=True)})

    assert [row["site"] for row in data["rows"]] == ["a", "b", "a", "b"]
    assert len(plan_datasets(asked, "energy", bench.root)) == 2
