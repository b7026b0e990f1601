from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from airpy.contract import Filter
from airpy.engine.encoding import encode_rows
from airpy.engine.profile.selecting import MOST_COLUMNS, Selected, selected
from airpy.errors import TypeMismatch, UnknownColumn

if TYPE_CHECKING:
    from pathlib import Path

NAN = float("nan")
SOME = pl.DataFrame(
    {
        "site": ["a", "b", None, "a", "c", "b", "a"],
        "kwh": [1.5, NAN, 3.0, None, -2.0, float("inf"), 3.0],
    }
)


def leaf(**parts: Any) -> Filter:
    return Filter.model_validate(parts)


def values(one: Selected) -> list[tuple[int, dict[str, Any]]]:
    return [(example.row, example.values.model_dump()) for example in one.examples]


def test_each_list_of_filters_has_its_count_and_its_first_rows_by_number() -> None:
    low, both, every = selected(
        SOME.lazy(),
        [
            [leaf(col="kwh", op="<", val=2)],
            [leaf(col="site", op="=", val="a"), leaf(col="kwh", op=">=", val=3)],
            [],
        ],
        most_examples=2,
    )

    assert low.rows == 2
    assert values(low) == [(1, {"site": "a", "kwh": 1.5}), (5, {"site": "c", "kwh": -2.0})]
    assert both.rows == 1
    assert values(both) == [(7, {"site": "a", "kwh": 3.0})]
    assert every.rows == 7
    assert values(every) == [(1, {"site": "a", "kwh": 1.5}), (2, {"site": "b", "kwh": None})]


def test_null_is_selected_by_its_own_filter_alone_and_nan_is_greater_than_every_number() -> None:
    null, other, greater, neither = selected(
        SOME.lazy(),
        [
            [leaf(col="site", op="is_null")],
            [leaf(col="site", op="!=", val="a")],
            [leaf(col="kwh", op=">", val=3)],
            [Filter.model_validate({"not": {"col": "kwh", "op": ">", "val": 3}})],
        ],
        most_examples=9,
    )

    assert [row for row, _ in values(null)] == [3]
    assert [row for row, _ in values(other)] == [2, 5, 6]  # null is not known to be other than "a"
    assert [row for row, _ in values(greater)] == [2, 6]
    assert [row for row, _ in values(neither)] == [1, 3, 5, 7]


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 1000])
def test_batches_make_no_difference(batch_rows: int) -> None:
    frame = pl.DataFrame({"n": range(1000), "text": [f"row {n}" for n in range(1000)]})
    wanted = [
        [leaf(col="n", op=">=", val=499)],
        [leaf(col="n", op="in", val=[3, 400, 999])],
        [Filter.model_validate({"rows": {"are": "rising", "cols": ["n"]}})],
        [leaf(col="n", op="<", val=0)],
        [],
    ]

    found = selected(frame.lazy(), wanted, most_examples=2, batch_rows=batch_rows)

    assert [one.rows for one in found] == [501, 3, 999, 0, 1000]
    assert [values(one) for one in found] == [
        [(500, {"n": 499, "text": "row 499"}), (501, {"n": 500, "text": "row 500"})],
        [(4, {"n": 3, "text": "row 3"}), (401, {"n": 400, "text": "row 400"})],
        [(2, {"n": 1, "text": "row 1"}), (3, {"n": 2, "text": "row 2"})],
        [],
        [(1, {"n": 0, "text": "row 0"}), (2, {"n": 1, "text": "row 1"})],
    ]


def test_the_frame_may_be_a_file_that_is_read_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "numbers.parquet"
    pl.DataFrame({"n": range(5000), "m": [n % 7 for n in range(5000)]}).write_parquet(
        path, row_group_size=900
    )

    sevenths, late = selected(
        pl.scan_parquet(path),
        [
            [leaf(col="m", op="=", val=6)],
            [Filter.model_validate({"rows": {"are": "falling", "cols": ["m"]}})],
        ],
        most_examples=1,
        batch_rows=512,
    )

    assert (sevenths.rows, values(sevenths)) == (714, [(7, {"n": 6, "m": 6})])
    assert (late.rows, values(late)) == (714, [(8, {"n": 7, "m": 0})])


def test_relations_are_over_the_whole_frame_and_count_beside_other_filters() -> None:
    # The second 5 is left out by the other filter, and still what the third one repeats.
    frame = pl.DataFrame({"n": [5, 5, 5, 6], "keep": [False, False, True, True]})
    repeated = Filter.model_validate({"rows": {"are": "repeated", "cols": ["n"]}})

    (found,) = selected(
        frame.lazy(), [[repeated, leaf(col="keep", op="=", val=True)]], most_examples=5, batch_rows=1
    )

    assert (found.rows, values(found)) == (1, [(3, {"n": 5, "keep": True})])


def test_examples_are_written_as_rows_of_an_answer_are() -> None:
    frame = pl.DataFrame(
        {
            "day": [dt.date(2025, 3, 30)],
            "at": [dt.datetime(2025, 3, 30, 1, 30, tzinfo=ZoneInfo("Europe/Berlin"))],
            "bytes": [b"\x00\xff"],
            "price": [Decimal("1.10")],
            "long": [2**63 - 1],
            "took": [dt.timedelta(hours=1)],
            "kind": pl.Series(["x"], dtype=pl.Enum(["x", "y"])),
            "infinite": [float("-inf")],
            "list": [[dt.datetime(2025, 1, 1, tzinfo=dt.UTC)]],
            "struct": [{"a": b"1", "b": None}],
            "*": ["starred"],
            "^a.*$": [None],
            "model_config": [True],
        }
    )

    (found,) = selected(frame.lazy(), [[]], most_examples=1)

    assert [found.examples[0].values.model_dump()] == json.loads(encode_rows(frame))
    assert found.examples[0].values.model_dump()["at"] == "2025-03-30T00:30:00Z"
    assert found.examples[0].values.model_dump()["bytes"] == "AP8="


def test_an_example_of_a_wide_frame_has_the_columns_of_its_filters_and_the_first_ones() -> None:
    frame = pl.DataFrame({f"c{n}": [n] for n in range(60)})
    wanted = [[leaf(col="c55", op="=", val=55)], [leaf(col="c1", op="=", col2="c1")]]

    by_filter, _ = selected(frame.lazy(), wanted, most_examples=1)
    chosen, default = selected(frame.lazy(), wanted, most_examples=1, shown=[["c59", "c58"], []])

    assert list(by_filter.examples[0].values.model_dump()) == ["c55", *(f"c{n}" for n in range(49))]
    assert list(chosen.examples[0].values.model_dump()) == ["c59", "c58", *(f"c{n}" for n in range(48))]
    assert list(default.examples[0].values.model_dump()) == [f"c{n}" for n in range(MOST_COLUMNS)]


def test_a_frame_of_fifty_columns_is_shown_whole_and_in_its_order() -> None:
    frame = pl.DataFrame({f"c{n}": [n] for n in range(50)})

    (found,) = selected(frame.lazy(), [[leaf(col="c49", op="=", val=49)]], most_examples=1, shown=[["c7"]])

    assert list(found.examples[0].values.model_dump()) == frame.columns


def test_without_examples_rows_are_counted_all_the_same() -> None:
    rising = Filter.model_validate({"rows": {"are": "rising", "cols": ["kwh"]}})

    counted = selected(SOME.lazy(), [[leaf(col="kwh", op="is_nan")], [rising], []], most_examples=0)

    # NaN after 1.5, infinity after -2 …
    assert counted == [Selected(1, []), Selected(2, []), Selected(7, [])]


def test_nothing_is_selected_of_no_rows_or_no_columns() -> None:
    rising = Filter.model_validate({"rows": {"are": "rising", "cols": ["kwh"]}})

    assert (
        selected(SOME.head(0).lazy(), [[leaf(col="kwh", op=">", val=0)], [rising], []], most_examples=5)
        == [Selected(0, [])] * 3
    )
    assert selected(pl.DataFrame().lazy(), [[]], most_examples=5) == [Selected(0, [])]
    assert selected(SOME.lazy(), [], most_examples=5) == []


def test_times_without_an_offset_are_in_the_zone() -> None:
    frame = pl.DataFrame({"at": ["2025-06-01T22:00:00", "2025-06-01T21:00:00"]}).select(
        pl.col("at").str.to_datetime()
    )
    since = [leaf(col="at", op=">=", val="2025-06-02")]

    in_utc = selected(frame.lazy(), [since], most_examples=0)
    in_berlin = selected(frame.lazy(), [since], most_examples=0, timezone=ZoneInfo("Europe/Berlin"))

    assert (in_utc[0].rows, in_berlin[0].rows) == (0, 1)


def test_a_filter_that_does_not_fit_the_frame_is_refused_by_its_place() -> None:
    with pytest.raises(UnknownColumn) as unknown:
        selected(SOME.lazy(), [[], [leaf(col="kw", op="=", val=1)]], most_examples=1)
    with pytest.raises(TypeMismatch) as mismatch:
        selected(SOME.lazy(), [[leaf(col="kwh", op="=", val="much")]], most_examples=1)
    with pytest.raises(UnknownColumn) as hidden:
        selected(
            SOME.lazy(),
            [[Filter.model_validate({"rows": {"are": "level", "cols": ["kw"]}})]],
            most_examples=1,
        )

    assert unknown.value.field == "filters[1][0].col"
    assert mismatch.value.field == "filters[0][0].val"
    assert hidden.value.field == "filters[0][0].rows.cols[0]"
