"""Judges foreign keys: the rows whose key is that of no row of another frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from airpy.contract import ExampleRow, Join, Plan, Row
from airpy.engine.columns import Columns, inner, opened, outer
from airpy.engine.encoding import encode_rows
from airpy.engine.filter_trees import relations_in
from airpy.engine.filters import filtered
from airpy.engine.joins import joined
from airpy.engine.profile.conditions import in_one_list, present
from airpy.engine.profile.selecting import MOST_COLUMNS, Selected
from airpy.errors import InvalidPlan

if TYPE_CHECKING:
    from airpy.contract import Filter, ForeignKeyRule
    from airpy.engine.profile.binding import Bound

__all__ = ["looked_at", "plan_of_strangers", "strangers"]

ROW = "\0row"
"""The number of a row; no column of the caller's has such a name."""
PLAIN = {"dataset", "filters", "clean", "derive", "joins", "select", "timezone", "week_start"}
"""What a plan may say for its rows without a partner to be those of the same plan with one more join."""
MOST_JOINS = 16
"""Of a plan."""


def looked_at(rule: ForeignKeyRule, bound: Bound) -> list[Filter]:
    """The rows that a foreign key is asked of, beside its own filter: those without a null in the key.

    Raises:
        UnknownColumn: A column of the key is not there.
    """
    for place, name in enumerate(rule.cols):
        bound.column(name, f"cols[{place}]")
    return present(*rule.cols)


def strangers(rule: ForeignKeyRule, bound: Bound, other: pl.LazyFrame, most_examples: int) -> Selected:
    """How many rows have a key that no row of the other frame has, and the first of them.

    Raises:
        UnknownColumn: A column of the key is missing there.
        TypeMismatch: The columns here and there cannot be compared.
    """
    there, member = opened(other), "cols" if rule.dataset_cols is None else "dataset_cols"
    keys = rule.dataset_cols or rule.cols
    Columns(there).names(keys, f"{bound.field}.{member}")
    if not bound.nulls.isdisjoint(rule.cols):
        return Selected(0, [])
    rows: nw.LazyFrame[pl.LazyFrame] = nw.from_native(bound.rows.to_native().with_row_index(ROW))
    asked = filtered(
        rows, [*(rule.filter or []), *present(*rule.cols)], bound.timezone, f"{bound.field}.filter"
    )
    join = Join(dataset=rule.dataset, how="anti", left_on=rule.cols, right_on=keys)
    there = there.select(*Columns(there).names(keys, f"{bound.field}.{member}"))
    try:
        found = joined(asked, there, join, bound.field, ordered=True).to_native()
    except InvalidPlan as error:
        error.field = f"{bound.field}.{member}"
        raise
    shows = list(dict.fromkeys([*rule.cols, *bound.columns]))[:MOST_COLUMNS]
    shows = [name for name in bound.columns if name in shows]
    first = found.select(pl.col(ROW), *(pl.col(inner(name)) for name in shows)).head(most_examples)
    count, examples = pl.collect_all([found.select(pl.len()), first], engine="streaming")
    values = json.loads(encode_rows(examples.drop(ROW)))
    return Selected(
        int(count.item()),
        [
            ExampleRow(row=number + 1, values=Row.model_validate({outer(name): row[name] for name in row}))
            for number, row in zip(examples[ROW], values, strict=True)
        ],
    )


def plan_of_strangers(rule: ForeignKeyRule, plan: Plan, datasource_id: str | None) -> Plan | None:
    """The plan that yields the rows of `plan` that `strangers` finds, where there is one.

    None where the plan does more than pick and derive rows and columns, or where the join would come before
    something that the rule looks at: a derived column, or a relation of rows.
    """
    filters = [*(plan.filters or []), *(rule.filter or []), *present(*rule.cols)]
    derived = {item.as_ for item in plan.derive or []}
    elsewhere = rule.datasource_id is not None and rule.datasource_id != datasource_id
    said = {name for name, value in plan if value not in (None, [], False)}
    if (
        not said <= PLAIN
        or len(plan.joins or []) >= MOST_JOINS
        or elsewhere
        or next(relations_in(filters), None) is not None
        or not derived.isdisjoint(rule.cols)
    ):
        return None
    here = (
        {"on": rule.cols}
        if rule.dataset_cols is None
        else {"left_on": rule.cols, "right_on": rule.dataset_cols}
    )
    read = {} if rule.read is None else {"read": rule.read}
    join = Join.model_validate({"dataset": rule.dataset, "how": "anti"} | here | read)
    return plan.model_copy(update={"filters": in_one_list(filters), "joins": [*(plan.joins or []), join]})
