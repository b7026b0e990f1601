"""Reads a file of the corpora and says what became of it; runs in a sandbox's child."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from airpy.engine.encoding import portable
from airpy.engine.failures import failure
from airpy.files.datasets import dataset_at
from airpy.files.scan import scan
from tests.files.truths import Unknown, difference_from_csv, difference_from_json, difference_from_parquet

if TYPE_CHECKING:
    import polars as pl

    from airpy.engine.steps import OnStep
    from airpy.errors import AirError
    from airpy.files.paths import FileRoot

__all__ = ["BETWEEN", "CORPORA", "Kind", "Outcome", "judge_all", "outcome_of"]

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
BETWEEN = ".between.jsonl"
"""What the names of files end with that have a text between two good lines."""
CRASHES = {"READER_CRASHED", "PROCESS_KILLED", "MEMORY_CAP", "TIME_LIMIT"}

Kind = Literal["right", "read", "refused", "crashed", "WRONG"]


class Outcome(NamedTuple):
    """What became of a file."""

    kind: Kind
    words: str = ""


def judge_all(root: FileRoot, names: list[str], *, on_step: OnStep) -> dict[str, Outcome]:
    """What becomes of each file; runs in a sandbox's child."""
    del on_step
    return {name: _judge(root, name) for name in names}


def _judge(root: FileRoot, name: str) -> Outcome:
    try:
        with TemporaryDirectory() as scratch:
            opened = scan(dataset_at(root, name, "uri"), infer_rows=20_000, scratch=Path(scratch))
            frame = portable(opened.frame).collect(engine="streaming")
            notes = "; ".join(note.text for note in opened.notes)
    except BaseException as error:  # noqa: BLE001  as the sandbox does: a panic is no Exception
        return outcome_of(name, failure(error))
    path = root.real / name
    if path.name.startswith("n_") and _is_text(path):
        return Outcome("WRONG", "read, and is no JSON")
    try:
        difference = _difference(path, frame)
    except Unknown as error:
        return Outcome("read", f"{frame.height} × {frame.width}: {error}")
    if difference:
        return Outcome("WRONG", difference)
    return Outcome("right", f"{frame.height} × {frame.width}{': ' + notes if notes else ''}")


def _difference(path: Path, frame: pl.DataFrame) -> str | None:
    if path.suffix == ".parquet":
        return difference_from_parquet(path, frame)
    if path.suffix == ".jsonl":
        return difference_from_json(_records(path), frame)
    truth = path.parents[1] / "json" / f"{path.stem}.json"
    if path.parent.name == "csv" and truth.exists():
        # Its line ends have lost their CR on the way; so has the truth here.
        rows = json.loads(truth.read_text().replace("\\r\\n", "\\n"))
        ours = [{name: str(value) for name, value in row.items()} for row in frame.iter_rows(named=True)]
        return None if ours == rows else f"{ours!r:.60} is not {rows!r:.60}"
    return difference_from_csv(path, frame)


def _records(path: Path) -> list[dict[str, Any]]:
    text = path.read_bytes().decode("utf-8-sig")
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    return whole if isinstance(whole, list) else [whole]


def _is_text(path: Path) -> bool:
    """Whether it is a single text that is no JSON."""
    return path.suffix == ".jsonl" and path.parent.name == "json-test-suite"


def outcome_of(name: str, error: AirError) -> Outcome:
    words = f"{error.code} {error.reason}: {error.message}"
    if error.code == "INTERNAL_ERROR" or str(CORPORA) in words:
        return Outcome("WRONG", words)
    if error.reason in CRASHES:
        return Outcome("crashed", words)
    base = Path(name).name
    if base.endswith(BETWEEN):
        many_lines = b"\n" in (CORPORA / "json-test-suite" / base.removesuffix(BETWEEN)).read_bytes().rstrip(
            b"\r\n"
        )
        if base.startswith("y_") and not many_lines:
            return Outcome("WRONG", f"refused, and is JSON: {words}")
        if error.fault is None or error.fault.line != 2:
            return Outcome("WRONG", f"refused at another place: {error.fault}")
    return Outcome("refused", words)
