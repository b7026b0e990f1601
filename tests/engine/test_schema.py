from __future__ import annotations

from typing import Any, get_args

import polars as pl
import pyarrow as pa
import pytest

from airpy.contract import DataType, FieldModel
from airpy.engine.schema import (
    TYPE_NAMES,
    describe_field,
    describe_schema,
    instance,
    stored,
    type_name,
)

TEXT = pl.String()
INTEGER = pl.Int64()
FLOAT = pl.Float64()
DATE = pl.Date()
MOMENT = pl.Datetime("us")
INSTANT = pl.Datetime("us", "UTC")


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
