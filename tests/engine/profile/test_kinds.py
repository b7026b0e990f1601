from __future__ import annotations

from pathlib import Path
from typing import get_args

import polars as pl
import pytest

from airpy.contract import AnalyzeOptions, TextKind
from airpy.engine.profile.kinds import KINDS, PERSONAL, found_kinds, found_patterns
from airpy.engine.profile.redaction import redacted
from airpy.engine.profile.report import report
from tests.engine.profile.issue_filters import assert_filters_select

NAUGHTY = Path(__file__).parents[4] / "shared" / "corpora" / "naughty-strings" / "blns.txt"

OF_KIND: dict[TextKind, list[str]] = {
    "email": ["jane@example.org", "a.b+c@sub.example.co.uk", "o'neil@x.io", "j_d@x-y.museum"],
    "url": ["https://example.org", "HTTP://example.org/a?b=c#d", "ftp://example.org/file"],
    "uuid": ["550e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-446655440000"],
    "ip": ["192.168.0.1", "8.8.8.8", "2001:db8::1", "::1", "fe80:0:0:0:0:0:c0a8:1", "2001:db8::"],
    "json": ['{"a": 1}', "[1, 2]", "[]", " {} "],
    "date": ["2025-09-01", "01.09.2025", "9/1/25", "1 Sep 2025", "Sep 1, 2025", "2025-09-01T12:30:00.5Z"],
    "number": ["7", "-1.5", "1,234,567.8", "6.02e23", " .5 "],
    "leading_zeros": ["01067", "007"],
    "phone": ["+49 30 123456", "+1 (555) 123-4567", "(555) 123-4567", "555-123-4567", "+33 1 23 45 67 89"],
    # Numbers that issuers publish for tests.
    "credit_card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "3714 496353 98431"],
    # Examples of the registry of ISO 13616.
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "NO93 8601 1117 947"],
    "ssn": ["078-05-1120", "219-09-9999"],
}
HARMLESS = [
    "12:30",
    "12:30:00",
    "23:59:59.999",
    "2025-09-01",
    "2025-09-01T12:30:00+02:00",
    "01.09.2025",
    "1.2.3",
    "10.0.19041",
    "v2.14.3-rc1",
    "$1,234.50",
    "1.234,50 EUR",
    "1 234 567",
    "+5",
    "+12 345",
    "-273.15",
    "12345",
    "0123456789",
    "1234567890123456",
    "550e8400-e29b-41d4-a716-446655440000",
    "SKU-1234-5678",
    "ORD20250901000123",
    "AB12CD34EF56GH78",
    "00:1A:2B:3C:4D:5E",
    "300.1.1.1",
    "::",
    "a@b",
    "@user",
    "123-45-67",
]
NEARLY = {
    "4111 1111 1111 1112": "a check digit of ISO/IEC 7812 that is wrong",
    "DE88 3704 0044 0532 0130 00": "check digits of ISO 13616 that are wrong",
    "DE89 3704": "an IBAN that is too short",
    "000-12-3456": "no area",
    "666-12-3456": "an area that was never given",
    "900-12-3456": "the number of a taxpayer",
    "123-00-4567": "no group",
    "123-45-0000": "no serial number",
}


def kinds_of(text: str) -> set[TextKind]:
    (found,) = found_kinds([pl.Series([text])])
    return set(found)


def test_each_kind_of_the_contract_has_a_pattern_and_examples() -> None:
    assert set(KINDS) == set(OF_KIND) == set(get_args(TextKind.__value__))


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in OF_KIND.items() for text in texts]
)
def test_a_value_is_known_by_its_pattern(kind: TextKind, text: str) -> None:
    assert kind in kinds_of(text)


@pytest.mark.parametrize("text", [*HARMLESS, *NEARLY])
def test_what_only_looks_a_little_like_it_is_no_personal_data(text: str) -> None:
    assert kinds_of(text) & set(PERSONAL) == set()


@pytest.mark.parametrize("kind", PERSONAL)
def test_a_value_in_the_midst_of_other_text_is_not_of_the_kind(kind: TextKind) -> None:
    assert all(kind not in kinds_of(f"see {text} there") for text in OF_KIND[kind])


def test_values_are_counted_with_their_rows_column_by_column() -> None:
    one = pl.Series(["jane@example.org", "jane@example.org", "7"])
    other = pl.Series(["x", "y"])

    assert found_kinds([one, other, pl.Series([], dtype=pl.String)]) == [{"email": 2, "number": 1}, {}, {}]
    assert found_kinds([]) == []


def test_shapes_are_told_column_by_column_the_most_frequent_first() -> None:
    names = pl.Series(["Ann", "Bo", "Eve 7", "É", "x" * 65])
    codes = pl.Series(["a1", "b2", "c-333", "d-4444", "e-5"])

    told = [
        [(each.pattern, each.count, each.share) for each in column]
        for column in found_patterns([names, codes, pl.Series([], dtype=pl.String)])
    ]

    assert told == [
        [("A", 1, 0.2), ("Aa", 1, 0.2), ("Aa+", 1, 0.2), ("Aa+ 9", 1, 0.2)],
        [("a-9+", 2, 0.4), ("a9", 2, 0.4), ("a-9", 1, 0.2)],
        [],
    ]
    assert found_patterns([]) == []


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the public corpora are not here")
def test_naughty_strings_are_profiled_and_redacted_like_any_others() -> None:
    texts = NAUGHTY.read_text(encoding="utf-8", errors="replace").split("\n")
    frame = pl.DataFrame({"text": texts})
    found = report(frame.lazy(), "profile", AnalyzeOptions())

    assert_filters_select(frame, found.issues)
    assert len(redacted(texts, found.personal)) == len(texts)
