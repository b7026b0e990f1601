"""Casts without loss, value by value; plans/cleaning.yaml has them as steps of a plan."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from airpy.engine.native import lossless

NAN, INF = float("nan"), float("inf")
MIDNIGHT = dt.datetime(2025, 1, 2)  # noqa: DTZ001
MOMENT = dt.datetime(2025, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("source", "values", "target", "expected"),
    [
        (pl.String(), ["1", None, "-7"], pl.Int8(), [1, None, -7]),
        (pl.String(), ["0.5", None, "-inf", "nan"], pl.Float64(), [0.5, None, -INF, NAN]),
        (pl.String(), ["0.5", None, "Infinity"], pl.Float32(), [0.5, None, INF]),
        (pl.String(), ["true", None, "FALSE"], pl.Boolean(), [True, None, False]),
        (pl.String(), ["2025-01-02", None], pl.Date(), [dt.date(2025, 1, 2), None]),
        (pl.String(), ["2025-01-02T03:04:05.000006000", None], pl.Datetime("us"), [MOMENT, None]),
        (pl.String(), ["x", None], pl.String(), ["x", None]),
        (pl.Int64(), [255, None, 0], pl.UInt8(), [255, None, 0]),
        (pl.Int64(), [-(2**53), None, 2**60], pl.Float64(), [-(2.0**53), None, 2.0**60]),
        (pl.Int64(), [0, None, 1], pl.Boolean(), [False, None, True]),
        (pl.Int64(), [0, None], pl.String(), ["0", None]),
        (pl.Float64(), [-3.0, None, 0.0, -0.0], pl.Int64(), [-3, None, 0, 0]),
        (pl.Float64(), [0.5, None, NAN, INF, -INF], pl.Float32(), [0.5, None, NAN, INF, -INF]),
        (pl.Float64(), [1.0, None], pl.Boolean(), [True, None]),
        (pl.Decimal(10, 2), [Decimal("7.00"), None], pl.Int64(), [7, None]),
        (pl.Decimal(10, 2), [Decimal("0.10"), None], pl.Float64(), [0.1, None]),
        (pl.Boolean(), [True, None, False], pl.Int8(), [1, None, 0]),
        (pl.Date(), [dt.date(2025, 1, 2), None], pl.Datetime("us"), [MIDNIGHT, None]),
        (pl.Datetime("us"), [MIDNIGHT, None], pl.Date(), [dt.date(2025, 1, 2), None]),
        (pl.Datetime("ns"), [MOMENT, None], pl.Datetime("us"), [MOMENT, None]),
        (pl.Null(), [None], pl.Int64(), [None]),
        (pl.Int64(), [], pl.Boolean(), []),
    ],
)
def test_values_that_survive_are_cast(
    source: pl.DataType, values: list[Any], target: pl.DataType, expected: list[Any]
) -> None:
    converted = lossless(pl.Series("a", values, source), target)

    assert converted.dtype == target
    assert converted.equals(pl.Series("a", expected, target), check_names=True)


@pytest.mark.parametrize(
    ("source", "values", "target", "names", "example"),
    [
        (pl.String(), ["true", "yes"], pl.Boolean(), "`string` to `bool`", "yes"),
        (pl.String(), ["inf", "1e400"], pl.Float64(), "`string` to `float64`", "1e400"),
        (pl.String(), ["1", "-1e39"], pl.Float32(), "`string` to `float32`", "-1e39"),
        (
            pl.String(),
            ["2025-01-02T03:04:05.0000001"],
            pl.Datetime("us"),
            "`string` to `timestamp`",
            "2025-01-02T03:04:05.0000001",
        ),
        (pl.Float64(), [1.0, -0.5], pl.Int64(), "`float64` to `int64`", "-0.5"),
        (pl.Float64(), [1.0, NAN], pl.Boolean(), "`float64` to `bool`", "NaN"),
        (pl.Float64(), [INF, 1e39], pl.Float32(), "`float64` to `float32`", "1e+39"),
        (pl.Int64(), [1, 2], pl.Boolean(), "`int64` to `bool`", "2"),
        (pl.Int64(), [2**53 + 1], pl.Float64(), "`int64` to `float64`", str(2**53 + 1)),
        (pl.UInt64(), [2**64 - 1], pl.Float64(), "`uint64` to `float64`", str(2**64 - 1)),
        (pl.Int32(), [2**24 + 1], pl.Float32(), "`int32` to `float32`", str(2**24 + 1)),
        (pl.Decimal(10, 2), [Decimal("1.01")], pl.Int64(), "`decimal` to `int64`", "1.01"),
        (pl.Datetime("us"), [MIDNIGHT, MOMENT], pl.Date(), "`timestamp` to `date`", "2025-01-02 03:04:05"),
    ],
)
def test_values_that_would_lose_something_are_named(
    source: pl.DataType, values: list[Any], target: pl.DataType, names: str, example: str
) -> None:
    with pytest.raises(pl.exceptions.InvalidOperationError) as raised:
        lossless(pl.Series("a", values, source), target)

    message = str(raised.value)
    assert message.startswith(
        f"conversion from {names} failed in column 'a' for 1 out of {len(values)} values: ["
    )
    assert f"[{example}" in message


@pytest.mark.parametrize(
    ("source", "value", "target"),
    [
        (pl.String(), "1.5", pl.Int64()),
        (pl.String(), " 1", pl.Int64()),
        (pl.String(), "1_0", pl.Float64()),
        (pl.String(), "", pl.Float64()),
        (pl.String(), "2025-02-29", pl.Date()),
        (pl.String(), "2025-01-02 03:04:05", pl.Datetime("us")),
        (pl.Int64(), 128, pl.Int8()),
        (pl.Int64(), -1, pl.UInt64()),
        (pl.UInt64(), 2**63, pl.Int64()),
        (pl.Float64(), NAN, pl.Int64()),
        (pl.Float64(), 1e30, pl.Int64()),
    ],
)
def test_values_that_cannot_be_cast_at_all_fail(source: pl.DataType, value: Any, target: pl.DataType) -> None:
    with pytest.raises(pl.exceptions.InvalidOperationError, match=r"conversion from .* failed in column 'a'"):
        lossless(pl.Series("a", [value], source), target)


def test_no_more_than_five_values_are_named() -> None:
    with pytest.raises(pl.exceptions.InvalidOperationError) as raised:
        lossless(pl.Series("a", [number + 0.5 for number in range(100)]), pl.Int64())

    assert str(raised.value).endswith("for 100 out of 100 values: [0.5, 1.5, 2.5, 3.5, 4.5]")
