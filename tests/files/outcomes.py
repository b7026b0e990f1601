"""What becomes of every file of the corpora, as a table: `python -m tests.files.outcomes [FOLDER]`."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from airpy.errors import AirError
from airpy.files.paths import FileRoot
from airpy.jobs.sandbox import Sandbox
from tests.files.judging import BETWEEN, CORPORA, judge_all, outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.files.judging import Kind, Outcome

__all__ = ["outcomes"]

EXTENSIONS = (".csv", ".parquet", ".jsonl")
LONG_S = 120
MEMORY_MB = 768
ALONE = {"large_string_map.brotli.parquet"}  # 2 GB of text in 4 kB
BEFORE, AFTER = b'{"a":"before"}\n', b'\n{"a":"after"}\n'

MEANINGS: dict[Kind, str] = {
    "right": "read, and what another reader reads",
    "read": "read, and not checked",
    "refused": "refused, with a reason",
    "crashed": "the reader gave up or was stopped, in a process of its own",
    "WRONG": "other values than those of the file, or a fault of ours",
}


def outcomes(folder: str | None = None) -> dict[str, Outcome]:
    """What became of the files of one folder of the corpora, or of all."""
    sandbox = Sandbox(memory_mb=MEMORY_MB, threads=2, spares=0)
    found: dict[str, Outcome] = {}
    try:
        with TemporaryDirectory() as copies:
            for name in (
                [folder] if folder else sorted(each.name for each in CORPORA.iterdir() if each.is_dir())
            ):
                files = sorted(path for path in (CORPORA / name).rglob("*") if path.is_file())
                found |= _judged(sandbox, CORPORA, [str(path.relative_to(CORPORA)) for path in files])
                lines = [*_as_lines(CORPORA / name, Path(copies) / name)]
                found |= _judged(sandbox, Path(copies), lines)
    finally:
        sandbox.close()
    return found


def _as_lines(folder: Path, target: Path) -> Iterator[str]:
    """Copies of JSON files as lines: themselves, and single texts between two good lines."""
    for path in sorted([*folder.rglob("*.json"), *folder.rglob("*.ndjson")]):
        place = target / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place.with_name(f"{path.name}.jsonl"))
        yield str(place.with_name(f"{path.name}.jsonl").relative_to(target.parent))
        if folder.name == "json-test-suite":
            wrapped = place.with_name(path.name + BETWEEN)
            wrapped.write_bytes(BEFORE + b'{"a":' + path.read_bytes().rstrip(b"\r\n") + b"}" + AFTER)
            yield str(wrapped.relative_to(target.parent))


def _judged(sandbox: Sandbox, base: Path, names: list[str]) -> dict[str, Outcome]:
    """All in one child, or each in its own when that dies."""
    root = FileRoot.at(base, EXTENSIONS)
    together = [name for name in names if Path(name).name not in ALONE]
    found: dict[str, Outcome] = {}
    try:
        found |= sandbox.call(judge_all, root, together, timeout_s=LONG_S) if together else {}
    except AirError:
        for name in together:
            found |= _alone(sandbox, root, name)
    for name in names:
        if name not in found:
            found |= _alone(sandbox, root, name)
    return found


def _alone(sandbox: Sandbox, root: FileRoot, name: str) -> dict[str, Outcome]:
    try:
        return sandbox.call(judge_all, root, [name], timeout_s=LONG_S)
    except AirError as error:
        return {name: outcome_of(name, error)}


def main() -> int:
    """Print the table, and its sums; 1 when something is wrong."""
    found = outcomes(sys.argv[1] if len(sys.argv) > 1 else None)
    width = max(map(len, found), default=0)
    sums = Counter(outcome.kind for outcome in found.values())
    lines = [
        f"{outcome.kind:<8} {name:<{width}} {outcome.words[:160]}" for name, outcome in sorted(found.items())
    ]
    lines += ["", *(f"{sums[kind]:>6} {kind:<8} {meaning}" for kind, meaning in MEANINGS.items())]
    sys.stdout.write("\n".join([*lines, f"{sums.total():>6} files", ""]))
    return 1 if sums["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
