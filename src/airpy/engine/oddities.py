"""What a person would want to know of a column of text, beside its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.engine.trials import keeps_digits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.engine.text_types import TextType
    from airpy.engine.trials import Candidate

__all__ = ["odd_text", "odd_type"]

MOST_NOTED = 1000
"""Values of a column of text that are looked at for what a person would not call text."""

# Why a column with numbers in it is text, and what else a column of text may look like to a person.
NO_NUMBERS = (
    (r"^-?0[0-9]+(?:\.[0-9]+)?$", "leading zeros"),
    (r"^\+[0-9][0-9 ()/.-]*$", "telephone numbers, or numbers with a plus"),
    (r"^-?[0-9]{19,}$", "integers beyond 64 bits"),
    (r"^\s|\s$", "spaces around values"),
)
NOTES = (
    (r"^[+-]?[0-9.,]+ ?%$", "percentages"),
    (r"^[+-]?(?:[$€£¥]|[A-Z]{3} ) ?-?[0-9.,' ]+$|^[+-]?[0-9.,' ]+ ?(?:[$€£¥]|[A-Z]{3})$", "amounts of money"),
    (r"^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}$", "dates with years of two digits"),
    (r"\.[0-9]{7,9}(?:Z|[+-][0-9]{2}:?[0-9]{2})?$", "more than six digits of a second"),
)


def odd_text(raw: pl.Series, candidates: Sequence[Candidate]) -> list[str]:
    """What a person would want to know of a column that is text."""
    values = raw.drop_nulls()
    if not len(values):
        return []
    numbers = any(each.kind.dtype.is_numeric() for each in candidates)
    if not numbers:
        values = values.head(MOST_NOTED)
    shares = values.to_frame().select(
        pl.first().str.contains(pattern).mean().alias(note) for pattern, note in (*NO_NUMBERS, *NOTES)
    )
    reasons = {note for _, note in NO_NUMBERS} if numbers else set()
    notes = [
        note for note, share in shares.row(0, named=True).items() if share > (0 if note in reasons else 0.5)
    ]
    for each in candidates:
        if each.kind.dtype.is_float() and not all(
            keeps_digits(value, each.kind) for _, value in each.counter_examples
        ):
            return [*notes, "more digits than a float64 keeps"]
    return notes


def odd_type(kind: TextType, values: pl.Series) -> str | None:
    """What a person would want to know of a column that has a type."""
    if kind.dtype.is_integer() and not kind.form:
        present = values.drop_nulls()
        if present.str.contains(r"^(?:19|20)[0-9]{6}$").all():
            days = present.str.to_date("%Y%m%d", strict=False)
            if days.null_count() == 0:
                return "could be dates; `read.date_format` of %Y%m%d reads them so"
    return None
