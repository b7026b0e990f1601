"""Keeps result frames as files, by token, until they expire.

    {results}/{token}-{attempt}/data.json       what the job's answer says
    {results}/{token}-{attempt}/frame.arrow     the result frame, as an Arrow IPC stream or …
    {results}/{token}-{attempt}/frame.parquet   … as Parquet
    {results}/input-{id}                        a frame that came with a request
    {results}/known                             what looking over all of a file has found

A folder belongs to one attempt, so that one which lost its job cannot touch the result of another.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import shutil
import time
import uuid
from typing import TYPE_CHECKING, NamedTuple

from airpy.engine.encoding import convert_frame
from airpy.errors import JobUnavailable
from airpy.files.memory import forget
from airpy.jobs.record import ResultFrame

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    from airpy.contract import OutputFormat
    from airpy.engine.steps import OnStep

__all__ = ["Results", "expired", "frame_file", "other_frame", "result_frame", "write_data"]

DATA = "data.json"
INPUT = "input-"
FRAMES: dict[OutputFormat, str] = {"json": "frame.arrow", "arrow": "frame.arrow", "parquet": "frame.parquet"}
YOUNG_S = 600
"""A folder changed so lately may belong to a job whose record is about to be written."""


class Results(NamedTuple):
    """The folder of all results, shared by servers and workers."""

    path: Path

    @property
    def memory(self) -> Path:
        """Where it is remembered what files are like."""
        return self.path / "known"

    def attempt(self, token: int, attempt: int) -> Path:
        """A new, empty folder for an attempt's result."""
        return self._fresh(f"{token}-{attempt}")

    def discard(self, token: int, attempt: int) -> None:
        """Remove what an attempt left that came to nothing."""
        shutil.rmtree(self.path / f"{token}-{attempt}", ignore_errors=True)

    def keep_input(self, frame: bytes) -> str:
        """Keep a frame that came with a request, and give its name."""
        name = f"{INPUT}{uuid.uuid4().hex}"
        self.input_frame(name).write_bytes(frame)
        return name

    def drop_input(self, name: str) -> None:
        """Remove a frame that no job came of."""
        self.input_frame(name).unlink(missing_ok=True)

    def input_frame(self, name: str) -> Path:
        """Where a frame of this name is."""
        return self.path / name

    def folder(self, name: str) -> Path:
        """The folder that a record names."""
        return self.path / name

    def data(self, name: str, token: int) -> bytes:
        """The answer's data as JSON, from the folder that the record of this token names.

        Raises:
            JobUnavailable: It has expired.
        """
        try:
            return (self.path / name / DATA).read_bytes()
        except FileNotFoundError:
            raise expired(token) from None

    def sweep(self, existing: Callable[[list[int]], set[int]], inputs: Callable[[], set[str]]) -> int:
        """Remove folders whose job has no record any more, and frames that no job needs; say how many."""
        forget(self.memory)
        old = time.time() - YOUNG_S
        folders: dict[Path, int] = {}
        frames: list[Path] = []
        for place in self.path.iterdir():
            token = place.name.partition("-")[0]
            with contextlib.suppress(FileNotFoundError):  # another worker sweeps too
                if place.stat().st_mtime < old:
                    if token.isdecimal():
                        folders[place] = int(token)
                    elif place.name.startswith(INPUT):
                        frames.append(place)
        alive = existing(sorted(set(folders.values())))
        gone = [folder for folder, token in folders.items() if token not in alive]
        for folder in gone:
            shutil.rmtree(folder, ignore_errors=True)
        needed = inputs() if frames else set()
        spare = [frame for frame in frames if frame.name not in needed]
        for frame in spare:
            frame.unlink(missing_ok=True)
        return len(gone) + len(spare)

    def _fresh(self, name: str) -> Path:
        folder = self.path / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def write_data(folder: Path, data: bytes) -> None:
    """Keep the answer's data, as JSON."""
    (folder / DATA).write_bytes(data)


def expired(token: int) -> JobUnavailable:
    """The error for a job whose result is gone."""
    return JobUnavailable(
        f"the result of job {token} has expired",
        field="path.token",
        constraint="a job that ended within PY_JOB_TTL_S",
        reason="JOB_EXPIRED",
    )


def other_frame(folder: Path, form: OutputFormat, *, on_step: OnStep) -> None:
    """Make the result frame in this format from the one that is there."""
    del on_step  # nobody waits for steps
    source = next(path for path in map(folder.joinpath, set(FRAMES.values())) if path.exists())
    convert_frame(source, frame_file(folder, form))


def frame_file(folder: Path, form: OutputFormat) -> Path:
    """Where a result frame of this format is kept."""
    return folder / FRAMES[form]


def result_frame(form: OutputFormat, rows: int, schema: pa.Schema) -> ResultFrame:
    """What the record says of a result frame."""
    message = schema.serialize().to_pybytes()
    digest = hashlib.sha256(message).hexdigest()
    return ResultFrame(form, rows, base64.b64encode(message).decode(), f"sha256:{digest}")
