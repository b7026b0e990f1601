"""Writes a plan as DuckDB's SQL: what it means to another engine, read from the contract and not from ours.

Every step is a query over the one before. Rows carry their place as `#`, by which ties are broken. What is
written differently from SQL's own functions says why.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

__all__ = ["sql_of"]

PLACE = '"#"'
UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
DATES = UNITS[3:]

COMPARISONS = {"=": "=", "==": "=", "!=": "<>", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
TESTS: dict[str, Callable[[str, str], str]] = {
    "is_null": lambda col, _: f"({col} is null)",
    "not_null": lambda col, _: f"({col} is not null)",
    "is_nan": lambda col, _: f"isnan({col})",
    "is_finite": lambda col, _: f"isfinite({col})",
    "is_blank": lambda col, _: f"(trim({col}) = '')",
    "like": lambda col, val: f"({col} like {val} escape '\\')",
    "not_like": lambda col, val: f"({col} not like {val} escape '\\')",
    "ilike": lambda col, val: f"({col} ilike {val} escape '\\')",
    "contains": lambda col, val: f"contains({col}, {val})",
    "icontains": lambda col, val: f"contains(lower({col}), lower({val}))",
    "starts_with": lambda col, val: f"starts_with({col}, {val})",
    "ends_with": lambda col, val: f"ends_with({col}, {val})",
    "regex": lambda col, val: f"regexp_matches({col}, {val})",
    "not_regex": lambda col, val: f"(not regexp_matches({col}, {val}))",
    "is_distinct_from": lambda col, val: f"({col} is distinct from {val})",
}
ENDS = {"both": (">=", "<="), "left": (">=", "<"), "right": (">", "<="), "none": (">", "<")}


def sql_of(plan: dict[str, Any], columns: Mapping[str, Any], joined: Sequence[str] = ()) -> str:
    """The plan as a query of the tables `source` and `other`, whose rows are in their order.

    Args:
        plan: As the contract has it.
        columns: The columns of `source`, with their types in Polars.
        joined: The columns of `other`, where the plan joins it.
    """
    names = list(columns)
    floats = {name for name, dtype in columns.items() if dtype.is_float()}
    integers = {name for name, dtype in columns.items() if dtype.is_integer()}
    query = f"select *, row_number() over () as {PLACE} from source"
    for step in plan.get("clean", []):
        query, names = _cleaned(query, names, step)
    for join in plan.get("joins", []):
        query, names = _joined(query, names, join, joined)
    zone = plan.get("timezone", "UTC")
    for item in plan.get("derive", []):
        value = _derived(item, zone, floats)
        kept = [name for name in names if name != item["as"]]
        query = _select(query, [*map(_name, kept), f"{value} as {_name(item['as'])}", PLACE])
        names = [*names, item["as"]] if item["as"] not in names else names
    query = _filtered(query, plan.get("filters", []), zone)
    keys: list[str] = []
    if _is_grouped(plan):
        aggregates = [
            _aggregate(item, integers=item.get("col") in integers, floats=item.get("col") in floats)
            for item in plan.get("aggs", [])
        ]
        query, names, keys = _grouped(query, plan, zone, aggregates)
        query = _filtered(query, plan.get("having", []))
    for item in plan.get("window", []):
        query = _select(query, ["*", f"{_window(item)} as {_name(item['as'])}"])
        names = [*names, item["as"]]
    if top := plan.get("top_n"):
        query = _top(query, top, keys, grouped=_is_grouped(plan))
    if not keys and not _is_grouped(plan) and plan.get("select"):
        names = plan["select"]
    ties = [f"{_name(key)} asc nulls last" for key in keys] or ([] if _is_grouped(plan) else [PLACE])
    if plan.get("top_n"):
        ties = [PLACE]
    if plan.get("distinct"):
        first = f"min({PLACE}) as {PLACE}" if not _is_grouped(plan) else f"1 as {PLACE}"
        query = f"select {_list(names)}, {first} from ({query}) group by {_list(names)}"
    by = [*map(_ordering, plan.get("order", [])), *ties]
    query = f"select {_list(names)} from ({query})" + (f" order by {', '.join(by)}" if by else "")
    if "limit" in plan or "offset" in plan:
        query += f" limit {plan.get('limit', 2**40)} offset {plan.get('offset', 0)}"
    return query


def _is_grouped(plan: dict[str, Any]) -> bool:
    return bool(plan.get("groupby") or plan.get("aggs") or plan.get("grain"))


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_name, names))


def _select(query: str, items: Iterable[str]) -> str:
    return f"select {', '.join(items)} from ({query})"


def _literal(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case float():
            return f"'{value}'::double" if not math.isfinite(value) else f"{value!r}::double"
        case Decimal():
            return str(value)
        case dt.date():
            return f"'{value}'"
        case _:
            return str(value)


def _condition(item: dict[str, Any], zone: str = "UTC") -> str:
    for key, word in (("all", "and"), ("any", "or")):
        if key in item:
            return "(" + f" {word} ".join(_condition(part, zone) for part in item[key]) + ")"
    if "not" in item:
        return f"(not {_condition(item['not'], zone)})"
    if "rows" in item:
        return _relation(item["rows"], item.get("among"), zone)
    col, op = _name(item["col"]), item["op"]
    if op == "between":
        above, below = ENDS[item.get("closed", "both")]
        low, high = map(_literal, item["val"])
        return f"({col} {above} {low} and {col} {below} {high})"
    if op in {"in", "not_in"}:
        among = ", ".join(map(_literal, item["val"]))
        # SQL has no empty list; nothing is in it, and of null that is not known.
        inside = f"({col} in ({among}))" if among else f"(case when {col} is not null then false end)"
        return inside if op == "in" else f"(not {inside})"
    other = _name(item["col2"]) if "col2" in item else _literal(item["val"]) if "val" in item else "null"
    return TESTS[op](col, other) if op in TESTS else f"({col} {COMPARISONS[op]} {other})"


def _relation(rows: dict[str, Any], those: list[dict[str, Any]] | None, zone: str) -> str:
    if not those:
        return _stands(rows, zone, [])
    among = f"coalesce({_condition({'all': those}, zone)}, false)"
    return f"({among} and {_stands(rows, zone, [among])})"


def _stands(rows: dict[str, Any], zone: str, apart: list[str]) -> str:
    """The relation to the rows that are alike in these expressions."""
    col, by = _name(rows["cols"][0]), [*apart, *map(_name, rows.get("by", []))]
    within = f"partition by {', '.join(by)} " if by else ""
    alike = f"partition by {', '.join([*by, *map(_name, rows['cols'])])}"
    match rows["are"]:
        case "repeated":
            return f"(row_number() over ({alike} order by {PLACE}) > 1)"
        case "shared":
            return f"(count(*) over ({alike}) > 1)"
        case "after_gap":
            local = rows["every"].split()[1].rstrip("s") in DATES and rows["cols"] != ["d"]
            now = _local(col, zone) if local else col
            before = f"lag({now}) over ({within}order by {col} nulls first, {PLACE})"
            return f"coalesce({now} > {before} + interval '{rows['every']}', false)"
        case word:
            frame = "rows between unbounded preceding and 1 preceding"
            before = f"last_value({col} ignore nulls) over ({within}order by {PLACE} {frame})"
            sign = {"falling": "<", "level": "=", "rising": ">"}[word]
            return f"coalesce({col} {sign} {before}, false)"


def _filtered(query: str, filters: Sequence[dict[str, Any]], zone: str = "UTC") -> str:
    # Other than `where`, `qualify` has windows, which are of all rows.
    word = "qualify row_number() over () > 0 and" if "'rows'" in repr(filters) else "where"
    return f"select * from ({query}) {word} {_condition({'all': filters}, zone)}" if filters else query


def _cleaned(query: str, names: list[str], step: dict[str, Any]) -> tuple[str, list[str]]:
    cols = step.get("cols", names)
    match step["op"]:
        case "drop_nulls":
            return f"select * from ({query}) where " + " and ".join(
                f"{_name(col)} is not null" for col in cols
            ), names
        case "dedupe":
            place = {"first": "asc", "last": "desc"}[step.get("keep", "first")]
            over = f"over (partition by {_list(cols)} order by {PLACE} {place})"
            return f"select * from ({query}) qualify row_number() {over} = 1", names
        case "drop":
            names = [name for name in names if name not in cols]
            return _select(query, [*map(_name, names), PLACE]), names
        case "rename":
            pairs = [(name, step["names"].get(name, name)) for name in names]
            items = [f"{_name(old)} as {_name(new)}" for old, new in pairs]
            return _select(query, [*items, PLACE]), [new for _, new in pairs]
    changed = {col: _changed(_name(col), step) for col in cols}
    items = [f"{changed[name]} as {_name(name)}" if name in changed else _name(name) for name in names]
    return _select(query, [*items, PLACE]), names


def _changed(col: str, step: dict[str, Any]) -> str:
    match step["op"]:
        case "trim":
            return f"trim({col})"
        case "null_markers":
            return f"case when {col} not in ({', '.join(map(_literal, step['markers']))}) then {col} end"
        case "fill_null" if "value" in step:
            return f"coalesce({col}, {_literal(step['value'])})"
        case "fill_null":
            nearest = {"forward": "preceding", "backward": "following"}[step["strategy"]]
            ends = f"unbounded {nearest}" if nearest == "preceding" else "current row"
            until = "current row" if nearest == "preceding" else f"unbounded {nearest}"
            take = "last_value" if nearest == "preceding" else "first_value"
            frame = f"rows between {ends} and {until}"
            return f"{take}({col} ignore nulls) over (order by {PLACE} {frame})"
        case "clip":
            low, high = step.get("min"), step.get("max")
            # SQL's greatest and least leave null out.
            value = f"greatest({col}, {low})" if low is not None else col
            value = f"least({value}, {high})" if high is not None else value
            return f"case when {col} is not null then {value} end"
        case "replace":
            cases = " ".join(
                f"when {col} = {_literal(old)} then {_literal(new)}" for old, new in step["map"].items()
            )
            return f"case {cases} else {col} end"
    raise KeyError(step["op"])


def _joined(
    query: str, names: list[str], join: dict[str, Any], others: Sequence[str]
) -> tuple[str, list[str]]:
    left_on, right_on = join.get("on") or join["left_on"], join.get("on") or join["right_on"]
    how = join.get("how", "inner")
    pairs = zip(left_on, right_on, strict=True)
    condition = " and ".join(f"l.{_name(one)} = r.{_name(two)}" for one, two in pairs)
    if how in {"semi", "anti"}:
        return f"select l.* from ({query}) l {how} join other r on {condition}", names
    keys = dict(zip(left_on, right_on, strict=True))
    mine = [
        f"coalesce(l.{_name(name)}, r.{_name(keys[name])}) as {_name(name)}"
        if name in keys
        else f"l.{_name(name)}"
        for name in names
    ]
    rest = [name for name in others if name not in right_on]
    called = {name: name + join.get("suffix", "_right") if name in names else name for name in rest}
    theirs = [f"r.{_name(name)} as {_name(called[name])}" for name in rest]
    place = f"row_number() over (order by l.{PLACE} nulls last, r.{PLACE}) as {PLACE}"
    right = f"(select *, row_number() over () as {PLACE} from other)"
    joined = f"({query}) l {how} join {right} r on {condition}"
    return f"select {', '.join([*mine, *theirs, place])} from {joined}", [*names, *called.values()]


def _operand(item: dict[str, Any]) -> str:
    return _name(item["col"]) if "col" in item else _literal(item["val"])


def _local(col: str, zone: str) -> str:
    """The wall clock of a timestamp in UTC."""
    return f"timezone('{zone}', timezone('UTC', {col}))"


def _derived(item: dict[str, Any], zone: str, floats: Container[str]) -> str:
    args = [*map(_operand, item.get("args", []))]
    col = _name(item["col"]) if "col" in item else ""
    match item["fn"]:
        case "add" | "mul" | "sub" as fn:
            sign = {"add": " + ", "mul": " * ", "sub": " - "}[fn]
            if not any(arg.get("col") in floats for arg in item["args"]):
                # In wide integers, so that only a result that does not fit fails.
                return f"cast({sign.join(f'{arg}::hugeint' for arg in args)} as bigint)"
            return f"({sign.join(f'{arg}::double' for arg in args)})"
        case "div":
            return f"(case when {args[1]} <> 0 then {args[0]}::double / {args[1]}::double end)"
        case "mod":
            one, two = (f"{arg}::hugeint" for arg in args)
            return f"(case when {args[1]} <> 0 then ((({one} % {two}) + {two}) % {two})::bigint end)"
        case "abs" | "floor" | "ceil" | "exp" as fn:
            return f"{fn}({col})"
        case "sqrt":
            return f"(case when {col} >= 0 then sqrt({col}) end)"
        case "log":
            return f"(case when {col} > 0 then ln({col}) end)"
        case "year" | "quarter" | "month" | "week" | "day" | "hour" | "minute" | "second" as part:
            return f"extract({part} from {_local(col, zone)})"
        case "weekday":
            return f"extract(isodow from {_local(col, zone)})"
        case "date":
            return f"{_local(col, zone)}::date"
        case "lower" | "upper" | "trim" | "length" as fn:
            return f"{fn}({col})"
        case "substring":
            rest = f", {item['length']}" if "length" in item else ""
            return f"substring({col}, {item['start']}{rest})"
        case "concat":
            return f"concat_ws({_literal(item.get('sep', ''))}, {', '.join(args)})"
        case "replace":
            return f"replace({col}, {_literal(item['old'])}, {_literal(item['new'])})"
        case "split_part":
            parts, part = f"string_split({col}, {_literal(item['sep'])})", item["part"]
            return f"{parts}[{part}]"
        case "case":
            cases = " ".join(
                f"when {_condition(each['when'])} then {_operand(each['then'])}" for each in item["cases"]
            )
            return f"(case {cases} else {_operand(item['else']) if 'else' in item else 'null'} end)"
        case "coalesce":
            return f"coalesce({', '.join(args)})"
        case "bin":
            return f"(floor({col} / {item['width']}::double) * {item['width']}::double)"
    raise KeyError(item["fn"])


def _bucket(plan: dict[str, Any], zone: str) -> tuple[str, str]:
    number, unit = plan["grain"].split()
    unit = unit.removesuffix("s")
    col = _name(plan["time_col"])
    if unit in DATES:
        return f"date_trunc('{unit}', {_local(col, zone)})::date", unit
    local = _local(col, zone)
    begun = f"time_bucket(interval '{number} {unit}', {local}, timestamp '1970-01-01')"
    # So far back as the clock has come since; an hour that comes twice is two.
    return f"({col} - ({local} - {begun}))", unit


AGGREGATES: dict[str, Callable[[str, dict[str, Any]], str]] = {
    "count": lambda col, _: f"count({col or '*'})" if not col else "count(*)",
    "count_valid": lambda col, _: f"count({col})",
    "count_missing": lambda col, _: f"(count(*) @ - count({col}) @)",
    "n_unique": lambda col, _: f"count(distinct {col})",
    "sum": lambda col, _: f"sum({col})",
    "mean": lambda col, _: f"avg({col})",
    "avg": lambda col, _: f"avg({col})",
    "min": lambda col, _: f"min({col})",
    "max": lambda col, _: f"max({col})",
    "median": lambda col, _: f"median({col}::double)",
    "quantile": lambda col, item: f"quantile_cont({col}::double, {item['q']})",
    "q1": lambda col, _: f"quantile_cont({col}::double, 0.25)",
    "q3": lambda col, _: f"quantile_cont({col}::double, 0.75)",
    "iqr": lambda col, _: f"(quantile_cont({col}::double, 0.75) @ - quantile_cont({col}::double, 0.25) @)",
    "range": lambda col, _: f"(max({col}) @ - min({col}) @)",
    "std": lambda col, item: f"{_spread('stddev', item)}({col})",
    "var": lambda col, item: f"{_spread('var', item)}({col})",
    "stderr": lambda col, item: f"({_spread('stddev', item)}({col}) @ / sqrt(count({col}) @))",
    "first": lambda col, item: f"first({col} order by {_name(item['by'])}, {PLACE})",
    "last": lambda col, item: f"last({col} order by {_name(item['by'])}, {PLACE})",
    "any": lambda col, _: f"any_value({col} order by {PLACE})",
    "product": lambda col, _: f"product({col})",
    "mad": lambda col, _: f"mad({col}::double)",
    "arg_min": lambda col, item: f"first({col} order by {_name(item['by'])}, {PLACE})",
    "arg_max": lambda col, item: f"first({col} order by {_name(item['by'])} desc, {PLACE})",
    "weighted_mean": lambda col, item: (  # by no weight it is missing, where a quotient would be NaN
        f"(sum({col} * {_name(item['weight'])}) @ / "
        f"nullif(sum(case when {col} is not null then {_name(item['weight'])} end) @, 0))"
    ),
    "all": lambda col, _: f"bool_and({col})",
    "any_true": lambda col, _: f"bool_or({col})",
    "join_text": lambda col, item: f"string_agg({col}, {_literal(item.get('sep', ', '))} order by {PLACE})",
}
"""`@` is where the filter of an aggregate goes; at the end where there is none."""


def _spread(name: str, item: dict[str, Any]) -> str:
    return f"{name}_{'pop' if item.get('ddof') == 0 else 'samp'}"


def _aggregate(item: dict[str, Any], *, integers: bool, floats: bool) -> str:
    col = _name(item["col"]) if "col" in item else ""
    if item["fn"] == "share_of_total":
        return f"(sum({col}) / sum(sum({col})) over ())"
    if integers and item["fn"] == "sum":
        # DuckDB adds integers up in 128 bits; our sum is an int64, or fails.
        text = f"(sum({col}) @)::bigint"
    elif floats and item["fn"] == "max":
        # We leave NaN out, unless there is nothing else; DuckDB holds it for the greatest number.
        text = f"coalesce(max(case when not isnan({col}) then {col} end) @, max({col}) @)"
    else:
        text = AGGREGATES[item["fn"]](col, item)
    text = text if "@" in text else f"{text} @"
    wanted = [_condition(item["filter"])] if "filter" in item else []
    if item["fn"] in {"arg_min", "arg_max"}:
        wanted.append(f"{col} is not null")
    return text.replace("@", f"filter (where {' and '.join(wanted)})" if wanted else "")


def _grouped(
    query: str, plan: dict[str, Any], zone: str, values_of: Sequence[str]
) -> tuple[str, list[str], list[str]]:
    keys = list(plan.get("groupby", []))
    values = {key: _name(key) for key in keys}
    if "grain" in plan:
        bucket, unit = _bucket(plan, zone)
        keys = [unit, *keys] if unit not in keys else keys
        values[unit] = bucket
    items = [f"{values[key]} as {_name(key)}" for key in keys]
    aggregates = plan.get("aggs", [])
    items += [f"{value} as {_name(item['as'])}" for value, item in zip(values_of, aggregates, strict=True)]
    by = f" group by {', '.join(values[key] for key in keys)}" if keys else ""
    return (
        f"select {', '.join(items)} from ({query}){by}",
        [*keys, *(item["as"] for item in aggregates)],
        keys,
    )


def _ordering(item: dict[str, Any]) -> str:
    return f"{_name(item['col'])} {item.get('dir', 'asc')} nulls {item.get('nulls', 'last')}"


def _over(item: dict[str, Any], frame: str = "", *, ties: bool = False) -> str:
    partition = f"partition by {_list(item['partition_by'])}" if item.get("partition_by") else ""
    by = [*map(_ordering, item.get("order_by", []))]
    if not ties:
        by.append(PLACE)
    return f"over ({partition} order by {', '.join(by)} {frame})"


def _window(item: dict[str, Any]) -> str:
    col, n = _name(item["col"]) if "col" in item else "", item.get("n", 1)
    so_far = _over(item, "rows between unbounded preceding and current row")
    match item["fn"]:
        case "rank" | "dense_rank" as fn:
            return f"{fn}() {_over(item, ties=True)}"
        case "row_number":
            return f"row_number() {_over(item)}"
        case "ntile":
            return f"ntile({n}) {_over(item)}"
        case "lag" | "lead" as fn:
            return f"{fn}({col}, {n}) {_over(item)}"
        case "cum_sum" | "cum_max" | "cum_min" | "cum_count" as fn:
            return f"{fn.removeprefix('cum_')}({col}) {so_far}"
        case "rolling_mean" | "rolling_sum" | "rolling_min" | "rolling_max" as fn:
            name = {"mean": "avg"}.get(fn.removeprefix("rolling_"), fn.removeprefix("rolling_"))
            rows = item["frame"]["rows"]
            over = _over(item, f"rows between {rows - 1} preceding and current row")
            least = item["frame"].get("min_rows", 1)
            return f"(case when count({col}) {over} >= {least} then {name}({col}) {over} end)"
        case "diff":
            return f"({col} - lag({col}, {n}) {_over(item)})"
        case "pct_change":
            return f"({col}::double / nullif(lag({col}, {n}) {_over(item)}, 0) - 1)"
        case "share_of_total":
            partition = f"partition by {_list(item['partition_by'])}" if item.get("partition_by") else ""
            return f"({col}::double / nullif(sum({col}) over ({partition}), 0))"
    raise KeyError(item["fn"])


def _top(query: str, top: dict[str, Any], keys: Sequence[str], *, grouped: bool) -> str:
    """The greatest rows, which come in the order that they were chosen in."""
    partition = top.get("partition_by", [])
    ties = [f"{_name(key)} asc nulls last" for key in keys] or ([] if grouped else [PLACE])
    by = ", ".join([f"{_name(top['by'])} {top.get('dir', 'desc')} nulls last", *ties])
    first = ", ".join([*(f"{_name(name)} asc nulls last" for name in partition), by])
    within = f"partition by {_list(partition)}" if partition else ""
    old = "" if grouped else f" exclude ({PLACE})"
    placed = f"select *{old}, row_number() over (order by {first}) as {PLACE}"
    return f"{placed} from ({query}) qualify row_number() over ({within} order by {by}) <= {top['n']}"
