"""Tells where an answer comes from: plan, data, versions and casts, and how to have it again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow as pa

from airpy import CONTRACT_VERSION, __version__
from airpy.contract import Provenance, ProvenanceCast, ProvenanceVersions, Replay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airpy.contract import AnalyzeRequest, Plan, QueryRequest, Reading
    from airpy.files.datasets import Dataset
    from airpy.files.opening import Opened

__all__ = ["Ran", "casts_of", "plan_hash", "provenance"]

MOST_CASTS = 1_000
PATHS = {"QueryRequest": "/v1/py/query", "AnalyzeRequest": "/v1/py/analyze"}


class Ran(NamedTuple):
    """What an answer was made from."""

    reading: Reading
    casts: list[ProvenanceCast]


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


def casts_of(
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
