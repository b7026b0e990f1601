"""What a job is given beside its request: frames that came with it, and results that it names by token.

All of it lies in one folder, `input-{id}`, under names that say where in the request it belongs and in which
form it is: `frame_ref.data.arrow`, `body.arrow`, `token.parquet`, `baseline.token.state`. A result has a link
of its own there, so that it does not expire under the job.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import uuid
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from airpy.engine.failures import failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping

__all__ = ["INPUT", "Given", "Received", "keep", "received", "remove"]

INPUT = "input-"
"""What the names of inputs begin with."""
WRITTEN_AT_ONCE = 1 << 20
"""Bytes of a body; each write costs a change of threads."""

Given: TypeAlias = bytes | Path
"""What was sent, or a file that is kept by a link."""


class Received(NamedTuple):
    """A body that was written to a file."""

    path: Path
    digest: str
    """The SHA-256 of its bytes, in hexadecimal digits."""


def keep(results: Path, given: Mapping[str, Given]) -> str:
    """Keep all that is given in a new folder under the results, each under its name, and give the folder's.

    Raises:
        OSError: It cannot be kept; nothing is then. FileNotFoundError where a file that was to be is gone.
    """
    folder = _fresh(results)
    folder.mkdir(parents=True)
    try:
        for name, what in given.items():
            if isinstance(what, bytes):
                (folder / name).write_bytes(what)
            else:
                _link(what, folder / name)
    except OSError:
        remove(folder)
        raise
    return folder.name


def remove(place: Path) -> None:
    """Remove an input, if it is there: a folder, or the file that a body was written to."""
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


@asynccontextmanager
async def received(parts: AsyncIterable[bytes], results: Path) -> AsyncIterator[Received]:
    """The parts of a body in a file under the results, which is gone afterwards.

    Memory holds a MiB of it. What is raised by `parts` comes through.

    Raises:
        AirError: It cannot be written.
    """
    path, digest = _fresh(results), hashlib.sha256()
    held: list[bytes] = []
    size = 0

    def write() -> None:
        try:
            with path.open("ab") as file:
                file.writelines(held)
        except OSError as error:
            raise failure(error) from error
        for part in held:
            digest.update(part)

    try:
        async for part in parts:
            held.append(part)
            size += len(part)
            if size >= WRITTEN_AT_ONCE:
                await asyncio.to_thread(write)
                held.clear()
                size = 0
        await asyncio.to_thread(write)
        yield Received(path, digest.hexdigest())
    finally:
        with suppress(OSError):  # a sweep removes it later
            path.unlink()


def _fresh(results: Path) -> Path:
    return results / f"{INPUT}{uuid.uuid4().hex}"


def _link(source: Path, target: Path) -> None:
    """Have the file under another name too; a copy of it where the file system has no such links."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
