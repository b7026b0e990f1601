"""Infers the types of text columns, and reads text as values of them."""

from __future__ import annotations

import polars as pl

__all__ = ["infer_types", "parse_text"]

# A text column has the first type whose pattern all its values match and which they can be parsed as.
# Numbers with leading zeros are codes, integers too long for the type are identifiers: both stay text.
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
TEXT_TYPES: tuple[tuple[str, pl.DataType], ...] = (
    (r"^(?i:true|false)$", pl.Boolean()),
    (r"^-?(?:0|[1-9][0-9]{0,18})$", pl.Int64()),
    (
        r"^(?:-?(?:(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?|(?i:nan|[+-]?inf))$",
        pl.Float64(),
    ),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", pl.Date()),
    (f"^{MOMENT}$", pl.Datetime("us")),
    (f"^{MOMENT}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})$", pl.Datetime("us", "UTC")),
)


def infer_types(text: pl.DataFrame) -> dict[str, pl.DataType]:
    """The type that all values of each text column support; text where there is none.

    Args:
        text: The columns as strings, with null where a value is missing. A column without values is text.

    Returns:
        A type for every column, in order. Integers beyond 64 bits stay text.
    """
    types: dict[str, pl.DataType] = {}
    for column in text:
        # What a series does goes through its name, which may look like a pattern.
        values = column.alias("").drop_nulls()
        types[column.name] = _inferred(values) if len(values) else pl.String()
    return types


def parse_text(text: pl.Expr, dtype: pl.DataType, *, strict: bool = True) -> pl.Expr:
    """The strings as values of a type that `infer_types` gives.

    A string that cannot be parsed fails the query, or is null when not `strict`.
    """
    match dtype:
        case pl.Boolean():
            words = {"true": True, "false": False}
            lower = text.str.to_lowercase()
            return (
                lower.replace_strict(words, return_dtype=pl.Boolean())
                if strict
                else lower.replace_strict(words, default=None, return_dtype=pl.Boolean())
            )
        case pl.Date():
            # To read this form is half the work of remembering the dates that were read.
            return text.str.to_date("%Y-%m-%d", strict=strict, cache=False)
        case pl.Datetime():
            form = "%Y-%m-%dT%H:%M:%S%.f" if dtype.time_zone is None else "%+"
            return text.str.replace(" ", "T", literal=True).str.strptime(dtype, form, strict=strict)
        case pl.String():
            return text
        case _:
            return text.cast(dtype, strict=strict)


def _inferred(values: pl.Series) -> pl.DataType:
    for pattern, dtype in TEXT_TYPES:
        # The first value rules most types out before the whole column is looked at.
        if values.head(1).str.contains(pattern).all() and values.str.contains(pattern).all():
            parsed = values.to_frame().select(parse_text(pl.first(), dtype, strict=False)).to_series()
            if parsed.null_count() == 0:
                return dtype
    return pl.String()
