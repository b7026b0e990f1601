"""Checks of times: their order, gaps and doubles, dates that nobody meant, and series over them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from airpy.contract import Filter, RowsFilter
from airpy.engine.profile.equals import is_taken
from airpy.engine.profile.findings import Finding, leaf
from airpy.engine.steps import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airpy.contract import RowRelation, SeriesMetrics
    from airpy.engine.profile.findings import Facts
    from airpy.engine.profile.time_axis import Clock

__all__ = ["TIME_CHECKS"]

EPOCHS = ("1970-01-01", "1900-01-01", "0001-01-01")
"""Dates that stand for none: the zero of Unix, of spreadsheets, and of databases."""


def time_gaps(facts: Facts) -> Iterator[Finding]:
    """A series has steps that are greater than its usual one, which most of its steps are."""
    clock = facts.clock
    if clock is not None and clock.gaps and clock.every is not None:
        detail = (
            f"{clock.time} has {counted(clock.gaps, 'gap')}: steps of more than {clock.every}{_within(clock)}"
        )
        gaps = [_rows(clock, "after_gap", every=clock.every)]
        method = f"usual step: {clock.every}"
        yield Finding("warning", detail, gaps, clock.time, value=clock.gaps, method=method, rows=clock.gaps)


def duplicate_times(facts: Facts) -> Iterator[Finding]:
    """A series has a time more than once."""
    clock = facts.clock
    if clock is not None and clock.duplicates:
        were = "was" if clock.duplicates == 1 else "were"
        detail = (
            f"{clock.time} has {counted(clock.duplicates, 'time')} that {were} there before{_within(clock)}"
        )
        again = [leaf(clock.time, "not_null"), _rows(clock, "repeated")]
        yield Finding("warning", detail, again, clock.time, value=clock.duplicates, rows=clock.duplicates)


def out_of_order(facts: Facts) -> Iterator[Finding]:
    """Some rows are earlier than the one before, where most are later."""
    clock = facts.clock
    if clock is not None and 0 < clock.falling <= facts.rows / 4:
        detail = f"{clock.time} goes back {counted(clock.falling, 'time')}{_within(clock)}"
        back = [_rows(clock, "falling")]
        yield Finding("info", detail, back, clock.time, value=clock.falling, rows=clock.falling)


def future_dates(facts: Facts) -> Iterator[Finding]:
    """Times are later than now."""
    for column in facts.columns:
        if column.time is None or column.max is None:
            continue
        now = facts.now.date().isoformat() if column.type == "date" else _rfc3339(facts.now)
        if str(column.max) > now:
            later = [leaf(column.name, ">", now)]
            yield Finding(
                "warning", f"{column.name} has times in the future", later, column.name, bounds=(None, now)
            )


def epoch_dates(facts: Facts) -> Iterator[Finding]:
    """Times are the zero of a clock, among others that are not."""
    for column in facts.columns:
        if column.time is None or column.min == column.max:
            continue
        suffix = "" if column.type == "date" else "T00:00:00Z"
        known = {str(each.value) for each in (*(column.top_values or []), *(column.bottom_values or []))}
        ends = {str(column.min), str(column.max)}
        dtype = facts.dtype(column.name)
        zeros = [
            zero for epoch in EPOCHS if (zero := f"{epoch}{suffix}") in known | ends and is_taken(zero, dtype)
        ]
        if zeros:
            detail = f"{column.name} has dates that stand for none: {', '.join(zeros)}"
            yield Finding("warning", detail, [leaf(column.name, "in", zeros)], column.name)


def seasonal(facts: Facts) -> Iterator[Finding]:
    """Numbers over time repeat themselves."""
    threshold = facts.thresholds.seasonality
    for each in facts.metrics.series or []:
        if each.period and each.seasonality is not None and each.seasonality >= threshold:
            detail = f"{each.column} repeats itself every {each.period} points (r = {each.seasonality:.2f})"
            yield _of_series(each, detail)._replace(
                value=each.seasonality,
                threshold=threshold,
                method="autocorrelation without the linear trend",
            )


def non_stationary(facts: Facts) -> Iterator[Finding]:
    """Numbers over time may drift away: a unit root is not refuted."""
    for each in facts.metrics.series or []:
        if each.stationary is False:
            detail = f"{each.column} is not stationary over {each.time}"
            yield _of_series(each, detail)._replace(
                value=each.adf, threshold=each.adf_critical, method="augmented Dickey-Fuller, 5 %"
            )


def _of_series(each: SeriesMetrics, detail: str) -> Finding:
    """A finding about all points of a series."""
    points = [leaf(each.column, "not_null"), leaf(each.time, "not_null")]
    return Finding("info", detail, points, each.column)


def _rows(clock: Clock, are: RowRelation, every: str | None = None) -> Filter:
    told = {"are": are, "cols": [clock.time], "by": list(clock.by), "every": every}
    return Filter(rows=RowsFilter.model_validate({name: value for name, value in told.items() if value}))


def _within(clock: Clock) -> str:
    return f", within {', '.join(clock.by)}" if clock.by else ""


def _rfc3339(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


TIME_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    time_gaps,
    duplicate_times,
    out_of_order,
    future_dates,
    epoch_dates,
    seasonal,
    non_stationary,
)
