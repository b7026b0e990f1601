"""Names the files an answer comes from: sizes, times, and fingerprints of what is in them."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

from airpy.contract import Source, Sources

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from airpy.files.datasets import Dataset

__all__ = ["fingerprint", "sources_of"]

MOST_NAMED = 100
BLOCK = 64 * 1024
BLOCKS = 16
WHOLE_BYTES = BLOCK * BLOCKS
"""Files up to this size are read in whole for their fingerprint, and as much of larger ones: a millisecond of
each."""


def sources_of(datasets: Iterable[Dataset]) -> Sources:
    """The files of the data sets, each with its fingerprint, and one of all together; a file counts once."""
    files: dict[Path, Source] = {}
    sizes: dict[Path, int] = {}
    whole = hashlib.blake2b(digest_size=16)
    for dataset in datasets:
        for path in dataset.files:
            if path in sizes:
                continue
            size, modified, tag = _looked_at(dataset, path)
            sizes[path] = size
            shown = dataset.root.shown(path)
            whole.update(repr((shown, size, modified.timestamp(), tag)).encode())
            if len(files) < MOST_NAMED:
                files[path] = Source(
                    path=shown,
                    size_bytes=size,
                    modified=modified.replace(microsecond=0),
                    fingerprint=tag if dataset.remote else fingerprint(dataset.place(path)),
                )
                whole.update(files[path].fingerprint.encode())
    return Sources(
        files=list(files.values()),
        total_files=len(sizes),
        total_size_bytes=sum(sizes.values()),
        fingerprint=whole.hexdigest(),
    )


def _looked_at(dataset: Dataset, path: Path) -> tuple[int, dt.datetime, str]:
    """Size and time of a file, and what its storage tags it with, where it does."""
    if dataset.remote:
        found = dataset.remote.objects[path]
        return found.size, found.modified, found.tag.strip('"')
    status = dataset.place(path).stat()
    return status.st_size, dt.datetime.fromtimestamp(status.st_mtime, dt.UTC), str(status.st_mtime_ns)


def fingerprint(path: Path) -> str:
    """32 hexadecimal digits that change with the content, or with blocks spread over a large file."""
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        if size <= WHOLE_BYTES:
            digest.update(file.read())
        else:
            for place in range(BLOCKS):
                file.seek(place * (size - BLOCK) // (BLOCKS - 1))
                digest.update(file.read(BLOCK))
    return digest.hexdigest()
