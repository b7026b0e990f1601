"""Join kinds, a table from name to the engine's word for it; the nearest row and every row have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from airpy.engine.asof import asof_join
from airpy.engine.columns import Columns, inner, repeated, type_word
from airpy.engine.guards import limited, once
from airpy.engine.native import JoinWord, coalesced_join, exact_cast
from airpy.errors import InvalidPlan, TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from narwhals.dtypes import DType

    from airpy.contract import Join, JoinKind
    from airpy.engine.columns import Frame

__all__ = ["JOINS", "check_join", "joined"]

JOINS: dict[JoinKind, JoinWord] = {
    "inner": "inner",
    "left": "left",
    "right": "right",
    "full": "full",
    "semi": "semi",
    "anti": "anti",
    "cross": "cross",
}
NEVER_MORE: frozenset[JoinKind] = frozenset({"semi", "anti", "asof"})
"""They make no more rows than the left side has."""


def check_join(join: Join, field: str) -> None:
    """Refuse a join whose parts contradict one another, whatever the data.

    Raises:
        InvalidPlan: It names no pairs of columns, or some that its kind does not take.
    """
    left, right = join.left_on, join.right_on
    if join.how == "cross":
        for name in ("on", "left_on", "right_on", "validate"):
            _refuse(join, name, field, "every kind of join but cross")
    elif (
        left is not None or right is not None
        if join.on is not None
        else left is None or right is None or len(left) != len(right)
    ):
        raise InvalidPlan(
            "a join names its columns with `on`, or with `left_on` and `right_on` of equal length",
            field=field,
            constraint="either on, or left_on and right_on",
        )
    if join.how == "asof":
        _refuse(join, "validate", field, "every kind of join but asof, which finds one row at most")
        if len(join.on or left or []) != 1:
            raise InvalidPlan(
                "an asof join finds the nearest value of one key; `by` names those that must be equal",
                field=f"{field}.on" if join.on else f"{field}.left_on",
                constraint="one column",
            )
    else:
        for name in ("by", "strategy", "tolerance"):
            _refuse(join, name, field, "asof joins")
    by = join.by or []
    for key, columns in (("by", join.by), ("on", join.on), ("left_on", left), ("right_on", right)):
        both = [*(columns or []), *(by if columns and key != "by" else [])]
        if twice := repeated(both):
            raise InvalidPlan(
                f"a join names a column once, and {listed(twice)} stands there twice",
                field=f"{field}.{key}",
                constraint="different names",
            )


def joined(
    frame: Frame, other: Frame, join: Join, field: str, *, ordered: bool, most_rows: int | None = None
) -> Frame:
    """The two frames joined; a key appears once, by its name on the left, and null matches nothing.

    The key of an as-of join is another on either side, and both stay.

    Args:
        frame: The left side.
        other: The right side.
        join: What to join on, and how.
        field: Where the join stands in the plan.
        ordered: Keep the order of the rows, the left side's first.
        most_rows: How many rows it may make; the job fails that makes more.

    Raises:
        UnknownColumn: A key is missing on its side.
        TypeMismatch: The keys' types cannot be compared.
        InvalidPlan: The answer would have two columns of one name.
    """
    left, right = Columns(frame), Columns(other)
    by, nearest = join.by or [], join.how == "asof"
    left_on, right_on = [*(join.on or join.left_on or []), *by], [*(join.on or join.right_on or []), *by]
    for columns, on, place in ((left, left_on, "left_on"), (right, right_on, "right_on")):
        columns.names(on[: len(on) - len(by)], f"{field}.on" if join.on else f"{field}.{place}")
        columns.names(by, f"{field}.by")
    for one, two in zip(left_on, right_on, strict=True):
        _check_comparable(join, (one, left.dtype(one)), (two, right.dtype(two)), field)
    # Every column of the right side is renamed here, so that no name is made where nobody looks.
    merged = dict(zip(right_on, left_on, strict=True))
    if nearest:
        del merged[right_on[0]]
    names = (
        merged if join.how in {"semi", "anti"} else merged | _other_names(left, right, merged, join, field)
    )
    renamed = other.select(nw.col(inner(old)).alias(inner(names[old])) for old in right if old in names)
    for old, name in merged.items():
        if right.dtype(old) != left.dtype(name) and (nearest or isinstance(left.dtype(name), nw.Datetime)):
            renamed = exact_cast(renamed, inner(name), left.dtype(name))
    keys = [inner(name) for name in left_on]
    if nearest:
        return asof_join(
            frame,
            renamed,
            (keys[0], inner(names[right_on[0]])),
            by=keys[1:],
            strategy=join.strategy or "backward",
            tolerance=join.tolerance,
            ordered=ordered,
            field=field,
        )
    if join.validate_ in {"1:1", "1:m"}:
        frame = once(frame, keys, "left", join.validate_, field)
    if join.validate_ in {"1:1", "m:1"}:
        renamed = once(renamed, keys, "right", join.validate_, field)
    both = coalesced_join(frame, renamed, keys, how=JOINS[join.how], ordered=ordered)
    return both if most_rows is None or join.how in NEVER_MORE else limited(both, most_rows, field)


def _other_names(
    left: Columns, right: Columns, merged: dict[str, str], join: Join, field: str
) -> dict[str, str]:
    """What the right side's columns are called in the answer, but for those that are one with the left's."""
    names = {name: name + join.suffix if name in left else name for name in right if name not in merged}
    if clashes := repeated([*left, *names.values()]):
        raise InvalidPlan(
            f"the join would make two columns called {listed(clashes)}",
            field=f"{field}.suffix",
            constraint="a suffix that makes new names",
        )
    return names


def _check_comparable(join: Join, left: tuple[str, DType], right: tuple[str, DType], field: str) -> None:
    """Refuse keys of which the engine cannot tell exactly whether they are equal, or which is the greater."""
    (one, kind), (two, other) = left, right
    if kind == other or (kind.is_integer() and other.is_integer()) or (kind.is_float() and other.is_float()):
        return
    said = (
        f'cannot join column "{shortened(one)}" of type {type_word(kind)} with '
        f'"{shortened(two)}" of type {type_word(other)}'
    )
    if isinstance(kind, nw.Datetime) and isinstance(other, nw.Datetime):
        if join.how not in {"right", "full"} or kind.time_unit == other.time_unit:
            return
        raise TypeMismatch(
            f"{said}: one counts {kind.time_unit}, the other {other.time_unit}, in one column",
            field=field,
            constraint="timestamps of one precision, or another kind of join",
            suggestion=["left", "inner"],
        )
    if {type(kind), type(other)} == {nw.Date, nw.Datetime}:
        place, name = ("plan.clean", one) if isinstance(kind, nw.Date) else (f"{field}.clean", two)
        raise TypeMismatch(
            said,
            field=field,
            constraint=f"keys of one type; cast the dates in {place}",
            suggestion=[f'{{"op": "cast", "col": "{shortened(name)}", "type": "timestamp"}}'],
        )
    raise TypeMismatch(said, field=field, constraint="keys of one type; cast one of them in `clean`")


def _refuse(join: Join, name: str, field: str, takers: str) -> None:
    """Refuse an argument that this kind of join does not take."""
    if getattr(join, "validate_" if name == "validate" else name) is not None:
        raise InvalidPlan(
            f'a join of kind "{join.how}" takes no `{name}`',
            field=f"{field}.{name}",
            constraint=f"only with {takers}",
        )
