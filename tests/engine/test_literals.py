"""Values of a plan as values of a column: without loss, or refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import narwhals as nw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpy.engine.literals import literal, zone
from airpy.errors import InvalidPlan, TypeMismatch

if TYPE_CHECKING:
    from narwhals.dtypes import DType

BERLIN = ZoneInfo("Europe/Berlin")
NAIVE, INSTANT = nw.Datetime("us"), nw.Datetime("us", "Europe/Berlin")


def cast(value: Any, dtype: DType, timezone: str = "UTC") -> Any:
    """The value as one of a column of the type."""
    return literal(value, dtype, timezone=ZoneInfo(timezone), column="a", field="plan.filters[0].val")


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (True, nw.Boolean(), True),
        (False, nw.Boolean(), False),
        ("True", nw.Boolean(), True),
        ("FALSE", nw.Boolean(), False),
        (127, nw.Int8(), 127),
        (-128, nw.Int8(), -128),
        ("-32768", nw.Int16(), -32768),
        (2**31 - 1, nw.Int32(), 2**31 - 1),
        (-(2**63), nw.Int64(), -(2**63)),
        ("+9223372036854775807", nw.Int64(), 2**63 - 1),
        (5.0, nw.Int64(), 5),
        (-0.0, nw.Int64(), 0),
        (-(2**127), nw.Int128(), -(2**127)),
        (255, nw.UInt8(), 255),
        (65535, nw.UInt16(), 65535),
        ("0", nw.UInt32(), 0),
        (2**64 - 1, nw.UInt64(), 2**64 - 1),
        (2**128 - 1, nw.UInt128(), 2**128 - 1),
        (0.1, nw.Float64(), 0.1),
        ("1e3", nw.Float64(), 1000.0),
        ("-2.5", nw.Float32(), -2.5),
        (2**53, nw.Float64(), 2.0**53),
        (2**60, nw.Float64(), 2.0**60),
        (2**24, nw.Float32(), 2.0**24),
        (65504, nw.Float16(), 65504.0),
        # The nearest float of 32 bits to a tenth is 13421773 / 2 ** 27.
        (0.1, nw.Float32(), 13421773 / 2**27),
        (1, nw.Decimal(10, 2), Decimal("1.00")),
        (0.1, nw.Decimal(10, 2), Decimal("0.10")),
        ("-99999999.990", nw.Decimal(10, 2), Decimal("-99999999.99")),
        ("1e7", nw.Decimal(10, 2), Decimal("10000000.00")),
        ("9" * 38, nw.Decimal(38, 0), Decimal("9" * 38)),
        ("x", nw.String(), "x"),
        ("", nw.Categorical(), ""),
        ("low", nw.Enum(["low"]), "low"),
        ("2025-09-01", nw.Date(), dt.date(2025, 9, 1)),
        ("0001-01-01", nw.Date(), dt.date(1, 1, 1)),
        ("2025-09-01T00:00:00Z", nw.Date(), dt.date(2025, 9, 1)),
        ("2025-09-01T02:00:00+02:00", nw.Date(), dt.date(2025, 9, 1)),
        ("2025-09-01", NAIVE, dt.datetime(2025, 9, 1)),  # noqa: DTZ001
        ("2025-09-01T02:00:00+02:00", NAIVE, dt.datetime(2025, 9, 1)),  # noqa: DTZ001
        ("2025-09-01 12:30", NAIVE, dt.datetime(2025, 9, 1, 12, 30)),  # noqa: DTZ001
        ("2025-09-01T00:00:00.123456000Z", NAIVE, dt.datetime(2025, 9, 1, 0, 0, 0, 123456)),  # noqa: DTZ001
        ("2025-09-01T00:00:00.123Z", nw.Datetime("ms"), dt.datetime(2025, 9, 1, 0, 0, 0, 123000)),  # noqa: DTZ001
        ("2025-09-01T00:00:00.123456Z", nw.Datetime("ns"), dt.datetime(2025, 9, 1, 0, 0, 0, 123456)),  # noqa: DTZ001
        ("2025-09-01T00:00:00Z", INSTANT, dt.datetime(2025, 9, 1, 2, tzinfo=BERLIN)),
        ("13:45", nw.Time(), dt.time(13, 45)),
        ("13:45:00.000001", nw.Time(), dt.time(13, 45, 0, 1)),
    ],
)
def test_value_becomes_one_of_the_columns_type(value: Any, dtype: DType, expected: Any) -> None:
    given = cast(value, dtype)

    assert given == expected
    assert type(given) is type(expected)


@pytest.mark.parametrize(
    ("value", "dtype", "constraint"),
    [
        *((value, nw.Boolean(), "true or false") for value in [0, 1, 1.0, "1", "yes", "", " true"]),
        *(
            (value, nw.Int64(), "a whole number that the column can hold")
            for value in [
                True,
                5.5,
                2**63,
                -(2**63) - 1,
                float("inf"),
                float("nan"),
                "5.0",
                "1_0",
                " 2",
                "٢",
                "",
                "x",
            ]
        ),
        (128, nw.Int8(), "a whole number that the column can hold"),
        (-1, nw.UInt8(), "a whole number that the column can hold"),
        (2**64, nw.UInt64(), "a whole number that the column can hold"),
        (1e300, nw.Int128(), "a whole number that the column can hold"),
        *(
            (value, nw.Float64(), "a number")
            for value in [
                False,
                "nan",
                "inf",
                "-Infinity",
                "1_0",
                " 1",
                "",
                "x",
                "1e400",
                float("inf"),
                float("nan"),
                2**53 + 1,
                10**400,
            ]
        ),
        (2**24 + 1, nw.Float32(), "a number"),
        (1e39, nw.Float32(), "a number"),
        (65536, nw.Float16(), "a number"),
        *(
            (value, nw.Decimal(10, 2), "a number with no more digits than the column has")
            for value in [
                True,
                "0.001",
                0.125,
                "100000000",
                1e9,
                "1e50",
                "1e5000000",
                "1e-3",
                "NaN",
                "inf",
                float("nan"),
                float("inf"),
                "",
                "1_0",
            ]
        ),
        # Ten digits after the thirtieth: rounded to 28 digits it would fit.
        (
            "123456789012345678901234567890.5",
            nw.Decimal(38, 0),
            "a number with no more digits than the column has",
        ),
        *((value, nw.String(), "a string") for value in [1, 1.5, True]),
        (1, nw.Categorical(), "a string"),
        *(
            (value, nw.Date(), "a date, as in 2025-09-01")
            for value in [
                20250901,
                True,
                "",
                "x",
                "2025-02-29",
                "2025-13-01",
                "2025-09-01T00:00:01Z",
                "2025-09-01T00:00:00+02:00",
            ]
        ),
        *(
            (value, dtype, "a timestamp or date, as in 2025-09-01T00:00:00Z")
            for value in [
                1756684800,
                1.5,
                True,
                "",
                "x",
                "2025-02-29T00:00:00Z",
                "2025-09-01T00:00:00.0000001Z",
                "2025-09-01T00:00:00,0000001Z",
                "0001-01-01T00:00:00+14:00",
                "9999-12-31T23:59:59-14:00",
            ]
            for dtype in [NAIVE, nw.Datetime("ns", "UTC")]
        ),
        ("2025-09-01T00:00:00.000001Z", nw.Datetime("ms"), "a timestamp or date, as in 2025-09-01T00:00:00Z"),
        *(
            (value, nw.Time(), "a time, as in 13:45:00")
            for value in [
                13,
                True,
                "",
                "25:00",
                "13:45Z",
                "13:45+02:00",
                "13:45:00.0000001",
                "2025-09-01T13:45:00",
            ]
        ),
        *(
            ("x", dtype, "is_null or not_null")
            for dtype in [
                nw.Binary(),
                nw.Duration(),
                nw.List(nw.Int64()),
                nw.Struct({"x": nw.Int64()}),
                nw.Unknown(),
            ]
        ),
    ],
)
def test_value_that_would_lose_something_is_refused(value: Any, dtype: DType, constraint: str) -> None:
    with pytest.raises(TypeMismatch) as raised:
        cast(value, dtype)

    assert raised.value.reason == "TYPE_MISMATCH"
    assert raised.value.field == "plan.filters[0].val"
    assert raised.value.constraint == constraint
    assert '"a"' in raised.value.message


def test_refusal_names_the_value_and_the_column_shortly() -> None:
    with pytest.raises(TypeMismatch) as raised:
        literal("y" * 1000, nw.Int64(), timezone=BERLIN, column="x" * 1000, field="f")

    assert len(raised.value.message) < 300


@given(st.integers(-(2**70), 2**70))
def test_integer_is_exact_in_a_float_column_or_refused(number: int) -> None:
    try:
        given = cast(number, nw.Float64())
    except TypeMismatch:
        assert int(float(number)) != number
    else:
        assert int(given) == number


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimal_is_exact_or_refused(number: Decimal) -> None:
    try:
        given = cast(str(number), nw.Decimal(12, 4))
    except TypeMismatch:
        scaled = number * 10**4
        assert scaled != scaled.to_integral_value() or abs(number) >= 10**8
    else:
        assert given == number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-07-01", dt.datetime(2025, 6, 30, 22, tzinfo=dt.UTC)),
        ("2025-01-01", dt.datetime(2024, 12, 31, 23, tzinfo=dt.UTC)),
        ("2025-07-01T12:00", dt.datetime(2025, 7, 1, 10, tzinfo=dt.UTC)),
        ("2025-07-01T12:00Z", dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)),
        # The hour that comes twice is the first; the one that is left out counts on from the hour before.
        ("2025-10-26T02:30", dt.datetime(2025, 10, 26, 0, 30, tzinfo=dt.UTC)),
        ("2025-03-30T02:30", dt.datetime(2025, 3, 30, 1, 30, tzinfo=dt.UTC)),
    ],
)
def test_time_without_an_offset_is_in_the_plans_zone(value: str, expected: dt.datetime) -> None:
    assert cast(value, INSTANT, "Europe/Berlin").astimezone(dt.UTC) == expected
    assert cast(value, NAIVE, "Europe/Berlin") == expected.replace(tzinfo=None)


def test_midnight_of_the_plans_zone_is_a_date_there() -> None:
    assert cast("2025-08-31T22:00:00Z", nw.Date(), "Europe/Berlin") == dt.date(2025, 9, 1)


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "UTC", "Etc/GMT-14", "America/Argentina/Buenos_Aires", "EST5EDT"]
)
def test_zone_by_its_name(name: str) -> None:
    assert zone(name).key == name


def test_zone_is_utc_when_there_is_none() -> None:
    assert zone(None).key == "UTC"


@pytest.mark.parametrize(
    "name",
    [
        "Europe",
        "europe/berlin",
        "Mars/Olympus",
        "UTC+1",
        "+01:00",
        "/etc/localtime",
        "../../etc/localtime",
        "Europe/Berlin\0",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "posixrules",
        "localtime",
        "Factory",
    ],
)
def test_what_is_no_zone_of_the_iana_is_refused(name: str) -> None:
    with pytest.raises(InvalidPlan) as raised:
        zone(name)

    assert raised.value.reason == "INVALID_PLAN"
    assert raised.value.field == "plan.timezone"
    assert raised.value.constraint == "an IANA time zone, as in Europe/Berlin"
    assert raised.value.message.startswith(f'"{name}" is not an IANA time zone')
