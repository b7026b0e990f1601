from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from airpy.engine.profile.histograms import MOST_BINS, histogram
from airpy.engine.profile.ranks import NO_RANKS, Ranks

DAY_US = 86_400_000_000


def ranks_of(values: list[float]) -> Ranks:
    different, weights = np.unique(np.array(values), return_counts=True)
    return Ranks(different, weights)


def test_bins_are_as_wide_as_freedman_and_diaconis_say() -> None:
    # Of 0 to 7 the quartiles are 1.75 and 5.25, so the width is 2 · 3.5 / ∛8 = 3.5: two bins.
    found = histogram(ranks_of([0.0, 1, 2, 3, 4, 5, 6, 7]), pl.Float64())

    assert found is not None
    assert (found.edges, found.counts) == ([0.0, 3.5, 7.0], [4, 4])


def test_where_half_of_the_values_are_equal_bins_are_as_many_as_sturges_says() -> None:
    # log₂ 8 + 1 = 4
    found = histogram(ranks_of([0.0] * 7 + [4.0]), pl.Float64())

    assert found is not None
    assert (found.edges, found.counts) == ([0.0, 1.0, 2.0, 3.0, 4.0], [7, 0, 0, 1])


def test_one_value_is_one_bin_and_there_are_fifty_at_most() -> None:
    one = histogram(ranks_of([5.0, 5.0]), pl.Float64())
    far = histogram(ranks_of([float(n) for n in range(100)] + [1e9]), pl.Float64())

    assert one is not None
    assert far is not None
    assert (one.edges, one.counts) == ([5.0, 5.0], [2])
    assert len(far.counts) == MOST_BINS


def test_bins_of_integers_are_no_narrower_than_one() -> None:
    found = histogram(ranks_of([0, 0, 0, 0, 0, 0, 1, 2]), pl.Int64())

    assert found is not None
    assert (found.edges, found.counts) == ([0.0, 1.0, 2.0], [6, 2])


@pytest.mark.parametrize("values", [[], [np.inf, -np.inf], [-1.7e308, 1.7e308]])
def test_without_a_finite_width_there_is_none(values: list[float]) -> None:
    ranks = ranks_of(values) if values else NO_RANKS

    assert histogram(ranks, pl.Float64()) is None


def test_infinities_are_left_out() -> None:
    found = histogram(ranks_of([1.0, 1.0, np.inf]), pl.Float64())

    assert found is not None
    assert found.counts == [2]


def test_edges_of_times_are_those_that_values_were_counted_by() -> None:
    # Days 0 to 5 in bins of 2 · 2.5 / ∛6, or 2.75 days: two of 2.5 days, the border between them on a day.
    found = histogram(ranks_of([0, 1, 2, 3, 4, 5]), pl.Date())

    assert found is not None
    assert found.edges == ["1970-01-01", "1970-01-03", "1970-01-06"]
    assert found.counts == [2, 4]


def test_times_that_no_calendar_shows_have_none() -> None:
    assert histogram(ranks_of([0, 2**62]), pl.Datetime("us")) is None
