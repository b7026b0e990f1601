from __future__ import annotations

import datetime as dt
import math
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from airpy.engine.profile.associations import DEFAULT_METHODS, associations
from airpy.engine.profile.keeping import state_from, state_to
from airpy.engine.profile.measuring import measured
from airpy.engine.profile.metrics import column_metrics
from airpy.engine.profile.states import merged
from tests.engine.profile.parts import frames

FRAME = pl.DataFrame(
    {
        "n": [3, 1, None, 1],
        "x": [0.5, math.nan, math.inf, -0.0],
        "s": ["a", "", None, "é"],
        "c": pl.Series(["low", "high", "low", None], dtype=pl.Categorical),
        "e": pl.Series(["b", "a", "b", None], dtype=pl.Enum(["b", "a"])),
        "at": pl.Series([dt.datetime(2025, 1, 1)] * 4, dtype=pl.Datetime("ns", "Europe/Berlin")),  # noqa: DTZ001
        "wide": pl.Series([2**100, 1, 2, 3], dtype=pl.Int128),
        "price": pl.Series(["1.50", "2.25", None, "0.10"]).cast(pl.Decimal(10, 2)),
        "took": [dt.timedelta(1)] * 4,
        "none": [None] * 4,
        "raw": [b"x"] * 4,
        "^.*$": [True, False, None, True],
    }
)


@settings(max_examples=10, deadline=None)
@given(frames())
def test_what_was_kept_gives_the_same_metrics(frame: pl.DataFrame) -> None:
    state = measured(frame.lazy())
    again = state_from(state_to(state))

    assert column_metrics(again) == column_metrics(state)
    assert associations(again, DEFAULT_METHODS) == associations(state, DEFAULT_METHODS)
    assert again.sample.rows.equals(state.sample.rows)


@pytest.mark.parametrize(
    "frame", [FRAME, FRAME.head(0), pl.DataFrame(), FRAME.with_columns(list=pl.Series([[1], [2], [], None]))]
)
def test_types_and_counts_of_a_state_are_kept(frame: pl.DataFrame) -> None:
    state = measured(frame.lazy())
    again = state_from(state_to(state))

    assert again.schema == state.schema == frame.schema
    assert (again.rows, again.null_rows, again.bytes) == (state.rows, state.null_rows, state.bytes)
    assert column_metrics(again) == column_metrics(state)
    assert (again.repeats is None) == (state.repeats is None)


def test_what_was_kept_merges_with_what_was_measured() -> None:
    kept = state_from(state_to(measured(FRAME[:2].lazy())))

    together, whole = merged([kept, measured(FRAME[2:].lazy())]), measured(FRAME.lazy())

    # Sums of parts are rounded in another order.
    rounded = {"variance", "std", "skew", "kurtosis", "mean", "sum"}
    assert [each.model_dump(exclude=rounded) for each in column_metrics(together)] == [
        each.model_dump(exclude=rounded) for each in column_metrics(whole)
    ]


def test_states_that_are_estimates_stay_such() -> None:
    half = pl.DataFrame({"x": np.append(np.random.default_rng(1).normal(size=80_000), np.zeros(500))})
    state = merged([measured(half.lazy()), measured((half + 1).lazy())])
    again = state_from(state_to(state))

    assert [each.metric for each in column_metrics(state)[0].estimates or []] == [
        "unique",
        "quantiles",
        "top_values",
    ]
    assert column_metrics(again) == column_metrics(state)


WHOLE = state_to(measured(FRAME.lazy()))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"no state",
        WHOLE[: len(WHOLE) // 2],
        WHOLE[:-1],
        WHOLE + b"\x00",
        msgspec.msgpack.encode({"rows": 1}),
        msgspec.msgpack.encode(["Unheard", [1]]),
        msgspec.msgpack.encode(["FrameState", [1]]),
        msgspec.msgpack.encode(["frame", b"no frame"]),
        msgspec.msgpack.encode(["array", b"no array", [1]]),
        WHOLE.replace(b"ARROW1", b"ARROW2"),
    ],
)
def test_broken_bytes_are_no_state(content: bytes) -> None:
    with pytest.raises(ValueError, match="no state of a frame"):
        state_from(content)


@pytest.mark.parametrize("place", range(0, len(WHOLE), 397))
def test_a_state_cut_off_anywhere_is_none(place: int) -> None:
    with pytest.raises(ValueError, match="no state of a frame"):
        state_from(WHOLE[:place])


def test_an_array_of_another_shape_is_none() -> None:
    state = measured(pl.DataFrame({"a": [1, 2]}).lazy())
    told: Any = msgspec.msgpack.decode(state_to(state))
    arrays = [part for part in told[1][5][1] if isinstance(part, list) and part[0] == "array"]
    arrays[0][2] = [7, 7]

    with pytest.raises(ValueError, match="no state of a frame"):
        state_from(msgspec.msgpack.encode(told))


def test_a_state_that_another_version_wrote_is_none() -> None:
    told: Any = msgspec.msgpack.decode(WHOLE)
    *packed, version = told

    assert state_from(msgspec.msgpack.encode([*packed, version])).rows == FRAME.height
    for other in ([*packed, version - 1], [*packed, version + 1], packed):
        with pytest.raises(ValueError, match="no state of a frame"):
            state_from(msgspec.msgpack.encode(other))


def test_arrays_of_every_kind_come_back_as_they_were() -> None:
    state = measured(pl.DataFrame({"a": [1, 2, 2], "x": [0.1, math.nan, -0.0]}).lazy())
    again = state_from(state_to(state))

    for one, two in zip(state.columns, again.columns, strict=True):
        assert one.distinct is not None
        assert two.distinct is not None
        for before, after in (
            (one.distinct.hashes, two.distinct.hashes),
            (one.ranks.values, two.ranks.values),
            (one.ranks.weights, two.ranks.weights),
        ):
            assert after.dtype == before.dtype
            assert after.tobytes() == before.tobytes()
    assert again.pairs.products.shape == state.pairs.products.shape
    assert again.pairs.products.tobytes() == state.pairs.products.tobytes()
