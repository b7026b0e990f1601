"""Columns that take one of several values: the first case that holds, or the first value that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from airpy.engine.filter_trees import check_filter
from airpy.engine.filters import condition
from airpy.engine.operands import check_operand, read, united

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from airpy.contract import Case, Coalesce
    from airpy.engine.columns import Columns

__all__ = ["case", "check_case", "coalesce"]

MOST_NESTED = 16


def check_case(item: Case, field: str) -> None:
    """Refuse conditions that no data can meet the form of.

    Raises:
        InvalidPlan: A filter or an operand is malformed.
    """
    for index, one in enumerate(item.cases):
        check_filter(one.when, f"{field}.cases[{index}].when")
        check_operand(one.then, f"{field}.cases[{index}].then")
    if item.else_ is not None:
        check_operand(item.else_, f"{field}.else")


def case(columns: Columns, item: Case, timezone: ZoneInfo, field: str) -> nw.Expr:
    """What the first case gives whose filter is true, else `else`, or null.

    Raises:
        UnknownColumn: A filter or an operand names a column that is not there.
        TypeMismatch: What the cases give has no common type.
    """
    places = [f"{field}.cases[{index}]" for index in range(len(item.cases))]
    values = [read(columns, one.then, f"{place}.then") for one, place in zip(item.cases, places, strict=True)]
    if item.else_ is not None:
        values.append(read(columns, item.else_, f"{field}.else"))
    *given, otherwise = [*united(values, timezone), *([] if item.else_ is not None else [nw.lit(None)])]
    conditions = [
        condition(columns, one.when, timezone, f"{place}.when")
        for one, place in zip(item.cases, places, strict=True)
    ]
    return _first(conditions, given, otherwise)


def _first(conditions: list[nw.Expr], values: list[nw.Expr], otherwise: nw.Expr) -> nw.Expr:
    """The value of the first condition that holds; many are halved, as expressions must not nest too deep."""
    if len(conditions) > MOST_NESTED:
        half = len(conditions) // 2
        early = _first(conditions[:half], values[:half], nw.lit(None))
        late = _first(conditions[half:], values[half:], otherwise)
        holds = nw.any_horizontal(*conditions[:half], ignore_nulls=True)
        return nw.when(holds).then(early).otherwise(late)
    for holds, value in zip(reversed(conditions), reversed(values), strict=True):
        otherwise = nw.when(holds).then(value).otherwise(otherwise)
    return otherwise


def coalesce(columns: Columns, item: Coalesce, timezone: ZoneInfo, field: str) -> nw.Expr:
    """The first operand that is not null.

    Raises:
        UnknownColumn: An operand names a column that is not there.
        TypeMismatch: The operands have no common type.
    """
    values = [read(columns, operand, f"{field}.args[{index}]") for index, operand in enumerate(item.args)]
    return nw.coalesce(*united(values, timezone))
