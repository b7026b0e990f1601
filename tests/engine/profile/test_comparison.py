from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from scipy import stats
from scipy.spatial import distance

from airpy.contract import ColumnDrift, DriftTest, FrameComparison, IssueThresholds
from airpy.engine.profile.comparison import ColumnSide, Side, compare
from airpy.engine.profile.measuring import measured

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANCE = np.random.default_rng(3)
DAY = dt.date(2025, 1, 1)


def side(frame: pl.DataFrame, keys: Sequence[Sequence[str]] = ()) -> Side:
    """What is compared of a frame, as it is measured."""
    state = measured(frame.lazy())
    columns = [
        ColumnSide(name, dtype, state.rows - column.missing, column.missing, column.ranks, column.frequent)
        for (name, dtype), column in zip(state.schema.items(), state.columns, strict=True)
    ]
    return Side(state.rows, columns, keys)


def compared(
    before: Any,
    after: Any,
    *,
    keys: tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]] = ((), ()),
    limits: dict[str, float] | None = None,
) -> FrameComparison:
    """The comparison of two frames, or of two columns `x`."""
    frames = [
        value if isinstance(value, pl.DataFrame) else pl.DataFrame({"x": value}, strict=False)
        for value in (before, after)
    ]
    sides = [side(frame, its) for frame, its in zip(frames, keys, strict=True)]
    return compare(sides[0], sides[1], IssueThresholds.model_validate(limits or {}))


def drift(before: Any, after: Any, **limits: float) -> ColumnDrift:
    return compared(before, after, limits=limits).drift[0]


def by_statistic(found: ColumnDrift) -> dict[str, DriftTest]:
    return {test.statistic: test for test in found.tests}


# Distributions


def test_numbers_of_the_same_distribution_have_not_drifted() -> None:
    found = drift(CHANCE.normal(0, 1, 2_000), CHANCE.normal(0, 1, 2_000))

    assert not found.drifted
    assert {name: test.drifted for name, test in by_statistic(found).items()} == {
        "ks": False,
        "js": False,
        "psi": False,
        "missing": False,
    }


def test_numbers_of_another_distribution_have_drifted_by_every_test() -> None:
    before, after = CHANCE.normal(0, 1, 2_000), CHANCE.normal(1, 1, 1_000)

    tests = by_statistic(drift(before, after))

    expected = stats.ks_2samp(before, after, method="asymp").statistic
    assert tests["ks"].value == pytest.approx(expected, abs=1e-9)
    assert tests["ks"].p_value == pytest.approx(
        stats.kstwobign.sf(expected * math.sqrt(2_000_000 / 3_000)), abs=1e-9
    )
    edges = [-math.inf, *np.quantile(before, np.arange(1, 10) / 10), math.inf]
    p, q = (np.histogram(numbers, edges)[0] / len(numbers) for numbers in (before, after))
    assert tests["js"].value == pytest.approx(distance.jensenshannon(p, q, base=2), abs=1e-9)
    q[q == 0] = 1e-4
    assert tests["psi"].value == pytest.approx(sum((q - p) * np.log(q / p)), abs=1e-9)
    assert [tests[name].drifted for name in ("ks", "js", "psi", "missing")] == [True, True, True, False]


def test_a_distance_that_chance_makes_is_no_drift() -> None:
    # Of 10 and 10 numbers a distance of 0.3 has a p-value of 0.76.
    test = by_statistic(drift(list(range(10)), list(range(3, 13))))["ks"]

    assert test.value == 0.3
    assert test.p_value == pytest.approx(stats.kstwobign.sf(0.3 * math.sqrt(5)), abs=1e-9)
    assert not test.drifted


@pytest.mark.parametrize(("threshold", "drifted"), [(0.3, True), (0.31, False)])
def test_a_statistic_at_its_threshold_has_drifted(threshold: float, *, drifted: bool) -> None:
    numbers = list(range(1_000))

    assert by_statistic(drift(numbers, [n + 300 for n in numbers], ks=threshold))["ks"].drifted == drifted


def test_integers_may_become_floats() -> None:
    assert not drift([1, 2, 3], [1.0, 2.0, 3.0]).drifted


def test_times_of_other_units_are_the_same_times() -> None:
    days = pl.Series("x", [DAY + dt.timedelta(n) for n in range(200)])
    moments = days.cast(pl.Datetime("ms"))

    assert not drift(days.to_frame(), moments.to_frame()).drifted
    assert not drift(moments.to_frame(), moments.cast(pl.Datetime("ns")).to_frame()).drifted
    assert by_statistic(drift(days.to_frame(), moments.dt.offset_by("100d").to_frame()))["ks"].value == 0.5


def test_nan_is_a_part_of_its_own() -> None:
    before, after = [1.0, 2.0, 3.0, 4.0] * 25, [1.0, 2.0, math.nan, math.nan] * 25

    tests = by_statistic(drift(before, after))

    # Parts are 1, 2, 3, 4 and NaN.
    p, q = [1, 1, 1, 1, 0], [1, 1, 0, 0, 2]
    assert tests["js"].value == pytest.approx(distance.jensenshannon(p, q, base=2), abs=1e-9)
    assert tests["missing"].value == 0
    nothing = by_statistic(drift(before, [math.nan] * 100))
    assert "ks" not in nothing
    assert nothing["js"].value == 1
    assert not drift([math.nan] * 9, [math.nan] * 9).drifted


def test_categories_of_the_same_shares_have_not_drifted() -> None:
    found = drift(["a", "b"] * 50, ["b", "a"] * 500)

    assert not found.drifted
    assert [test.statistic for test in found.tests] == ["js", "psi", "missing"]
    assert (found.new_categories, found.gone_categories) == ([], [])


def test_categories_of_other_shares_have_drifted() -> None:
    found = drift(["a"] * 50 + ["b"] * 50, ["a"] * 90 + ["b"] * 10)
    tests = by_statistic(found)

    assert tests["js"].value == pytest.approx(distance.jensenshannon([5, 5], [9, 1], base=2), abs=1e-9)
    assert tests["psi"].value == pytest.approx(0.4 * math.log(1.8) - 0.4 * math.log(0.2), abs=1e-9)
    assert tests["js"].drifted
    assert tests["psi"].drifted


def test_booleans_are_categories() -> None:
    assert drift([True, False] * 50, [True] * 99 + [False]).drifted


def test_new_and_gone_categories_are_told_the_most_frequent_first() -> None:
    found = drift(["a"] * 6 + ["b"] * 3 + ["c"], ["a"] * 5 + ["d"] * 2 + ["e"] * 3)

    assert [(each.value, each.count, each.share) for each in found.new_categories or []] == [
        ("e", 3, 0.3),
        ("d", 2, 0.2),
    ]
    assert [(each.value, each.count) for each in found.gone_categories or []] == [("b", 3), ("c", 1)]


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ([dt.timedelta(0)], [dt.timedelta(hours=1, milliseconds=5)], "PT3600.005S"),
        ([dt.time(0)], [dt.time(13, 45)], "13:45:00"),
        ([b"a"], [b"\xff"], None),
    ],
)
def test_new_categories_of_other_types_are_told_as_rows_show_them(
    before: list[Any], after: list[Any], new: str | None
) -> None:
    found = drift(before, after)

    assert [each.value for each in found.new_categories or []] == ([new] if new else [])


def test_no_more_than_20_new_categories_are_told() -> None:
    found = drift(["a"], [f"b{n:02}" for n in range(30)])

    assert [each.value for each in found.new_categories or []] == [f"b{n:02}" for n in range(20)]


def test_categories_that_are_not_all_known_are_not_compared() -> None:
    many = [f"v{n}" for n in range(40_000)]

    found = drift(many, many)

    assert [test.statistic for test in found.tests] == ["missing"]
    assert found.new_categories is None


def test_columns_of_other_kinds_are_compared_by_their_nulls_alone() -> None:
    assert [test.statistic for test in drift([1, 2], ["a", "b"]).tests] == ["missing"]
    assert [test.statistic for test in drift([[1], [2]], [[1], [3]]).tests] == ["missing"]


@pytest.mark.parametrize(("nulls", "drifted"), [(10, False), (14, False), (15, True), (5, True)])
def test_a_change_of_the_share_of_nulls_has_drifted_from_its_threshold_on(
    nulls: int, *, drifted: bool
) -> None:
    test = by_statistic(drift([None] * 10 + [1] * 90, [None] * nulls + [1] * (100 - nulls)))["missing"]

    assert test.value == abs(nulls - 10) / 100
    assert test.drifted == drifted


def test_what_is_the_same_has_not_drifted_whatever_the_threshold() -> None:
    found = drift([1, 2, None], [1, 2, None], ks=0, js=0, psi=0, missing_change=0)

    assert not found.drifted


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], []),
        ([], [1.0]),
        ([1.0], []),
        ([None] * 3, [1.0] * 3),
        ([1.0], [None]),
        ([None], [None]),
        ([1], [2]),
    ],
)
def test_sides_without_values_are_compared_as_far_as_they_go(before: list[Any], after: list[Any]) -> None:
    frames = [pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)}) for values in (before, after)]

    found = compared(frames[0], frames[1])

    tests = by_statistic(found.drift[0])
    assert ("missing" in tests) == bool(before and after)
    assert ("ks" in tests) == ([*before, *after] == [1, 2])
    if "ks" in tests:
        assert (tests["ks"].value, tests["ks"].drifted) == (1.0, False)
    assert found.rows.change == (len(after) / len(before) - 1 if before else None)


def test_columns_that_drifted_come_first() -> None:
    before = pl.DataFrame({"a": list(range(200)), "b": list(range(200))})
    after = before.with_columns(pl.col("b") + 100)

    assert [(found.column, found.drifted) for found in compared(before, after).drift] == [
        ("b", True),
        ("a", False),
    ]


# Rows


@pytest.mark.parametrize(
    ("before", "after", "change", "drifted"),
    [
        (100, 100, 0.0, False),
        (100, 149, 0.49, False),
        (100, 150, 0.5, True),
        (100, 50, -0.5, True),
        (100, 0, -1.0, True),
        (0, 5, None, True),
        (0, 0, None, False),
    ],
)
def test_rows_have_drifted_from_the_threshold_on(
    before: int, after: int, change: float | None, *, drifted: bool
) -> None:
    rows = compared(*(pl.DataFrame({"x": pl.Series([1] * n, dtype=pl.Int64)}) for n in (before, after))).rows

    assert (rows.before, rows.after, rows.change, rows.drifted) == (before, after, change, drifted)


# Columns


def changes(before: pl.DataFrame, after: pl.DataFrame) -> list[tuple[str, str, str | None, str | None, bool]]:
    return [
        (each.kind, each.column, each.before, each.after, each.breaking)
        for each in compared(before, after).schema_changes
    ]


def test_columns_that_were_added_break_nothing_and_those_removed_do() -> None:
    before, after = pl.DataFrame({"a": [1], "b": ["x"]}), pl.DataFrame({"b": ["x"], "c": [1.5]})

    assert changes(before, after) == [
        ("column_removed", "a", "int64", None, True),
        ("column_added", "c", None, "float64", False),
    ]


@pytest.mark.parametrize(
    ("before", "after", "shown", "breaking"),
    [
        (pl.Int32(), pl.Int64(), ("int32", "int64"), False),
        (pl.Int64(), pl.Int32(), ("int64", "int32"), True),
        (pl.UInt8(), pl.Int16(), ("uint8", "int16"), False),
        (pl.UInt8(), pl.Int8(), ("uint8", "int8"), True),
        (pl.Int32(), pl.Float64(), ("int32", "float64"), False),
        (pl.Int64(), pl.Float64(), ("int64", "float64"), True),  # beyond 2⁵³ floats leave integers out
        (pl.Float32(), pl.Float64(), ("float32", "float64"), False),
        (pl.Float64(), pl.Float32(), ("float64", "float32"), True),
        (pl.Int64(), pl.String(), ("int64", "string"), True),
        (pl.Decimal(10, 2), pl.Decimal(12, 2), ("decimal(10, 2)", "decimal(12, 2)"), False),
        (pl.Decimal(12, 2), pl.Decimal(10, 2), ("decimal(12, 2)", "decimal(10, 2)"), True),
        (pl.Datetime("us"), pl.Datetime("us", "UTC"), ("timestamp", "timestamp(UTC)"), True),
        (
            pl.Datetime("us", "UTC"),
            pl.Datetime("us", "Europe/Berlin"),
            ("timestamp(UTC)", "timestamp(Europe/Berlin)"),
            False,
        ),
        (pl.Null(), pl.Int64(), ("null", "int64"), False),
        (pl.List(pl.Int32()), pl.List(pl.Int64()), ("list(int32)", "list(int64)"), False),
        (pl.List(pl.Int64()), pl.List(pl.String()), ("list(int64)", "list(string)"), True),
        (
            pl.Struct({"a": pl.Int64()}),
            pl.Struct({"b": pl.Int64()}),
            ("struct(a: int64)", "struct(b: int64)"),
            True,
        ),
    ],
)
def test_a_type_breaks_readers_unless_it_holds_all_former_values(
    before: pl.DataType, after: pl.DataType, shown: tuple[str, str], *, breaking: bool
) -> None:
    frames = [pl.DataFrame({"x": pl.Series([], dtype=dtype)}) for dtype in (before, after)]

    assert changes(frames[0], frames[1]) == [("type_changed", "x", *shown, breaking)]


@pytest.mark.parametrize(
    ("before", "after"),
    [(pl.String(), pl.Categorical()), (pl.Enum(["a"]), pl.String()), (pl.Datetime("ms"), pl.Datetime("us"))],
)
def test_types_that_are_the_same_to_every_reader_have_not_changed(
    before: pl.DataType, after: pl.DataType
) -> None:
    assert changes(*(pl.DataFrame({"x": pl.Series([], dtype=dtype)}) for dtype in (before, after))) == []


def test_nulls_that_appear_break_readers_and_nulls_that_go_do_not() -> None:
    full, holed = pl.DataFrame({"x": [1, 2]}), pl.DataFrame({"x": [1, None]})

    assert changes(full, holed) == [("nulls_appeared", "x", "0 of 2 rows", "1 of 2 rows", True)]
    assert changes(holed, full) == [("nulls_gone", "x", "1 of 2 rows", "0 of 2 rows", False)]
    assert changes(holed, holed) == []
    assert changes(full.clear(), holed) == []
    assert changes(holed, full.clear()) == []


def test_as_few_columns_as_may_be_have_moved() -> None:
    before = pl.DataFrame({name: [1] for name in "abcde"})

    assert changes(before, before.select("b", "c", "d", "e", "a")) == [("moved", "a", "1", "5", True)]
    assert [change[1] for change in changes(before, before.select("a", "d", "c", "b", "e"))] == ["b", "c"]
    assert changes(before, before.select(pl.lit(0).alias("new"), *"abcde")) == [
        ("column_added", "new", None, "int32", False)
    ]


# Keys


def key_changes(
    before: list[list[str]], after: list[list[str]], columns: str = "abc"
) -> list[tuple[list[str], bool, bool, bool]]:
    frames = pl.DataFrame({name: [1, 2] for name in "abc"}), pl.DataFrame({name: [1, 2] for name in columns})
    return [
        (each.columns, each.before, each.after, each.breaking)
        for each in compared(*frames, keys=(before, after)).keys
    ]


def test_a_key_that_is_none_any_more_breaks_readers() -> None:
    assert key_changes([["a"], ["b"]], [["b"]]) == [(["a"], True, False, True)]
    assert key_changes([["a", "b"]], []) == [(["a", "b"], True, False, True)]
    assert key_changes([["a"]], [["a", "b"]]) == [(["a"], True, False, True)]


def test_a_key_whose_column_is_gone_is_told_of_as_that() -> None:
    assert key_changes([["a"]], [], columns="bc") == [(["a"], True, False, False)]


def test_a_new_key_breaks_nothing() -> None:
    assert key_changes([], [["a"]]) == [(["a"], False, True, False)]


def test_keys_that_are_still_keys_have_not_changed() -> None:
    assert key_changes([["a", "b"]], [["b", "a"]]) == []
    # What has a key among its columns is one, and where there is one, pairs are not looked for.
    assert [change[0] for change in key_changes([["a", "b"]], [["a"]])] == [["a"]]
    assert [change[0] for change in key_changes([["a", "b"]], [["c"]])] == [["c"]]


def test_a_frame_without_rows_says_nothing_of_keys() -> None:
    frame = pl.DataFrame({"a": [1, 2]})

    assert compared(frame, frame.clear(), keys=([["a"]], [])).keys == []


# The verdict


def test_a_frame_is_the_same_as_itself() -> None:
    frame = pl.DataFrame({"a": [1, 2, None], "b": ["x", "y", "y"], "c": [DAY, DAY, None]})

    found = compared(frame, frame, keys=([["a"]], [["a"]]))

    assert found.verdict == "same"
    assert not found.schema_changes
    assert not found.keys
    assert not any(column.drifted for column in found.drift)


def test_the_verdict_is_the_worst_that_was_found() -> None:
    frame = pl.DataFrame({"a": list(range(200)), "b": ["x", "y"] * 100})

    assert compared(frame, frame.with_columns(pl.col("a") + 100)).verdict == "drifted"
    assert compared(frame, frame.head(50)).verdict == "drifted"
    assert compared(frame, frame.with_columns(c=pl.lit(1))).verdict == "drifted"
    assert compared(frame, frame.drop("b")).verdict == "breaking"
    assert compared(frame, frame, keys=([["a"]], [])).verdict == "breaking"
