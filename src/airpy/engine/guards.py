"""Stops a join that makes too many rows, or whose keys occur more often than the plan says; native Polars.

They look at rows as they pass. No row is read twice for it, and filters and projections go through.
"""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import narwhals as nw

from airpy.engine.columns import outer
from airpy.errors import CapExceeded, InvalidPlan, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from airpy.contract import JoinCardinality
    from airpy.engine.columns import Frame

__all__ = ["limited", "once"]


def limited(frame: Frame, most: int, field: str) -> Frame:
    """The rows of a join that may make so many; more of them fail the job with a `CapExceeded`.

    Rows that are made again are counted again.
    """
    counter = _Counter(most, field)
    return nw.from_native(
        frame.to_native().map_batches(
            counter.passed,
            predicate_pushdown=True,
            projection_pushdown=True,
            slice_pushdown=True,
            validate_output_schema=False,
            streamable=True,
        )
    )


def once(frame: Frame, keys: Sequence[str], side: str, validate: JoinCardinality, field: str) -> Frame:
    """A side of a join in which a key may occur once; an `InvalidPlan` fails the job that finds one twice.

    Null is no key.
    """
    check = partial(_checked, keys=list(keys), side=side, validate=validate, field=field)
    # A filter that reached the rows beforehand could hide a key that occurs twice.
    return nw.from_native(
        frame.to_native().map_batches(
            check, projection_pushdown=True, predicate_pushdown=False, validate_output_schema=False
        )
    )


class _Counter:
    """Counts rows as they pass, on whichever thread."""

    def __init__(self, most: int, field: str) -> None:
        self._most, self._field = most, field
        self._rows = 0
        self._lock = Lock()

    def passed(self, rows: pl.DataFrame) -> pl.DataFrame:
        with self._lock:
            self._rows += rows.height
        if self._rows > self._most:
            raise CapExceeded(
                f"the join makes more than {self._most:,} rows; its keys may occur often on both sides",
                reason="TOO_LARGE",
                field=self._field,
                constraint=f"at most {self._most:,} rows (PY_MAX_JOIN_ROWS)",
            )
        return rows


def _checked(
    rows: pl.DataFrame, *, keys: list[str], side: str, validate: JoinCardinality, field: str
) -> pl.DataFrame:
    found = rows.select(keys).drop_nulls()
    if found.n_unique() == found.height:
        return rows
    (*values, number) = (
        found.filter(found.is_duplicated()).group_by(keys, maintain_order=True).len("\0rows").row(0)
    )
    example = ", ".join(f"{shortened(outer(key))} = {value}" for key, value in zip(keys, values, strict=True))
    one, _, two = validate.partition(":")
    raise InvalidPlan(
        f"the join is to be {validate}, and a key occurs {number:,} times on the {side}: "
        f"{shortened(example, 200)}",
        field=f"{field}.validate",
        constraint=f"keys that occur once on the {side}, or another cardinality",
        suggestion=[f"m:{two}" if side == "left" else f"{one}:m"],
    )
