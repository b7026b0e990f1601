"""Reading the width of a time bucket."""

from __future__ import annotations

import pytest

from airpy.engine.units import UNITS, read_grain
from airpy.errors import InvalidPlan


@pytest.mark.parametrize("unit", ["second", "minute", "hour", "day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("number", [1, 2, 90, 99999])
def test_a_number_and_a_unit_in_words(number: int, unit: str) -> None:
    assert read_grain(f"{number} {unit}") == (number, unit)
    assert read_grain(f"{number} {unit}s") == (number, unit)


def test_there_are_no_other_units() -> None:
    assert [*UNITS] == ["second", "minute", "hour", "day", "week", "month", "quarter", "year"]


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("PT1S", 1, "second"),
        ("PT15M", 15, "minute"),
        ("PT24H", 24, "hour"),
        ("P1D", 1, "day"),
        ("P2W", 2, "week"),
        ("P15M", 15, "month"),
        ("P99999Y", 99999, "year"),
    ],
)
def test_iso_8601_durations_of_one_unit(text: str, number: int, unit: str) -> None:
    assert read_grain(text) == (number, unit)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "day",
        "1day",
        "0 days",
        "01 days",
        "-1 day",
        "1.5 hours",
        "1  day",
        " 1 day",
        "1 day\n",
        "1 DAY",
        "1 fortnight",
        "100000 days",
        "١ day",
        "1d",
        "P",
        "PT",
        "P0D",
        "P1",
        "P1H",
        "P1S",
        "PT1D",
        "PT1W",
        "PT1Y",
        "P1Q",
        "P1DT1H",
        "P1.5D",
        "p1d",
        "P100000D",
    ],
)
def test_what_is_no_grain_is_refused(text: str) -> None:
    with pytest.raises(InvalidPlan) as raised:
        read_grain(text)

    assert raised.value.reason == "INVALID_PLAN"
    assert raised.value.field == "plan.grain"
    assert raised.value.message == f'"{text}" is not a time grain'
    assert raised.value.suggestion == ["1 day", "15 minutes", "PT15M"]
    assert raised.value.constraint == (
        "a number and one of second, minute, hour, day, week, month, quarter, year, "
        "or an ISO 8601 duration of one unit"
    )
