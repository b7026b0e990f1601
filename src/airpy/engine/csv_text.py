"""Writes frames as CSV by RFC 4180, values in the forms that JSON has them in.

A header, lines that end in CR LF, UTF-8. Null is an empty field and empty text a quoted one; numbers are
written as short as they can be read back exactly, and nested values as JSON. A field that begins as a formula
of a spreadsheet does is data like any other, and not changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.encoding import json_ready

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["write_csv"]

BEGIN = '{"x":'
END = "}"


def write_csv(batches: Iterable[pl.DataFrame], target: Path) -> None:
    """Write the batches one after the other; the first may be empty, and gives the header."""
    with target.open("wb") as file:
        for number, batch in enumerate(batches):
            values = [_as_text(pl.nth(place), dtype) for place, dtype in enumerate(batch.schema.dtypes())]
            batch.select(values).write_csv(file, include_header=number == 0, line_terminator="\r\n")


def _as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The column in a type that Polars writes as a field in the right form."""
    ready = json_ready(column, dtype)
    quoted = isinstance(
        dtype, (pl.Duration, pl.Time)
    )  # as JSON; Polars has no CSV of one, and another of the other
    if not quoted and not dtype.is_nested():
        return ready
    encoded = pl.struct(ready.alias("x")).struct.json_encode().str.strip_prefix(BEGIN).str.strip_suffix(END)
    text = encoded.str.strip_chars('"') if quoted else encoded
    return pl.when(column.is_not_null()).then(text).name.keep()
