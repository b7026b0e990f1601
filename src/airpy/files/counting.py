"""Counts the rows of a data set, or estimates them where counting would take long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.files.listing import estimated_rows

if TYPE_CHECKING:
    from airpy.files.datasets import Dataset

__all__ = ["COUNTED_BYTES", "total_rows"]

COUNTED_BYTES = 64 * 1024 * 1024
"""Text up to this size is counted to the row; above it, the number of rows is estimated."""


def total_rows(dataset: Dataset, frame: pl.LazyFrame, *, whole: bool = True) -> tuple[int, bool]:
    """Rows of the data set, and whether that is their exact number; where not all is there, of what is.

    Args:
        dataset: The files.
        frame: All of their rows.
        whole: Whether they are all in the frame.
    """
    if dataset.format == "parquet" or not whole or sum(map(dataset.size, dataset.files)) <= COUNTED_BYTES:
        return int(frame.select(pl.len()).collect(engine="streaming").item()), whole
    return sum(estimated_rows(dataset.place(path)) or 0 for path in dataset.files), False
