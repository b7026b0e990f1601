"""What files hold, compared with what was read from their bytes by hand."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from airpy.contract import ReadOptions
from airpy.engine.failures import failure
from airpy.errors import AirError, FileUnavailable
from airpy.files import json_lines, parquet, weighing
from airpy.files.datasets import dataset_at
from airpy.files.opening import spread
from airpy.files.scan import scan
from tests.files.conftest import held, put, write

if TYPE_CHECKING:
    from airpy.files.paths import FileRoot
    from tests.files.conftest import Read

DATA = Path(__file__).parents[1] / "data"
TRUTH: dict[str, Any] = yaml.load((DATA / "files.yaml").read_text(), Loader=yaml.CSafeLoader)
REFUSED = {
    "zero-bytes.csv": ("EMPTY_FILE", "is empty"),
    "blank.csv": ("EMPTY_FILE", "is empty"),
    "only-byte-order-mark.csv": ("EMPTY_FILE", "is empty"),
    "gzip.csv": ("CONTENT_MISMATCH", "is not CSV but gzip"),
    "zip.csv": ("CONTENT_MISMATCH", "is not CSV but a ZIP archive"),
    "parquet.csv": ("CONTENT_MISMATCH", "is not CSV but Parquet"),
    "sqlite.csv": ("CONTENT_MISMATCH", "is not CSV but a SQLite database"),
    "random.csv": ("ENCODING", "is not text in an encoding that can be told"),
    "zero-bytes.jsonl": ("EMPTY_FILE", "is empty"),
    "broken-line.jsonl": ("FAULTY_ROW", "line 2 is no JSON object"),
    "cut-off.jsonl": ("FAULTY_ROW", "line 2 is no JSON object"),
    "pretty.jsonl": ("FAULTY_ROW", "line 1 is no JSON object"),
    "not-a-number.jsonl": ("FAULTY_ROW", "line 1 is no JSON object"),
    "scalars.jsonl": ("FAULTY_ROW", "line 1 is no JSON object"),
}


@pytest.fixture
def data_root(root: FileRoot) -> FileRoot:
    """The files of `tests/data`."""
    shutil.copytree(DATA, root.real, dirs_exist_ok=True)
    return root


def refused(read: Read, requested: str, **options: Any) -> AirError:
    """What the caller is told, in the job's words, when a file cannot be read."""
    with pytest.raises(Exception) as raised:  # noqa: PT011  whatever the reader raises is translated
        read(requested, **options)
    return failure(raised.value)


# One file


@pytest.mark.usefixtures("data_root")
@pytest.mark.parametrize("name", TRUTH)
def test_a_file_is_read_as_it_was_written(read: Read, name: str) -> None:
    types, rows = held(read(name))

    assert types == TRUTH[name]["types"]
    assert list(types) == list(TRUTH[name]["types"])
    assert rows == TRUTH[name]["rows"]


@pytest.mark.usefixtures("data_root")
@pytest.mark.parametrize("name", TRUTH)
def test_all_rows_decide_where_no_number_is_said(read: Read, name: str) -> None:
    types, rows = held(read(name, infer_rows=0))

    assert (types, rows) == (TRUTH[name]["types"], TRUTH[name]["rows"])


@pytest.mark.usefixtures("data_root")
@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_says_why(read: Read, name: str) -> None:
    error = refused(read, name)

    reason, words = REFUSED[name]
    assert (error.code, error.reason) == ("IO_ERROR", reason)
    assert words in error.message
    assert str(DATA) not in str(error.describe("req_1"))


def test_every_file_of_the_tests_has_its_truth() -> None:
    files = {path.name for path in DATA.iterdir()} - {"files.yaml", ".gitattributes"}

    assert files == set(TRUTH) | set(REFUSED)


@pytest.mark.parametrize("name", ["a[1]", "a*b", "a?b", "a{b,c}", "a%20b", "a b", "ä😀", "a=b", "-a", "a#b"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_the_letters_of_a_file_name_mean_nothing_to_the_reader(
    root: FileRoot, read: Read, name: str, form: str
) -> None:
    write(pl.DataFrame({"v": [1]}), root.real / f"{name}.{form}")
    write(pl.DataFrame({"v": [2]}), root.real / f"a1.{form}")

    assert held(read(f"{name}.{form}")) == ({"v": "int64"}, [[1]])


# Encodings


def test_a_byte_that_is_no_letter_far_into_a_file_fails(root: FileRoot, read: Read) -> None:
    put(root, "a.csv", b"a\n" + b"plain\n" * 200_000 + b"\xff\n")

    assert refused(read, "a.csv").reason == "UNREADABLE_FILE"


@pytest.mark.parametrize(("encoding", "bad"), [("cp1252", b"\x81"), ("utf-16", b"\x00\xd8x\x00")])
def test_text_that_does_not_go_on_in_its_encoding_fails(
    root: FileRoot, read: Read, encoding: str, bad: bytes
) -> None:
    put(root, "a.csv", ("name\n" + "é\n" * 50_000).encode(encoding) + bad)

    error = refused(read, "a.csv")

    assert error.message.startswith(f'"a.csv" begins as text in {encoding}, and does not go on so: byte ')
    assert error.reason == "ENCODING"
    assert error.fault is not None
    assert error.fault.line == 50_002


def test_text_is_cut_between_letters_when_it_is_looked_at(root: FileRoot, read: Read) -> None:
    # The 64 KB that are looked at end in the middle of an é.
    put(root, "a.csv", "v\nx" + "é" * 40_000 + "\n")
    put(root, "b.csv", ("v\n" + "é" * 40_000 + "\n").encode("utf-16"))

    assert read("a.csv")["v"].to_list() == ["x" + "é" * 40_000]
    assert read("b.csv")["v"].to_list() == ["é" * 40_000]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("имя\nИван\n".replace("и", "і"), "mac_cyrillic"),
        ("שם,עיר\nדוד,ירושלים\n", "cp1255"),
        ("名前,都市\n太郎,東京\n花子,大阪\n", "cp932"),
        ("Γιάννης,Θωμαΐς\nΜύρων,Ευσταθίου\n", "iso8859-7"),
        ("a\0b\0\0,é\n", "latin-1"),
    ],
)
def test_an_encoding_that_cannot_be_told_is_refused_and_not_guessed(
    root: FileRoot, read: Read, text: str, encoding: str
) -> None:
    put(root, "a.csv", text.encode(encoding))

    assert "in an encoding that can be told" in refused(read, "a.csv").message


# Dialects


def test_the_delimiter_is_told_from_whole_rows_where_the_sample_cuts_one(root: FileRoot, read: Read) -> None:
    put(root, "a.csv", "a;b\n" + f"1;{'x' * 40_000}\n" * 2)

    assert read("a.csv").columns == ["a", "b"]


def test_the_delimiter_is_the_one_that_most_rows_agree_on(root: FileRoot, read: Read) -> None:
    put(root, "a.csv", "a;b\n1,5;2\n2,5;3\n3;4\n")

    assert held(read("a.csv"))[1] == [[1.5, 2], [2.5, 3], [3.0, 4]]


def test_a_quote_that_opens_nothing_in_quoted_text_is_text(root: FileRoot, read: Read) -> None:
    put(root, "a.csv", 'a,b\n"x" y,1\n2,3\n')

    assert held(read("a.csv"))[1] == [['"x" y', 1], ["2", 3]]


def test_single_quotes_may_run_beyond_what_is_looked_at(root: FileRoot, read: Read) -> None:
    put(root, "a.csv", f"a,b\n'x,y',1\n'{'z' * 70_000}',2\n")

    assert held(read("a.csv"))[1] == [["x,y", 1], ["z" * 70_000, 2]]


def test_files_of_different_dialects_are_read_as_one(root: FileRoot, read: Read) -> None:
    put(root, "ds/1.csv", "a,b\n1,x\n")
    put(root, "ds/2.csv", "a;b\n2;y\n")
    put(root, "ds/3.csv", "a\tb\r\n3\tz\r\n".encode("utf-16"))
    put(root, "ds/4.csv", "b,a\nä,4\n".encode("cp1252"))

    assert read("ds").rows() == [(1, "x"), (2, "y"), (3, "z"), (4, "ä")]


# Later values


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("5", "x"),
        ("5", "5.0"),
        ("5", "1e3"),
        ("5", "9223372036854775808"),
        ("5", "true"),
        ("5", "007"),
        ("5", "+491701234567"),
        ("1.5", "001.1"),
        ("2025-01-02", "25-01-03"),
        ("1.5", "x"),
        ("1.5", '"1,5"'),
        ("true", "1"),
        ("true", "yes"),
        ("2025-01-02", "03/04/2025"),
        ("2025-01-02", "2025/01/03"),
        ("2025-01-02", "2025-02-30"),
        ("2025-01-02", "2025-01-03T10:00:00"),
        ("2025-01-02T03:04:05", "2025-01-03"),
        ("2025-01-02T03:04:05", "2025-01-03T10:00:00Z"),
        ("2025-01-02T03:04:05", "2025-01-03T10:00:00+02:00"),
        ("2025-01-02T03:04:05Z", "2025-01-03T10:00:00"),
        ("2025-01-02T03:04:05Z", "x"),
    ],
)
def test_a_later_value_that_contradicts_the_type_fails(
    root: FileRoot, read: Read, first: str, later: str
) -> None:
    put(root, "a.csv", f"v,w\n{first},0\n{later},0\n")

    error = refused(read, "a.csv", infer_rows=1)
    as_text = read("a.csv", infer_rows=2)

    assert later.strip('"') in error.message
    assert as_text["v"].to_list()[1] in {later.strip('"'), 1000.0, 5.0}


def test_a_marker_of_null_that_shows_later_is_null_once_care_is_taken(root: FileRoot, scratch: Path) -> None:
    put(root, "a.csv", "n,d,t\n5,2025-01-02,x\nNA,-,NULL\n")

    def values(*, careful: bool) -> list[tuple[Any, ...]]:
        dataset = dataset_at(root, "a.csv", "uri")
        return scan(dataset, infer_rows=1, scratch=scratch, careful=careful).frame.collect().rows()

    assert values(careful=True) == [(5, dt.date(2025, 1, 2), "x"), (None, None, None)]
    with pytest.raises(pl.exceptions.PolarsError):
        values(careful=False)


def test_text_that_is_asked_for_as_it_is_written_has_no_nulls_but_other_columns_do(
    root: FileRoot, scratch: Path
) -> None:
    put(root, "a.csv", "n,raw,t\n5,NULL,NULL\n6,x,y\n")

    options = ReadOptions(types={"raw": "string"})
    frame = scan(dataset_at(root, "a.csv", "uri"), options, infer_rows=10, scratch=scratch).frame

    assert frame.collect().rows() == [(5, "NULL", None), (6, "x", "y")]


@pytest.mark.parametrize("later", ["x", "2025-02-30", "01/02/2025"])
def test_a_later_string_that_is_no_date_fails(root: FileRoot, read: Read, later: str) -> None:
    put(root, "a.jsonl", f'{{"d":"2025-01-02"}}\n{{"d":"{later}"}}\n')

    error = refused(read, "a.jsonl", infer_rows=1)

    assert (error.reason, later in error.message) == ("CAST_FAILED", True)
    assert read("a.jsonl")["d"].to_list() == ["2025-01-02", later]


def test_dates_of_files_that_were_not_looked_into_are_not_guessed(
    root: FileRoot, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (weighing, json_lines, parquet):
        monkeypatch.setattr(room, "MOST_COMPARED", 1)
    put(root, "ds/1.csv", "d\n2025-01-02\n")
    put(root, "ds/2.csv", "d\n03/04/2025\n")

    assert "03/04/2025" in refused(read, "ds").message


def test_keys_that_only_later_rows_have_are_columns(root: FileRoot, read: Read) -> None:
    put(root, "a.jsonl", '{"a":1,"o":{"x":1}}\n' * 5 + '{"b":2.5,"o":{"y":"z"},"a":"text"}\n')

    frame = read("a.jsonl", infer_rows=2)

    assert held(frame)[0] == {"a": "string", "o": "struct", "b": "float64"}
    assert frame.row(0, named=True) == {"a": "1", "o": {"x": 1, "y": None}, "b": None}
    assert frame.row(5, named=True) == {"a": "text", "o": {"x": None, "y": "z"}, "b": 2.5}


def test_who_reads_only_the_first_rows_need_not_know_later_keys(root: FileRoot, read: Read) -> None:
    put(root, "a.jsonl", '{"a":1}\n' * 5 + '{"b":2}\n')

    assert read("a.jsonl", infer_rows=5, every_column=False).columns == ["a"]
    assert read("a.jsonl", infer_rows=0, every_column=False).columns == ["a", "b"]
    assert read("a.jsonl", infer_rows=1, rows_per_file=6).columns == ["a", "b"]
    assert read("a.jsonl", infer_rows=1, rows_per_file=5).columns == ["a"]


# Many files


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_files_are_read_in_the_order_of_their_paths(root: FileRoot, read: Read, form: str) -> None:
    for name, value in {"b/1": 3, "a/2": 2, "a/10": 1, "c": 4}.items():
        write(pl.DataFrame({"v": [value, value]}), root.real / "ds" / f"{name}.{form}")

    assert read("ds")["v"].to_list() == [1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_columns_that_differ_are_all_there(root: FileRoot, read: Read, form: str) -> None:
    write(pl.DataFrame({"a": [1], "b": ["x"]}), root.real / f"ds/1.{form}")
    write(pl.DataFrame({"c": [True], "a": [2.5]}), root.real / f"ds/2.{form}")
    write(pl.DataFrame({"a": [3]}), root.real / f"ds/3.{form}")

    types, rows = held(read("ds"))

    assert types == {"a": "float64", "b": "string", "c": "bool"}
    assert rows == [[1.0, "x", None], [2.5, None, True], [3.0, None, None]]


def test_parquet_types_widen_without_loss(root: FileRoot, read: Read) -> None:
    day, moment = dt.date(2025, 1, 2), dt.datetime(2025, 1, 2, 3)  # noqa: DTZ001  the column has no zone
    first = {"i": 1, "f": 1, "d": day, "s": "x", "n": None, "b": True, "l": [1], "o": {"x": 1}}
    second = {"i": 2**40, "f": 2.5, "d": moment, "s": 7, "n": 8, "b": "no", "l": [2.5], "o": {"y": "z"}}
    write(pl.DataFrame([first], schema_overrides={"i": pl.Int8}), root.real / "ds/1.parquet")
    write(pl.DataFrame([second]), root.real / "ds/2.parquet")

    types, rows = held(read("ds"))

    assert list(types) == ["i", "f", "d", "s", "n", "b", "l", "o"]
    assert list(types.values()) == [
        *("int64", "float64", "timestamp", "string", "int64", "string", "list", "struct")
    ]
    assert rows == [
        [1, 1.0, dt.datetime(2025, 1, 2), "x", None, "true", [1.0], {"x": 1, "y": None}],  # noqa: DTZ001
        [2**40, 2.5, moment, "7", 8, "no", [2.5], {"x": None, "y": "z"}],
    ]


DAY = dt.date(2025, 1, 2)


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        (1, DAY, "v"),
        (1.5, dt.datetime(2025, 1, 2, tzinfo=dt.UTC), "v"),
        (DAY, dt.datetime(2025, 1, 2, tzinfo=dt.UTC), "v"),
        (1, dt.time(1), "v"),
        (1, dt.timedelta(1), "v"),
        ("x", dt.timedelta(1), "v"),
        (1, {"x": 1}, "v"),
        ("x", {"x": 1}, "v"),
        (True, 1, "v"),
        ("x", [1], "v"),
        ("x", b"x", "v"),
        ([1], [DAY], "v[]"),
        ({"x": 1}, {"x": DAY}, "v.x"),
        ([{"x": 1}], [{"x": {"y": 1}}], "v[].x"),
    ],
)
def test_files_that_contradict_one_another_are_refused(
    root: FileRoot, read: Read, first: Any, second: Any, place: str
) -> None:
    write(pl.DataFrame({"v": [first]}), root.real / "ds/1.parquet")
    write(pl.DataFrame({"v": [second]}), root.real / "ds/2.parquet")

    error = refused(read, "ds")

    assert error.message.startswith(f'"{place}" holds ')
    assert isinstance(error, FileUnavailable)


def test_jsonl_files_that_contradict_one_another_are_read_as_text(root: FileRoot, read: Read) -> None:
    put(root, "ds/1.jsonl", '{"a":1}\n')
    put(root, "ds/2.jsonl", '{"a":{"b":1.50}}\n')

    assert held(read("ds")) == ({"a": "string"}, [["1"], ['{"b":1.50}']])


def test_strings_are_dates_only_where_all_files_say_so(root: FileRoot, read: Read) -> None:
    put(root, "ds/1.jsonl", '{"a":"2025-01-02","b":"2025-01-02","c":"2025-01-02"}\n')
    put(root, "ds/2.jsonl", '{"a":"2025-01-03","b":"soon","c":20250103}\n')

    types, rows = held(read("ds"))

    assert types == {"a": "date", "b": "string", "c": "string"}
    assert rows == [
        [dt.date(2025, 1, 2), "2025-01-02", "2025-01-02"],
        [dt.date(2025, 1, 3), "soon", "20250103"],
    ]


def test_one_empty_file_among_others_is_named(root: FileRoot, read: Read) -> None:
    put(root, "ds/1.csv", "a\n1\n")
    put(root, "ds/2.csv", "")

    error = refused(read, "ds")

    assert (error.message, error.reason) == ('"2.csv" is empty', "EMPTY_FILE")


def test_many_files_that_are_alike_are_one_scan(root: FileRoot, scratch: Path) -> None:
    for number in range(70):
        write(pl.DataFrame({"v": [number]}), root.real / f"p/{number:02}.parquet")
        put(root, f"c/{number:02}.csv", f"v\n{number}\n")
        put(root, f"j/{number:02}.jsonl", f'{{"v":{number}}}\n')

    for name in "pcj":
        frame = scan(dataset_at(root, name, "uri"), infer_rows=100, scratch=scratch).frame
        assert frame.explain().count("SCAN") == 1
        assert frame.collect()["v"].to_list() == list(range(70))


def test_more_parquet_files_than_are_compared_fail_where_they_differ(
    root: FileRoot, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (weighing, json_lines, parquet):
        monkeypatch.setattr(room, "MOST_COMPARED", 1)
    write(pl.DataFrame({"v": [1]}), root.real / "ds/1.parquet")
    write(pl.DataFrame({"v": [1], "w": [2]}), root.real / "ds/2.parquet")

    assert refused(read, "ds").reason == "UNREADABLE_FILE"


# Samples


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_so_many_rows_of_each_file(root: FileRoot, read: Read, form: str) -> None:
    for number in (1, 2, 3):
        write(pl.DataFrame({"v": [10 * number, 10 * number + 1]}), root.real / f"ds/{number}.{form}")

    assert read("ds", rows_per_file=1)["v"].to_list() == [10, 20, 30]
    assert read("ds", rows_per_file=5)["v"].to_list() == [10, 11, 20, 21, 30, 31]


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [
        (0, 3, []),
        (2, 3, [0, 1]),
        (3, 3, [0, 1, 2]),
        (10, 3, [0, 3, 6]),
        (10, 1, [0]),
        (7, 5, [0, 1, 2, 4, 5]),
        (100, 4, [0, 25, 50, 75]),
    ],
)
def test_a_spread_is_even_and_always_the_same(count: int, most: int, expected: list[int]) -> None:
    files = [Path(str(number)) for number in range(count)]

    assert spread(files, most) == [Path(str(number)) for number in expected]


# Laziness


def test_parquet_gives_only_the_columns_and_rows_that_are_asked_for(root: FileRoot, scratch: Path) -> None:
    for number in (1, 2):
        write(pl.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]}), root.real / f"ds/{number}.parquet")

    frame = scan(dataset_at(root, "ds", "uri"), infer_rows=100, scratch=scratch).frame
    plan = frame.filter(pl.col("a") > 1).select("a", "c").explain()

    assert "PROJECT 2/3 COLUMNS" in plan
    assert 'SELECTION: col("a") > 1' in plan
    assert frame.filter(pl.col("a") > 1).select("a", "c").collect().rows() == [(2, 6), (2, 6)]


def test_filters_and_projections_reach_into_parquet_files_that_differ(root: FileRoot, scratch: Path) -> None:
    write(pl.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]}), root.real / "ds/1.parquet")
    write(pl.DataFrame({"a": [1, 2], "b": [3, 4], "d": [5, 6]}), root.real / "ds/2.parquet")

    frame = scan(dataset_at(root, "ds", "uri"), infer_rows=100, scratch=scratch).frame
    plan = frame.filter(pl.col("a") > 1).select("a", "b").explain()

    assert plan.count("PROJECT 2/3 COLUMNS") == 2
    assert plan.count('SELECTION: col("a") > 1') == 2


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_text_gives_only_the_columns_that_are_asked_for(root: FileRoot, scratch: Path, form: str) -> None:
    write(pl.DataFrame({"a": [1], "b": [2], "d": ["2025-01-02"]}), root.real / f"1.{form}")

    frame = scan(dataset_at(root, f"1.{form}", "uri"), infer_rows=100, scratch=scratch).frame
    plan = frame.filter(pl.col("a") > 0).select("a").explain()

    assert "PROJECT 1/3 COLUMNS" in plan
    assert "SELECTION" in plan


def test_nothing_is_written_for_a_file_in_utf_8(root: FileRoot, read: Read, scratch: Path) -> None:
    put(root, "a.csv", b"\xef\xbb\xbfa\n1\n")
    put(root, "a.jsonl", b'{"a":1}\n')
    put(root, "b.jsonl", b'\xef\xbb\xbf{"a":1}\n')

    read("a.csv")
    read("a.jsonl")
    assert list(scratch.iterdir()) == []
    read("b.jsonl")
    assert [path.name for path in scratch.iterdir()] == ["0.jsonl"]
