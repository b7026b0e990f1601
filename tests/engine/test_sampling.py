"""A sample is the same for the same data and seed, however the rows lie and are read."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpy.contract import Plan
from airpy.engine.execute import execute
from airpy.engine.plan import check_plan

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 20_000
WORDS = 2**64
SIZES: list[dict[str, Any]] = [{"n": 1}, {"n": 700}, {"n": ROWS - 1}, {"fraction": 0.03}, {"fraction": 0.999}]


def sampled(
    frame: pl.LazyFrame, engine: Literal["streaming", "in-memory"] = "streaming", **sample: Any
) -> list[int]:
    """The values of `i` in the sample."""
    plan = Plan.model_validate({"dataset": "table", "sample": sample})
    check_plan(plan)
    values: list[int] = execute(plan, frame).collect(engine=engine)["i"].to_list()
    return values


def chance(row: int, seed: int) -> int:
    """A row's chance, by SplitMix64 in plain Python."""

    def mixed(word: int) -> int:
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % WORDS
        word = (word ^ word >> 27) * 0x94D049BB133111EB % WORDS
        return word ^ word >> 31

    golden = 0x9E3779B97F4A7C15
    return mixed((mixed(golden + seed) + row * golden) % WORDS)


@settings(max_examples=50, deadline=None)
@given(rows=st.integers(0, 300), n=st.integers(1, 320), seed=st.integers(0, 2**32 - 1))
def test_those_of_the_least_chance_are_taken(rows: int, n: int, seed: int) -> None:
    least = sorted(range(rows), key=lambda row: chance(row, seed))[:n]

    assert sampled(pl.LazyFrame({"i": range(rows)}, {"i": pl.Int64}), n=n, seed=seed) == sorted(least)


@settings(max_examples=50, deadline=None)
@given(rows=st.integers(0, 300), fraction=st.floats(0, 1, exclude_max=True), seed=st.integers(0, 2**32 - 1))
def test_those_whose_chance_is_below_the_fraction_are_taken(rows: int, fraction: float, seed: int) -> None:
    below = [row for row in range(rows) if chance(row, seed) < int(fraction * WORDS)]

    assert sampled(pl.LazyFrame({"i": range(rows)}, {"i": pl.Int64}), fraction=fraction, seed=seed) == below


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_it_does_not_matter_how_rows_are_cut_into_pieces_and_files(
    tmp_path: Path, size: dict[str, Any]
) -> None:
    whole = pl.DataFrame({"i": range(ROWS)})
    cuts = [0, 1, 17, 5000, 5001, 12_345, ROWS]
    pieces = [whole.slice(low, high - low) for low, high in pairwise(cuts)]
    for place, piece in enumerate(pieces):
        piece.write_parquet(tmp_path / f"{place}.parquet", row_group_size=777)
    files = [tmp_path / f"{place}.parquet" for place in range(len(pieces))]

    expected = sampled(whole.lazy(), "in-memory", seed=3, **size)

    assert len(expected) == size.get("n", len(expected))
    assert sampled(whole.lazy(), seed=3, **size) == expected
    assert sampled(pl.concat(pieces, rechunk=False).lazy(), seed=3, **size) == expected
    assert sampled(pl.concat([piece.lazy() for piece in pieces]), seed=3, **size) == expected
    assert sampled(pl.scan_parquet(files), seed=3, **size) == expected


def test_what_a_filter_leaves_is_sampled_as_if_it_were_all() -> None:
    even = pl.DataFrame({"i": range(0, ROWS, 2)})
    plan = {"filters": [{"col": "even", "op": "=", "val": True}], "sample": {"n": 50, "seed": 9}}
    frame = pl.LazyFrame({"i": range(ROWS)}).with_columns(even=pl.col("i") % 2 == 0)

    answer = execute(Plan.model_validate({"dataset": "table", **plan}), frame).collect(engine="streaming")

    assert answer["i"].to_list() == sampled(even.lazy(), n=50, seed=9)


def test_other_stages_and_columns_do_not_change_it() -> None:
    frame = pl.LazyFrame({"i": range(ROWS), "j": range(ROWS)})
    plan = {"sample": {"n": 50, "seed": 9}, "select": ["i"], "order": [{"col": "i", "dir": "desc"}]}

    answer = execute(Plan.model_validate({"dataset": "table", **plan}), frame).collect(engine="streaming")

    assert answer["i"].to_list() == sampled(frame, n=50, seed=9)[::-1]


def test_seeds_take_rows_of_their_own() -> None:
    frame = pl.LazyFrame({"i": range(ROWS)})
    taken = [frozenset(sampled(frame, n=200, seed=seed)) for seed in range(20)]

    assert len(set(taken)) == 20
    # Two samples of 200 out of 20,000 have 2 rows in common on average; 12 of them once in 10⁶ pairs.
    assert max(len(one & other) for one in taken for other in taken if one != other) < 13


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.9])
def test_a_fraction_takes_about_so_many(fraction: float) -> None:
    frame = pl.LazyFrame({"i": range(ROWS)})
    deviation = (ROWS * fraction * (1 - fraction)) ** 0.5

    for seed in range(20):
        assert abs(len(sampled(frame, fraction=fraction, seed=seed)) - ROWS * fraction) < 4 * deviation
