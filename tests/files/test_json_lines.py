"""Lines of JSON as people have them, compared with what was written by hand."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airpy.contract import Fault, ReadOptions
from airpy.engine.failures import failure
from airpy.files.datasets import dataset_at
from airpy.files.scan import scan
from tests.files.conftest import held, put

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.errors import AirError
    from airpy.files.opening import Opened
    from airpy.files.paths import FileRoot

ALL = 0
HEAD = 1


@pytest.fixture
def opens(root: FileRoot, scratch: Path) -> Any:
    """Writes lines, and opens them."""

    def opens(
        content: str | bytes,
        *,
        infer_rows: int = 20_000,
        every_column: bool = True,
        careful: bool = False,
        **options: Any,
    ) -> Opened:
        put(root, "a.jsonl", content)
        return scan(
            dataset_at(root, "a.jsonl", "uri"),
            ReadOptions(**options),
            infer_rows=infer_rows,
            scratch=scratch,
            every_column=every_column,
            careful=careful,
        )

    return opens


@pytest.fixture
def file_name(root: FileRoot) -> str:
    """What the caller knows the file by."""
    return root.shown(root.real / "a.jsonl")


@pytest.fixture
def read(opens: Any) -> Any:
    """Writes lines, and reads them: types and rows."""

    def read(content: str | bytes, **options: Any) -> tuple[dict[str, str], list[list[Any]]]:
        return held(opens(content, **options).frame.collect(engine="streaming"))

    return read


@pytest.fixture
def refused(read: Any) -> Any:
    """Writes lines, and gives what is said of them."""

    def refused(content: str | bytes, **options: Any) -> AirError:
        with pytest.raises(Exception) as raised:  # noqa: PT011  whatever is raised is translated
            read(content, **options)
        return failure(raised.value)

    return refused


# What a column holds


@pytest.mark.parametrize(
    ("lines", "kind", "values"),
    [
        (['{"a":1}', '{"a":1.5}'], "float64", [1.0, 1.5]),
        (['{"a":9007199254740993}', '{"a":1.50}'], "string", ["9007199254740993", "1.50"]),
        (['{"a":9007199254740992}', '{"a":1.5}'], "float64", [9007199254740992.0, 1.5]),
        (['{"a":1}', '{"a":"x"}'], "string", ["1", "x"]),
        (['{"a":1.50}', '{"a":"x"}'], "string", ["1.50", "x"]),
        (['{"a":true}', '{"a":2}'], "string", ["true", "2"]),
        (['{"a":{"b": 1}}', '{"a":2}', '{"a":null}'], "string", ['{"b": 1}', "2", None]),
        (['{"a":[1]}', '{"a":"x"}', '{"a":{"b":1}}'], "string", ["[1]", "x", '{"b":1}']),
        (['{"a":9223372036854775807}', '{"a":-9223372036854775808}'], "int64", [2**63 - 1, -(2**63)]),
        (['{"a":9223372036854775808}', '{"a":1}'], "decimal", [2**63, 1]),
        (['{"a":-99999999999999999999999999999999999999}'], "decimal", [-(10**38) + 1]),
        (['{"a":100000000000000000000000000000000000000}', '{"a":1}'], "string", [str(10**38), "1"]),
        (['{"a":[1]}', '{"a":[2.5]}', '{"a":[]}'], "list", [[1.0], [2.5], []]),
        (['{"a":{"x":1}}', '{"a":{"y":"z"}}'], "struct", [{"x": 1, "y": None}, {"x": None, "y": "z"}]),
        (['{"a":[{"x":1}]}', '{"a":[{"x":"z"}]}'], "list", [[{"x": "1"}], [{"x": "z"}]]),
        (['{"a":null}', '{"a":3}'], "int64", [None, 3]),
        (['{"a":null}', "{}"], "null", [None, None]),
        (['{"a":"2025-01-02"}', '{"a":null}'], "date", [dt.date(2025, 1, 2), None]),
        (['{"a":"\\u00e9\\ud83d\\ude00"}'], "string", ["é😀"]),
    ],
)
def test_a_column_has_the_type_that_takes_all_values(
    read: Any, lines: list[str], kind: str, values: list[Any]
) -> None:
    types, rows = read("\n".join(lines))

    assert types == {"a": kind}
    assert [row[0] for row in rows] == values


@pytest.mark.parametrize("later", ["1.5", '"x"', '{"b":1}', "[1]", "true", "9223372036854775808"])
def test_what_later_lines_contradict_is_read_with_care(read: Any, refused: Any, later: str) -> None:
    content = f'{{"a":1}}\n{{"a":{later}}}\n'

    assert refused(content, infer_rows=HEAD, every_column=False).code in {"IO_ERROR", "VALIDATION_ERROR"}
    careful = read(content, infer_rows=HEAD, every_column=False, careful=True)
    assert careful == read(content)
    assert careful[1][0][0] in {1, "1"}


def test_a_column_that_holds_different_kinds_says_so(file_name: str, opens: Any) -> None:
    opened = opens('{"b":1}\n{"b":2,"a":{"x":1}}\n{"a":"y"}\n')

    (note,) = opened.notes
    assert (note.file, note.column) == (file_name, "a")
    assert "objects, strings" in note.text


def test_minus_zero_is_a_number(read: Any) -> None:
    assert read('{"a":-0.0}\n{"a":1.5}\n') == ({"a": "float64"}, [[0.0], [1.5]])
    assert read('{"a":-0,"b":{"c":-0}}\n{"a":1}\n', careful=True)[1] == [[0, {"c": 0}], [1, None]]


def test_of_a_key_that_stands_twice_the_last_value_counts(opens: Any) -> None:
    opened = opens('{"a":1}\n{"a":1,"o":{"x":"1","x":"2"},"a":2}\n')

    assert opened.frame.collect().rows() == [(1, None), (2, {"x": "2"})]
    assert '"x" stands twice in one object, first in line 2' in opened.notes[0].text


@pytest.mark.parametrize(
    "line",
    [
        '{"a": ":x", "b": 1, "b": 2}',
        '{"a" : ":x", "b": 1, "b": 2}',
        '{"a" :"x", "b":1, "b":2}',
        '{"a": {"c": ":x"}, "b": 1, "b": 2}',
        '{"a": {"c": 1, "c": 2}, "b": 1}',
    ],
)
def test_a_key_that_stands_twice_is_found_among_colons_in_values(opens: Any, line: str) -> None:
    before = line.replace(', "b": 2', "").replace(', "b":2', "").replace(', "c": 2', "")

    opened = opens(f"{before}\n\n{before}\n{line}\n")

    assert "stands twice in one object, first in line 4" in opened.notes[0].text


def test_what_looks_like_a_key_in_a_string_is_none(opens: Any) -> None:
    opened = opens('{"a":"{\\"a\\":1,\\"a\\":2}"}\n{"a" : "x\\\\"}\n')

    assert opened.frame.collect()["a"].to_list() == ['{"a":1,"a":2}', "x\\"]
    assert opened.notes == ()


def test_keys_are_never_lost(read: Any) -> None:
    lines = [json.dumps({"a": number, f"k{number % 100}": number}) for number in range(5000)]

    types, rows = read("\n".join(lines), infer_rows=HEAD)

    assert len(types) == 101
    assert sum(value is not None for row in rows for value in row) == 10_000


# How a file is written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(read: Any, encoding: str, end: str) -> None:
    content = end.join(['{"name":"José"}', "", "  ", '{"name":"Málaga"}'])

    assert read(content.encode(encoding)) == ({"name": "string"}, [["José"], ["Málaga"]])


def test_the_encoding_can_be_said(read: Any) -> None:
    assert read('{"a":"Ж"}'.encode("koi8_r"), encoding="koi8_r")[1] == [["Ж"]]


@pytest.mark.parametrize("content", ['[{"a":1},{"a":2}]', ' [\n {"a":\n 1},\r\n\n{"a":2}\n]\n'])
def test_one_list_of_objects_is_read(opens: Any, content: str) -> None:
    opened = opens(content)

    assert opened.frame.collect().rows() == [(1,), (2,)]
    assert opened.texts[0].rewritten is True


@pytest.mark.parametrize(
    "content", ['[{"a":1},{"a":2}', "[1,2]", '[{"a":1}]\n[{"a":2}]\n', '{"a":1}{"a":2}\n', '{\n"a":1\n}\n']
)
def test_what_is_no_object_on_each_line_is_refused_whole(refused: Any, content: str) -> None:
    error = refused(content)

    assert (error.code, error.reason, error.fault.line) == ("IO_ERROR", "FAULTY_ROW", 1)


@pytest.mark.parametrize("content", ["\n \n", "[]"])
def test_a_file_without_rows_is_empty(refused: Any, content: str) -> None:
    assert refused(content).reason == "EMPTY_FILE"


# Lines that are broken


@pytest.mark.parametrize(
    "bad",
    ['{"a":1,}', '{"a":NaN}', '{"a":-Infinity}', '{"a":1e999}', '{"a":01}', '{"a":"\\ud800"}', "null", "5"],
)
def test_a_broken_line_is_shown_with_its_place(file_name: str, refused: Any, bad: str) -> None:
    error = refused(f'{{"a":1}}\r\n\n{{"a":2}}\n{bad}\n{{"a":3}}\n')

    assert (error.code, error.reason) == ("IO_ERROR", "FAULTY_ROW")
    assert error.fault == Fault(file=file_name, row=3, line=4, byte=18, kind="bad_json", text=bad)


def test_a_broken_line_far_into_the_file_is_found(file_name: str, refused: Any, opens: Any) -> None:
    good = '{"a":1}\n' * 300_000
    content = f'{good}{{"a":\n{good}'

    error = refused(content)
    opened = opens(content, every_column=False, infer_rows=10)

    expected = Fault(file=file_name, row=300_001, line=300_001, byte=2_400_000, kind="bad_json", text='{"a":')
    assert error.fault == expected
    with pytest.raises(pl.exceptions.ComputeError):
        opened.frame.collect()
    assert opened.locate() == expected


def test_a_value_that_is_no_date_is_located(file_name: str, opens: Any) -> None:
    opened = opens('{"d":"2025-01-02"}\n{"d":"soon"}\n', infer_rows=HEAD)

    assert opened.locate() == Fault(file=file_name, row=2, column="d", kind="bad_value", text="soon")


@pytest.mark.parametrize(
    ("on_error", "values", "skipped", "nulled"), [("skip", [1, 3], 2, 0), ("null", [1, None, None, 3], 0, 2)]
)
def test_broken_lines_are_left_out_where_that_is_asked(
    opens: Any, on_error: str, values: list[int], skipped: int, nulled: int
) -> None:
    content = b'{"a":1}\n{"a":2\n\n{"a":"\xff"}\n{"a":3}\n'

    opened = opens(content, on_error=on_error, encoding="utf-8")

    assert opened.frame.collect()["a"].to_list() == values
    assert (opened.faults.rows_skipped, opened.faults.values_nulled) == (skipped, nulled)
    assert [(each.line, each.byte, each.kind) for each in opened.faults.examples] == [
        (2, 8, "bad_json"),
        (4, 16, "bad_bytes"),
    ]


def test_values_are_left_out_too(opens: Any) -> None:
    content = '{"d":"2025-01-02"}\n{"d":"soon"}\nbroken\n'

    opened = opens(content, on_error="skip", infer_rows=HEAD)

    assert opened.frame.collect()["d"].to_list() == [dt.date(2025, 1, 2)]
    assert opened.faults.rows_skipped == 2


@pytest.mark.parametrize("deep", ["[" * 64 + "]" * 64, '{"a":' * 1000 + "1" + "}" * 1000, "[" * 100_000])
def test_what_is_nested_too_deep_is_refused(refused: Any, deep: str) -> None:
    error = refused(f'{{"a":1}}\n{{"b":{deep}}}\n')

    assert (error.code, error.reason) == ("IO_ERROR", "TOO_DEEP")
    assert (error.fault.kind, error.fault.line) == ("too_deep", 2)


def test_64_objects_within_one_another_are_read(read: Any) -> None:
    value = read('{"a":' * 64 + "1" + "}" * 64)[1][0][0]

    for _ in range(63):
        value = value["a"]
    assert value == 1


@pytest.mark.parametrize(
    "content",
    [
        '{"a":"' + "x" * (18 << 20) + '"}\n',
        "{" + ",".join(f'"k{number}":1' for number in range(10_001)) + "}\n",
        "\n".join(f'{{"k{number}":1}}' for number in range(10_001)),
        "\n".join(f'{{"o":{{"k{number}":{{"x":1,"y":2}}}}}}' for number in range(5_001)),
    ],
    ids=["line", "keys", "keys of lines", "nested keys"],
)
def test_what_is_too_large_is_refused(refused: Any, content: str) -> None:
    error = refused(content)

    assert (error.code, error.reason) == ("RESOURCE_CAP", "TOO_LARGE")


# What the caller says


def test_every_value_as_it_is_written(read: Any) -> None:
    content = '{"a":1.50,"b":"x","c":{"d": 1e2},"e":null}\n{"a":"2025-01-02","b":true}\n'

    types, rows = read(content, types="string")

    assert set(types.values()) == {"string"}
    assert rows == [["1.50", "x", '{"d": 1e2}', None], ["2025-01-02", "true", None, None]]


def test_columns_have_the_types_that_are_asked_for(read: Any) -> None:
    content = '{"a":1,"b":"7","c":5,"d":"03/04/2025","e":true}\n'

    types, rows = read(
        content,
        types={"a": "string", "b": "int32", "c": "float32", "d": "date", "e": "bool"},
        date_format="%d/%m/%Y",
    )

    assert types == {"a": "string", "b": "int32", "c": "float32", "d": "date", "e": "bool"}
    assert rows == [["1", 7, 5.0, dt.date(2025, 4, 3), True]]


def test_a_type_of_no_column_is_refused(refused: Any) -> None:
    error = refused('{"name":1}\n', types={"nane": "string"})

    assert (error.reason, error.suggestion) == ("UNKNOWN_COLUMN", ["name"])


def test_a_value_that_the_type_asked_for_does_not_take_is_null_where_that_is_asked(opens: Any) -> None:
    opened = opens('{"a":300}\n{"a":"x"}\n{"a":3}\n', types={"a": "int8"}, on_error="null")

    assert opened.frame.collect()["a"].to_list() == [None, None, 3]
    assert opened.faults.values_nulled == 2


def test_words_for_nothing(read: Any) -> None:
    content = '{"a":"n/a","b":"2025-01-02"}\n{"a":"x","b":"-"}\n'

    types, rows = read(content, null_markers=["n/a", "-"])

    assert types == {"a": "string", "b": "date"}
    assert rows == [[None, dt.date(2025, 1, 2)], ["x", None]]


def test_who_reads_the_first_rows_does_not_read_the_rest(opens: Any) -> None:
    opened = opens('{"a":1}\n' * 10 + '{"b":\n', infer_rows=5, every_column=False)

    assert opened.frame.collect_schema() == {"a": pl.Int64}
