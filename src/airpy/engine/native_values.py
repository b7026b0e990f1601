"""What only Polars can do to single values: fill them from neighbours, replace them, take off accents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.engine.columns import Frame

__all__ = ["ACCENTS", "filled_from_neighbours", "replaced", "without_accents"]

ACCENTS = r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
"""Unicode's combining marks of no script of its own; those of others may be vowels."""


def filled_from_neighbours(
    frame: Frame, names: Sequence[str], strategy: Literal["forward", "backward"]
) -> Frame:
    """The frame with nulls replaced by the value before or after them, in the order of the rows."""
    filled = [pl.col(name).fill_null(strategy=strategy) for name in names]
    return nw.from_native(frame.to_native().with_columns(filled))


def replaced(frame: Frame, name: str, old: Sequence[Any], new: Sequence[Any]) -> Frame:
    """The frame with new values in place of old ones in one column, whose type stays."""
    native = frame.to_native()
    dtype = native.collect_schema()[name]
    kind = pl.String() if isinstance(dtype, pl.Categorical) else dtype
    column = pl.col(name).cast(kind).replace(pl.Series(old, dtype=kind), pl.Series(new, dtype=kind))
    return nw.from_native(native.with_columns(column.cast(dtype)))


def without_accents(frame: Frame, names: Sequence[str]) -> Frame:
    """The frame with plain letters in place of those with accents."""
    return nw.from_native(
        frame.to_native().with_columns(
            pl.col(name)
            .cast(pl.String)
            .str.normalize("NFD")
            .str.replace_all(ACCENTS, "")
            .str.normalize("NFC")
            for name in names
        )
    )
