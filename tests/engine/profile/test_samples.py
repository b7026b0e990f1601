from __future__ import annotations

import itertools

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpy.engine.profile.samples import Draw, merged_sample, sample_of

FRAME = pl.DataFrame({"n": pl.int_range(1000, eager=True)})


def test_few_rows_are_all_kept() -> None:
    assert sample_of(FRAME, Draw(0), 1000).rows.equals(FRAME)
    assert sample_of(FRAME, Draw(0), 1001).ceiling(1001) is None


@given(st.lists(st.integers(0, 1000), max_size=5), st.integers(1, 200))
def test_samples_of_parts_merge_into_that_of_the_whole(places: list[int], most: int) -> None:
    ends = [0, *sorted(places), 1000]
    parts = [sample_of(FRAME[start:end], Draw(start), most) for start, end in itertools.pairwise(ends)]

    assert merged_sample(parts, most).rows.equals(sample_of(FRAME, Draw(0), most).rows)


def test_rows_beyond_what_is_kept_already_are_not_looked_at() -> None:
    first = sample_of(FRAME[:500], Draw(0), 50)
    second = sample_of(FRAME[500:], Draw(500, 0, first.ceiling(50)), 50)

    assert second.rows.height < 50
    assert merged_sample([first, second], 50).rows.equals(sample_of(FRAME, Draw(0), 50).rows)


@pytest.mark.parametrize("first", range(0, 10_000_000, 1_000_000))
def test_rows_are_drawn_evenly(first: int) -> None:
    # Of 1,000 rows, 100 are drawn: their mean place is 499.5, and off by 27.4 one time in three.
    drawn = sample_of(FRAME, Draw(first), 100)

    assert drawn.rows.height == 100
    assert abs(drawn.rows["n"].cast(pl.Float64).to_numpy().mean() - 499.5) < 4 * 27.4
