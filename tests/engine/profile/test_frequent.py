from __future__ import annotations

from collections import Counter
from itertools import chain

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from airpy.engine.profile.frequent import Frequent, frequent_among, frequent_of, merged_frequent


def frequent(values: list[str], most: int) -> Frequent:
    counts = dict(sorted(Counter(values).items()))
    values_and_counts = pl.Series([*counts], dtype=pl.String), np.array([*counts.values()], dtype=np.int64)
    return frequent_of(*values_and_counts, most)


def test_all_values_are_known_while_they_are_few() -> None:
    few = frequent(["b", "a", "c", "c"], 3)

    assert (few.values.to_list(), few.counts.to_list(), few.known) == (["c", "a", "b"], [2, 1, 1], True)


def test_values_as_frequent_as_the_first_that_does_not_fit_go_with_it() -> None:
    # Two fit, but b, c and d are there twice each.
    some = frequent(list("aaabbccdde"), 2)

    assert (some.values.to_list(), some.counts.to_list(), some.missed) == (["a"], [3], 2)


def test_of_long_texts_it_is_known_how_often_one_may_be_there() -> None:
    long = frequent(["x" * 1025] * 3 + ["y" * 1024], 5)

    assert (long.counts.to_list(), long.missed) == ([1], 3)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=30), min_size=1, max_size=5))
def test_parts_that_fit_merge_into_all(parts: list[list[str]]) -> None:
    together = merged_frequent([frequent(part, 8) for part in parts], 8)

    every = sorted(Counter(chain.from_iterable(parts)).items(), key=lambda each: (-each[1], each[0]))
    assert list(zip(together.values, together.counts, strict=True)) == every
    assert together.known


@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=30), min_size=1, max_size=5), st.integers(1, 6)
)
def test_counts_lack_no_more_rows_than_they_say(parts: list[list[str]], most: int) -> None:
    together = merged_frequent([frequent(part, most) for part in parts], most)

    counted = dict(zip(together.values, together.counts, strict=True))
    assert len(counted) <= most
    for value, count in Counter(chain.from_iterable(parts)).items():
        assert count - together.missed <= counted.get(value, 0) <= count


@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=30), min_size=1, max_size=5), st.integers(1, 9)
)
def test_what_is_counted_row_by_row_is_what_is_counted_of_different_values(
    parts: list[list[str]], most: int
) -> None:
    rows = [pl.Series("value", part, dtype=pl.String) for part in parts]
    found = [frequent_among(each, each.hash().to_numpy(), most) for each in rows]

    for one, other in zip(found, [frequent(part, most) for part in parts], strict=True):
        assert (one.values.to_list(), one.counts.to_list(), one.missed) == (
            other.values.to_list(),
            other.counts.to_list(),
            other.missed,
        )
