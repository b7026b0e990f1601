"""Files that nobody here wrote: each is read, or refused by name, and none takes the process with it."""

from __future__ import annotations

import csv
import json
from base64 import b64decode
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from airpy.errors import AirError
from airpy.files.datasets import dataset_at
from airpy.files.paths import FileRoot
from airpy.files.scan import scan
from airpy.jobs.sandbox import Sandbox
from tests.files.conftest import EXTENSIONS
from tests.files.outcomes import outcomes as outcomes_of
from tests.files.reading import Whole, read_all, read_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
FOLDERS = (
    "csv-spectrum",
    "fastparquet",
    "frictionless",
    "nab",
    "parquet-testing",
    "polars-io",
    "seaborn-data",
    "vega-datasets",
)
LONG_S = 120

# Valid files that no Parquet reader here knows how to read.
UNKNOWN_TO_READER = {"parquet-testing/data/incorrect_map_schema.parquet"}
TOO_LARGE = "parquet-testing/data/large_string_map.brotli.parquet"  # 2 GB of text in 4 kB
REFUSED_TEXT = {
    "polars-io/empty.csv": "EMPTY_FILE",
    "frictionless/compression/implicit-zip.csv": "CONTENT_MISMATCH",
    "frictionless/table-infer-iso-8859-7.csv": "ENCODING",
}

pytestmark = pytest.mark.skipif(not CORPORA.exists(), reason="the public corpora are not here")


@pytest.fixture(scope="module")
def root() -> FileRoot:
    """The corpora."""
    return FileRoot.at(CORPORA, EXTENSIONS)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Children that may die."""
    sandbox = Sandbox(memory_mb=512, threads=2, spares=0)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="module")
def outcomes(root: FileRoot, sandbox: Sandbox) -> dict[str, Whole | AirError]:
    """What became of every file with an allowed extension; each read alone where a child dies of all."""
    found: dict[str, Whole | AirError] = {}
    for folder in FOLDERS:
        files = sorted(path for path in (CORPORA / folder).rglob("*") if path.is_file() and root.allows(path))
        names = [str(path.relative_to(CORPORA)) for path in files]
        together = [name for name in names if name != TOO_LARGE]
        try:
            found |= sandbox.call(read_all, root, together, timeout_s=LONG_S)
        except AirError:
            found |= {name: alone(sandbox, root, name) for name in together}
        if TOO_LARGE in names:
            found[TOO_LARGE] = alone(sandbox, root, TOO_LARGE)
    return found


def alone(sandbox: Sandbox, root: FileRoot, name: str) -> Whole | AirError:
    """What became of one file in a child of its own."""
    try:
        return sandbox.call(read_whole, root, name, timeout_s=LONG_S)
    except AirError as error:
        return error


def test_every_file_ends_in_a_frame_or_in_an_error_that_is_not_ours(
    outcomes: dict[str, Whole | AirError],
) -> None:
    errors = {name: found for name, found in outcomes.items() if isinstance(found, AirError)}

    assert len(outcomes) > 220
    assert {
        name: error.code for name, error in errors.items() if error.code not in {"IO_ERROR", "RESOURCE_CAP"}
    } == {}
    told = {name: str(error.describe("req_1")).replace(str(CORPORA), "") for name, error in errors.items()}
    assert [name for name, words in told.items() if str(CORPORA.parent) in words] == []
    assert [name for name, error in errors.items() if len(str(error.describe("req_1"))) > 4096] == []


def test_all_that_is_refused_is_known_to_be(outcomes: dict[str, Whole | AirError]) -> None:
    refused = {name for name, found in outcomes.items() if isinstance(found, AirError)}
    broken = {name for name in outcomes if "bad_data" in name}

    assert refused - broken == {TOO_LARGE, *UNKNOWN_TO_READER, *REFUSED_TEXT}
    for name, reason in REFUSED_TEXT.items():
        error = outcomes[name]
        assert isinstance(error, AirError)
        assert error.reason == reason


def test_a_file_that_is_too_large_in_memory_says_so(outcomes: dict[str, Whole | AirError]) -> None:
    error = outcomes[TOO_LARGE]

    assert isinstance(error, AirError)
    assert (error.code, error.reason) == ("RESOURCE_CAP", "MEMORY_CAP")


@pytest.mark.parametrize("path", sorted(CORPORA.glob("csv-spectrum/csv/*.csv")), ids=lambda path: path.stem)
def test_csv_spectrum_is_exactly_its_json(outcomes: dict[str, Whole | AirError], path: Path) -> None:
    # Its line ends have lost their CR on the way; so has the truth here.
    text = (CORPORA / "csv-spectrum" / "json" / f"{path.stem}.json").read_text().replace("\\r\\n", "\\n")
    whole = outcomes[f"csv-spectrum/csv/{path.name}"]

    assert isinstance(whole, Whole)
    # Text that is empty is null among numbers.
    rows = [{name: "" if value is None else str(value) for name, value in row.items()} for row in whole.rows]
    assert rows == json.loads(text)


def rows_of_csv(path: Path) -> list[list[str]]:
    """The rows below the header, read by another reader."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(islice(filter(None, csv.reader(file)), 1, None))


@pytest.mark.parametrize("folder", ["seaborn-data", "vega-datasets", "nab"])
def test_no_row_and_no_column_of_a_plain_csv_is_lost(
    outcomes: dict[str, Whole | AirError], folder: str
) -> None:
    files = sorted((CORPORA / folder).glob("*.csv"))

    assert len(files) >= 5
    for path in files:
        whole, rows = outcomes[f"{folder}/{path.name}"], rows_of_csv(path)
        assert isinstance(whole, Whole), path
        assert (whole.height, len(whole.columns)) == (len(rows), len(rows[0])), path


def rows_of_parquet(path: Path) -> int:
    """Rows of all row groups; the footer's own count may be wrong."""
    footer = pq.read_metadata(path)
    return sum(footer.row_group(place).num_rows for place in range(footer.num_row_groups))


def test_row_counts_of_parquet_are_those_of_another_reader(outcomes: dict[str, Whole | AirError]) -> None:
    counts = {
        name: (found.height, rows_of_parquet(CORPORA / name))
        for name, found in outcomes.items()
        if name.endswith(".parquet") and "bad_data" not in name and isinstance(found, Whole)
    }

    assert len(counts) > 95
    assert {name: pair for name, pair in counts.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize(
    "name", ["delta_binary_packed", "delta_byte_array", "delta_encoding_optional_column"]
)
def test_parquet_holds_what_its_publisher_says(outcomes: dict[str, Whole | AirError], name: str) -> None:
    whole = outcomes[f"parquet-testing/data/{name}.parquet"]
    expected = rows_of_csv(CORPORA / "parquet-testing" / "data" / f"{name}_expect.csv")

    assert isinstance(whole, Whole)
    as_text = [["" if value is None else str(value) for value in row.values()] for row in whole.rows]
    assert len(as_text) == 100
    assert as_text == expected[:100]


def test_nation_is_the_same_however_it_was_written(outcomes: dict[str, Whole | AirError]) -> None:
    def values(name: str) -> list[list[Any]]:
        whole = outcomes[f"fastparquet/{name}"]
        assert isinstance(whole, Whole)
        number, nation, region, comment = whole.columns  # two of numbers, two of bytes
        return [
            [row[number], b64decode(row[nation]).decode(), row[region], b64decode(row[comment]).decode()]
            for row in whole.rows
        ]

    plain = values("nation.plain.parquet")

    assert len(plain) == 25
    assert plain[0] == [0, "ALGERIA", 0, " haggle. carefully final deposits detect slyly agai"]
    for name in ("nation.impala.parquet", "gzip-nation.impala.parquet", "snappy-nation.impala.parquet"):
        assert values(name) == plain


@pytest.mark.parametrize(
    ("folder", "columns", "height"),
    [
        ("fastparquet/split", ["num", "cat", "catnum"], 2000 // 6 + 1),
        ("fastparquet/multi_rgs_pyarrow", ["a", "b"], 8),
        ("fastparquet/evo", ["name", "age", "email"], 6),
        ("fastparquet/spark-date-empty-rg.parq", ["id", "Date"], 2),
        ("fastparquet/baz.parquet", ["id"], 32),
        ("polars-io/delta-table", ["name", "age", "test"], 4),
        ("frictionless/tables", ["id", "name"], 1),
        ("polars-io/foods*.csv", ["category", "calories", "fats_g", "sugars_g"], 5 * 27),
    ],
)
def test_a_folder_is_one_data_set(
    root: FileRoot, sandbox: Sandbox, folder: str, columns: list[str], height: int
) -> None:
    whole = alone(sandbox, root, folder)

    assert isinstance(whole, Whole)
    assert whole.columns == columns
    assert whole.height == height


def test_published_statistics_of_anscombe_hold(root: FileRoot, tmp_path: Path) -> None:
    frame = scan(
        dataset_at(root, "seaborn-data/anscombe.csv", "uri"), infer_rows=1000, scratch=tmp_path
    ).frame
    sets = frame.group_by("dataset").agg(
        pl.len().alias("n"), pl.mean("x"), pl.mean("y").round(2), pl.corr("x", "y").round(3).alias("r")
    )

    assert sorted(sets.collect().rows()) == [
        ("I", 11, 9.0, 7.5, 0.816),
        ("II", 11, 9.0, 7.5, 0.816),
        ("III", 11, 9.0, 7.5, 0.816),
        ("IV", 11, 9.0, 7.5, 0.817),
    ]


@pytest.mark.parametrize("folder", [*FOLDERS, "json-test-suite", "naughty-strings", "traversal"])
def test_nothing_is_read_other_than_another_reader_reads_it(folder: str) -> None:
    found = outcomes_of(folder)

    assert found
    assert {name: outcome.words for name, outcome in found.items() if outcome.kind == "WRONG"} == {}


def test_a_json_text_is_read_or_refused_in_its_line() -> None:
    found = outcomes_of("json-test-suite")
    between = {name: outcome for name, outcome in found.items() if name.endswith(".between.jsonl")}
    kinds = {Path(name).name[0]: set[str]() for name in between}
    for name, outcome in between.items():
        kinds[Path(name).name[0]].add(outcome.kind)

    assert len(between) > 180
    assert kinds["n"] == {"refused"}
    # What goes over many lines is refused, too.
    assert {name for name, found in between.items() if "/y_" in name and found.kind != "right"} <= {
        f"json-test-suite/{path.name}.between.jsonl"
        for path in (CORPORA / "json-test-suite").glob("y_*")
        if b"\n" in path.read_bytes().rstrip(b"\r\n")
    }
