from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import Plan
from airpy.engine.execute import execute

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHANCE = random.Random(5)  # noqa: S311  data, and no secret
GAP = 2
ROWS = [(CHANCE.randrange(60_000), CHANCE.randrange(7)) for _ in range(120_000)]


def kept(source: pl.LazyFrame, *filters: dict[str, Any]) -> list[int]:
    """The numbers of the rows that pass, read as a plan reads them."""
    plan = Plan.model_validate({"dataset": "source", "filters": filters, "select": ["n"]})
    return execute(plan, source).collect()["n"].to_list()


def repeated() -> list[int]:
    seen: set[int] = set()
    found = []
    for n, (value, _) in enumerate(ROWS):
        if value in seen:
            found.append(n)
        seen.add(value)
    return found


def falling_in_groups() -> list[int]:
    last: dict[int, int] = {}
    found = []
    for n, (value, group) in enumerate(ROWS):
        if value < last.get(group, value):
            found.append(n)
        last[group] = value
    return found


def falling_among_some() -> list[int]:
    last = 0
    found = []
    for n, (value, group) in enumerate(ROWS):
        if group in {1, 3}:
            if value < last:
                found.append(n)
            last = value
    return found


def after_gaps() -> list[int]:
    """The first row of each value that is more than so many after the next smaller one."""
    first: dict[int, int] = {}
    for n, (value, _) in enumerate(ROWS):
        first.setdefault(value, n)
    times = sorted(first)
    return sorted(first[time] for before, time in pairwise(times) if time - before > GAP)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({"rows": {"are": "repeated", "cols": ["value"]}}, repeated),
        ({"rows": {"are": "falling", "cols": ["value"], "by": ["group"]}}, falling_in_groups),
        (
            {
                "rows": {"are": "falling", "cols": ["value"]},
                "among": [{"col": "group", "op": "in", "val": [1, 3]}],
            },
            falling_among_some,
        ),
        ({"rows": {"are": "after_gap", "cols": ["time"], "every": f"{GAP} seconds"}}, after_gaps),
    ],
)
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_rows_of_many_batches_are_looked_at_in_their_order_and_before_other_filters(
    tmp_path: Path, form: str, rows: dict[str, Any], expected: Callable[[], list[int]]
) -> None:
    path = tmp_path / f"source.{form}"
    frame = pl.DataFrame(ROWS, ["value", "group"], orient="row").with_row_index("n")
    if form == "parquet":
        frame.write_parquet(path, row_group_size=7_000)
        source = pl.scan_parquet(path)
    else:
        frame.write_csv(path)
        source = pl.scan_csv(path)
    source = source.with_columns(time=pl.from_epoch("value"))
    numbers = expected()
    assert numbers

    assert kept(source, rows) == numbers
    assert kept(source, rows, {"col": "group", "op": "=", "val": 3}) == [
        n for n in numbers if ROWS[n][1] == 3
    ]
    assert kept(source, {"col": "n", "op": ">", "val": 100_000}, rows) == [n for n in numbers if n > 100_000]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize(
    "every", ["1 second", "99999 hours", "1 day", "99999 weeks", "1 month", "99999 years"]
)
def test_no_time_is_too_far_away_to_be_looked_at(unit: Any, every: str) -> None:
    ticks = pl.Series([-(2**63), 0, 0, 2**63 - 1], dtype=pl.Int64)
    frame = pl.DataFrame({"n": range(4), "t": ticks.cast(pl.Datetime(unit))})
    after_gap = {"rows": {"are": "after_gap", "cols": ["t"], "every": every}}

    yes, no = kept(frame.lazy(), after_gap), kept(frame.lazy(), {"not": after_gap})

    assert sorted(yes + no) == [0, 1, 2, 3]
    assert {0, 2} <= set(no)
