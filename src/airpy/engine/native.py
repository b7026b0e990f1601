"""What only Polars can do; everything else of a plan is written in Narwhals, and could run elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import narwhals as nw
import polars as pl

from airpy.engine.schema import type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from narwhals.dtypes import DType

    from airpy.engine.columns import Frame

__all__ = [
    "JoinWord",
    "coalesced_join",
    "exact_cast",
    "in_order",
    "lossless",
    "lossless_cast",
    "sliced",
    "stable_sort",
    "stable_unique",
]

JoinWord: TypeAlias = Literal["inner", "left", "right", "full", "semi", "anti", "cross"]


def coalesced_join(
    frame: Frame,
    other: Frame,
    on: list[str],
    *,
    how: JoinWord,
    ordered: bool,
) -> Frame:
    """The frames joined, each key once; in the order of the left side, then of the right, if `ordered`."""
    native = frame.to_native().join(
        other.to_native(),
        on=on or None,
        how=how,
        coalesce=None if how in {"semi", "anti", "cross"} else True,
        maintain_order="left_right" if ordered else None,
    )
    return nw.from_native(native)


def exact_cast(frame: Frame, column: str, dtype: DType) -> Frame:
    """The frame with one column cast; null where the type has no such value.

    Timestamps without a zone are in UTC.
    """
    native = frame.to_native()
    own, target = native.collect_schema()[column], nw.Schema({column: dtype}).to_polars()[column]
    cast = pl.col(column).cast(target, strict=False)
    exact = pl.when(cast.cast(own, strict=False) == pl.col(column)).then(cast)
    return nw.from_native(native.with_columns(exact.alias(column)))


def lossless_cast(frame: Frame, column: str, dtype: DType) -> Frame:
    """The frame with one column cast; a value that the type cannot hold fails the query and is named."""
    target = nw.Schema({column: dtype}).to_polars()[column]
    cast = pl.col(column).map_batches(
        lambda values: lossless(values, target), return_dtype=target, is_elementwise=True
    )
    return nw.from_native(frame.to_native().with_columns(cast))


def lossless(values: pl.Series, target: pl.DataType) -> pl.Series:
    """The values cast.

    Polars' own cast is strict about values out of range alone: it drops fractions, and times of day. A float
    may lose digits to a narrower one, as it did when it was made.

    Raises:
        InvalidOperationError: A value cannot be cast, or not without loss; worded as Polars words it.
    """
    converted = _converted(values, target)
    lost = values.filter(_is_lost(values, converted))
    if len(lost):
        examples = ", ".join(lost.head(5).cast(pl.String))
        raise pl.exceptions.InvalidOperationError(
            f"conversion from `{type_name(values.dtype)}` to `{type_name(target)}` failed in column "
            f"'{values.name}' for {len(lost)} out of {len(values)} values: [{examples}]"
        )
    return converted


def stable_sort(frame: Frame, by: Sequence[str], *, descending: list[bool], nulls_last: list[bool]) -> Frame:
    """The frame sorted; rows that compare equal keep their order."""
    ordered = frame.to_native().sort(
        list(by), descending=descending, nulls_last=nulls_last, maintain_order=True
    )
    return nw.from_native(ordered)


def in_order(frame: Frame, by: Sequence[str]) -> Frame:
    """The frame in ascending order, nulls last; rows that compare equal keep theirs."""
    return stable_sort(frame, by, descending=[False] * len(by), nulls_last=[True] * len(by))


def sliced(frame: Frame, offset: int, length: int | None) -> Frame:
    """The rows from the offset on, as many as wanted or all of them."""
    return nw.from_native(frame.to_native().slice(offset, length))


def stable_unique(frame: Frame, subset: list[str] | None, keep: Literal["first", "last", "none"]) -> Frame:
    """The frame without repeated rows, the others in their order."""
    return nw.from_native(frame.to_native().unique(subset, keep=keep, maintain_order=True))


def _converted(values: pl.Series, target: pl.DataType) -> pl.Series:
    if not isinstance(values.dtype, pl.String):
        return values.cast(target)
    match target:
        case pl.Boolean():
            known = {"true": True, "false": False}
            return values.str.to_lowercase().replace_strict(known, default=None, return_dtype=target)
        case pl.Date():
            return values.str.to_date("%Y-%m-%d")
        case pl.Datetime():
            return values.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us")
        case _:
            return values.cast(target)


def _is_lost(values: pl.Series, converted: pl.Series) -> pl.Series:
    """Which of the values did not survive their conversion."""
    match values.dtype, converted.dtype:
        case pl.String(), pl.Datetime():
            return values.str.contains(r"\.[0-9]{6}0*[1-9]")
        case pl.String(), pl.Float32() | pl.Float64():
            return converted.is_infinite() & ~values.str.contains("(?i)inf")
        case (pl.String(), _) | (_, pl.String()):
            return converted.is_null() & values.is_not_null()
        case source, target if source.is_float() and target.is_float():
            return converted.is_infinite() & values.is_finite()
        case _:
            return converted.cast(values.dtype, strict=False).ne_missing(values)
