from __future__ import annotations

import math
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from airpy.engine.profile.powers import NO_POWERS, Powers, merged_powers, powers_of


def powers(values: list[float]) -> Powers:
    different, weights = np.unique(np.array(values, dtype=float), return_counts=True)
    return powers_of(different, weights)


def test_powers_are_those_one_computes_on_paper() -> None:
    # From a mean of 3: −2, −1, 3; squares 4, 1, 9, cubes −8, −1, 27, fourth powers 16, 1, 81.
    assert powers([1, 2, 6]) == (3, 9.0, 3.0, 14.0, 18.0, 98.0)


def test_one_value_has_no_variance_and_equal_ones_no_shape() -> None:
    assert powers([5]).variance is None
    assert powers([5, 5]).variance == 0
    assert (powers([5, 5]).skew, powers([5, 5]).kurtosis) == (None, None)
    assert NO_POWERS.variance is None


def test_sums_beyond_every_float_are_infinite_and_their_mean_is_not() -> None:
    both = powers([1.7e308, 1.6e308])

    assert both.sum == math.inf
    assert both.mean == pytest.approx(1.65e308)


@pytest.mark.parametrize("size", [1e100, 1e150, 1e153, 1e-105, 1e-150, 1e-160])
def test_shapes_that_no_float_can_measure_are_none_and_never_a_wrong_number(size: float) -> None:
    of_one = powers([1, 2, 4])
    of_many = powers([size, 2 * size, 4 * size])

    for shape, true in ((of_many.skew, of_one.skew), (of_many.kurtosis, of_one.kurtosis)):
        assert shape is None or shape == pytest.approx(true)
    assert of_many.kurtosis is None


def test_equal_means_stay_what_they_are() -> None:
    together = merged_powers([powers([0.1] * 3), powers([0.1] * 7)])

    assert (together.mean, together.variance) == (0.1, 0.0)


NUMBERS = st.lists(st.integers(-10_000, 10_000), max_size=20)


@given(st.lists(NUMBERS, min_size=1, max_size=5), st.sampled_from([0, 1e6]))
def test_parts_merge_into_the_moments_of_all(parts: list[list[int]], offset: float) -> None:
    spread = [[value / 7 + offset for value in part] for part in parts]
    every = np.array(list(chain.from_iterable(spread)))
    together = merged_powers([powers(part) for part in spread])

    assert together.total == len(every)
    if len(every) > 1 and np.ptp(every) > 0:
        assert together.mean == pytest.approx(every.mean(), rel=1e-9, abs=1e-9)
        assert together.variance == pytest.approx(every.var(ddof=1), rel=1e-9)
        assert together.skew == pytest.approx(stats.skew(every), rel=1e-6, abs=1e-6)
        assert together.kurtosis == pytest.approx(stats.kurtosis(every), rel=1e-6, abs=1e-6)
