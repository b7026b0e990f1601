"""Tells where an answer comes from: plan, data, versions and casts, and how to have it again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from functools import reduce
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow as pa

from airpy import CONTRACT_VERSION, __version__
from airpy.contract import Provenance, ProvenanceCast, ProvenanceVersions, Reading, Replay
from airpy.files.faults import added
from airpy.files.sources import seen, sources_of
from airpy.jobs.reading import MOST_TEXTS, reading_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeVar

    from airpy.contract import AnalyzeRequest, Plan, QueryRequest
    from airpy.files.datasets import Dataset
    from airpy.files.opening import Opened
    from airpy.files.sources import Seen

    T = TypeVar("T")

__all__ = ["Ran", "plan_hash", "provenance", "ran_over", "together"]

MOST_CASTS = 1_000
PATHS = {"QueryRequest": "/v1/py/query", "AnalyzeRequest": "/v1/py/analyze"}


class Ran(NamedTuple):
    """What an answer was made from."""

    reading: Reading
    casts: list[ProvenanceCast]
    files: Mapping[Path, Seen]
    """All of them, also those that the reading does not name."""


def ran_over(datasets: Sequence[Dataset], opened: Sequence[Opened], named: set[str] | None = None) -> Ran:
    """What an answer was made from, once its frames are read, and while their files are there.

    Args:
        datasets: Held open.
        opened: The same, as they were read.
        named: The columns of the first on which the answer depends, where others do not matter.
    """
    files = seen(datasets)
    return Ran(reading_of(files, opened), _casts_of(datasets, opened, named), files)


def together(*parts: Ran | None) -> Ran | None:
    """What an answer was made from, of which parts were read one after the other; nothing, if none was."""
    given = [part for part in parts if part is not None]
    return reduce(_both, given) if given else None


def _both(one: Ran, other: Ran) -> Ran:
    files = {**one.files, **{path: file for path, file in other.files.items() if path not in one.files}}
    reading = Reading(
        sources=sources_of(files),
        texts=[*one.reading.texts, *_new(one.reading.texts, other.reading.texts)][:MOST_TEXTS],
        faults=added(one.reading.faults, other.reading.faults),
        notes=[*one.reading.notes, *_new(one.reading.notes, other.reading.notes)][:MOST_TEXTS],
    )
    return Ran(reading, [*one.casts, *_new(one.casts, other.casts)][:MOST_CASTS], files)


def _new(known: Sequence[T], more: Sequence[T]) -> list[T]:
    """Those that are not known yet; a data set may be read twice."""
    return [each for each in more if each not in known]


def provenance(
    request: QueryRequest | AnalyzeRequest,
    plan: Plan,
    ran: Ran,
) -> Provenance:
    """What the contract's `Provenance` says of an answer to the request, once its frames are read."""
    return Provenance(
        plan_hash=plan_hash(plan),
        plan=plan,
        sources=ran.reading.sources.fingerprint,
        versions=ProvenanceVersions(
            airpy=__version__, polars=pl.__version__, pyarrow=pa.__version__, contract=CONTRACT_VERSION
        ),
        casts=ran.casts,
        created_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
        replay=Replay(
            method="POST",
            path=PATHS[type(request).__name__],
            body=request.model_dump(mode="json", by_alias=True, exclude_unset=True),
        ),
    )


def plan_hash(plan: Plan) -> str:
    """The SHA-256 of the plan as canonical JSON, defaults filled in, as hexadecimal digits."""
    filled = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
    canonical = json.dumps(filled, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _casts_of(
    datasets: Sequence[Dataset], opened: Sequence[Opened], named: set[str] | None
) -> list[ProvenanceCast]:
    """Columns that are read as another type than they are stored with, while their files are there.

    Of the first data set only those that the plan names, where it names all that it is about.
    """
    first = datasets[0].name
    casts = (
        cast
        for cast in _casts(datasets, opened)
        if named is None or cast.dataset != first or cast.column in named
    )
    return list(islice(casts, MOST_CASTS))


def _casts(datasets: Sequence[Dataset], opened: Sequence[Opened]) -> Iterator[ProvenanceCast]:
    for dataset, source in zip(datasets, opened, strict=True):
        for column in source.evidence():
            if column.type != "string":
                form = {} if column.form is None else {"form": column.form}
                yield ProvenanceCast.model_validate(
                    {
                        "dataset": dataset.name,
                        "column": column.name,
                        "from": "string",
                        "to": column.type,
                        **form,
                    }
                )
        for change in source.evolution().changes:
            if change.change == "retyped":
                told: dict[str, str | None] = {"dataset": dataset.name, "column": change.column}
                if change.cast is None:  # the files before had to give way
                    yield ProvenanceCast.model_validate(told | {"from": change.from_, "to": change.to})
                else:
                    told |= {"from": change.to, "to": change.cast, "file": change.file}
                    yield ProvenanceCast.model_validate(told)
