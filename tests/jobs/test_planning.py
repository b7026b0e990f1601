from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import Plan
from airpy.errors import FileUnavailable, InvalidPlan, PathRefused, UnknownColumn
from airpy.files.datasets import find_dataset
from airpy.jobs.planning import check_planned, filters_seen, plan_datasets, planned_frame, tell_input

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.jobs.work import Unit
    from tests.jobs.conftest import Bench


def fill(bench: Bench) -> None:
    """Readings, the sites they were taken at, and the sites' regions."""
    pl.DataFrame({"site": [1, 2, 2], "kwh": [1.0, 2.0, 3.0]}).write_csv(bench.base / "readings.csv")
    pl.DataFrame({"site": [1, 2], "region": ["n", "s"]}).write_csv(bench.base / "sites.csv")
    pl.DataFrame({"region": ["n", "s"], "head": ["Ann", "Bo"]}).write_csv(bench.base / "regions.csv")


def plan(**parts: Any) -> Plan:
    """A plan over the readings."""
    return Plan.model_validate({"dataset": "readings", **parts})


def test_the_data_set_comes_first_and_those_it_joins_in_their_order(bench: Bench) -> None:
    fill(bench)
    joins = [{"dataset": "sites", "on": ["site"]}, {"dataset": "regions", "on": ["region"]}]

    found = plan_datasets(plan(joins=joins), "energy", bench.root)

    assert [[path.name for path in dataset.files] for dataset in found] == [
        ["readings.csv"],
        ["sites.csv"],
        ["regions.csv"],
    ]


def test_the_plan_is_run_over_them(bench: Bench, tmp_path: Path) -> None:
    fill(bench)
    joins = [{"dataset": "sites", "on": ["site"]}, {"dataset": "regions", "on": ["region"]}]
    asked = plan(joins=joins, groupby=["head"], aggs=[{"col": "kwh", "fn": "sum"}])

    planned = planned_frame(
        asked, plan_datasets(asked, "energy", bench.root), [None] * 3, bench.context, tmp_path
    )

    assert planned.frame.collect().rows() == [("Ann", 1.0), ("Bo", 5.0)]


def test_steps_are_passed_on(bench: Bench, tmp_path: Path) -> None:
    fill(bench)
    steps: list[str] = []

    planned_frame(
        plan(),
        plan_datasets(plan(), "energy", bench.root),
        [None],
        bench.context,
        tmp_path,
        on_step=lambda step, _: steps.append(step),
    )

    assert steps == ["applying_filters", "aggregating"]


def test_an_unknown_column_is_found_when_the_data_are_opened(bench: Bench, tmp_path: Path) -> None:
    fill(bench)
    asked = plan(select=["kwhh"])
    check_planned(asked, "energy", bench.root)  # the plan alone does not tell

    with pytest.raises(UnknownColumn) as caught:
        planned_frame(asked, plan_datasets(asked, "energy", bench.root), [None], bench.context, tmp_path)

    assert caught.value.suggestion == ["kwh"]


@pytest.mark.parametrize(
    ("parts", "error", "field"),
    [
        ({"dataset": "reading"}, FileUnavailable, "plan.dataset"),
        ({"dataset": "/etc/passwd"}, PathRefused, "plan.dataset"),
        ({"joins": [{"dataset": "site", "on": ["site"]}]}, FileUnavailable, "plan.joins[0].dataset"),
        (
            {"joins": [{"dataset": "sites", "on": ["site"]}, {"dataset": "../x", "on": ["site"]}]},
            PathRefused,
            "plan.joins[1].dataset",
        ),
        ({"order": [{"col": "b"}], "select": ["a"]}, InvalidPlan, "plan.order[0].col"),
    ],
)
def test_a_plan_is_refused_where_it_is_wrong(
    bench: Bench, parts: dict[str, Any], error: type[Exception], field: str
) -> None:
    fill(bench)

    with pytest.raises(error) as caught:
        check_planned(plan(**parts), "energy", bench.root)

    assert caught.value.field == field  # type: ignore[attr-defined]


def test_a_contradiction_is_told_before_a_missing_data_set(bench: Bench) -> None:
    with pytest.raises(InvalidPlan):
        check_planned(plan(dataset="nowhere", select=["a", "a"]), "energy", bench.root)


def noise(rows: int) -> pl.DataFrame:
    """Two columns of random bytes, 64 in a row of the wide one and 8 in the narrow one."""
    chance = random.Random(7)  # noqa: S311  no secret
    return pl.DataFrame(
        {
            "wide": [chance.randbytes(64) for _ in range(rows)],
            "narrow": [chance.randbytes(8) for _ in range(rows)],
        }
    )


def test_the_bytes_of_text_are_all_to_be_read(bench: Bench, told: list[tuple[int, int, Unit]]) -> None:
    for name in ("a", "b"):
        (bench.base / f"{name}.csv").write_bytes(b"kwh\n" + b"1.5\n" * 1_500_000)
    datasets = [find_dataset(bench.root, "energy", name, "plan.dataset") for name in ("a", "b")]

    tell_input(datasets, {"kwh"})

    # Neither file of 6 000 004 bytes would be worth it, but both are.
    assert told == [(0, 12_000_008, "bytes")]


def test_of_little_nothing_is_told(bench: Bench, told: list[tuple[int, int, Unit]]) -> None:
    (bench.base / "a.csv").write_bytes(b"kwh\n" + b"1.5\n" * 1_500_000)

    tell_input([find_dataset(bench.root, "energy", "a", "plan.dataset")], None)

    assert told == []


def test_of_parquet_only_the_columns_that_a_plan_names_are_to_be_read(
    bench: Bench, told: list[tuple[int, int, Unit]]
) -> None:
    noise(200_000).write_parquet(bench.base / "noise.parquet", compression="uncompressed")
    size = (bench.base / "noise.parquet").stat().st_size
    dataset = find_dataset(bench.root, "energy", "noise", "plan.dataset")

    tell_input([dataset], None)
    tell_input([dataset], {"wide"})
    tell_input([dataset], {"narrow"})

    (_, whole, _), (_, wide, _) = told  # the narrow one is little
    assert whole == size
    # 64 bytes of each row and 4 to say so.
    assert 200_000 * 64 < wide < 200_000 * 70


@pytest.mark.parametrize(
    ("parts", "rows"),
    [
        ({"select": ["note", "kwh"]}, [(None, 1.0), ("late", 2.5)]),
        ({"select": ["kwh"]}, [(1.0,), (2.5,)]),
        ({"aggs": [{"col": "kwh", "fn": "sum"}]}, [(3.5,)]),
        ({}, [(1.0, None), (2.5, "late")]),
    ],
)
def test_a_column_that_only_later_rows_have_is_found_when_it_matters(
    bench: Bench, tmp_path: Path, parts: dict[str, Any], rows: list[tuple[Any, ...]]
) -> None:
    (bench.base / "late.jsonl").write_text('{"kwh": 1.0}\n{"kwh": 2.5, "note": "late"}\n')
    asked = plan(dataset="late", **parts)
    context = bench.context._replace(infer_rows=1)

    planned = planned_frame(asked, plan_datasets(asked, "energy", bench.root), [None], context, tmp_path)

    assert planned.frame.collect().rows() == rows


def write_sites(bench: Bench, form: str, *, partitioned: bool) -> None:
    """Three files of a site's meter that fell once in each; of one site alone, if they are partitioned."""
    for number in range(3):
        folder = bench.base / "meters" / (f"site={number}" if partitioned else "all")
        folder.mkdir(parents=True, exist_ok=True)
        frame = pl.DataFrame(
            {"n": [10 * number + n for n in range(10)], "total": [5, 6, 6, 7, 4, 5, 6, 7, 8, 9]}
        )
        if not partitioned:
            frame = frame.with_columns(site=number)
        if form == "csv":
            frame.write_csv(folder / f"part{number}.csv")
        else:
            frame.write_parquet(folder / f"part{number}.parquet", row_group_size=3)


AMONG = [
    # From file to file the meter fell from 9 to 5; row 19 alone is 9 for the second time.
    ([{"rows": {"are": "falling", "cols": ["total"]}}], [4, 10, 14, 20, 24]),
    ([{"rows": {"are": "falling", "cols": ["total"], "by": ["site"]}}], [4, 14, 24]),
    ([{"rows": {"are": "falling", "cols": ["total"]}}, {"col": "n", "op": ">", "val": 9}], [10, 14, 20, 24]),
    ([{"col": "site", "op": "=", "val": 1}, {"rows": {"are": "falling", "cols": ["total"]}}], [10, 14]),
    ([{"col": "site", "op": "=", "val": 1}, {"rows": {"are": "rising", "cols": ["site"]}}], [10]),
    ([{"rows": {"are": "rising", "cols": ["site"]}}], [10, 20]),
    ([{"col": "total", "op": "=", "val": 9}, {"rows": {"are": "repeated", "cols": ["total"]}}], [19, 29]),
    (
        [{"not": {"rows": {"are": "repeated", "cols": ["site"]}}}, {"col": "site", "op": ">", "val": 0}],
        [10, 20],
    ),
]


@pytest.mark.parametrize("partitioned", [False, True])
@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize(("filters", "numbers"), AMONG)
def test_rows_are_looked_at_among_all_rows_whatever_other_filters_could_spare(
    bench: Bench,
    tmp_path: Path,
    form: str,
    filters: list[dict[str, Any]],
    numbers: list[int],
    *,
    partitioned: bool,
) -> None:
    write_sites(bench, form, partitioned=partitioned)
    asked = plan(dataset="meters", filters=filters, select=["n"])

    planned = planned_frame(
        asked, plan_datasets(asked, "energy", bench.root), [None], bench.context, tmp_path
    )

    assert planned.frame.collect()["n"].to_list() == numbers


def test_filters_spare_no_file_where_one_asks_how_rows_stand_among_others() -> None:
    year = {"col": "year", "op": "=", "val": 2025}
    among = {"rows": {"are": "repeated", "cols": ["year"]}}
    cases = [{"as": "x", "fn": "case", "cases": [{"when": among, "then": {"val": 1}}]}]
    part = {"dataset": "older", "filters": [year]}

    assert [item.col for item in filters_seen(plan(filters=[year]), 0)] == ["year"]
    assert filters_seen(plan(filters=[year, {"any": [among, year]}]), 0) == []
    assert filters_seen(plan(filters=[year], derive=cases), 0) == []
    # What a data set that is united keeps by itself comes first.
    assert len(filters_seen(plan(filters=[year], union=[part]), 1)) == 2
    assert len(filters_seen(plan(filters=[year, among], union=[part]), 1)) == 1
    assert filters_seen(plan(filters=[year], union=[part | {"filters": [year, among]}]), 1) == []
