"""How a data set is opened, whatever its format: what is asked, what comes of it, its files as one frame."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from airpy.contract import Faults, ReadOptions, SchemaEvolution
from airpy.files.combining import as_one
from airpy.files.partitions import partition_columns, partition_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    import polars as pl

    from airpy.contract import ColumnEvidence, Fault, ReadingNote, TextForm
    from airpy.files.datasets import Dataset
    from airpy.files.partitions import Partition

__all__ = [
    "MOST_COMPARED",
    "Opened",
    "Opening",
    "first_rows",
    "forms_of",
    "share",
    "spread",
    "together",
]

T = TypeVar("T")

MOST_COMPARED = 64
"""Files that are looked into before many are read as one; of more, as many evenly spread ones."""


class Opening(NamedTuple):
    """How to open a data set."""

    dataset: Dataset
    options: ReadOptions
    """What the caller says of how its files are to be read."""
    infer_rows: int | None
    """Rows that decide the types of text, over all files; every row when None."""
    scratch: Path
    """Where a file that cannot be read as it is may be rewritten."""
    rows_per_file: int | None
    """How many rows of each file to read; all when None."""
    every_column: bool
    """Whether JSONL has the columns of every row."""
    partitions: Mapping[Path, Partition]
    """Every file with its partitions; the types of their columns are those of all."""
    files: Sequence[Path]
    """The files that are to be read."""
    local: Mapping[Path, Path]
    """Where the bytes of each of them are: plain, and under the same name. What is opened is this; what is
    named to the caller is the file itself."""
    careful: bool = False
    """Whether nothing is taken on trust: every text file is put into plain form before it is read."""
    head_only: bool = False
    """Whether only the first rows are to be read, so that no look at the whole of a file is worth it."""
    columns: AbstractSet[str] | None = None
    """The columns that are going to be used; all when None. What others of CSV files are is not looked at."""


def _unknown() -> Fault | None:
    """Nobody knows where."""
    return None


def _alike() -> SchemaEvolution:
    """Nothing is compared."""
    return SchemaEvolution(changes=[], files_compared=0, total_changes=0)


def _not_at_hand(rows: int) -> None:
    """They are in the files."""
    del rows


def _untold() -> tuple[ColumnEvidence, ...]:
    """Nothing speaks for types that are not made out."""
    return ()


class Opened(NamedTuple):
    """A data set as one lazy frame, and how it came to be that."""

    frame: pl.LazyFrame
    texts: tuple[TextForm, ...] = ()
    evidence: Callable[[], tuple[ColumnEvidence, ...]] = _untold
    """Why text has its types, by column, for those who ask."""
    evolution: Callable[[], SchemaEvolution] = _alike
    """How the columns differ from file to file, for those who ask."""
    distinct: Mapping[str, int] = {}
    """By column, distinct values, approximately; where every row of text was looked at for the types."""
    faults: Faults = Faults(rows_skipped=0, values_nulled=0, rows_ragged=0, examples=[])
    whole: bool = True
    """Whether all of the files is there; else as much of compressed ones as was asked for."""
    notes: tuple[ReadingNote, ...] = ()
    """What a person would want to know beside."""
    locate: Callable[[], Fault | None] = _unknown
    """Finds the first place that cannot be read, after the frame could not be."""
    head: Callable[[int], pl.LazyFrame | None] = _not_at_hand
    """So many first rows of the frame, where they have been read for the types already."""


def forms_of(texts: Iterable[TextForm]) -> tuple[TextForm, ...]:
    """How files are written, those written alike together; each of the texts is of one file."""
    forms: dict[str, TextForm] = {}
    for text in texts:
        key = text.model_copy(update={"example": ""}).model_dump_json()
        known = forms.setdefault(key, text.model_copy(update={"files": 0}))
        known.files += 1
    return tuple(forms.values())


def spread(files: Sequence[T], most: int) -> list[T]:
    """At most so many of the files, evenly spread and always the same; the first is among them."""
    if len(files) <= most:
        return list(files)
    return [files[index * len(files) // most] for index in range(most)]


def together(
    opening: Opening,
    read: Callable[[Sequence[Path]], pl.LazyFrame],
    alike: Callable[[Path], object],
) -> pl.LazyFrame:
    """The files as one frame: neighbours that are alike in one scan, and partitions as columns."""
    partitions = opening.partitions
    types = partition_types(partitions.values())

    def group_of(path: Path) -> tuple[object, ...]:
        return alike(path), partitions[path], path if opening.rows_per_file is not None else None

    groups = [list(paths) for _, paths in groupby(opening.files, group_of)]
    return as_one(
        [
            _cut(read(paths), opening).with_columns(partition_columns(partitions[paths[0]], types))
            for paths in groups
        ],
        [opening.dataset.root.shown(paths[0]) for paths in groups],
    )


def _cut(frame: pl.LazyFrame, opening: Opening) -> pl.LazyFrame:
    """As many rows of one file as were asked for."""
    return frame if opening.rows_per_file is None else frame.head(opening.rows_per_file)


def share(opening: Opening, files: Sequence[Path]) -> int | None:
    """How many rows of each of the files decide the types."""
    return None if opening.infer_rows is None else -(-opening.infer_rows // len(files))


def first_rows(frame: pl.LazyFrame, rows: int | None) -> pl.DataFrame:
    """The first rows, or all when None, as they are now."""
    return (frame if rows is None else frame.head(rows)).collect(engine="streaming")
