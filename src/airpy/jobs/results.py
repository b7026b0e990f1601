"""Keeps result frames as files, by token, until they expire.

    {results}/{token}-{attempt}/data.json       what the job's answer says
    {results}/{token}-{attempt}/frame.arrow     the result frame, as an Arrow IPC stream or …
    {results}/{token}-{attempt}/frame.parquet   … as Parquet
    {results}/{token}-{attempt}/frame.csv       … and as CSV, once somebody has asked for that
    {results}/{token}-{attempt}/schema.json     its schema, for pages of it
    {results}/{token}-{attempt}/state           of what data it is, where that is sure
    {results}/{token}-{attempt}/analysis-state  what an analysis has measured, for comparisons with it
    {results}/input-{id}                        what a job is given; `inputs.py` has the names
    {results}/known                             what looking over all of a file has found
    {results}/copies                            copies of large text files as Parquet

A folder belongs to one attempt, so that one which lost its job cannot touch the result of another. A job that
is answered with the result of an equal one before it names that one's folder.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import shutil
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import polars as pl

from airpy.contract import QueryMetrics
from airpy.engine.converting import convert_frame
from airpy.engine.encoding import encode_first_rows, encode_model, encode_object
from airpy.engine.pages import cut_page, encode_page
from airpy.engine.steps import ignore_steps
from airpy.errors import JobUnavailable
from airpy.files.memory import forget
from airpy.jobs.inputs import INPUT, keep, remove
from airpy.jobs.record import ResultFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa

    from airpy.contract import OutputFormat, Schema
    from airpy.engine.steps import OnStep
    from airpy.jobs.inputs import Given

__all__ = [
    "ANALYSIS_STATE",
    "FrameFormat",
    "Results",
    "encode_head",
    "expired",
    "frame_file",
    "frame_schema",
    "other_frame",
    "page_arrow",
    "page_json",
    "result_frame",
    "write_data",
    "write_schema",
]

FrameFormat: TypeAlias = "OutputFormat | Literal['csv']"

DATA = "data.json"
SCHEMA = "schema.json"
ANALYSIS_STATE = "analysis-state"
"""The file with what an analysis has measured."""
FRAMES: dict[FrameFormat, str] = {
    "json": "frame.arrow",
    "arrow": "frame.arrow",
    "parquet": "frame.parquet",
    "csv": "frame.csv",
}
HEAD = re.compile(rb'\{"metrics":\{[^{}]*\},"download":"[^"]*"')
ORIGINALS = ("frame.arrow", "frame.parquet")
YOUNG_S = 600
"""A folder changed so lately may belong to a job whose record is about to be written."""


class Results(NamedTuple):
    """The folder of all results, shared by servers and workers."""

    path: Path

    @property
    def memory(self) -> Path:
        """Where it is remembered what files are like."""
        return self.path / "known"

    @property
    def copies(self) -> Path:
        """Where copies of text files are."""
        return self.path / "copies"

    def attempt(self, token: int, attempt: int) -> Path:
        """A new, empty folder for an attempt's result."""
        return self._fresh(f"{token}-{attempt}")

    def discard(self, token: int, attempt: int) -> None:
        """Remove what an attempt left that came to nothing."""
        shutil.rmtree(self.path / f"{token}-{attempt}", ignore_errors=True)

    def keep_input(self, given: Mapping[str, Given]) -> str:
        """Keep what a job is given, each under its name, and give the name of the folder.

        Raises:
            FileNotFoundError: A file that is to be kept is gone; nothing is kept then.
        """
        return keep(self.path, given)

    def drop_input(self, name: str) -> None:
        """Remove what was given to no job."""
        remove(self.input(name))

    def input(self, name: str) -> Path:
        """The folder of this name, with what a job is given."""
        return self.path / name

    def folder(self, name: str) -> Path:
        """The folder that a record names."""
        return self.path / name

    def has(self, name: str) -> bool:
        """Whether a result is in the folder of this name."""
        return (self.path / name / DATA).exists()

    def data(self, name: str, token: int, *, reused: bool = False) -> bytes:
        """The answer's data as JSON, from the folder that the record of this token names.

        Raises:
            JobUnavailable: It has expired.
        """
        try:
            data = (self.path / name / DATA).read_bytes()
        except FileNotFoundError:
            raise expired(token) from None
        return data if name.startswith(f"{token}-") else _as_of(data, token, reused=reused)

    def sweep(
        self,
        existing: Callable[[list[int]], set[int]],
        inputs: Callable[[], set[str]],
        kept: Callable[[list[str]], set[str]],
    ) -> int:
        """Remove folders whose job has no record any more, and inputs that no job needs; say how many.

        Args:
            existing: Those of the tokens that have a record.
            inputs: The names of inputs that a job needs.
            kept: Those of the folders that are remembered, or that another job was answered with.
        """
        forget(self.memory)
        old = time.time() - YOUNG_S
        folders: dict[Path, int] = {}
        given: list[Path] = []
        for place in self.path.iterdir():
            token = place.name.partition("-")[0]
            with contextlib.suppress(FileNotFoundError):  # another worker sweeps too
                if place.stat().st_mtime < old:
                    if token.isdecimal():
                        folders[place] = int(token)
                    elif place.name.startswith(INPUT):
                        given.append(place)
        alive = existing(sorted(set(folders.values())))
        spent = [folder for folder, token in folders.items() if token not in alive]
        still = kept([folder.name for folder in spent]) if spent else set()
        gone = [folder for folder in spent if folder.name not in still]
        for folder in gone:
            shutil.rmtree(folder, ignore_errors=True)
        needed = inputs() if given else set()
        spare = [place for place in given if place.name not in needed]
        for place in spare:
            remove(place)
        return len(gone) + len(spare)

    def _fresh(self, name: str) -> Path:
        folder = self.path / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def encode_head(metrics: QueryMetrics, token: int) -> dict[str, bytes]:
    """What a query's answer begins with: what is another for a job that is answered with it later."""
    return {"metrics": encode_model(metrics), "download": b'"/v1/py/jobs/%d/download"' % token}


def _as_of(data: bytes, token: int, *, reused: bool) -> bytes:
    """The answer as it is for another job, which asked the same."""
    if (head := HEAD.match(data)) is None:  # of a kind without a frame
        return data
    told: dict[str, Any] = json.loads(head[0] + b"}")
    metrics = QueryMetrics.model_validate(told["metrics"] | {"cache_hit": reused})
    return encode_object(**encode_head(metrics, token))[:-1] + data[head.end() :]


def write_data(folder: Path, data: bytes) -> None:
    """Keep the answer's data, as JSON."""
    (folder / DATA).write_bytes(data)


def expired(token: int, field: str = "path.token") -> JobUnavailable:
    """The error for a job whose result is gone; `field` is where the request names it."""
    return JobUnavailable(
        f"the result of job {token} has expired",
        field=field,
        constraint="a job that ended within PY_JOB_TTL_S",
        reason="JOB_EXPIRED",
    )


def write_schema(folder: Path, schema: Schema) -> None:
    """Keep the frame's schema, as JSON."""
    (folder / SCHEMA).write_bytes(encode_model(schema))


def frame_schema(folder: Path) -> bytes:
    """The frame's schema, as JSON."""
    return (folder / SCHEMA).read_bytes()


def other_frame(folder: Path, form: FrameFormat, *, on_step: OnStep = ignore_steps) -> None:
    """Make the result frame in this format from the one that is there."""
    del on_step  # nobody waits for steps
    convert_frame(original(folder), frame_file(folder, form))


def page_json(folder: Path, offset: int, limit: int, *, on_step: OnStep = ignore_steps) -> tuple[bytes, int]:
    """Rows of the result frame as JSON, and how many they are."""
    del on_step
    return encode_first_rows(pl.DataFrame(cut_page(original(folder), offset, limit)))


def page_arrow(folder: Path, offset: int, limit: int, *, on_step: OnStep = ignore_steps) -> tuple[bytes, int]:
    """Rows of the result frame as an Arrow IPC stream, and how many they are."""
    del on_step
    page = cut_page(original(folder), offset, limit)
    return encode_page(page), page.num_rows


def original(folder: Path) -> Path:
    """The file of the result frame that a job has written, or what was made of it; Arrow of both."""
    return next(path for path in map(folder.joinpath, ORIGINALS) if path.exists())


def frame_file(folder: Path, form: FrameFormat) -> Path:
    """Where a result frame of this format is kept."""
    return folder / FRAMES[form]


def result_frame(form: OutputFormat, rows: int, schema: pa.Schema) -> ResultFrame:
    """What the record says of a result frame."""
    message = schema.serialize().to_pybytes()
    digest = hashlib.sha256(message).hexdigest()
    return ResultFrame(form, rows, base64.b64encode(message).decode(), f"sha256:{digest}")
