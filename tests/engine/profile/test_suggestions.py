from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airpy.contract import AnalyzeOptions, ColumnMetrics, FrameMetrics, KindCount, PatternCount, TextMetrics
from airpy.engine.encoding import portable
from airpy.engine.profile.kinds import KINDS
from airpy.engine.profile.report import report
from airpy.engine.profile.rule_checks import check_rules
from airpy.engine.profile.rules import validate
from airpy.engine.profile.suggestions import suggestions
from airpy.files.datasets import dataset_at
from airpy.files.paths import FileRoot
from airpy.files.scan import scan
from tests.files.conftest import EXTENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airpy.contract import SuggestedRule

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
OPTIONS = AnalyzeOptions(suggest=True, include_outliers=False, include_correlations=False)
ROWS = 24


def proposed(frame: pl.LazyFrame) -> list[SuggestedRule]:
    """What is proposed for the frame, all of which it must meet."""
    validation = report(frame, "validate", OPTIONS).validation
    assert validation is not None
    found = validation.suggested or []
    rules = [each.rule for each in found]
    check_rules(rules)
    results = validate(frame, rules).rules
    assert [(one.name, one.observed) for one in results if not one.passed] == []
    return found


def rules_of(values: Iterable[Any], **options: Any) -> list[dict[str, Any]]:
    """The rules that are proposed for a column of these values called `a`, but for its type and its rows."""
    column = pl.Series("a", list(values), **options)
    rules = [each.rule.model_dump(exclude_unset=True) for each in proposed(column.to_frame().lazy())]
    return [
        {name: value for name, value in rule.items() if name not in {"col", "cols"}}
        for rule in rules
        if rule["rule"] not in {"type", "row_count_between"}
    ]


def of_metrics(**measured: Any) -> list[str]:
    """The rules that are proposed for a column of 1,000 values with these metrics, but for its type."""
    nothing = ["unique", "min", "max", "mean", "std", "median", "q1", "q3", "zeros", "outliers"]
    told = {"name": "a", "count": 1000, "missing": 0} | dict.fromkeys(nothing) | measured
    column = ColumnMetrics.model_validate(told)
    metrics = FrameMetrics(rows=1000, columns=1, memory_usage_mb=1, correlations=[])
    rows, kind, *rest = (each.rule.rule for each in suggestions(metrics, [column]))
    assert (rows, kind) == ("row_count_between", "type")
    return list(rest)


def test_numbers_are_not_null_not_negative_and_in_their_range() -> None:
    assert rules_of([3, 5, 3, 4] * 6) == [
        {"rule": "not_null"},
        {"rule": "in_range", "min": 0},
        {"rule": "in_range", "min": 3, "max": 5},
    ]
    assert rules_of([-0.5, 2.25] * 12)[1:] == [{"rule": "in_range", "min": -0.5, "max": 2.25}]


def test_nan_is_above_every_end() -> None:
    assert rules_of([1.0, math.nan] * 12)[1:] == [{"rule": "in_range", "min": 0}]
    assert rules_of([-1.0, math.nan] * 12)[1:] == []


def test_nulls_stay_fewer_than_the_next_percent() -> None:
    # 3 of 24 are 12.5 %, 6 of 24 are 25 %.
    assert {"rule": "null_ratio_below", "max": 0.13} in rules_of([None, *range(7)] * 3)
    assert {"rule": "null_ratio_below", "max": 0.26} in rules_of([None, 1, 2, 3] * 6)
    assert rules_of([None] * ROWS, dtype=pl.Int64) == []


def test_what_names_a_row_is_unique_and_a_measurement_is_not_said_to_be() -> None:
    assert {"rule": "unique"} in rules_of(range(ROWS))
    assert {"rule": "unique"} in rules_of(f"id {n}" for n in range(ROWS))
    assert {"rule": "unique"} not in rules_of(n / 7 - 1 for n in range(ROWS))
    assert {"rule": "unique"} not in rules_of([*range(ROWS), 0])


def test_few_texts_that_cover_all_values_are_a_set() -> None:
    assert {"rule": "in_set", "values": ["North", "South"]} in rules_of(["South", "North", None] * 12)
    # Each occurs once, and so the next may well be another.
    assert not any(rule["rule"] == "in_set" for rule in rules_of(chr(65 + n) for n in range(20)))
    assert not any(rule["rule"] == "in_set" for rule in rules_of([f"{n}@x.org" for n in range(3)] * 12))


def test_texts_of_one_length_and_one_shape_have_it() -> None:
    found = rules_of(f"AB-{n:03} ø" for n in range(ROWS))

    assert {"rule": "length_between", "min": 8, "max": 8} in found
    assert {"rule": "matches", "pattern": r"^\p{Lu}+\+?-[0-9]+\+? \p{Ll}$"} in found


def test_a_plus_in_a_text_is_told_apart_from_several_letters() -> None:
    for values in (["x+1", "y+2", "xy3"], ["+49 1", "+43 2"], ["a.b(c)", "d.e(f)"], ["a[$^", "b[$^"]):
        rules_of(values * 12)


def test_texts_of_one_kind_match_it() -> None:
    urls = [f"https://example.org/{'x' * (n % 5)}{n}" for n in range(ROWS)]

    assert {"rule": "matches", "pattern": KINDS["url"]} in rules_of(urls)
    assert not any(rule["rule"] == "matches" for rule in rules_of([*urls, "no"]))


def test_a_shape_of_which_not_all_values_were_seen_is_no_rule() -> None:
    text = TextMetrics(
        min_length=1,
        mean_length=2,
        max_length=3,
        blank=0,
        whitespace=0,
        patterns=[PatternCount(pattern="9+", count=999, share=1.0)],
        kinds=[KindCount(kind="leading_zeros", count=999, share=1.0)],
    )

    assert of_metrics(type="string", text=text) == ["not_null"]


def test_infinity_is_no_end() -> None:
    assert of_metrics(type="float64", min=0.0, max=1.0, nan=0, infinite=1) == ["not_null"]


@pytest.mark.parametrize(
    ("step", "every"),
    [
        (dt.timedelta(days=1), "24 hours"),
        (dt.timedelta(minutes=15), "15 minutes"),
        (dt.timedelta(seconds=90), "90 seconds"),
        (dt.timedelta(milliseconds=1500), None),
    ],
)
def test_times_in_order_and_in_step_keep_both(step: dt.timedelta, every: str | None) -> None:
    first = dt.datetime(2025, 3, 29, tzinfo=dt.UTC)
    found = rules_of(first + n * step for n in range(ROWS))

    assert {"rule": "increasing", "strict": True} in found
    assert [rule["every"] for rule in found if rule["rule"] == "no_gaps"] == ([every] if every else [])


@pytest.mark.parametrize(
    ("zone", "moment", "told"),
    [
        ("America/New_York", dt.datetime(1, 1, 1, tzinfo=dt.UTC), False),  # there, it is in the year before
        ("America/New_York", dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC), True),
        ("Europe/Berlin", dt.datetime(1, 1, 1, tzinfo=dt.UTC), True),
        ("Europe/Berlin", dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC), False),
    ],
)
def test_a_time_that_no_rule_of_its_column_can_name_is_no_end(
    zone: str, moment: dt.datetime, *, told: bool
) -> None:
    frame = pl.DataFrame({"a": [moment] * ROWS}).with_columns(pl.col("a").dt.convert_time_zone(zone))

    assert ("in_range" in {each.rule.rule for each in proposed(frame.lazy())}) is told


def test_dates_are_in_step_by_days_and_may_go_back() -> None:
    days = [dt.date(2025, 9, 1) + dt.timedelta(days=7 * n) for n in range(ROWS)]

    found = rules_of(reversed(days))

    assert {"rule": "no_gaps", "every": "7 days"} in found
    assert {"rule": "decreasing", "strict": True} in found
    assert {"rule": "in_range", "min": "2025-09-01", "max": days[-1].isoformat()} in found
    assert not any(rule["rule"] == "no_gaps" for rule in rules_of([*days, dt.date(2030, 1, 1)]))


def test_two_columns_may_name_a_row_together() -> None:
    frame = pl.LazyFrame({"a": [n // 6 for n in range(ROWS)], "b": [n % 6 for n in range(ROWS)]})

    keys = [each.rule for each in proposed(frame) if each.rule.rule == "unique"]

    assert [key.model_dump()["cols"] for key in keys] == [["a", "b"]]


def test_of_few_rows_nothing_is_concluded_but_that_there_are_some() -> None:
    rules = [each.rule.rule for each in proposed(pl.LazyFrame({"a": [1, 2, 3]}))]

    assert rules == ["row_count_between", "type"]
    assert [each.rule.rule for each in proposed(pl.LazyFrame(schema={"a": pl.Int64}))] == ["type"]


def test_each_rule_comes_with_what_speaks_for_it() -> None:
    frame = pl.LazyFrame({"a": ["x", "x", "y"] * 8, "b": [None, 1] * 12})

    told = {(each.rule.rule, each.evidence) for each in proposed(frame)}

    assert {
        ("row_count_between", "there are 24 rows"),
        ("not_null", "none of 24 values is null"),
        ("in_set", "2 values cover all 24; the most frequent, 67%"),
        ("null_ratio_below", "12 nulls in 24 rows, 50.00%"),
    } <= told


SOON = dt.datetime(2100, 1, 1)  # noqa: DTZ001
LATELY = dt.datetime(1900, 1, 1)  # noqa: DTZ001
VALUES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (pl.Int8, st.integers(-128, 127)),
    (pl.UInt64, st.integers(0, 2**64 - 1)),
    (pl.Float32, st.floats(-(2.0**99), 2.0**99, width=32) | st.just(math.nan)),
    (pl.Float64, st.floats(-1e30, 1e30) | st.just(math.nan)),
    (pl.Decimal(12, 3), st.decimals(-(10**6), 10**6, places=3)),
    (pl.String, st.text(max_size=4)),
    (pl.String, st.text("aB9+.- \n", max_size=4)),
    (pl.String, st.sampled_from(["N/A", "", "x", "\\d", "^$"])),
    (pl.Categorical, st.sampled_from("abc")),
    (pl.Boolean, st.booleans()),
    (pl.Date, st.dates(LATELY.date(), SOON.date())),
    (pl.Datetime("ms"), st.datetimes(LATELY, SOON)),
    (pl.Datetime("us", "Europe/Berlin"), st.datetimes(LATELY, SOON, timezones=st.just(dt.UTC))),
    (pl.Datetime("ns"), st.integers(0, 2**53)),
    (pl.Time, st.times()),
    (pl.List(pl.Int8), st.lists(st.integers(0, 1), max_size=2)),
]


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """A column of at least 20 values."""
    dtype, values = draw(st.sampled_from(VALUES))
    is_whole = draw(st.booleans())
    column = draw(st.lists(values if is_whole else st.none() | values, min_size=20, max_size=30))
    return pl.DataFrame(
        {"a": pl.Series(column, dtype=None if dtype == pl.Datetime("ns") else dtype).cast(dtype)}
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frame=frames())
def test_whatever_the_values_they_meet_what_is_proposed(frame: pl.DataFrame) -> None:
    proposed(frame.lazy())


@pytest.mark.skipif(not CORPORA.exists(), reason="the public corpora are not here")
@pytest.mark.parametrize(
    "name",
    [
        "seaborn-data/diamonds.csv",
        "seaborn-data/iris.csv",
        "seaborn-data/planets.csv",
        "seaborn-data/tips.csv",
        "vega-datasets/airports.csv",
        "vega-datasets/birdstrikes.csv",
        "vega-datasets/iowa-electricity.csv",
        "vega-datasets/seattle-weather.csv",
        "vega-datasets/weather.csv",
        "nab/ambient_temperature_system_failure.csv",
        "nab/art_daily_small_noise.csv",
        "nab/speed_7578.csv",
        "parquet-testing/data/alltypes_tiny_pages.parquet",
        "polars-io/foods1.csv",
    ],
)
def test_data_that_nobody_here_made_meets_what_is_proposed(name: str, tmp_path: Path) -> None:
    root = FileRoot.at(CORPORA, EXTENSIONS)
    opened = scan(dataset_at(root, name, "uri"), infer_rows=0, scratch=tmp_path)

    found = proposed(portable(opened.frame))

    assert {"row_count_between", "type", "not_null"} <= {each.rule.rule for each in found}
