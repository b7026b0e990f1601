from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpy.engine.profile.values import FEW_ROWS, counted_values, run_starts, ticks_of

NAN = float("nan")


def counted(column: pl.Series) -> dict[Any, int]:
    """Each value of a column with its count, in the order in which they come."""
    found = counted_values(column, ticks_of(column))
    assert found.different
    assert len(found.hashes) == len(found.values)
    return dict(zip(found.restored(found.values).to_list(), found.counts.tolist(), strict=True))


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([3, -1, 3], dtype=pl.Int8),
        pl.Series([2**64 - 1, 0, 0], dtype=pl.UInt64),
        pl.Series([2**100, 5, 2**100], dtype=pl.Int128),
        pl.Series([0.5, -1.25, 0.5], dtype=pl.Float32),
        pl.Series([Decimal("1.10"), Decimal("-3.00"), Decimal("1.10")], dtype=pl.Decimal(12, 2)),
        pl.Series([Decimal("1.10"), Decimal("-3.00")], dtype=pl.Decimal(38, 2)),
        pl.Series([19_000, 1], dtype=pl.Int32).cast(pl.Date),
        pl.Series([19_000, 1], dtype=pl.Int64).cast(pl.Datetime("ms", "Europe/Berlin")),
        pl.Series([True, False, True]),
        pl.Series(["b", "ä", "b", "", "a"]),
        pl.Series(["b", "a", "b"], dtype=pl.Categorical),
        pl.Series([], dtype=pl.String),
        pl.Series([], dtype=pl.Float64),
    ],
)
def test_different_values_are_counted_in_their_order(column: pl.Series) -> None:
    plain = column.cast(pl.String) if column.dtype == pl.Categorical else column

    assert [*counted(column).items()] == sorted(Counter(plain.to_list()).items())


def test_nan_is_one_value_and_the_last() -> None:
    found = counted_values(column := pl.Series([NAN, 1.0, NAN, -0.0, 0.0]), ticks_of(column))

    assert found.values.to_list()[:2] == [0.0, 1.0]
    assert found.counts.tolist() == [2, 1, 2]


@given(st.lists(st.text(max_size=3), max_size=200))
def test_texts_are_counted_by_their_hashes(texts: list[str]) -> None:
    assert counted(pl.Series(texts, dtype=pl.String)) == Counter(texts)


def test_more_than_some_texts_are_told_apart_by_sorting() -> None:
    texts = [f"text {n % 1_000}" for n in range(5_000)]

    assert counted(pl.Series(texts)) == dict.fromkeys(sorted(set(texts)), 5)


def test_many_texts_that_are_nearly_all_different_are_left_row_by_row() -> None:
    texts = pl.Series([f"text {n // 3 * 3 if n % 5 == 0 else n}" for n in range(FEW_ROWS + 1)])
    found = counted_values(texts, None)

    assert not found.different
    assert found.values.equals(texts)
    assert (found.counts == 1).all()
    assert np.unique(found.hashes).size == texts.n_unique()


@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1), min_size=1, max_size=50), st.integers(0, 18))
def test_decimals_are_the_floats_that_polars_makes_of_them(digits: list[int], scale: int) -> None:
    column = pl.Series([Decimal(each).scaleb(-scale) for each in digits], dtype=pl.Decimal(18, scale))
    found = counted_values(column, ticks_of(column))

    assert found.floats().tolist() == column.unique().sort().cast(pl.Float64).to_list()


@pytest.mark.parametrize(
    ("ordered", "starts"), [([], []), ([7], [0]), ([1, 1, 2, 5, 5], [0, 2, 3]), ([1, 2, 3], [0, 1, 2])]
)
def test_a_run_starts_where_a_value_is_another(ordered: list[int], starts: list[int]) -> None:
    assert run_starts(np.array(ordered)).tolist() == starts
