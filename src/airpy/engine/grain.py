"""Time grains: where the buckets of "1 day" begin, and the one that each value falls in."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import narwhals as nw

from airpy.engine.aggregations import is_ordered_by_time
from airpy.engine.buckets import Grid, bucket
from airpy.engine.columns import Columns, type_word
from airpy.engine.literals import zone
from airpy.engine.units import UNITS, WEEKDAYS, Grain, read_grain
from airpy.errors import InvalidPlan, TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from airpy.contract import Plan
    from airpy.engine.columns import Frame

__all__ = ["bucketed", "check_time", "grid_of"]

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  what a clock shows
LAST_COMMON_DAY = 28
"""Every month has it."""
ORIGIN = "a date or timestamp to the millisecond, as in 2025-01-01 or 2025-01-01T06:00:00"


def check_time(plan: Plan) -> None:
    """Refuse what a plan says of time buckets and cannot mean, whatever the data.

    Raises:
        InvalidPlan: Its parts contradict one another, or name no grain or no moment.
    """
    if plan.grain is not None and plan.resample is not None:
        raise InvalidPlan(
            "plan.resample takes the place of plan.grain, and both are given",
            field="plan.resample",
            constraint="either plan.grain or plan.resample",
        )
    if plan.grain is None and plan.resample is None:
        for name, what in (("time_col", "what is bucketed"), ("origin", "where a bucket begins")):
            is_asked = name == "time_col" and any(map(is_ordered_by_time, plan.aggs or []))
            if getattr(plan, name) is not None and not is_asked:
                raise InvalidPlan(
                    f"plan.{name} says {what}, and there is neither plan.grain nor plan.resample",
                    field=f"plan.{name}",
                    constraint="only together with plan.grain or plan.resample",
                )
        return
    if plan.resample and plan.resample.fill != "none" and not plan.aggs:
        raise InvalidPlan(
            f'fill "{plan.resample.fill}" says what the aggregates of empty buckets are, and there are none',
            field="plan.resample.fill",
            constraint="none, or together with plan.aggs",
            suggestion=["none"],
        )
    grid_of(plan)


def grid_of(plan: Plan) -> Grid:
    """The buckets of the plan's `grain` or `resample`.

    Raises:
        InvalidPlan: It has neither, or one that says nothing.
    """
    place, text = (
        ("plan.resample.every", plan.resample.every) if plan.resample else ("plan.grain", plan.grain)
    )
    grain = read_grain(text or "", place)
    width = {kind: number * grain.number for kind, number in UNITS[grain.unit].items()}
    return Grid(
        seconds=width.get("seconds", 0),
        days=width.get("days", 0),
        months=width.get("months", 0),
        origin=_origin(plan, grain),
        zone=zone(plan.timezone),
        right=plan.resample is not None and plan.resample.closed == "right",
    )


def bucketed(frame: Frame, plan: Plan, alias: str) -> Frame:
    """The frame with the bucket of the plan's grain that each row is in, as the column `alias`.

    Raises:
        InvalidPlan: `time_col` is not given, and the frame has not exactly one temporal column.
        TypeMismatch: The column holds no times, or dates where times are needed.
    """
    columns = Columns(frame)
    place = "plan.resample" if plan.resample else "plan.grain"
    column = plan.time_col if plan.time_col is not None else _only_temporal(columns, place)
    name = columns.name(column, "plan.time_col")
    dtype = columns.dtype(column)
    if not isinstance(dtype, (nw.Date, nw.Datetime)):
        raise TypeMismatch(
            f'column "{shortened(column)}" of type {type_word(dtype)} cannot be bucketed by time',
            field="plan.time_col",
            constraint="a column of dates or timestamps",
            suggestion=_temporal(columns),
        )
    grid = grid_of(plan)
    if isinstance(dtype, nw.Date):
        _check_dates(plan, grid, column)
    native = frame.to_native()
    begins = bucket(name, native.collect_schema()[name], grid).alias(alias)
    return nw.from_native(native.with_columns(begins))


def _check_dates(plan: Plan, grid: Grid, column: str) -> None:
    """Dates are in buckets of days alone, which begin at midnight."""
    place = "plan.resample.every" if plan.resample else "plan.grain"
    text = plan.resample.every if plan.resample else str(plan.grain)
    if grid.seconds:
        raise TypeMismatch(
            f'column "{shortened(column)}" holds dates, which have no {read_grain(text).unit}',
            field=place,
            constraint="1 day or wider",
            suggestion=["1 day"],
        )
    if (time := grid.origin.time()) != dt.time():
        raise TypeMismatch(
            f'column "{shortened(column)}" holds dates, which are in no bucket that begins at {time}',
            field=_origin_place(plan),
            constraint="a date",
            suggestion=[grid.origin.date().isoformat()],
        )


def _origin(plan: Plan, grain: Grain) -> dt.datetime:
    """When a bucket begins, as the clock of the plan's zone shows it."""
    given, field = plan.origin, _origin_place(plan)
    if plan.resample and plan.resample.origin is not None:
        if given is not None:
            raise InvalidPlan(
                "plan.origin and plan.resample.origin are both given",
                field="plan.origin",
                constraint="either plan.origin or plan.resample.origin",
            )
        given = plan.resample.origin
    if given is None:
        if grain.unit != "week":
            return EPOCH
        return EPOCH + dt.timedelta(days=(WEEKDAYS.index(plan.week_start) - EPOCH.weekday()) % 7)
    try:
        moment = dt.datetime.fromisoformat(given)
        shown = moment.astimezone(zone(plan.timezone)).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise InvalidPlan(
            f'"{shortened(given)}" is no moment at which a bucket could begin', field=field, constraint=ORIGIN
        ) from None
    if shown.microsecond % 1000 or re.search(r"[.,][0-9]{3}0*[1-9]", given):
        raise InvalidPlan(f'"{shortened(given)}" is finer than a millisecond', field=field, constraint=ORIGIN)
    if "months" in UNITS[grain.unit] and shown.day > LAST_COMMON_DAY:
        raise InvalidPlan(
            f"not every month has a day {shown.day} for a bucket to begin on",
            field=field,
            constraint=f"a day from 1 to {LAST_COMMON_DAY}",
        )
    weekday = WEEKDAYS[shown.weekday()]
    if grain.unit == "week" and "week_start" in plan.model_fields_set and weekday != plan.week_start:
        raise InvalidPlan(
            f"a week cannot begin on {plan.week_start.capitalize()} and at {shown}, a {weekday.capitalize()}",
            field="plan.week_start",
            constraint="the weekday of the origin, or nothing",
            suggestion=[weekday],
        )
    return shown


def _origin_place(plan: Plan) -> str:
    return "plan.resample.origin" if plan.resample and plan.resample.origin is not None else "plan.origin"


def _only_temporal(columns: Columns, place: str) -> str:
    candidates = _temporal(columns)
    if len(candidates) == 1:
        return candidates[0]
    found = f"has {len(candidates)} of them: {listed(candidates)}" if candidates else "has none"
    raise InvalidPlan(
        f"{place} needs a date or timestamp column, and the data set {found}",
        field="plan.time_col",
        constraint="the name of a date or timestamp column",
        suggestion=candidates,
    )


def _temporal(columns: Columns) -> list[str]:
    return [name for name in columns if isinstance(columns.dtype(name), (nw.Date, nw.Datetime))]
