"""Filter operators, a table from name to expression.

A filter keeps the rows in which it is true; as in SQL, a comparison with null is not. NaN equals itself
and is greater than every number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw

from airpy.engine.columns import Columns, type_word
from airpy.engine.literals import literal
from airpy.errors import InvalidPlan, TypeMismatch, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from airpy.contract import Filter, FilterOperator
    from airpy.engine.columns import Frame

__all__ = ["FILTERS", "check_filters", "filtered"]


class Operator(NamedTuple):
    """How an operator becomes an expression, and what it takes."""

    apply: Callable[[nw.Expr, Any], nw.Expr]
    takes: str = "one value"
    text_only: bool = False


EQUAL = Operator(lambda column, value: column == value)
UNEQUAL = Operator(lambda column, value: column != value)

FILTERS: dict[FilterOperator, Operator] = {
    "=": EQUAL,
    "==": EQUAL,
    "!=": UNEQUAL,
    "<>": UNEQUAL,
    "<": Operator(lambda column, value: column < value),
    "<=": Operator(lambda column, value: column <= value),
    ">": Operator(lambda column, value: column > value),
    ">=": Operator(lambda column, value: column >= value),
    "between": Operator(lambda column, ends: (column >= ends[0]) & (column <= ends[1]), "two values"),
    "in": Operator(lambda column, values: column.is_in(values), "a list of values"),
    "not_in": Operator(lambda column, values: ~column.is_in(values), "a list of values"),
    "is_null": Operator(lambda column, _: column.is_null(), "no value"),
    "not_null": Operator(lambda column, _: ~column.is_null(), "no value"),
    "contains": Operator(lambda column, part: column.str.contains(part, literal=True), text_only=True),
    "starts_with": Operator(lambda column, part: column.str.starts_with(part), text_only=True),
    "ends_with": Operator(lambda column, part: column.str.ends_with(part), text_only=True),
}


def check_filters(filters: Sequence[Filter], field: str) -> None:
    """Refuse filters whose value is of the wrong kind for the operator, whatever the data.

    Raises:
        InvalidPlan: A value is missing, too many, or a list where one value is wanted.
    """
    for index, item in enumerate(filters):
        takes = FILTERS[item.op].takes
        fits = {
            "no value": item.val is None,
            "one value": item.val is not None and not isinstance(item.val, list),
            "two values": isinstance(item.val, list) and len(item.val) == 2,  # noqa: PLR2004
            "a list of values": isinstance(item.val, list),
        }
        if not fits[takes]:
            raise InvalidPlan(
                f'operator "{item.op}" takes {takes}, not {shortened(repr(item.val))}',
                field=f"{field}[{index}].val",
                constraint=takes,
            )


def filtered(frame: Frame, filters: Sequence[Filter], timezone: ZoneInfo, field: str) -> Frame:
    """The rows in which every filter is true.

    Raises:
        UnknownColumn: A filter names a column that is not there.
        TypeMismatch: A value cannot be cast to its column's type, or the type has no such operator.
    """
    columns = Columns(frame)
    conditions = [
        _condition(columns, item, timezone, f"{field}[{index}]") for index, item in enumerate(filters)
    ]
    return frame.filter(nw.all_horizontal(*conditions, ignore_nulls=False)) if conditions else frame


def _condition(columns: Columns, item: Filter, timezone: ZoneInfo, field: str) -> nw.Expr:
    operator = FILTERS[item.op]
    column = columns.column(item.col, f"{field}.col")
    dtype = columns.dtype(item.col)
    if operator.text_only:
        if not isinstance(dtype, (nw.String, nw.Categorical, nw.Enum)):
            raise TypeMismatch(
                f'operator "{item.op}" needs a column of strings; "{shortened(item.col)}" is of type '
                f"{type_word(dtype)}",
                field=f"{field}.op",
                constraint="an operator for this type",
                suggestion=["=", "between", "in"],
            )
        column = column.cast(nw.String())
    if item.val is None:
        return operator.apply(column, None)

    def cast(value: Any, place: str) -> Any:  # noqa: ANN401
        return literal(value, dtype, timezone=timezone, column=item.col, field=place)

    if isinstance(item.val, list):
        return operator.apply(column, [cast(v, f"{field}.val[{n}]") for n, v in enumerate(item.val)])
    return operator.apply(column, cast(item.val, f"{field}.val"))
