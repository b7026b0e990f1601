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
BLOCKS = 64
WHOLE_BYTES = 16 * 1024 * 1024
"""Files up to this size are read in whole for their fingerprint."""


def sources_of(datasets: Iterable[Dataset]) -> Sources:
    """The files of the data sets, each with its fingerprint, and one of all together."""
    files: list[Source] = []
    count = size = 0
    whole = hashlib.blake2b(digest_size=16)
    for dataset in datasets:
        for path in dataset.files:
            status = path.stat()
            count += 1
            size += status.st_size
            if len(files) < MOST_NAMED:
                files.append(
                    Source(
                        path=dataset.root.shown(path),
                        size_bytes=status.st_size,
                        modified=dt.datetime.fromtimestamp(status.st_mtime_ns // 1_000_000_000, dt.UTC),
                        fingerprint=fingerprint(path),
                    )
                )
                whole.update(files[-1].fingerprint.encode())
            else:
                whole.update(repr((status.st_size, status.st_mtime_ns, status.st_ino)).encode())
    return Sources(files=files, total_files=count, total_size_bytes=size, fingerprint=whole.hexdigest())


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
