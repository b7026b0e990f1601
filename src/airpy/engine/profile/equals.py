"""Filters for the rows that have one value, in forms that survive JSON; none where no filter can name it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import narwhals as nw

from airpy.contract import Filter
from airpy.engine.encoding import json_values
from airpy.engine.literals import literal
from airpy.engine.profile.conditions import leaf, opposite
from airpy.errors import TypeMismatch

if TYPE_CHECKING:
    import polars as pl

__all__ = ["equal_to", "is_taken"]

UTC = ZoneInfo("UTC")


def equal_to(column: str, value: pl.Series) -> Filter | None:
    """Selects the rows with this value; None of durations, bytes, and times finer than filters take.

    Args:
        column: Its name.
        value: A series of the one value, in the column's type.
    """
    if value.null_count():
        return leaf(column, "is_null")
    if value.dtype.is_float() and not value.is_finite().all():
        if value.is_nan().all():
            return leaf(column, "is_nan")
        # JSON has no infinity; what is beyond all finite numbers is one.
        infinite = [opposite(leaf(column, "is_finite")), opposite(leaf(column, "is_nan"))]
        return Filter(all=[*infinite, leaf(column, ">" if (value > 0).all() else "<", 0)])
    (form,) = json_values(value)
    return leaf(column, "=", form) if is_taken(form, value.dtype) else None


def is_taken(form: Any, dtype: pl.DataType) -> bool:  # noqa: ANN401  a value as JSON has it
    """Whether filters of a column of this type take the value."""
    try:
        literal(form, nw.Schema.from_polars({"": dtype})[""], timezone=UTC, column="", field="")
    except TypeMismatch:
        return False
    return True
