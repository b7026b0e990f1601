"""What files hold in the eyes of another reader, and whether what was read is that."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import re
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl

__all__ = ["difference_from_csv", "difference_from_json", "difference_from_parquet"]

MOST_ROWS = 20_000
DELIMITERS = ",;\t|"
NOTHING = {"", "na", "n/a", "nan", "null", "none", "-", "nil", "#n/a", "<na>", "?"}


class Unknown(Exception):
    """No other reader says what is right."""


def difference_from_parquet(path: Path, frame: pl.DataFrame) -> str | None:
    """Where the values are other than PyArrow's; None when nowhere.

    Raises:
        Unknown: PyArrow does not read the file.
    """
    try:
        truth = pq.ParquetFile(path, coerce_int96_timestamp_unit="us").read()
        ours = frame.to_arrow()
        if truth.num_columns == 0:
            return None if frame.width == 0 else "columns where there are none"
        if (ours.num_rows, ours.num_columns) != (truth.num_rows, truth.num_columns):
            return f"{ours.shape} is not {truth.shape}"
        for place, name in enumerate(truth.column_names):
            theirs, mine = (_values(table.column(place).slice(0, MOST_ROWS)) for table in (truth, ours))
            for row, (one, other) in enumerate(zip(theirs, mine, strict=True)):
                if not _same(one, other):
                    return f"{name}, row {row + 1}: {other!r:.60} is not {one!r:.60}"
    except (pa.ArrowException, OSError, OverflowError, ValueError) as error:
        raise Unknown(str(error)) from None
    return None


def _values(column: pa.ChunkedArray) -> list[Any]:
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if pa.types.is_timestamp(column.type):
        unit = pa.timestamp("us", column.type.tz)
        column = pc.cast(pc.cast(column, unit, safe=False), pa.int64())
    return list(column.to_pylist())


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        pairs = [
            (list(each.values()) if isinstance(each, dict) else each, item)
            if isinstance(item, list | tuple)
            else (each, item)
            for each, item in zip(other, one, strict=False)
        ]
        return len(one) == len(other) and all(_same(item, each) for each, item in pairs)
    if isinstance(one, tuple):  # the entry of a map
        return _same(list(one), list(other.values()) if isinstance(other, dict) else list(other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


def difference_from_csv(path: Path, frame: pl.DataFrame) -> str | None:
    """Where the values are other than those of Python's own reader; None when nowhere.

    Raises:
        Unknown: It is not plainly a table.
    """
    rows = _rows(path)
    if frame.height != len(rows) - 1 or frame.width != len(rows[0]):
        return f"{frame.shape} is not {(len(rows) - 1, len(rows[0]))}"
    for number, (row, read) in enumerate(zip(rows[1:MOST_ROWS], frame.iter_rows(), strict=False), 1):
        for text, value in zip(row, read, strict=True):
            if not _is_written(text, value):
                return f"row {number}: {value!r:.60} is not {text!r:.60}"
    return None


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unknown("it is not in UTF-8") from None
    for delimiter in DELIMITERS:
        try:
            rows = [*csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)]
        except csv.Error:
            continue
        if [] in rows and len({len(row) for row in rows if row} - {1}) == 1:
            raise Unknown("it has blank lines")
        widths = {len(row) for row in rows}
        if len(rows) > 1 and len(widths) == 1 and widths != {1} and all(map(str.strip, rows[0])):
            if any(not any(map(str.strip, row)) for row in rows):
                raise Unknown("it has rows without values")
            return rows
    raise Unknown("it is not plainly a table")


def _is_written(text: str, value: Any) -> bool:
    if value is None:
        return text.strip().casefold() in NOTHING
    if isinstance(value, str):
        return text.strip() == value.strip()
    if isinstance(value, bool):
        return text.strip().casefold() in ({"true", "yes", "y", "t"} if value else {"false", "no", "n", "f"})
    if isinstance(value, int | float | Decimal):
        try:
            return _same(float(text.replace(",", "").strip().rstrip("%")), float(value))
        except ValueError:
            return False
    if isinstance(value, dt.date | dt.time):
        digits = set(re.findall(r"[1-9][0-9]*", text))
        shown = set(re.findall(r"[1-9][0-9]*", value.isoformat()))
        return shown <= digits or digits <= shown or re.search(r"[+-]\d\d:?\d\d$|[A-Za-z]", text) is not None
    raise Unknown(f"a {type(value).__name__} is not written in one way")


def difference_from_json(rows: Iterable[Any], frame: pl.DataFrame) -> str | None:
    """Where the values are other than those of Python's own reader; None when nowhere."""
    truth = list(rows)
    if frame.height != len(truth):
        return f"{frame.height} rows are not {len(truth)}"
    missing = set(chain.from_iterable(truth)) - set(frame.columns)
    if missing:
        return f"there are no columns {missing}"
    for number, (row, read) in enumerate(zip(truth, frame.iter_rows(named=True), strict=True), 1):
        for name, value in read.items():
            if not _is_json(row.get(name), value):
                return f"row {number}: {name} {value!r:.60} is not {row.get(name)!r:.60}"
    return None


def _is_json(truth: Any, value: Any) -> bool:  # noqa: PLR0911  one for each kind
    if truth is None or value is None:
        return truth is None and value is None
    if isinstance(value, dt.date) and isinstance(truth, str):
        return dt.datetime.fromisoformat(truth).date() == dt.date(value.year, value.month, value.day)
    if isinstance(value, dict) and isinstance(truth, dict):
        return truth.keys() <= value.keys() and all(
            _is_json(truth.get(key), each) for key, each in value.items()
        )
    if isinstance(value, list) and isinstance(truth, list):
        return len(value) == len(truth) and all(map(_is_json, truth, value))
    if isinstance(value, str) and not isinstance(truth, str):
        return bool(json.loads(value) == truth)
    if isinstance(truth, bool) or isinstance(value, bool):
        return truth is value
    return bool(truth == value)
