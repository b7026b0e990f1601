from __future__ import annotations

from typing import Any

import pytest

from airpy.contract import Plan
from airpy.files.footers import Measured
from airpy.jobs.costs import Cost, Need, estimated, kind_of, learnt, need_of

MIB = 1024 * 1024
NEED = Need(held=None, most_mb=0, groups_mb=0, at_most=False, rows_out=None, rows_sure=0, pairs_sure=0)


def plan(**parts: Any) -> Plan:
    return Plan.model_validate({"dataset": "readings", **parts})


def size(rows: int, memory_mb: float = 0) -> Measured:
    return Measured(rows, 0, round(memory_mb * MIB))


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({}, "scan"),
        ({"order": [{"col": "a"}], "limit": 5}, "scan"),
        ({"order": [{"col": "a"}]}, "sort"),
        ({"groupby": ["a"], "order": [{"col": "a"}]}, "group"),
        ({"joins": [{"dataset": "b", "on": ["a"]}], "groupby": ["a"]}, "join"),
    ],
)
def test_a_plan_is_of_the_kind_of_what_takes_most(parts: dict[str, Any], kind: str) -> None:
    assert kind_of(plan(**parts)) == kind


def test_a_sort_is_sure_to_hold_its_answer_twice() -> None:
    need = need_of(plan(order=[{"col": "a"}]), [size(1_000_000)], width=16)

    assert need.least_mb == pytest.approx(2 * 16_000_000 / MIB)
    assert not need.at_most


CROSS = {"dataset": "b", "how": "cross"}
LEFT = {"dataset": "b", "how": "left", "on": ["a"]}


@pytest.mark.parametrize(
    ("parts", "pairs"),
    [
        ({"joins": [CROSS]}, 3_000),
        ({"joins": [CROSS], "aggs": [{"fn": "count"}], "limit": 5}, 3_000),
        ({"joins": [CROSS], "order": [{"col": "a"}], "limit": 5}, 3_000),
        ({"joins": [LEFT, CROSS]}, 4_000),
        ({}, 0),
        ({"joins": [LEFT]}, 0),
        ({"joins": [CROSS], "limit": 5}, 0),
        ({"joins": [CROSS], "filters": [{"col": "a", "op": "=", "val": 1}]}, 0),
        ({"joins": [CROSS], "clean": [{"op": "drop_nulls"}]}, 0),
        ({"joins": [CROSS | {"filters": [{"col": "a", "op": "=", "val": 1}]}]}, 0),
        ({"joins": [LEFT | {"how": "inner"}, CROSS]}, 0),
    ],
)
def test_a_cross_join_makes_every_pair_unless_something_comes_before_it(
    parts: dict[str, Any], pairs: int
) -> None:
    assert need_of(plan(**parts), [size(10), size(300), size(400)], width=16).pairs_sure == pairs


def test_pairs_of_what_was_not_counted_are_not_sure() -> None:
    for sizes in ([size(10)._replace(known=False), size(300)], [size(10), size(300)._replace(known=False)]):
        assert need_of(plan(joins=[CROSS]), sizes, width=16).pairs_sure == 0


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"limit": 10},
        {"groupby": ["a"]},
        {"filters": [{"col": "a", "op": "=", "val": 1}]},
        {"sample": {"n": 1}},
        {"distinct": True},
    ],
)
def test_what_may_be_little_is_never_sure_to_be_much(parts: dict[str, Any]) -> None:
    order = {} if "groupby" in parts or not parts else {"order": [{"col": "a"}]}

    assert need_of(plan(**parts, **order), [size(10**9)], width=16).least_mb == 0


def test_how_rows_stand_among_others_takes_the_columns_of_all_of_them() -> None:
    rows = {"are": "rising", "cols": ["a"], "by": ["b"]}
    filters = [{"any": [{"rows": rows}, {"col": "a", "op": "is_null"}]}]

    need = need_of(plan(filters=filters), [size(MIB)], width=16)

    # Of two columns, 24 bytes a row each, and 48 to find a row by.
    assert (need.least_mb, need.most_mb, need.at_most) == (0, 96, True)


def test_medians_hold_a_value_of_each_row_and_column() -> None:
    aggs = [{"col": name, "fn": fn} for name in "ab" for fn in ("q1", "q3", "sum")]

    # Two columns of 4 bytes at least.
    assert need_of(plan(groupby=["c"], aggs=aggs), [size(MIB)], 8).least_mb == 8
    assert need_of(plan(groupby=["c"], aggs=[{"col": "a", "fn": "sum"}]), [size(MIB)], 8).least_mb == 0


def test_a_join_holds_its_other_side_and_filters_may_spare_it() -> None:
    joins = [{"dataset": "b", "on": ["a"], "how": "left"}]
    filters = [{"col": "a", "op": "=", "val": 1}]

    # 100 MiB, and 16 bytes a row.
    assert need_of(plan(joins=joins), [size(10), size(MIB, 100)], 8).least_mb == 116
    assert need_of(plan(joins=joins, filters=filters), [size(10), size(MIB, 100)], 8).least_mb == 0


@pytest.mark.parametrize(
    ("parts", "rows"),
    [
        ({}, 100),
        ({"limit": 10}, 10),
        ({"offset": 95, "limit": 10}, 5),
        ({"aggs": [{"fn": "count"}]}, 1),
        ({"groupby": ["a"]}, 100),
        ({"explode": ["a"]}, None),
        ({"explode": ["a"], "limit": 7}, 7),
        ({"joins": [{"dataset": "b", "on": ["a"]}]}, None),
        ({"joins": [{"dataset": "b", "on": ["a"], "how": "semi"}]}, 100),
    ],
)
def test_the_rows_of_an_answer_have_a_bound(parts: dict[str, Any], rows: int | None) -> None:
    assert need_of(plan(**parts), [size(100), size(5)], 8).rows_out == rows


def test_a_service_that_has_run_nothing_takes_something_for_granted() -> None:
    found = estimated(Cost("parquet", "scan", 150_000_000, 0), NEED, {})

    assert found.calibrated_on == 0
    assert found.seconds == pytest.approx(1.03, abs=0.01)  # 150 MB a second, and 0.03 s for the rest
    assert found.memory_mb == 80


def test_queries_that_were_run_set_the_pace() -> None:
    counters: dict[str, float] = {}
    for gigabytes in (1, 2, 3) * 20:  # 10 s a gigabyte, and twice the memory that was expected
        done = learnt(
            Cost("csv", "group", gigabytes * 10**9, 1000 * gigabytes), 10 * gigabytes, 2000 * gigabytes
        )
        for name, value in done.items():
            counters[name] = counters.get(name, 0) + value

    found = estimated(Cost("csv", "group", 2 * 10**9, 2000), NEED, counters)

    assert found.calibrated_on == 60
    assert found.seconds == pytest.approx(20, rel=0.05)
    assert found.memory_mb == pytest.approx(4000, rel=0.1)
    assert estimated(Cost("csv", "sort", 2 * 10**9, 2000), NEED, counters).calibrated_on == 0
