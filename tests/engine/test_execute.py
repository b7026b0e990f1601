"""A plan is run lazily, in stages that report themselves, with an answer that is the same every time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NoReturn

import polars as pl
import pyarrow.parquet as pq
import pytest

from airpy.contract import Plan
from airpy.engine.execute import execute
from airpy.engine.plan import check_plan
from airpy.errors import UnknownColumn

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.contract import StepName


def plan(**parts: Any) -> Plan:
    """A plan that can be run, whatever the data."""
    read = Plan.model_validate({"dataset": "table", **parts})
    check_plan(read)
    return read


def unread(frame: pl.DataFrame) -> pl.LazyFrame:
    """The frame, which fails as soon as it is computed."""

    def fail(_: pl.DataFrame) -> NoReturn:
        raise AssertionError("the data was read")

    return frame.lazy().map_batches(fail, schema=frame.schema)


@pytest.fixture
def readings(tmp_path: Path) -> pl.LazyFrame:
    """A Parquet file of five columns."""
    path = tmp_path / "readings.parquet"
    pl.DataFrame(
        {
            "site": ["a", "b", "a", None],
            "moment": [dt.datetime(2025, 9, day, tzinfo=dt.UTC) for day in (1, 2, 3, 4)],
            "kwh": [1.0, 2.0, None, 4.0],
            "*": ["1", "2", "3", "4"],
            "unused": [0, 0, 0, 0],
        }
    ).write_parquet(path)
    return pl.scan_parquet(path)


def scan_of(answer: pl.LazyFrame) -> str:
    """What the optimised plan says of its scan."""
    _, scan, rest = answer.explain().partition("Parquet SCAN")
    assert scan
    return rest


@pytest.mark.parametrize(
    ("parts", "messages"),
    [
        ({}, ["No filters to apply", "No aggregates asked for; collecting rows"]),
        (
            {"filters": [{"col": "v", "op": "not_null"}, {"col": "v", "op": ">", "val": 0}]},
            ["Applying 2 filters", "No aggregates asked for; collecting rows"],
        ),
        (
            {
                "filters": [{"col": "v", "op": "not_null"}],
                "grain": "1 day",
                "groupby": ["site"],
                "aggs": [{"fn": "count"}, {"col": "v", "fn": "sum"}],
            },
            ["Applying 1 filter", "Computing 2 aggregates by day, site"],
        ),
        ({"aggs": [{"fn": "count"}]}, ["No filters to apply", "Computing 1 aggregate"]),
    ],
)
def test_steps_are_reported_in_order_before_anything_is_read(
    parts: dict[str, Any], messages: list[str]
) -> None:
    steps: list[tuple[StepName, str]] = []
    source = pl.DataFrame(schema={"site": pl.String(), "t": pl.Date(), "v": pl.Int64()})
    execute(plan(**parts), unread(source), on_step=lambda step, message: steps.append((step, message)))

    assert steps == list(zip(["applying_filters", "aggregating"], messages, strict=True))


def test_steps_end_where_the_plan_does_not_fit_the_data() -> None:
    steps: list[StepName] = []
    source = pl.LazyFrame({"v": [1]})
    with pytest.raises(UnknownColumn):
        execute(
            plan(filters=[{"col": "w", "op": "is_null"}]), source, on_step=lambda step, _: steps.append(step)
        )

    assert steps == ["applying_filters"]


def test_nothing_is_computed_until_the_answer_is_collected() -> None:
    source = pl.DataFrame({"k": [1, 2], "v": ["1", None], "t": [dt.date(2025, 1, 1), None]})
    answer = execute(
        plan(
            clean=[
                {"op": "trim"},
                {"op": "cast", "col": "v", "type": "int64"},
                {"op": "fill_null", "strategy": "mean", "cols": ["v"]},
                {"op": "dedupe"},
            ],
            joins=[{"dataset": "other", "on": ["k"], "how": "full"}],
            filters=[{"col": "v", "op": ">", "val": 0}],
            grain="1 day",
            groupby=["k"],
            aggs=[{"col": "v", "fn": "median"}],
            order=[{"col": "k", "dir": "desc"}],
            limit=1,
        ),
        unread(source),
        [unread(pl.DataFrame({"k": [1]}))],
    )

    assert answer.collect_schema() == {"day": pl.Date(), "k": pl.Int64(), "v_median": pl.Float64()}
    with pytest.raises(AssertionError, match="the data was read"):
        answer.collect()


def test_projection_and_predicate_reach_the_file(readings: pl.LazyFrame) -> None:
    answer = execute(plan(filters=[{"col": "kwh", "op": ">", "val": 1}], select=["site"]), readings)
    scan = scan_of(answer)

    assert "PROJECT 2/5 COLUMNS" in scan
    assert 'SELECTION: col("kwh") > 1.0' in scan
    assert answer.collect().rows() == [("b",), (None,)]


def test_every_predicate_reaches_the_file(readings: pl.LazyFrame) -> None:
    answer = execute(
        plan(
            filters=[
                {"col": "moment", "op": "between", "val": ["2025-09-02", "2025-09-03"]},
                {"col": "site", "op": "in", "val": ["a"]},
                {"col": "site", "op": "starts_with", "val": "a"},
            ],
            select=["kwh"],
        ),
        readings,
    )
    explained, scan = answer.explain(), scan_of(answer)

    assert "PROJECT 3/5 COLUMNS" in scan
    assert "SELECTION: " in scan
    assert "FILTER" not in explained
    assert answer.collect().rows() == [(None,)]


@pytest.mark.parametrize(
    "tree",
    [
        {"not": {"col": "kwh", "op": "between", "val": [1, 2], "closed": "left"}},
        {"any": [{"col": "kwh", "op": ">", "val": 3}, {"col": "site", "op": "like", "val": "b%"}]},
        {
            "all": [
                {"col": "kwh", "op": "is_distinct_from", "val": 1},
                {"col": "site", "op": "regex", "val": "."},
            ]
        },
        {"not": {"all": [{"col": "site", "op": "icontains", "val": "A"}, {"col": "kwh", "op": "is_finite"}]}},
        {"col": "moment", "op": "<", "col2": "moment"},
    ],
)
def test_trees_of_filters_reach_the_file(readings: pl.LazyFrame, tree: dict[str, Any]) -> None:
    answer = execute(plan(filters=[tree], select=["unused"]), readings)

    assert "SELECTION: " in scan_of(answer)
    assert "FILTER" not in answer.explain()


def test_row_groups_that_a_tree_rules_out_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sorted.parquet"
    pl.DataFrame({"a": range(40), "b": [1] * 40}).write_parquet(path, row_group_size=10)
    data = bytearray(path.read_bytes())
    footer = pq.read_metadata(path)
    for group in (0, 3):  # what is not read may hold anything
        chunk = footer.row_group(group).column(0)
        begin = chunk.dictionary_page_offset or chunk.data_page_offset
        data[begin : begin + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    path.write_bytes(data)
    wanted = {
        "all": [
            {"any": [{"col": "a", "op": "between", "val": [12, 17]}, {"col": "a", "op": "=", "val": 25}]},
            {"not": {"col": "a", "op": ">=", "val": 30}},
        ]
    }
    answer = execute(plan(filters=[wanted]), pl.scan_parquet(path))

    assert answer.collect(engine="streaming")["a"].to_list() == [12, 13, 14, 15, 16, 17, 25]


def test_values_in_their_order_are_the_same_every_time() -> None:
    source = pl.LazyFrame(
        {"k": [number % 100 for number in range(60_000)], "o": [7] * 60_000, "v": range(60_000)}
    )
    query = plan(
        groupby=["k"],
        aggs=[
            {"col": "v", "fn": "first", "by": "o"},
            {"col": "v", "fn": "last", "by": "o"},
            {"col": "v", "fn": "arg_max", "by": "o"},
            {"col": "v", "fn": "any"},
            {"col": "v", "fn": "list", "max": 2},
        ],
    )

    wanted = [(key, key, 59_900 + key, key, key, [key, key + 100]) for key in range(100)]
    for _ in range(5):
        assert execute(query, source).collect(engine="streaming").rows() == wanted


def test_groups_read_their_columns_alone(readings: pl.LazyFrame) -> None:
    answer = execute(
        plan(
            filters=[{"col": "site", "op": "not_null"}],
            grain="1 week",
            groupby=["site"],
            aggs=[{"col": "kwh", "fn": "sum"}],
            select=["unused"],
        ),
        readings,
    )
    scan = scan_of(answer)

    assert "PROJECT 3/5 COLUMNS" in scan
    assert "SELECTION: " in scan
    assert answer.collect().rows() == [(dt.date(2025, 9, 1), "a", 1.0), (dt.date(2025, 9, 1), "b", 2.0)]


def test_count_of_all_rows_reads_no_column(readings: pl.LazyFrame) -> None:
    answer = execute(plan(aggs=[{"fn": "count"}]), readings)

    assert "PROJECT 0/5 COLUMNS" in answer.explain()
    assert answer.collect().rows() == [(4,)]


def test_column_called_like_a_pattern_is_read_alone(readings: pl.LazyFrame) -> None:
    answer = execute(plan(filters=[{"col": "*", "op": "in", "val": ["2", "3"]}], select=["*"]), readings)
    scan = scan_of(answer)

    assert "PROJECT 1/5 COLUMNS" in scan
    assert "SELECTION: " in scan
    assert answer.collect().rows() == [("2",), ("3",)]


def test_cast_of_one_column_lets_the_predicate_of_another_pass(readings: pl.LazyFrame) -> None:
    answer = execute(
        plan(
            clean=[{"op": "cast", "col": "*", "type": "int64"}],
            filters=[{"col": "kwh", "op": "<", "val": 2}],
            select=["*"],
        ),
        readings,
    )
    scan = scan_of(answer)

    assert "PROJECT 2/5 COLUMNS" in scan
    assert 'SELECTION: col("kwh") < 2.0' in scan
    assert answer.collect().rows() == [(1,)]


def test_projection_and_predicate_reach_both_sides_of_a_join(readings: pl.LazyFrame, tmp_path: Path) -> None:
    path = tmp_path / "sites.parquet"
    pl.DataFrame({"id": ["a", "b"], "name": ["Alpha", "Beta"], "unused": [1, 2]}).write_parquet(path)
    answer = execute(
        plan(
            joins=[{"dataset": "sites", "left_on": ["site"], "right_on": ["id"]}],
            filters=[{"col": "name", "op": "=", "val": "Beta"}],
            select=["name", "kwh"],
        ),
        readings,
        [pl.scan_parquet(path)],
    )
    explained = answer.explain()

    assert "PROJECT 2/5 COLUMNS" in explained
    assert "PROJECT 2/3 COLUMNS" in explained
    assert 'SELECTION: col("name") == "Beta"' in explained
    assert answer.collect().rows() == [("Beta", 2.0)]


def test_groups_come_in_the_same_order_every_time() -> None:
    keys = [place * 7919 % 20_000 for place in range(20_000)]
    source = pl.LazyFrame({"k": keys * 3, "v": range(60_000)})
    query = plan(groupby=["k"], aggs=[{"col": "v", "fn": "max"}, {"fn": "count"}], limit=15_000)
    answers = [execute(query, source).collect() for _ in range(5)]

    last = {key: 40_000 + place for place, key in enumerate(keys)}
    assert answers[0].rows() == [(key, last[key], 3) for key in range(15_000)]
    assert all(answer.equals(answers[0]) for answer in answers)


def test_rows_keep_their_order_through_filters_and_joins_and_limit_every_time() -> None:
    source = pl.LazyFrame({"k": [number % 1000 for number in range(60_000)], "v": range(60_000)})
    other = pl.LazyFrame({"k": range(0, 1000, 2), "w": range(500)})
    query = plan(
        joins=[{"dataset": "other", "on": ["k"]}],
        filters=[{"col": "v", "op": ">=", "val": 10}],
        select=["v", "w"],
        limit=25_000,
    )
    answers = [execute(query, source, [other]).collect() for _ in range(5)]

    wanted = [(value, value % 1000 // 2) for value in range(10, 60_000, 2)][:25_000]
    assert answers[0].rows() == wanted
    assert all(answer.equals(answers[0]) for answer in answers)


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_first_rows_of_an_order_with_many_ties_are_the_first_of_the_data(direction: str) -> None:
    source = pl.LazyFrame({"k": [7] * 100_000, "v": range(100_000)})
    query = plan(order=[{"col": "k", "dir": direction}], select=["k", "v"], limit=5)

    for _ in range(5):
        assert execute(query, source).collect()["v"].to_list() == [0, 1, 2, 3, 4]


def test_repeated_rows_are_dropped_in_the_same_way_every_time() -> None:
    source = pl.LazyFrame({"k": [number % 5000 for number in range(60_000)], "v": range(60_000)})

    for keep, first in (("first", 0), ("last", 55_000)):
        query = plan(clean=[{"op": "dedupe", "cols": ["k"], "keep": keep}])
        for _ in range(5):
            assert execute(query, source).collect()["v"].to_list() == list(range(first, first + 5000))


def test_limit_beyond_what_the_engine_counts_in_leaves_nothing_out() -> None:
    for limit in (2**32 - 1, 2**32, 10**12):
        assert execute(plan(limit=limit), pl.LazyFrame({"a": [2, 1]})).collect()["a"].to_list() == [2, 1]


def test_source_is_left_as_it_was() -> None:
    source = pl.LazyFrame({"*": [" x "], "e": ["low"]}, {"*": pl.String(), "e": pl.Enum(["low"])})
    execute(plan(clean=[{"op": "trim"}]), source).collect()

    assert source.collect().rows() == [(" x ", "low")]
    assert source.collect_schema() == {"*": pl.String(), "e": pl.Enum(["low"])}
