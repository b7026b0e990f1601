"""Remembers what a look at a file has found, for as long as the file stays as it is.

Whether Polars can be trusted with a large CSV file takes a look at its every byte, and how it is written some
thousand guesses. Who asks the same file again need not pay for that again. What is remembered is in a
file, named by all that tells one version of a file from another, in a folder that workers and servers share.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import uuid
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from airpy import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import TypeAdapter

__all__ = ["YOUNG_S", "Form", "as_json", "forget", "remembered"]

YOUNG_S = 2
"""A file or directory that was changed so lately may change again, and look the same in size and time."""
KEPT_S = 7 * 86_400
MOST_BYTES = 2 * 1024**3
"""Of all that is remembered: what was measured of a large file takes some tens of megabytes."""

T = TypeVar("T")


class Form(NamedTuple, Generic[T]):
    """How what was found is kept."""

    written: Callable[[T], bytes]
    """Makes bytes of it."""
    read: Callable[[bytes], T]
    """Makes it of such bytes; ValueError where they say nothing of the kind."""


def as_json(kind: TypeAdapter[T]) -> Form[T]:
    """The form of what JSON has."""
    return Form(kind.dump_json, kind.validate_json)


def remembered(memory: Path | None, path: Path, question: str, look: Callable[[], T], form: Form[T]) -> T:
    """What the look at the file finds, or what it found before.

    Args:
        memory: The folder; None where nothing is remembered.
        path: The file.
        question: What is looked for, with all that the answer depends on beside the file.
        look: Looks at the file.
        form: Writes and reads what it finds.
    """
    status = path.stat()
    if memory is None or time.time() - status.st_mtime < YOUNG_S:
        return look()
    version = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    key = repr((__version__, version, question))  # another version of ours may find something else
    place = memory / hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
    with contextlib.suppress(OSError, ValueError):
        return form.read(place.read_bytes())
    found = look()
    with contextlib.suppress(OSError):  # a full disk costs another look
        memory.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f"{place.name}.{uuid.uuid4().hex}")
        fresh.write_bytes(form.written(found))
        fresh.replace(place)
    return found


def forget(memory: Path, most_bytes: int = MOST_BYTES) -> None:
    """Remove what was remembered a week ago, and the oldest of what is too much."""
    found: list[tuple[float, int, Path]] = []
    with contextlib.suppress(FileNotFoundError):
        for place in memory.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another worker forgets too
                status = place.stat()
                found.append((status.st_mtime, status.st_size, place))
    kept, old = 0, time.time() - KEPT_S
    for changed, size, place in sorted(found, reverse=True):
        kept += size
        if changed < old or kept > most_bytes:
            place.unlink(missing_ok=True)
