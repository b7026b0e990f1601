from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

from airpy.engine.profile.measuring import measured, numbers_of
from airpy.engine.profile.metrics import column_metrics

if TYPE_CHECKING:
    from airpy.contract import ColumnMetrics

NAN, INF = math.nan, math.inf
STATISTICS = ("mean", "std", "median", "q1", "q3")


def metrics_of(frame: pl.DataFrame) -> list[ColumnMetrics]:
    """The metrics of a frame's columns."""
    return column_metrics(measured(frame.lazy()))


def of(values: pl.Series | list[Any]) -> dict[str, Any]:
    """The metrics of a frame's only column."""
    (metrics,) = metrics_of(pl.DataFrame({"a": values}))
    return metrics.model_dump()


def duplicate_rows(frame: pl.DataFrame) -> int | None:
    """How many rows equal an earlier one, where rows can be compared."""
    repeats = measured(frame.lazy()).repeats
    return None if repeats is None else repeats.estimate()[0]


def test_numbers_have_the_statistics_one_computes_on_paper() -> None:
    # Squared deviations from 5: 9, 1, 1, 1, 0, 0, 4, 16; together 32, over 7 of a sample.
    metrics = of([2, 4, 4, 4, 5, 5, 7, 9])

    expected = {
        "name": "a",
        "type": "int64",
        "count": 8,
        "missing": 0,
        "unique": 5,
        "min": 2,
        "max": 9,
        "mean": 5.0,
        "std": pytest.approx(math.sqrt(32 / 7)),
        "median": 4.5,
        "q1": 4.0,
        "q3": 5.5,
        "zeros": 0,
        "outliers": None,
    }
    assert {name: metrics[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("values", "q1", "median", "q3"),
    [
        ([1], 1.0, 1.0, 1.0),
        ([1, 2], 1.25, 1.5, 1.75),
        ([1, 2, 3, 4], 1.75, 2.5, 3.25),
        ([7, 15, 36, 39, 40, 41], 20.25, 37.5, 39.75),
        ([41, 7, 39, 15, 40, 36], 20.25, 37.5, 39.75),
        ([6, 7, 15, 36, 39, 40, 41, 42, 43, 47, 49], 25.5, 40.0, 42.5),
    ],
)
def test_quartiles_lie_between_their_neighbours_by_linear_interpolation(
    values: list[int], q1: float, median: float, q3: float
) -> None:
    metrics = of(values)

    assert (metrics["q1"], metrics["median"], metrics["q3"]) == (q1, median, q3)


def test_nulls_are_counted_and_in_no_statistic() -> None:
    metrics = of([1, None, 3, None, None])

    assert (metrics["count"], metrics["missing"], metrics["unique"]) == (2, 3, 2)
    assert (metrics["mean"], metrics["median"]) == (2.0, 2.0)
    assert metrics["std"] == pytest.approx(math.sqrt(2))


def test_nan_is_a_value_but_in_no_statistic() -> None:
    metrics = of([1.0, NAN, 3.0, None])

    assert (metrics["count"], metrics["missing"], metrics["unique"]) == (3, 1, 3)
    assert (metrics["min"], metrics["max"], metrics["mean"], metrics["median"]) == (1.0, 3.0, 2.0, 2.0)


def test_a_column_of_nan_alone_has_no_statistics() -> None:
    metrics = of([NAN, NAN])

    assert (metrics["count"], metrics["unique"], metrics["zeros"]) == (2, 1, 0)
    assert all(metrics[name] is None for name in ("min", "max", *STATISTICS))


def test_what_is_infinite_is_null_and_the_rest_is_there() -> None:
    metrics = of([1.0, INF, 2.0])

    assert (metrics["min"], metrics["q1"], metrics["median"]) == (1.0, 1.5, 2.0)
    assert all(metrics[name] is None for name in ("max", "mean", "std", "q3"))


def test_infinities_of_both_signs_have_no_mean() -> None:
    metrics = of([-INF, 1.0, INF])

    assert metrics["median"] == 1.0
    assert all(metrics[name] is None for name in ("min", "max", "mean", "std", "q1", "q3"))


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e300])
def test_equal_values_are_their_own_mean_and_do_not_deviate(value: float) -> None:
    # A thousand times 0.1, summed and divided, is 0.09999999999999999 or so.
    metrics = of([value] * 1000)

    assert (metrics["mean"], metrics["std"]) == (value, 0.0)


def test_one_value_has_no_standard_deviation() -> None:
    metrics = of([5])

    assert (metrics["mean"], metrics["std"]) == (5.0, None)


def test_single_floats_are_averaged_as_doubles() -> None:
    # The sum of 1 and 16777216 is beyond what a single float can tell from 16777216.
    metrics = of(pl.Series([16777216.0, 1.0, 1.0], dtype=pl.Float32))

    assert metrics["type"] == "float32"
    assert metrics["mean"] == pytest.approx(5592406.0, abs=1e-6)
    assert metrics["q3"] == 8388608.5


def test_the_ends_of_64_bit_integers_are_exact() -> None:
    signed = of([2**63 - 1, -(2**63)])
    unsigned = of(pl.Series([2**64 - 1, 0], dtype=pl.UInt64))

    assert (signed["min"], signed["max"]) == (-(2**63), 2**63 - 1)
    assert (unsigned["min"], unsigned["max"], unsigned["zeros"]) == (0, 2**64 - 1, 1)


def test_decimals_keep_their_digits_and_have_statistics() -> None:
    metrics = of(pl.Series([Decimal("1.50"), Decimal("-0.50"), None], dtype=pl.Decimal(10, 2)))

    assert (metrics["type"], metrics["min"], metrics["max"]) == ("decimal", "-0.50", "1.50")
    assert (metrics["mean"], metrics["median"], metrics["q1"]) == (0.5, 0.5, 0.0)


def test_small_decimals_are_not_written_with_an_exponent() -> None:
    metrics = of(pl.Series([Decimal(0), Decimal("0.0000000001")], dtype=pl.Decimal(20, 10)))

    assert (metrics["min"], metrics["max"], metrics["zeros"]) == ("0.0000000000", "0.0000000001", 1)


def test_zeros_of_either_sign_are_counted() -> None:
    assert of([0.0, -0.0, 1.0, None])["zeros"] == 2


def test_timestamps_have_ends_in_utc_as_in_rows() -> None:
    naive = of([dt.datetime(2025, 1, 2, 3, 4, 5, 500_000), dt.datetime(2025, 1, 1)])  # noqa: DTZ001
    zoned = of(pl.Series([dt.datetime(2025, 1, 1, 12)]).dt.replace_time_zone("America/New_York"))  # noqa: DTZ001

    assert (naive["type"], naive["min"], naive["max"]) == (
        "timestamp",
        "2025-01-01T00:00:00Z",
        "2025-01-02T03:04:05.500Z",
    )
    assert zoned["min"] == "2025-01-01T17:00:00Z"
    assert all(naive[name] is None for name in (*STATISTICS, "zeros"))


def test_nanoseconds_are_not_lost() -> None:
    assert of(pl.Series([1]).cast(pl.Datetime("ns")))["min"] == "1970-01-01T00:00:00.000000001Z"


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([2**63 - 1, 0]).cast(pl.Datetime("us")),
        pl.Series([2**63 - 1, 0]).cast(pl.Datetime("ms", "Europe/Berlin")),
    ],
)
def test_times_that_no_calendar_shows_are_null(values: pl.Series) -> None:
    metrics = of(values)

    assert (metrics["min"], metrics["max"], metrics["unique"]) == ("1970-01-01T00:00:00Z", None, 2)


def test_dates_that_no_calendar_shows_are_null() -> None:
    metrics = of(pl.Series([2**31 - 1, 0], dtype=pl.Int32).cast(pl.Date))

    assert (metrics["min"], metrics["max"]) == ("1970-01-01", None)


@pytest.mark.parametrize(
    ("values", "kind", "low", "high"),
    [
        ([dt.date(2025, 9, 1), dt.date(2024, 2, 29)], "date", "2024-02-29", "2025-09-01"),
        ([dt.time(23, 5), dt.time(1, 2, 3)], "time", "01:02:03", "23:05:00"),
        ([True, False, None], "bool", False, True),
        (["b", "B", "ä", None], "string", "B", "ä"),
        (pl.Series(["b", "a"], dtype=pl.Categorical), "string", "a", "b"),
    ],
)
def test_what_has_an_order_has_ends_and_nothing_else(
    values: Any, kind: str, low: object, high: object
) -> None:
    metrics = of(values)

    assert (metrics["type"], metrics["min"], metrics["max"]) == (kind, low, high)
    assert all(metrics[name] is None for name in (*STATISTICS, "zeros"))


def test_durations_are_counted_alone() -> None:
    metrics = of([dt.timedelta(hours=1), dt.timedelta(hours=1), None])

    assert (metrics["type"], metrics["count"], metrics["missing"], metrics["unique"]) == ("duration", 2, 1, 1)
    assert all(metrics[name] is None for name in ("min", "max", *STATISTICS))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([[1, 2], None], "list"),
        (pl.Series([[1, 2], None], dtype=pl.Array(pl.Int64, 2)), "list"),
        ([{"x": 1}, None], "struct"),
        ([b"ab", None], "binary"),
    ],
)
def test_nested_and_binary_columns_have_only_counts(values: Any, kind: str) -> None:
    metrics = of(values)

    assert (metrics["type"], metrics["count"], metrics["missing"], metrics["unique"]) == (kind, 1, 1, None)
    assert all(metrics[name] is None for name in ("min", "max", *STATISTICS, "zeros"))


def test_a_map_is_a_list_of_its_entries() -> None:
    table = pa.table({"a": pa.array([[("x", 1)], None], pa.map_(pa.string(), pa.int64()))})

    (metrics,) = metrics_of(pl.DataFrame(table))

    assert (metrics.type, metrics.count, metrics.missing) == ("list", 1, 1)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.String, pl.Date, pl.Boolean])
def test_a_column_of_nulls_has_counts_alone(dtype: Any) -> None:
    metrics = of(pl.Series([None, None], dtype=dtype))

    assert (metrics["count"], metrics["missing"], metrics["unique"]) == (0, 2, 0)
    assert all(metrics[name] is None for name in ("min", "max", *STATISTICS))


def test_a_column_without_a_type_has_no_distinct_values() -> None:
    metrics = of(pl.Series([None, None]))

    assert (metrics["type"], metrics["count"], metrics["missing"], metrics["unique"]) == ("null", 0, 2, None)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.String, pl.List(pl.Int64), pl.Null])
def test_no_rows_are_no_error(dtype: Any) -> None:
    metrics = of(pl.Series([], dtype=dtype))

    assert (metrics["count"], metrics["missing"]) == (0, 0)
    assert all(metrics[name] is None for name in ("min", "max", *STATISTICS))


def test_no_columns_are_no_error() -> None:
    assert metrics_of(pl.DataFrame()) == []


def test_names_that_polars_reads_as_patterns_are_names() -> None:
    frame = pl.DataFrame({"*": [1, 2], "^.*$": ["x", "x"], "0:missing": [None, 5], "literal": [7, 7]})

    metrics = metrics_of(frame)

    assert [column.name for column in metrics] == ["*", "^.*$", "0:missing", "literal"]
    assert [column.unique for column in metrics] == [2, 1, 1, 1]
    assert [column.missing for column in metrics] == [0, 0, 1, 0]
    assert [column.min for column in metrics] == [1, "x", 5, 7]


def test_rows_that_equal_an_earlier_one_are_counted() -> None:
    frame = pl.DataFrame({"a": [1, 1, 1, 2, None, None], "b": ["x", "x", "y", "x", "z", "z"]})

    assert duplicate_rows(frame) == 2


def test_nan_and_zeros_of_both_signs_equal_themselves() -> None:
    assert duplicate_rows(pl.DataFrame({"a": [NAN, NAN, 0.0, -0.0]})) == 2


@pytest.mark.parametrize(
    ("frame", "count"),
    [
        (pl.DataFrame({"a": []}, schema={"a": pl.Int64}), 0),
        (pl.DataFrame({"a": [None, None, None]}), 2),
        (pl.DataFrame({"*": [b"x", b"x"], "^.*$": [dt.date(2025, 1, 1)] * 2}), 1),
    ],
)
def test_rows_of_any_flat_columns_are_compared(frame: pl.DataFrame, count: int) -> None:
    assert duplicate_rows(frame) == count


@pytest.mark.parametrize("frame", [pl.DataFrame(), pl.DataFrame({"a": [[1], [1]], "b": [1, 1]})])
def test_rows_without_columns_or_with_nested_ones_are_not_compared(frame: pl.DataFrame) -> None:
    assert duplicate_rows(frame) is None


def test_columns_of_numbers_and_of_times_are_paired_by_their_place() -> None:
    frame = pl.DataFrame(
        {
            "when": [dt.datetime(2025, 1, 1)],  # noqa: DTZ001
            "count": [1],
            "flag": [True],
            "price": pl.Series([Decimal(1)], dtype=pl.Decimal(5, 2)),
            "day": [dt.date(2025, 1, 1)],
            "at": [dt.time(1)],
            "took": [dt.timedelta(1)],
        }
    )

    assert measured(frame.lazy()).paired == (0, 1, 3, 4)


def test_numbers_are_finite_floats() -> None:
    frame = pl.DataFrame({"*": [1.0, NAN, INF, None], "n": [1, None, 3, 4], "day": [dt.date(1970, 1, 3)] * 4})

    values = frame.select(numbers_of(pl.nth(place), dtype) for place, dtype in enumerate(frame.dtypes))

    assert values.to_dict(as_series=False) == {
        "*": [1.0, None, None, None],
        "n": [1.0, None, 3.0, 4.0],
        "day": [2.0] * 4,
    }


def test_decimals_have_the_statistics_of_their_values() -> None:
    metrics = of(pl.Series([Decimal("0.10"), Decimal("0.20"), Decimal("0.60")], dtype=pl.Decimal(10, 2)))

    assert (metrics["sum"], metrics["mean"]) == (pytest.approx(0.9), pytest.approx(0.3))
    assert (metrics["median"], metrics["mad"]) == (0.2, pytest.approx(0.1))
    # Squared deviations from 0.3: 0.04, 0.01 and 0.09.
    assert metrics["variance"] == pytest.approx(0.07)
    assert metrics["histogram"]["edges"][-1] == 0.6


def test_integers_of_128_bits_are_numbers() -> None:
    metrics = of(pl.Series([2**100, -(2**100), 5, None], dtype=pl.Int128))

    assert (metrics["min"], metrics["max"], metrics["median"]) == (-(2**100), 2**100, 5.0)
    assert (metrics["count"], metrics["unique"], metrics["negatives"]) == (3, 3, 1)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_times_at_the_ends_of_their_type_are_measured(unit: Any, zone: str | None) -> None:
    metrics = of(pl.Series([2**63 - 1, -(2**63), 0]).cast(pl.Datetime(unit, zone)))
    ticks = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]

    assert (metrics["count"], metrics["unique"]) == (3, 3)
    assert metrics["time"]["range_s"] == pytest.approx((2**64 - 1) / ticks)
    assert metrics["time"]["timezone"] == zone
    assert (metrics["histogram"] is None) == (unit != "ns")


def test_dates_at_the_ends_of_their_type_are_measured() -> None:
    metrics = of(pl.Series([2**31 - 1, -(2**31)], dtype=pl.Int32).cast(pl.Date))

    assert metrics["time"]["range_s"] == (2**32 - 1) * 86_400
    assert (metrics["order"], metrics["histogram"]) == ("strictly_descending", None)


def test_an_enum_is_text_whose_ends_are_by_the_alphabet() -> None:
    metrics = of(pl.Series(["z", "a", "z", None], dtype=pl.Enum(["z", "a"])))

    assert (metrics["type"], metrics["min"], metrics["max"], metrics["unique"]) == ("string", "a", "z", 2)
    assert [(each["value"], each["count"]) for each in metrics["top_values"]] == [("z", 2), ("a", 1)]
