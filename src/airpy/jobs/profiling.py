"""Measures data sets file by file, and remembers what was measured of each while it stays as it is."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from airpy.engine.encoding import portable
from airpy.engine.profile.keeping import state_from, state_to
from airpy.engine.profile.measuring import measured
from airpy.engine.profile.states import merged
from airpy.files.memory import Form, remembered
from airpy.files.scan import scan

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.contract import Plan, ReadOptions
    from airpy.engine.profile.states import FrameState
    from airpy.files.datasets import Dataset
    from airpy.jobs.context import JobContext

__all__ = ["Subject", "is_plain", "settled", "state_of"]

PLAIN = {"dataset", "time_col", "timezone"}
"""What a plan may say and still yield its data set as it is."""
STATE = Form(state_to, state_from)


class Subject(NamedTuple):
    """A data set that is measured as it is."""

    dataset: Dataset
    """Held open."""
    options: ReadOptions | None
    scratch: Path
    """Where files may be rewritten."""


def is_plain(plan: Plan) -> bool:
    """Whether the plan yields its data set as it is."""
    return plan.model_dump(exclude_defaults=True).keys() <= PLAIN


def settled(frame: pl.LazyFrame, scratch: Path) -> pl.LazyFrame:
    """The rows in a file that can be read again and again: what it takes to make them is done once."""
    place = scratch / "settled.arrow"
    frame.sink_ipc(place, compression="lz4", maintain_order=True, engine="streaming")
    return pl.scan_ipc(place)


def state_of(subject: Subject, frame: pl.LazyFrame, context: JobContext) -> FrameState:
    """What is to be known of all rows of the data set: of each file, as it was measured once.

    Args:
        subject: The data set.
        frame: Its rows, which are measured together where its files are not alike.
        context: What the job may use.
    """
    dataset = subject.dataset
    if dataset.remote is not None:
        return measured(frame)
    if len(dataset.files) == 1:
        return _remembered(subject, 0, frame, context)
    schema = frame.collect_schema()
    frames = [_alone(subject, number, context) for number in range(len(dataset.files))]
    if any(each.collect_schema() != schema for each in frames):
        return measured(frame)
    return merged([_remembered(subject, number, each, context) for number, each in enumerate(frames)])


def _alone(subject: Subject, number: int, context: JobContext) -> pl.LazyFrame:
    """The rows of one of the files, in types that every reader knows."""
    opened = scan(
        subject.dataset._replace(files=(subject.dataset.files[number],)),
        subject.options,
        infer_rows=context.infer_rows,
        scratch=subject.scratch,
    )
    return portable(opened.frame)


def _remembered(subject: Subject, number: int, frame: pl.LazyFrame, context: JobContext) -> FrameState:
    """What was measured of a file with these rows, read in this way."""
    path, schema = subject.dataset.files[number], frame.collect_schema()
    read = None if subject.options is None else subject.options.model_dump_json(exclude_none=True)
    question = repr(("state", pl.__version__, str(path), list(schema.items()), read, context.infer_rows))
    salt = zlib.crc32(str(path).encode())
    memory, place = subject.dataset.root.memory, subject.dataset.place(path)
    return remembered(memory, place, question, lambda: measured(frame, salt), STATE)
