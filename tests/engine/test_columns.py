"""Columns are found by their exact names, whatever they are called."""

from __future__ import annotations

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpy.engine.columns import Columns, disguised, inner, outer, repeated, revealed
from airpy.errors import UnknownColumn

ODD_NAMES = [
    "*",
    "^.*$",
    "^$",
    "",
    "\0",
    "\0\0",
    "\0*",
    "\0bucket",
    "a",
    "a.b",
    "^",
    "$",
    "q\"uo'te",
    " ",
    "漢é",
]
NAMES = st.one_of(st.sampled_from(ODD_NAMES), st.text(alphabet="*^$\0a.", max_size=4), st.text(max_size=8))


@given(NAMES)
def test_inner_name_is_no_pattern_and_leads_back(name: str) -> None:
    assert outer(inner(name)) == name
    assert inner(name) not in {"", "*"}
    assert not (inner(name).startswith("^") and inner(name).endswith("$"))


@given(NAMES, NAMES)
def test_different_names_stay_different(one: str, two: str) -> None:
    assert (inner(one) == inner(two)) is (one == two)


@given(NAMES)
def test_no_column_has_the_name_of_the_bucket(name: str) -> None:
    assert inner(name) != "\0bucket"


def test_disguise_comes_off_again() -> None:
    frame = pl.LazyFrame({name: [number] for number, name in enumerate(ODD_NAMES)})
    hidden = disguised(frame)

    assert hidden.collect_schema().names() == [inner(name) for name in ODD_NAMES]
    assert revealed(hidden).collect().equals(frame.collect())


def test_frame_of_ordinary_names_is_left_as_it_is() -> None:
    frame = pl.LazyFrame({"a": [1], "B c": [2]})

    assert disguised(frame) is frame
    assert revealed(frame) is frame


def test_columns_are_known_by_the_callers_names() -> None:
    frame = pl.LazyFrame({"*": [1], "a": ["x"], "\0": [0.5]})
    columns = Columns(nw.from_native(disguised(frame)))

    assert [*columns] == ["*", "a", "\0"]
    assert [columns.dtype(name) for name in columns] == [nw.Int64, nw.String, nw.Float64]
    assert "*" in columns
    assert "\0*" not in columns
    assert columns.names(["\0", "*", "a"], "plan.select") == ["\0\0", "\0*", "a"]


def test_unknown_column_suggests_the_nearest_name() -> None:
    columns = Columns(nw.from_native(pl.LazyFrame({"site_id": [1], "kwh": [2], "cost": [3]})))

    with pytest.raises(UnknownColumn) as raised:
        columns.names(["kwh", "Site_Ids"], "plan.select")

    assert raised.value.reason == "UNKNOWN_COLUMN"
    assert raised.value.field == "plan.select[1]"
    assert raised.value.constraint == "one of: site_id, kwh, cost"
    assert raised.value.suggestion == ["site_id"]
    assert raised.value.message == 'unknown column "Site_Ids"; did you mean "site_id"?'


@pytest.mark.parametrize("name", ["*", "^.*$", "\0a", ""])
def test_pattern_reaches_no_column(name: str) -> None:
    columns = Columns(nw.from_native(disguised(pl.LazyFrame({"a": [1], "b": [2]}))))

    with pytest.raises(UnknownColumn, match="unknown column"):
        columns.column(name, "plan.select[0]")


def test_repeated_names_are_sorted_and_named_once() -> None:
    assert repeated(["b", "a", "c", "b", "a", "b"]) == ["a", "b"]
    assert repeated([]) == []
