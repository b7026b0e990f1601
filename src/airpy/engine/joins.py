"""Join kinds, a table from name to the engine's word for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.engine.columns import Columns
from airpy.engine.native import JoinWord, coalesced_join
from airpy.errors import InvalidPlan, TypeMismatch, listed

if TYPE_CHECKING:
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
    """The two frames joined; a key appears once, and null matches nothing.

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
    if join.on is not None:
        left_on, right_on = left.names(join.on, f"{field}.on"), right.names(join.on, f"{field}.on")
    else:
        left_on = left.names(join.left_on or [], f"{field}.left_on")
        right_on = right.names(join.right_on or [], f"{field}.right_on")
    for one, two in zip(left_on, right_on, strict=True):
        types = frame.collect_schema()[one], other.collect_schema()[two]
        if types[0] != types[1] and not all(dtype.is_numeric() for dtype in types):
            raise TypeMismatch(
                f'cannot join column "{one}" of type {types[0]} with "{two}" of type {types[1]}',
                field=field,
                constraint="keys of one type; cast one of them in `clean`",
            )
    clashes = [
        name + join.suffix
        for name in right
        if name in left and name not in (join.on or join.right_on or []) and name + join.suffix in left
    ]
    if clashes:
        raise InvalidPlan(
            f"the join would make two columns called {listed(clashes)}",
            field=f"{field}.suffix",
            constraint="a suffix that makes new names",
        )
    return coalesced_join(
        frame, other, left_on, right_on, how=JOINS[join.how], suffix=join.suffix, ordered=ordered
    )
