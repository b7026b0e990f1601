"""Checks of text: what it hides, how it is written, and what went wrong before it came here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.engine.profile.findings import Finding, either, leaf, negated, share_of
from airpy.engine.profile.kinds import KINDS
from airpy.engine.profile.tallies import DAMAGE, MARKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airpy.contract import ColumnMetrics, TextKind
    from airpy.engine.profile.findings import Facts

__all__ = ["TEXT_CHECKS"]

LEAST_LENGTH = 20
"""Characters; of shorter text, many values are as long as the longest."""
MOST_LENGTH = 1000
LEAST_CUT = 5
"""Different texts that are as long as the longest; of categories, few happen to be."""
LEAST_ZEROS = 0.05
MOST_VARIANTS = 1000


def mixed_types(facts: Facts) -> Iterator[Finding]:
    """Text holds both numbers and words; the fewer of the two are affected."""
    threshold = facts.thresholds.mixed_types
    for column, share in _shares(facts, "numbers"):
        if threshold <= share <= 1 - threshold:
            operator, fewer = ("regex", "numbers") if share <= 0.5 else ("not_regex", "other text")  # noqa: PLR2004
            detail = (
                f"{column.name} holds numbers and other text ({share:.1%} numbers); {fewer} are the fewer"
            )
            yield Finding(
                "warning",
                detail,
                [leaf(column.name, operator, KINDS["number"])],
                column.name,
                value=share,
                threshold=threshold,
            )


def numbers_as_text(facts: Facts) -> Iterator[Finding]:
    """Text is numbers throughout, or nearly so, and none of them has a leading zero that would be lost."""
    threshold = 1 - facts.thresholds.mixed_types
    places = {column.name: place for place, column in enumerate(facts.columns)}
    for column, share in _shares(facts, "numbers"):
        if share > threshold and not facts.tally(places[column.name], "leading_zeros"):
            detail = f"{column.name} holds numbers as text"
            yield _of_kind(column, detail, "number", share, threshold)


def dates_as_text(facts: Facts) -> Iterator[Finding]:
    """Text is dates throughout, or nearly so."""
    threshold = 1 - facts.thresholds.mixed_types
    for column, share in _shares(facts, "dates"):
        if share > threshold:
            yield _of_kind(column, f"{column.name} holds dates as text", "date", share, threshold)


def leading_zeros(facts: Facts) -> Iterator[Finding]:
    """Digits begin with a zero, which is lost when they are read as a number."""
    for column, share in _shares(facts, "leading_zeros"):
        if share >= LEAST_ZEROS:
            detail = f"{column.name} has leading zeros; it is a code, not a number"
            yield _of_kind(column, detail, "leading_zeros", share, LEAST_ZEROS)


def whitespace(facts: Facts) -> Iterator[Finding]:
    """Text begins or ends with white space."""
    for column, share in _shares(facts, "whitespace"):
        around = [leaf(column.name, "regex", r"^\s|\s$"), negated(leaf(column.name, "is_blank"))]
        detail = f"{column.name} has white space around its values"
        yield Finding("info", detail, around, column.name, value=share)


def blank_strings(facts: Facts) -> Iterator[Finding]:
    """Text is empty, or white space alone."""
    for column, share in _shares(facts, "blank"):
        detail = f"{column.name} has blank values, which are not null"
        yield Finding("info", detail, [leaf(column.name, "is_blank")], column.name, value=share)


def null_markers(facts: Facts) -> Iterator[Finding]:
    """Text stands for nothing, as NA does."""
    for column, share in _shares(facts, "markers"):
        detail = f"{column.name} has texts that stand for nothing, as NA does"
        yield Finding("warning", detail, [leaf(column.name, "in", list(MARKERS))], column.name, value=share)


def encoding_damage(facts: Facts) -> Iterator[Finding]:
    """Letters were read in another encoding than they were written in."""
    for column, share in _shares(facts, "damage"):
        damaged = either([leaf(column.name, "contains", text) for text in DAMAGE])
        detail = f"{column.name} has letters that were read in a wrong encoding"
        yield Finding("warning", detail, [damaged], column.name, value=share)


def case_variants(facts: Facts) -> Iterator[Finding]:
    """Values differ only in case or white space around them; all but the most frequent are affected."""
    for place, column in enumerate(facts.columns):
        frequent = facts.state.columns[place].frequent
        if column.text is None or frequent is None or not frequent.known:
            continue
        values = frequent.values.to_list()  # the most frequent comes first
        first: dict[str, str] = {}
        others = [value for value in values if first.setdefault(value.strip().casefold(), value) != value]
        if 0 < len(others) <= MOST_VARIANTS:
            are = "value that is another way" if len(others) == 1 else "values that are other ways"
            detail = f"{column.name} has {len(others):,} {are} to write a more frequent one"
            yield Finding(
                "warning", detail, [leaf(column.name, "in", others)], column.name, value=len(others)
            )


def truncated_text(facts: Facts) -> Iterator[Finding]:
    """Many values are exactly as long as the longest, as if they had been cut off there."""
    threshold = facts.thresholds.truncated
    for place, column in enumerate(facts.columns):
        if column.text is None or not LEAST_LENGTH <= column.text.max_length <= MOST_LENGTH:
            continue
        if column.text.min_length == column.text.max_length:
            continue
        texts = facts.state.texts(place)
        longest = texts.filter(texts.str.len_chars() == column.text.max_length)
        share = share_of(len(longest), len(texts))
        if share >= threshold and longest.n_unique() >= LEAST_CUT:
            length = column.text.max_length
            detail = (
                f"{column.name} may be cut off: {share:.1%} of its values have exactly {length} characters"
            )
            whole = leaf(column.name, "regex", f"^(?s:.){{{length}}}$")
            yield Finding("warning", detail, [whole], column.name, value=share, threshold=threshold)


def pii_suspected(facts: Facts) -> Iterator[Finding]:
    """Values look like personal data."""
    threshold = facts.thresholds.personal
    for column in facts.columns:
        found = [each for each in column.personal or [] if each.share >= threshold]
        for each in found:
            detail = f"{column.name} may hold personal data: {each.kind} in {each.share:.1%} of its values"
            yield _of_kind(column, detail, each.kind, each.share, threshold)._replace(severity="warning")


def _shares(facts: Facts, tally: str) -> Iterator[tuple[ColumnMetrics, float]]:
    """The columns of text that have values so counted, and the share of their values that these are."""
    for place, column in enumerate(facts.columns):
        number = facts.tally(place, tally)
        if column.text is not None and number:
            yield column, share_of(number, column.count)


def _of_kind(column: ColumnMetrics, detail: str, kind: TextKind, share: float, threshold: float) -> Finding:
    wanted = [leaf(column.name, "regex", KINDS[kind])]
    return Finding(
        "info", detail, wanted, column.name, value=share, threshold=threshold, method=f"pattern: {kind}"
    )


TEXT_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    mixed_types,
    numbers_as_text,
    dates_as_text,
    leading_zeros,
    whitespace,
    blank_strings,
    null_markers,
    encoding_damage,
    case_variants,
    truncated_text,
    pii_suspected,
)
