"""Time buckets that are empty: what they hold, and by which end buckets are named; native Polars."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from airpy.engine.aggregations import aggregate_name
from airpy.engine.buckets import following, number_of_buckets, starts_between
from airpy.engine.columns import Columns, inner, type_word
from airpy.engine.grain import grid_of
from airpy.errors import CapExceeded, TypeMismatch, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.contract import AggregateFunction, Plan
    from airpy.engine.buckets import Grid
    from airpy.engine.columns import Frame

__all__ = ["MOST_BUCKETS", "resampled"]

MOST_BUCKETS = 10_000_000
"""Buckets that empty ones are filled in among, over all groups; a second each makes 115 days."""

COUNTS: frozenset[AggregateFunction] = frozenset(
    {"count", "count_valid", "count_missing", "n_unique", "approx_n_unique"}
)
"""What is 0 of no rows, and not null."""

NUMBERED, GROUP, WIDTH, AFTER = "\0numbered", "\0group", "\0width", "\0after"
NEXT = "\0next "
"""Columns beside the caller's, while empty buckets are filled in; none of the caller's has their names."""


def resampled(grouped: Frame, plan: Plan, keys: Sequence[str], bucket: str) -> Frame:
    """The groups with their empty buckets from each group's first bucket to its last, named by either end.

    Rows without a time are a bucket of their own, and nothing is filled in beside it.

    Args:
        grouped: One row for each bucket and group.
        plan: A plan with `resample`.
        keys: The inner names of the other keys.
        bucket: The inner name of the bucket.

    Raises:
        TypeMismatch: An aggregate has no zero, or no value half way to the next.
    """
    how, grid = plan.resample, grid_of(plan)
    if how is None:
        return grouped
    native = grouped.to_native()
    if how.fill != "none":
        _check_types(grouped, plan)
        schema = native.collect_schema()
        names = {inner(aggregate_name(item)): item.fn in COUNTS for item in plan.aggs or []}
        if how.fill == "linear":
            schema.update({name: pl.Float64() for name in names if not schema[name].is_float()})
        native = native.map_batches(
            partial(_filled, fill=how.fill, keys=keys, bucket=bucket, counts=names, grid=grid),
            # Whatever reaches the buckets beforehand changes which are first and last.
            predicate_pushdown=False,
            projection_pushdown=False,
            slice_pushdown=False,
            schema=schema,
        )
    if how.label == "right":
        native = native.with_columns(following(bucket, native.collect_schema()[bucket], grid).alias(bucket))
    return nw.from_native(native)


def _check_types(grouped: Frame, plan: Plan) -> None:
    """Refuse to fill in zeros, or what lies half way, where the type has none."""
    fill = plan.resample.fill if plan.resample else "none"
    if fill not in {"zero", "linear"}:
        return
    columns = Columns(grouped)
    for index, item in enumerate(plan.aggs or []):
        dtype = columns.dtype(aggregate_name(item))
        if not dtype.is_numeric() and not (fill == "zero" and isinstance(dtype, nw.Duration)):
            raise TypeMismatch(
                f'fill "{fill}" takes numbers, and aggregate "{shortened(aggregate_name(item))}" is of type '
                f"{type_word(dtype)}",
                field=f"plan.aggs[{index}]",
                constraint="numbers alone, or another fill",
                suggestion=["null", "previous", "next"],
            )


def _filled(
    grouped: pl.DataFrame, *, fill: str, keys: Sequence[str], bucket: str, counts: dict[str, bool], grid: Grid
) -> pl.DataFrame:
    """The groups with their empty buckets, in any order."""
    if fill == "linear":
        whole = [name for name in counts if not grouped.schema[name].is_float()]
        grouped = grouped.with_columns(pl.col(whole).cast(pl.Float64))
    timed = grouped.filter(pl.col(bucket).is_not_null())
    if timed.is_empty():
        return grouped
    _check_number(number_of_buckets(timed[bucket], grid))
    starts = starts_between(timed[bucket], grid)
    # Side by side and in order, each bucket reaches to the next of its group, and is repeated so often.
    timed = timed.with_row_index(GROUP)
    group = pl.col(GROUP).first().over(keys) if keys else pl.lit(0).alias(GROUP)
    number = starts.search_sorted(timed[bucket]).cast(pl.Int64)
    timed = timed.with_columns(group, number.alias(NUMBERED)).sort(GROUP, NUMBERED)
    width = (
        pl.when(pl.col(GROUP) == pl.col(GROUP).shift(-1))
        .then(pl.col(NUMBERED).shift(-1) - pl.col(NUMBERED))
        .otherwise(1)
    )
    later = [pl.col(name).shift(-1).alias(NEXT + name) for name in (bucket, *counts)]
    timed = timed.with_columns(width.alias(WIDTH), *(later if fill in {"next", "linear"} else []))
    _check_number(int(timed[WIDTH].sum()))
    rows = timed.with_columns(pl.int_ranges(0, WIDTH).alias(AFTER)).explode(AFTER)
    begins = starts.gather(rows.select(pl.col(NUMBERED) + pl.col(AFTER)).to_series())
    rows = rows.with_columns(begins.alias(AFTER + bucket))
    values = [
        _value(name, fill, bucket, grouped.schema[name], is_count=is_count)
        for name, is_count in counts.items()
    ]
    rows = rows.with_columns(values).with_columns(pl.col(AFTER + bucket).alias(bucket))
    return pl.concat([rows.select(grouped.columns), grouped.filter(pl.col(bucket).is_null())])


def _value(name: str, fill: str, bucket: str, dtype: pl.DataType, *, is_count: bool) -> pl.Expr:
    """An aggregate of each bucket, whose rows are those of the bucket that was there before it."""
    value, later = pl.col(name), pl.col(NEXT + name)
    match fill:
        case "previous":
            return value
        case "next":
            empty = later
        case "linear":
            begin, here, end = (pl.col(one).cast(pl.Int64) for one in (bucket, AFTER + bucket, NEXT + bucket))
            empty = value + (later - value) * ((here - begin) / (end - begin))
        case _:
            empty = pl.lit(0 if is_count or fill == "zero" else None).cast(dtype)
    return pl.when(pl.col(AFTER) == 0).then(value).otherwise(empty).cast(dtype).alias(name)


def _check_number(buckets: int) -> None:
    if buckets > MOST_BUCKETS:
        raise CapExceeded(
            f"there are {buckets:,} buckets from the first to the last; empty ones are filled in among "
            f"{MOST_BUCKETS:,} at most",
            reason="TOO_LARGE",
            field="plan.resample.every",
            constraint=f"at most {MOST_BUCKETS:,} buckets over all groups",
        )
