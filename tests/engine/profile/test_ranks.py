from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy.engine.profile.ranks import NO_RANKS, Ranks, merged_ranks


def ranks_of(values: list[float]) -> Ranks:
    different, weights = np.unique(np.array(values, dtype=float), return_counts=True)
    return Ranks(different, weights)


def test_quantiles_lie_between_their_neighbours_by_linear_interpolation() -> None:
    assert ranks_of([1, 2, 2, 10]).quantiles([0, 0.25, 0.5, 0.75, 1]) == [1.0, 1.75, 2.0, 4.0, 10.0]


def test_between_infinities_lies_nothing_and_beside_them_everything() -> None:
    ranks = ranks_of([-np.inf, 1, np.inf])

    assert ranks.quantiles([0.5]) == [1.0]
    assert ranks.quantiles([0, 1]) == [-np.inf, np.inf]


def test_shares_and_counts_are_of_what_lies_where() -> None:
    ranks = ranks_of([1, 2, 2, 3])

    assert (ranks.counts_up_to([0, 1, 2, 2.5, 3]) / ranks.total).tolist() == [0, 0.25, 0.75, 0.75, 1]
    # A bin holds its lower edge and not its upper; the last holds both.
    assert ranks.counts_between(np.array([1.0, 2.0, 3.0])).tolist() == [1, 3]


def test_distances_are_ranked_too() -> None:
    assert ranks_of([1, 2, 2, 10]).deviations(2).quantiles([0.5]) == [0.5]


def test_few_numbers_are_all_kept() -> None:
    ranks = ranks_of([1, 2, 3])

    assert ranks.cut(3) is ranks
    assert ranks.exact


def test_of_many_numbers_the_middles_of_equal_parts_are_kept() -> None:
    # Ten in two parts of five; the middle of each is the third.
    cut = ranks_of(list(range(10))).cut(2)

    assert (cut.values.tolist(), cut.weights.tolist(), cut.total) == ([2.0, 7.0], [5, 5], 10)
    assert (cut.exact, cut.error) == (False, 0.25)


def test_nothing_merges_into_nothing() -> None:
    assert merged_ranks([NO_RANKS, NO_RANKS], 5) is NO_RANKS
    assert merged_ranks([NO_RANKS, ranks_of([1])], 5).values.tolist() == [1.0]


@given(st.lists(st.lists(st.integers(-9, 9), max_size=20), min_size=1, max_size=5))
def test_parts_that_fit_merge_into_all(parts: list[list[int]]) -> None:
    every = list(chain.from_iterable(parts))
    together = merged_ranks([ranks_of(list(part)) for part in parts if part] or [NO_RANKS], 1000)

    assert together.exact
    assert sorted(every) == np.repeat(together.values, together.weights).tolist()
    if every:
        shares = [0.01, 0.25, 0.5, 0.99]
        assert together.quantiles(shares) == pytest.approx(np.quantile(every, shares).tolist())


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_estimates_are_off_by_no_more_ranks_than_they_say(seed: int, parts: int) -> None:
    values = np.random.default_rng(seed).exponential(size=500 * parts)
    together = NO_RANKS
    for part in np.split(values, parts):
        together = merged_ranks([together, ranks_of(part.tolist())], 64)

    assert together.total == len(values)
    assert not together.exact
    for share in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99):
        (value,) = together.quantiles([share])
        # One part more, since a quantile lies between two that are kept.
        assert abs((values <= value).mean() - share) <= together.error + 1 / 64
