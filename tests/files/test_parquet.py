"""Parquet files as people have them, written by hand or by other writers."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airpy.contract import ReadOptions
from airpy.engine.failures import failure
from airpy.files.datasets import dataset_at
from airpy.files.scan import scan
from tests.files.conftest import held, put, write

if TYPE_CHECKING:
    from airpy.errors import AirError
    from airpy.files.opening import Opened
    from airpy.files.paths import FileRoot

TESTING = Path(__file__).parents[3] / "shared" / "corpora" / "parquet-testing" / "data"
SOME = pa.table({"a": [1, 2, 3]})


@pytest.fixture
def opens(root: FileRoot, scratch: Path) -> Any:
    """Opens what a path names."""

    def opens(requested: str = "a.parquet", *, careful: bool = False, **options: Any) -> Opened:
        dataset = dataset_at(root, requested, "uri")
        return scan(dataset, ReadOptions(**options), infer_rows=100, scratch=scratch, careful=careful)

    return opens


@pytest.fixture
def refused(opens: Any) -> Any:
    """What is said of a file that is not read."""

    def refused(**options: Any) -> AirError:
        with pytest.raises(Exception) as raised:  # noqa: PT011  whatever is raised is translated
            opens(**options).frame.collect(engine="streaming")
        return failure(raised.value)

    return refused


def nested(depth: int) -> pa.Table:
    """A struct in a struct, and so on."""
    column = pa.array([1])
    for _ in range(depth):
        column = pa.StructArray.from_arrays([column], ["m"])
    return pa.table({"v": column})


# What is refused before anything reads it


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        (b"", "EMPTY_FILE", "is empty"),
        (b"PAR1", "UNREADABLE_FILE", "cut off"),
        (b"PAR1" + b"x" * 100, "UNREADABLE_FILE", "cut off"),
        (b"PAR1" + b"x" * 10 + b"\xff\xff\xff\x00PAR1", "UNREADABLE_FILE", "cut off"),
        (b"PARE" + b"x" * 10 + b"\x01\x00\x00\x00PARE", "UNSUPPORTED", "encrypted"),
        (b"PAR1" + b"x" * 10 + b"\x05\x00\x00\x00PAR1", "UNREADABLE_FILE", "cannot be read"),
    ],
)
def test_what_is_no_whole_file_says_so(
    root: FileRoot, refused: Any, content: bytes, reason: str, words: str
) -> None:
    put(root, "a.parquet", content)

    error = refused()

    assert (error.code, error.reason) == ("IO_ERROR", reason)
    assert words in error.message


def test_a_footer_that_is_too_large_is_not_read(root: FileRoot, refused: Any) -> None:
    size = (16 << 20) + 1
    put(root, "a.parquet", b"PAR1" + bytes(size) + size.to_bytes(4, "little") + b"PAR1")

    error = refused()

    assert (error.code, error.reason) == ("RESOURCE_CAP", "TOO_LARGE")


@pytest.mark.parametrize("depth", [32, 99, 300])
def test_what_is_nested_too_deep_is_refused(root: FileRoot, refused: Any, depth: int) -> None:
    pq.write_table(nested(depth), root.real / "a.parquet")

    assert refused().reason == "TOO_DEEP"


def test_32_levels_are_read(root: FileRoot, opens: Any) -> None:
    pq.write_table(nested(31), root.real / "a.parquet")

    assert opens().frame.collect().height == 1


def test_too_many_columns_are_refused(root: FileRoot, refused: Any) -> None:
    pq.write_table(pa.table({f"c{number}": [1] for number in range(10_001)}), root.real / "a.parquet")

    error = refused()

    assert (error.code, error.reason) == ("RESOURCE_CAP", "TOO_LARGE")


# What is read through Arrow


def test_a_file_that_the_engine_reads_is_read_by_it(root: FileRoot, opens: Any, scratch: Path) -> None:
    pq.write_table(SOME, root.real / "a.parquet")

    opened = opens()

    assert opened.frame.collect().rows() == [(1,), (2,), (3,)]
    assert opened.notes == ()
    assert list(scratch.iterdir()) == []


def test_timestamps_of_96_bits_keep_their_day(root: FileRoot, opens: Any) -> None:
    far = dt.datetime(9000, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001  the column has no zone
    near = dt.datetime(2025, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001
    for name, values in {"a": [near, far, None], "b": [near, None]}.items():
        table = pa.table({"t": pa.array(values, pa.timestamp("us"))})
        pq.write_table(
            table,
            root.real / f"{name}.parquet",
            use_deprecated_int96_timestamps=True,
            store_schema=False,  # else the engine is told the unit
        )

    opened = opens("a.parquet")

    assert opened.frame.collect()["t"].to_list() == [near, far, None]
    assert "96 bits" in opened.notes[0].text
    assert opens("b.parquet").notes == ()
    assert opens("b.parquet").frame.collect()["t"].to_list() == [near, None]


def test_split_streams_of_whole_numbers_are_read(root: FileRoot, opens: Any) -> None:
    table = pa.table({"i": pa.array([1, -2, 2**40])})
    pq.write_table(
        table, root.real / "a.parquet", use_dictionary=False, column_encoding={"i": "BYTE_STREAM_SPLIT"}
    )

    opened = opens()

    assert opened.frame.collect()["i"].to_list() == [1, -2, 2**40]
    assert 'column "i"' in opened.notes[0].text


def test_everything_goes_through_arrow_where_nothing_is_taken_on_trust(root: FileRoot, opens: Any) -> None:
    kept = {"i": [1, None], "l": [[1], []], "o": [{"x": "a"}, None], "m": [{"k": 1}, None]}
    pq.write_table(pa.table(kept), root.real / "a.parquet")

    opened = opens(careful=True)

    assert opened.notes[0].text.startswith("read through Arrow")
    assert opened.frame.collect().to_dict(as_series=False) == kept


def test_one_file_through_arrow_is_one_of_many(root: FileRoot, opens: Any) -> None:
    write(pl.DataFrame({"i": [1]}), root.real / "ds/k=1/1.parquet")
    (root.real / "ds/k=2").mkdir()
    pq.write_table(
        pa.table({"i": [2]}),
        root.real / "ds/k=2/2.parquet",
        use_dictionary=False,
        column_encoding={"i": "BYTE_STREAM_SPLIT"},
    )

    assert opens("ds").frame.collect().rows() == [(1, 1), (2, 2)]


# What the caller says


def test_columns_are_cast_as_is_asked(root: FileRoot, opens: Any) -> None:
    write(pl.DataFrame({"i": [1], "s": ["2"], "d": ["03/04/2025"], "f": [1.5]}), root.real / "a.parquet")

    opened = opens(types={"i": "string", "s": "int16", "d": "date"}, date_format="%d/%m/%Y")

    assert held(opened.frame.collect()) == (
        {"i": "string", "s": "int16", "d": "date", "f": "float64"},
        [["1", 2, dt.date(2025, 4, 3), 1.5]],
    )


def test_a_value_that_the_type_asked_for_does_not_take_fails(root: FileRoot, refused: Any) -> None:
    write(pl.DataFrame({"i": [300]}), root.real / "a.parquet")

    assert refused(types={"i": "int8"}).reason == "CAST_FAILED"


def test_a_type_of_no_column_is_refused(root: FileRoot, refused: Any) -> None:
    write(pl.DataFrame({"name": [1]}), root.real / "a.parquet")

    assert refused(types={"nane": "string"}).suggestion == ["name"]


def test_every_value_as_text(root: FileRoot, opens: Any) -> None:
    write(pl.DataFrame({"i": [1], "b": [True], "l": [[1]]}), root.real / "a.parquet")

    assert opens(types="string").frame.collect().rows() == [("1", "true", [1])]


# Statistics


def compared(path: Path, name: str, value: Any) -> dict[str, tuple[list[Any], list[Any]]]:
    """By operator, the values that a filter keeps when it may prune, and those that it keeps of all."""
    frame = pl.scan_parquet([path], glob=False)
    whole = pl.DataFrame(pq.read_table(path))
    column = pl.col(name)
    operators = {
        "<": column < value,
        "<=": column <= value,
        "==": column == value,
        "!=": column != value,
        ">=": column >= value,
        ">": column > value,
        "in": column.is_in([value]),
        "not in": ~column.is_in([value]),
        "null": column.is_null(),
    }
    return {
        word: (
            [repr(each) for each in frame.filter(keep).collect(engine="streaming")[name].to_list()],
            [repr(each) for each in whole.filter(keep)[name].to_list()],
        )
        for word, keep in operators.items()
    }


@pytest.mark.skipif(not TESTING.exists(), reason="the public corpora are not here")
@pytest.mark.parametrize(
    "name",
    [
        "nan_in_stats",
        "float16_nonzeros_and_nans",
        "float16_zeros_and_nans",
        "floating_orders_nan_count",
        "single_nan",
        "binary_truncated_min_max",
        "sort_columns",
        "data_index_bloom_encoding_stats",
        "int32_decimal",
    ],
)
def test_statistics_that_are_odd_prune_nothing_wrongly(name: str) -> None:
    path = TESTING / f"{name}.parquet"
    whole = pl.DataFrame(pq.read_table(path))

    tried = 0
    for column in whole.columns:
        values = whole[column].drop_nulls().to_list()
        values = [*dict.fromkeys(values), *([0.0, -0.0, math.nan] if whole[column].dtype.is_float() else [])]
        for value in values[:20]:
            for word, (pruned, right) in compared(path, column, value).items():
                tried += 1
                assert pruned == right, (column, word, value)
    assert tried >= 9 or not whole.height or whole.null_count().sum_horizontal().item()


def test_a_footer_that_miscounts_its_rows_is_not_believed(root: FileRoot, opens: Any) -> None:
    if not TESTING.exists():
        pytest.skip("the public corpora are not here")
    put(root, "a.parquet", (TESTING / "repeated_no_annotation.parquet").read_bytes())

    frame = opens().frame.collect()

    assert frame["id"].to_list() == [1, 2, 3, 4, 5, 6]
