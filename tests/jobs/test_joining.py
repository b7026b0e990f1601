"""Joins over real files: each data set is prepared by itself, and what makes too many rows is stopped."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import Plan
from airpy.errors import CapExceeded, InvalidPlan
from airpy.jobs.planning import plan_datasets, planned_frame

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jobs.conftest import Bench


def rows(bench: Bench, **plan: Any) -> list[dict[str, Any]]:
    """The first rows of the query's answer."""
    data = bench.data("query", {"datasource_id": "energy", "plan": {"dataset": "readings", **plan}})
    shown: list[dict[str, Any]] = data["rows"]
    return shown


def test_a_joined_data_set_is_cleaned_filtered_and_narrowed_by_itself(bench: Bench) -> None:
    (bench.base / "readings.csv").write_text("site,kwh\n1,10\n2,20\n3,30\n")
    (bench.base / "sites.csv").write_text("id,name,kwh,open\n 1 , Nord ,x,yes\n 2 ,Süd,y,no\n 3 ,Ost,z,yes\n")
    sites = {
        "dataset": "sites",
        "left_on": ["site"],
        "right_on": ["id"],
        "how": "left",
        "clean": [{"op": "trim"}, {"op": "cast", "col": "id", "type": "int64"}],
        "filters": [{"col": "open", "op": "=", "val": True}],
        "select": ["id", "name"],
    }

    assert rows(bench, joins=[sites]) == [
        {"site": 1, "kwh": 10, "name": "Nord"},
        {"site": 2, "kwh": 20, "name": None},
        {"site": 3, "kwh": 30, "name": "Ost"},
    ]


def test_filters_of_a_joined_data_set_spare_its_files(bench: Bench) -> None:
    (bench.base / "readings.csv").write_text("site,kwh\n1,10\n2,20\n")
    for year in (2024, 2025):
        (bench.base / f"prices/year={year}").mkdir(parents=True)
    pl.DataFrame({"site": [1, 2], "eur": [0.1, 0.2]}).write_parquet(
        bench.base / "prices/year=2025/part.parquet"
    )
    (bench.base / "prices/year=2024/part.parquet").write_bytes(b"PAR1, and nobody is to look at the rest")
    prices = {"dataset": "prices", "on": ["site"], "filters": [{"col": "year", "op": "=", "val": 2025}]}

    assert rows(bench, joins=[prices], select=["site", "eur"]) == [
        {"site": 1, "eur": 0.1},
        {"site": 2, "eur": 0.2},
    ]


def test_filters_of_the_plan_do_not_hide_a_key_that_occurs_twice(bench: Bench) -> None:
    for year in (2024, 2025):
        (bench.base / f"readings/year={year}").mkdir(parents=True)
        pl.DataFrame({"site": [1], "kwh": [1.0]}).write_parquet(
            bench.base / f"readings/year={year}/part.parquet"
        )
    (bench.base / "sites.csv").write_text("site,name\n1,Nord\n")
    joins = [{"dataset": "sites", "on": ["site"], "validate": "1:1"}]
    filters = [{"col": "year", "op": "=", "val": 2025}]

    with pytest.raises(InvalidPlan, match="a key occurs 2 times on the left: site = 1") as raised:
        rows(bench, joins=joins, filters=filters)

    assert raised.value.field == "plan.joins[0].validate"
    assert raised.value.suggestion == ["m:1"]
    assert len(rows(bench, joins=[{**joins[0], "validate": "m:1"}], filters=filters)) == 1


@pytest.mark.parametrize("how", ["inner", "left", "right", "full", "cross"])
@pytest.mark.parametrize("grouped", [True, False])
def test_a_join_may_make_as_many_rows_as_are_set_and_no_more(
    bench: Bench,
    how: str,
    grouped: bool,  # noqa: FBT001
) -> None:
    pl.DataFrame({"k": [7] * 300, "a": range(300)}).write_parquet(bench.base / "readings.parquet")
    pl.DataFrame({"j": [7] * 400, "b": range(400)}).write_parquet(bench.base / "other.parquet")
    keys = {} if how == "cross" else {"left_on": ["k"], "right_on": ["j"]}
    plan: dict[str, Any] = {"joins": [{"dataset": "other", "how": how, **keys}]}
    if grouped:
        plan["aggs"] = [{"fn": "count"}]
    body = {"datasource_id": "energy", "plan": {"dataset": "readings", **plan}}
    bench = bench._replace(context=bench.context._replace(max_join_rows=119_999))

    with pytest.raises(CapExceeded) as raised:
        bench.run("query", body)

    assert raised.value.reason == "TOO_LARGE"
    assert raised.value.field == "plan.joins[0]"
    assert raised.value.constraint == "at most 119,999 rows (PY_MAX_JOIN_ROWS)"
    bench._replace(context=bench.context._replace(max_join_rows=120_000)).run("query", body)


def test_a_join_that_explodes_is_stopped_long_before_its_end(bench: Bench) -> None:
    pl.select(k=pl.repeat(0, 3_000_000)).write_parquet(bench.base / "readings.parquet")  # 9 × 10¹² pairs
    bench = bench._replace(context=bench.context._replace(max_join_rows=1_000_000))
    join = {"dataset": "readings", "on": ["k"]}

    with pytest.raises(CapExceeded):
        rows(bench, joins=[join], aggs=[{"fn": "count"}])


def test_filters_and_columns_reach_the_files_through_joins(bench: Bench, tmp_path: Path) -> None:
    pl.DataFrame({"site": [1, 2], "kwh": [1.0, 2.0], "note": ["a", "b"]}).write_parquet(
        bench.base / "readings.parquet"
    )
    pl.DataFrame({"site": [1, 2], "name": ["n", "s"], "more": [0, 0]}).write_parquet(
        bench.base / "sites.parquet"
    )
    plan = Plan.model_validate(
        {
            "dataset": "readings",
            "joins": [
                {
                    "dataset": "sites",
                    "on": ["site"],
                    "how": "left",
                    "filters": [{"col": "name", "op": "=", "val": "s"}],
                }
            ],
            "filters": [{"col": "kwh", "op": ">", "val": 1}],
            "groupby": ["name"],
            "aggs": [{"col": "kwh", "fn": "sum"}],
        }
    )
    context = bench.context._replace(max_join_rows=10)

    planned = planned_frame(plan, plan_datasets(plan, "energy", bench.root), [None] * 2, context, tmp_path)

    left, right = planned.frame.explain(engine="streaming").split("RIGHT PLAN ON")
    assert 'SELECTION: col("kwh") > 1.0' in left
    assert "PROJECT 2/3 COLUMNS" in left
    assert 'SELECTION: col("name") == "s"' in right
    assert "PROJECT 2/3 COLUMNS" in right
    assert planned.frame.collect().rows() == [("s", 2.0)]


def test_each_reading_finds_the_price_before_it(bench: Bench) -> None:
    hours = [dt.datetime(2025, 1, 1, hour) for hour in range(3)]  # noqa: DTZ001
    readings = [hours[2], hours[0] + dt.timedelta(minutes=59), hours[1]]
    pl.DataFrame({"time": readings, "kwh": [3, 1, 2]}).write_parquet(bench.base / "readings.parquet")
    pl.DataFrame({"time": hours[:2], "eur": [0.1, 0.2]}).write_csv(bench.base / "prices.csv")
    join = {"dataset": "prices", "on": ["time"], "how": "asof", "tolerance": "59 minutes"}

    assert rows(bench, joins=[join], select=["kwh", "eur", "time_right"]) == [
        {"kwh": 3, "eur": None, "time_right": None},
        {"kwh": 1, "eur": 0.1, "time_right": "2025-01-01T00:00:00Z"},
        {"kwh": 2, "eur": 0.2, "time_right": "2025-01-01T01:00:00Z"},
    ]


def test_empty_hours_are_filled_in(bench: Bench) -> None:
    (bench.base / "readings.csv").write_text("time,kwh\n2025-01-01T00:10:00,1\n2025-01-01T02:20:00,2\n")

    shown = rows(bench, resample={"every": "1 hour", "fill": "zero"}, aggs=[{"col": "kwh", "fn": "sum"}])

    assert [row["kwh_sum"] for row in shown] == [1, 0, 2]


def test_too_many_buckets_fail_the_job(bench: Bench) -> None:
    (bench.base / "readings.csv").write_text("time,kwh\n1925-01-01T00:00:00,1\n2025-01-01T00:00:00,2\n")

    with pytest.raises(CapExceeded) as raised:
        rows(bench, resample={"every": "1 second", "fill": "zero"}, aggs=[{"fn": "count"}])

    assert raised.value.reason == "TOO_LARGE"
    assert raised.value.field == "plan.resample.every"
