"""The discover job: a directory in, a file list out."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from airpy.contract import DiscoverResult
from airpy.engine.encoding import encode_model
from airpy.engine.steps import counted
from airpy.errors import FileUnavailable, shortened
from airpy.files.datasets import Load, objects_at
from airpy.files.listing import data_files, describe_file, describe_object
from airpy.files.paths import resolve
from airpy.files.walk import Walk
from airpy.jobs.results import write_data
from airpy.jobs.work import counting

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from airpy.contract import DiscoverRequest
    from airpy.engine.steps import OnStep
    from airpy.files.cloud import Remote
    from airpy.files.paths import FileRoot, Place
    from airpy.jobs.context import JobContext

__all__ = ["check_discover", "discover"]

MOST_UNREADABLE = 100


def check_discover(request: DiscoverRequest, root: FileRoot) -> Load:
    """Refuse a request that cannot be met, without reading data, and say what it will read.

    Raises:
        PathRefused: The path is not allowed.
        FileUnavailable: There is nothing there.
    """
    resolve(root, request.uri, "uri")
    return Load()  # what is in a directory is the question


def discover(request: DiscoverRequest, context: JobContext, *, on_step: OnStep) -> None:
    """List the data files under `uri`, at most `max_files` of them."""
    on_step("scanning_directory", f"Scanning {request.uri}")
    place = resolve(context.files, request.uri, "uri")
    unreadable: list[Path] = []
    remote = objects_at(context.files, place.cloud, recurse=request.recurse) if place.cloud else None
    if remote is not None:
        found: Iterable[Path] = _some(remote, place)
    else:
        found = place.files or data_files(
            context.files,
            place.directory or context.files.real,
            recurse=request.recurse,
            unreadable=unreadable.append,
        )
    paths = list(islice(found, request.max_files + 1))
    truncated = len(paths) > request.max_files
    paths = paths[: request.max_files]
    on_step("files_found", f"Found {counted(len(paths), 'file')}, processing...")
    with Walk(context.files) as walk:
        files = [
            describe_object(context.files, path, remote.objects[path])
            if remote
            else describe_file(context.files, path, walk)
            for path in counting(paths, len(paths), "files")
        ]
    result = DiscoverResult(
        files=files,
        total_files=len(files),
        total_size_bytes=sum(file.size_bytes for file in files),
        truncated=truncated,
        unreadable=[context.files.shown(path) for path in unreadable[:MOST_UNREADABLE]],
    )
    write_data(context.folder, encode_model(result))
    on_step("discovery_complete", "File discovery completed")


def _some(remote: Remote, place: Place) -> Iterable[Path]:
    """The objects of what is there; a prefix without one is no directory.

    Raises:
        FileUnavailable: There are none.
    """
    if not remote.objects:
        raise FileUnavailable(
            f'there is no data file at "{shortened(place.name)}"',
            field="uri",
            constraint="an object, or a prefix of some",
            reason="FILE_MISSING",
        )
    return remote.objects
