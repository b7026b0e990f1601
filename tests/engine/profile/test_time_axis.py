from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from airpy.engine.profile.measuring import measured
from airpy.engine.profile.metrics import column_metrics
from airpy.engine.profile.time_axis import Clock, find_clock

BEGIN = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def clock_of(by: tuple[str, ...] = (), **columns: Any) -> Clock | None:
    frame = pl.DataFrame(
        columns | {"t": [None if t is None else BEGIN + dt.timedelta(hours=t) for t in columns["t"]]}
    )
    state = measured(frame.lazy())
    return find_clock(frame.lazy(), column_metrics(state), state.sample.rows, None, by)


def test_one_series_has_its_usual_step_its_gaps_doubles_and_falls() -> None:
    # In order of time: 0 1 2 3 3 4 5 6 7 8 9 12; one step back, from 3 to 2.
    found = clock_of(t=[0, 1, 3, 2, 3, 4, 5, 6, 7, 8, 9, 12])

    assert found == Clock("t", (), duplicates=1, falling=1, gaps=1, step_s=3600.0)


def test_series_are_told_apart_by_the_column_that_makes_times_unique() -> None:
    times = [hour for hour in range(12) for _ in range(3)]

    # Two values cannot tell three rows of each time apart, nor can three that are dealt out otherwise.
    found = clock_of(t=times, flag=[True, False] * 18, dealt=[*"aab"] * 12, site=[*"abc"] * 12)

    assert found == Clock("t", ("site",), duplicates=0, falling=0, gaps=0, step_s=3600.0)


def test_a_null_names_a_series_too() -> None:
    found = clock_of(t=[hour for hour in range(9) for _ in range(3)], site=["a", "b", None] * 9)

    assert found == Clock("t", ("site",), duplicates=0, falling=0, gaps=0, step_s=3600.0)


def test_each_series_has_its_own_order_and_steps() -> None:
    # By a: 0 2 4 6; by b: 1 5 3 7, of which 3 comes after 5.
    found = clock_of(("site",), t=[0, 1, 2, 5, 4, 3, 6, 7], site=[*"abababab"])

    assert found == Clock("t", ("site",), duplicates=0, falling=1, gaps=0, step_s=7200.0)


def test_series_are_named_by_several_columns_together() -> None:
    # Times repeat within each of the two columns, but not within a pair of their values.
    times = [0, 0, 0, 0, 1, 1, 1, 1]
    found = clock_of(("a", "b"), t=times, a=[1, 1, 2, 2] * 2, b=[1, 2, 1, 2] * 2)

    assert found == Clock("t", ("a", "b"), duplicates=0, falling=0, gaps=0, step_s=3600.0)


def test_of_steps_that_are_as_frequent_the_least_is_the_usual_one() -> None:
    found = clock_of(t=[0, 1, 3, 4, 6])

    assert found == Clock("t", (), duplicates=0, falling=0, gaps=0, step_s=3600.0)


def test_rows_without_a_time_are_no_part_of_a_series() -> None:
    assert clock_of(t=[0, None, 1, 2]) == Clock("t", (), duplicates=0, falling=0, gaps=0, step_s=3600.0)


def test_a_single_moment_has_no_step() -> None:
    assert clock_of(("site",), t=[5, 5, 5], site=[*"aab"]) == Clock("t", ("site",), 1, 0, 0, None)
