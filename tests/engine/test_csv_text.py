from __future__ import annotations

import datetime as dt
import decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.engine.csv_text import write_csv

if TYPE_CHECKING:
    from pathlib import Path

NOON = dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)


def written(tmp_path: Path, *batches: pl.DataFrame) -> str:
    """What the batches are as CSV."""
    write_csv(batches, tmp_path / "frame.csv")
    return (tmp_path / "frame.csv").read_bytes().decode()


@pytest.mark.parametrize(
    ("dtype", "value", "field"),
    [
        (pl.String, "", '""'),
        (pl.String, "plain", "plain"),
        (pl.String, " padded ", " padded "),
        (pl.String, "é", "é"),
        (pl.String, "a,b", '"a,b"'),
        (pl.String, 'a "b"', '"a ""b"""'),
        (pl.String, "a\nb", '"a\nb"'),
        (pl.String, "a\rb", '"a\rb"'),
        (pl.String, "=1+1", "=1+1"),
        (pl.Boolean, True, "true"),
        (pl.Int64, -(2**63), "-9223372036854775808"),
        (pl.UInt64, 2**64 - 1, "18446744073709551615"),
        (pl.Float64, 0.1, "0.1"),
        (pl.Float64, 1.0, "1.0"),
        (pl.Float64, 5e-324, "5e-324"),
        (pl.Float64, float("nan"), "NaN"),
        (pl.Float64, float("-inf"), "-inf"),
        (pl.Float32, 0.1, "0.1"),
        (pl.Decimal(20, 2), decimal.Decimal("-0.10"), "-0.10"),
        (pl.Date, dt.date(2025, 9, 1), "2025-09-01"),
        (pl.Datetime("us", "UTC"), NOON, "2025-09-01T12:00:00Z"),
        (pl.Datetime("us", "Europe/Berlin"), NOON, "2025-09-01T12:00:00Z"),
        (pl.Datetime("us"), NOON.replace(tzinfo=None), "2025-09-01T12:00:00Z"),
        (pl.Time, dt.time(1, 2, 3, 4), "01:02:03.000004"),
        (pl.Duration("us"), dt.timedelta(seconds=90), "PT90S"),
        (pl.Binary, b"ab", "YWI="),
        (pl.Binary, b"", '""'),
        (pl.List(pl.Int64), [1, None], '"[1,null]"'),
        (pl.List(pl.Int64), [], "[]"),
        (pl.List(pl.Datetime("us", "UTC")), [NOON], '"[""2025-09-01T12:00:00Z""]"'),
        (pl.Struct({"a": pl.String}), {"a": "x"}, '"{""a"":""x""}"'),
    ],
)
def test_a_value_and_null_beside_it(tmp_path: Path, dtype: Any, value: object, field: str) -> None:
    frame = pl.DataFrame({"row": [1, 2], "it": pl.Series([value, None], dtype=dtype)})

    assert written(tmp_path, frame) == f"row,it\r\n1,{field}\r\n2,\r\n"


def test_the_header_comes_once_and_is_quoted_where_need_be(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a,b": [1], 'c"d': [2]})

    assert written(tmp_path, frame.clear(), frame, frame) == '"a,b","c""d"\r\n1,2\r\n1,2\r\n'


def test_a_frame_without_rows_is_its_header(tmp_path: Path) -> None:
    assert written(tmp_path, pl.DataFrame(schema={"a": pl.Int64, "b": pl.List(pl.Date)})) == "a,b\r\n"
