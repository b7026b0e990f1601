from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpy.engine.profile.distinct import distinct_of, merged_distinct


def hashes(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


def test_few_values_are_counted() -> None:
    few = distinct_of(hashes([5, 3, 5, 2**64 - 1]), 3)

    assert (few.size, few.exact, few.error) == (3, True, 0.0)
    assert distinct_of(hashes([]), 3).size == 0


def test_of_many_the_least_hash_tells_how_many_there_are() -> None:
    # The 5th least hash is at a quarter of their space: 4 in a quarter are 16 in all.
    many = distinct_of(hashes([1, 2, 3, 4, 2**62 - 1, 2**63]), 5)

    assert (many.size, many.exact) == (16, False)
    assert many.error == pytest.approx(1 / np.sqrt(3))


@given(st.lists(st.lists(st.integers(0, 60), max_size=30), min_size=1, max_size=5), st.integers(4, 80))
def test_parts_merge_into_what_all_would_have_been(parts: list[list[int]], most: int) -> None:
    spread = [[value * 2**57 for value in part] for part in parts]
    every = distinct_of(hashes(list(chain.from_iterable(spread))), most)
    together = merged_distinct([distinct_of(hashes(part), most) for part in spread], most)

    assert together.hashes.tolist() == every.hashes.tolist()
    assert together.exact == every.exact


@pytest.mark.parametrize("seed", range(10))
def test_estimates_are_within_four_standard_errors(seed: int) -> None:
    random = np.random.default_rng(seed)
    drawn = [random.integers(0, 2**64, 20_000, dtype=np.uint64) for _ in range(5)]
    together = merged_distinct([distinct_of(part, 1_000) for part in drawn], 1_000)

    assert abs(together.size / 100_000 - 1) < 4 * together.error
    assert together.error == pytest.approx(0.0316, rel=0.01)


@given(
    st.lists(st.integers(0, 60), max_size=30), st.lists(st.integers(0, 60), max_size=30), st.integers(4, 80)
)
def test_what_is_above_the_ceiling_of_the_rows_before_is_not_missed(
    before: list[int], after: list[int], most: int
) -> None:
    one, other = (hashes([value * 2**57 for value in part]) for part in (before, after))
    first = distinct_of(one, most)
    together = merged_distinct([first, distinct_of(other, most, first.ceiling)], most)
    every = distinct_of(np.concatenate([one, other]), most)

    assert (together.hashes.tolist(), together.exact) == (every.hashes.tolist(), every.exact)
