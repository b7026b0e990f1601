"""Join kinds, a table from name to the engine's word for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from airpy.engine.columns import Columns, inner, repeated, type_word
from airpy.engine.native import JoinWord, coalesced_join
from airpy.errors import InvalidPlan, TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from narwhals.dtypes import DType

    from airpy.contract import Join, JoinKind
    from airpy.engine.columns import Frame

__all__ = ["JOINS", "joined"]

JOINS: dict[JoinKind, JoinWord] = {
    "inner": "inner",
    "left": "left",
    "right": "right",
    "full": "full",
    "semi": "semi",
    "anti": "anti",
}


def joined(frame: Frame, other: Frame, join: Join, field: str, *, ordered: bool) -> Frame:
    """The two frames joined; a key appears once, by its name on the left, and null matches nothing.

    Args:
        frame: The left side.
        other: The right side.
        join: What to join on, and how.
        field: Where the join stands in the plan.
        ordered: Keep the order of the rows, the left side's first.

    Raises:
        UnknownColumn: A key is missing on its side.
        TypeMismatch: The keys' types cannot be compared.
        InvalidPlan: The answer would have two columns of one name.
    """
    left, right = Columns(frame), Columns(other)
    left_on, right_on = join.on or join.left_on or [], join.on or join.right_on or []
    keys = left.names(left_on, f"{field}.on" if join.on else f"{field}.left_on")
    right.names(right_on, f"{field}.on" if join.on else f"{field}.right_on")
    for one, two in zip(left_on, right_on, strict=True):
        if not _comparable(left.dtype(one), right.dtype(two)):
            raise TypeMismatch(
                f'cannot join column "{shortened(one)}" of type {type_word(left.dtype(one))} with '
                f'"{shortened(two)}" of type {type_word(right.dtype(two))}',
                field=field,
                constraint="keys of one type; cast one of them in `clean`",
            )
    # Every column of the right side is renamed here, so that no name is made where nobody looks.
    names = dict(zip(right_on, left_on, strict=True))
    if join.how not in {"semi", "anti"}:
        others = {name: name + join.suffix if name in left else name for name in right if name not in names}
        if clashes := repeated([*left, *others.values()]):
            raise InvalidPlan(
                f"the join would make two columns called {listed(clashes)}",
                field=f"{field}.suffix",
                constraint="a suffix that makes new names",
            )
        names |= others
    renamed = other.select(nw.col(inner(old)).alias(inner(names[old])) for old in right if old in names)
    return coalesced_join(frame, renamed, keys, how=JOINS[join.how], ordered=ordered)


def _comparable(one: DType, two: DType) -> bool:
    """Whether the engine can tell if a value of one type equals one of the other, exactly."""
    return one == two or (one.is_integer() and two.is_integer()) or (one.is_float() and two.is_float())
