"""Columns that take one of several values: the first case that holds, or the first value that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from airpy.engine.filters import check_filters, condition
from airpy.engine.operands import check_operand, read, united

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from airpy.contract import Case, Coalesce
    from airpy.engine.columns import Columns

__all__ = ["case", "check_case", "coalesce"]


def check_case(item: Case, field: str) -> None:
    """Refuse conditions that no data can meet the form of.

    Raises:
        InvalidPlan: A filter or an operand is malformed.
    """
    for index, one in enumerate(item.cases):
        check_filters([one.when], f"{field}.cases[{index}].when")
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
    given = united(values, timezone)
    result = given[len(item.cases)] if item.else_ is not None else None
    for one, place, then in reversed(list(zip(item.cases, places, given[: len(item.cases)], strict=True))):
        holds = nw.when(condition(columns, one.when, timezone, f"{place}.when")).then(then)
        result = holds if result is None else holds.otherwise(result)
    assert result is not None
    return result


def coalesce(columns: Columns, item: Coalesce, timezone: ZoneInfo, field: str) -> nw.Expr:
    """The first operand that is not null.

    Raises:
        UnknownColumn: An operand names a column that is not there.
        TypeMismatch: The operands have no common type.
    """
    values = [read(columns, operand, f"{field}.args[{index}]") for index, operand in enumerate(item.args)]
    return nw.coalesce(*united(values, timezone))
