"""Writes a result frame into the file that its user named: Arrow, Parquet, CSV, JSON or JSONL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airpy.engine.converting import frame_batches
from airpy.engine.csv_text import write_csv
from airpy.engine.encoding import encode_rows, json_forms
from airpy.engine.failures import failure
from airpy.errors import FileUnavailable, InvalidRequest, listed
from airpy.jobs.results import frame_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airpy.contract import OutputFormat

__all__ = ["EXPORTS", "check_export", "export", "kept_as"]

EXPORTS: dict[str, OutputFormat] = {
    ".arrow": "arrow",
    ".parquet": "parquet",
    ".csv": "arrow",
    ".json": "arrow",
    ".jsonl": "arrow",
}
"""By extension, the format in which the job keeps its frame."""


def check_export(target: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed.

    Raises:
        InvalidRequest: Its extension names no format.
        FileUnavailable: It has no folder.
    """
    if target.suffix.lower() not in EXPORTS:
        raise InvalidRequest(
            f'"{target.name}" has no extension that says how to write it',
            field="--output",
            constraint=f"one of: {listed(EXPORTS)}",
            suggestion=[f"{target.stem or target.name}{extension}" for extension in EXPORTS],
        )
    if not target.parent.is_dir():
        raise FileUnavailable(
            f'there is no directory "{target.parent}" to write into', constraint="an existing directory"
        )
    if target.is_dir():
        raise FileUnavailable(f'"{target}" is a directory', constraint="the name of a file")
    if not os.access(target.parent, os.W_OK):
        raise FileUnavailable(
            f'nothing may be written into "{target.parent}"', constraint="a directory of your own"
        )


def kept_as(target: Path) -> OutputFormat:
    """The format in which a job keeps the frame that becomes this file."""
    return EXPORTS[target.suffix.lower()]


def export(folder: Path, target: Path) -> None:
    """Make the file of the frame that a job has left in the folder, whole or not at all.

    Raises:
        AirError: It cannot be written.
    """
    source = frame_file(folder, kept_as(target))
    write = WRITERS.get(target.suffix.lower())
    try:
        if write is not None:
            draft = folder / "draft"
            write(source, draft)
            source = draft
        source.replace(target)
    except OSError as error:
        raise failure(error) from None


def _write_json(source: Path, target: Path) -> None:
    with target.open("wb") as file:
        opening = b"["
        for batch in frame_batches(source):
            if batch.height:
                file.write(opening + encode_rows(batch)[1:-1])
                opening = b",\n"
        file.write(b"]\n" if opening != b"[" else b"[]\n")


def _write_lines(source: Path, target: Path) -> None:
    with target.open("wb") as file:
        for batch in frame_batches(source):
            if batch.height:
                json_forms(batch).write_ndjson(file)


WRITERS: dict[str, Callable[[Path, Path], None]] = {
    ".csv": lambda source, target: write_csv(frame_batches(source), target),
    ".json": _write_json,
    ".jsonl": _write_lines,
}
"""How a frame becomes what a job does not keep it as."""
