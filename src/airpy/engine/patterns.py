"""Native Polars: patterns in the syntax of Rust's `regex`, which finds in linear time and has neither lookaround nor backreferences."""

from __future__ import annotations

import polars as pl

from airpy.engine.failures import message_of
from airpy.errors import InvalidPlan

__all__ = ["groups_of"]


def groups_of(pattern: str, field: str) -> list[str]:
    """What a replacement may call the pattern's groups: `0` for all of it, their numbers, their names.

    Raises:
        InvalidPlan: It is no pattern, or one too large to look for.
    """
    try:
        pl.select(pl.lit("").str.contains(pattern, strict=True))
        found = pl.select(pl.lit("").str.extract_groups(pattern)).to_series().dtype
    except pl.exceptions.PolarsError as error:
        raise InvalidPlan(
            f"the pattern cannot be read: {message_of(error).removeprefix('regex error: ')}",
            field=field,
            constraint="a pattern in the syntax of Rust's regex",
        ) from None
    names = [member.name for member in found.fields] if isinstance(found, pl.Struct) else []
    return list(dict.fromkeys(["0", *map(str, range(1, len(names) + 1)), *names]))
