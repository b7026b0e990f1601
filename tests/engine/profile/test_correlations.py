from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from airpy.engine.profile.associations import correlations
from airpy.engine.profile.measuring import measured

ANSCOMBE = Path(__file__).parents[4] / "shared" / "corpora" / "seaborn-data" / "anscombe.csv"


def pairs(frame: pl.DataFrame) -> list[Any]:
    """The correlations, which may be compared with what is about the same."""
    return list(correlations(measured(frame.lazy())))


def r_of(**columns: Any) -> float | None:
    """The only correlation there is, if there is one."""
    found = pairs(pl.DataFrame(columns))
    assert len(found) <= 1
    return found[0][2] if found else None


# Deviations from the mean of x are −1.5, −0.5, 0.5, 1.5; their squares add up to 5.
@pytest.mark.parametrize(
    ("x", "y", "r"),
    [
        ([1, 2, 3, 4], [1, 3, 2, 4], 0.8),
        ([1, 2, 3, 4], [4, 2, 3, 1], -0.8),
        ([1, 2, 3, 4], [10, 20, 30, 40], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        ([1, 2, 3], [1, 2, 1], 0.0),
        ([1.5, -2.5], [7.0, 8.0], -1.0),
    ],
)
def test_r_is_what_one_computes_on_paper(x: list[float], y: list[float], r: float) -> None:
    assert r_of(x=x, y=y) == pytest.approx(r)


def test_pairs_are_listed_strongest_first_whatever_the_sign() -> None:
    frame = pl.DataFrame({"a": [1, 2, 3, 4], "d": [1, 4, 2, 3], "b": [2, 1, -1, -2]})

    found = pairs(frame)

    # b against a: −3 − 0.5 − 0.5 − 3 over √(5 · 10); d against a: 2.25 − 0.75 − 0.25 + 0.75 over 5;
    # d against b: −3 + 1.5 + 0.5 − 1 over √(5 · 10).
    assert found == [
        ("a", "b", pytest.approx(-7 / math.sqrt(50))),
        ("a", "d", pytest.approx(0.4)),
        ("d", "b", pytest.approx(-2 / math.sqrt(50))),
    ]


def test_a_pair_is_compared_over_the_rows_in_which_neither_is_missing() -> None:
    # Only the first three rows have both; over all of them y would not be twice x.
    assert r_of(
        x=[1.0, 2.0, 3.0, None, 5.0, math.nan], y=[2.0, 4.0, 6.0, 100.0, None, -9.0]
    ) == pytest.approx(1)


def test_times_count_as_their_ticks() -> None:
    start = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
    frame = pl.DataFrame(
        {
            "at": [start + dt.timedelta(hours=hour) for hour in (1, 3, 2, 4)],
            "kwh": [1, 2, 3, 4],
            "day": [dt.date(2025, 9, day) for day in (4, 3, 2, 1)],
        }
    )

    found = {pair[:2]: pair[2] for pair in pairs(frame)}

    assert found == {
        ("at", "kwh"): pytest.approx(0.8),
        ("kwh", "day"): pytest.approx(-1),
        ("at", "day"): pytest.approx(-0.8),
    }


def test_microseconds_of_today_are_told_apart() -> None:
    start = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
    at = [start + dt.timedelta(microseconds=step) for step in (1, 3, 2, 4)]

    assert r_of(at=at, n=[1, 2, 3, 4]) == pytest.approx(0.8)


def test_decimals_and_unsigned_integers_are_numbers() -> None:
    price = pl.Series(
        [Decimal("0.1"), Decimal("0.3"), Decimal("0.2"), Decimal("0.4")], dtype=pl.Decimal(5, 2)
    )
    count = pl.Series([2**63, 2**63 + 2**40, 2**63 + 2**41, 2**63 + 3 * 2**40], dtype=pl.UInt64)

    assert r_of(price=price, count=count) == pytest.approx(0.8)


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1e-9, 1.0, 1e15])
def test_r_is_the_same_at_every_scale(scale: float) -> None:
    assert r_of(x=[scale, 3 * scale, 2 * scale, 4 * scale], y=[1, 2, 3, 4]) == pytest.approx(0.8)


@pytest.mark.parametrize("value", [7, 0.1, 1 / 3, -1e9 / 7])
def test_a_column_that_does_not_vary_has_no_correlation(value: float) -> None:
    # The rounded mean of a thousand times 0.1 is not 0.1, which would make up an r.
    assert r_of(x=[value] * 1000, y=list(range(1000))) is None


def test_a_column_that_does_not_vary_where_both_are_has_no_correlation() -> None:
    x = [0.1] * 1000 + [5.0, -5.0]
    y = [float(n) for n in range(1000)] + [None, math.nan]

    assert r_of(x=x, y=y) is None
    assert r_of(y=y, x=x) is None


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0], [2.0]),
        ([None, None, 1.0], [1.0, 2.0, None]),
        ([-math.inf, math.inf, 2.0], [1.0, 2.0, 3.0]),
        ([math.nan, math.nan], [1.0, 2.0]),
    ],
)
def test_too_few_finite_values_have_no_correlation(x: list[float], y: list[float]) -> None:
    assert r_of(x=pl.Series(x, dtype=pl.Float64), y=y) is None


def test_rows_with_an_infinite_value_are_left_out() -> None:
    # 1, 3, 2, 4 against 1, 2, 3, 4 without the second row.
    assert r_of(x=[1.0, math.inf, 3.0, 2.0, 4.0], y=[1, 9, 2, 3, 4]) == pytest.approx(0.8)


def test_text_flags_and_nested_columns_are_not_compared() -> None:
    frame = pl.DataFrame(
        {"n": [1, 2], "s": ["1", "2"], "b": [True, False], "l": [[1], [2]], "took": [dt.timedelta(1)] * 2}
    )

    assert pairs(frame) == []


@pytest.mark.parametrize(
    "frame",
    [pl.DataFrame(), pl.DataFrame({"x": [1, 2]}), pl.DataFrame(schema={"x": pl.Int64, "y": pl.Int64})],
)
def test_without_pairs_or_rows_there_is_nothing(frame: pl.DataFrame) -> None:
    assert pairs(frame) == []


def test_names_that_polars_reads_as_patterns_are_names() -> None:
    frame = pl.DataFrame({"*": [1, 2, 3, 4], "^.*$": [1, 3, 2, 4], "": ["a"] * 4})

    assert pairs(frame) == [("*", "^.*$", pytest.approx(0.8))]


def test_r_never_leaves_its_range() -> None:
    x = [0.1 * n for n in range(1000)]

    found = r_of(x=x, y=[3 * value for value in x])

    assert found is not None
    assert 0.999999 < found <= 1.0


def test_no_more_than_100_pairs_are_listed() -> None:
    # 15 columns make 105 pairs; each column is 1 in a row of its own, so each r is the same −1/15.
    frame = pl.DataFrame({str(n): [int(n == row) for row in range(16)] for n in range(15)})

    found = pairs(frame)

    assert len(found) == 100
    assert all(r == pytest.approx(-1 / 15) for _, _, r in found)


def test_no_more_than_64_columns_are_compared() -> None:
    # The 65th repeats the first, which nothing else does.
    columns = {str(n): [int(n == row) for row in range(65)] for n in range(64)}
    frame = pl.DataFrame({"text": ["x"] * 65} | columns | {"copy": columns["0"]})

    found = pairs(frame)

    assert ("0", "copy") not in {pair[:2] for pair in found}
    assert ("0", "copy", pytest.approx(1)) in pairs(frame.drop("1"))


@pytest.mark.skipif(not ANSCOMBE.exists(), reason="needs the corpora")
@pytest.mark.parametrize("name", ["I", "II", "III", "IV"])
def test_all_of_anscombes_sets_have_the_published_r(name: str) -> None:
    frame = pl.read_csv(ANSCOMBE).filter(pl.col("dataset") == name)

    assert pairs(frame) == [("x", "y", pytest.approx(0.816, abs=0.001))]
