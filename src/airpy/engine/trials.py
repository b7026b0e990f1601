"""Tries forms of text on the values of columns: how many each takes, and which values speak against it."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.text_forms import FORMS
from airpy.engine.text_types import TextType, fits, parse_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = [
    "MOST_EXAMPLES",
    "Candidate",
    "Trial",
    "compile_forms",
    "counter_examples",
    "keeps_digits",
    "read_alike",
    "trials_of",
]

ROUNDS = 3
PROBES = 8
"""Values of a column that rule out most forms before the whole of it is looked at."""
MOST_EXAMPLES = 3
PATTERNS = dict.fromkeys(form.pattern for form in FORMS)
LONGEST_EXACT = 16
"""Of a number with fewer letters than that a float keeps every digit."""


class Candidate(NamedTuple):
    """A type that was tried on a column."""

    kind: TextType
    accepted: int
    counter_examples: tuple[tuple[int, str], ...] = ()
    """Values that it does not take, each with its place in the column."""


class Trial(NamedTuple):
    """A type on all values of a column."""

    kind: TextType
    takes: pl.Series
    """Which values it takes; null where there is none."""
    accepted: int


def trials_of(columns: Sequence[pl.Series], forms: Sequence[Sequence[TextType]]) -> list[list[Trial]]:
    """Each column's likely types on all its values, at once."""
    frame = pl.DataFrame(columns)
    tried: list[list[Trial]] = [[] for _ in columns]
    likely = [list(_likely_forms(*each)) for each in zip(_probes(frame), forms, strict=True)]
    for _ in range(ROUNDS):
        asked = [(place, kind) for place, kinds in enumerate(likely) for kind in kinds]
        if not asked:
            break
        floats = {place for place, kind in asked if kind.dtype.is_float()}
        takes = frame.lazy().select(
            fits(pl.nth(place), kind).alias(str(at)) for at, (place, kind) in enumerate(asked)
        )
        lengths = frame.lazy().select(
            pl.nth(place).str.len_bytes().max().alias(str(place)) for place in sorted(floats)
        )
        found, longest = pl.collect_all([takes, lengths])
        long = {int(name) for name in longest.columns if (longest[name].item() or 0) > LONGEST_EXACT}
        for (place, kind), mask in zip(asked, found, strict=True):
            if kind.dtype.is_float() and place in long:
                mask &= _keep_digits(columns[place], kind)  # noqa: PLW2901
            tried[place].append(Trial(kind, mask, int(mask.sum() or 0)))
        # A value that none of them takes may have a form that none of those had that were looked at.
        likely = [
            _next_likely(columns[place], tried[place], forms[place]) if kinds else []
            for place, kinds in enumerate(likely)
        ]
    return tried


def _likely_forms(probes: Iterable[str], forms: Sequence[TextType]) -> Iterator[TextType]:
    """The forms that some of the values have, and not only as values of a plainer form have it."""
    looks = {probe: _looks(probe) for probe in probes}
    found = frozenset[str]().union(*looks.values())
    for form in forms:
        if form.pattern in PATTERNS and form.pattern not in found:
            continue
        own = form.thousands or (form.decimal if form.decimal != "." else "")
        if any(
            (form.pattern in known or (form.pattern not in PATTERNS and _matcher(form.pattern)(probe)))
            and (not own or any(letter in probe for letter in own))
            for probe, known in looks.items()
        ):
            yield form


def _probes(frame: pl.DataFrame) -> list[list[str]]:
    """A few of the values of each column, spread over it."""
    values = frame.height - frame.null_count().transpose().to_series() if frame.width else ()
    spread = frame.select(
        pl.nth(place).drop_nulls().gather_every(max(count // PROBES, 1)).head(PROBES).implode()
        for place, count in enumerate(values)
    )
    return [list(dict.fromkeys(column.item())) for column in spread]


def _next_likely(column: pl.Series, tried: Sequence[Trial], forms: Sequence[TextType]) -> list[TextType]:
    best = max(tried, key=lambda each: each.accepted)
    if best.accepted == len(column) - column.null_count():
        return []
    probes = [value for _, value in counter_examples(column, best.takes)]
    known = {each.kind for each in tried}
    return [form for form in _likely_forms(probes, forms) if form not in known] if probes else []


def compile_forms() -> None:
    """Compile what forms look like, once for all who come after; the engine is not asked."""
    _all_patterns()


@cache
def _all_patterns() -> re.Pattern[str]:
    """What matches every string, with a group for each of the patterns that match the whole of it."""
    return re.compile("".join(rf"(?:(?=(?:{pattern})\Z)()|)" for pattern in PATTERNS), re.DOTALL)


@lru_cache(maxsize=4096)
def _looks(value: str) -> frozenset[str]:
    """The patterns of forms that the value has."""
    found = _all_patterns().match(value)
    groups = found.groups() if found else ()
    return frozenset(pattern for pattern, group in zip(PATTERNS, groups, strict=True) if group is not None)


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern or ".*", re.DOTALL).fullmatch


def read_alike(values: pl.Series, one: TextType, other: TextType) -> bool:
    """Whether all values are the same in both types; what is plain is read in one way."""
    if not one.form and not other.form:
        return True
    if one.dtype.is_numeric() != other.dtype.is_numeric():
        return False
    if one.dtype.is_temporal() and one.dtype != other.dtype:
        return False
    read = values.to_frame().select(
        parse_text(pl.first(), one, strict=False).alias("one"),
        parse_text(pl.first(), other, strict=False).alias("other"),
    )
    return bool(read.select(pl.col("one").eq_missing(pl.col("other")).all()).item())


def counter_examples(values: pl.Series, takes: pl.Series) -> tuple[tuple[int, str], ...]:
    """The first values that a type does not take, each with its place."""
    refused = takes.not_().fill_null(value=False)
    if not refused.any():
        return ()
    places = refused.arg_true().head(MOST_EXAMPLES)
    return tuple(zip(places.to_list(), values.gather(places).to_list(), strict=True))


def _keep_digits(values: pl.Series, kind: TextType) -> pl.Series:
    """Whether a float keeps every digit of each value."""
    places = (values.str.len_bytes() > LONGEST_EXACT).arg_true()
    return pl.repeat(value=True, n=len(values), eager=True).scatter(
        places, [keeps_digits(value, kind) for value in values.gather(places)]
    )


def keeps_digits(value: str, kind: TextType) -> bool:
    """Whether a float that is written with as many digits is the number again."""
    for letter in kind.thousands:
        value = value.replace(letter, "")
    value = value.replace(kind.decimal, ".")
    try:
        number = Decimal(value)
        _, digits, exponent = number.as_tuple()
    except ArithmeticError:
        return True
    if not isinstance(exponent, int) or len(digits) <= LONGEST_EXACT - 1:
        return True
    return Decimal(f"{float(value):.{len(digits) - 1}e}") == number
