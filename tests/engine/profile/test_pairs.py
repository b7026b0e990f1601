from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from airpy.engine.profile.pairs import merged_pairs, pairs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NAN = np.nan


def r_of(*parts: Sequence[Sequence[float]]) -> float:
    """The correlation of the first two columns of rows that come in parts."""
    return float(merged_pairs([pairs_of(np.array(part, dtype=float)) for part in parts]).correlations()[0, 1])


def test_r_is_what_one_computes_on_paper() -> None:
    rows = [[1, 1], [2, 3], [3, 2], [4, 4]]

    assert r_of(rows) == pytest.approx(0.8)
    assert r_of(rows[:1], rows[1:3], rows[3:]) == pytest.approx(0.8)


def test_rows_without_one_of_both_are_left_out() -> None:
    rows: list[list[float]] = [[1, 1], [NAN, 50], [2, 3], [3, 2], [-9, NAN], [4, 4], [np.inf, 1]]

    assert r_of(rows) == pytest.approx(0.8)
    assert r_of(rows[:2], rows[2:]) == pytest.approx(0.8)
    assert pairs_of(np.array(rows)).rows.tolist() == [[5, 4], [4, 6]]


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1.0, 1e200, 1e300])
def test_parts_in_which_nothing_varies_merge_at_every_scale(scale: float) -> None:
    rows = [[1, 1], [1, 1], [2, 3], [2, 3], [3, 2], [3, 2], [4, 4], [4, 4]]
    scaled = [[x * scale, y] for x, y in rows]

    assert r_of(scaled[:2], scaled[2:4], scaled[4:6], scaled[6:]) == pytest.approx(0.8)
    assert r_of(scaled) == pytest.approx(0.8)


def test_what_varies_far_from_the_others_keeps_its_digits() -> None:
    # Where both are there, x differs by some units from a thousand million; the rest of x is near 0.
    rows = [[1e9 + 1, 1], [1e9 + 2, 3], [1e9 + 3, 2], [1e9 + 4, 4]] + [[float(n), NAN] for n in range(5000)]

    assert r_of(rows) == pytest.approx(0.8)


@pytest.mark.parametrize("value", [0.1, 1 / 3, -1e9 / 7, 5e-324])
def test_equal_numbers_have_no_correlation_in_any_parts(value: float) -> None:
    rows = [[value, float(n)] for n in range(100)]

    assert np.isnan(r_of(rows))
    assert np.isnan(r_of(rows[:1], rows[1:40], rows[40:]))
    assert np.isnan(r_of([*rows, [5.0, NAN], [-5.0, NAN]], rows))


def test_nothing_has_no_pairs() -> None:
    assert pairs_of(np.empty((5, 0))).correlations().shape == (0, 0)
    assert np.isnan(pairs_of(np.empty((0, 2))).correlations()).all()
