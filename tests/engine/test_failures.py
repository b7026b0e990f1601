from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airpy.engine.encoding import write_arrow, write_parquet
from airpy.engine.failures import LONGEST_MESSAGE, failure, message_of
from airpy.errors import (
    AirError,
    CapExceeded,
    FileUnavailable,
    InternalFault,
    InvalidPlan,
    TypeMismatch,
    UnknownColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = Path("/dev/full")
NUMBERS = pl.DataFrame({"a": list(range(100_000))})


def told(act: Callable[[], object]) -> AirError:
    """What the caller is told of what this raises."""
    try:
        act()
    except BaseException as error:  # noqa: BLE001  a panic is no Exception
        return failure(error)
    pytest.fail("nothing was raised")


def select(frame: pl.DataFrame, expression: pl.Expr) -> Callable[[], object]:
    return lambda: frame.select(expression)


TEXT = pl.DataFrame({"a": ["x", "y"], "n": [300, 1]})


@pytest.mark.parametrize(
    ("act", "kind", "reason", "message"),
    [
        (
            select(TEXT, pl.col("a").cast(pl.Int64)),
            InvalidPlan,
            "CAST_FAILED",
            'a value of type string cannot be cast to int64, as in "x", "y"',
        ),
        (
            select(TEXT, pl.col("n").cast(pl.UInt8)),
            InvalidPlan,
            "CAST_FAILED",
            "a value of type int64 cannot be cast to uint8, as in 300",
        ),
        (
            select(TEXT, pl.col("a").str.strptime(pl.Datetime("us", "UTC"), "%+")),
            InvalidPlan,
            "CAST_FAILED",
            'a value of type string cannot be cast to timestamp, as in "x", "y"',
        ),
        (
            select(TEXT, pl.col("a").sum()),
            TypeMismatch,
            "TYPE_MISMATCH",
            "`sum` operation not supported for dtype `string`",
        ),
        (
            select(TEXT, pl.lit(10**37).cast(pl.Decimal(38, 0)) * pl.col("n").cast(pl.Decimal(38, 0))),
            InvalidPlan,
            "CAST_FAILED",
            "overflow in decimal multiplication: result doesn't fit Decimal(38, 0)",
        ),
        (
            select(TEXT, pl.col("b")),
            UnknownColumn,
            "UNKNOWN_COLUMN",
            'unable to find column "b"; valid columns: ["a", "n"]',
        ),
    ],
)
def test_what_the_plan_asked_in_vain_is_told_in_the_contracts_words(
    act: Callable[[], object], kind: type[AirError], reason: str, message: str
) -> None:
    error = told(act)

    assert type(error) is kind
    assert (error.code, error.reason, error.message) == ("VALIDATION_ERROR", reason, message)


def test_a_failed_cast_says_what_would_fit() -> None:
    assert told(select(TEXT, pl.col("n").cast(pl.Int8))).constraint == "values that fit int8"


def test_a_cast_whose_values_are_not_shown_is_told_without_them() -> None:
    error = failure(pl.exceptions.ComputeError("conversion from `str` to `f32` failed in column 'a'"))

    assert isinstance(error, InvalidPlan)
    assert error.message == "a value of type string cannot be cast to float32"


def test_long_values_are_cut() -> None:
    error = told(select(pl.DataFrame({"a": ["y" * 1_000]}), pl.col("a").cast(pl.Int64)))

    assert len(error.message) < 150


FILES = {
    "text.parquet": b"this is no Parquet file",
    "empty.parquet": b"",
    "ragged.csv": b"a,b\n1,2\n1,2,3\n",
    "typed.csv": b"a,b\n1,2\nx,3\n",
    "latin.csv": b"a,b\n\xff\xfe,2\n",
    "quoted.csv": b'a,b\n"1,2\n',
    "broken.jsonl": b'{"a":1}\n{"a":\n',
}


def scan_csv(path: Path) -> object:
    types = {"a": pl.Int64, "b": pl.Int64} if path.name == "typed.csv" else None
    return pl.scan_csv(path, infer_schema=False, schema_overrides=types, glob=False).collect()


READERS: dict[str, list[Callable[[Path], object]]] = {
    ".parquet": [lambda path: pl.scan_parquet(path, glob=False).collect(), pq.read_table, pq.read_metadata],
    ".csv": [scan_csv],
    ".jsonl": [lambda path: pl.scan_ndjson(str(path)).collect()],
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_told_shortly_and_without_its_place(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])

    for read in READERS[path.suffix]:
        error = told(lambda read=read: read(path))  # type: ignore[misc]

        assert isinstance(error, FileUnavailable)
        assert error.reason == "UNREADABLE_FILE"
        assert error.message.startswith("the file cannot be read: ")
        assert "\n" not in error.message
        assert len(error.message) < LONGEST_MESSAGE + 50
        assert str(tmp_path) not in error.message


def test_a_value_that_contradicts_its_column_is_shown(tmp_path: Path) -> None:
    (tmp_path / "typed.csv").write_bytes(FILES["typed.csv"])

    error = told(lambda: scan_csv(tmp_path / "typed.csv"))

    assert error.message == (
        "the file cannot be read: could not parse `x` as dtype `int64` at column 'a' (column number 1)"
    )


@pytest.mark.parametrize("folder", ["plain", "with blanks in it", "Ω"])
def test_files_that_differ_are_told_by_their_names_alone(tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    place.mkdir()
    pl.DataFrame({"a": [1]}).write_parquet(place / "one.parquet")
    pl.DataFrame({"a": [1], "b": [1]}).write_parquet(place / "two.parquet")

    files = [place / "one.parquet", place / "two.parquet"]
    error = told(lambda: pl.scan_parquet(files, glob=False).collect())

    assert "'two.parquet'" in error.message
    assert folder not in error.message
    assert str(tmp_path) not in error.message


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "Expected file path, but /data/files/energy is a directory",
            "Expected file path, but energy is a directory",
        ),
        (
            "[Errno 5] Input/output error: '/data/my files/a.parquet'",
            "[Errno 5] Input/output error: 'a.parquet'",
        ),
        ('cannot open "/results/7-1/frame.arrow": busy', 'cannot open "frame.arrow": busy'),
        ("File: /a/b.csv, line 3", "File: b.csv, line 3"),
        ("(/a/b.csv)", "(b.csv)"),
        ("path=/a/b.csv", "path=b.csv"),
        ("3 km/h, on 2025/09/01 and n/a", "3 km/h, on 2025/09/01 and n/a"),
        (
            "see https://docs.pola.rs/user-guide/io or s3://bucket/key",
            "see https://docs.pola.rs/user-guide/io or s3://bucket/key",
        ),
        ("1 / 2", "1 / 2"),
        ("the first\nparagraph\n\nthe second", "the first paragraph"),
        ("  i8 u16 f32 str i128 8i ", "int8 uint16 float32 string int128 8i"),
        ("datetime[μs, UTC] and datetime[ms]", "timestamp and timestamp"),
        ("", ""),
    ],
)
def test_a_message_is_one_line_in_the_contracts_words_without_places(message: str, shown: str) -> None:
    assert message_of(OSError(message)) == shown


def test_a_long_message_is_cut() -> None:
    message = message_of(OSError("x" * 10_000))

    assert len(message) == LONGEST_MESSAGE
    assert message.endswith("…")


@pytest.mark.parametrize(
    "read",
    [
        lambda path: pl.scan_parquet(path, glob=False).collect(),
        lambda path: pl.scan_csv(path, glob=False).collect(),
        lambda path: pl.scan_ndjson(str(path)).collect(),
        pq.read_metadata,
        Path.read_bytes,
    ],
)
def test_a_file_that_is_gone_is_missing(tmp_path: Path, read: Callable[[Path], object]) -> None:
    error = told(lambda: read(tmp_path / "gone"))

    assert isinstance(error, FileUnavailable)
    assert (error.reason, error.message) == ("FILE_MISSING", "a file of the data set is gone")


def test_a_folder_in_place_of_a_file_is_told_without_its_place(tmp_path: Path) -> None:
    for act in (
        lambda: pq.read_metadata(tmp_path),
        lambda: write_arrow(NUMBERS.lazy(), tmp_path, 1),
        lambda: write_parquet(NUMBERS.lazy(), tmp_path, 1),
        tmp_path.read_bytes,
    ):
        error = told(act)

        assert isinstance(error, FileUnavailable)
        assert str(tmp_path.parent) not in error.message


def test_a_file_that_may_not_be_read_is_said_to_be_so() -> None:
    error = failure(PermissionError(errno.EACCES, "Permission denied", "/data/secret.csv"))

    assert isinstance(error, FileUnavailable)
    assert error.message == "a file of the data set may not be read by this service"


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("write", [write_arrow, write_parquet])
def test_a_full_disk_is_a_cap_that_may_be_tried_again(write: Callable[..., Any]) -> None:
    error = told(lambda: write(NUMBERS.lazy(), FULL, 1))

    assert isinstance(error, CapExceeded)
    assert (error.reason, error.retryable) == ("DISK_FULL", True)
    assert error.message == "no space is left to write the result"


def test_a_full_quota_is_a_full_disk() -> None:
    assert failure(OSError(errno.EDQUOT, "Disk quota exceeded")).reason == "DISK_FULL"


@pytest.mark.parametrize("error", [MemoryError(), pa.ArrowMemoryError("malloc of size 1 failed")])
def test_too_little_memory_is_a_cap(error: BaseException) -> None:
    found = failure(error)

    assert isinstance(found, CapExceeded)
    assert (found.reason, found.constraint, found.retryable) == ("MEMORY_CAP", "PY_MEMORY_MB", False)


def test_a_reader_that_gives_up_in_native_code_is_told_of() -> None:
    error = told(pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date).to_list)

    assert isinstance(error, FileUnavailable)
    assert (error.reason, error.message) == (
        "READER_CRASHED",
        "the reader gave up on the file: out-of-range date",
    )


@pytest.mark.parametrize(
    "error",
    [
        pa.ArrowInvalid("bad"),
        pa.ArrowNotImplementedError("bad"),
        pa.ArrowTypeError("bad"),
        pl.exceptions.SchemaError("bad"),
        pl.exceptions.ShapeError("bad"),
        pl.exceptions.NoDataError("bad"),
        OSError("bad"),
    ],
)
def test_all_else_that_readers_raise_is_of_the_file(error: BaseException) -> None:
    found = failure(error)

    assert isinstance(found, FileUnavailable)
    assert found.message == "the file cannot be read: bad"


@pytest.mark.parametrize(
    "error", [ValueError("/srv/secret"), KeyError("x"), RuntimeError("token"), KeyboardInterrupt()]
)
def test_what_nobody_expected_is_a_fault_that_gives_nothing_away(error: BaseException) -> None:
    found = failure(error)

    assert isinstance(found, InternalFault)
    assert found.message == "the service has a fault; the request id finds it in the log"


def test_a_failure_of_ours_stays_what_it_is() -> None:
    error = UnknownColumn("unknown")

    assert failure(error) is error
