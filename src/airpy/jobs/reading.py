"""Reads data sets for a job: on trust first, then with care; and tells how, or where a file is wrong."""

from __future__ import annotations

import re
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol

from airpy.contract import Fault, JsonPatchOperation, Reading, ReadOptions
from airpy.engine.failures import failure
from airpy.engine.steps import ignore_steps
from airpy.errors import AirError, FileUnavailable, shortened
from airpy.files.faults import added
from airpy.files.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeVar

    import polars as pl
    from pydantic import BaseModel

    from airpy.contract import ErrorReason, FaultKind
    from airpy.engine.steps import OnStep
    from airpy.files.datasets import Dataset
    from airpy.files.opening import Opened
    from airpy.files.sources import Seen

    T = TypeVar("T")
    M = TypeVar("M", bound=BaseModel)

__all__ = ["MOST_TEXTS", "Asked", "Planned", "read_through", "reading_of", "said"]

MOST_TEXTS = 100

DOUBTED: frozenset[ErrorReason] = frozenset(
    {"UNREADABLE_FILE", "READER_CRASHED", "CAST_FAILED", "TYPE_MISMATCH", "FAULTY_ROW", "ENCODING"}
)
"""What a reader says, or an engine, of a text file that is not what its head promised."""

UNREAD: frozenset[ErrorReason] = frozenset({"UNREADABLE_FILE", "READER_CRASHED"})
"""What a reader says of a Parquet file that another may read."""

REPAIRS: dict[FaultKind, tuple[dict[str, object], ...]] = {
    "bad_value": ({"infer_rows": 0}, {"on_error": "null"}),
    "bad_json": ({"on_error": "skip"},),
    "too_deep": ({"on_error": "skip"},),
    "open_quote": ({"quote": ""},),
    "bad_bytes": ({"encoding": "cp1252"}, {"encoding": "latin-1"}),
    "ragged_row": (),  # it is read
}
"""What may help against a fault, what loses nothing first."""

WORDS: dict[FaultKind, str] = {
    "bad_value": "a value that its column's type does not take",
    "bad_json": "a line that is no JSON object",
    "too_deep": "JSON that is nested too deep",
    "open_quote": "a quote that is never closed",
    "bad_bytes": "bytes that are no text in the file's encoding",
    "ragged_row": "more or fewer values than the header",
}


class Asked(NamedTuple):
    """A data set of a request, and what the request says of how it is read."""

    dataset: Dataset
    options: ReadOptions | None
    pointer: str
    """Where the options stand in the request, as a JSON Pointer."""


class Planned(NamedTuple):
    """A frame, lazily, and the data sets that it is made from."""

    frame: pl.LazyFrame
    opened: list[Opened]


class Open(Protocol):
    """Opens the data sets, in their order, with these options."""

    def __call__(self, options: list[ReadOptions | None], *, careful: bool, on_step: OnStep) -> Planned:
        """The frame that is asked for, lazily."""


def read_through(
    asked: Sequence[Asked], opens: Open, consume: Callable[[Planned], T], on_step: OnStep = ignore_steps
) -> tuple[T, Planned]:
    """What becomes of the frame, and how it was read.

    Files are read on trust in what their beginnings promise. Where that fails, the place is looked for in
    text; where none is found, the files are put into plain form and read again.

    Raises:
        FileUnavailable: A file is wrong; with the place, and a change of the request that works.
        AirError: The request does not fit the data.
    """
    options = [each.options for each in asked]
    planned: Planned | None = None
    try:
        planned = opens(options, careful=False, on_step=on_step)
        return consume(planned), planned
    except BaseException as error:  # a panic in native code is no Exception
        told = failure(error)
        text = any(each.dataset.format != "parquet" for each in asked)
        if told.reason not in (DOUBTED if text else UNREAD):
            raise
        found = told.fault or _located(planned)
        if found is None:
            try:
                planned = opens(options, careful=True, on_step=ignore_steps)
                return consume(planned), planned
            except BaseException as again:  # noqa: BLE001
                found = failure(again).fault or _located(planned)
                if found is None:
                    raise error from None
                told = failure(again)
        raise _explained(told, found, asked, opens) from None


def reading_of(files: Mapping[Path, Seen], opened: Sequence[Opened]) -> Reading:
    """What the contract's `Reading` says of the files of these data sets, once their frames are read."""
    faults = reduce(added, (each.faults for each in opened))
    return Reading(
        sources=sources_of(files),
        texts=[said(form) for form in chain.from_iterable(each.texts for each in opened)][:MOST_TEXTS],
        faults=faults.model_copy(update={"examples": list(map(said, faults.examples))}),
        notes=[said(note) for note in chain.from_iterable(each.notes for each in opened)][:MOST_TEXTS],
    )


def said(model: M) -> M:
    """The model without what is not known, which is left out of an answer."""
    return type(model).model_validate(model.model_dump(exclude_none=True))


def _located(planned: Planned | None) -> Fault | None:
    if planned is None:
        return None
    return next((fault for opened in planned.opened if (fault := opened.locate())), None)


def _explained(told: AirError, fault: Fault, asked: Sequence[Asked], opens: Open) -> AirError:
    """The failure with its place, and with what helps against it."""
    place = _index(fault, asked)
    if told.fault is None:
        told = FileUnavailable(_sentence(fault), reason="FAULTY_ROW", constraint=_wanted(fault))
    told.fault = fault
    told.field = re.sub(r"/(\d+)", r"[\1]", asked[place].pointer.strip("/")).replace("/", ".")
    for changed in _changed(fault, asked[place].options or ReadOptions()):
        options = [each.options for each in asked]
        options[place] = changed
        try:
            tried = opens(options, careful=False, on_step=ignore_steps)
            tried.frame.null_count().collect(engine="streaming")  # it takes every value of the answer
        except BaseException:  # noqa: BLE001, S112  then this does not help
            continue
        value = changed.model_dump(mode="json", exclude_none=True)
        told.repair = [JsonPatchOperation(op="add", path=asked[place].pointer, value=value)]
        break
    return told


def _changed(fault: Fault, options: ReadOptions) -> Iterator[ReadOptions]:
    """The options as they might be instead."""
    for change in REPAIRS[fault.kind]:
        changed = ReadOptions.model_validate(options.model_dump(exclude_none=True) | change)
        if changed != options:
            yield changed


def _index(fault: Fault, asked: Sequence[Asked]) -> int:
    """Which of the data sets the file belongs to."""
    for place, each in enumerate(asked):
        if any(each.dataset.root.shown(path) == fault.file for path in each.dataset.files):
            return place
    return 0


def _sentence(fault: Fault) -> str:
    name = fault.file.rpartition("/")[2]
    where = f", row {fault.row:,}" if fault.row is not None else ""
    column = f', column "{shortened(fault.column)}"' if fault.column is not None else ""
    text = f': "{shortened(fault.text)}"' if fault.text is not None else ""
    return f'"{name}"{where}{column} has {WORDS[fault.kind]}{text}'


def _wanted(fault: Fault) -> str:
    return "rows that can be read without loss" if fault.column is None else "values of the column's type"
