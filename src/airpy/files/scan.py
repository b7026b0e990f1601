"""Opens CSV, Parquet and JSONL files as lazy frames.

A scan reads nothing that the plan does not need: filters and projections reach into it. What a text file
holds is decided here, from its first rows, and never left to the reader's own guess; a later value that
contradicts the decision fails the job. Paths are handed over as names, never as patterns or URLs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from airpy.contract import ReadOptions
from airpy.files.compression import unpacked
from airpy.files.content import check_content, check_packed
from airpy.files.copies import Copies, Wish
from airpy.files.delimited import scan_csv
from airpy.files.formats import compression_of
from airpy.files.gates import check_columns, check_lines
from airpy.files.json_lines import scan_jsonl
from airpy.files.opening import Opened, Opening
from airpy.files.parquet import scan_parquet
from airpy.files.partitions import partition_of, passing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from airpy.contract import FileFormat, Filter
    from airpy.files.datasets import Dataset

__all__ = ["SCANS", "scan"]

UTC = ZoneInfo("UTC")
AS_FOUND = ReadOptions()

SCANS: dict[FileFormat, Callable[[Opening], Opened]] = {
    "csv": scan_csv,
    "parquet": scan_parquet,
    "jsonl": scan_jsonl,
}


def scan(  # noqa: PLR0913  each says one thing of how to open it
    dataset: Dataset,
    options: ReadOptions | None = None,
    *,
    infer_rows: int,
    scratch: Path,
    rows_per_file: int | None = None,
    every_column: bool = True,
    filters: Sequence[Filter] = (),
    timezone: ZoneInfo = UTC,
    careful: bool = False,
    head_only: bool = False,
    most_unpacked: int | None = None,
    columns: AbstractSet[str] | None = None,
    copied: bool = False,
) -> Opened:
    """The data set as one lazy frame, in the order of its files.

    Args:
        dataset: The files.
        options: What the caller says of how they are to be read; the rest is found out.
        infer_rows: Rows that decide the types of text, over all files; 0 for every row;
            where the options do not say.
        scratch: A directory for files that must be rewritten first; the caller removes it.
        rows_per_file: How many rows of each file to read; all when None.
        every_column: Whether JSONL has the columns of every row, which costs a pass over it; else of the
            first `infer_rows` rows of each file, and what else later rows hold is not there.
        filters: Files whose partitions cannot pass these are not opened; their rows the caller filters.
        timezone: Where times in the filters are that carry no offset.
        careful: Whether nothing is taken on trust: every text file is put into plain form first.
        head_only: Whether only the first rows are going to be read.
        most_unpacked: How many bytes of text to fetch and to unpack; all when None. What comes after them, in
            the order of the files, is not there, and `whole` is false.
        columns: The columns that are going to be used; all when None. Types of others are not made out.
        copied: Whether a copy may be read in place of text, if there is one.

    Raises:
        FileUnavailable: A file is empty or damaged, its encoding is unknown, or files contradict one another.
        CapExceeded: A compressed file becomes too large.
    """
    options = options or AS_FOUND
    rows = infer_rows if options.infer_rows is None else options.infer_rows
    partitions = {path: partition_of(dataset.directory, path) for path in dataset.files}
    if (
        copied
        and not careful
        and (copy := _copy(dataset, options, infer_rows, scratch, every_column=every_column))
    ):
        return copy
    local, whole = _local(
        dataset, passing(partitions, filters, timezone), options.skip or 0, scratch, most_unpacked
    )
    opened = SCANS[dataset.format](
        Opening(
            dataset,
            options,
            rows or None,
            scratch,
            rows_per_file,
            every_column,
            partitions,
            list(local),
            local,
            careful,
            head_only,
            columns,
        )
    )
    return opened._replace(whole=opened.whole and whole)


def _copy(
    dataset: Dataset, options: ReadOptions, infer_rows: int, scratch: Path, *, every_column: bool
) -> Opened | None:
    """The data set from its copy; where there is none, one is wished for.

    Where files are in partitions, a filter may leave some out, and the others decide the types; where rows
    may be left out, it is the columns that are used which decide that.
    """
    folder, left_out = dataset.root.copies, options.on_error not in {None, "fail"}
    if folder is None or dataset.format == "parquet" or dataset.remote or left_out:
        return None
    if any(partition_of(dataset.directory, path) for path in dataset.files):
        return None
    copies = Copies(folder)
    key = copies.key(dataset, options, infer_rows, every_column=every_column)
    found = None if key is None else copies.find(key, scratch)
    if key is not None and found is None:
        directory = None if dataset.directory is None else str(dataset.directory)
        read = options.model_dump(mode="json", exclude_none=True)
        files = list(map(str, dataset.files))
        copies.wish(key, Wish(dataset.name, dataset.format, files, directory, read, infer_rows, every_column))
    return found


def _local(
    dataset: Dataset, files: Sequence[Path], skip: int, scratch: Path, most_unpacked: int | None
) -> tuple[dict[Path, Path], bool]:
    """Where the plain bytes of each file are, fit for a reader; and whether those are all of them."""
    local: dict[Path, Path] = {}
    left = most_unpacked
    for path in files:
        if left is not None and left <= 0:
            return local, False
        local[path] = dataset.place(path)
        whole = True
        if dataset.remote:
            if dataset.format == "parquet":
                continue  # its reader asks for the ranges that it needs
            local[path], whole = dataset.remote.fetched(path, scratch / "fetched", left)
        if compression_of(path):
            check_packed(local[path], path.name)
            local[path], whole = unpacked(local[path], path.name, scratch / "unpacked", left)
        if left is not None and (dataset.remote or compression_of(path)):
            left -= local[path].stat().st_size
        check_content(local[path], path.name, dataset.format)
        if dataset.format != "parquet":
            check_lines(local[path], path.name)
        if dataset.format == "csv":
            check_columns(local[path], path.name, skip)
        if not whole:
            return local, False
    return local, True
