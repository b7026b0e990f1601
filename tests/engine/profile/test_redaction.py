from __future__ import annotations

import json
import time
from typing import Any

import polars as pl
import pytest

from airpy.contract import AnalyzeOptions
from airpy.engine.encoding import encode_model, encode_rows
from airpy.engine.profile.redaction import redacted
from airpy.engine.profile.report import report

PLANTED = {
    "email": [f"jane.doe{n}@mail.example.org" for n in range(10)],
    "phone": [f"+49 30 12345{n}0" for n in range(10)],
    # Each with its check digit.
    "credit_card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "6011111111111117"] * 3,
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "NO93 8601 1117 947"] * 4,
}
NOTES = [
    "write to {email}.",
    "call {phone}, or write",
    "paid with card_{credit_card}",
    "from ({iban}) PAID",
    "<{email}>;{phone}/{credit_card}",
]


def planted() -> pl.DataFrame:
    """Personal data in columns of their own, and among notes."""
    height = 10
    columns: dict[str, list[Any]] = {f"my {kind}": values[:height] for kind, values in PLANTED.items()}
    notes = [
        NOTES[n % len(NOTES)].format(**{kind: values[n] for kind, values in PLANTED.items()})
        for n in range(height)
    ]
    return pl.DataFrame({**columns, "notes": notes, "name": notes[::-1], "cost": range(height)})


def answer(frame: pl.DataFrame, kind: Any, **options: Any) -> tuple[Any, Any]:
    """An analysis as it is answered with, and the columns that are suspected."""
    found = report(frame.lazy(), kind, AnalyzeOptions.model_validate(options))
    parts = {
        "metrics": json.loads(encode_model(found.metrics)),
        "issues": [json.loads(encode_model(issue)) for issue in found.issues],
        "chart_hints": [json.loads(encode_model(hint)) for hint in found.chart_hints],
        "sample": json.loads(encode_rows(frame)),
        "validation": found.validation and json.loads(encode_model(found.validation)),
    }
    return parts, found.personal


def leaks(told: Any) -> list[str]:
    """The planted values that an answer still has."""
    text = json.dumps(told, ensure_ascii=False)
    return [value for values in PLANTED.values() for value in values if value in text]


RULES = [
    {"rule": "unique", "cols": ["my iban"]},
    {"rule": "in_set", "col": "my email", "values": ["jane.doe0@mail.example.org"]},
    {"rule": "matches", "col": "my phone", "pattern": "^0"},
    {"rule": "not_null", "col": "notes"},
    {"rule": "length_between", "col": "notes", "max": 3},
]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("eda", {"keys": ["my email"]}),
        ("profile", {"by": ["my iban"], "keys": ["my iban"], "thresholds": {"near_constant": 0.5}}),
        ("validate", {"rules": RULES}),
    ],
)
def test_no_planted_value_is_left_in_an_answer(kind: str, options: dict[str, Any]) -> None:
    told, personal = answer(planted(), kind, **options)
    kept = redacted(told, personal)

    assert personal == {f"my {kind}": kind for kind in PLANTED}
    assert leaks(told)
    assert leaks(kept) == []
    assert kept["sample"][0]["my email"] == "[email]"
    assert kept["sample"][0]["notes"] == "write to [email]."
    assert kept["sample"][0]["cost"] == 0


def test_a_value_of_a_suspected_column_is_replaced_even_where_it_looks_like_nothing() -> None:
    long = "a" * 60 + "@example.org"
    told, personal = answer(
        pl.DataFrame({"mail": [*[long] * 18, "nobody", "somebody else"]}),
        "profile",
        thresholds={"imbalance": 0.3},
    )
    text = json.dumps(redacted(told, personal))

    assert "IMBALANCED" in text
    assert [part for part in ("a" * 20, "nobody", "somebody else") if part in text] == []


def test_filters_that_are_patterns_are_left_alone() -> None:
    told, personal = answer(planted(), "eda")
    kept = redacted(told, personal)

    def patterns(issues: Any) -> list[Any]:
        return [issue["filter"] for issue in issues if issue["code"] == "PII_SUSPECTED"]

    assert len(patterns(kept["issues"])) == len(PLANTED)
    assert patterns(kept["issues"]) == patterns(told["issues"])


def test_an_answer_without_personal_data_stays_as_it_is() -> None:
    frame = pl.DataFrame(
        {
            "at": ["2025-09-01T12:30:00+02:00", "12:30:00"] * 20,
            "version": ["1.2.3", "10.0.19041"] * 20,
            "id": [f"550e8400-e29b-41d4-a716-4466554400{n:02}" for n in range(40)],
            "price": ["$1,234.50", "1.234,50 EUR"] * 20,
        }
    )
    told, personal = answer(frame, "profile")

    assert personal == {}
    assert redacted(told, personal) == told


def test_what_holds_no_text_is_kept() -> None:
    assert redacted({"a": [1, None, True, 2.5], "b": {}}, {"a": "email"}) == {
        "a": [1, None, True, 2.5],
        "b": {},
    }


@pytest.mark.parametrize(
    "piece", ["-", ".", "1", "a@", "a.", "+1 ", "AB12 ", "1.1.", ":", "1:", "4111 ", "("]
)
def test_text_of_any_kind_is_looked_through_in_time_that_grows_with_its_length(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    redacted(text, {})

    assert time.process_time() - began < 2
