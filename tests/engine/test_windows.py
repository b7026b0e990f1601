from __future__ import annotations

import datetime as dt
import typing
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy import contract
from airpy.engine.execute import execute
from airpy.engine.plan import check_plan
from airpy.engine.windows import SIGNATURES

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["x", "y"]),
        st.one_of(st.none(), st.integers(0, 4)),
        st.one_of(st.none(), st.integers(0, 2)),
        st.one_of(st.none(), st.integers(-9, 9)),
    ),
    max_size=30,
)
ORDERS = st.tuples(st.sampled_from(["asc", "desc"]), st.sampled_from(["first", "last"]))


def windowed(rows: pl.DataFrame, *window: dict[str, Any], engine: Any = "in-memory") -> pl.DataFrame:
    """The rows with windows."""
    request = contract.Plan.model_validate({"dataset": "table", "window": window})
    check_plan(request)
    return execute(request, rows.lazy()).collect(engine=engine)


def test_every_function_of_the_contract_is_in_the_table() -> None:
    assert set(SIGNATURES) == set(typing.get_args(contract.WindowFunction.__value__.__origin__))


@given(ROWS, ORDERS, ORDERS, st.sampled_from(["in-memory", "streaming"]))
@settings(deadline=None)
def test_windows_go_by_any_order_and_leave_the_rows_where_they_are(
    rows: list[tuple[str, int | None, int | None, int | None]],
    first: tuple[str, str],
    second: tuple[str, str],
    engine: str,
) -> None:
    frame = pl.DataFrame(rows, {"g": pl.String, "a": pl.Int64, "b": pl.Int64, "v": pl.Int64}, orient="row")
    order = [{"col": c, "dir": d, "nulls": n} for c, (d, n) in zip("ab", (first, second), strict=True)]
    shared = {"partition_by": ["g"], "order_by": order}

    found = windowed(
        frame,
        {"as": "row", "fn": "row_number", **shared},
        {"as": "rank", "fn": "rank", **shared},
        {"as": "dense", "fn": "dense_rank", **shared},
        {"as": "sum", "fn": "cum_sum", "col": "v", **shared},
        {"as": "part", "fn": "ntile", "n": 3, **shared},
        {"as": "last", "fn": "lag", "col": "v", **shared},
        engine=engine,
    )

    assert found.select("g", "a", "b", "v").rows() == rows
    expected: dict[int, tuple[Any, ...]] = {}
    for group in ("x", "y"):
        places = [place for place, row in enumerate(rows) if row[0] == group]
        places = _sorted(places, [row[2] for row in rows], *second)
        places = _sorted(places, [row[1] for row in rows], *first)
        expected.update(_numbered(places, rows))
    assert found.select("row", "rank", "dense", "sum", "part", "last").rows() == [
        expected[place] for place in range(len(rows))
    ]


def _sorted(places: list[int], values: list[int | None], direction: str, nulls: str) -> list[int]:
    """The places by their values; equal ones as they come."""
    absent = [place for place in places if values[place] is None]
    sign = 1 if direction == "asc" else -1
    there = sorted(
        (place for place in places if values[place] is not None),
        key=lambda place: sign * (values[place] or 0),
    )
    return absent + there if nulls == "first" else there + absent


def _numbered(places: list[int], rows: list[Any]) -> dict[int, tuple[Any, ...]]:
    given: dict[int, tuple[Any, ...]] = {}
    rank = dense = 0
    total: int | None = None
    long, parts = len(places) % 3, len(places) // 3
    ends = [n for part in range(3) for n in [part + 1] * (parts + (part < long))]
    for number, place in enumerate(places, start=1):
        before = rows[places[number - 2]] if number > 1 else None
        if before is None or before[1:3] != rows[place][1:3]:
            rank, dense = number, dense + 1
        if rows[place][3] is not None:
            total = (total or 0) + rows[place][3]
        given[place] = (number, rank, dense, total, ends[number - 1], before[3] if before else None)
    return given


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(0, 20)), st.one_of(st.none(), st.integers(-5, 5)), st.booleans()
        ),
        max_size=25,
    ),
    st.integers(1, 6),
    st.integers(1, 3),
)
@settings(deadline=None)
def test_a_range_of_days_holds_every_row_of_those_days(
    rows: list[tuple[int | None, int | None, bool]], days: int, least: int
) -> None:
    begin = dt.date(2025, 3, 25)
    dates = [None if day is None else begin + dt.timedelta(days=day) for day, _, _ in rows]
    frame = pl.DataFrame(
        {"t": dates, "v": [v for _, v, _ in rows], "g": [g for _, _, g in rows]},
        schema={"t": pl.Date, "v": pl.Int64, "g": pl.Boolean},
    )
    shared = {
        "col": "v",
        "partition_by": ["g"],
        "order_by": [{"col": "t"}],
        "frame": {"range": f"{days} days", "min_rows": least},
    }

    found = windowed(
        frame,
        {"as": "sum", "fn": "rolling_sum", **shared},
        {"as": "min", "fn": "rolling_min", **shared},
    )

    def seen(row: tuple[int | None, int | None, bool]) -> list[int]:
        day, _, group = row
        if day is None:
            return []
        return [
            v for d, v, g in rows if g == group and d is not None and day - days < d <= day and v is not None
        ]

    values = [seen(row) for row in rows]
    assert found["sum"].to_list() == [sum(v) if len(v) >= least else None for v in values]
    assert found["min"].to_list() == [min(v) if len(v) >= least else None for v in values]


def test_a_window_may_use_those_before_it() -> None:
    found = windowed(
        pl.DataFrame({"a": [3, 1, 2]}),
        {"as": "row", "fn": "row_number", "order_by": [{"col": "a"}]},
        {"as": "last", "fn": "lag", "col": "row", "order_by": [{"col": "row"}]},
    )

    assert found.rows() == [(3, 3, 2), (1, 1, None), (2, 2, 1)]


@pytest.mark.parametrize("name", ["*", "^a.*$", ""])
def test_columns_of_odd_names_are_meant_themselves(name: str) -> None:
    found = windowed(
        pl.DataFrame({name: [2, 1], "ab": [5, 6]}),
        {"as": "^r$", "fn": "rank", "partition_by": ["ab"], "order_by": [{"col": name}]},
        {
            "as": "sum",
            "fn": "cum_sum",
            "col": name,
            "order_by": [{"col": "^r$"}, {"col": name, "dir": "desc"}],
        },
    )

    assert found.to_dict(as_series=False) == {name: [2, 1], "ab": [5, 6], "^r$": [1, 1], "sum": [2, 3]}
