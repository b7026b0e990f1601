"""Every plan of a hint is run, over frames made by hand and over public ones."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from airpy.contract import ChartHint, FrameMetrics, Plan
from airpy.engine.execute import execute
from airpy.engine.plan import bucket_name, check_plan, group_keys, is_grouped
from airpy.engine.profile.associations import associations, correlations
from airpy.engine.profile.chart_hints import chart_hints
from airpy.engine.profile.measuring import measured
from airpy.engine.profile.metrics import column_metrics

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
FOLDERS = ("seaborn-data", "vega-datasets")
FILES = sorted(
    path for folder in FOLDERS for path in (CORPORA / folder).glob("*.*") if path.suffix in {".csv", ".json"}
)
MOST_POINTS = 2_000


def hints_of(frame: pl.DataFrame, source: Plan | None = None) -> list[ChartHint]:
    """As many hints as there may be."""
    state = measured(frame.lazy())
    metrics = FrameMetrics(
        rows=frame.height,
        columns=frame.width,
        memory_usage_mb=0,
        correlations=[list(pair) for pair in correlations(state)],
        associations=associations(state, ["cramers_v"]),
    )
    return chart_hints(column_metrics(state), metrics, 50, source)


def axes(hint: ChartHint, plan: Plan) -> list[str]:
    """What the columns of the points are called."""
    if hint.type == "box":
        quartiles = [f"{fn}({hint.y})" for fn in ("min", "q1", "median", "q3", "max")]
        return quartiles if hint.x == hint.y else [hint.x, *quartiles]
    if hint.agg == "corr":
        return [str(item.as_) for item in plan.aggs or []]
    bins = {item.col: item.as_ for item in plan.derive or [] if item.fn == "bin" and is_grouped(plan)}
    names = [hint.x, hint.y] if hint.color is None else [hint.x, hint.y, hint.color]
    named = [bins.get(name, name) for name in names]
    return [bucket_name(plan) or hint.x, *named[1:]] if hint.grain else named


def points(hint: ChartHint, frame: pl.DataFrame) -> pl.DataFrame:
    """The points that the plan yields: some, not too many, with all that the chart shows."""
    assert hint.plan is not None
    check_plan(hint.plan)
    found = execute(hint.plan, frame.lazy()).collect()

    assert 0 < found.height <= MOST_POINTS, hint
    for name in axes(hint, hint.plan):
        assert name in found.columns, hint
        assert found[name].null_count() < found.height, (hint, name)
        if hint.type != "scatter" and found[name].dtype.is_float():
            assert not found[name].is_nan().any(), (hint, name)
    if hint.agg in {"sum", "mean", "count"} or hint.type == "box":
        places = group_keys(hint.plan)
        assert all(found[key].null_count() == 0 for key in places), hint
    return found


def hours(number: int, step: str = "1h") -> pl.Series:
    start = dt.datetime(2024, 1, 1)  # noqa: DTZ001  what a clock shows
    return pl.datetime_range(start, start.replace(year=2034), step, eager=True).head(number)


HOSTILE = [
    "",
    "*",
    "^.*$",
    "a.b",
    'say "hi"',
    "count(*)",
    "hour",
    "day",
    "frame",
    "sum(a.b)",
    " ",
    "Größe\n€",
    "x" * 1_024,
]


def hostile() -> pl.DataFrame:
    """Names that mean something to somebody."""
    columns: dict[str, Any] = {"when": hours(240)}
    for place, name in enumerate(HOSTILE):
        if place % 2:
            columns[name] = [f"{name[:9]}{n % (2 + place)}" for n in range(240)]
        else:
            columns[name] = [math.sin(n / 9) + place * n % 7 for n in range(240)]
    return pl.DataFrame(columns)


def numbers(kind: pl.DataType, *, rows: int = 3_000) -> pl.DataFrame:
    """Related numbers of one type, and a category."""
    return pl.DataFrame(
        {
            "one": pl.Series([n * 7 % 101 for n in range(rows)]).cast(kind),
            "other": pl.Series([n * 7 % 101 // 2 + n % 13 for n in range(rows)]).cast(kind),
            "third": pl.Series([(n * n) % 97 for n in range(rows)]).cast(kind),
            "fourth": pl.Series([n % 5 for n in range(rows)]).cast(kind),
            "of": ["abc"[n % 3] for n in range(rows)],
        }
    )


def holed() -> pl.DataFrame:
    """Nulls, NaN and infinities in all that may hold them."""
    rows = 500
    return pl.DataFrame(
        {
            "when": [None if n % 11 == 0 else dt.date(2024, 1, 1) + dt.timedelta(n) for n in range(rows)],
            "site": [None if n % 7 == 0 else "abc"[n % 3] for n in range(rows)],
            "is_open": [None if n % 3 == 0 else n % 2 == 0 for n in range(rows)],
            "cost": [None if n % 5 == 0 else math.nan if n % 5 == 1 else float(n % 37) for n in range(rows)],
            "price": [math.nan if n % 9 == 1 else n % 37 + n % 3 / 2 for n in range(rows)],
            "peak": [math.inf if n == 3 else float(n % 10) for n in range(rows)],
            "far": [float(10 ** (n % 9)) for n in range(rows)],
        },
        strict=False,
    )


MADE: dict[str, pl.DataFrame] = {
    "hostile names": hostile(),
    "holes": holed(),
    **{
        str(kind): numbers(kind)
        for kind in (
            pl.Int8(),
            pl.UInt64(),
            pl.Float32(),
            pl.Float64(),
            pl.Decimal(10, 2),
            pl.Decimal(38, 0),
            pl.Int128(),
        )
    },
    "few rows": numbers(pl.Float64(), rows=40),
    "two rows": numbers(pl.Float64(), rows=2),
    "one row": numbers(pl.Float64(), rows=1),
    "no rows": numbers(pl.Float64(), rows=0),
    "no columns": pl.DataFrame(),
    "far away": pl.DataFrame({"a": [1e15 + n for n in range(100)], "b": [2.0**70 * n for n in range(100)]}),
    "large integers": pl.DataFrame(
        {"a": [2**62 - n % 40 for n in range(100)], "b": [-(2**62) + 10**15 * (n % 40) for n in range(100)]}
    ),
    "decimals": pl.DataFrame(
        {"cost": [Decimal(n % 40) / 8 for n in range(100)]}, schema={"cost": pl.Decimal(38, 20)}
    ),
    "years": pl.DataFrame(
        {"when": [dt.date(1 + 33 * n, 1, 1) for n in range(300)], "x": [n % 9 / 2 for n in range(300)]}
    ),
    "nanoseconds": pl.DataFrame(
        {"when": hours(5_000).cast(pl.Datetime("ns")), "x": [n % 9 / 2 for n in range(5_000)]}
    ),
    "Berlin": pl.DataFrame(
        {
            "when": hours(20_000).dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin"),
            "site": ["abcdefgh"[n % 8] for n in range(20_000)],
            "cost": [n % 9 / 2 for n in range(20_000)],
        }
    ),
    "categoricals": pl.DataFrame(
        {"of": pl.Series(["a", "b", "a"] * 9, dtype=pl.Categorical), "x": [n % 9 / 2 for n in range(27)]}
    ),
    "enums": pl.DataFrame(
        {"of": pl.Series(["a", "b", "a"] * 9, dtype=pl.Enum(["b", "a"])), "x": [n % 9 / 2 for n in range(27)]}
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_every_plan_yields_the_points_of_its_chart(name: str) -> None:
    frame = MADE[name]

    for hint in hints_of(frame):
        points(hint, frame)


def test_frames_made_by_hand_have_charts_of_every_type() -> None:
    found = {hint.type for frame in MADE.values() for hint in hints_of(frame)}

    assert found == {"line", "area", "bar", "histogram", "box", "scatter", "heatmap", "pie"}
    assert not [hint for name in ("one row", "no rows", "no columns") for hint in hints_of(MADE[name])]


def test_columns_of_hostile_names_are_drawn() -> None:
    drawn = {name for hint in hints_of(hostile()) for name in (hint.x, hint.y, hint.color)}

    assert {"", "^.*$", "a.b", "*", 'say "hi"'} <= drawn | {None}


@pytest.mark.skipif(not FILES, reason="the public corpora are not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_plan_over_a_public_frame_yields_the_points_of_its_chart(path: Path) -> None:
    frame = public(path)

    for hint in hints_of(frame):
        points(hint, frame)


def public(path: Path) -> pl.DataFrame:
    """The rows of a file; its texts that are dates as such."""
    if path.suffix == ".csv":
        frame = pl.read_csv(path, infer_schema_length=None, try_parse_dates=True)
    else:
        rows = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            pytest.skip("holds no rows")
        frame = pl.from_dicts(rows, infer_schema_length=None, strict=False)
    return frame.head(20_000)


SOURCES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "filters": {"filters": [{"col": "price", "op": ">", "val": 9}], "timezone": "Europe/Berlin"},
    "derived": {"derive": [{"as": "cost", "fn": "mul", "args": [{"col": "price"}, {"val": 2}]}]},
    "renamed": {"clean": [{"op": "rename", "names": {"site": "place", "cost": "expense"}}]},
    "selected": {"select": ["price", "site", "when"], "order": [{"col": "price"}]},
    "unpivoted": {"unpivot": {"on": ["cost", "price"], "index": ["when", "site"]}},
    "sampled": {"sample": {"n": 100}},
    "distinct": {"distinct": True, "select": ["when", "cost"]},
    "limited": {"limit": 200, "offset": 7},
    "greatest": {"top_n": {"n": 50, "by": "cost"}},
    "windows": {"window": [{"as": "n", "fn": "row_number", "order_by": [{"col": "price"}]}]},
    "grouped": {"groupby": ["site"], "aggs": [{"col": "cost", "fn": "sum"}, {"fn": "count"}]},
    "by day": {"grain": "1 week", "groupby": ["site"], "aggs": [{"col": "price", "fn": "mean"}]},
    "resampled": {
        "resample": {"every": "1 month", "fill": "zero"},
        "aggs": [{"col": "price", "fn": "sum"}, {"col": "cost", "fn": "mean"}],
    },
    "pivoted": {
        "grain": "1 month",
        "groupby": ["site"],
        "aggs": [{"col": "price", "fn": "sum"}],
        "pivot": {"index": ["month"], "on": "site", "values": "price_sum"},
    },
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_plan_that_extends_another_yields_the_points_of_its_chart(name: str) -> None:
    # Groups and later stages have charts where one of their columns names each row.
    frame = holed().fill_nan(None).drop_nulls("when")
    source = Plan.model_validate({"dataset": "sites", **SOURCES[name]})
    check_plan(source)

    found = hints_of(execute(source, frame.lazy()).collect(), source)

    assert found
    for hint in found:
        assert hint.plan is not None
        assert hint.plan.dataset == "sites"
        points(hint, frame)


# What points are, worked out by hand


def drawn(frame: pl.DataFrame, kind: str, y: str, source: Plan | None = None) -> pl.DataFrame:
    """The points of a chart, with the plan's source run over the frame first."""
    analysed = frame if source is None else execute(source, frame.lazy()).collect()
    hint = next(hint for hint in hints_of(analysed, source) if (hint.type, hint.y) == (kind, y))
    return points(hint, frame)


SALES = pl.DataFrame(
    {
        "day": [dt.date(2025, 1, 1 + n // 2) for n in range(8)],
        "shop": ["east", "west"] * 4,
        "cost": [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0],
        "price": [5.0, 6.0, 5.5, 6.5, 5.0, 7.0, 5.0, 6.0],
    }
)


def test_lines_are_totals_of_amounts_by_day_and_category() -> None:
    assert drawn(SALES, "line", "cost").rows() == [
        (dt.date(2025, 1, 1 + n // 2), ("east", "west")[n % 2], SALES["cost"][n]) for n in range(8)
    ]


def test_bars_are_means_of_prices_the_greatest_first() -> None:
    assert drawn(SALES, "bar", "mean(price)").rows() == [("west", 6.375), ("east", 5.125)]


def test_slices_are_totals() -> None:
    assert drawn(SALES, "pie", "sum(cost)").rows() == [("west", 100.0), ("east", 10.0)]


def test_a_histogram_counts_rows_in_bins() -> None:
    # 39 in 28 bins and two that are cut: they are 2 wide.
    found = drawn(SALES, "histogram", "count(*)")

    assert found.rows() == [(0.0, 1), (2.0, 2), (4.0, 1), (10.0, 1), (20.0, 1), (30.0, 1), (40.0, 1)]


def test_points_are_of_the_rows_that_were_analysed() -> None:
    source = Plan.model_validate(
        {
            "dataset": "sales",
            "filters": [{"col": "price", "op": "<", "val": 6.5}],
            "select": ["shop", "cost"],
            "order": [{"col": "cost"}],
        }
    )

    assert drawn(SALES, "bar", "sum(cost)", source).rows() == [("west", 50.0), ("east", 10.0)]


def test_rows_of_groups_are_the_points() -> None:
    source = Plan.model_validate(
        {"dataset": "sales", "grain": "1 day", "aggs": [{"col": "cost", "fn": "sum"}], "timezone": "UTC"}
    )

    assert drawn(SALES, "line", "cost_sum", source).rows() == [
        (dt.date(2025, 1, 1), 11.0),
        (dt.date(2025, 1, 2), 22.0),
        (dt.date(2025, 1, 3), 33.0),
        (dt.date(2025, 1, 4), 44.0),
    ]


def test_boxes_are_extremes_and_quartiles() -> None:
    # The median of 21 values is the 11th, the quartiles are the 6th and the 16th.
    frame = pl.DataFrame({"far": [1.0, 2.0, 3.0, 4.0] * 5 + [1_000.0]})

    assert drawn(frame, "box", "far").rows() == [(1.0, 2.0, 3.0, 4.0, 1_000.0)]
