from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from airpy.engine.profile.drift import (
    greatest_distance,
    jensen_shannon,
    kolmogorov_tail,
    parts_of,
    stability_index,
    tenths_of,
)
from airpy.engine.profile.ranks import Ranks

CHANCE = np.random.default_rng(7)
SAMPLES = {
    "the same distribution": (CHANCE.normal(0, 1, 500), CHANCE.normal(0, 1, 300)),
    "another mean": (CHANCE.normal(0, 1, 500), CHANCE.normal(0.5, 1, 700)),
    "another spread": (CHANCE.normal(0, 1, 500), CHANCE.normal(0, 3, 500)),
    "ties": (CHANCE.integers(0, 5, 1_000), CHANCE.integers(0, 7, 800)),
    "nothing in common": (np.arange(10), np.arange(10) + 100),
    "one number each": (np.array([1]), np.array([2])),
    "the same number": (np.array([1]), np.array([1, 1, 1])),
    "infinities": (np.array([-math.inf, 0, 1, math.inf]), np.array([0, 1, 2, math.inf, math.inf])),
    "large integers": (2**62 + CHANCE.integers(0, 99, 90), 2**62 + CHANCE.integers(9, 99, 90)),
}


def ranks(numbers: np.ndarray) -> Ranks:
    values, weights = np.unique(numbers, return_counts=True)
    return Ranks(values, weights)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_greatest_distance_is_scipys(name: str) -> None:
    before, after = SAMPLES[name]
    found = greatest_distance(ranks(before), ranks(after))
    rows = len(before) * len(after) / (len(before) + len(after))

    expected = stats.ks_2samp(before, after).statistic
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.p_value == pytest.approx(stats.kstwobign.sf(expected * math.sqrt(rows)), abs=1e-9)


@pytest.mark.parametrize("x", [0.0, 1e-9, 0.05, 0.2, 0.5, 0.99, 1.0, 1.01, 1.36, 2.0, 5.0, 40.0])
def test_the_tail_of_kolmogorovs_distribution_is_scipys(x: float) -> None:
    assert kolmogorov_tail(x) == pytest.approx(stats.kstwobign.sf(x), rel=1e-9, abs=1e-15)


def test_a_tenth_is_a_tenth() -> None:
    before, after = ranks(np.array([0] * 5 + [1] * 5)), ranks(np.array([0] * 6 + [1] * 4))

    assert greatest_distance(before, after).value == 0.1


@pytest.mark.parametrize(
    ("before", "after"),
    [([1, 2, 3], [1, 2, 3]), ([10, 0, 5], [3, 4, 0]), ([1, 0], [0, 1]), ([7], [9]), ([1, 99], [99, 1])],
)
def test_the_jensen_shannon_distance_is_scipys_to_base_2(before: list[int], after: list[int]) -> None:
    found = jensen_shannon(np.array(before), np.array(after))

    assert found == pytest.approx(distance.jensenshannon(before, after, base=2), abs=1e-9)


def test_the_stability_index_is_that_of_paper() -> None:
    # (0.6 − 0.5) · ln(0.6 / 0.5) + (0.4 − 0.5) · ln(0.4 / 0.5)
    by_hand = 0.1 * math.log(1.2) - 0.1 * math.log(0.8)

    assert stability_index(np.array([50, 50]), np.array([6, 4])) == pytest.approx(by_hand, abs=1e-15)
    assert stability_index(np.array([3, 4]), np.array([30, 40])) == 0.0


def test_an_empty_part_counts_as_a_ten_thousandth() -> None:
    by_hand = (1e-4 - 0.5) * math.log(1e-4 / 0.5) + (1 - 0.5) * math.log(1 / 0.5)

    assert stability_index(np.array([1, 1]), np.array([0, 2])) == pytest.approx(by_hand, abs=1e-15)
    assert stability_index(np.array([0, 2]), np.array([0, 7])) == 0.0


def test_parts_are_the_tenths_of_the_baseline() -> None:
    baseline = ranks(np.arange(101))

    edges = tenths_of(baseline)

    assert edges.tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert parts_of(baseline, edges).tolist() == [11, 10, 10, 10, 10, 10, 10, 10, 10, 10]
    other = ranks(np.array([-5, 10, 10.5, 90, 90.5, 1_000]))
    assert parts_of(other, edges).tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 1, 2]


def test_equal_numbers_are_in_one_part() -> None:
    edges = tenths_of(ranks(np.array([0] * 65 + [1] * 35)))

    assert edges.tolist() == [0, 1]
    assert parts_of(ranks(np.array([0, 0, 1, 2])), edges).tolist() == [2, 1, 1]


def test_without_numbers_there_is_one_empty_part() -> None:
    nothing = ranks(np.array([]))

    assert parts_of(nothing, tenths_of(nothing)).tolist() == [0]


def test_there_is_no_edge_half_way_between_infinities() -> None:
    assert tenths_of(ranks(np.array([-math.inf, math.inf]))).tolist() == []
