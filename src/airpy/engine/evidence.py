"""Decides the types of text columns by evidence: the type that all values support, and what speaks for it."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.contract import ReadOptions
from airpy.engine.schema import type_name
from airpy.engine.text_forms import FORMS, PLAIN, family, forms_of, plain_of
from airpy.engine.text_types import STRING, TextType, fits, parse_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airpy.contract import CastType

__all__ = ["MOST_EXAMPLES", "Candidate", "Evidence", "Rules", "decided", "infer_types", "rules_of"]

MARKERS_IN_TEXT = ("NULL", "N/A", "n/a", "#N/A", "<NA>", "\\N", "(null)")
"""What is never a word, and so null in a column of text as well."""
MARKERS = (
    *MARKERS_IN_TEXT,
    *(
        "NA",
        "na",
        "null",
        "Null",
        "None",
        "none",
        "nan",
        "NaN",
        "NAN",
        "-nan",
        "#NA",
        "#N/A N/A",
        "nil",
        "NIL",
    ),
    *("-", "--", "---", ".", "?", ""),
)
"""What stands for null in a column whose other values have a type."""
ROUNDS = 3
PROBES = 8
"""Values of a column that rule out most forms before the whole of it is looked at."""
MOST_EXAMPLES = 3
LONGEST_EXACT = 16
"""Of a number with fewer letters than that a float keeps every digit."""

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


class Rules(NamedTuple):
    """What decides types."""

    forms: tuple[TextType, ...] = FORMS
    markers: tuple[str, ...] = MARKERS
    """What stands for null in a column that has a type."""
    markers_in_text: tuple[str, ...] = MARKERS_IN_TEXT
    """What stands for null in a column of text."""
    asked: Mapping[str, CastType] = {}
    """Columns whose type is given."""
    raw: bool = False
    """Whether every value is its text."""


class Candidate(NamedTuple):
    """A type that was tried on a column."""

    kind: TextType
    accepted: int
    counter_examples: tuple[tuple[int, str], ...] = ()
    """Values that it does not take, each with its place in the column."""


class Evidence(NamedTuple):
    """The type of a text column, and why."""

    kind: TextType
    markers: tuple[str, ...] = ()
    """What stands for null in it, seen or not."""
    values: int = 0
    nulls: int = 0
    null_markers: Mapping[str, int] = {}
    candidates: tuple[Candidate, ...] = ()
    confidence: float = 1.0
    note: str | None = None
    distinct: int | None = None
    """Distinct values, approximately, where all rows were counted."""


def infer_types(text: pl.DataFrame) -> dict[str, pl.DataType]:
    """The type that all values of each text column support as they are plainly written; else text."""
    rules = Rules(PLAIN, (), ())
    return {name: column.kind.dtype for name, column in decided(text, rules).items()}


def rules_of(options: ReadOptions) -> Rules:
    """What read options say about types.

    Raises:
        InvalidOptions: They contradict one another.
    """
    if options.types == "string":
        return Rules(raw=True, markers=(), markers_in_text=())
    rules = Rules(forms=forms_of(options), asked=options.types or {})
    if options.null_markers is not None:
        own = tuple(options.null_markers)
        rules = rules._replace(markers=own, markers_in_text=own)
    return rules


def decided(text: pl.DataFrame, rules: Rules | None = None, *, full: bool = False) -> dict[str, Evidence]:
    """The type of each text column, and why; in order.

    Args:
        text: The columns as strings, with null where a value is missing.
        rules: What decides.
        full: Whether these are all rows there are.
    """
    rules = rules or Rules()
    if rules.raw:
        return {
            column.name: Evidence(STRING, (), len(column) - column.null_count(), column.null_count())
            for column in text
        }
    # What a frame does goes through its names, which may look like patterns.
    plain = text.select(pl.nth(place).alias(str(place)) for place in range(text.width))
    is_marker = plain.select(pl.all().is_in(list(rules.markers))) if text.height else plain
    columns: list[pl.Series] = []
    marked: list[dict[str, int]] = []
    for column, mask in zip(plain, is_marker, strict=True):
        if text.height and mask.any():
            counts = column.filter(mask).value_counts().rows()
            marked.append(dict(sorted(counts, key=lambda pair: (-pair[1], pair[0]))))
            columns.append(column.set(mask, None))
        else:
            marked.append({})
            columns.append(column)
    forms = [family(rules.asked[name])[0] if name in rules.asked else rules.forms for name in text.columns]
    tried = _tried(columns, forms)
    return {
        name: _given(plain.to_series(place), columns[place], marked[place], tried[place], name, rules)
        if name in rules.asked
        else _weighed(plain.to_series(place), columns[place], marked[place], tried[place], rules, full=full)
        for place, name in enumerate(text.columns)
    }


class _Tried(NamedTuple):
    kind: TextType
    takes: pl.Series
    """Which values it takes; null where there is none."""
    accepted: int


def _tried(columns: Sequence[pl.Series], forms: Sequence[Sequence[TextType]]) -> list[list[_Tried]]:
    """Each column's likely types on all its values, at once."""
    frame = pl.DataFrame(columns)
    tried: list[list[_Tried]] = [[] for _ in columns]
    likely = [
        list(likely_forms(_probes(column), known)) for column, known in zip(columns, forms, strict=True)
    ]
    for _ in range(ROUNDS):
        asked = [(place, kind) for place, kinds in enumerate(likely) for kind in kinds]
        if not asked:
            break
        takes = frame.select(
            fits(pl.nth(place), kind).alias(str(at)) for at, (place, kind) in enumerate(asked)
        )
        for (place, kind), mask in zip(asked, takes, strict=True):
            if kind.dtype.is_float():
                mask &= keep_digits(columns[place], kind)  # noqa: PLW2901
            tried[place].append(_Tried(kind, mask, int(mask.sum() or 0)))
        # A value that none of them takes may have a form that none of those had that were looked at.
        likely = [
            _next_likely(columns[place], tried[place], forms[place]) if kinds else []
            for place, kinds in enumerate(likely)
        ]
    return tried


def likely_forms(probes: Iterable[str], forms: Sequence[TextType]) -> Iterator[TextType]:
    """The forms that some of the values have, and not only as values of a plainer form have it."""
    probes = list(probes)
    for form in forms:
        own = form.thousands or (form.decimal if form.decimal != "." else "")
        if any(
            _matcher(form.pattern)(probe) and (not own or any(letter in probe for letter in own))
            for probe in probes
        ):
            yield form


def _probes(column: pl.Series) -> list[str]:
    """A few of the values, spread over the column."""
    values = column.drop_nulls()
    return values.gather_every(max(len(values) // PROBES, 1)).head(PROBES).unique().to_list()


def _next_likely(column: pl.Series, tried: Sequence[_Tried], forms: Sequence[TextType]) -> list[TextType]:
    best = max(tried, key=lambda each: each.accepted)
    probes = [value for _, value in _counter_examples(column, best.takes)]
    known = {each.kind for each in tried}
    return [form for form in likely_forms(probes, forms) if form not in known] if probes else []


@lru_cache(maxsize=1024)
def _matcher(pattern: str):  # noqa: ANN202
    return re.compile(pattern or ".*", re.DOTALL).fullmatch


def _given(
    raw: pl.Series,
    values: pl.Series,
    marked: Mapping[str, int],
    tried: Sequence[_Tried],
    name: str,
    rules: Rules,
) -> Evidence:
    """A column whose type the caller gives; how it is written is found out."""
    dtype = family(rules.asked[name])[1]
    if dtype == pl.String:
        return Evidence(STRING, (), len(raw) - raw.null_count(), raw.null_count(), note="as asked")
    count = len(values) - values.null_count()
    taking = [each.kind for each in tried if count and each.accepted == count]
    alike = all(_read_alike(values, taking[0], kind) for kind in taking[1:])
    kind = taking[0] if taking and alike and taking[0].form else plain_of(dtype)
    if dtype.is_numeric():
        kind = kind._replace(dtype=dtype)
    nulls = raw.null_count() + sum(marked.values())
    return Evidence(kind, rules.markers, count, nulls, marked, (), 1.0, "as asked")


def _weighed(
    raw: pl.Series,
    values: pl.Series,
    marked: Mapping[str, int],
    tried: Sequence[_Tried],
    rules: Rules,
    *,
    full: bool,
) -> Evidence:
    count = len(values) - values.null_count()
    taking = [each for each in tried if count and each.accepted == count and _whole_pair(each.kind, values)]
    rivals = [each for each in taking[1:] if not _read_alike(values, taking[0].kind, each.kind)]
    chosen, note, confidence = None, None, (count + 1) / (count + 2) if not full else 1.0
    if taking and not rivals:
        chosen = taking[0].kind
    elif taking:
        both = " or ".join(
            each.kind.form or type_name(each.kind.dtype) for each in (taking[0], *_unlike(values, rivals))
        )
        option = "date_format" if taking[0].kind.dtype.is_temporal() else "decimal"
        confidence = 0.5
        if taking[0].kind.form:
            note = f"{both}: no value tells; `read.{option}` does"
        else:
            chosen, note = taking[0].kind, f"{both}: no value tells, and it is read plainly"
    candidates = tuple(
        Candidate(each.kind, each.accepted, _counter_examples(values, each.takes))
        for each in sorted(tried, key=lambda each: -each.accepted)
    )
    if chosen is not None:
        ordered = sorted(candidates, key=lambda each: each.kind != chosen)
        null = _markers(chosen, rules)
        marked = {marker: times for marker, times in marked.items() if marker in null}
        nulls = raw.null_count() + sum(marked.values())
        note = note or _odd_type(chosen, values)
        return Evidence(
            chosen, _markers(chosen, rules), len(raw) - nulls, nulls, marked, tuple(ordered), confidence, note
        )
    return _as_text(raw, marked, candidates, rules, note, confidence if note else (1.0 if count else 0.5))


def _markers(kind: TextType, rules: Rules) -> tuple[str, ...]:
    """What stands for null in a column of the type; not a number is a float's own value."""
    if kind.dtype.is_float() and not kind.form:
        return tuple(marker for marker in rules.markers if marker.lower() != "nan")
    return rules.markers


def _unlike(values: pl.Series, rivals: Sequence[_Tried]) -> list[_Tried]:
    """Those of the types that read the values in ways of their own."""
    unlike: list[_Tried] = []
    for rival in rivals:
        if not any(_read_alike(values, other.kind, rival.kind) for other in unlike):
            unlike.append(rival)
    return unlike


def _as_text(
    raw: pl.Series,
    marked: Mapping[str, int],
    candidates: tuple[Candidate, ...],
    rules: Rules,
    note: str | None,
    confidence: float,
) -> Evidence:
    """A column that is text; what may be a word in it is one."""
    null = {marker: count for marker, count in marked.items() if marker in rules.markers_in_text}
    words = [marker for marker in marked if marker not in null and marker]
    count = len(raw) - raw.null_count() - sum(null.values())
    notes = [note] if note else _odd_text(raw, candidates)
    if words:
        notes.append(
            f"{', '.join(map(repr, words[:MOST_EXAMPLES]))} taken for words; `read.null_markers` says otherwise"
        )
    own = Candidate(STRING, count)
    nulls = raw.null_count() + sum(null.values())
    return Evidence(
        STRING,
        rules.markers_in_text,
        count,
        nulls,
        null,
        (own, *candidates),
        confidence,
        "; ".join(notes) or None,
    )


def _whole_pair(kind: TextType, values: pl.Series) -> bool:
    """Whether both letters of a pair are there; one alone may stand for anything."""
    if not isinstance(kind.dtype, pl.Boolean) or len(kind.words[0]) > 1:
        return True
    return values.drop_nulls().str.to_lowercase().n_unique() > 1


def _read_alike(values: pl.Series, one: TextType, other: TextType) -> bool:
    """Whether all values are the same in both types."""
    if one.dtype.is_numeric() != other.dtype.is_numeric():
        return False
    if one.dtype.is_temporal() and one.dtype != other.dtype:
        return False
    read = values.to_frame().select(
        parse_text(pl.first(), one, strict=False).alias("one"),
        parse_text(pl.first(), other, strict=False).alias("other"),
    )
    return bool(read.select(pl.col("one").eq_missing(pl.col("other")).all()).item())


def _counter_examples(values: pl.Series, takes: pl.Series) -> tuple[tuple[int, str], ...]:
    refused = takes.not_().fill_null(value=False)
    if not refused.any():
        return ()
    places = refused.arg_true().head(MOST_EXAMPLES)
    return tuple(zip(places.to_list(), values.gather(places).to_list(), strict=True))


def _odd_text(raw: pl.Series, candidates: tuple[Candidate, ...]) -> list[str]:
    """What a person would want to know of a column that is text."""
    values = raw.drop_nulls()
    if not len(values):
        return []
    numbers = any(each.kind.dtype.is_numeric() for each in candidates)
    shares = values.to_frame().select(
        pl.first().str.contains(pattern).mean().alias(note) for pattern, note in (*NO_NUMBERS, *NOTES)
    )
    reasons = {note for _, note in NO_NUMBERS} if numbers else set()
    notes = [
        note for note, share in shares.row(0, named=True).items() if share > (0 if note in reasons else 0.5)
    ]
    for each in candidates:
        if each.kind.dtype.is_float() and not all(
            _keeps_digits(value, each.kind) for _, value in each.counter_examples
        ):
            return [*notes, "more digits than a float64 keeps"]
    return notes


def _odd_type(kind: TextType, values: pl.Series) -> str | None:
    """What a person would want to know of a column that has a type."""
    if kind.dtype.is_integer() and not kind.form:
        present = values.drop_nulls()
        if present.str.contains(r"^(?:19|20)[0-9]{6}$").all():
            days = present.str.to_date("%Y%m%d", strict=False)
            if days.null_count() == 0:
                return "could be dates; `read.date_format` of %Y%m%d reads them so"
    return None


def keep_digits(values: pl.Series, kind: TextType) -> pl.Series:
    """Whether a float keeps every digit of each value; true of what is no number."""
    long = values.str.len_bytes() > LONGEST_EXACT
    if not long.any():
        return pl.repeat(value=True, n=len(values), eager=True)
    places = long.arg_true()
    return pl.repeat(value=True, n=len(values), eager=True).scatter(
        places, [_keeps_digits(value, kind) for value in values.gather(places)]
    )


def _keeps_digits(value: str, kind: TextType) -> bool:
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
