"""Opens files below the base path, step by step and through no link."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from airpy.errors import FileUnavailable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airpy.files.paths import FileRoot

__all__ = ["DESCRIPTORS", "Walk", "file_changed", "opened_safely"]

DESCRIPTORS = Path("/proc/self/fd")
"""Where a process finds what it has open, on Linux."""
STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A pipe in the place of a file would else be waited for."""
CHANGED = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}
"""What the system says of a path at which a file was a moment ago."""


class Walk:
    """Opens files below the base path, step by step and through no link."""

    def __init__(self, root: FileRoot) -> None:
        self._way = [(root.real, os.open(root.real, STEP))]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._way:
            os.close(self._way.pop()[1])

    def open(self, path: Path) -> int:
        """A descriptor of the file, for reading.

        Raises:
            FileUnavailable: It is not the plain file any more that was found here.
            OSError: It may not be read.
        """
        try:
            descriptor = os.open(path.name, FILE, dir_fd=self._directory(path.parent))
        except OSError as error:
            if error.errno in CHANGED:
                raise file_changed(path.name) from None
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise file_changed(path.name)
        return descriptor

    def _directory(self, wanted: Path) -> int:
        """The directory; the way to it is kept, as the next file is most likely near."""
        if self._way[-1][0] == wanted:
            return self._way[-1][1]
        while (here := self._way[-1][0]) != wanted and here not in wanted.parents:
            os.close(self._way.pop()[1])
        for name in wanted.relative_to(here).parts:
            here = here / name
            self._way.append((here, os.open(name, STEP | os.O_NOFOLLOW, dir_fd=self._way[-1][1])))
        return self._way[-1][1]


@contextmanager
def opened_safely(walk: Walk, path: Path) -> Iterator[Path]:
    """A name for the file that is good until the block ends, and leads nowhere else.

    Raises:
        FileUnavailable: It is no longer what was found.
        OSError: It may not be read.
    """
    descriptor = walk.open(path)
    try:
        yield DESCRIPTORS / str(descriptor) if DESCRIPTORS.is_dir() else path
    finally:
        os.close(descriptor)


def file_changed(name: str) -> FileUnavailable:
    """The error for a file that is not what it was."""
    return FileUnavailable(
        f'"{shortened(name)}" changed while it was read',
        constraint="files that stay as they are until the answer is there",
        reason="FILE_CHANGED",
    )
