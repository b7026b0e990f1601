"""Names column types in the contract's terms.

The names are Arrow's. A categorical is a string to every reader, an array a list, a map a list of its
entries; a type of somebody's own is what its values are kept as.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.contract import FieldModel, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from polars._typing import PolarsDataType

    from airpy.contract import CastType, DataType

__all__ = [
    "CASTS",
    "describe_field",
    "describe_schema",
    "instance",
    "stored",
    "type_name",
]

TYPE_NAMES: dict[type[pl.DataType], DataType] = {
    pl.Boolean: "bool",
    pl.Int8: "int8",
    pl.Int16: "int16",
    pl.Int32: "int32",
    pl.Int64: "int64",
    pl.UInt8: "uint8",
    pl.UInt16: "uint16",
    pl.UInt32: "uint32",
    pl.UInt64: "uint64",
    pl.Float32: "float32",
    pl.Float64: "float64",
    pl.Decimal: "decimal",
    pl.String: "string",
    pl.Categorical: "string",
    pl.Enum: "string",
    pl.Binary: "binary",
    pl.Date: "date",
    pl.Time: "time",
    pl.Datetime: "timestamp",
    pl.Duration: "duration",
    pl.List: "list",
    pl.Array: "list",
    pl.Struct: "struct",
    pl.Null: "null",
}

CASTS: dict[CastType, pl.DataType] = {
    "bool": pl.Boolean(),
    "int8": pl.Int8(),
    "int16": pl.Int16(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "uint8": pl.UInt8(),
    "uint16": pl.UInt16(),
    "uint32": pl.UInt32(),
    "uint64": pl.UInt64(),
    "float32": pl.Float32(),
    "float64": pl.Float64(),
    "string": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
}
"""The types that a caller may name, and what they are."""

# Types whose values leave as another: 128-bit integers have no Arrow type, half floats no reader.
LEAVES_AS: dict[type[pl.DataType], DataType] = {
    pl.Int128: "decimal",
    pl.UInt128: "decimal",
    pl.Float16: "float32",
}


def type_name(dtype: pl.DataType) -> DataType:
    """The contract's name of a Polars type."""
    kind = type(stored(dtype))
    return TYPE_NAMES.get(kind) or LEAVES_AS.get(kind) or "binary"


def describe_field(name: str, dtype: pl.DataType, *, nullable: bool) -> FieldModel:
    """The contract's description of one column, its members and items included."""
    field = FieldModel(name=name, type=type_name(dtype), nullable=nullable)
    match dtype := stored(dtype):
        case pl.Datetime() if dtype.time_zone is not None:
            field.timezone = dtype.time_zone
        case pl.Decimal():
            field.precision, field.scale = dtype.precision, dtype.scale
        case pl.Int128() | pl.UInt128():
            field.precision, field.scale = 38, 0
        case pl.List() | pl.Array():
            field.items = describe_field("item", instance(dtype.inner), nullable=True)
        case pl.Struct():
            field.fields = [
                describe_field(member.name, instance(member.dtype), nullable=True) for member in dtype.fields
            ]
        case _:
            pass
    return field


def describe_schema(schema: Mapping[str, pl.DataType], nullable: Iterable[str]) -> Schema:
    """The contract's description of a frame; `nullable` names the columns that may hold nulls."""
    may_be_null = frozenset(nullable)
    return Schema(
        fields=[describe_field(name, dtype, nullable=name in may_be_null) for name, dtype in schema.items()]
    )


def instance(dtype: PolarsDataType) -> pl.DataType:
    """The type itself where Polars gives its class."""
    return dtype() if isinstance(dtype, type) else dtype


def stored(dtype: pl.DataType) -> pl.DataType:
    """What a map or somebody's own type is made of; any other type itself."""
    match dtype:
        case pl.BaseExtension():
            return instance(dtype.ext_storage())
        case pl.Map():
            return pl.List(pl.Struct({"key": dtype.key, "value": dtype.value}))
        case _:
            return dtype
