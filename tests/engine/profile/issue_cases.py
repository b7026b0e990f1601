"""For every issue code frames that have it, with its rows worked out by hand, and near ones that have not."""

from __future__ import annotations

import datetime as dt
import math
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airpy.contract import IssueCode

__all__ = ["CASES", "MISSES", "NOW", "START", "Case", "Miss", "of"]

NOW = dt.datetime(2025, 10, 1, 12, tzinfo=dt.UTC)
START = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)


class Case(NamedTuple):
    """A frame with an issue."""

    code: IssueCode
    frame: pl.DataFrame
    rows: Sequence[int]
    """The numbers of the affected rows, from 1."""
    column: str | None
    told: Mapping[str, Any]
    """What else the issue says."""
    options: Mapping[str, Any] = {}


class Miss(NamedTuple):
    """A frame without it, though near."""

    code: IssueCode
    frame: pl.DataFrame
    options: Mapping[str, Any] = {}


def of(values: Any, dtype: Any = None) -> pl.DataFrame:
    """A frame of one column."""
    return pl.DataFrame({"v": pl.Series(values, dtype=dtype)})


def thresholds(**values: float) -> dict[str, Any]:
    return {"thresholds": values}


def about(number: float) -> Any:
    return pytest.approx(number, rel=1e-9)


def every(step: dt.timedelta, number: int, without: Sequence[int] = ()) -> list[dt.datetime]:
    """Times at equal steps, some left out."""
    return [START + place * step for place in range(number) if place not in without]


def rows(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
WORDS = [f"word {number}" for number in range(1, 200)]
WAVE = [math.sin(math.pi * place / 6) for place in range(60)]
"""Five turns of twelve points."""
STEPS = [1, -2, 2, 3, -1, 1, -3, 2, 2, -1, 3, -2, 1, 2, -1, 1, 2, -3, 2, 1] * 3
WALK = [float(sum(STEPS[:place])) for place in range(60)]
NOISE = [random.Random(place).random() for place in range(60)]  # noqa: S311
HOURS = every(HOUR, 60)
LONG = [f"{letter * 5} and a few words more" for letter in "abcdefgh"]

CASES: tuple[Case, ...] = (
    Case("EMPTY_FRAME", of([], pl.Int64), [], None, {"severity": "warning", "filter": []}),
    Case("EMPTY_FRAME", pl.DataFrame(), [], None, {"severity": "warning"}),
    Case(
        "SMALL_SAMPLE", of(rows(1, 29)), rows(1, 29), None, {"severity": "info", "value": 29, "threshold": 30}
    ),
    Case("SMALL_SAMPLE", of([1, 2]), [1, 2], None, {"threshold": 3}, thresholds(small_sample=3)),
    Case(
        "DUPLICATE_ROWS",
        pl.DataFrame({"a": [1, 2, 1, 1], "b": ["x", "x", "x", "y"]}),
        [3],
        None,
        {"severity": "warning", "share": 0.25, "detail": "1 row repeats an earlier row"},
    ),
    Case("DUPLICATE_ROWS", of([None, 1.0, None, math.nan, math.nan]), [3, 5], None, {}),
    Case(
        "DUPLICATE_KEYS",
        pl.DataFrame({"id": [1, 2, 2, None, None], "other": rows(1, 5)}),
        [2, 3],
        None,
        {"severity": "warning", "method": "asked for"},
        {"keys": ["id"]},
    ),
    Case(
        "DUPLICATE_KEYS",
        pl.DataFrame({"a": [1, 1, 1], "b": ["x", "y", "x"]}),
        [1, 3],
        None,
        {"method": "asked for"},
        {"keys": ["a", "b"]},
    ),
    # 19 of 20 are different: the threshold itself.
    Case(
        "DUPLICATE_KEYS",
        of([*rows(1, 19), 7]),
        [7, 20],
        "v",
        {"severity": "info", "value": 0.95, "threshold": 0.95, "method": "distinct share"},
    ),
    Case(
        "DUPLICATE_KEYS",
        of([*WORDS[:3], WORDS[0]]),
        [1, 4],
        "v",
        {"value": 0.75},
        thresholds(near_unique=0.75),
    ),
    Case(
        "HIGH_CORRELATION",
        pl.DataFrame({"x": [1, 2, 3, 4, None], "y": [8.0, 6.0, 4.0, None, 2.0]}),
        [1, 2, 3],
        "x",
        {"severity": "info", "value": about(-1), "threshold": 0.9, "method": "pearson"},
    ),
    # Sums of products 8, of squares 10 and 10.
    Case(
        "HIGH_CORRELATION",
        pl.DataFrame({"x": [1, 2, 3, 4, 5], "y": [2, 1, 4, 3, 5]}),
        rows(1, 5),
        "x",
        {"value": about(0.8), "threshold": 0.79},
        {"correlation_threshold": 0.79},
    ),
    # Quartiles 3 and 7: the fences are 3 − 6 and 7 + 6.
    Case(
        "OUTLIERS",
        of([1, 2, 3, 4, 5, 6, 7, 8, 100]),
        [9],
        "v",
        {
            "severity": "warning",
            "bounds": {"low": -3.0, "high": 13.0},
            "method": "iqr",
            "detail": "v IQR outliers detected: outside -3 to 13",
        },
    ),
    Case("OUTLIERS", of([math.nan, 2.0, 3, 4, 5, 6, 7, 8, -math.inf, 1.0, 100.0, None]), [9, 11], "v", {}),
    # Mean 1, variance (10 · 1 + 100) / 10 = 11.
    Case(
        "OUTLIERS",
        of([0] * 10 + [11]),
        [11],
        "v",
        {
            "bounds": {"low": about(1 - 3 * math.sqrt(11)), "high": about(1 + 3 * math.sqrt(11))},
            "method": "zscore",
        },
        {"outlier_method": "zscore"},
    ),
    # Median 3, median distance 1: 3.5 / 0.6745 to either side.
    Case(
        "OUTLIERS",
        of([1, 2, 3, 4, 9]),
        [5],
        "v",
        {"bounds": {"low": about(3 - 3.5 / 0.6745), "high": about(3 + 3.5 / 0.6745)}, "method": "mad"},
        {"outlier_method": "mad"},
    ),
    # Of a, quartiles 1 and 1; of b, 100 and 100: neither value is far from all of them.
    Case(
        "OUTLIERS",
        pl.DataFrame({"site": ["a"] * 5 + ["b"] * 5, "v": [1, 1, 1, 1, 100, 100, 100, 100, 1, 100]}),
        [5, 9],
        "v",
        {"method": "iqr"},
        {"by": ["site"]},
    ),
    Case(
        "OUTLIERS",
        pl.DataFrame({"at": [math.nan] * 5 + [None] * 4, "v": [1, 1, 1, 1, 100, 100, 100, 1, 100]}),
        [5, 8],
        "v",
        {},
        {"by": ["at"]},
    ),
    Case("OUTLIERS", of([*map(Decimal, ["99.9"] * 8), Decimal("0.1")], pl.Decimal(3, 1)), [9], "v", {}),
    Case("ALL_NULL", of([None, None], pl.String), [1, 2], "v", {"severity": "warning", "share": 1.0}),
    Case("ALL_NULL", of([None]), [1], "v", {}),
    Case(
        "HIGH_NULL_RATIO",
        of([1, None, *rows(3, 10)]),
        [2],
        "v",
        {
            "severity": "info",
            "value": 0.1,
            "threshold": 0.1,
            "share": 0.1,
            "detail": "v column has 10% null values",
        },
    ),
    Case("HIGH_NULL_RATIO", of([[1], None]), [2], "v", {"threshold": 0.5}, {"null_ratio_threshold": 0.5}),
    Case(
        "HIGH_NULL_RATIO",
        of([*[None] * 9_999, 1]),
        rows(1, 9_999),
        "v",
        {"detail": "v column has 99.9% null values"},
    ),
    Case("CONSTANT", of([7, 7, 7]), [1, 2, 3], "v", {"severity": "info"}),
    Case("CONSTANT", of([dt.timedelta(1)] * 2), [1, 2], "v", {}),
    Case(
        "NEAR_CONSTANT",
        of([*["x"] * 19, "y"]),
        rows(1, 19),
        "v",
        {
            "severity": "info",
            "value": 0.95,
            "threshold": 0.95,
            "filter": [{"col": "v", "op": "=", "val": "x"}],
        },
    ),
    Case("NEAR_CONSTANT", of([math.nan, *[math.nan] * 19, 1.0]), rows(1, 20), "v", {}),
    Case(
        "NEAR_CONSTANT",
        of([-math.inf] * 20 + [math.inf, math.nan]),
        rows(1, 20),
        "v",
        {},
        thresholds(near_constant=0.9),
    ),
    Case("NEAR_CONSTANT", of([0.1] * 20 + [0.2], pl.Float32), rows(1, 20), "v", {}),
    Case("NEAR_CONSTANT", of([START] * 20 + [NOW]), rows(1, 20), "v", {}),
    Case(
        "NEAR_CONSTANT",
        of([True, False, True]),
        [1, 3],
        "v",
        {"value": about(2 / 3)},
        thresholds(near_constant=0.6),
    ),
    Case("UNIQUE", of(["a", None, "b"]), [1, 3], "v", {"severity": "info"}),
    # 51 different values in 102 rows.
    Case(
        "HIGH_CARDINALITY",
        of(WORDS[:51] * 2),
        rows(1, 102),
        "v",
        {"severity": "info", "value": 0.5, "threshold": 0.5},
    ),
    # Of a share p of ones the skewness is (1 − 2p) / √(p(1 − p)): 0.8 / 0.3.
    Case(
        "SKEWED",
        of([0] * 9 + [1]),
        rows(1, 10),
        "v",
        {"severity": "info", "value": about(8 / 3), "threshold": 2.0},
    ),
    Case("SKEWED", of([1] * 9 + [0, None]), rows(1, 10), "v", {"value": about(-8 / 3)}),
    # And the excess kurtosis (1 − 6p(1 − p)) / (p(1 − p)), with p = 1 / 12.
    Case(
        "HEAVY_TAILED",
        of([0] * 11 + [1]),
        rows(1, 12),
        "v",
        {"severity": "info", "value": about(78 / 11), "threshold": 7.0},
    ),
    Case("ZEROS", of([0, 1, 0, 2, None]), [1, 3], "v", {"severity": "info", "value": 0.5, "threshold": 0.5}),
    Case("ZEROS", of([-0.0, 1.0, 0.0, math.nan]), [1, 3], "v", {}),
    Case("ZEROS", of([Decimal(0), Decimal("0.01")]), [1], "v", {}),
    Case(
        "INFINITE_VALUES",
        of([1.0, math.inf, -math.inf, math.nan, None]),
        [2, 3],
        "v",
        {"severity": "warning"},
    ),
    Case(
        "NEGATIVE_VALUES",
        of([*rows(1, 19), -1, None]),
        [20],
        "v",
        {"severity": "info", "value": 0.05, "threshold": 0.05},
    ),
    # 9 : 1, of which the entropy is 0.4690 bits of 1.
    Case(
        "IMBALANCED",
        of([*["a"] * 9, "b"]),
        rows(1, 9),
        "v",
        {
            "severity": "info",
            "value": about(1 + 0.9 * math.log2(0.9) + 0.1 * math.log2(0.1)),
            "threshold": 0.5,
            "method": "1 - entropy / log(categories)",
        },
    ),
    Case("IMBALANCED", of([False, *[True] * 9, None]), rows(2, 10), "v", {}),
    Case(
        "MIXED_TYPES",
        of([*WORDS[:19], "1,234.5"]),
        [20],
        "v",
        {"severity": "warning", "value": 0.05, "threshold": 0.05},
    ),
    Case("MIXED_TYPES", of(["x", *map(str, rows(2, 20)), None]), [1], "v", {"value": 0.95}),
    Case(
        "NUMBERS_AS_TEXT",
        of([*map(str, rows(1, 20)), "none at all"]),
        rows(1, 20),
        "v",
        {"severity": "info", "value": about(20 / 21), "threshold": 0.95},
    ),
    Case(
        "DATES_AS_TEXT",
        of(["2025-09-01", "01.09.2025", "1 Sep 2025", "2025-09-01T12:30:00Z", None]),
        [1, 2, 3, 4],
        "v",
        {"severity": "info", "value": 1.0, "threshold": 0.95},
    ),
    Case(
        "LEADING_ZEROS",
        of([*map(str, rows(10, 28)), "01067"]),
        [20],
        "v",
        {"severity": "info", "value": 0.05, "threshold": 0.05},
    ),
    Case("WHITESPACE", of([" a", "b\t", "c d", " ", None]), [1, 2], "v", {"severity": "info", "value": 0.5}),
    Case(
        "BLANK_STRINGS", of(["", " \n", "a", None]), [1, 2], "v", {"severity": "info", "value": about(2 / 3)}
    ),
    Case(
        "NULL_MARKERS",
        of(["NA", "n/a", "-", "Na", "a-b"]),
        [1, 2, 3],
        "v",
        {"severity": "warning", "value": 0.6},
    ),
    Case(
        "NULL_MARKERS",
        of([-999.0, *map(float, rows(1, 50)), -999.0]),
        [1, 52],
        "v",
        {"severity": "warning", "value": about(2 / 52), "threshold": 0.01},
    ),
    Case(
        "ENCODING_DAMAGE", of(["cafÃ©", "donâ€™t", "\ufffd", "café"]), [1, 2, 3], "v", {"severity": "warning"}
    ),
    Case(
        "CASE_VARIANTS",
        of(["Yes", "Yes", "yes", " YES", "No"]),
        [3, 4],
        "v",
        {"severity": "warning", "value": 2},
    ),
    Case(
        "TIME_GAPS",
        pl.DataFrame({"t": every(DAY, 15, without=[7, 8])}),
        [8],
        "t",
        {
            "severity": "warning",
            "value": 1,
            "method": "usual step: 1 day",
            "detail": "t has 1 gap: steps of more than 1 day",
        },
    ),
    Case(
        "TIME_GAPS",
        pl.DataFrame({"t": every(HOUR, 14, without=[5]) + every(HOUR, 13), "site": ["a"] * 13 + ["b"] * 13}),
        [6],
        "t",
        {"value": 1},
        {"by": ["site"]},
    ),
    Case(
        "DUPLICATE_TIMES",
        pl.DataFrame({"t": [*every(DAY, 5), START, None, None]}),
        [6],
        "t",
        {"severity": "warning", "value": 1},
    ),
    Case(
        "DUPLICATE_TIMES",
        pl.DataFrame({"t": every(DAY, 3) + every(DAY, 3)[:2], "site": ["a", "a", "a", "b", "a"]}),
        [5],
        "t",
        {"detail": "t has 1 time that was there before, within site"},
        {"by": ["site"]},
    ),
    Case(
        "OUT_OF_ORDER",
        pl.DataFrame({"t": [*every(DAY, 3), START + 9 * DAY, None, START + 5 * DAY]}),
        [6],
        "t",
        {"severity": "info", "value": 1},
    ),
    Case(
        "FUTURE_DATES",
        of([NOW, NOW + dt.timedelta(seconds=1), None]),
        [2],
        "v",
        {"severity": "warning", "bounds": {"high": "2025-10-01T12:00:00Z"}},
    ),
    Case("FUTURE_DATES", of([NOW.date(), NOW.date() + DAY]), [2], "v", {"bounds": {"high": "2025-10-01"}}),
    Case("EPOCH_DATES", of([dt.date(1970, 1, 1), dt.date(2025, 1, 1)]), [1], "v", {"severity": "warning"}),
    Case("EPOCH_DATES", of([START, dt.datetime(1900, 1, 1, tzinfo=dt.UTC)]), [2], "v", {}),
    Case(
        "SEASONAL",
        pl.DataFrame({"t": HOURS, "v": WAVE}),
        rows(1, 60),
        "v",
        {"severity": "info", "threshold": 0.5},
    ),
    Case("NON_STATIONARY", pl.DataFrame({"t": HOURS, "v": WALK}), rows(1, 60), "v", {"severity": "info"}),
    Case(
        "PII_SUSPECTED",
        of([*WORDS[:99], "jane@example.org"]),
        [100],
        "v",
        {"severity": "warning", "value": 0.01, "threshold": 0.01, "method": "pattern: email"},
    ),
    Case(
        "TRUNCATED_TEXT",
        of([text[:25] for text in LONG] + WORDS[:150]),
        rows(1, 8),
        "v",
        {"severity": "warning", "value": about(8 / 158), "threshold": 0.05},
    ),
)

MISSES: tuple[Miss, ...] = (
    Miss("EMPTY_FRAME", of([None])),
    Miss("SMALL_SAMPLE", of(rows(1, 30))),
    Miss("SMALL_SAMPLE", of([], pl.Int64)),
    Miss("DUPLICATE_ROWS", pl.DataFrame({"a": [1, 1], "b": ["x", None]})),
    Miss("DUPLICATE_KEYS", pl.DataFrame({"a": [1, 1], "b": ["x", "y"]}), {"keys": ["a", "b"]}),
    Miss("DUPLICATE_KEYS", of([None, None, 1]), {"keys": ["v"]}),
    # 18 of 19 is less than 0.95; numbers with fractions are measured, not keys.
    Miss("DUPLICATE_KEYS", of([*rows(1, 18), 7])),
    Miss("DUPLICATE_KEYS", of([*map(float, rows(1, 19)), 7.0])),
    Miss(
        "HIGH_CORRELATION",
        pl.DataFrame({"x": [1, 2, 3, 4, 5], "y": [2, 1, 4, 3, 5]}),
        {"correlation_threshold": 0.81},
    ),
    Miss("HIGH_CORRELATION", pl.DataFrame({"x": [1, 2], "y": [3, 5]})),
    Miss("HIGH_CORRELATION", pl.DataFrame({"x": [1, 2, 3], "y": [3, 5, 7]}), {"include_correlations": False}),
    Miss("HIGH_CORRELATION", pl.DataFrame({"x": [1, 2, 3], "y": [1, 1, 1]})),
    # 13 is on the fence.
    Miss("OUTLIERS", of([1, 2, 3, 4, 5, 6, 7, 8, 13])),
    Miss("OUTLIERS", of([1, 2, 3, 4, 5, 6, 7, 8, 100]), {"include_outliers": False}),
    Miss("OUTLIERS", of(["1", "2", "3", "4", "100"])),
    Miss("OUTLIERS", of([0] * 80 + rows(1, 20))),
    Miss("OUTLIERS", of([0.1] * 10), {"outlier_method": "zscore"}),
    Miss("OUTLIERS", of([5, 5, 5, 5, 100]), {"outlier_method": "mad"}),
    Miss("OUTLIERS", of([1e308, -1e308, 1e308, -1e308])),
    Miss("ALL_NULL", of([None, 1])),
    Miss("ALL_NULL", of([], pl.Int64)),
    Miss("HIGH_NULL_RATIO", of([None, *rows(1, 10)])),
    Miss("HIGH_NULL_RATIO", of([None, None])),
    Miss("HIGH_NULL_RATIO", of([math.nan, 1.0])),
    Miss("CONSTANT", of([7, 7, None])),
    Miss("CONSTANT", of([7])),
    Miss("NEAR_CONSTANT", of([*["x"] * 18, "y"])),
    Miss("NEAR_CONSTANT", of(["x"] * 20)),
    # No filter can name a nanosecond, or a duration.
    Miss("NEAR_CONSTANT", of([1] * 20 + [2], pl.Int64).cast(pl.Datetime("ns"))),
    Miss("NEAR_CONSTANT", of([dt.timedelta(1)] * 20 + [dt.timedelta(2)])),
    Miss("UNIQUE", of(["a", "b", "a"])),
    Miss("UNIQUE", of([1, 2, 3])),
    Miss("UNIQUE", of(["a"])),
    Miss("HIGH_CARDINALITY", of(WORDS[:51] * 2 + WORDS[:1])),
    Miss("HIGH_CARDINALITY", of(WORDS[:50] + WORDS[:1])),
    Miss("HIGH_CARDINALITY", of(WORDS[:60])),
    Miss("HIGH_CARDINALITY", of(rows(1, 51) * 2)),
    # p = 0.2: 0.6 / 0.4 = 1.5; and p = 0.1: 0.46 / 0.09 = 5.1.
    Miss("SKEWED", of([0] * 8 + [1] * 2)),
    Miss("SKEWED", of([0] * 9 + [1]), thresholds(skew=2.67)),
    Miss("HEAVY_TAILED", of([0] * 9 + [1])),
    Miss("ZEROS", of([0, 1, 2])),
    Miss("ZEROS", of([0, 0])),
    Miss("ZEROS", of([False, True])),
    Miss("ZEROS", of(["0", "1"])),
    Miss("INFINITE_VALUES", of([1.0, math.nan, None])),
    Miss("NEGATIVE_VALUES", of([*rows(1, 18), -1])),
    Miss("NEGATIVE_VALUES", of([*map(float, rows(1, 19)), -0.0])),
    Miss("IMBALANCED", of([*["a"] * 8, "b", "b"])),
    Miss("IMBALANCED", of([*[1] * 9, 2])),
    Miss("IMBALANCED", of(["a"] * 9)),
    Miss("MIXED_TYPES", of([*WORDS[:20], "7"])),
    Miss("MIXED_TYPES", of(list(map(str, rows(1, 20))))),
    Miss("NUMBERS_AS_TEXT", of([*map(str, rows(1, 19)), "x"])),
    Miss("NUMBERS_AS_TEXT", of(["01067", "10115"])),
    Miss("NUMBERS_AS_TEXT", of([1, 2])),
    Miss("DATES_AS_TEXT", of(["2025-09-01", "soon"])),
    Miss("DATES_AS_TEXT", of([START, NOW])),
    Miss("LEADING_ZEROS", of([*map(str, rows(10, 29)), "01067"])),
    Miss("LEADING_ZEROS", of(["0", "0.5", "1067"])),
    Miss("WHITESPACE", of(["a b", " ", ""])),
    Miss("BLANK_STRINGS", of([None, "a"])),
    Miss("NULL_MARKERS", of(["nada", "N A", "nullable"])),
    # 999 is one of many here, and −1 near the others.
    Miss("NULL_MARKERS", of(rows(900, 1100))),
    Miss("NULL_MARKERS", of([*[-1] * 5, *rows(0, 20)])),
    Miss("ENCODING_DAMAGE", of(["café", "Ångström", "São Paulo"])),
    Miss("CASE_VARIANTS", of(["Yes", "No", None])),
    Miss("TIME_GAPS", pl.DataFrame({"t": every(DAY, 15)})),
    Miss("TIME_GAPS", pl.DataFrame({"t": every(DAY, 15, without=[2, 5, 8])})),
    Miss("TIME_GAPS", pl.DataFrame({"t": every(DAY, 3), "u": every(DAY, 3)})),
    Miss("DUPLICATE_TIMES", pl.DataFrame({"t": [*every(DAY, 5), None, None]})),
    Miss(
        "DUPLICATE_TIMES",
        pl.DataFrame({"t": every(DAY, 3) * 2, "site": ["a"] * 3 + ["b"] * 3}),
        {"by": ["site"]},
    ),
    Miss("DUPLICATE_TIMES", pl.DataFrame({"t": every(DAY, 3) * 2, "site": ["a"] * 3 + ["b"] * 3})),
    Miss("OUT_OF_ORDER", pl.DataFrame({"t": every(DAY, 9)})),
    Miss("OUT_OF_ORDER", pl.DataFrame({"t": every(DAY, 9)[::-1]})),
    Miss("FUTURE_DATES", of([NOW, None])),
    Miss("FUTURE_DATES", of([NOW.date()])),
    Miss("FUTURE_DATES", of(["2999-01-01"])),
    Miss("EPOCH_DATES", of([dt.date(1970, 1, 2), dt.date(2025, 1, 1)])),
    Miss("EPOCH_DATES", of([dt.datetime(1970, 1, 1, 1, tzinfo=dt.UTC), START])),
    Miss("EPOCH_DATES", of([dt.date(1970, 1, 1)])),
    Miss("SEASONAL", pl.DataFrame({"t": HOURS, "v": NOISE})),
    Miss("SEASONAL", pl.DataFrame({"t": HOURS, "v": list(map(float, rows(1, 60)))})),
    Miss("SEASONAL", pl.DataFrame({"v": WAVE})),
    Miss("NON_STATIONARY", pl.DataFrame({"t": HOURS, "v": NOISE})),
    Miss("NON_STATIONARY", pl.DataFrame({"t": HOURS[:15], "v": WALK[:15]})),
    Miss("PII_SUSPECTED", of([*WORDS[:100], "jane@example.org"])),
    Miss("PII_SUSPECTED", of(["2025-09-01", "12:30:00", "1.2.3", "4111 1111 1111 1112"])),
    # One less than the five different texts; and all that is as long is one category.
    Miss("TRUNCATED_TEXT", of([text[:25] for text in LONG[:4]] + WORDS[:30])),
    Miss("TRUNCATED_TEXT", of(["Unknown bird - medium"] * 40 + WORDS[:60])),
    Miss("TRUNCATED_TEXT", of([f"{number:032x}" for number in range(40)])),
    Miss("TRUNCATED_TEXT", of([text[:19] for text in LONG] + WORDS[:20])),
)
