from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import polars as pl
import pyarrow as pa
import pytest

from airpy.contract import DataType, FieldModel
from airpy.engine.failures import failure
from airpy.engine.schema import (
    TYPE_NAMES,
    describe_field,
    describe_schema,
    instance,
    stored,
    type_name,
)
from airpy.engine.evidence import infer_types
from airpy.engine.text_types import parse_text

TEXT = pl.String()
INTEGER = pl.Int64()
FLOAT = pl.Float64()
DATE = pl.Date()
MOMENT = pl.Datetime("us")
INSTANT = pl.Datetime("us", "UTC")


def inferred(*values: str | None) -> pl.DataType:
    return infer_types(pl.DataFrame({"a": values}, schema={"a": pl.String}))["a"]


def parsed(values: list[str | None], dtype: pl.DataType, *, strict: bool = True) -> list[Any]:
    frame = pl.DataFrame({"a": values}, schema={"a": pl.String})
    return frame.select(parse_text(pl.col("a"), dtype, strict=strict)).to_series().to_list()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["true", "FALSE", "True"], pl.Boolean()),
        (["true", "yes"], TEXT),
        (["t"], TEXT),
        (["1", "0"], INTEGER),
        (["1", "true"], TEXT),
        (["0", "-1", "42"], INTEGER),
        (["9223372036854775807", "-9223372036854775808"], INTEGER),
        (["9223372036854775808"], TEXT),
        (["-9223372036854775809"], TEXT),
        (["12345678901234567890"], TEXT),
        (["1", "12345678901234567890"], TEXT),
        (["007", "1"], TEXT),
        (["1", "007"], TEXT),
        (["-01"], TEXT),
        (["+5"], TEXT),
        (["1,000"], TEXT),
        (["1_000"], TEXT),
        (["0x10"], TEXT),
        ([" 1"], TEXT),
        (["1 "], TEXT),
        (["1\n"], TEXT),
        (["１"], TEXT),
        (["٣"], TEXT),
        (["1", "2.5"], FLOAT),
        (["2.5", "1"], FLOAT),
        (["1.", ".5", "-.5", "0.0"], FLOAT),
        (["1e5", "1E-5", "-2.5e+10"], FLOAT),
        (["nan", "NaN", "inf", "-INF", "+inf", "1"], FLOAT),
        (["infinity"], TEXT),
        (["00.5"], TEXT),
        (["1.5", "1234567890123456"], TEXT),  # a float would lose its last digits
        (["1.5.2"], TEXT),
        (["."], TEXT),
        (["-"], TEXT),
        (["e5"], TEXT),
        (["2025-09-01", "2024-02-29"], DATE),
        (["2025-02-30"], TEXT),
        (["2025-09-01", "2025-02-29"], TEXT),
        (["2025-13-01"], TEXT),
        (["2025-9-1"], TEXT),
        (["01/09/2025"], TEXT),
        (["2025-09-01", "n/a"], TEXT),
        (["2025-09-01T10:00:00", "2025-09-01 10:00:00.5", "2025-09-01T10:00:00.123456"], MOMENT),
        (["2025-09-01T10:00:00.1234567"], TEXT),  # would lose its last digit
        (["2025-09-01T10:00"], TEXT),
        (["2025-09-01T24:00:00"], TEXT),
        (["2025-02-30T10:00:00"], TEXT),
        (["2025-09-01", "2025-09-01T10:00:00"], TEXT),
        (["2025-09-01T10:00:00Z", "2025-09-01 12:00:00+02:00", "2025-09-01T05:30:00.5-0430"], INSTANT),
        (["2025-09-01T10:00:00Z", "2025-09-01T10:00:00"], TEXT),
        (["2025-09-01T10:00:00+99:99"], TEXT),
        (["10:00:00"], TEXT),
        ([""], TEXT),
        (["x", None], TEXT),
        ([None, "1", None], INTEGER),
        ([None, None], TEXT),
        ([], TEXT),
    ],
)
def test_a_column_of_text_has_the_type_of_all_its_values(
    values: list[str | None], dtype: pl.DataType
) -> None:
    assert inferred(*values) == dtype


def test_each_column_has_its_own_type_in_their_order() -> None:
    frame = pl.DataFrame(
        {"*": ["1"], "^.*$": ["x"], "b": ["2025-09-01"], "a": [None]}, schema_overrides={"a": TEXT}
    )

    types = infer_types(frame)

    assert list(types.items()) == [("*", INTEGER), ("^.*$", TEXT), ("b", DATE), ("a", TEXT)]


def test_no_columns_have_no_types() -> None:
    assert infer_types(pl.DataFrame()) == {}


@pytest.mark.parametrize(
    ("dtype", "texts", "values"),
    [
        (pl.Boolean(), ["TRUE", "false"], [True, False]),
        (INTEGER, ["-9223372036854775808", "0"], [-(2**63), 0]),
        (FLOAT, ["1.", "-.5", "1e3", "inf"], [1.0, -0.5, 1000.0, float("inf")]),
        (DATE, ["2024-02-29"], [dt.date(2024, 2, 29)]),
        (
            MOMENT,
            ["2025-09-01T10:00:00", "2025-09-01 10:00:00.25"],
            [dt.datetime(2025, 9, 1, 10), dt.datetime(2025, 9, 1, 10, 0, 0, 250_000)],  # noqa: DTZ001
        ),
        (
            INSTANT,
            ["2025-09-01T10:00:00Z", "2025-09-01 12:00:00+02:00", "2025-09-01T05:30:00.000001-0430"],
            [
                dt.datetime(2025, 9, 1, 10, tzinfo=dt.UTC),
                dt.datetime(2025, 9, 1, 10, tzinfo=dt.UTC),
                dt.datetime(2025, 9, 1, 10, 0, 0, 1, tzinfo=dt.UTC),
            ],
        ),
        (TEXT, ["007", ""], ["007", ""]),
    ],
)
def test_text_becomes_values_and_null_stays_null(
    dtype: pl.DataType, texts: list[str | None], values: list[Any]
) -> None:
    for strict in (True, False):
        assert parsed([*texts, None], dtype, strict=strict) == [*values, None]


@pytest.mark.parametrize("dtype", [pl.Boolean(), INTEGER, FLOAT, DATE, MOMENT, INSTANT])
def test_text_that_is_no_value_fails_or_is_null(dtype: pl.DataType) -> None:
    assert parsed(["maybe", None], dtype, strict=False) == [None, None]
    with pytest.raises(pl.exceptions.InvalidOperationError) as caught:
        parsed(["maybe", None], dtype)
    assert failure(caught.value).code == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (pl.Int128(), "decimal"),
        (pl.UInt128(), "decimal"),
        (pl.Float16(), "float32"),
        (pl.Categorical(), "string"),
        (pl.Enum(["a"]), "string"),
        (pl.Array(pl.Int64, 2), "list"),
        (pl.Map(pl.String, pl.Int64), "list"),
        (pl.Extension("arrow.json", pl.String), "string"),
        (pl.Object(), "binary"),
    ],
)
def test_a_type_without_a_name_of_its_own_has_that_which_it_leaves_as(dtype: pl.DataType, name: str) -> None:
    assert type_name(dtype) == name


def test_every_type_name_of_the_contract_is_given() -> None:
    assert set(TYPE_NAMES.values()) == set(get_args(get_args(DataType.__value__)[0]))


def described(dtype: pl.DataType) -> dict[str, Any]:
    return describe_field("a", dtype, nullable=False).model_dump(exclude_unset=True)


PLAIN = {"name": "a", "nullable": False}


@pytest.mark.parametrize(
    ("dtype", "description"),
    [
        (INTEGER, {"type": "int64"}),
        (MOMENT, {"type": "timestamp"}),
        (pl.Datetime("ns", "Europe/Berlin"), {"type": "timestamp", "timezone": "Europe/Berlin"}),
        (pl.Decimal(10, 2), {"type": "decimal", "precision": 10, "scale": 2}),
        (pl.Int128(), {"type": "decimal", "precision": 38, "scale": 0}),
        (pl.List(pl.Date), {"type": "list", "items": {"name": "item", "type": "date", "nullable": True}}),
        (
            pl.Array(pl.Decimal(5, 1), 3),
            {
                "type": "list",
                "items": {"name": "item", "type": "decimal", "nullable": True, "precision": 5, "scale": 1},
            },
        ),
        (
            pl.Struct({"x": INTEGER, "y": pl.List(INSTANT)}),
            {
                "type": "struct",
                "fields": [
                    {"name": "x", "type": "int64", "nullable": True},
                    {
                        "name": "y",
                        "type": "list",
                        "nullable": True,
                        "items": {"name": "item", "type": "timestamp", "nullable": True, "timezone": "UTC"},
                    },
                ],
            },
        ),
        (pl.Struct([]), {"type": "struct", "fields": []}),
        (
            pl.Map(pl.String, pl.Float64),
            {
                "type": "list",
                "items": {
                    "name": "item",
                    "type": "struct",
                    "nullable": True,
                    "fields": [
                        {"name": "key", "type": "string", "nullable": True},
                        {"name": "value", "type": "float64", "nullable": True},
                    ],
                },
            },
        ),
        (
            pl.Extension("their.own", pl.Datetime("us", "UTC")),
            {"type": "timestamp", "timezone": "UTC"},
        ),
    ],
)
def test_a_field_is_described_with_all_that_its_type_says(
    dtype: pl.DataType, description: dict[str, Any]
) -> None:
    assert described(dtype) == PLAIN | description


def test_a_schema_says_which_columns_may_hold_nulls() -> None:
    schema = describe_schema({"a": INTEGER, "*": TEXT}, ["*", "gone"])

    assert schema.fields == [
        FieldModel(name="a", type="int64", nullable=False),
        FieldModel(name="*", type="string", nullable=True),
    ]


def test_no_columns_have_a_schema_without_fields() -> None:
    assert describe_schema({}, []).fields == []


def test_a_class_of_types_stands_for_its_type() -> None:
    assert instance(pl.Int64) == INTEGER
    assert instance(pl.List(pl.Int64)) == pl.List(pl.Int64)


def test_what_a_type_is_made_of_is_known_of_real_columns() -> None:
    table = pa.table(
        {
            "map": pa.array([[("x", 1)]], pa.map_(pa.string(), pa.int32())),
            "json": pa.array(["{}"], pa.json_()),
            "plain": [1],
        }
    )

    types = [stored(dtype) for dtype in pl.DataFrame(table).dtypes]

    assert types == [pl.List(pl.Struct({"key": pl.String, "value": pl.Int32})), TEXT, INTEGER]
