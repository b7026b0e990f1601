"""Measures data sets without reading them: Parquet by the footers of some files, text by its first lines."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from airpy.engine.literals import literal
from airpy.errors import AirError
from airpy.files.arrow_parquet import footer_of
from airpy.files.listing import estimated_rows
from airpy.files.opening import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    import pyarrow.parquet as pq
    from narwhals.dtypes import DType

    from airpy.contract import Filter
    from airpy.files.datasets import Dataset

__all__ = ["Measured", "measured"]

MOST_GROUPS = 256
"""Row groups that are looked at in one file; of more, as many evenly spread ones."""
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 8}
"""Bytes of a value in memory, by how it is stored."""
VIEW = 16
"""Of a text or of bytes, beside its letters."""
TEXT_ROW = 64
"""Bytes of a line of text that nobody knows the length of."""
SECOND = {"milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
"""In the units in which Parquet counts time."""
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Measured(NamedTuple):
    """What is to be read of some files of a data set."""

    rows: int
    bytes: int
    """As they are stored; of Parquet those of the columns that are needed."""
    memory: int
    """The same in memory, at least."""
    row_groups: int | None = None
    row_groups_left: int | None = None
    known: bool = True
    """Whether that was counted, and not guessed."""

    def times(self, number: float) -> Measured:
        """As much of so many times the files."""
        return Measured(
            round(self.rows * number),
            round(self.bytes * number),
            round(self.memory * number),
            None if self.row_groups is None else round(self.row_groups * number),
            None if self.row_groups_left is None else round(self.row_groups_left * number),
            known=self.known and number == 1,
        )


def measured(
    dataset: Dataset,
    columns: set[str] | None,
    filters: Sequence[Filter],
    types: Mapping[str, DType],
    timezone: ZoneInfo,
) -> Measured:
    """What is to be read of these files.

    Args:
        dataset: The files.
        columns: Those that are needed; all when None.
        filters: Row groups that none of their rows can pass are not read.
        types: What columns the files have.
        timezone: Where times in the filters are that carry no offset.

    Raises:
        FileUnavailable: A file is no Parquet, or damaged.
    """
    if dataset.remote:
        total = sum(map(dataset.size, dataset.files))
        return Measured(total // TEXT_ROW, total, total, known=False)
    if dataset.format != "parquet":
        return _of_text(dataset)
    tests = [test for item in filters for test in _tests(item, types, timezone)]
    parts = [_of_footer(footer_of(dataset.place(path)), columns, tests) for path in dataset.files]
    return Measured(
        sum(part.rows for part in parts),
        sum(part.bytes for part in parts),
        sum(part.memory for part in parts),
        sum(part.row_groups or 0 for part in parts),
        sum(part.row_groups_left or 0 for part in parts),
        all(part.known for part in parts),
    )


class Test(NamedTuple):
    """Whether any row of a row group may pass a filter, by the least and the greatest value of a column."""

    column: str
    may_pass: Callable[[Any, Any], bool]


RANGES: dict[str, Callable[[list[Any]], Callable[[Any, Any], bool]]] = {
    "=": lambda at: lambda low, high: low <= at[0] <= high,
    "==": lambda at: lambda low, high: low <= at[0] <= high,
    "<": lambda at: lambda low, _: low < at[0],
    "<=": lambda at: lambda low, _: low <= at[0],
    ">": lambda at: lambda _, high: high > at[0],
    ">=": lambda at: lambda _, high: high >= at[0],
    "between": lambda at: lambda low, high: low <= at[1] and at[0] <= high,
    "in": lambda at: lambda low, high: any(low <= value <= high for value in at),
}
"""What an operator says of a range; the others rule nothing out."""


def _tests(item: Filter, types: Mapping[str, DType], timezone: ZoneInfo) -> Iterator[Test]:
    """What the filter, and every filter that must hold with it, says of ranges."""
    for part in item.all or []:
        yield from _tests(part, types, timezone)
    if item.col is None or item.op not in RANGES or item.col not in types or item.val is None:
        return
    values = item.val if isinstance(item.val, list) else [item.val]
    dtype = types[item.col]
    try:
        cast = [
            literal(value, dtype, timezone=timezone, column=item.col, field="plan.filters")  # type: ignore[arg-type]
            for value in values
        ]
    except AirError:  # a relative time; or a mistake, which is told where the filter is applied
        return
    yield Test(item.col, RANGES[item.op](cast))


def _of_footer(footer: pq.FileMetaData, columns: set[str] | None, tests: Sequence[Test]) -> Measured:
    names = [footer.schema.column(place).path.partition(".")[0] for place in range(footer.num_columns)]
    wanted = [place for place, name in enumerate(names) if columns is None or name in columns]
    by_name = {footer.schema.column(place).path: place for place in range(footer.num_columns)}
    rows = stored = memory = left = 0
    looked_at = spread(range(footer.num_row_groups), MOST_GROUPS)
    for number in looked_at:
        group = footer.row_group(number)
        if not all(_passes(group, by_name.get(test.column), test) for test in tests):
            continue
        left += 1
        rows += group.num_rows
        for place in wanted:
            chunk = group.column(place)
            stored += chunk.total_compressed_size
            width = WIDTHS.get(chunk.physical_type)
            memory += width * chunk.num_values if width else _of_texts(chunk)
    part = Measured(rows, stored, memory, len(looked_at), left)
    return part.times(footer.num_row_groups / max(len(looked_at), 1)) if looked_at else part


def _of_texts(chunk: pq.ColumnChunkMetaData) -> int:
    """Bytes of texts in memory; where each is stored once for many rows, they are once in memory too."""
    return int(VIEW * chunk.num_values + chunk.total_uncompressed_size // 2)


def _passes(group: pq.RowGroupMetaData, place: int | None, test: Test) -> bool:
    if place is None:
        return True
    found = group.column(place).statistics
    if found is None or not found.has_min_max:
        return True
    try:
        return test.may_pass(*_range(found))
    except (TypeError, OverflowError):  # of another kind than the column, or of a year that Python has not
        return True


def _range(found: pq.Statistics) -> tuple[Any, Any]:
    """The least and the greatest value.

    Of times PyArrow would make pandas' own, which takes the import of pandas, or refuse to where it is not.
    """
    kind = json.loads(found.logical_type.to_json())
    if kind["Type"] not in {"Time", "Timestamp"}:
        return found.min, found.max
    parts = SECOND[kind["timeUnit"]]
    start = EPOCH if kind["isAdjustedToUTC"] else EPOCH.replace(tzinfo=None)
    low = start + dt.timedelta(microseconds=found.min_raw * 10**6 // parts)
    high = start + dt.timedelta(microseconds=-(-found.max_raw * 10**6 // parts))
    return (low, high) if kind["Type"] == "Timestamp" else (low.time(), high.time())


def _of_text(dataset: Dataset) -> Measured:
    rows = total = 0
    known = True
    for path in dataset.files:
        size = dataset.size(path)
        found = estimated_rows(path, dataset.place(path))
        known = known and found is not None and size <= SMALL_TEXT
        rows += size // TEXT_ROW if found is None else found
        total += size
    return Measured(rows, total, total, known=known)


SMALL_TEXT = 64 * 1024
"""Of so little text, every line is counted."""
