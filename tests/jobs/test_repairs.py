from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import Plan
from airpy.engine.plan import check_plan
from airpy.errors import AirError, InvalidPlan
from airpy.jobs.repairs import Bound, mended

if TYPE_CHECKING:
    from airpy.contract import JobType
    from tests.jobs.conftest import Bench


@pytest.fixture(autouse=True)
def energy(bench: Bench) -> None:
    """Readings with numbers that are text, and sites whose numbers are text too."""
    pl.DataFrame(
        {
            "site": [1, 2],
            "kwh": [1.5, 2.5],
            "price": ["0.5", "0.7"],
            "note": ["five", "a few"],
            "time": ["2025-09-01T00:00:00", "2025-09-02T00:00:00"],
            "day": pl.Series(["2025-09-01", "2025-09-02"]).str.to_date(),
        }
    ).write_parquet(bench.base / "energy.parquet")
    pl.DataFrame({"site": ["1", "2"], "name": ["one", "two"]}).write_parquet(bench.base / "sites.parquet")


def error_of(bench: Bench, plan: dict[str, Any], kind: JobType = "query", **parts: Any) -> AirError:
    with pytest.raises(AirError) as caught:
        bench.run(kind, {"plan": {"dataset": "energy", **plan}, **parts})
    return caught.value


def told(error: AirError) -> list[tuple[str, str, Any]]:
    return [(change.op, change.path, change.value) for change in error.repair]


def patched(document: dict[str, Any], error: AirError) -> dict[str, Any]:
    """The request as a caller would change it who takes the suggestion at its word."""
    changed = copy.deepcopy(document)
    for change in error.describe("req_1")["details"]["suggestion"]:
        *way, last = change["path"].split("/")[1:]
        place: Any = changed
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        if isinstance(place, list):
            last = len(place) if last == "-" else int(last)
        if change["op"] == "remove":
            del place[last]
        elif isinstance(place, list) and change["op"] == "add":
            place.insert(last, change["value"])
        else:
            place[last] = change["value"]
    return changed


PRICE_AS_NUMBER = ("add", "/plan/clean", [{"op": "cast", "col": "price", "type": "float64"}])

CASES: list[tuple[dict[str, Any], list[tuple[str, str, Any]]]] = [
    ({"select": ["sit", "kwh"]}, [("replace", "/plan/select/0", "site")]),
    ({"filters": [{"col": "KWH", "op": ">", "val": 1}]}, [("replace", "/plan/filters/0/col", "kwh")]),
    (
        {"filters": [{"rows": {"are": "repeated", "cols": ["site", "KWH"]}}]},
        [("replace", "/plan/filters/0/rows/cols/1", "kwh")],
    ),
    (
        {"filters": [{"rows": {"are": "after_gap", "cols": ["day"], "every": "6 hours"}}]},
        [("replace", "/plan/filters/0/rows/every", "1 day")],
    ),
    ({"groupby": ["sites"]}, [("replace", "/plan/groupby/0", "site")]),
    ({"groupby": ["month"], "time_col": None}, [("add", "/plan/grain", "1 month")]),
    ({"filters": [{"col": "kwh", "op": ">", "val": "1,5"}]}, [("replace", "/plan/filters/0/val", 1.5)]),
    (
        {"filters": [{"col": "kwh", "op": ">", "val": "1.000,5"}]},
        [("replace", "/plan/filters/0/val", 1000.5)],
    ),
    (
        {"filters": [{"col": "site", "op": "in", "val": [1, "1 000"]}]},
        [("replace", "/plan/filters/0/val/1", 1000)],
    ),
    (
        {"filters": [{"col": "day", "op": ">", "val": "2025-13-01"}]},
        [("replace", "/plan/filters/0/val", "2025-01-13")],
    ),
    (
        {"filters": [{"col": "day", "op": ">", "val": "25.12.2025"}]},
        [("replace", "/plan/filters/0/val", "2025-12-25")],
    ),
    ({"filters": [{"col": "price", "op": "=", "val": 5}]}, [("replace", "/plan/filters/0/val", "5")]),
    ({"aggs": [{"col": "price", "fn": "sum"}]}, [PRICE_AS_NUMBER]),
    ({"aggs": [{"col": "note", "fn": "mean"}]}, [("replace", "/plan/aggs/0/fn", "count")]),
    (
        {"joins": [{"dataset": "sites", "on": ["site"]}]},
        [("add", "/plan/clean", [{"op": "cast", "col": "site", "type": "string"}])],
    ),
    (
        {"clean": [{"op": "trim"}], "aggs": [{"col": "price", "fn": "sum"}]},
        [("add", "/plan/clean/-", {"op": "cast", "col": "price", "type": "float64"})],
    ),
    (
        {"select": ["sit"], "filters": [{"col": "kwhh", "op": ">", "val": "1,5"}]},
        [
            ("replace", "/plan/filters/0/col", "kwh"),
            ("replace", "/plan/filters/0/val", 1.5),
            ("replace", "/plan/select/0", "site"),
        ],
    ),
]


@pytest.mark.parametrize(("plan", "change"), CASES)
def test_a_change_that_helps_is_told(
    bench: Bench, plan: dict[str, Any], change: list[tuple[str, str, Any]]
) -> None:
    plan = {key: value for key, value in plan.items() if value is not None}
    error = error_of(bench, plan)

    assert told(error) == change
    bench.run("query", patched({"plan": {"dataset": "energy", **plan}}, error))


def test_it_is_told_of_an_analysis_too(bench: Bench) -> None:
    error = error_of(bench, {"select": ["sit"]}, "analyze", job_kind="eda")

    assert told(error) == [("replace", "/plan/select/0", "site")]


@pytest.mark.parametrize(
    "plan",
    [
        {"select": ["nothing_like_it"]},
        {"filters": [{"col": "kwh", "op": ">", "val": "much"}]},
    ],
)
def test_where_nothing_helps_nothing_is_told(bench: Bench, plan: dict[str, Any]) -> None:
    error = error_of(bench, plan)

    assert error.repair == []
    assert "suggestion" not in error.describe("req_1")["details"]


def test_names_stay_where_no_change_helps(bench: Bench) -> None:
    plan = {"select": ["sit", "nothing_like_it"]}

    error = error_of(bench, plan)

    assert error.describe("req_1")["details"]["suggestion"] == ["site"]


def test_a_plan_is_tried_a_few_times_and_no_more() -> None:
    tries: list[Plan] = []

    def bind(plan: Plan) -> None:
        tries.append(plan)
        raise InvalidPlan("no", field=f"plan.select[{len(tries)}]", suggestion=["a", "b", "c"])

    wrong = InvalidPlan("no", field="plan.select[0]", suggestion=["a", "b", "c"])
    plan = Plan(dataset="x", select=[f"c{n}" for n in range(100)])

    error = mended(wrong, plan, Bound(bind, lambda _: {}, bind))

    assert error.repair == []
    assert len(tries) <= 12


def test_a_width_that_a_relation_does_not_take_is_left_out() -> None:
    rows = {"are": "rising", "cols": ["kwh"], "every": "1 day"}
    plan = Plan.model_validate({"dataset": "x", "filters": [{"not": {"rows": rows}}]})
    with pytest.raises(InvalidPlan) as wrong:
        check_plan(plan)

    error = mended(wrong.value, plan, Bound(check_plan, lambda _: {}, check_plan))

    assert told(error) == [("remove", "/plan/filters/0/not/rows/every", None)]


def test_what_is_no_fault_of_the_plan_is_left_alone() -> None:
    def never(_: Plan) -> None:
        raise AssertionError

    wrong = InvalidPlan("no", field="read.types", suggestion=["a"])

    assert mended(wrong, Plan(dataset="x"), Bound(never, lambda _: {}, never)).repair == []
