from __future__ import annotations

import polars as pl
import pytest

from airpy.contract import Fault
from airpy.files.faults import CheckedFile, count_faults, first_fault, lenient

ROWS: dict[str, list[str | None]] = {
    "n": ["1", "x", None, "3", "y"],
    "d": ["2025-01-01", "2025-01-02", "soon", "2025-01-04", "never"],
    "t": ["a", "b", "c", "d", "e"],
}


def checked(rows: dict[str, list[str | None]], name: str = "a.csv") -> CheckedFile:
    n, d = pl.col("n"), pl.col("d")
    return CheckedFile(
        name,
        pl.LazyFrame(rows),
        {"n": (n, n.cast(pl.Int64, strict=False)), "d": (d, d.str.to_date("%Y-%m-%d", strict=False))},
    )


def clean() -> CheckedFile:
    return checked({name: values[:1] for name, values in ROWS.items()}, "clean.csv")


def fault(row: int, column: str, text: str) -> Fault:
    return Fault(file="a.csv", row=row, column=column, kind="bad_value", text=text)


def test_the_first_fault_is_the_first_of_its_row_and_file() -> None:
    assert first_fault([clean(), checked(ROWS)]) == fault(2, "n", "x")


def test_a_null_is_no_fault() -> None:
    assert first_fault([clean(), CheckedFile("text.csv", pl.LazyFrame({"t": ["a"]}), {})]) is None


@pytest.mark.parametrize(("on_error", "skipped", "nulled"), [("skip", 3, 0), ("null", 0, 4)])
def test_all_faults_are_counted_and_shown(on_error: str, skipped: int, nulled: int) -> None:
    found = count_faults([clean(), checked(ROWS)], on_error)  # type: ignore[arg-type]

    assert (found.rows_skipped, found.values_nulled, found.rows_ragged) == (skipped, nulled, 0)
    assert found.examples == [
        fault(2, "n", "x"),
        fault(3, "d", "soon"),
        fault(5, "n", "y"),
        fault(5, "d", "never"),
    ]


def test_no_more_than_ten_are_shown() -> None:
    many = checked({name: [text] * 30 for name, text in (("n", "x"), ("d", "2025-01-01"), ("t", "a"))})

    found = count_faults([many, many], "null")

    assert found.values_nulled == 60
    assert [each.row for each in found.examples] == list(range(1, 11))


def test_rows_are_left_out_or_their_values() -> None:
    skipped = lenient(checked(ROWS), "skip").collect()
    nulled = lenient(checked(ROWS), "null").collect()

    assert skipped["t"].to_list() == ["a", "d"]
    assert skipped["n"].to_list() == [1, 3]
    assert nulled["n"].to_list() == [1, None, None, 3, None]
    assert nulled["t"].to_list() == ["a", "b", "c", "d", "e"]
    assert nulled["d"].null_count() == 2
