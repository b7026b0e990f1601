"""Rows of several data sets, one after the other; their columns meet by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from airpy.engine.columns import outer
from airpy.engine.schema import CASTS, type_name
from airpy.engine.widening import widened, wider
from airpy.errors import TypeMismatch, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpy.engine.columns import Frame

__all__ = ["unioned"]


def unioned(frame: Frame, others: Sequence[Frame], field: str) -> Frame:
    """The rows of the frame, then those of the others; a column that one of them lacks is null there.

    The frame's columns come first, then what each of the others adds. Types that differ are widened, as
    `widening.py` says.

    Args:
        frame: The first rows.
        others: What follows them, in order.
        field: Where the others stand in the plan.

    Raises:
        TypeMismatch: No type holds the values of a column without loss.
    """
    natives = [each.to_native() for each in (frame, *others)]
    schemas = [native.collect_schema() for native in natives]
    types: dict[str, pl.DataType] = {}
    for index, schema in enumerate(schemas):
        for name, dtype in schema.items():
            known = types.get(name, pl.Null())
            common = wider(known, dtype)
            if common is None:
                raise _contradiction(outer(name), dtype, known, f"{field}[{index - 1}]")
            types[name] = common
    return nw.from_native(
        pl.concat([_in_types(native, schema, types) for native, schema in zip(natives, schemas, strict=True)])
    )


def _in_types(frame: pl.LazyFrame, schema: pl.Schema, types: dict[str, pl.DataType]) -> pl.LazyFrame:
    """The frame with all the columns of the union, in its types."""
    return frame.with_columns(
        (widened(pl.col(name), schema[name], dtype) if name in schema else pl.lit(None, dtype=dtype)).alias(
            name
        )
        for name, dtype in types.items()
        if schema.get(name) != dtype
    ).select(*types)


def _contradiction(name: str, here: pl.DataType, before: pl.DataType, field: str) -> TypeMismatch:
    """What is said of a column that is of one kind here, and of another in the data sets before."""
    word = type_name(before)
    helps = word in CASTS and not here.is_nested() and wider(before, CASTS[word]) is not None
    step = {"op": "cast", "col": name, "type": word}
    return TypeMismatch(
        f'"{shortened(name)}" is of type {_told(here)} here and {_told(before)} before; no type holds both '
        "without loss",
        field=field,
        constraint="columns of one type; cast them in the `clean` of their data sets",
        suggestion=[json.dumps({"clean": [step]}, ensure_ascii=False)] if helps else [],
    )


def _told(dtype: pl.DataType) -> str:
    zone = getattr(dtype, "time_zone", None)
    return f"{type_name(dtype)} in {zone}" if zone else type_name(dtype)
