"""The discover job: a directory in, a file list out."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from airpy.contract import DiscoverResult
from airpy.engine.encoding import encode_model
from airpy.engine.steps import counted
from airpy.errors import FileUnavailable
from airpy.files.datasets import Load
from airpy.files.listing import data_files, describe_file
from airpy.files.paths import resolve
from airpy.jobs.results import write_data
from airpy.jobs.work import counting

if TYPE_CHECKING:
    from airpy.contract import DiscoverRequest
    from airpy.engine.steps import OnStep
    from airpy.files.paths import FileRoot
    from airpy.jobs.context import JobContext

__all__ = ["check_discover", "discover"]


def check_discover(request: DiscoverRequest, root: FileRoot) -> Load:
    """Refuse a request that cannot be met, without reading data, and say what it will read.

    Raises:
        PathRefused: The path is not allowed.
        FileUnavailable: There is nothing there.
    """
    place = resolve(root, request.uri, "uri")
    if place.cloud is not None:
        raise FileUnavailable(
            "cloud directories cannot be listed yet",
            field="uri",
            constraint="a directory under the base path",
            reason="UNSUPPORTED",
        )
    return Load()  # what is in a directory is the question


def discover(request: DiscoverRequest, context: JobContext, *, on_step: OnStep) -> None:
    """List the data files under `uri`, at most `max_files` of them."""
    on_step("scanning_directory", f"Scanning {request.uri}")
    place = resolve(context.files, request.uri, "uri")
    found = place.files or data_files(
        context.files, place.directory or context.files.real, recurse=request.recurse
    )
    paths = list(islice(found, request.max_files + 1))
    truncated = len(paths) > request.max_files
    paths = paths[: request.max_files]
    on_step("files_found", f"Found {counted(len(paths), 'file')}, processing...")
    files = [describe_file(context.files, path) for path in counting(paths, len(paths), "files")]
    result = DiscoverResult(
        files=files,
        total_files=len(files),
        total_size_bytes=sum(file.size_bytes for file in files),
        truncated=truncated,
    )
    write_data(context.folder, encode_model(result))
    on_step("discovery_complete", "File discovery completed")
