"""What only Polars can do; everything else of a plan is written in Narwhals, and could run elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import narwhals as nw
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.engine.columns import Frame

__all__ = ["JoinWord", "coalesced_join", "stable_sort", "stable_unique", "truncated_dates", "truncated_times"]

JoinWord: TypeAlias = Literal["inner", "left", "right", "full", "semi", "anti"]


def coalesced_join(
    frame: Frame,
    other: Frame,
    left_on: list[str],
    right_on: list[str],
    *,
    how: JoinWord,
    suffix: str,
    ordered: bool,
) -> Frame:
    """The frames joined, each key once; in the order of the left side, then of the right, if `ordered`."""
    native = frame.to_native().join(
        other.to_native(),
        left_on=left_on,
        right_on=right_on,
        how=how,
        suffix=suffix,
        coalesce=None if how in {"semi", "anti"} else True,
        maintain_order="left_right" if ordered else None,
    )
    return nw.from_native(native)


def stable_sort(frame: Frame, by: Sequence[str], *, descending: list[bool], nulls_last: list[bool]) -> Frame:
    """The frame sorted; rows that compare equal keep their order."""
    ordered = frame.to_native().sort(
        list(by), descending=descending, nulls_last=nulls_last, maintain_order=True
    )
    return nw.from_native(ordered)


def stable_unique(frame: Frame, subset: list[str] | None, keep: Literal["first", "last", "none"]) -> Frame:
    """The frame without repeated rows, the others in their order."""
    return nw.from_native(frame.to_native().unique(subset, keep=keep, maintain_order=True))


def truncated_dates(frame: Frame, column: str, every: str, *, timezone: str, alias: str) -> Frame:
    """The frame with the day, week, month … that each value falls in, as the date it begins on.

    A day begins at midnight in `timezone`, a week on Monday. Timestamps without a zone are in UTC.
    """
    native = frame.to_native()
    date = pl.col(column)
    if isinstance(native.collect_schema()[column], pl.Datetime):
        date = _zoned(native, column).dt.convert_time_zone(timezone).dt.date()
    return nw.from_native(native.with_columns(date.dt.truncate(every).alias(alias)))


def truncated_times(frame: Frame, column: str, every: str, *, timezone: str, alias: str) -> Frame:
    """The frame with the hour, minute … that each timestamp falls in, as the timestamp it begins at."""
    native = frame.to_native()
    own = getattr(native.collect_schema()[column], "time_zone", None)
    bucket = _zoned(native, column).dt.convert_time_zone(timezone).dt.truncate(every)
    bucket = bucket.dt.convert_time_zone(own or "UTC")
    if own is None:
        bucket = bucket.dt.replace_time_zone(None)
    return nw.from_native(native.with_columns(bucket.alias(alias)))


def _zoned(frame: pl.LazyFrame, column: str) -> pl.Expr:
    own = getattr(frame.collect_schema()[column], "time_zone", None)
    return pl.col(column) if own else pl.col(column).dt.replace_time_zone("UTC")
