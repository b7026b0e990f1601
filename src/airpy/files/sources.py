"""Names the files an answer comes from: sizes, times, and fingerprints of what is in them."""

from __future__ import annotations

import datetime as dt
import hashlib
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from airpy.contract import Source, Sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from airpy.files.datasets import Dataset

__all__ = ["Seen", "fingerprint", "seen", "sources_of"]

MOST_NAMED = 100
BLOCK = 64 * 1024
BLOCKS = 16
WHOLE_BYTES = BLOCK * BLOCKS
"""Files up to this size are read in whole for their fingerprint, and as much of larger ones: a millisecond of
each."""


class Seen(NamedTuple):
    """A file as it was when it was read."""

    shown: str
    size: int
    modified: dt.datetime
    tag: str
    """What its storage tags it with, or when it changed, to the nanosecond."""
    fingerprint: str
    """Of the first files only, which are named; of others it is empty."""


def seen(datasets: Iterable[Dataset]) -> dict[Path, Seen]:
    """The files of the data sets, in their order; a file counts once."""
    files: dict[Path, Seen] = {}
    for dataset in datasets:
        for path in dataset.files:
            if path in files:
                continue
            size, modified, tag = _looked_at(dataset, path)
            digest = ""
            if len(files) < MOST_NAMED:
                digest = tag if dataset.remote else fingerprint(dataset.place(path))
            files[path] = Seen(dataset.root.shown(path), size, modified, tag, digest)
    return files


def sources_of(files: Mapping[Path, Seen]) -> Sources:
    """The first of the files, each with its fingerprint, and one of all together."""
    whole = hashlib.blake2b(digest_size=16)
    for place, file in enumerate(files.values()):
        whole.update(repr((file.shown, file.size, file.modified.timestamp(), file.tag)).encode())
        if place < MOST_NAMED:
            whole.update(file.fingerprint.encode())
    return Sources(
        files=[
            Source(
                path=file.shown,
                size_bytes=file.size,
                modified=file.modified.replace(microsecond=0),
                fingerprint=file.fingerprint,
            )
            for file in islice(files.values(), MOST_NAMED)
        ],
        total_files=len(files),
        total_size_bytes=sum(file.size for file in files.values()),
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
