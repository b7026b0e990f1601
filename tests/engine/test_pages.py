from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pytest

from airpy.engine.encoding import write_arrow, write_parquet
from airpy.engine.pages import cut_page, encode_page

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 200_000


@pytest.fixture(scope="module", params=["arrow", "parquet"])
def frame(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The numbers from 0 on, over several batches."""
    path: Path = tmp_path_factory.mktemp("pages") / f"frame.{request.param}"
    write = write_arrow if request.param == "arrow" else write_parquet
    write(pl.LazyFrame({"n": range(ROWS)}), path, 0)
    return path


@pytest.mark.parametrize(
    ("offset", "limit", "expected"),
    [
        (0, 3, range(3)),
        (65_535, 3, range(65_535, 65_538)),
        (65_536, 1, range(65_536, 65_537)),
        (100_000, 90_000, range(100_000, 190_000)),
        (ROWS - 1, 10, range(ROWS - 1, ROWS)),
        (ROWS, 10, range(0)),
        (2**53 - 1, 10, range(0)),
    ],
)
def test_a_page_has_the_rows_from_its_offset_on(
    frame: Path, offset: int, limit: int, expected: range
) -> None:
    page = cut_page(frame, offset, limit)

    assert page.column("n").to_pylist() == list(expected)
    assert pa.ipc.open_stream(encode_page(page)).read_all().equals(page)


def test_a_page_of_large_rows_has_as_many_as_fit(tmp_path: Path) -> None:
    path = tmp_path / "frame.arrow"
    write_arrow(pl.LazyFrame({"text": ["x" * (1 << 20)] * 100}), path, 0)

    assert 16 <= cut_page(path, 0, 100).num_rows <= 32


def test_a_row_that_is_too_large_is_a_page(tmp_path: Path) -> None:
    path = tmp_path / "frame.arrow"
    write_arrow(pl.LazyFrame({"text": ["x" * (40 << 20)] * 2}), path, 0)

    assert cut_page(path, 1, 2).num_rows == 1


def test_rows_of_many_columns_fit_though_all_of_them_are_null(tmp_path: Path) -> None:
    path = tmp_path / "frame.arrow"
    names = [f"a_long_name_of_a_column_{number}" for number in range(1000)]
    write_arrow(pl.LazyFrame({name: pl.Series([None] * 5000, dtype=pl.Int8) for name in names}), path, 0)

    assert 500 < cut_page(path, 0, 5000).num_rows < 1200
