"""The words that explain what a plan says: a table for each kind of name in the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airpy.errors import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from airpy.contract import AggregateFunction, FilterOperator, JoinKind, WindowFunction

    Fields = dict[str, Any]

__all__ = ["AGGREGATES", "CLEANING", "DERIVATIONS", "FILLS", "FILTERS", "JOINS", "WINDOWS"]

FILTERS: dict[FilterOperator, str] = {
    "=": "is",
    "==": "is",
    "!=": "is not",
    "<>": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
    "between": "is between",
    "in": "is one of",
    "not_in": "is none of",
    "is_null": "is missing",
    "not_null": "is not missing",
    "is_nan": "is NaN",
    "is_finite": "is finite",
    "is_blank": "is blank",
    "like": "is like",
    "not_like": "is not like",
    "ilike": "is, whatever its case, like",
    "contains": "contains",
    "icontains": "contains, whatever its case,",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "regex": "matches",
    "not_regex": "does not match",
    "is_distinct_from": "is distinct from",
}

AGGREGATES: dict[AggregateFunction, Callable[[Fields], str]] = {
    "count": lambda at: "the number of rows",
    "count_valid": lambda at: f"how many values {at['col']} has",
    "count_missing": lambda at: f"how often {at['col']} is missing",
    "n_unique": lambda at: f"the number of distinct values of {at['col']}",
    "approx_n_unique": lambda at: f"about the number of distinct values of {at['col']}",
    "sum": lambda at: f"the sum of {at['col']}",
    "mean": lambda at: f"the mean of {at['col']}",
    "avg": lambda at: f"the mean of {at['col']}",
    "min": lambda at: f"the least {at['col']}",
    "max": lambda at: f"the greatest {at['col']}",
    "median": lambda at: f"the median of {at['col']}",
    "quantile": lambda at: f"the {at['q']} quantile of {at['col']}",
    "q1": lambda at: f"the first quartile of {at['col']}",
    "q3": lambda at: f"the third quartile of {at['col']}",
    "std": lambda at: f"the standard deviation of {at['col']}",
    "var": lambda at: f"the variance of {at['col']}",
    "stderr": lambda at: f"the standard error of the mean of {at['col']}",
    "first": lambda at: f"the first {at['col']}{_by(at)}",
    "last": lambda at: f"the last {at['col']}{_by(at)}",
    "any": lambda at: f"any {at['col']}",
    "mode": lambda at: f"the most frequent {at['col']}",
    "product": lambda at: f"the product of {at['col']}",
    "skew": lambda at: f"the skewness of {at['col']}",
    "kurtosis": lambda at: f"the excess kurtosis of {at['col']}",
    "mad": lambda at: f"the median absolute deviation of {at['col']}",
    "iqr": lambda at: f"the interquartile range of {at['col']}",
    "range": lambda at: f"the range of {at['col']}",
    "arg_min": lambda at: f"the {at['col']} where {at['by']} is least",
    "arg_max": lambda at: f"the {at['col']} where {at['by']} is greatest",
    "corr": lambda at: f"the correlation of {at['col']} and {at['col2']}",
    "weighted_mean": lambda at: f"the mean of {at['col']}, weighted by {at['weight']}",
    "share_of_total": lambda at: f"the share of the sum of {at['col']} in that of all groups",
    "all": lambda at: f"whether {at['col']} is always true",
    "any_true": lambda at: f"whether {at['col']} is ever true",
    "list": lambda at: f"a list of {at['col']}",
    "join_text": lambda at: f"the texts of {at['col']} as one",
}

WINDOWS: dict[WindowFunction, str] = {
    "row_number": "the number of the row",
    "rank": "the rank of the row",
    "dense_rank": "the rank of the row, without gaps",
    "ntile": "which of {n} equal parts the row is in",
    "lag": "{col} of the row {n} before",
    "lead": "{col} of the row {n} after",
    "cum_sum": "the sum of {col} so far",
    "cum_max": "the greatest {col} so far",
    "cum_min": "the least {col} so far",
    "cum_count": "how many values {col} has had so far",
    "rolling_mean": "the mean of {col}",
    "rolling_sum": "the sum of {col}",
    "rolling_min": "the least {col}",
    "rolling_max": "the greatest {col}",
    "diff": "how much {col} has changed since the row {n} before",
    "pct_change": "by what share {col} has changed since the row {n} before",
    "share_of_total": "the share of {col} in the sum of all",
}

JOINS: dict[JoinKind, str] = {
    "inner": "Join {other}, keeping the rows that have a match",
    "left": "Join {other}, keeping every row so far",
    "right": "Join {other}, keeping every row of it",
    "full": "Join {other}, keeping every row of both",
    "semi": "Keep the rows that have a match in {other}",
    "anti": "Keep the rows that have no match in {other}",
    "cross": "Pair every row with every row of {other}",
    "asof": "Join the nearest row of {other}",
}

FILLS: dict[str, str] = {
    "none": "empty ones are left out",
    "null": "empty ones are null",
    "zero": "empty ones are 0",
    "previous": "empty ones are as the one before",
    "next": "empty ones are as the one after",
    "linear": "empty ones are on a line between their neighbours",
}

CLEANING: dict[str, Callable[[Fields, str], str]] = {
    "trim": lambda at, of: f"Strip white space from the ends of texts{of}",
    "null_markers": lambda at, of: f"Take {_quoted(at['markers'])} for missing in texts{of}",
    "cast": lambda at, of: f"Turn {at['col']} into {at['type']}, without loss",
    "parse_dates": lambda at, of: f"Read {at['col']} as dates written like {at['format']}",
    "fill_null": lambda at, of: (
        f"Replace missing values{of} by "
        + (str(at["value"]) if at["strategy"] is None else STRATEGIES[at["strategy"]])
    ),
    "drop_nulls": lambda at, of: f"Drop the rows with a missing value{of}",
    "dedupe": lambda at, of: f"Of the rows that are equal{of and ' in the values' + of}, keep {KEPT[at['keep']]}",
    "rename": lambda at, of: "Rename " + listed([f"{old} to {new}" for old, new in at["names"].items()], 12),
    "drop": lambda at, of: f"Drop the columns {listed(at['cols'], 12)}",
    "clip": lambda at, of: f"Bring numbers{of} {_between(at['min'], at['max'])}",
    "replace": lambda at, of: (
        f"Replace values{of}: " + listed([f"{old} by {new}" for old, new in at["map"].items()], 12)
    ),
    "strip_accents": lambda at, of: f"Strip accents from texts{of}",
    "normalise_names": lambda at, of: "Give every column a plain name of small letters, digits and _",
}

STRATEGIES = {
    "forward": "the value before",
    "backward": "the value after",
    "mean": "the mean",
    "median": "the median",
    "zero": "0",
}
KEPT = {"first": "the first", "last": "the last", "none": "none"}

DERIVATIONS: dict[str, Callable[[Fields, list[str]], str]] = {
    "add": lambda at, args: " + ".join(args),
    "sub": lambda at, args: " − ".join(args),
    "mul": lambda at, args: " × ".join(args),
    "div": lambda at, args: " ÷ ".join(args),
    "mod": lambda at, args: f"what is left of {args[0]} divided by {args[1]}",
    "pow": lambda at, args: f"{args[0]} to the power of {args[1]}",
    "abs": lambda at, args: f"{at['col']} without its sign",
    "round": lambda at, args: f"{at['col']} rounded to {at['digits'] or 0} digits",
    "floor": lambda at, args: f"{at['col']} rounded down",
    "ceil": lambda at, args: f"{at['col']} rounded up",
    "log": lambda at, args: f"the logarithm of {at['col']} to the base {at['base'] or 'e'}",
    "exp": lambda at, args: f"e to the power of {at['col']}",
    "sqrt": lambda at, args: f"the square root of {at['col']}",
    **{
        part: lambda at, args, part=part: f"the {part} of {at['col']}"
        for part in ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "weekday", "date")
    },
    "date_diff": lambda at, args: f"{at['unit']}s from {at['start']} to {at['end']}",
    "lower": lambda at, args: f"{at['col']} in small letters",
    "upper": lambda at, args: f"{at['col']} in capitals",
    "trim": lambda at, args: f"{at['col']} without white space at its ends",
    "length": lambda at, args: f"how many letters {at['col']} has",
    "substring": lambda at, args: (
        f"{_count_of(at['length'])} letters of {at['col']} from number {at['start']} on"
    ),
    "concat": lambda at, args: f"{listed(args, 12)}, one after the other{_between_them(at['sep'])}",
    "replace": lambda at, args: f'{at["col"]} with "{at["new"]}" for every "{at["old"]}"',
    "split_part": lambda at, args: f'part {at["part"]} of {at["col"]}, split at "{at["sep"]}"',
    "coalesce": lambda at, args: f"the first of {listed(args, 12)} that is not missing",
    "cast": lambda at, args: f"{at['col']} as {at['type']}, without loss",
    "bin": lambda at, args: (
        f"the lower end of the bin of {at['col']}, "
        + (f"{at['width']:g} wide" if at["width"] is not None else f"between {len(at['edges'])} edges")
    ),
}
"""All of the contract's but `case`, which has filters."""


def _by(at: Fields) -> str:
    return f" in the order of {at['by']}" if at.get("by") else ""


def _quoted(texts: list[str]) -> str:
    return listed([f'"{text}"' for text in texts], 12)


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return f"down to {high:g}"
    return f"up to {low:g}" if high is None else f"between {low:g} and {high:g}"


def _count_of(length: int | None) -> str:
    return "all" if length is None else f"{length:,}"


def _between_them(sep: str) -> str:
    return f', with "{sep}" between them' if sep else ""
