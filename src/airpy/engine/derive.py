"""Derived columns: a table from function to expression.

Each is computed row by row from columns that are there before it, so filters on others still reach the files;
but for a case of rows among others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw

from airpy.engine.arithmetic import arithmetic, check_arithmetic, check_number, number
from airpy.engine.choices import case, check_case, coalesce
from airpy.engine.columns import Columns, inner, type_word
from airpy.engine.date_parts import MOMENTS, PARTS, check_date_diff, date_diff, date_part
from airpy.engine.families import NUMBERS, TEXT, Family
from airpy.engine.filters import related
from airpy.engine.operands import check_operand
from airpy.engine.pieces import binned, cast, check_bin, split_part, with_column
from airpy.engine.texts import (
    TEXTS,
    check_concat,
    check_replace,
    check_split,
    check_substring,
    concat,
    replace,
    substring,
    text,
)
from airpy.errors import TypeMismatch, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    import polars as pl
    from narwhals.dtypes import DType

    from airpy.contract import Derivation, Filter
    from airpy.engine.columns import Frame

__all__ = ["DERIVATIONS", "check_derivations", "derived"]


TAKES: dict[str, Family] = {
    "numbers": NUMBERS,
    "numbers, dates or timestamps": (*NUMBERS, *MOMENTS),
    "dates or timestamps": MOMENTS,
    "strings": TEXT,
    "anything": (nw.dtypes.DType,),
}
"""What a function may be of, by its name in messages."""


class Function(NamedTuple):
    """How a function becomes an expression, what it is of, and what is wrong whatever the data."""

    build: Callable[[Columns, Any, ZoneInfo, str], nw.Expr | pl.Expr]
    takes: str
    check: Callable[[Any, str], None] = lambda _item, _field: None


DERIVATIONS: dict[str, Function] = {
    "add": Function(arithmetic, "numbers", check_arithmetic),
    "sub": Function(arithmetic, "numbers, dates or timestamps", check_arithmetic),
    "mul": Function(arithmetic, "numbers", check_arithmetic),
    "div": Function(arithmetic, "numbers", check_arithmetic),
    "mod": Function(arithmetic, "numbers", check_arithmetic),
    "pow": Function(arithmetic, "numbers", check_arithmetic),
    **dict.fromkeys(
        ("abs", "round", "floor", "ceil", "log", "exp", "sqrt"), Function(number, "numbers", check_number)
    ),
    **dict.fromkeys((*PARTS, "date"), Function(date_part, "dates or timestamps")),
    "date_diff": Function(date_diff, "dates or timestamps", check_date_diff),
    **dict.fromkeys(TEXTS, Function(text, "strings")),
    "substring": Function(substring, "strings", check_substring),
    "concat": Function(concat, "strings", check_concat),
    "replace": Function(replace, "strings", check_replace),
    "split_part": Function(split_part, "strings", check_split),
    "case": Function(case, "anything", check_case),
    "coalesce": Function(coalesce, "anything"),
    "cast": Function(cast, "anything"),
    "bin": Function(binned, "numbers", check_bin),
}


def check_derivations(items: Sequence[Derivation], field: str) -> None:
    """Refuse derivations that cannot be computed, whatever the data.

    Raises:
        InvalidPlan: An operand, an argument or a pattern is wrong.
        TypeMismatch: A value is none that the function takes.
    """
    for index, item in enumerate(items):
        place = f"{field}[{index}]"
        for operand, where in _operands(item, place):
            check_operand(operand, where)
        DERIVATIONS[item.fn].check(item, place)


def derived(frame: Frame, items: Sequence[Derivation], timezone: ZoneInfo) -> Frame:
    """The frame with every column, in order; a name that is there already is replaced where it stands.

    Raises:
        UnknownColumn: A derivation names a column that is not there.
        TypeMismatch: A function does not take a column's type.
    """
    for index, item in enumerate(items):
        field = f"plan.derive[{index}]"
        columns, function = Columns(frame), DERIVATIONS[item.fn]
        for name, place in _columns_named(item, field):
            columns.name(name, place)
            _check_type(columns.dtype(name), item.fn, name, place)
        among = related(frame, _conditions(item, field), timezone)
        made = with_column(among, inner(item.as_), function.build(columns, item, timezone, field))
        frame = (
            made if among is frame else made.select(*dict.fromkeys([*map(inner, columns), inner(item.as_)]))
        )
    return frame


def _conditions(item: Derivation, field: str) -> list[tuple[Filter, str]]:
    """The filters that the function is of, with their places."""
    cases = item.cases if item.fn == "case" else []
    return [(one.when, f"{field}.cases[{index}].when") for index, one in enumerate(cases)]


def _operands(item: Derivation, field: str) -> Iterator[tuple[Any, str]]:
    """The operands of the item's own, with their places."""
    for index, operand in enumerate(getattr(item, "args", [])):
        yield operand, f"{field}.args[{index}]"
    for end in ("start", "end"):
        if item.fn == "date_diff":
            yield getattr(item, end), f"{field}.{end}"


def _columns_named(item: Derivation, field: str) -> Iterator[tuple[str, str]]:
    """The columns that the function is of, with their places."""
    if isinstance(getattr(item, "col", None), str):
        yield item.col, f"{field}.col"  # type: ignore[union-attr]
    for operand, place in _operands(item, field):
        if operand.col is not None:
            yield operand.col, f"{place}.col"


def _check_type(dtype: DType, fn: str, name: str, field: str) -> None:
    takes = DERIVATIONS[fn].takes
    if isinstance(dtype, TAKES[takes]):
        return
    allowed = [other for other, one in DERIVATIONS.items() if isinstance(dtype, TAKES[one.takes])]
    raise TypeMismatch(
        f'"{fn}" cannot be computed of column "{shortened(name)}" of type {type_word(dtype)}; '
        f"allowed: {listed(allowed)}",
        field=field,
        constraint=f"a column of {takes}",
        suggestion=allowed,
    )
