from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from airpy.engine.profile.repeats import MOST, SPACE, Repeats, merged_repeats, repeats_of


def test_rows_that_equal_an_earlier_one_are_counted_over_parts() -> None:
    frame = pl.DataFrame({"a": [1, 1, None, 2, None], "b": ["x", "x", "y", "x", "y"]})
    parts = [repeats_of(frame[:1]), repeats_of(frame[1:3]), repeats_of(frame[3:])]

    assert merged_repeats([part for part in parts if part is not None]).estimate() == (2, 0.0)


@pytest.mark.parametrize(
    "column", [pl.Series([[1]]), pl.Series([{"x": 1}]), pl.Series([[1]], dtype=pl.Array(pl.Int64, 1))]
)
def test_nested_rows_are_not_compared(column: pl.Series) -> None:
    assert repeats_of(pl.DataFrame({"a": column, "b": [1]})) is None


@pytest.mark.parametrize("seed", range(3))
def test_of_too_many_rows_a_part_of_the_hashes_tells_how_many_repeat(seed: int) -> None:
    # A tenth of the rows are there twice.
    hashes = np.random.default_rng(seed).integers(0, SPACE, MOST, dtype=np.uint64)
    repeated = merged_repeats([Repeats(hashes), Repeats(hashes[: MOST // 10])])

    found, error = repeated.estimate()

    assert len(repeated.hashes) <= MOST
    assert not repeated.exact
    assert error == pytest.approx(1 / math.sqrt(MOST / 20), rel=0.01)
    assert abs(found / (MOST / 10) - 1) < 4 * error
