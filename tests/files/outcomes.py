"""What becomes of files that nobody here wrote: a table of outcomes by file.

    python -m tests.files.outcomes [FOLDER]

Every file of the public corpora is asked for as a preview of all its rows, in a child that may die, with no
options but that text is to stay as it is written, so that cells can be compared. Where there is a truth, the
two are compared: the JSON beside csv-spectrum, Python's csv in a dialect that a person has looked up, PyArrow
for Parquet, Python's json.

    right     read, and equal to the truth
    read      read, and there is no truth to compare it with
    refused   not read, and the answer says why
    died      the child died, the service did not, and the answer says so
    WRONG     read, and not equal to the truth; or not read, though there is nothing wrong with the file
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from airpy.contract import PreviewRequest, ReadOptions
from airpy.errors import AirError
from airpy.files.paths import FileRoot
from airpy.jobs.preview import preview
from airpy.jobs.sandbox import Sandbox
from tests.files.truths import (
    WRITTEN,
    Written,
    by_csv,
    by_its_json,
    by_pyarrow,
    difference,
    readable_by_pyarrow,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CORPORA", "Outcome", "outcomes"]

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
EXTENSIONS = (".csv", ".parquet", ".jsonl")
MOST_ROWS = 1_000_000
LONG_S = 60
AS_WRITTEN = ReadOptions(types="string")
AS_FOUND = ReadOptions()

RIGHT, READ, REFUSED, DIED, WRONG = "right", "read", "refused", "died", "WRONG"
NO_DATA = {".md", ".gitattributes", ".txt"}
"""What belongs to the corpora and is no file of theirs."""


class Outcome(NamedTuple):
    """What became of one file."""

    file: str
    verdict: str
    told: str


# Files that may be refused: there is something wrong with each.
REFUSABLE = {
    "polars-io/empty.csv": "EMPTY_FILE",
    "frictionless/compression/implicit-zip.csv": "CONTENT_MISMATCH",
    # Four Greek words are too few to tell its letters by.
    "frictionless/table-infer-iso-8859-7.csv": "ENCODING",
    "parquet-testing/data/large_string_map.brotli.parquet": "MEMORY_CAP",
    "parquet-testing/data/nation.dict-malformed.parquet": "",
    "parquet-testing/data/incorrect_map_schema.parquet": "",
    "parquet-testing/data/map_no_value.parquet": "",
}


def outcomes(folder: str = "") -> Iterator[Outcome]:
    """What becomes of each file, in order; of those in the folder alone when one is named."""
    sandbox = Sandbox(memory_mb=512, threads=2, spares=1)
    try:
        for path in sorted(CORPORA.rglob("*")):
            name = path.relative_to(CORPORA).as_posix()
            if path.is_file() and name.startswith(folder) and path.suffix not in NO_DATA:
                yield from _of_file(sandbox, path, name)
        for made, told in (("naughty-strings", _naughty), ("json-test-suite", _json_lines)):
            if made.startswith(folder) or folder.startswith(made):
                yield from told(sandbox)
    finally:
        sandbox.close()


def _of_file(sandbox: Sandbox, path: Path, name: str) -> Iterator[Outcome]:
    root = FileRoot.at(CORPORA, EXTENSIONS)
    if name.startswith(("json-test-suite/", "naughty-strings/")):
        return  # texts, of which files are made
    text = ".parq" not in path.suffix
    found = _asked(sandbox, root, name, AS_WRITTEN if text else AS_FOUND)
    if isinstance(found, AirError):
        yield _unread(name, found, path)
    elif path.suffix == ".parquet":
        yield _compared(name, found, lambda: by_pyarrow(path))
    elif name.startswith("csv-spectrum/"):
        yield _compared(name, found, lambda: by_its_json(path))
    elif ".csv" in path.name and not path.name.endswith((".gz", ".zst")):
        yield _compared(name, found, lambda: by_csv(path, WRITTEN.get(name, Written())))
    else:
        yield Outcome(name, READ, f"{len(found['rows']):,} rows")


def _asked(sandbox: Sandbox, root: FileRoot, name: str, read: ReadOptions) -> dict[str, Any] | AirError:
    """All rows of a file, as the service answers."""
    request = PreviewRequest(datasource_id="corpora", path=name, limit=MOST_ROWS, read=read)
    try:
        answer = sandbox.call(preview, request, root, 20_000, MOST_ROWS, timeout_s=LONG_S)
    except AirError as error:
        return error
    told: dict[str, Any] = json.loads(answer)
    return told


def _unread(name: str, error: AirError, path: Path) -> Outcome:
    """The outcome of a file that was not read."""
    told = f"{error.reason}: {error.message}"
    if error.reason in {"READER_CRASHED", "PROCESS_KILLED"} and "crashed on the data" in error.message:
        return Outcome(name, DIED, told)
    if error.reason == "EXTENSION_NOT_ALLOWED" or "bad_data" in name or "encrypt" in name:
        return Outcome(name, REFUSED, told)
    if name in REFUSABLE and REFUSABLE[name] in {"", error.reason}:
        return Outcome(name, REFUSED, told)
    if path.suffix == ".parquet" and not readable_by_pyarrow(path):
        return Outcome(name, REFUSED, told)
    return Outcome(name, WRONG, f"refused, though it can be read: {told}")


def _compared(name: str, found: dict[str, Any], truth_of: Callable[[], list[dict[str, Any]]]) -> Outcome:
    """The outcome of a file that was read."""
    rows = found["rows"]
    try:
        truth = truth_of()
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        return Outcome(name, READ, f"{len(rows):,} rows; the other reader says: {str(error)[:80]}")
    if found["stats"]["sampled"]:
        return Outcome(name, READ, "more rows than are compared")
    found_wrong = difference(rows, truth)
    if found_wrong is None:
        return Outcome(name, RIGHT, f"{len(rows):,} rows")
    if "bad_data" in name:
        return Outcome(name, READ, f"broken, and the readers differ: {found_wrong}")
    return Outcome(name, WRONG, found_wrong)


def _naughty(sandbox: Sandbox) -> Iterator[Outcome]:
    """Strings that break things, as values: they come back letter by letter."""
    lines = (CORPORA / "naughty-strings" / "blns.txt").read_text("utf-8").split("\n")
    strings = [line for line in lines if line and not line.startswith("#")]
    rows = [{"n": str(number), "value": string} for number, string in enumerate(strings)]
    with TemporaryDirectory() as folder:
        base = Path(folder)
        with (base / "naughty.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["n", "value"])
            writer.writeheader()
            writer.writerows(rows)
        (base / "naughty.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        root = FileRoot.at(base, EXTENSIONS)
        for name in ("naughty.csv", "naughty.jsonl"):
            found = _asked(sandbox, root, name, AS_WRITTEN)
            if isinstance(found, AirError):
                yield Outcome(f"naughty-strings/{name}", WRONG, f"{found.reason}: {found.message}")
            else:
                yield _compared(f"naughty-strings/{name}", found, lambda: rows)


def _json_lines(sandbox: Sandbox) -> Iterator[Outcome]:
    """Texts of the JSON test suite, each as a member of the second of three lines."""
    with TemporaryDirectory() as folder:
        base = Path(folder)
        root = FileRoot.at(base, EXTENSIONS)
        for path in sorted((CORPORA / "json-test-suite").rglob("*.json")):
            text = path.read_bytes()
            file = base / f"{path.stem}.jsonl"
            file.write_bytes(b'{"a": null}\n{"a": ' + text + b'}\n{"a": null}\n')
            found = _asked(sandbox, root, file.name, AS_FOUND)
            file.unlink()
            name = f"json-test-suite/{path.name}"
            must_be_read = path.name.startswith("y_")
            if isinstance(found, AirError):
                told = f"{found.reason}: {found.message}"
                yield Outcome(name, WRONG if must_be_read else REFUSED, told)
            elif path.name.startswith("n_"):
                yield Outcome(name, WRONG, f"read as {found['rows']}"[:300])
            else:
                truth = [{"a": None}, {"a": json.loads(text)}, {"a": None}]
                yield _compared(name, found, lambda truth=truth: truth)  # type: ignore[misc]


def main() -> int:
    """Print the table; 1 when a file was read wrong."""
    counts: Counter[str] = Counter()
    for outcome in outcomes(sys.argv[1] if len(sys.argv) > 1 else ""):
        counts[outcome.verdict] += 1
        print(f"{outcome.verdict:8} {outcome.file}  {outcome.told}")  # noqa: T201
    print()  # noqa: T201
    for verdict in (RIGHT, READ, REFUSED, DIED, WRONG):
        print(f"{counts[verdict]:5} {verdict}")  # noqa: T201
    return 1 if counts[WRONG] else 0


if __name__ == "__main__":
    sys.exit(main())
