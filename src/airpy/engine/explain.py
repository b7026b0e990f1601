"""Puts a plan into words: a table from stage to its sentences, in the order in which the stages run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airpy.contract import ExplainedStage, Filter, RelativeTime
from airpy.engine.plan import bucket_name, group_keys, is_grouped
from airpy.engine.steps import counted
from airpy.engine.words import (
    AGGREGATES,
    CLEANING,
    DERIVATIONS,
    FILLS,
    FILTERS,
    JOINS,
    KEPT,
    RELATIONS,
    STRATEGIES,
    WINDOWS,
)
from airpy.errors import listed, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic import BaseModel

    from airpy.contract import Aggregation, Derivation, Join, Operand, Order, Plan, RowsFilter, Window

__all__ = ["condition_in_words", "explained"]

MOST_NAMED = 12
"""Columns, values and conditions that a sentence lists; of more it says how many there are."""


def explained(plan: Plan) -> list[ExplainedStage]:
    """The plan in plain English, a sentence or more for each stage, with the key that says so."""
    return [ExplainedStage(stage=stage, text=text) for stage, tell in STAGES.items() for text in tell(plan)]


def condition_in_words(item: Filter) -> str:
    """A filter as the condition of a sentence, as in "kwh is more than 5"."""
    if item.all is not None:
        return _joined(map(_part, item.all), "and")
    if item.any is not None:
        return _joined(map(_part, item.any), "or")
    if item.not_ is not None:
        return f"it is not so that {_part(item.not_)}"
    if item.rows is None:
        return _comparison(item)
    among = f" among those where {_part(Filter(all=item.among))}" if item.among else ""
    return _relation(item.rows) + among


def _relation(rows: RowsFilter) -> str:
    by = f" with the same {_joined(rows.by, 'and')}" if rows.by else ""
    return RELATIONS[rows.are].format(cols=_names(rows.cols), by=by, every=rows.every)


def _comparison(item: Filter) -> str:
    words = FILTERS[item.op or "="]
    if item.op == "between" and isinstance(item.val, list):
        low, high = map(_value, item.val)
        ends = {"left": ", without the latter", "right": ", without the former", "none": ", without either"}
        return f"{item.col} {words} {low} and {high}{ends.get(item.closed or 'both', '')}"
    if item.col2 is not None:
        return f"{item.col} {words} {item.col2}"
    return " ".join(filter(None, [item.col, words, "" if item.val is None else _value(item.val)]))


def _part(item: Filter) -> str:
    """A condition within another: a list of several is held together."""
    several = len(item.all or item.any or []) > 1
    return f"({condition_in_words(item)})" if several else condition_in_words(item)


def _dataset(plan: Plan) -> Iterator[str]:
    yield f"Read the data set {plan.dataset}."


def _union(plan: Plan) -> Iterator[str]:
    for other in plan.union or []:
        yield f"Put the rows of {other.dataset}{_prepared(other)} after those."


def _clean(plan: Plan) -> Iterator[str]:
    for step in plan.clean or []:
        fields = step.model_dump(mode="json")
        columns: list[str] = fields.get("cols") or []
        of = f" of {_listed(columns)}" if columns else ""
        pairs = [f"{old} by {new}" for old, new in (fields.get("map") or {}).items()]
        names = [f"{old} to {new}" for old, new in (fields.get("names") or {}).items()]
        filled = {
            "of": of,
            "in_values": of and f" in the values{of}",
            "cols": _listed(columns),
            "markers": _value(fields.get("markers") or []),
            "pairs": _listed(pairs),
            "names": _listed(names),
            "by": STRATEGIES.get(fields.get("strategy") or "", str(fields.get("value"))),
            "kept": KEPT.get(fields.get("keep") or "", ""),
            "ends": _ends(fields.get("min"), fields.get("max")),
        }
        yield CLEANING[step.op].format(**fields | filled) + "."


def _ends(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"up to {low:g}" if low is not None else f"down to {high or 0:g}"
    return f"between {low:g} and {high:g}"


def _unpivot(plan: Plan) -> Iterator[str]:
    if item := plan.unpivot:
        which = _names(item.on) if item.on else "each other column"
        repeated = f", with {_names(item.index)} repeated" if item.index else ""
        yield (
            f"Make a row of each of {which}: its name goes to {item.names_to}, its value to "
            f"{item.values_to}{repeated}."
        )


def _explode(plan: Plan) -> Iterator[str]:
    if plan.explode:
        yield f"Give each value of the lists in {_names(plan.explode)} a row of its own."


def _joins(plan: Plan) -> Iterator[str]:
    for join in plan.joins or []:
        yield f"{JOINS[join.how].format(other=join.dataset + _prepared(join))}{_keys(join)}."


def _keys(join: Join) -> str:
    if join.how == "cross":
        return ""
    left, right = join.on or join.left_on or [], join.on or join.right_on or []
    pairs = [one if one == two else f"{one} = {two}" for one, two in zip(left, right, strict=False)]
    words = f" by {_listed(pairs)}" if pairs else ""
    if join.how == "asof":
        side = {"backward": "the last before or at it", "forward": "the first at or after it"}
        words += f" ({side.get(join.strategy or 'backward', 'whichever is nearer')}"
        words += f", at most {join.tolerance} off" if join.tolerance is not None else ""
        words += f", with equal {_names(join.by)})" if join.by else ")"
    return words + (f", which must match {join.validate_}" if join.validate_ else "")


def _prepared(other: BaseModel) -> str:
    """What is done to another data set before its rows are used."""
    done = []
    if steps := getattr(other, "clean", None):
        done.append(f"cleaned by {counted(len(steps), 'step')}")
    if filters := getattr(other, "filters", None):
        done.append(f"where {_joined(map(_part, filters), 'and')}")
    if columns := getattr(other, "select", None):
        done.append(f"{_names(columns)} alone")
    return f" ({'; '.join(done)})" if done else ""


def _derive(plan: Plan) -> Iterator[str]:
    for item in plan.derive or []:
        yield f"Compute {item.as_}: {_derivation(item)}."


def _derivation(item: Derivation) -> str:
    if item.fn == "case":
        cases = [f"{_operand(case.then)} where {condition_in_words(case.when)}" for case in item.cases]
        last = f"else {_operand(item.else_)}" if item.else_ else "else nothing"
        return "; ".join([*cases[:MOST_NAMED], last])
    fields = item.model_dump(mode="json", by_alias=True)
    args = [_operand(each) for each in getattr(item, "args", [])]
    filled: dict[str, Any] = {
        "plus": " + ".join(args),
        "minus": " − ".join(args),
        "times": " × ".join(args),
        "by": " ÷ ".join(args),
        "first": args[0] if args else "",
        "second": args[-1] if args else "",
        "listed": _listed(args),
        "between": f', with "{fields["sep"]}" between them' if fields.get("sep") else "",
        "digits": fields.get("digits") or 0,
        "base": fields.get("base") or "e",
        "letters": "all" if fields.get("length") is None else fields["length"],
        "bins": f"{fields['width']:g} wide" if fields.get("width") else f"between {_edges(fields)} edges",
    }
    if item.fn == "date_diff":
        filled |= {"start": _operand(item.start), "end": _operand(item.end)}
    return DERIVATIONS[item.fn].format(**fields | filled)


def _edges(fields: dict[str, Any]) -> int:
    return len(fields.get("edges") or [])


def _filters(plan: Plan) -> Iterator[str]:
    if plan.filters:
        yield f"Keep the rows where {_joined(map(_part, plan.filters), 'and')}."


def _sample(plan: Plan) -> Iterator[str]:
    if item := plan.sample:
        how_many = (
            f"{item.n:,} of the rows"
            if item.n is not None
            else f"each row with a chance of {item.fraction:g}"
        )
        yield f"Take {how_many}, the same ones for seed {item.seed}."


def _aggs(plan: Plan) -> Iterator[str]:
    if not is_grouped(plan):
        return
    keys = group_keys(plan)
    for_each = f"For each {_joined(keys, 'and')}" if keys else "Over all rows"
    if not plan.aggs:
        yield f"{for_each}, keep one row."
    for item in plan.aggs or []:
        yield f"{for_each}, compute {_aggregate(item)}."


def _aggregate(item: Aggregation) -> str:
    fields = item.model_dump(mode="json")
    fields |= {"col": item.col or "*", "ordered": f" in the order of {item.by}" if item.by else ""}
    text = AGGREGATES[item.fn].format(**fields)
    name = item.as_ or (f"{item.col}_{item.fn}" if item.col not in {None, "*"} else item.fn)
    return f"{text}{f', where {condition_in_words(item.filter)},' if item.filter else ','} called {name}"


def _grain(plan: Plan) -> Iterator[str]:
    if plan.grain and not plan.resample:
        column = plan.time_col or "the only time column"
        since = f", counted from {plan.origin}" if plan.origin else ""
        yield f"A {bucket_name(plan)} is {plan.grain} of {column}, in {plan.timezone or 'UTC'}{since}."


def _resample(plan: Plan) -> Iterator[str]:
    if item := plan.resample:
        column = plan.time_col or "the only time column"
        yield (
            f"A {bucket_name(plan)} is {item.every} of {column}, in {plan.timezone or 'UTC'}, "
            f"its {item.closed} end included and its {item.label} end its name; {FILLS[item.fill]}."
        )


def _having(plan: Plan) -> Iterator[str]:
    if plan.having:
        yield f"Keep the groups where {_joined(map(_part, plan.having), 'and')}."


def _window(plan: Plan) -> Iterator[str]:
    for item in plan.window or []:
        yield f"Compute {item.as_}: {_window_words(item)}."


def _window_words(item: Window) -> str:
    text = WINDOWS[item.fn].format(col=item.col, n=item.n or 1)
    if item.frame:
        frame = f"{item.frame.rows:,} rows" if item.frame.rows is not None else f"{item.frame.range}"
        text += f" over the last {frame}"
    if item.partition_by:
        text += f", for each {_joined(item.partition_by, 'and')}"
    return text + (f", in the order of {_order_words(item.order_by)}" if item.order_by else "")


def _pivot(plan: Plan) -> Iterator[str]:
    if item := plan.pivot:
        what = AGGREGATES[item.fn].format(col=item.values, ordered="")
        yield f"Make a column of each value of {item.on}, with {what}, for each {_joined(item.index, 'and')}."


def _top(plan: Plan) -> Iterator[str]:
    if item := plan.top_n:
        which = "greatest" if item.dir == "desc" else "least"
        each = f" of each {_joined(item.partition_by, 'and')}" if item.partition_by else ""
        rest = ", and one more with all others together" if item.other else ""
        yield f"Keep the {counted(item.n, 'row')}{each} with the {which} {item.by}{rest}."


def _select(plan: Plan) -> Iterator[str]:
    if plan.select and not is_grouped(plan):
        yield f"Keep the columns {_names(plan.select)}."


def _distinct(plan: Plan) -> Iterator[str]:
    if plan.distinct:
        yield "Leave out rows that repeat another."


def _order(plan: Plan) -> Iterator[str]:
    if plan.order:
        yield f"Sort by {_order_words(plan.order)}."


def _order_words(order: Iterable[Order]) -> str:
    return _listed(
        [
            f"{item.col}{', greatest first' if item.dir == 'desc' else ''}"
            f"{', nulls first' if item.nulls == 'first' else ''}"
            for item in order
        ]
    )


def _offset(plan: Plan) -> Iterator[str]:
    if plan.offset:
        yield f"Leave out the first {counted(plan.offset, 'row')}."


def _limit(plan: Plan) -> Iterator[str]:
    if plan.limit is not None:
        yield f"Give at most {counted(plan.limit, 'row')}."


STAGES: dict[str, Callable[[Plan], Iterator[str]]] = {
    "dataset": _dataset,
    "union": _union,
    "clean": _clean,
    "unpivot": _unpivot,
    "explode": _explode,
    "joins": _joins,
    "derive": _derive,
    "filters": _filters,
    "sample": _sample,
    "grain": _grain,
    "resample": _resample,
    "aggs": _aggs,
    "having": _having,
    "window": _window,
    "pivot": _pivot,
    "top_n": _top,
    "select": _select,
    "distinct": _distinct,
    "order": _order,
    "offset": _offset,
    "limit": _limit,
}


def _operand(item: Operand) -> str:
    return item.col if item.col is not None else _value(item.val)


def _value(value: object) -> str:
    """A value of the plan as a sentence has it."""
    if isinstance(value, list):
        return _listed(list(map(_value, value)))
    if isinstance(value, RelativeTime):
        ago = f"{value.ago} ago" if value.ago else "now"
        return f"the start of the {value.start_of} of {ago}" if value.start_of else ago
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{shortened(value)}"' if isinstance(value, str) else str(value)


def _names(names: Iterable[str]) -> str:
    return _listed(list(names))


def _listed(parts: list[str]) -> str:
    return listed(parts, MOST_NAMED)


def _joined(parts: Iterable[str], word: str) -> str:
    every = list(parts)
    shown, rest = every[:MOST_NAMED], len(every) - MOST_NAMED
    return f" {word} ".join(map(shortened, shown)) + (f" {word} {rest} more" if rest > 0 else "")
