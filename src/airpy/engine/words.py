"""The words that explain what a plan says: a table for each kind of name in the contract, to be filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airpy.contract import AggregateFunction, FilterOperator, JoinKind, RowRelation, WindowFunction

__all__ = [
    "AGGREGATES",
    "CLEANING",
    "DERIVATIONS",
    "FILLS",
    "FILTERS",
    "JOINS",
    "KEPT",
    "RELATIONS",
    "STRATEGIES",
    "WINDOWS",
]

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

RELATIONS: dict[RowRelation, str] = {
    "repeated": "the row equals an earlier one{by} in {cols}",
    "shared": "the row equals another{by} in {cols}",
    "falling": "{cols} is less than the value before{by}",
    "level": "{cols} is equal to the value before{by}",
    "rising": "{cols} is more than the value before{by}",
    "after_gap": "{cols} is more than {every} later than the time before{by}",
}

AGGREGATES: dict[AggregateFunction, str] = {
    "count": "the number of rows",
    "count_valid": "how many values {col} has",
    "count_missing": "how often {col} is missing",
    "n_unique": "the number of distinct values of {col}",
    "approx_n_unique": "about the number of distinct values of {col}",
    "sum": "the sum of {col}",
    "mean": "the mean of {col}",
    "avg": "the mean of {col}",
    "min": "the least {col}",
    "max": "the greatest {col}",
    "median": "the median of {col}",
    "quantile": "the {q} quantile of {col}",
    "q1": "the first quartile of {col}",
    "q3": "the third quartile of {col}",
    "std": "the standard deviation of {col}",
    "var": "the variance of {col}",
    "stderr": "the standard error of the mean of {col}",
    "first": "the first {col}{ordered}",
    "last": "the last {col}{ordered}",
    "any": "any {col}",
    "mode": "the most frequent {col}",
    "product": "the product of {col}",
    "skew": "the skewness of {col}",
    "kurtosis": "the excess kurtosis of {col}",
    "mad": "the median absolute deviation of {col}",
    "iqr": "the interquartile range of {col}",
    "range": "the range of {col}",
    "arg_min": "the {col} where {by} is least",
    "arg_max": "the {col} where {by} is greatest",
    "corr": "the correlation of {col} and {col2}",
    "weighted_mean": "the mean of {col}, weighted by {weight}",
    "share_of_total": "the share of the sum of {col} in that of all groups",
    "all": "whether {col} is always true",
    "any_true": "whether {col} is ever true",
    "list": "a list of {col}",
    "join_text": "the texts of {col} as one",
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

CLEANING: dict[str, str] = {
    "trim": "Strip white space from the ends of texts{of}",
    "null_markers": "Take {markers} for missing in texts{of}",
    "cast": "Turn {col} into {type}, without loss",
    "parse_dates": "Read {col} as dates written like {format}",
    "fill_null": "Replace missing values{of} by {by}",
    "drop_nulls": "Drop the rows with a missing value{of}",
    "dedupe": "Of the rows that are equal{in_values}, keep {kept}",
    "rename": "Rename {names}",
    "drop": "Drop the columns {cols}",
    "clip": "Bring numbers{of} {ends}",
    "replace": "Replace values{of}: {pairs}",
    "strip_accents": "Strip accents from texts{of}",
    "normalise_names": "Give every column a plain name of small letters, digits and _",
}

STRATEGIES = {
    "forward": "the value before",
    "backward": "the value after",
    "mean": "the mean",
    "median": "the median",
    "zero": "0",
}
KEPT = {"first": "the first", "last": "the last", "none": "none"}

PARTS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "weekday", "date")
DERIVATIONS: dict[str, str] = {
    "add": "{plus}",
    "sub": "{minus}",
    "mul": "{times}",
    "div": "{by}",
    "mod": "what is left of {first} divided by {second}",
    "pow": "{first} to the power of {second}",
    "abs": "{col} without its sign",
    "round": "{col} rounded to {digits} digits",
    "floor": "{col} rounded down",
    "ceil": "{col} rounded up",
    "log": "the logarithm of {col} to the base {base}",
    "exp": "e to the power of {col}",
    "sqrt": "the square root of {col}",
    **{part: f"the {part} of {{col}}" for part in PARTS},
    "date_diff": "{unit}s from {start} to {end}",
    "lower": "{col} in small letters",
    "upper": "{col} in capitals",
    "trim": "{col} without white space at its ends",
    "length": "how many letters {col} has",
    "substring": "{letters} letters of {col} from number {start} on",
    "concat": "{listed}, one after the other{between}",
    "replace": '{col} with "{new}" for every "{old}"',
    "split_part": 'part {part} of {col}, split at "{sep}"',
    "coalesce": "the first of {listed} that is not missing",
    "cast": "{col} as {type}, without loss",
    "bin": "the lower end of the bin of {col}, {bins}",
}
"""All of the contract's but `case`, which has filters."""
