"""Opens Parquet files as one lazy frame.

The engine reads them; what it does not read and Arrow does is put into a plain copy first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from airpy.contract import ReadingNote
from airpy.engine.failures import failure
from airpy.files.arrow_parquet import copied, footer_of, why_not_by_engine
from airpy.files.casting import as_type, asked_types, check_known, every_value_text
from airpy.files.evolution import evolution_of, spellings
from airpy.files.opening import Opened, spread, together
from airpy.files.partitions import partition_of, partition_types
from airpy.files.rewriting import fresh

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pyarrow.parquet as pq

    from airpy.files.opening import Opening
    from airpy.files.partitions import Partition

__all__ = ["scan_parquet"]

MOST_COMPARED = 1000
"""Files whose footers are compared; of more, that many are looked at, and all have to be alike."""


def scan_parquet(opening: Opening) -> Opened:
    """Parquet files; where their columns differ, with the columns of all and the wider types.

    Raises:
        FileUnavailable: A file is no Parquet, or damaged; or files contradict one another.
        CapExceeded: A file has too many columns.
    """
    dataset, options = opening.dataset, opening.options
    remote = dataset.remote
    files = list(opening.files)
    readable = dict(opening.local)
    schemas: dict[Path, pl.Schema] = {}
    notes: list[ReadingNote] = []
    met: list[tuple[pq.FileMetaData, pl.Schema]] = []
    for path in spread(files, MOST_COMPARED):
        if remote:
            schemas[path] = remote.scan_parquet([path]).collect_schema()
            continue
        readable[path], schemas[path], why = _known(path, opening, met)
        if why:
            notes.append(ReadingNote(file=dataset.root.shown(path), text=f"read through Arrow, since {why}"))
    asked = asked_types(options)
    known = {name for schema in schemas.values() for name in schema}
    check_known(options, known)
    wanted = {name: pl.String() for name in known} if every_value_text(options) else asked

    def read(paths: Sequence[Path]) -> pl.LazyFrame:
        if remote:
            frame = remote.scan_parquet(paths)
        else:
            frame = pl.scan_parquet([readable[path] for path in paths], glob=False, hive_partitioning=False)
        if not wanted:
            return frame
        return frame.with_columns(
            as_type(pl.nth(place), dtype, wanted[name], options.date_format)
            for place, (name, dtype) in enumerate(frame.collect_schema().items())
            if name in wanted and _castable(dtype)
        )

    shown = {dataset.root.shown(path): schema for path, schema in schemas.items()}
    alike = all(schema == schemas[files[0]] for schema in schemas.values())
    if alike and opening.rows_per_file is None and not wanted and not remote:
        partitions = {path: partition_of(dataset.directory, path) for path in files}
        if _known_to_reader(dataset.directory, partitions.values()) and not notes:
            types = partition_types(partitions.values())
            frame = pl.scan_parquet(
                [readable[path] for path in files],
                glob=False,
                hive_partitioning=bool(types),
                hive_schema=types or None,
            )
            return Opened(frame, evolution=lambda: evolution_of(shown, schemas[files[0]]))
    if len(files) > len(schemas):
        schemas = {} if alike else {path: read([path]).collect_schema() for path in files}
    frame = together(opening, read, schemas.get)
    return Opened(
        frame,
        evolution=lambda: evolution_of(shown, frame.collect_schema(), spellings(shown)),
        notes=tuple(notes[:100]),
    )


def _known(
    path: Path, opening: Opening, met: list[tuple[pq.FileMetaData, pl.Schema]]
) -> tuple[Path, pl.Schema, str | None]:
    """Where the engine reads the file from, its columns, and why that is a copy, if it is.

    The footer that was met last is remembered: most files are alike, and are asked for their columns once.
    """
    local = opening.local[path]
    footer = footer_of(local)
    why = "it was not read otherwise" if opening.careful else why_not_by_engine(local, footer)
    if why is None:
        if met and met[0][0].schema.equals(footer.schema) and met[0][0].metadata == footer.metadata:
            return local, met[0][1], None
        try:
            # `read_parquet_schema` would take a name's letters for a pattern.
            schema = pl.scan_parquet([local], glob=False, hive_partitioning=False).collect_schema()
        except BaseException as error:  # noqa: BLE001  a panic is no Exception
            why = f"the engine does not: {failure(error).message}"
        else:
            met[:] = [(footer, schema)]
            return local, schema, None
    target = fresh(opening.scratch, ".parquet")
    copied(local, target)
    return target, pl.scan_parquet([target], glob=False, hive_partitioning=False).collect_schema(), why


def _castable(dtype: pl.DataType) -> bool:
    """Whether values have one way to be another type, or text."""
    return not dtype.is_nested() and dtype != pl.Binary()


def _known_to_reader(directory: Path | None, partitions: Iterable[Partition]) -> bool:
    """Whether the Parquet reader finds these partitions, no others, and nothing odd in them.

    It looks at the whole path, so directories above the data set may not look like partitions.
    """
    distinct = list(dict.fromkeys(partitions))
    names = [sorted(name for name, _ in partition) for partition in distinct]
    plain = not any(
        set("=%\ufffd") & set(name + value) for partition in distinct for name, value in partition
    )
    once = len(set(names[0])) == len(names[0])
    return plain and once and all(each == names[0] for each in names) and "=" not in str(directory)
