"""What is in files that nobody here wrote, as others read them, and whether an answer says the same."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from base64 import b64decode
from collections.abc import Callable  # noqa: TC003  a table has it
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WRITTEN", "Written", "by_csv", "by_its_json", "by_pyarrow", "difference", "readable_by_pyarrow"]


class Written(NamedTuple):
    """How a CSV file is written, looked up by a person."""

    delimiter: str = ","
    encoding: str = "utf-8-sig"
    header: bool = True
    comment: str = ""
    names: tuple[str, ...] = ()
    """The columns' names, where they are not those of the file."""


# Files that are not plain; the others are UTF-8 with commas and a header line.
WRITTEN = {
    "fastparquet/nation.csv": Written(
        "|", header=False, names=("column_1", "column_2", "column_3", "column_4")
    ),
    "frictionless/accent.csv": Written(";"),
    "frictionless/country-2.csv": Written(";", comment="#"),
    "frictionless/delimiter.csv": Written(";"),
    "frictionless/duplicate-headers.csv": Written(names=("id", "name", "id_2", "age", "id_3")),
    "frictionless/chunk3.csv": Written(header=False, names=("column_1", "column_2")),
    "frictionless/invalid.csv": Written(names=("id", "name", "column_3", "name_2", "column_5")),
    "frictionless/issue-1138.csv": Written(";", names=("Zeit [MEZ]", "Wasserstand", "Status", "column_4")),
    "frictionless/issue-1004-data1.csv": Written(
        names=("id", "neighbor_id", "name", "population", "column_5")
    ),
    "frictionless/matrix-with-comment.csv": Written(comment="#"),
    "frictionless/skip-blank-at-the-end.csv": Written(comment="#"),
    "frictionless/skip-rows.csv": Written(comment="#"),
    "frictionless/structure-errors.csv": Written(
        names=("id", "name", "age", "column_4", "column_5", "column_6")
    ),
    "frictionless/table-delimiter.csv": Written(";"),
    "frictionless/table-infer-iso-8859-7.csv": Written(encoding="iso-8859-7"),
    "polars-io/graph-data/user.csv": Written(header=False, names=("column_1", "column_2")),
    "frictionless/without-headers-extra.csv": Written(
        header=False, names=("column_1", "column_2", "column_3")
    ),
}


def by_pyarrow(path: Path) -> list[dict[str, Any]]:
    table = pq.read_table(path, partitioning=None)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def readable_by_pyarrow(path: Path) -> bool:
    with suppress(pa.ArrowException, OSError):
        return bool(pq.ParquetFile(path).read().num_columns)
    return False


def by_its_json(path: Path) -> list[dict[str, Any]]:
    # The corpus' line ends have lost their CR on the way; so has the truth here.
    text = (path.parents[1] / "json" / f"{path.stem}.json").read_text().replace("\\r\\n", "\\n")
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


def by_csv(path: Path, written: Written) -> list[dict[str, Any]]:
    text = path.read_bytes().decode(written.encoding)
    if written.comment:
        text = "".join(
            line for line in text.splitlines(keepends=True) if not line.startswith(written.comment)
        )
    rows = list(filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=written.delimiter)))
    names = written.names or rows[0]
    return [
        {name: (row[place] or None) if place < len(row) else None for place, name in enumerate(names)}
        for row in (rows[1:] if written.header else rows)
    ]


def difference(rows: list[dict[str, Any]], truth: list[dict[str, Any]]) -> str | None:
    """The first difference, or nothing."""
    if len(rows) != len(truth):
        return f"{len(rows):,} rows, not {len(truth):,}"
    for number, (row, wanted) in enumerate(zip(rows, truth, strict=True), 1):
        if list(row) != list(wanted):
            return f"columns {list(row)}, not {list(wanted)}"[:300]
        for column, value in row.items():
            if not same(value, wanted[column]):
                return f"row {number}, {column!r}: {value!r}, not {wanted[column]!r}"[:300]
    return None


def same(told: Any, truth: Any) -> bool:
    """Whether a value in JSON, in the contract's terms, is the one that another reader gives."""
    if truth is None:
        return told is None
    for kind, alike in ALIKE:
        if isinstance(truth, kind):
            return bool(alike(told, truth))
    return True  # a duration, which JSON writes in a way of its own


def _same_float(told: Any, truth: float) -> bool:
    if not math.isfinite(truth):
        return told is None
    return isinstance(told, int | float) and math.isclose(told, truth, rel_tol=1e-6)


def _same_moment(told: str, truth: dt.datetime) -> bool:
    read = dt.datetime.fromisoformat(told)
    if read.tzinfo is None or truth.tzinfo is None:
        return read.replace(tzinfo=None) == truth.replace(tzinfo=None)
    return read == truth


def _same_list(told: Any, truth: list[Any]) -> bool:
    if truth and isinstance(truth[0], tuple):  # a map
        truth = [{"key": key, "value": value} for key, value in truth]
    return isinstance(told, list) and len(told) == len(truth) and all(map(same, told, truth))


ALIKE: tuple[tuple[type | tuple[type, ...], Callable[[Any, Any], bool]], ...] = (
    ((bool, int, str), lambda told, truth: told == truth),
    (float, _same_float),
    (Decimal, lambda told, truth: isinstance(told, str) and Decimal(told) == truth),
    (bytes, lambda told, truth: isinstance(told, str) and b64decode(told) == truth),
    (dt.datetime, _same_moment),
    ((dt.date, dt.time), lambda told, truth: str(told).startswith(truth.isoformat())),
    (list, _same_list),
    (
        dict,
        lambda told, truth: isinstance(told, dict) and all(same(told.get(key), truth[key]) for key in truth),
    ),
)
