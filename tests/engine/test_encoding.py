from __future__ import annotations

import base64
import datetime as dt
import json
import math
import struct
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from airpy.contract import FieldModel, Schema
from airpy.engine.converting import convert_frame
from airpy.engine.encoding import (
    FORMS,
    FrameForm,
    arrow_schema,
    decode_arrow,
    decode_base64,
    decode_parquet,
    encode_first_rows,
    encode_model,
    encode_object,
    encode_rows,
    json_values,
    portable,
    spooled,
    write_arrow,
    write_parquet,
)
from airpy.engine.failures import failure
from airpy.errors import CapExceeded, InvalidFrame, InvalidPlan
from airpy.jobs.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airpy.engine.encoding import Written

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
PARQUET_TESTING = CORPORA / "parquet-testing"
NAUGHTY = CORPORA / "naughty-strings" / "blns.txt"
LONG_S = 120.0

needs_parquet_testing = pytest.mark.skipif(not PARQUET_TESTING.exists(), reason="needs the corpora")

DECODERS: dict[FrameForm, Callable[[Path], pl.DataFrame]] = {
    "arrow": decode_arrow,
    "parquet": decode_parquet,
}


def refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")


def strict(text: bytes) -> Any:
    """The JSON, read as strictly as its standard says."""
    return json.loads(text.decode("utf-8", "strict"), parse_constant=refuse, parse_float=Decimal)


def values(column: pl.Series) -> list[Any]:
    """A column's values as its rows have them in JSON."""
    return [row["a"] for row in strict(encode_rows(column.alias("a").to_frame()))]


def naive(*parts: int) -> dt.datetime:
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def series(numbers: list[int | None], dtype: pl.DataType) -> pl.Series:
    return pl.Series(numbers, dtype=pl.Int64).cast(dtype)


# Milliseconds from 1970 whose thousandfold, in microseconds, is beyond 64 bits and wraps to 384.
WRAPS = 18_446_744_073_709_552


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (pl.Series([True, False, None]), [True, False, None]),
        (pl.Series([2**63 - 1, -(2**63), 2**53 + 1]), [2**63 - 1, -(2**63), 2**53 + 1]),
        (pl.Series([2**64 - 1, 0], dtype=pl.UInt64), [2**64 - 1, 0]),
        (pl.Series([-128, 127], dtype=pl.Int8), [-128, 127]),
        (
            pl.Series([1.5, 1e300, 1e-7, 0.1, math.nan, math.inf, -math.inf]),
            [Decimal("1.5"), Decimal("1e300"), Decimal("1e-7"), Decimal("0.1"), None, None, None],
        ),
        (pl.Series([0.1, math.nan, math.inf], dtype=pl.Float32), [Decimal("0.1"), None, None]),
        (
            pl.Series([Decimal("1.50"), Decimal("-0.01"), Decimal(0), None], dtype=pl.Decimal(10, 2)),
            ["1.50", "-0.01", "0.00", None],
        ),
        (
            pl.Series([Decimal("9" * 38), Decimal("-" + "9" * 38)], dtype=pl.Decimal(38, 0)),
            ["9" * 38, "-" + "9" * 38],
        ),
        (pl.Series([Decimal("1e-38")], dtype=pl.Decimal(38, 38)), ["0." + "0" * 37 + "1"]),
        (
            pl.Series(["", 'say "ä"\n', "\x00\x1f\x7f", "\u2028😀"]),
            ["", 'say "ä"\n', "\x00\x1f\x7f", "\u2028😀"],
        ),
        (pl.Series(["x", None], dtype=pl.Categorical), ["x", None]),
        (pl.Series(["x", None], dtype=pl.Enum(["y", "x"])), ["x", None]),
        (pl.Series([b"", b"\x00\xff", b"abc", None]), ["", "AP8=", "YWJj", None]),
        (pl.Series([None, None]), [None, None]),
    ],
)
def test_values_have_the_contracts_form(column: pl.Series, shown: list[Any]) -> None:
    assert values(column) == shown


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (
            pl.Series([naive(2025, 9, 1), naive(2025, 9, 1, 10, 20, 30, 500_000), None]),
            ["2025-09-01T00:00:00Z", "2025-09-01T10:20:30.500Z", None],
        ),
        (pl.Series([naive(2025, 9, 1, 0, 0, 0, 1)]), ["2025-09-01T00:00:00.000001Z"]),
        (
            series([1, 1_000, 1_000_000], pl.Datetime("ns")),
            [f"1970-01-01T00:00:00.{fraction}Z" for fraction in ("000000001", "000001", "001")],
        ),
        (series([1, 1_000], pl.Datetime("ms")), ["1970-01-01T00:00:00.001Z", "1970-01-01T00:00:01Z"]),
        (pl.Series([dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)]), ["2025-09-01T12:00:00Z"]),
        (
            # Summer time is two hours before UTC, winter time one.
            pl.Series([naive(2025, 7, 1), naive(2025, 12, 1)]).dt.replace_time_zone("Europe/Berlin"),
            ["2025-06-30T22:00:00Z", "2025-11-30T23:00:00Z"],
        ),
        (
            # The hour that a clock shows twice: before it is put back, and after.
            pl.Series(
                [dt.datetime(2025, 10, 26, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)]
            ).dt.convert_time_zone("Europe/Berlin"),
            ["2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"],
        ),
        (
            pl.Series([naive(1, 1, 1), naive(999, 12, 31), naive(9999, 12, 31, 23, 59, 59, 999_999)]),
            ["0001-01-01T00:00:00Z", "0999-12-31T00:00:00Z", "9999-12-31T23:59:59.999999Z"],
        ),
        (series([2**63 - 1, -(2**63), 0], pl.Datetime("us")), [None, None, "1970-01-01T00:00:00Z"]),
        (
            series([2**63 - 1, -(2**63), WRAPS, 0], pl.Datetime("ms")),
            [None, None, None, "1970-01-01T00:00:00Z"],
        ),
        (
            series([2**63 - 1, -(2**63), 0], pl.Datetime("us", "Asia/Tokyo")),
            [None, None, "1970-01-01T00:00:00Z"],
        ),
        (
            series([2**63 - 1, -(2**63)], pl.Datetime("ns")),
            ["2262-04-11T23:47:16.854775807Z", "1677-09-21T00:12:43.145224192Z"],
        ),
    ],
)
def test_timestamps_are_rfc_3339_in_utc_as_exact_as_they_are(
    column: pl.Series, shown: list[str | None]
) -> None:
    assert values(column) == shown


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (
            pl.Series([dt.date(1, 1, 1), dt.date(2024, 2, 29), dt.date(9999, 12, 31), None]),
            ["0001-01-01", "2024-02-29", "9999-12-31", None],
        ),
        # Days from 1970: the last of the year 9999 and the first of 10000, the last before the year 1.
        (
            pl.Series([2_932_896, 2_932_897, -719_163, 2**31 - 1, -(2**31)], dtype=pl.Int32).cast(pl.Date),
            ["9999-12-31", None, None, None, None],
        ),
        (
            pl.Series([dt.time(), dt.time(23, 59, 59), dt.time(1, 2, 3, 4), None]),
            ["00:00:00", "23:59:59", "01:02:03.000004", None],
        ),
        (
            pl.Series([dt.timedelta(seconds=90), dt.timedelta(milliseconds=-1_500), dt.timedelta(), None]),
            ["PT90S", "-PT1.500S", "P0D", None],
        ),
        (series([1, -1], pl.Duration("ns")), ["PT0.000000001S", "-PT0.000000001S"]),
        (series([1, 86_400_000], pl.Duration("ms")), ["PT0.001S", "PT86400S"]),
    ],
)
def test_dates_times_and_durations_have_their_iso_form(column: pl.Series, shown: list[str | None]) -> None:
    if isinstance(column.dtype, pl.Duration):
        assert [iso(text) for text in values(column)] == [iso(text) for text in shown]
    else:
        assert values(column) == shown


def iso(text: str | None) -> tuple[bool, Decimal] | None:
    """The sign and the seconds of an ISO 8601 duration; how many zeros it ends in is its own affair."""
    if text is None:
        return None
    negative, _, rest = text.rpartition("P")
    assert rest == "0D" or (rest.startswith("T") and rest.endswith("S"))
    return negative == "-", Decimal(rest.strip("TSD"))


MOMENT = naive(2025, 9, 1)


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (pl.Series([[1, None], None, []]), [[1, None], None, []]),
        (pl.Series([[math.nan, math.inf, 0.5]]), [[None, None, Decimal("0.5")]]),
        (pl.Series([[MOMENT, None], None, []]), [["2025-09-01T00:00:00Z", None], None, []]),
        (pl.Series([[[b"abc"], None], []]), [[["YWJj"], None], []]),
        (pl.Series([[Decimal("1.5")]], dtype=pl.List(pl.Decimal(5, 2))), [["1.50"]]),
        (pl.Series([[b"a", b"b"], None], dtype=pl.Array(pl.Binary, 2)), [["YQ==", "Yg=="], None]),
        (pl.Series([[0.5, math.nan], None], dtype=pl.Array(pl.Float64, 2)), [[Decimal("0.5"), None], None]),
        (
            pl.Series([{"at": MOMENT, "raw": b"a", "n": 1}, None, {"at": None, "raw": None, "n": None}]),
            [
                {"at": "2025-09-01T00:00:00Z", "raw": "YQ==", "n": 1},
                None,
                {"at": None, "raw": None, "n": None},
            ],
        ),
        (
            pl.Series([[{"day": dt.date(2025, 9, 1), "raw": [b"a", None]}], None, [None]]),
            [[{"day": "2025-09-01", "raw": ["YQ==", None]}], None, [None]],
        ),
        (
            pl.Series([{"in": {"deep": [MOMENT]}}, {"in": None}]),
            [{"in": {"deep": ["2025-09-01T00:00:00Z"]}}, {"in": None}],
        ),
        (
            pl.Series([{"*": MOMENT, "^.*$": b"a", "z": b"b"}]),
            [{"*": "2025-09-01T00:00:00Z", "^.*$": "YQ==", "z": "Yg=="}],
        ),
        (pl.Series([{}, None], dtype=pl.Struct([])), [{}, None]),
        (pl.Series([[2**31 - 1]]).cast(pl.List(pl.Int32)).cast(pl.List(pl.Date)), [[None]]),
    ],
)
def test_nested_values_have_the_same_forms(column: pl.Series, shown: list[Any]) -> None:
    assert values(column) == shown


def test_a_map_is_a_list_of_its_entries() -> None:
    entries = pa.array([[("x", MOMENT)], None, []], pa.map_(pa.string(), pa.timestamp("us")))
    frame = pl.DataFrame(pa.table({"a": entries}))

    for shown in (frame, portable(frame.lazy()).collect()):
        assert strict(encode_rows(shown)) == [
            {"a": [{"key": "x", "value": "2025-09-01T00:00:00Z"}]},
            {"a": None},
            {"a": []},
        ]


def test_a_type_of_somebodys_own_is_what_it_is_kept_as() -> None:
    shape = pa.field("a", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
    own = pa.Table.from_arrays(
        [
            pa.array([b"abc"]),
            pa.array(["{}"], pa.json_()),
            pa.ListArray.from_arrays([0, 1], pa.array([b"abc"])),
        ],
        schema=pa.schema([shape, ("b", pa.json_()), ("c", pa.list_(shape))]),
    )
    frame = pl.DataFrame(own)

    assert isinstance(frame.dtypes[0], pl.Extension)
    assert strict(encode_rows(frame)) == [{"a": "YWJj", "b": "{}", "c": ["YWJj"]}]
    assert portable(frame.lazy().select("a", "b")).collect_schema() == {"a": pl.Binary, "b": pl.String}


def test_any_name_is_a_name() -> None:
    names = ["*", "^.*$", "", 'a"b\n\\', "ä😀", "\x00"]

    row = {name: number for number, name in enumerate(names)}

    assert strict(encode_rows(pl.DataFrame({name: [number] for name, number in row.items()}))) == [row]


def test_columns_stand_in_their_order() -> None:
    assert encode_rows(pl.DataFrame({"b": [1], "a": [2], "c": [None]})) == b'[{"b":1,"a":2,"c":null}]'


@pytest.mark.parametrize("frame", [pl.DataFrame(), pl.DataFrame(schema={"a": pl.Int64, "b": pl.Datetime})])
def test_without_rows_or_columns_there_is_an_empty_list(frame: pl.DataFrame) -> None:
    assert encode_rows(frame) == b"[]"
    assert encode_first_rows(frame) == (b"[]", 0)


@pytest.mark.skipif(not NAUGHTY.exists(), reason="needs the corpora")
def test_naughty_strings_come_back_letter_by_letter() -> None:
    lines = [line for line in NAUGHTY.read_text("utf-8").split("\n") if not line.startswith("#")]

    assert values(pl.Series(lines)) == lines


def test_all_rows_are_encoded_when_they_fit() -> None:
    frame = pl.DataFrame({"a": [1, 2]})

    assert encode_first_rows(frame, most_bytes=17) == (b'[{"a":1},{"a":2}]', 2)


@pytest.mark.parametrize("most", [16, 10, 9, 1])
def test_one_row_less_fits_into_a_byte_less_and_one_is_always_there(most: int) -> None:
    frame = pl.DataFrame({"a": [1, 2]})

    assert encode_first_rows(frame, most_bytes=most) == (b'[{"a":1}]', 1)


@pytest.mark.parametrize("most", [100, 1_000, 10_000])
def test_the_first_rows_fit_and_fill_a_good_part(most: int) -> None:
    frame = pl.DataFrame({"a": list(range(10_000))})

    text, rows = encode_first_rows(frame, most_bytes=most)

    assert most / 2 < len(text) <= most
    assert strict(text) == [{"a": row} for row in range(rows)]


def test_rows_that_grow_are_cut_all_the_same() -> None:
    frame = pl.DataFrame({"a": ["x" * length for length in range(100)]})

    text, rows = encode_first_rows(frame, most_bytes=500)

    assert len(text) <= 500
    assert [len(row["a"]) for row in strict(text)] == list(range(rows))


def test_models_and_objects_are_json_by_the_contracts_names() -> None:
    schema = Schema(fields=[FieldModel(name="a", type="int64", nullable=False)])

    text = encode_object(rows=b"[]", schema=encode_model(schema))

    assert text == b'{"rows":[],"schema":{"fields":[{"name":"a","type":"int64","nullable":false}]}}'


# One column of each type that Polars has, with the Arrow type it must leave in and its values.
UTC_MOMENT = dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)
LEAVES: dict[str, tuple[pl.Series, pa.DataType, list[Any]]] = {
    "bool": (pl.Series([True, None]), pa.bool_(), [True, None]),
    "int8": (pl.Series([-128, None], dtype=pl.Int8), pa.int8(), [-128, None]),
    "int64": (pl.Series([-(2**63), None]), pa.int64(), [-(2**63), None]),
    "uint64": (pl.Series([2**64 - 1, None], dtype=pl.UInt64), pa.uint64(), [2**64 - 1, None]),
    "int128": (
        pl.Series([2**100, None], dtype=pl.Int128),
        pa.decimal128(38, 0),
        [Decimal(2**100), None],
    ),
    "uint128": (pl.Series([2**100, None], dtype=pl.UInt128), pa.decimal128(38, 0), [Decimal(2**100), None]),
    "float16": (pl.Series([0.5, None], dtype=pl.Float16), pa.float32(), [0.5, None]),
    "float32": (pl.Series([0.5, None], dtype=pl.Float32), pa.float32(), [0.5, None]),
    "float64": (pl.Series([math.inf, None]), pa.float64(), [math.inf, None]),
    "decimal": (
        pl.Series([Decimal("1.50"), None], dtype=pl.Decimal(10, 2)),
        pa.decimal128(10, 2),
        [Decimal("1.50"), None],
    ),
    "string": (pl.Series(["ä" * 20, None]), pa.large_string(), ["ä" * 20, None]),
    "categorical": (pl.Series(["x", None], dtype=pl.Categorical), pa.large_string(), ["x", None]),
    "enum": (pl.Series(["x", None], dtype=pl.Enum(["x"])), pa.large_string(), ["x", None]),
    "binary": (pl.Series([b"x" * 20, None]), pa.large_binary(), [b"x" * 20, None]),
    "date": (pl.Series([dt.date(2025, 9, 1), None]), pa.date32(), [dt.date(2025, 9, 1), None]),
    "time": (pl.Series([dt.time(1, 2, 3), None]), pa.time64("ns"), [dt.time(1, 2, 3), None]),
    "naive": (pl.Series([MOMENT, None]), pa.timestamp("us"), [MOMENT, None]),
    "zoned": (pl.Series([UTC_MOMENT, None]), pa.timestamp("us", "UTC"), [UTC_MOMENT, None]),
    "duration": (
        pl.Series([dt.timedelta(hours=1), None]),
        pa.duration("us"),
        [dt.timedelta(hours=1), None],
    ),
    "list": (
        pl.Series([["x"], None], dtype=pl.List(pl.Categorical)),
        pa.large_list(pa.large_string()),
        [["x"], None],
    ),
    "array": (
        pl.Series([[1, 2], None], dtype=pl.Array(pl.Int64, 2)),
        pa.large_list(pa.int64()),
        [[1, 2], None],
    ),
    "struct": (
        pl.Series(
            [{"x": 2**100, "y": ["z"]}], dtype=pl.Struct({"x": pl.Int128, "y": pl.List(pl.Enum(["z"]))})
        ),
        pa.struct([("x", pa.decimal128(38, 0)), ("y", pa.large_list(pa.large_string()))]),
        [{"x": Decimal(2**100), "y": ["z"]}],
    ),
    "null": (pl.Series([None, None]), pa.null(), [None, None]),
}
WRITERS: dict[str, Callable[[pl.LazyFrame, Path, int], Written]] = {
    "arrow": write_arrow,
    "parquet": write_parquet,
}


def read(path: Path, form: str) -> pa.Table:
    """The file as PyArrow reads it."""
    if form == "parquet":
        return pq.read_table(path)
    with pa.ipc.open_stream(path) as stream:
        return stream.read_all()


def flat(kind: pa.DataType) -> str:
    """The type without the names that lists give their items, which differ from format to format."""
    if pa.types.is_large_list(kind):
        return f"list<{flat(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{member.name}: {flat(member.type)}' for member in kind)}>"
    return str(kind)


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("name", LEAVES)
def test_each_type_leaves_as_one_that_every_reader_knows(tmp_path: Path, name: str, form: str) -> None:
    column, kind, expected = LEAVES[name]

    written = WRITERS[form](column.alias("a").to_frame().lazy(), tmp_path / "frame", 10)
    table = read(tmp_path / "frame", form)

    assert flat(table.schema.field("a").type) == flat(kind)
    assert table.column("a").to_pylist() == expected
    assert written.rows == len(expected)
    assert written.bytes == (tmp_path / "frame").stat().st_size
    assert [field.nullable for field in written.schema.fields] == [None in expected]
    assert written.preview.height == len(expected)


@pytest.mark.parametrize("form", WRITERS)
def test_a_map_leaves_as_a_list_of_structs(tmp_path: Path, form: str) -> None:
    entries = pa.array([[("x", 1)], None], pa.map_(pa.dictionary(pa.int32(), pa.string()), pa.int64()))
    frame = pl.DataFrame(pa.table({"a": entries}))

    WRITERS[form](frame.lazy(), tmp_path / "frame", 0)
    table = read(tmp_path / "frame", form)

    assert flat(table.schema.field("a").type) == "list<struct<key: large_string, value: int64>>"
    assert table.column("a").to_pylist() == [[{"key": "x", "value": 1}], None]


@pytest.mark.parametrize("form", WRITERS)
def test_an_empty_result_keeps_its_schema(tmp_path: Path, form: str) -> None:
    columns = {name: column.dtype for name, (column, _, _) in LEAVES.items()}
    written = WRITERS[form](pl.LazyFrame(schema=columns), tmp_path / "frame", 10)
    table = read(tmp_path / "frame", form)

    assert (written.rows, table.num_rows) == (0, 0)
    assert [(field.name, flat(field.type)) for field in table.schema] == [
        (name, flat(kind)) for name, (_, kind, _) in LEAVES.items()
    ]
    assert [field.name for field in written.schema.fields] == list(LEAVES)
    assert not any(field.nullable for field in written.schema.fields)
    assert written.preview.schema.names() == list(LEAVES)


@pytest.mark.parametrize("form", WRITERS)
def test_a_frame_without_columns_can_be_written(tmp_path: Path, form: str) -> None:
    written = WRITERS[form](pl.LazyFrame(), tmp_path / "frame", 10)

    assert read(tmp_path / "frame", form).num_columns == 0
    assert (written.rows, written.schema.fields) == (0, [])


@pytest.mark.parametrize("form", WRITERS)
def test_any_name_is_written(tmp_path: Path, form: str) -> None:
    frame = pl.DataFrame({"*": pl.Series(["x"], dtype=pl.Categorical), "^.*$": [None], "": [1], "a": [2]})
    written = WRITERS[form](frame.lazy(), tmp_path / "frame", 10)

    assert read(tmp_path / "frame", form).to_pydict() == {"*": ["x"], "^.*$": [None], "": [1], "a": [2]}
    assert [field.nullable for field in written.schema.fields] == [False, True, False, False]


@pytest.mark.parametrize("form", WRITERS)
def test_a_name_that_arrow_cannot_hold_is_refused_and_says_what_helps(tmp_path: Path, form: str) -> None:
    with pytest.raises(InvalidPlan) as caught:
        WRITERS[form](pl.LazyFrame({"a": [1], "b\0c": [2]}), tmp_path / "frame", 10)

    assert caught.value.message == 'column "b␀c" has a NUL in its name, which Arrow cannot hold'
    assert "rename" in str(caught.value.constraint)


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("wanted", [0, 1, 100_000, 1_000_000])
def test_a_large_result_is_written_in_order_and_in_many_parts(tmp_path: Path, form: str, wanted: int) -> None:
    rows = 300_000
    hole = pl.when(pl.col("n") != rows - 1).then(pl.col("n")).alias("hole")
    frame = pl.LazyFrame({"n": range(rows)}).with_columns(hole)

    written = WRITERS[form](frame, tmp_path / "frame", wanted)

    # The only null is in the last row, far beyond the preview.
    assert written.rows == rows
    assert [field.nullable for field in written.schema.fields] == [False, True]
    assert written.preview["n"].to_list() == list(range(min(wanted, rows)))
    assert read(tmp_path / "frame", form).column("n").to_pylist() == list(range(rows))
    if form == "arrow":
        with pa.ipc.open_stream(tmp_path / "frame") as stream:
            sizes = [batch.num_rows for batch in stream]
        assert len(sizes) > 1
        assert max(sizes) < rows


def test_the_arrow_schema_is_that_of_the_file(tmp_path: Path) -> None:
    frame = pl.DataFrame({name: column.head(1) for name, (column, _, _) in LEAVES.items()})
    written = write_arrow(frame.lazy(), tmp_path / "frame", 1)

    assert arrow_schema(written.preview) == read(tmp_path / "frame", "arrow").schema


def test_what_is_portable_already_is_left_alone() -> None:
    frame = pl.LazyFrame({"a": [1], "b": ["x"], "c": [[1.5]]})

    assert portable(frame) is frame


@pytest.mark.parametrize(("source", "target"), [("arrow", "parquet"), ("parquet", "arrow")])
@pytest.mark.parametrize("rows", [0, 2])
def test_a_frame_is_converted_with_its_types_and_values(
    tmp_path: Path, source: str, target: str, rows: int
) -> None:
    columns = {
        name: column.head(rows) for name, (column, _, expected) in LEAVES.items() if len(expected) == 2
    }
    WRITERS[source](pl.LazyFrame(columns), tmp_path / f"frame.{source}", 0)

    convert_frame(tmp_path / f"frame.{source}", tmp_path / f"frame.{target}")
    table = read(tmp_path / f"frame.{target}", target)

    assert {name: flat(table.schema.field(name).type) for name in columns} == {
        name: flat(LEAVES[name][1]) for name in columns
    }
    assert table.to_pydict() == {name: LEAVES[name][2][:rows] for name in columns}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["frame.arrow", "frame.parquet"]


@pytest.mark.parametrize(("source", "target"), [("arrow", "parquet"), ("parquet", "arrow")])
def test_a_large_frame_is_converted_whole(tmp_path: Path, source: str, target: str) -> None:
    WRITERS[source](pl.LazyFrame({"n": range(200_000)}), tmp_path / f"frame.{source}", 0)

    convert_frame(tmp_path / f"frame.{source}", tmp_path / f"frame.{target}")

    assert read(tmp_path / f"frame.{target}", target).column("n").to_pylist() == list(range(200_000))


SENT = pa.table(
    {
        "n": [1, 2, None],
        "s": ["x", None, "zz"],
        "list": [[1], None, [2, 3]],
        "word": pa.array(["a", "b", "a"]).dictionary_encode(),
        "struct": [{"x": 1}, None, {"x": 2}],
        "at": pa.array([MOMENT] * 3, pa.timestamp("us", "UTC")),
        "flag": [True, None, False],
    }
)


def encoded(table: pa.Table, form: str) -> bytes:
    """The table as a client would send it."""
    sink = pa.BufferOutputStream()
    if form == "parquet":
        pq.write_table(table, sink)
    else:
        new = pa.ipc.new_stream if form == "stream" else pa.ipc.new_file
        with new(sink, table.schema) as writer:
            writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def decoded(path: Path, data: bytes, form: str) -> pl.DataFrame:
    path.write_bytes(data)
    return DECODERS["parquet" if form == "parquet" else "arrow"](path)


SENT_AS = ["stream", "file", "parquet"]


@pytest.mark.parametrize("form", SENT_AS)
def test_a_frame_that_was_sent_is_read(tmp_path: Path, form: str) -> None:
    frame = decoded(tmp_path / "frame", encoded(SENT, form), form)

    assert portable(frame.lazy()).collect().to_dict(as_series=False) == {
        "n": [1, 2, None],
        "s": ["x", None, "zz"],
        "list": [[1], None, [2, 3]],
        "word": ["a", "b", "a"],
        "struct": [{"x": 1}, None, {"x": 2}],
        "at": [dt.datetime(2025, 9, 1, tzinfo=dt.UTC)] * 3,
        "flag": [True, None, False],
    }


@pytest.mark.parametrize("form", SENT_AS)
@pytest.mark.parametrize("table", [SENT.slice(0, 0), pa.table({})])
def test_an_empty_frame_is_read_with_its_schema(tmp_path: Path, table: pa.Table, form: str) -> None:
    frame = decoded(tmp_path / "frame", encoded(table, form), form)

    assert (frame.height, frame.columns) == (0, table.column_names)


@pytest.mark.parametrize("form", SENT_AS)
def test_batches_are_read_one_after_the_other(tmp_path: Path, form: str) -> None:
    table = pa.concat_tables([SENT] * 50)

    assert decoded(tmp_path / "frame", encoded(table, form), form)["n"].to_list() == [1, 2, None] * 50


@pytest.mark.parametrize(
    ("array", "dtype", "expected"),
    [
        (pa.array(["x" * 50], pa.string_view()), pl.String(), "x" * 50),
        (pa.array([b"abcd"], pa.binary(4)), pl.Binary(), b"abcd"),
        (pa.array([Decimal("1.5")], pa.decimal32(5, 2)), pl.Decimal(5, 2), Decimal("1.50")),
        (pa.array([dt.time(1, 2, 3)], pa.time32("s")), pl.Time(), dt.time(1, 2, 3)),
        (pa.array([MOMENT], pa.timestamp("s")), pl.Datetime("ms"), MOMENT),
        (pa.array([0.5], pa.float16()), pl.Float16(), 0.5),
        (pa.array([10]).dictionary_encode(), pl.Int64(), 10),
        (pa.array([Decimal("1.5")], pa.decimal256(50, 2)), pl.Decimal(38, 2), Decimal("1.50")),
        (pa.array([Decimal(1200)], pa.decimal128(5, -2)), pl.Decimal(7, 0), Decimal(1200)),
        (pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array([7])), pl.Int64(), 7),
        (pa.array([dt.date(2025, 9, 1)], pa.date64()), pl.Date(), dt.date(2025, 9, 1)),
        (pa.array([dt.timedelta(1)], pa.duration("s")), pl.Duration("ms"), dt.timedelta(1)),
        (
            pa.array([MOMENT], pa.timestamp("us", "+05:45")),
            pl.Datetime("us", "UTC"),
            MOMENT.replace(tzinfo=dt.UTC),
        ),
        (
            pa.array([MOMENT], pa.timestamp("ms", "Z")),
            pl.Datetime("ms", "UTC"),
            MOMENT.replace(tzinfo=dt.UTC),
        ),
    ],
)
def test_arrow_types_that_polars_lacks_become_the_nearest(
    tmp_path: Path, array: pa.Array, dtype: pl.DataType, expected: object
) -> None:
    frame = decoded(tmp_path / "frame", encoded(pa.table({"a": array}), "stream"), "stream")

    assert frame.dtypes == [dtype]
    assert frame["a"].to_list() == [expected]


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (pa.array([Decimal(10**45)], pa.decimal256(50, 2)), "decimal256(50, 2)"),  # a panic in Polars
        (
            pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]),
            "sparse_union<0: int64=0>: a type that is not read",
        ),
        (pa.array([pa.MonthDayNano([1, 2, 3])]), "month_day_nano_interval: a type that is not read"),
        (pa.array([[1], [2]], pa.list_view(pa.int64())), "list_view<item: int64>: a type that is not read"),
        (pa.array([2**62], pa.timestamp("s")), "timestamp[s]: "),  # Polars lets it wrap round to 1970
        (pa.array([2**62], pa.duration("s")), "duration[s]: "),
    ],
)
def test_a_column_that_cannot_be_read_without_loss_is_named(
    tmp_path: Path, array: pa.Array, told: str
) -> None:
    source = tmp_path / "frame"
    with pytest.raises(InvalidFrame) as caught:
        decoded(source, encoded(pa.table({"n": [1] * len(array), "a": array}), "stream"), "stream")
    with pytest.raises(InvalidFrame) as large:
        spooled(source, "arrow", "frame_ref.data", tmp_path)

    begins = 'frame_ref.data is not a readable arrow frame: column "a" is of type '
    assert caught.value.message.startswith(f"{begins}{told}")
    assert large.value.message == caught.value.message
    assert len(caught.value.message) < 600


@pytest.mark.parametrize(
    "array",
    [
        pa.array([0], pa.timestamp("us", "Mars/Base")),
        pa.array([[Decimal(1)]], pa.list_(pa.decimal256(50, 2))),
    ],
)
def test_arrow_types_that_cannot_be_read_are_refused(tmp_path: Path, array: pa.Array) -> None:
    with pytest.raises(InvalidFrame) as caught:
        decoded(tmp_path / "frame", encoded(pa.table({"a": array}), "stream"), "stream")

    assert caught.value.field == "frame_ref.data"
    assert caught.value.message.startswith("frame_ref.data is not a readable arrow frame: ")
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 600


@pytest.mark.parametrize("form", SENT_AS)
def test_two_columns_of_one_name_are_refused(tmp_path: Path, form: str) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])

    with pytest.raises(InvalidFrame):
        decoded(tmp_path / "frame", encoded(table, form), form)


@pytest.mark.parametrize("form", SENT_AS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda _: b"\0",
        lambda _: b"ARROW1",
        lambda _: b"PAR1",
        lambda _: b"\xff\xff\xff\xff" + b"\xff" * 8,
        lambda _: b"a,b\n1,2\n" * 100,
        lambda data: data[: len(data) // 2],
        lambda data: data[len(data) // 2 :],
        lambda data: b"\0" * len(data),
    ],
)
def test_what_is_no_frame_is_refused_without_a_place(
    tmp_path: Path, form: str, spoil: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(InvalidFrame) as caught:
        decoded(tmp_path / "frame", spoil(encoded(SENT, form)), form)

    kind: FrameForm = "parquet" if form == "parquet" else "arrow"
    assert caught.value.constraint == FORMS[kind]
    assert str(tmp_path) not in caught.value.message


def test_a_string_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    data = encoded(pa.table({"a": ["needle"]}), "stream").replace(b"needle", b"needl\xff")

    with pytest.raises(InvalidFrame):
        decoded(tmp_path / "frame", data, "stream")


@pytest.mark.parametrize("form", DECODERS)
def test_a_frame_that_is_gone_is_refused_without_its_place(tmp_path: Path, form: FrameForm) -> None:
    with pytest.raises(InvalidFrame) as caught:
        DECODERS[form](tmp_path / "frame")

    assert str(tmp_path) not in caught.value.message


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Children in which a reader may crash."""
    sandbox = Sandbox(memory_mb=512, threads=2)
    yield sandbox
    sandbox.close()


def read_spoilt(data: bytes, form: str, path: Path, *, on_step: Any) -> dict[str, int]:
    """How often a frame was read and how often refused, each time with a byte of it turned over."""
    del on_step
    counts = {"read": 0, "refused": 0}
    for place in range(0, len(data), 5):
        spoilt = bytearray(data)
        spoilt[place] ^= 0xFF
        try:
            frame = decoded(path, bytes(spoilt), form)
        except InvalidFrame:
            counts["refused"] += 1
        else:
            encode_rows(portable(frame.lazy()).collect())
            counts["read"] += 1
    return counts


@pytest.mark.parametrize("form", SENT_AS)
def test_a_byte_turned_over_is_refused_or_read_but_breaks_nothing(
    tmp_path: Path, sandbox: Sandbox, form: str
) -> None:
    data = encoded(SENT, form)

    counts = sandbox.call(read_spoilt, data, form, tmp_path / "frame", timeout_s=LONG_S)

    assert sum(counts.values()) == len(range(0, len(data), 5))
    assert counts["refused"] > 0


def read_cut(data: bytes, form: str, path: Path, *, on_step: Any) -> list[int]:
    """The lengths at which a frame that is cut off can still be read."""
    del on_step
    lengths = []
    for length in range(0, len(data), 5):
        try:
            decoded(path, data[:length], form)
        except InvalidFrame:
            continue
        lengths.append(length)
    return lengths


@pytest.mark.parametrize("form", SENT_AS)
def test_a_frame_that_is_cut_off_is_refused(tmp_path: Path, sandbox: Sandbox, form: str) -> None:
    data = encoded(SENT, form)

    lengths = sandbox.call(read_cut, data, form, tmp_path / "frame", timeout_s=LONG_S)

    # A stream says what follows piece by piece, so it may end after its schema, or without its end mark.
    if form == "stream":
        assert all(length > len(data) / 3 for length in lengths)
    else:
        assert lengths == []


def outcomes(paths: list[Path], *, on_step: Any) -> dict[str, int | str]:
    """Of each Parquet file its rows, or why it was refused."""
    del on_step
    found: dict[str, int | str] = {}
    for path in paths:
        try:
            frame = portable(decode_parquet(path).lazy()).collect()
        except InvalidFrame as error:
            found[path.stem] = error.message.removeprefix("frame_ref.data is not a readable parquet frame: ")
        else:
            assert len(strict(encode_rows(frame.head(10)))) == min(frame.height, 10)
            found[path.stem] = frame.height
    return found


HUGE = "large_string_map.brotli"
"""A string of over 2 GB out of 4 kB."""


@needs_parquet_testing
def test_the_formats_own_files_are_read_but_for_those_that_contradict_themselves(sandbox: Sandbox) -> None:
    paths = [path for path in sorted(PARQUET_TESTING.glob("data/**/*.parquet")) if path.stem != HUGE]
    found = sandbox.call(outcomes, paths, timeout_s=LONG_S)

    checksum = "could not verify page integrity, CRC checksum verification failed for page_ordinal 0"
    assert {name: reason for name, reason in found.items() if isinstance(reason, str)} == {
        "datapage_v1-corrupt-checksum": checksum,
        "rle-dict-uncompressed-corrupt-checksum": checksum,
        "incorrect_map_schema": "Map keys must be annotated as required.",
    }
    assert found["alltypes_plain"] == 8
    assert found["concatenated_gzip_members"] == 513
    assert found["overflow_i16_page_cnt"] == 40_000
    assert found["geospatial"] == 196


@needs_parquet_testing
def test_the_formats_broken_files_are_refused_but_for_one_that_every_reader_reads(sandbox: Sandbox) -> None:
    found = sandbox.call(outcomes, sorted(PARQUET_TESTING.glob("bad_data/*.parquet")), timeout_s=LONG_S)

    assert [name for name, reason in found.items() if isinstance(reason, int)] == ["ARROW-GH-43605"]
    assert all("\n" not in str(reason) and len(str(reason)) <= 500 for reason in found.values())


@needs_parquet_testing
def test_a_frame_that_outgrows_its_bytes_meets_the_cap(sandbox: Sandbox) -> None:
    with pytest.raises(CapExceeded):
        sandbox.call(outcomes, [PARQUET_TESTING / "data" / f"{HUGE}.parquet"], timeout_s=LONG_S)


def test_a_frame_that_asks_for_more_memory_than_there_is_meets_the_cap(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    table = pa.table({"n": range(1_000)})
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    # Before the compressed numbers stands how many bytes they take: 8,000, or so one may claim.
    data = sink.getvalue().to_pybytes().replace(struct.pack("<q", 8_000), struct.pack("<q", 2**62))
    (tmp_path / "frame").write_bytes(data)

    with pytest.raises(MemoryError) as caught:
        decode_arrow(tmp_path / "frame")

    assert failure(caught.value).reason == "MEMORY_CAP"


@needs_parquet_testing
def test_timestamps_of_96_bits_do_not_wrap_round() -> None:
    frame = decode_parquet(PARQUET_TESTING / "data" / "int96_from_spark.parquet")

    # The last is of the year 290000.
    assert [row["a"] for row in strict(encode_rows(frame))] == [
        "2024-01-01T20:34:56.123456Z",
        "2024-01-01T01:00:00Z",
        "9999-12-31T03:00:00Z",
        "2024-12-30T23:00:00Z",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("arrow", encoded(SENT, "stream")),
        ("arrow", encoded(SENT, "file")),
        ("parquet", encoded(SENT, "parquet")),
    ],
)
def test_base64_is_decoded_byte_by_byte(form: FrameForm, data: bytes) -> None:
    assert decode_base64(base64.b64encode(data).decode(), form) == data


@pytest.mark.parametrize(
    "text",
    [
        "not base64!",
        "/////w",  # no padding
        "/////w=",
        "////=",  # more than there is to pad
        "/////w===",
        "_____w==",  # for URLs
        "/////w==\n",
        " /////w==",
        "//// /w==",
        "/////w==/////w==",
        "ääää",
        "\ud800",
    ],
)
def test_what_is_no_standard_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidFrame) as caught:
        decode_base64(text, "arrow")

    assert caught.value.message == "frame_ref.data is not base64"
    assert (caught.value.field, caught.value.reason) == ("frame_ref.data", "INVALID_FRAME")


@pytest.mark.parametrize(
    ("form", "data", "wanted"),
    [
        ("arrow", b"PAR1....", "an Arrow IPC stream or file"),
        ("parquet", b"ARROW1\0\0", "a Parquet file"),
        ("parquet", b"\xff\xff\xff\xff", "a Parquet file"),
        ("arrow", b"", "an Arrow IPC stream or file"),
        ("arrow", b"\xff\xff\xff", "an Arrow IPC stream or file"),
        ("arrow", b"a,b\n1,2\n", "an Arrow IPC stream or file"),
    ],
)
def test_what_begins_as_something_else_is_refused(form: FrameForm, data: bytes, wanted: str) -> None:
    with pytest.raises(InvalidFrame) as caught:
        decode_base64(base64.b64encode(data).decode(), form)

    assert caught.value.message == f"frame_ref.data does not begin as {wanted} does"
    assert caught.value.constraint == wanted


@pytest.mark.parametrize("form", ["stream", "file", "parquet"])
def test_a_frame_too_large_to_be_held_is_the_same(tmp_path: Path, form: str) -> None:
    frame = pl.DataFrame({"x": range(100_000), "text": [f"row {n}" for n in range(100_000)]})
    source = tmp_path / "sent"
    match form:
        case "stream":
            frame.write_ipc_stream(source)
        case "file":
            frame.write_ipc(source)
        case _:
            frame.write_parquet(source)

    lazy = spooled(source, "parquet" if form == "parquet" else "arrow", "body", tmp_path)

    assert_frame_equal(lazy.collect(), frame)


def test_a_frame_too_large_to_be_held_has_the_same_types(tmp_path: Path) -> None:
    table = pa.table(
        {"a": pa.array([MOMENT], pa.timestamp("s")), "b": pa.array([Decimal(1)], pa.decimal256(50, 2))}
    )
    (tmp_path / "sent").write_bytes(encoded(table, "stream"))

    lazy = spooled(tmp_path / "sent", "arrow", "body", tmp_path)

    assert_frame_equal(lazy.collect(), decoded(tmp_path / "frame", encoded(table, "stream"), "stream"))


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_a_large_frame_that_is_broken_is_refused(tmp_path: Path, form: Any) -> None:
    source = tmp_path / "sent"
    source.write_bytes(b"PAR1 and nothing else")

    with pytest.raises(InvalidFrame) as caught:
        spooled(source, form, "token", tmp_path)

    assert caught.value.field == "token"


BERLIN = pl.Datetime("ns", "Europe/Berlin")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pl.Series([2**63 - 1, None]), [2**63 - 1, None]),
        (pl.Series([1.5, math.nan, math.inf, None]), [1.5, None, None, None]),
        (pl.Series([0.1, None], dtype=pl.Float32), [0.1, None]),
        (pl.Series([True, None]), [True, None]),
        (pl.Series(['a "b"', "", None]), ['a "b"', "", None]),
        (pl.Series([Decimal("1.50"), None]), ["1.50", None]),
        (pl.Series([dt.date(2024, 2, 29), None]), ["2024-02-29", None]),
        (pl.Series([0, None]).cast(BERLIN), ["1970-01-01T00:00:00Z", None]),
        (pl.Series([253_402_300_800_000]).cast(pl.Datetime("ms", "UTC")), [None]),  # the year 10000
        (pl.Series([[1, None]]), [[1, None]]),
        (pl.Series("*", ["a"]), ["a"]),
    ],
)
def test_values_of_a_column_are_what_its_rows_would_hold(column: pl.Series, values: list[Any]) -> None:
    assert json_values(column) == values
    assert [row[column.name] for row in json.loads(encode_rows(column.to_frame()))] == values
