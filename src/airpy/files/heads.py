"""Reads the first rows of a CSV file from its first bytes, so that the rest of a large one costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.files.opening import first_rows
from airpy.files.plain_csv import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.files.plain_csv import CsvFile

__all__ = ["head_of"]

LOOK_BYTES = 32 * 1024
"""So much of a file tells how long its lines are."""
MOST_BYTES = 32 * 1024 * 1024
"""What is held of a file; rows that need more are read from the file itself."""
MORE = 4
"""How much more is read where values with line ends in them, or later lines, made it too little."""


def head_of(file: CsvFile, rows: int | None, columns: Sequence[int] | None = None) -> pl.DataFrame:
    """The first rows of a file as text, or all of them when None; of these columns, or of all when None.

    What stands behind the bytes that are read changes nothing of a row that ends within them. So one row more
    is asked for: where it is there, those before it are whole.
    """
    if rows is not None:
        end = file.plain.line_end.encode()
        with file.readable.open("rb") as source:
            look = source.read(LOOK_BYTES)
            most = _most_bytes(look, max(look.count(end), 1), rows + file.plain.skip_lines + 1)
            while most <= MOST_BYTES:
                source.seek(0)
                content = source.read(most)
                whole = len(content) < most
                if not whole:
                    content = content[: content.rfind(end) + 1 or None]
                if (found := _found(file, content, rows + 1, columns)) is None:
                    break
                if whole or found.height > rows:
                    return found.head(rows)
                most *= MORE
    return first_rows(_narrowed(read([file], {}), columns), rows)


def _most_bytes(look: bytes, lines: int, wanted: int) -> int:
    """How many bytes have so many lines, and some more, if all of them are as long as the first."""
    return max(LOOK_BYTES, wanted * len(look) * 5 // (4 * lines))


def _found(file: CsvFile, content: bytes, rows: int, columns: Sequence[int] | None) -> pl.DataFrame | None:
    """At most so many rows of these bytes; None where the reader would not take them."""
    frame = read([file], {}, content=content)
    try:
        return _narrowed(frame, columns).head(rows).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return None


def _narrowed(frame: pl.LazyFrame, columns: Sequence[int] | None) -> pl.LazyFrame:
    return frame if columns is None else frame.select(pl.nth(columns))
