"""Decides the types of text columns by evidence: the type that all values support, and what speaks for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.oddities import odd_text, odd_type
from airpy.engine.schema import CASTS, type_name
from airpy.engine.text_forms import FORMS, PLAIN, family, forms_of
from airpy.engine.text_types import STRING, TextType, plain_of
from airpy.engine.trials import MOST_EXAMPLES, Candidate, Trial, counter_examples, read_alike, trials_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airpy.contract import CastType, ReadOptions

__all__ = ["DOUBT", "Evidence", "Judged", "Rules", "decided", "infer_types", "judged", "rules_of"]

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


DOUBT = 0.5
"""The confidence in what can be read in two ways, or is nothing."""


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


class Judged(NamedTuple):
    """The type of a text column, without what is only told of it."""

    evidence: Evidence
    """The type and its nulls: all that reading takes. Without candidates, notes and the confidence."""
    explained: Callable[[], Evidence]
    """The same with all that speaks for it, for those who ask."""


def infer_types(text: pl.DataFrame) -> dict[str, pl.DataType]:
    """The type that all values of each text column support as they are plainly written; else text."""
    rules = Rules(PLAIN, (), ())
    return {name: column.evidence.kind.dtype for name, column in judged(text, rules).items()}


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
    return {name: column.explained() for name, column in judged(text, rules or Rules(), full=full).items()}


def judged(text: pl.DataFrame, rules: Rules, *, full: bool = False) -> dict[str, Judged]:
    """The type of each text column, in order, and why when that is asked; of the same as in `decided`."""
    if rules.raw:
        raw = (Evidence(STRING, (), len(column) - (no := column.null_count()), no) for column in text)
        return {
            name: Judged(column, partial(_same, column))
            for name, column in zip(text.columns, raw, strict=True)
        }
    # What a frame does goes through its names, which may look like patterns.
    plain = text.clone()
    plain.columns = list(map(str, range(text.width)))
    is_marker = pl.all().is_in(list(rules.markers))
    any_marked = plain.select(is_marker.any()).row(0) if text.height and text.width else (False,) * text.width
    columns: list[pl.Series] = []
    marked: list[dict[str, int]] = []
    for column, has_markers in zip(plain, any_marked, strict=True):
        if has_markers:
            mask = column.is_in(list(rules.markers))
            counts = column.filter(mask).value_counts().rows()
            marked.append(dict(sorted(counts, key=lambda pair: (-pair[1], pair[0]))))
            columns.append(column.set(mask, None))
        else:
            marked.append({})
            columns.append(column)
    forms = [family(rules.asked[name]) if name in rules.asked else rules.forms for name in text.columns]
    tried = trials_of(columns, forms)
    return {
        name: _given(plain.to_series(place), columns[place], marked[place], tried[place], name, rules)
        if name in rules.asked
        else _weighed(plain.to_series(place), columns[place], marked[place], tried[place], rules, full=full)
        for place, name in enumerate(text.columns)
    }


def _same(column: Evidence) -> Evidence:
    """Evidence of which there is no more to tell."""
    return column


def _given(
    raw: pl.Series,
    values: pl.Series,
    marked: Mapping[str, int],
    tried: Sequence[Trial],
    name: str,
    rules: Rules,
) -> Judged:
    """A column whose type the caller gives; how it is written is found out."""
    dtype = CASTS[rules.asked[name]]
    if dtype == pl.String:
        column = Evidence(STRING, (), len(raw) - raw.null_count(), raw.null_count(), note="as asked")
        return Judged(column, partial(_same, column))
    count = len(values) - values.null_count()
    taking = [each.kind for each in tried if count and each.accepted == count]
    alike = all(read_alike(values, taking[0], kind) for kind in taking[1:])
    kind = taking[0] if taking and alike and taking[0].form else plain_of(dtype)
    if dtype.is_numeric():
        kind = kind._replace(dtype=dtype)
    nulls = raw.null_count() + sum(marked.values())
    column = Evidence(kind, rules.markers, count, nulls, marked, (), 1.0, "as asked")
    return Judged(column, partial(_same, column))


def _weighed(
    raw: pl.Series,
    values: pl.Series,
    marked: Mapping[str, int],
    tried: Sequence[Trial],
    rules: Rules,
    *,
    full: bool,
) -> Judged:
    count = len(values) - values.null_count()
    taking = [each for each in tried if count and each.accepted == count and _whole_pair(each.kind, values)]
    rivals = [each for each in taking[1:] if not read_alike(values, taking[0].kind, each.kind)]
    sure = bool(taking) and not (rivals and taking[0].kind.form)
    kind = taking[0].kind if sure else STRING
    null = _markers(kind, rules) if sure else rules.markers_in_text
    seen = {marker: times for marker, times in marked.items() if marker in null}
    nulls = raw.null_count() + sum(seen.values())
    column = Evidence(kind, null, len(raw) - nulls, nulls, seen)

    def explained() -> Evidence:
        confidence = DOUBT if rivals else 1.0 if full else (count + 1) / (count + 2)
        note = _ambiguity(values, taking[0], rivals) if rivals else None
        candidates = tuple(
            Candidate(
                each.kind,
                each.accepted,
                counter_examples(values, each.takes) if each.accepted < count else (),
            )
            for each in sorted(tried, key=lambda each: -each.accepted)
        )
        if not sure:
            confidence = confidence if note else 1.0 if count else DOUBT
            return _as_text(column, raw, marked, candidates, note, confidence)
        ordered = sorted(candidates, key=lambda each: each.kind != kind)
        return column._replace(
            candidates=tuple(ordered), confidence=confidence, note=note or odd_type(kind, values)
        )

    return Judged(column, explained)


def _ambiguity(values: pl.Series, first: Trial, rivals: Sequence[Trial]) -> str:
    """What to say of values that can be read in several ways."""
    ways = (first, *_unlike(values, rivals))
    both = " or ".join(each.kind.form or type_name(each.kind.dtype) for each in ways)
    if not first.kind.form:
        return f"{both}: no value tells, and it is read plainly"
    option = "date_format" if first.kind.dtype.is_temporal() else "decimal"
    return f"{both}: no value tells; `read.{option}` does"


def _markers(kind: TextType, rules: Rules) -> tuple[str, ...]:
    """What stands for null in a column of the type; not a number is a float's own value."""
    if kind.dtype.is_float() and not kind.form:
        return tuple(marker for marker in rules.markers if marker.lower() != "nan")
    return rules.markers


def _unlike(values: pl.Series, rivals: Sequence[Trial]) -> list[Trial]:
    """Those of the types that read the values in ways of their own."""
    unlike: list[Trial] = []
    for rival in rivals:
        if not any(read_alike(values, other.kind, rival.kind) for other in unlike):
            unlike.append(rival)
    return unlike


def _as_text(
    column: Evidence,
    raw: pl.Series,
    marked: Mapping[str, int],
    candidates: tuple[Candidate, ...],
    note: str | None,
    confidence: float,
) -> Evidence:
    """A column that is text; what may be a word in it is one."""
    words = [marker for marker in marked if marker not in column.null_markers and marker]
    notes = [note] if note else odd_text(raw, candidates)
    if words:
        shown = ", ".join(map(repr, words[:MOST_EXAMPLES]))
        notes.append(f"{shown} taken for words; `read.null_markers` says otherwise")
    own = Candidate(STRING, column.values)
    return column._replace(
        candidates=(own, *candidates), confidence=confidence, note="; ".join(notes) or None
    )


def _whole_pair(kind: TextType, values: pl.Series) -> bool:
    """Whether both letters of a pair are there; one alone may stand for anything."""
    if not isinstance(kind.dtype, pl.Boolean) or len(kind.words[0]) > 1:
        return True
    return values.drop_nulls().str.to_lowercase().n_unique() > 1
