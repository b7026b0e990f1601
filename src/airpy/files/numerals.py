"""Tells from the bytes of CSV files whether a parser would take a code in them for a number.

Polars reads `007` as seven and `+49170` as a number. That a column has such values may first show far behind
the rows that decided its type. To look at the bytes costs a tenth of what a query over them does; to read all
numbers as text and judge each costs a quarter.
"""

from __future__ import annotations

import mmap
import re
from array import array
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["no_codes"]

BLOCK_BYTES = 4 * 1024 * 1024
CODE = "(?:0|\\+)[0-9]"
"""What a code may begin with, and a number does not. No longer pattern is found as fast."""


def no_codes(path: Path, delimiter: str, quote: str | None, line_end: str) -> bool:
    """Whether no cell of the file begins like a code. One that does may be of any column."""
    before = "".join(map(re.escape, {delimiter[-1], quote or delimiter[-1], line_end[-1]}))
    return not _found(path, f"[{before}]{CODE}", line_end[-1].encode())


def _found(path: Path, pattern: str, line_end: bytes) -> bool:
    with path.open("rb") as file:
        first = file.read(3).decode("latin-1")
    if len(first) < 2:  # noqa: PLR2004
        return False
    if re.match(CODE, first):
        return True
    with pa.memory_map(str(path)) as mapped, path.open("rb") as file:
        size = mapped.size()
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as seen:
            cuts = [0]
            while cuts[-1] < size:
                at = seen.find(line_end, cuts[-1] + BLOCK_BYTES)
                cuts.append(size if at < 0 else at)
        places = pa.py_buffer(array("q", cuts))  # `pa.array` would import pandas, if it is there
        blocks = pa.Array.from_buffers(
            pa.large_binary(), len(cuts) - 1, [None, places, mapped.read_buffer(size)]
        )
        frame = pl.DataFrame({"block": pl.Series(pl.from_arrow(blocks))}).lazy()
        try:
            found = frame.select(pl.col("block").cast(pl.String).str.contains(pattern).any())
            return bool(found.collect(engine="streaming").item())
        except pl.exceptions.InvalidOperationError:
            return True  # no UTF-8: the reader will say so, or not care
