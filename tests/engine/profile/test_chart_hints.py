from __future__ import annotations

from typing import Any

import pytest

from airpy.contract import ChartHint, ColumnMetrics
from airpy.engine.profile.chart_hints import chart_hints

ALL = 50


def column(name: str, kind: str, unique: int | None = 20, **metrics: Any) -> ColumnMetrics:
    unmeasured = dict.fromkeys(("min", "max", "mean", "std", "median", "q1", "q3", "zeros", "outliers"))
    return ColumnMetrics.model_validate(
        {"name": name, "type": kind, "count": 100, "missing": 0, "unique": unique, **unmeasured, **metrics}
    )


def number(name: str, unique: int = 20) -> ColumnMetrics:
    return column(name, "float64", unique, mean=1.0)


TIME = column("timestamp", "timestamp")
SITE = column("site_id", "string", 3)
KWH, COST = number("kwh"), number("cost")


def hint(kind: str, x: str, y: str, title: str) -> ChartHint:
    return ChartHint.model_validate({"type": kind, "x": x, "y": y, "title": title})


def kinds(*columns: ColumnMetrics, correlations: list[tuple[str, str, float]] | None = None) -> list[str]:
    """The kinds of the charts that are hinted at."""
    return [hint.type for hint in chart_hints(columns, correlations or [], ALL)]


def test_the_specifications_frame_has_the_specifications_charts() -> None:
    hints = chart_hints([TIME, SITE, KWH, COST], [("kwh", "cost", 0.86), ("timestamp", "kwh", 0.12)], 4)

    assert hints == [
        hint("line", "timestamp", "kwh", "kwh over time"),
        hint("bar", "site_id", "sum(cost)", "Total cost by site_id"),
        hint("scatter", "kwh", "cost", "kwh and cost (r = 0.86)"),
        hint("histogram", "kwh", "count(*)", "Distribution of kwh"),
    ]


def test_one_of_each_kind_comes_before_a_second_of_any() -> None:
    hints = chart_hints([TIME, SITE, KWH, COST], [("kwh", "cost", 0.86)], ALL)

    assert [(hint.type, hint.x, hint.y) for hint in hints] == [
        ("line", "timestamp", "kwh"),
        ("bar", "site_id", "sum(cost)"),
        ("scatter", "kwh", "cost"),
        ("histogram", "kwh", "count(*)"),
        ("line", "timestamp", "cost"),
        ("bar", "site_id", "sum(kwh)"),
        ("histogram", "cost", "count(*)"),
    ]


@pytest.mark.parametrize("most", range(8))
def test_no_more_hints_are_given_than_asked_for(most: int) -> None:
    hints = chart_hints([TIME, SITE, KWH, COST], [("kwh", "cost", 0.86)], most)

    assert len(hints) == most


def test_a_very_wide_frame_has_no_more_hints_either() -> None:
    columns = [number(str(n)) for n in range(2_000)] + [column(f"s{n}", "string", 2) for n in range(2_000)]

    assert [hint.type for hint in chart_hints(columns, [], 3)] == ["bar", "histogram", "bar"]


@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_time_and_a_number_make_a_line(kind: str) -> None:
    assert kinds(column("when", kind), KWH) == ["line", "histogram"]


@pytest.mark.parametrize("kind", ["time", "duration", "int64"])
def test_other_types_are_no_time(kind: str) -> None:
    assert "line" not in kinds(column("when", kind), KWH)


@pytest.mark.parametrize(
    ("kind", "unique", "drawn"),
    [
        ("string", 1, False),
        ("string", 2, True),
        ("string", 30, True),
        ("string", 31, False),
        ("bool", 2, True),
        ("binary", None, False),
        ("list", None, False),
        ("date", 2, False),
    ],
)
def test_a_category_of_2_to_30_values_makes_bars(kind: str, unique: int | None, *, drawn: bool) -> None:
    assert ("bar" in kinds(column("category", kind, unique), KWH)) == drawn


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


def test_scatter_plots_come_strongest_first() -> None:
    pairs = [("a", "b", -0.9), ("a", "c", 0.8), ("b", "c", 0.7)]
    hints = chart_hints([number("a"), number("b"), number("c")], pairs, ALL)

    assert [hint.title for hint in hints if hint.type == "scatter"] == [
        "a and b (r = -0.90)",
        "a and c (r = 0.80)",
        "b and c (r = 0.70)",
    ]


def test_what_does_not_vary_is_never_drawn() -> None:
    constant = number("fixed", unique=1)
    moment = column("when", "date", 1)

    assert kinds(moment, KWH) == ["histogram"]
    assert kinds(TIME, SITE, constant, correlations=[("fixed", "kwh", 0.5)]) == []


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [TIME],
        [SITE],
        [TIME, SITE],
        [column("x", "struct", None)],
        [column("x", "float64", 5)],  # all NaN or with an infinity: it has no mean
    ],
)
def test_without_a_number_nothing_is_drawn(columns: list[ColumnMetrics]) -> None:
    assert chart_hints(columns, [], ALL) == []
