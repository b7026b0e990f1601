from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airpy.contract import ChartHint, ColumnMetrics, FrameMetrics, Plan
from airpy.engine.encoding import encode_model
from airpy.engine.profile.chart_hints import chart_hints

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = 50
ROWS = 100


def column(name: str, kind: str, unique: int | None = 20, missing: int = 0, **metrics: Any) -> ColumnMetrics:
    unmeasured = dict.fromkeys(("min", "max", "mean", "std", "median", "q1", "q3", "zeros", "outliers"))
    counts = {"count": ROWS - missing, "missing": missing, "unique": unique}
    return ColumnMetrics.model_validate({"name": name, "type": kind, **unmeasured, **counts, **metrics})


def number(name: str, kind: str = "float64", unique: int = 20, **metrics: Any) -> ColumnMetrics:
    return column(name, kind, unique, **{"mean": 1.0, "min": 0.0, "max": 9.0, **metrics})


def time(name: str, first: str = "2025-09-01T00:00:00Z", last: str = "2025-09-06T00:00:00Z") -> ColumnMetrics:
    return column(name, "timestamp", 21, min=first, max=last)


TIME = time("timestamp")
SITE = column("site_id", "string", 3)
KWH, COST, TEMP = number("kwh"), number("cost"), number("temperature")


def hints(
    *columns: ColumnMetrics,
    correlations: Sequence[tuple[str, str, float]] = (),
    tables: Sequence[tuple[str, str, float]] = (),
    keys: Sequence[list[str]] = (),
    rows: int = ROWS,
    most: int = ALL,
    source: dict[str, Any] | None = None,
) -> list[ChartHint]:
    """Hints for a frame with these metrics."""
    metrics = {
        "rows": rows,
        "columns": len(columns),
        "memory_usage_mb": 0,
        "correlations": correlations,
        "associations": [
            {"a": a, "b": b, "method": "cramers_v", "value": v, "rows": rows} for a, b, v in tables
        ],
        "candidate_keys": keys,
    }
    plan = None if source is None else Plan.model_validate({"dataset": "energy", **source})
    return chart_hints(columns, FrameMetrics.model_validate(metrics), most, plan)


def kinds(*columns: ColumnMetrics, **facts: Any) -> list[str]:
    """The types of the charts that are hinted at."""
    return [hint.type for hint in hints(*columns, **facts)]


def charts(found: Sequence[ChartHint]) -> list[tuple[str, str, str, str | None]]:
    return [(hint.type, hint.x, hint.y, hint.color) for hint in found]


def plan_of(kind: str, *columns: ColumnMetrics, **facts: Any) -> dict[str, Any]:
    """The plan of the first chart of this type."""
    found = next(hint.plan for hint in hints(*columns, **facts) if hint.type == kind)
    assert found is not None
    return found.model_dump(by_alias=True, exclude_unset=True)


def test_the_specifications_frame_has_the_specifications_charts_first() -> None:
    found = hints(TIME, SITE, KWH, COST, correlations=[("kwh", "cost", 0.86), ("timestamp", "kwh", 0.12)])

    assert charts(found)[:4] == [
        ("line", "timestamp", "kwh", "site_id"),
        ("bar", "site_id", "sum(cost)", None),
        ("scatter", "kwh", "cost", None),
        ("histogram", "kwh", "count(*)", None),
    ]
    assert [hint.title for hint in found[:4]] == [
        "kwh over time by site_id",
        "Total cost by site_id",
        "kwh and cost (r = 0.86)",
        "Distribution of kwh",
    ]


def test_one_of_each_type_comes_before_a_second_of_any() -> None:
    found = kinds(TIME, SITE, KWH, COST, correlations=[("kwh", "cost", 0.86)])

    assert found[:6] == ["line", "bar", "scatter", "histogram", "area", "pie"]
    assert found[6:11] == ["line", "bar", "histogram", "area", "pie"]


def test_scores_fall_from_1_and_stay_above_0() -> None:
    found = hints(TIME, SITE, KWH, COST, correlations=[("kwh", "cost", 0.86)])
    scores = [hint.score or 0 for hint in found]

    assert scores[0] == 1.0
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    assert all(hint.reason and hint.reason.endswith(".") for hint in found)


def test_a_score_tells_round_place_and_goodness() -> None:
    bar, pie = hints(SITE)

    # Of eight types bars are the second and pies the last; both only count, the pie what was drawn already.
    assert bar.score == pytest.approx(1 - 0.2 * (2 - 0.5) / 8, abs=1e-4)
    assert pie.score == pytest.approx(1 - 0.2 * (8 - 0.25) / 8, abs=1e-4)
    second = [hint.score for hint in hints(KWH, COST)][1]
    assert second == pytest.approx(0.8 * (1 - 0.2 * (4 - 1) / 8), abs=1e-4)


def test_what_a_hint_does_not_say_is_left_out() -> None:
    hint = encode_model(hints(TIME, KWH)[0])

    assert json.loads(hint) == {
        "type": "line",
        "x": "timestamp",
        "y": "kwh",
        "title": "kwh over time",
        "agg": "sum",
        "grain": "6 hours",
        "reason": "kwh is a number with a time; 6 hours is as fine as data and chart allow.",
        "score": 1.0,
        "plan": {
            "dataset": "frame",
            "grain": "6 hours",
            "time_col": "timestamp",
            "aggs": [{"fn": "sum", "col": "kwh", "as": "kwh"}],
            "limit": 2_000,
        },
    }
    for hint_of_rows in hints(DAY, KWH_SUM, source=BY_DAY):
        assert b"null" not in encode_model(hint_of_rows)


def test_the_number_with_more_values_comes_first() -> None:
    half = number("gas", missing=50)

    assert charts(hints(half, KWH)) == [
        ("histogram", "kwh", "count(*)", None),
        ("histogram", "gas", "count(*)", None),
    ]


def test_another_number_is_drawn_next_before_the_same_again() -> None:
    assert charts(hints(SITE, KWH, COST))[:2] == [
        ("bar", "site_id", "sum(kwh)", None),
        ("histogram", "cost", "count(*)", None),
    ]


@pytest.mark.parametrize("most", range(8))
def test_no_more_hints_are_given_than_asked_for(most: int) -> None:
    assert len(hints(TIME, SITE, KWH, COST, most=most)) == most


def test_a_very_wide_frame_has_no_more_hints_either() -> None:
    columns = [number(str(n)) for n in range(2_000)] + [column(f"s{n}", "string", 2) for n in range(2_000)]

    assert kinds(*columns, most=3) == ["bar", "histogram", "pie"]


# What is worth drawing


@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_time_and_a_number_make_a_line(kind: str) -> None:
    when = column("when", kind, 21, min="2025-09-01", max="2025-09-21")

    assert kinds(when, KWH) == ["line", "histogram"]


@pytest.mark.parametrize("kind", ["time", "duration", "string"])
def test_other_types_are_no_time(kind: str) -> None:
    assert "line" not in kinds(column("when", kind, 50, min="2025-09-01", max="2025-09-21"), KWH)


@pytest.mark.parametrize(
    ("first", "last", "unique", "color", "grain"),
    [
        ("2025-09-01T00:00:00", "2025-09-01T00:20:00", 1_201, None, "1 second"),
        ("2025-09-01T00:00:00", "2025-09-01T20:00:00", 72_001, None, "1 minute"),
        ("2025-09-01T00:00:00", "2025-09-01T20:00:00", 81, None, "15 minutes"),
        ("2025-09-01T00:00:00", "2025-09-06T00:00:00", 21, None, "6 hours"),
        ("2025-09-01T00:00:00", "2025-10-01T00:00:00", 721, None, "1 hour"),
        ("2025-09-01T00:00:00", "2025-10-01T00:00:00", 721, 3, "6 hours"),  # 3 × 722 points are too many
        ("2024-01-01", "2025-12-31", 731, None, "1 day"),
        ("2024-01-01", "2025-12-31", 731, 3, "1 week"),
        ("2000-01-01", "2025-12-31", 9_497, None, "1 week"),
        ("2000-01-01", "2025-12-01", 312, None, "1 month"),
        ("2000-01-01", "2025-10-01", 104, None, "1 quarter"),
        ("1900-01-01", "2025-01-01", 126, None, "1 year"),
    ],
)
def test_the_grain_is_as_fine_as_2000_points_and_the_data_allow(
    first: str, last: str, unique: int, color: int | None, grain: str
) -> None:
    kind = "timestamp" if "T" in first else "date"
    categories = [] if color is None else [column("site", "string", color)]

    found = hints(column("when", kind, unique, min=first, max=last), *categories, KWH)

    assert (found[0].type, found[0].grain) == ("line", grain)


@pytest.mark.parametrize(
    ("step", "finest", "grain"),
    [
        (1, "second", "1 minute"),  # 10 hours of seconds are 36,000
        (600, "minute", "1 hour"),  # a quarter of an hour holds one value or two
        (900, "minute", "15 minutes"),
        (1_800, "minute", "1 hour"),
        (1, "hour", "1 hour"),
        (7_200, "hour", "6 hours"),
    ],
)
def test_buckets_are_multiples_of_the_steps_that_times_come_in(step: float, finest: str, grain: str) -> None:
    found = {"range_s": 36_000, "finest": finest, "midnight_share": 0, "step_s": step}

    assert hints(column("when", "timestamp", 90, time=found), KWH)[0].grain == grain


def test_days_are_told_by_the_clock_of_the_columns_zone() -> None:
    found = {"range_s": 8_640_000, "finest": "day", "midnight_share": 1, "timezone": "Europe/Berlin"}
    when = column("when", "timestamp", 101, time=found)

    assert plan_of("line", when, KWH)["timezone"] == "Europe/Berlin"
    assert "timezone" not in plan_of("line", when, KWH, source={})


@pytest.mark.parametrize(
    ("name", "fn"),
    [
        ("cost", "sum"),
        ("totalSales", "sum"),
        ("UNITS", "sum"),
        ("num_orders", "sum"),
        ("temperature", "mean"),
        ("unit_price", "mean"),
        ("cost_per_unit", "mean"),
        ("tax rate", "mean"),
        ("x", "mean"),
    ],
)
def test_amounts_are_added_up_and_all_else_is_averaged(name: str, fn: str) -> None:
    assert next(hint for hint in hints(SITE, number(name)) if hint.type == "bar").y == f"{fn}({name})"


def test_amounts_that_may_be_negative_are_averaged() -> None:
    assert hints(SITE, number("cost", min=-1.0))[0].y == "mean(cost)"


@pytest.mark.parametrize(("total", "fn"), [(2.0**62, "sum"), (2.0**63, "mean")])
def test_amounts_whose_total_no_integer_holds_are_averaged(total: float, fn: str) -> None:
    found = hints(SITE, number("cost", sum=total))

    assert next(hint for hint in found if hint.type == "bar").y == f"{fn}(cost)"


def test_amounts_of_a_few_categories_over_time_make_an_area_and_others_do_not() -> None:
    assert "area" in kinds(TIME, SITE, KWH)
    assert "area" not in kinds(TIME, KWH)
    assert "area" not in kinds(TIME, SITE, TEMP)
    assert "area" not in kinds(TIME, SITE, number("kwh", min=-1.0))


@pytest.mark.parametrize(("values", "colored"), [(2, True), (8, True), (9, False)])
def test_a_category_of_2_to_8_values_colors_a_line(values: int, *, colored: bool) -> None:
    line = hints(TIME, column("site", "string", values), KWH)[0]

    assert line.type == "line"
    assert line.color == ("site" if colored else None)


@pytest.mark.parametrize(
    ("kind", "unique", "drawn"),
    [
        ("string", 1, False),
        ("string", 2, True),
        ("string", 30, True),
        ("string", 31, False),
        ("bool", 2, True),
        ("int64", 5, False),
        ("binary", None, False),
        ("list", None, False),
        ("date", 2, False),
    ],
)
def test_a_category_of_2_to_30_values_makes_bars(kind: str, unique: int | None, *, drawn: bool) -> None:
    assert ("bar" in kinds(column("category", kind, unique), KWH)) == drawn


@pytest.mark.parametrize(("values", "drawn"), [(2, True), (6, True), (7, False)])
def test_a_category_of_6_values_or_less_makes_a_pie(values: int, *, drawn: bool) -> None:
    assert ("pie" in kinds(column("category", "string", values))) == drawn


def test_a_pie_is_of_counts_or_amounts_alone() -> None:
    pies = [hint.y for hint in hints(SITE, KWH, TEMP) if hint.type == "pie"]

    assert sorted(pies) == ["count(*)", "sum(kwh)"]


def test_a_category_alone_is_counted() -> None:
    assert charts(hints(SITE)) == [
        ("bar", "site_id", "count(*)", None),
        ("pie", "site_id", "count(*)", None),
    ]


@pytest.mark.parametrize(
    ("r", "drawn"),
    [
        (0.29, False),
        (0.3, True),
        (-0.3, True),
        (0.98, True),
        (-0.98, True),
        (0.981, False),
        (1.0, False),
        (0.0, False),
    ],
)
def test_numbers_that_are_related_but_not_the_same_make_a_scatter_plot(r: float, *, drawn: bool) -> None:
    assert ("scatter" in kinds(KWH, COST, correlations=[("kwh", "cost", r)])) == drawn


def test_a_time_is_never_in_a_scatter_plot() -> None:
    assert "scatter" not in kinds(TIME, KWH, correlations=[("timestamp", "kwh", 0.8)])


def test_the_scatter_plot_of_what_is_most_related_comes_first() -> None:
    found = hints(*map(number, "abcd"), correlations=[("c", "d", 0.8), ("a", "b", -0.9)])

    assert [hint.title for hint in found if hint.type == "scatter"] == [
        "a and b (r = -0.90)",
        "c and d (r = 0.80)",
    ]


def test_many_rows_make_a_heat_map_of_bins_and_a_scatter_plot_of_some() -> None:
    pair = [("kwh", "cost", 0.86)]

    assert kinds(KWH, COST, correlations=pair, rows=2_000) == ["scatter", "histogram", "histogram"]
    assert "heatmap" in kinds(KWH, COST, correlations=pair, rows=2_001)
    assert "sample" not in plan_of("scatter", KWH, COST, correlations=pair, rows=2_000)
    assert plan_of("scatter", KWH, COST, correlations=pair, rows=2_001)["sample"]["n"] == 2_000


def test_four_numbers_or_more_make_a_heat_map_of_their_correlations() -> None:
    pairs = [("a", "b", 0.1), ("a", "c", 0.05), ("b", "d", 0.01)]

    plan = plan_of("heatmap", *map(number, "abcd"), correlations=pairs)

    assert [item["as"] for item in plan["aggs"]] == [
        "corr(a, b)",
        "corr(a, c)",
        "corr(a, d)",
        "corr(b, c)",
        "corr(b, d)",
        "corr(c, d)",
    ]
    assert "heatmap" not in kinds(*map(number, "abc"), correlations=pairs[:2])


@pytest.mark.parametrize(("v", "drawn"), [(0.09, False), (0.1, True), (1.0, True)])
def test_categories_that_hang_together_make_a_heat_map_of_counts(v: float, *, drawn: bool) -> None:
    found = hints(SITE, column("tariff", "string", 4), tables=[("tariff", "site_id", v)])

    assert (("heatmap", "site_id", "tariff", "count(*)") in charts(found)) == drawn


@pytest.mark.parametrize(
    ("skew", "drawn"), [(None, "histogram"), (1.99, "histogram"), (2.0, "box"), (-2.0, "box")]
)
def test_a_number_alone_makes_a_histogram_and_a_box_where_it_is_skewed(
    skew: float | None, drawn: str
) -> None:
    assert kinds(number("kwh", skew=skew)) == [drawn]


@pytest.mark.parametrize(("values", "x"), [(12, "site"), (13, "kwh")])
def test_boxes_are_told_apart_by_12_values_at_most(values: int, x: str) -> None:
    found = hints(column("site", "string", values), number("kwh", skew=3.0))

    assert next(hint for hint in found if hint.type == "box").x == x


@pytest.mark.parametrize(
    ("low", "high", "kind", "width"),
    [
        (0, 28, "int64", 1),
        (0, 29, "int64", 2),
        (0, 3, "int64", 1),
        (-100, 180, "float64", 10),
        (0.0, 0.1, "float64", 0.005),
        ("0.00", "1000000.00", "decimal", 50_000),
        (1e300, 2e300, "float64", 5e298),
    ],
)
def test_bins_are_1_2_or_5_times_a_power_of_ten_wide_and_30_at_most(
    low: float, high: float, kind: str, width: float
) -> None:
    plan = plan_of("histogram", number("kwh", kind, min=low, max=high))

    assert plan["derive"] == [{"as": "bin(kwh)", "fn": "bin", "col": "kwh", "width": width}]


@pytest.mark.parametrize(("low", "high"), [(1e15, 1e15 + 2), (-1.7e308, 1.7e308), (0, 1e-310), (None, None)])
def test_numbers_that_cannot_be_cut_into_bins_have_no_histogram(
    low: float | None, high: float | None
) -> None:
    assert kinds(number("kwh", min=low, max=high)) == []


# What the data contradicts


def test_an_empty_frame_has_no_charts() -> None:
    assert kinds(rows=0) == []
    assert kinds(column("kwh", "float64", 0), rows=0) == []


def test_what_does_not_vary_is_never_drawn() -> None:
    constant = number("fixed", unique=1)
    moment = column("when", "date", 1)

    assert kinds(moment, KWH) == ["histogram"]
    assert kinds(constant, correlations=[("fixed", "kwh", 0.5)]) == []
    assert kinds(column("one", "string", 1)) == []


@pytest.mark.parametrize(("missing", "drawn"), [(89, True), (90, False), (100, False)])
def test_what_is_null_in_90_percent_of_the_rows_is_never_drawn(missing: int, *, drawn: bool) -> None:
    assert bool(kinds(number("kwh", missing=missing, unique=5))) == drawn
    assert bool(kinds(column("site", "string", 3, missing=missing))) == drawn
    when = column("when", "date", 9, missing=missing, min="2025-01-01", max="2025-02-01")
    assert ("line" in kinds(when, KWH)) == drawn


@pytest.mark.parametrize(
    ("name", "kind", "unique", "drawn"),
    [
        ("n", "int64", 100, False),
        ("n", "int64", 95, False),
        ("n", "int64", 94, True),
        ("n", "float64", 100, True),
        ("n", "decimal", 100, True),
        ("id", "int64", 40, False),
        ("customer_id", "int32", 40, False),
        ("customerId", "int32", 40, False),
        ("customerid", "int32", 40, False),
        ("CustomerID", "float64", 40, False),  # with nulls, pandas has no integers
        ("zip_code", "int32", 40, False),
        ("KEY", "uint8", 40, False),
        ("paid", "int64", 40, True),
        ("grid", "int64", 40, True),
        ("year", "int64", 40, False),
        ("price_per_day", "int64", 40, True),
    ],
)
def test_numbers_that_name_rows_are_not_measured(name: str, kind: str, unique: int, *, drawn: bool) -> None:
    assert bool(kinds(number(name, kind, unique))) == drawn


def test_integers_that_name_a_few_things_are_categories() -> None:
    assert charts(hints(number("site_id", "int64", 4), KWH))[0] == ("bar", "site_id", "sum(kwh)", None)


def test_texts_that_name_rows_are_no_category() -> None:
    name = column("name", "string", 30)
    name.count = 30

    assert kinds(name, rows=30) == []


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [TIME],
        [column("x", "struct", None)],
        [column("x", "float64", 5)],  # all NaN or with an infinity: it has no mean
        [column("note", "string", 80)],
    ],
)
def test_without_a_number_or_a_category_nothing_is_drawn(columns: list[ColumnMetrics]) -> None:
    assert kinds(*columns) == []


# Plans


def test_plans_of_a_frame_that_was_sent_call_it_frame() -> None:
    assert plan_of("bar", SITE, KWH) == {
        "dataset": "frame",
        "groupby": ["site_id"],
        "aggs": [{"fn": "sum", "col": "kwh", "as": "sum(kwh)"}],
        "order": [{"col": "sum(kwh)", "dir": "desc"}],
        "limit": 2_000,
    }


def test_plans_extend_the_plan_whose_answer_was_analysed() -> None:
    source = {
        "filters": [{"col": "kwh", "op": ">", "val": 0}],
        "derive": [{"as": "cost", "fn": "mul", "args": [{"col": "kwh"}, {"val": 2}]}],
        "select": ["site_id", "kwh", "cost"],
        "order": [{"col": "kwh"}],
        "timezone": "Europe/Berlin",
    }

    plan = plan_of("histogram", SITE, KWH, COST, source=source)

    assert plan["dataset"] == "energy"
    assert plan["filters"] == source["filters"]
    assert [item["as"] for item in plan["derive"]] == ["cost", "bin(cost)"]
    assert plan["timezone"] == "Europe/Berlin"
    assert "select" not in plan
    assert "order" not in plan


def test_points_without_a_place_are_left_out() -> None:
    when, site = TIME.model_copy(update={"missing": 1}), column("site", "string", 3, missing=2)

    assert plan_of("line", when, site, KWH)["having"] == [
        {"col": "hour", "op": "not_null"},
        {"col": "site", "op": "not_null"},
    ]
    one, other = number("one", missing=1), number("other", nan=1)
    source = {"filters": [{"col": "one", "op": ">", "val": 0}]}
    plan = plan_of("scatter", one, other, correlations=[("one", "other", 0.5)], source=source)
    assert plan["filters"] == [
        {"col": "one", "op": ">", "val": 0},
        {"col": "one", "op": "not_null"},
        {"col": "other", "op": "is_finite"},
    ]


def test_numbers_that_are_none_are_left_out_of_totals() -> None:
    plan = plan_of("bar", SITE, number("kwh", nan=2))

    assert plan["aggs"][0]["filter"] == {"col": "kwh", "op": "is_finite"}


def test_a_sample_is_not_changed_by_filters_and_has_no_other() -> None:
    source = {"sample": {"n": 5_000}}
    one, other = number("one", missing=1), number("other")
    facts: dict[str, Any] = {"correlations": [("one", "other", 0.5)], "source": source}

    assert "filters" not in plan_of("scatter", one, other, **facts)
    assert "scatter" not in kinds(one, other, **facts, rows=5_000)
    assert plan_of("heatmap", one, other, **facts, rows=5_000)["sample"] == {"n": 5_000}


def test_a_plan_that_would_be_too_large_is_none() -> None:
    many = {"derive": [{"as": f"d{n}", "fn": "abs", "col": "kwh"} for n in range(1_000)]}

    assert kinds(KWH, source=many) == []  # a histogram derives one more
    assert kinds(SITE, KWH, source=many) == ["bar", "pie", "bar", "pie"]


def test_a_column_called_as_the_bucket_is_told_apart_from_it() -> None:
    line = hints(TIME, column("hour", "string", 3), KWH)[0]
    assert (line.grain, line.color) == ("6 hours", None)

    when = column("when", "timestamp", 99, min="2025-09-01T00:00:00", max="2025-09-01T00:01:38")
    line = hints(when, number("second"))[0]
    assert (line.grain, line.y) == ("1 second", "mean(second)")


# Plans whose rows cannot be grouped again

BY_DAY: dict[str, Any] = {"grain": "1 day", "aggs": [{"fn": "sum", "col": "kwh"}]}
DAY = column("day", "date", ROWS, min="2025-01-01", max="2025-04-10")
KWH_SUM = number("kwh_sum", "int64", ROWS)


def test_rows_of_groups_are_drawn_as_they_are() -> None:
    found = hints(DAY, KWH_SUM, source=BY_DAY)

    assert charts(found) == [("line", "day", "kwh_sum", None)]
    assert found[0].plan == Plan.model_validate({"dataset": "energy", **BY_DAY, "limit": 2_000})


def test_rows_of_two_keys_have_the_other_as_color() -> None:
    source = {**BY_DAY, "groupby": ["site_id"]}
    day = DAY.model_copy(update={"unique": 34})

    assert charts(hints(day, SITE, KWH_SUM, source=source)) == [
        ("line", "day", "kwh_sum", "site_id"),
    ]
    assert kinds(day, SITE, KWH_SUM, source={**source, "groupby": ["site_id", "tariff"]}) == []


def test_a_group_key_makes_bars_of_rows() -> None:
    source = {"groupby": ["site"], "aggs": [{"fn": "sum", "col": "kwh"}]}
    site, kwh = column("site", "string", 30), number("kwh_sum", "int64", 30)

    assert charts(hints(site, kwh, rows=30, source=source)) == [("bar", "site", "kwh_sum", None)]


@pytest.mark.parametrize(
    "stage",
    [
        {"distinct": True},
        {"limit": 10_000},
        {"offset": 1},
        {"top_n": {"n": 5, "by": "kwh"}},
        {"window": [{"fn": "row_number", "as": "n"}]},
    ],
)
def test_rows_of_a_later_stage_are_not_grouped(stage: dict[str, Any]) -> None:
    day = column("day", "date", ROWS, min="2025-01-01", max="2025-04-10")

    assert charts(hints(day, SITE, KWH, source=stage)) == [("line", "day", "kwh", None)]
    assert plan_of("line", day, SITE, KWH, source=stage) == {"dataset": "energy", **stage, "limit": 2_000}


def test_a_limit_stays_as_low_as_it_is() -> None:
    assert plan_of("line", DAY, KWH, source={"limit": 100})["limit"] == 100


def test_more_rows_than_2000_that_cannot_be_grouped_are_not_drawn() -> None:
    assert kinds(DAY.model_copy(update={"unique": 2_001}), KWH, rows=2_001, source={"limit": 5_000}) == []
