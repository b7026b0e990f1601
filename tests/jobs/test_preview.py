from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import PreviewRequest
from airpy.engine.steps import ignore_steps
from airpy.errors import FileUnavailable, PathRefused
from airpy.jobs.preview import preview

if TYPE_CHECKING:
    from tests.jobs.conftest import Bench


def previewed(bench: Bench, path: str, limit: int | None = None, most: int = 1000) -> dict[str, Any]:
    """The answer to a preview request."""
    body = {"datasource_id": "energy", "path": path} | ({} if limit is None else {"limit": limit})
    request = PreviewRequest.model_validate(body)
    answer: dict[str, Any] = json.loads(preview(request, bench.root, 1000, most, on_step=ignore_steps))
    return answer


def numbered(bench: Bench, rows: int) -> None:
    """A file with so many rows; `odd` is null in every second."""
    frame = pl.DataFrame({"n": range(rows), "odd": [n if n % 2 else None for n in range(rows)]})
    frame.write_csv(bench.base / "numbers.csv")
    frame.write_parquet(bench.base / "numbers.parquet")


@pytest.mark.parametrize("path", ["numbers.csv", "numbers.parquet"])
def test_the_first_rows_are_given_and_all_are_counted(bench: Bench, path: str) -> None:
    numbered(bench, 50)

    answer = previewed(bench, path, limit=3)

    assert answer["rows"] == [{"n": 0, "odd": None}, {"n": 1, "odd": 1}, {"n": 2, "odd": None}]
    assert answer["stats"] == {
        "sampled": True,
        "total_rows": 50,
        "total_rows_exact": True,
        "sample_size": 3,
    }
    # What comes later may have nulls.
    assert [field["nullable"] for field in answer["schema"]["fields"]] == [True, True]


@pytest.mark.parametrize("limit", [5, 6])
def test_a_file_that_fits_is_given_whole(bench: Bench, limit: int) -> None:
    numbered(bench, 5)

    answer = previewed(bench, "numbers.csv", limit=limit)

    assert len(answer["rows"]) == 5
    assert answer["stats"] == {
        "sampled": False,
        "total_rows": 5,
        "total_rows_exact": True,
        "sample_size": 5,
    }
    assert answer["schema"]["fields"] == [
        {"name": "n", "type": "int64", "nullable": False},
        {"name": "odd", "type": "int64", "nullable": True},
    ]


def test_a_hundred_rows_are_given_when_nothing_else_is_asked(bench: Bench) -> None:
    numbered(bench, 120)

    assert previewed(bench, "numbers.csv")["stats"]["sample_size"] == 100


def test_the_service_decides_how_many_rows_there_may_be(bench: Bench) -> None:
    numbered(bench, 50)

    answer = previewed(bench, "numbers.csv", limit=40, most=7)

    assert (len(answer["rows"]), answer["stats"]["total_rows"]) == (7, 50)


def test_an_empty_file_has_its_columns(bench: Bench) -> None:
    (bench.base / "empty.csv").write_bytes(b"site,kwh\n")

    answer = previewed(bench, "empty.csv")

    assert answer["rows"] == []
    assert [field["name"] for field in answer["schema"]["fields"]] == ["site", "kwh"]
    assert answer["stats"]["total_rows"] == 0


def test_the_rows_of_a_large_text_are_estimated(bench: Bench) -> None:
    """Five million lines of 16 bytes are more than is counted; all being alike, the estimate is right."""
    with (bench.base / "large.csv").open("wb") as file:
        file.write(b"number,nextnumb\n")
        for _ in range(50):
            file.write(b"1234567,7654321\n" * 100_000)

    answer = previewed(bench, "large.csv", limit=2)

    assert answer["rows"] == [{"number": 1234567, "nextnumb": 7654321}] * 2
    assert answer["stats"] == {
        "sampled": True,
        "total_rows": 5_000_000,
        "total_rows_exact": False,
        "sample_size": 2,
    }


def test_rows_too_wide_for_an_answer_are_fewer(bench: Bench) -> None:
    """40 rows of 1 MiB are more than the 32 MiB that an answer may hold."""
    pl.DataFrame({"text": ["x" * (1 << 20)] * 40}).write_parquet(bench.base / "wide.parquet")

    answer = previewed(bench, "wide.parquet")

    assert 1 <= len(answer["rows"]) <= 31
    assert answer["stats"] == {
        "sampled": True,
        "total_rows": 40,
        "total_rows_exact": True,
        "sample_size": len(answer["rows"]),
    }


def test_what_is_missing_or_outside_is_refused(bench: Bench) -> None:
    with pytest.raises(FileUnavailable) as missing:
        previewed(bench, "nowhere.csv")
    with pytest.raises(PathRefused) as outside:
        previewed(bench, "../outside.csv")

    assert missing.value.field == "path"
    assert outside.value.field == "path"
