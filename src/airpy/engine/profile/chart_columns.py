"""What columns are good for in a chart: times, categories, numbers, or nothing."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from airpy.contract import ColumnMetrics

__all__ = ["Roles", "adds_up", "bounds", "complete", "is_skewed", "roles", "time_range"]

TEMPORAL = {"date", "timestamp"}
CATEGORICAL = {"string", "bool"}
WHOLE = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
FEWEST_PARTS, MOST_PARTS = 2, 30
"""Values of a category that is worth a bar each."""
MOST_MISSING = 0.9
NEAR_UNIQUE, FEWEST_VALUES = 0.95, 20
"""From this share of distinct values on they name rows; of fewer values, it proves nothing."""
MOST_ADDED_UP = 2**63
SKEWED = 2.0
MOST_COLUMNS = 24
"""Charts grow with the product of the columns; beyond these of each sort, the first ones are drawn."""

IDENTIFIER = re.compile("id|key|code|uuid|guid|zip|postcode")
LIKE_IDENTIFIER = re.compile(
    "(?!(acid|aid|bid|covid|fluid|grid|kid|(pre|re|un)?paid|solid|void)$).*(id|key|code)"
)
"""Words that end like one, but for those that merely do."""
PART_OF_TIME = re.compile("year|quarter|month|week|weekday|day|hour")
SUMMED = re.compile(
    "(amount|bill|call|case|click|commit|cost|count|credit|death|debit|delivery|donation|earning|energy|expense"
    "|fee|fine|gain|hit|income|install|kwh|loss|mwh|order|output|paid|passenger|payment|precipitation|production"
    "|profit|purchase|qty|quantity|rain|rainfall|revenue|sale|session|shipment|sold|spend|spending|spent|tax|tip"
    "|total|trip|turnover|unit|view|visit|visitor|volume|wh)s?"
)
AVERAGED = re.compile(
    "(age|average|avg|density|factor|humidity|index|lat|latitude|level|lng|lon|longitude|mean|median|pct|per"
    "|percent|percentage|power|pressure|price|probability|rank|rate|rating|ratio|score|share|speed|temp"
    "|temperature|velocity)s?"
)
WORDS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])")


class Roles(NamedTuple):
    """The columns worth drawing by what they are, in their order; those of no use are left out."""

    times: list[ColumnMetrics]
    categories: list[ColumnMetrics]
    numbers: list[ColumnMetrics]


def roles(columns: Sequence[ColumnMetrics], rows: int, keys: Collection[str] | None = None) -> Roles:
    """What the columns of a frame of so many rows are good for.

    No use are columns of one value or none, columns that are null in 90 % of the rows, and such as name rows:
    integers and texts with at least 20 values, 95 % of them distinct. Numbers that are called an id, a key or
    a code, or a part of a date as in `year`, measure nothing; integers of 2 to 30 values are then categories.

    Args:
        columns: Their metrics.
        rows: How many rows the frame has.
        keys: What names the rows of a frame that was grouped; there other columns are measured, however
            distinct.
    """
    drawn = [
        column for column in columns if (column.unique or 0) > 1 and column.missing < MOST_MISSING * rows
    ]
    grouped = keys is not None

    def is_number(column: ColumnMetrics) -> bool:
        names = column.name in keys if keys is not None else _names_rows(column)
        return column.mean is not None and not names and not _is_label(column)

    def is_category(column: ColumnMetrics) -> bool:
        fits = FEWEST_PARTS <= (column.unique or 0) <= MOST_PARTS and (grouped or not _names_rows(column))
        is_key = column.type in WHOLE and column.name in (keys or ())
        return fits and (column.type in CATEGORICAL or is_key or (column.type in WHOLE and _is_label(column)))

    return Roles(
        [column for column in drawn if column.type in TEMPORAL][:MOST_COLUMNS],
        [column for column in drawn if is_category(column)][:MOST_COLUMNS],
        [column for column in drawn if is_number(column)][:MOST_COLUMNS],
    )


def adds_up(number: ColumnMetrics) -> bool:
    """Whether a total of the number says something: it is never negative, and called like an amount.

    Nor is it one that no integer holds.

    A word of its name says so, as `cost` or `units`, and none says that it is a measure of something else, as
    `rate` or `price`. Of all others the mean is drawn.
    """
    words = _words(number.name)
    low, _ = bounds(number)
    is_amount = any(map(SUMMED.fullmatch, words)) and not any(map(AVERAGED.fullmatch, words))
    return is_amount and (low is None or low >= 0) and (number.sum or 0) < MOST_ADDED_UP


def bounds(number: ColumnMetrics) -> tuple[float | None, float | None]:
    """The least and the greatest value as floats, where they are known and finite."""
    return _float(number.min), _float(number.max)


def complete(columns: Sequence[ColumnMetrics], rows: int) -> float:
    """The share of the rows in which the emptiest of the columns has a value."""
    return min(column.count for column in columns) / rows


def is_skewed(number: ColumnMetrics) -> bool:
    """Whether most values lie so near one end that bars of equal width show nothing of them."""
    return abs(number.skew or 0.0) >= SKEWED


def time_range(time: ColumnMetrics) -> float | None:
    """Seconds from the first to the last time, where it is known."""
    if time.time is not None:
        return time.time.range_s
    try:
        first, last = (dt.datetime.fromisoformat(str(end)) for end in (time.min, time.max))
    except ValueError:
        return None
    return (last - first).total_seconds()


def _names_rows(column: ColumnMetrics) -> bool:
    return (
        column.type in WHOLE | {"string"}
        and column.count >= FEWEST_VALUES
        and (column.unique or 0) >= NEAR_UNIQUE * column.count
    )


def _is_label(column: ColumnMetrics) -> bool:
    """Whether a number is called like something that is counted but not measured."""
    words = _words(column.name) or [""]
    last = words[-1]
    if IDENTIFIER.fullmatch(last) or (PART_OF_TIME.fullmatch(last) and "per" not in words):
        return True
    return column.type in WHOLE and LIKE_IDENTIFIER.fullmatch(last) is not None


def _words(name: str) -> list[str]:
    return [word.lower() for word in WORDS.findall(name)]


def _float(value: object) -> float | None:
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
