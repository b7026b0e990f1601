"""Asks a frame what its rules are judged by, for all of them together: aggregates, rows that fail, values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw
import polars as pl

from airpy.contract import Aggregation, Filter
from airpy.engine.aggregations import aggregated
from airpy.engine.columns import inner
from airpy.engine.filters import filtered
from airpy.engine.profile.conditions import in_one_list
from airpy.engine.profile.foreign_keys import looked_at
from airpy.engine.profile.frame_rules import FRAME_RULES, shown
from airpy.engine.profile.row_rules import ROW_RULES
from airpy.engine.profile.selecting import Selected, selected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airpy.engine.profile.binding import Bound

__all__ = ["Asked", "asked", "measured", "rows_counted", "values_failed"]

MOST_VALUES = 5
AMONG_ROWS = 1000
"""So many of the rows that fail are looked at for different values to tell of."""


class Asked(NamedTuple):
    """A rule that fits the frame."""

    rule: Any
    bound: Bound
    looked: list[Filter]
    """The rows that it looks at."""
    failing: list[Filter] | None
    """Those of them that fail, where filters can say it."""

    @property
    def own(self) -> list[Filter]:
        """Its own filter."""
        return getattr(self.rule, "filter", None) or []


def asked(rule: Any, bound: Bound) -> Asked:  # noqa: ANN401  one of many models
    """The rule, bound to a frame; its own filter comes first in either list.

    Raises:
        UnknownColumn: It names a column that is not there.
        TypeMismatch: It asks of a column what its type cannot do.
        InvalidOptions: The ends of a range are the wrong way round in the column's type.
    """
    own = getattr(rule, "filter", None) or []
    for n, item in enumerate(own):
        bound.tested(item, f"filter[{n}]")
    if rule.rule == "foreign_key":
        return Asked(rule, bound, [*own, *looked_at(rule, bound)], None)
    if rule.rule in ROW_RULES:
        compiled = ROW_RULES[rule.rule].compile(rule, bound)
        return Asked(rule, bound, [*own, *compiled.looked], in_one_list([*own, *compiled.failing]))
    needed = FRAME_RULES[rule.rule]
    if needed.of_column:
        bound.typed(rule.col, needed.accepts, needed.kind, rule.rule)
    return Asked(rule, bound, own, None)


def measured(rules: Sequence[Asked], common: Bound) -> list[dict[str, pl.Series]]:
    """The aggregates of each rule by function, each a series of one value; all in one pass."""
    wanted: dict[str, Aggregation] = {}
    for n, one in enumerate(rules):
        own = {"filter": Filter(all=one.own)} if one.own else {}
        for item in _aggregates(one):
            name = f"{n} {item.fn}"
            wanted[name] = item.model_copy(update={"as_": name, **own})
    found: list[dict[str, pl.Series]] = [{} for _ in rules]
    if not wanted:
        return found
    answer = aggregated(common.rows, [], list(wanted.values()), common.timezone).to_native()
    row = answer.collect(engine="streaming")
    for name, item in wanted.items():
        found[int(name.partition(" ")[0])][item.fn] = row.get_column(name)
    return found


def rows_counted(
    rules: Sequence[Asked], frame: pl.LazyFrame, most_examples: int
) -> dict[int, tuple[int, Selected | None]]:
    """By the place of each rule of rows, how many rows it looks at, and which fail where filters say it."""
    of_rows = {n: one for n, one in enumerate(rules) if one.rule.rule not in FRAME_RULES}
    wanted: list[list[Filter]] = []
    for one in of_rows.values():
        wanted += [each for each in (one.looked, one.failing) if each is not None and each not in wanted]
    if not wanted:
        return {}
    timezone = next(iter(of_rows.values())).bound.timezone
    counts = selected(frame, wanted, most_examples=most_examples, timezone=timezone)
    return {
        n: (
            counts[wanted.index(one.looked)].rows,
            None if one.failing is None else counts[wanted.index(one.failing)],
        )
        for n, one in of_rows.items()
    }


def values_failed(rules: Mapping[int, Asked]) -> dict[int, list[str]]:
    """Some of the values that fail, each once, of these rules by their place."""
    frames = {
        n: filtered(one.bound.rows, one.failing or [], one.bound.timezone, one.bound.field)
        .select(nw.col(inner(one.rule.col)))
        .head(AMONG_ROWS)
        .to_native()
        for n, one in rules.items()
    }
    collected = pl.collect_all(list(frames.values()), engine="streaming") if frames else []
    return {
        n: shown(values.to_series().unique(maintain_order=True).head(MOST_VALUES))
        for n, values in zip(frames, collected, strict=True)
    }


def _aggregates(one: Asked) -> Iterable[Aggregation]:
    rule, name = one.rule, one.rule.rule
    if name in FRAME_RULES:
        yield Aggregation(fn="count")
        yield from FRAME_RULES[name].aggregates(rule, one.bound)
    elif name in ROW_RULES and ROW_RULES[name].spans and rule.col not in one.bound.nulls:
        yield Aggregation(col=rule.col, fn="min")
        yield Aggregation(col=rule.col, fn="max")
