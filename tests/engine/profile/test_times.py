from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.engine.profile.measuring import measured
from airpy.engine.profile.metrics import column_metrics
from airpy.engine.profile.times import second_of

if TYPE_CHECKING:
    from airpy.contract import TimeMetrics

FIRST = dt.datetime(2025, 1, 1)  # noqa: DTZ001


def times(values: Any) -> TimeMetrics:
    (column,) = column_metrics(measured(pl.DataFrame({"at": values}).lazy()))
    assert column.time is not None
    return column.time


def test_range_step_gaps_and_duplicates_are_of_the_times_in_order() -> None:
    # Hours 0, 1, 2, 2 and 5: steps of 1, 1 and 3.
    found = times([FIRST + dt.timedelta(hours=hour) for hour in (2, 0, 5, 1, 2)])

    assert (found.range_s, found.step_s, found.gaps, found.duplicates) == (18_000.0, 3_600.0, 1, 1)
    assert found.midnight_share == 0.2


@pytest.mark.parametrize(
    ("values", "finest"),
    [
        ([FIRST, FIRST.replace(year=2020)], "year"),
        ([FIRST, FIRST.replace(month=3)], "month"),
        ([FIRST, FIRST.replace(day=3)], "day"),
        ([FIRST, FIRST.replace(hour=3)], "hour"),
        ([FIRST, FIRST.replace(minute=3)], "minute"),
        ([FIRST, FIRST.replace(second=3)], "second"),
        ([FIRST, FIRST.replace(microsecond=3_000)], "millisecond"),
        ([FIRST, FIRST.replace(microsecond=3)], "microsecond"),
        (pl.Series([1]).cast(pl.Datetime("ns")), "nanosecond"),
        ([dt.date(2025, 1, 1)], "year"),
        ([dt.date(2025, 2, 1)], "month"),
        ([dt.date(2025, 2, 2)], "day"),
    ],
)
def test_the_finest_unit_is_the_coarsest_that_all_are_whole_in(values: Any, finest: str) -> None:
    assert times(values).finest == finest


def test_midnights_are_those_of_the_zone() -> None:
    berlin = pl.Series([FIRST]).dt.replace_time_zone("Europe/Berlin")

    assert (times(berlin).midnight_share, times(berlin).timezone) == (1.0, "Europe/Berlin")
    assert times(berlin.dt.convert_time_zone("UTC")).midnight_share == 0.0


def test_one_time_has_no_step() -> None:
    found = times([FIRST, None])

    assert (found.range_s, found.step_s, found.gaps, found.duplicates) == (0.0, None, None, 0)


@pytest.mark.parametrize(
    ("dtype", "ticks"), [(pl.Date(), 1 / 86_400), (pl.Datetime("ms"), 1e3), (pl.Datetime("ns"), 1e9)]
)
def test_a_second_has_the_ticks_of_the_type(dtype: pl.DataType, ticks: float) -> None:
    assert second_of(dtype) == ticks
