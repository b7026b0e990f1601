from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy.engine.profile.associations import correlations
from airpy.engine.profile.measuring import count_different, measured
from airpy.engine.profile.metrics import column_metrics
from airpy.engine.profile.states import ends_of, merged, room_for
from tests.engine.profile.parts import cut_at, frames, merged_parts

if TYPE_CHECKING:
    from airpy.engine.profile.states import FrameState

ROUNDED = ("sum", "mean", "variance", "std", "skew", "kurtosis")


def exact_metrics(state: FrameState) -> list[dict[str, Any]]:
    """All metrics of columns that no order of additions changes."""
    return [
        column.model_dump(exclude={"outliers", *ROUNDED}) | {"order": column.order}
        for column in column_metrics(state)
    ]


def rounded_metrics(state: FrameState) -> list[dict[str, float | None]]:
    return [column.model_dump(include={*ROUNDED}) for column in column_metrics(state)]


@settings(max_examples=15, deadline=None)
@given(frames(), st.lists(st.integers(0, 20), max_size=4))
def test_parts_merge_into_the_state_of_the_whole(frame: pl.DataFrame, places: list[int]) -> None:
    whole, together = measured(frame.lazy()), merged_parts(cut_at(frame, places))

    assert (together.rows, together.null_rows) == (whole.rows, whole.null_rows)
    assert exact_metrics(together) == exact_metrics(whole)
    assert together.repeats is not None
    assert whole.repeats is not None
    assert together.repeats.estimate() == whole.repeats.estimate()
    assert together.sample.rows.equals(whole.sample.rows, null_equal=True)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(-1000, 1000) | st.none(), min_size=2, max_size=60),
    st.lists(st.integers(0, 60), max_size=4),
)
def test_moments_of_parts_merge_into_those_of_the_whole(values: list[int | None], places: list[int]) -> None:
    frame = pl.DataFrame({"a": pl.Series(values, dtype=pl.Int64) / 7})
    whole, together = measured(frame.lazy()), merged_parts(cut_at(frame, places))

    for one, other in zip(
        rounded_metrics(whole)[0].items(), rounded_metrics(together)[0].items(), strict=True
    ):
        assert other == (one[0], one[1] if one[1] is None else pytest.approx(one[1], rel=1e-9, abs=1e-9))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 200), max_size=4))
def test_correlations_of_parts_merge_into_those_of_the_whole(seed: int, places: list[int]) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(1e6, 1, 200)
    there = random.random((3, 200)) > 0.2
    columns = {"x": x, "y": x + random.normal(0, 2, 200), "z": random.normal(0, 1e-200, 200)}
    frame = pl.DataFrame(
        {name: np.where(there[n], values, np.nan) for n, (name, values) in enumerate(columns.items())}
    )
    whole, together = measured(frame.lazy()), merged_parts(cut_at(frame, places))

    assert {pair[:2]: pair[2] for pair in correlations(together)} == {
        pair[:2]: pytest.approx(pair[2], rel=1e-9, abs=1e-9) for pair in correlations(whole)
    }
    assert (together.pairs.rows == whole.pairs.rows).all()


def test_batches_are_measured_as_one_frame() -> None:
    # Ten times as many rows as are measured at once, which is more batches than wait to be merged.
    height = 10 * room_for(9).batch
    rows = pl.int_range(height, eager=True)
    frame = pl.DataFrame({f"c{n}": rows % (n + 2) for n in range(8)} | {"z": rows * 0})

    state = measured(frame.lazy())
    columns = column_metrics(state)

    assert state.rows == height
    assert [column.unique for column in columns[:8]] == [2, 3, 4, 5, 6, 7, 8, 9]
    # Remainders of three come in turns.
    assert [(each.value, each.count) for each in columns[1].top_values or []] == [
        (remainder, len(range(remainder, height, 3))) for remainder in range(3)
    ]
    assert columns[0].mean == 0.5
    assert columns[0].order == "none"
    assert columns[8].order == "constant"
    assert state.sample.rows.height == room_for(9).sampled


def test_the_sample_of_many_batches_is_that_of_all_rows_at_once() -> None:
    from airpy.engine.profile.samples import Draw, sample_of

    width = 3
    height, most = 10 * room_for(width).batch, room_for(width).sampled
    frame = pl.DataFrame({f"c{n}": pl.int_range(height, eager=True) for n in range(width)})

    state = measured(frame.lazy())

    assert most < height
    assert state.sample.rows["c0"].to_list() == sample_of(frame, Draw(0), most).rows["c0"].to_list()


def test_one_state_is_merged_with_none() -> None:
    state = measured(pl.DataFrame({"a": [1, 2]}).lazy())

    assert column_metrics(merged([state])) == column_metrics(state)


@pytest.mark.parametrize("width", [1, 30, 1_000, 10_000])
def test_room_shrinks_with_the_width_and_stays(width: int) -> None:
    room = room_for(width)

    assert 1_024 <= room.ranks <= 65_536
    assert 256 <= room.frequent <= 16_384
    assert 1_000 <= room.sampled <= 100_000
    assert room.batch >= 4_096
    assert room_for(width + 1).ranks <= room.ranks


def test_the_least_and_the_greatest_keep_their_type() -> None:
    assert ends_of(pl.Series([3, 1, 2], dtype=pl.Int128)).to_list() == [1, 3]
    assert ends_of(pl.Series(["b", "a"])).to_list() == ["a", "b"]
    assert ends_of(pl.Series([True])).to_list() == [True, True]
    assert ends_of(pl.Series([], dtype=pl.Date)).to_list() == [None, None]
    assert ends_of(pl.Series([None, 5])).to_list() == [5, 5]


def test_times_that_no_calendar_shows_have_ends() -> None:
    ends = ends_of(pl.Series([2**31 - 1, -(2**31), 0], dtype=pl.Int32).cast(pl.Date))

    assert ends.dtype == pl.Date
    assert ends.to_physical().to_list() == [-(2**31), 2**31 - 1]


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ([1, 2, 2, None], 2),
        ([], 0),
        ([None], 0),
        (["a", "b", "a"], 2),
        ([float("nan"), float("nan"), 1.0], 2),
    ],
)
def test_different_values_are_counted_exactly(values: list[Any], size: int) -> None:
    frame = pl.DataFrame({"other": pl.repeat(0, len(values), eager=True), "a": values})

    assert count_different(frame.lazy(), 1) == size
