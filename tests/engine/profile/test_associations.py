from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from airpy.engine.profile.associations import associations, correlation_ratio, kendall, spearman
from airpy.engine.profile.measuring import measured

if TYPE_CHECKING:
    from airpy.contract import AssociationMethod


def found(method: AssociationMethod, **columns: Any) -> list[Any]:
    state = measured(pl.DataFrame(columns).lazy())
    return [(each.a, each.b, each.value, each.rows) for each in associations(state, [method])]


def test_ranks_that_agree_are_one_whatever_the_distances() -> None:
    assert found("spearman", x=[1, 2, 3, 400], y=[1, 20, 30, 31]) == [("x", "y", pytest.approx(1), 4)]
    assert found("kendall", x=[1, 2, 3, 400], y=[1, 20, 31, 30]) == [("x", "y", pytest.approx(4 / 6), 4)]


def test_categories_that_say_all_of_each_other_have_a_v_and_a_u_of_one() -> None:
    one, other = ["a", "b", "c", "a"], ["x", "y", "z", "x"]

    assert found("cramers_v", one=one, other=other) == [("one", "other", pytest.approx(1), 4)]
    assert found("theils_u", one=one, other=other) == [
        ("one", "other", pytest.approx(1), 4),
        ("other", "one", pytest.approx(1), 4),
    ]


def test_theils_u_of_a_pair_is_what_the_first_says_of_the_second() -> None:
    # Each letter has one case, and each case two letters: of two bits, the case takes away one.
    assert found("theils_u", letter=["a", "b", "A", "B"], case=["low", "low", "high", "high"]) == [
        ("letter", "case", pytest.approx(1), 4),
        ("case", "letter", pytest.approx(0.5), 4),
    ]


def test_the_correlation_ratio_is_of_a_category_and_a_number() -> None:
    # Groups 1, 3 and 5, 7 about a mean of 4: 2 · 4 · 2 between them of 9 + 1 + 1 + 9 in all.
    assert found("correlation_ratio", g=["a", "a", "b", "b"], n=[1, 3, 5, 7]) == [
        ("g", "n", pytest.approx(math.sqrt(16 / 20)), 4)
    ]


def test_equal_numbers_have_no_correlation_ratio() -> None:
    groups, numbers = np.array([1.0, 2.0] * 500), np.array([0.1] * 1000)

    assert math.isnan(correlation_ratio(groups, numbers))


def test_rows_without_one_of_both_are_left_out() -> None:
    assert found("spearman", x=[1, 2, 3, None, 5], y=[1.0, 2.0, 3.0, 9.0, math.nan]) == [
        ("x", "y", pytest.approx(1), 3)
    ]


SMALL = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=40)


@given(SMALL)
def test_ranks_with_ties_correlate_as_scipy_says(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=float).T
    if np.ptp(x) > 0 and np.ptp(y) > 0:
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
        assert kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-9)
    else:
        assert math.isnan(kendall(x, y))
        assert math.isnan(spearman(x, y))
