"""Holds the files of data sets open while they are read, and notices when they change.

Between the look at a path and the reader's opening of it, somebody may put a link in its place. So each file
is opened here, step by step from the base path and through no link, and the reader is given a name for what
was opened. What a file is like is noted then, and compared once the answer is written.
"""

from __future__ import annotations

import errno
import os
import resource
import stat
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias

from airpy.errors import FileUnavailable, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from airpy.files.datasets import Dataset
    from airpy.files.paths import FileRoot

__all__ = ["States", "check_unchanged", "held", "listen", "opened_safely"]

DESCRIPTORS = Path("/proc/self/fd")
"""Where a process finds what it has open, on Linux."""
MOST_HELD = 16_384
"""Files that are held open at most; of more, the others are only compared before and after."""

STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A pipe in the place of a file would else be waited for."""
CHANGED = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}
"""What the system says of a path at which a file was a moment ago."""


class State(NamedTuple):
    """What tells one version of a file from another."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    mode: int

    @classmethod
    def of(cls, status: os.stat_result) -> State:
        """The state that the system tells."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)


States: TypeAlias = "Mapping[Path, State]"


def _ignore(states: States) -> None:
    """Nobody listens."""


_told: list[Callable[[States], None]] = [_ignore]


def listen(listener: Callable[[States], None]) -> None:
    """Have the states of what this process holds told to the listener, for the case that it dies of them."""
    _told[0] = listener


@contextmanager
def held(datasets: Iterable[Dataset], scratch: Path) -> Iterator[list[Dataset]]:
    """The data sets, their files held open until the block ends; whatever is read of them is read within.

    Raises:
        FileUnavailable: A file has changed since it was found, or did while it was read, whatever else came
            of that.
    """
    datasets = list(datasets)
    states: dict[Path, State] = {}
    places: dict[Path, Path] = {}
    most = min(MOST_HELD, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    most = most if DESCRIPTORS.is_dir() else 0
    with ExitStack() as stack:
        remotes = [dataset.remote for dataset in datasets if dataset.remote]
        for dataset in datasets:
            if dataset.remote:
                continue
            with _Walk(dataset.root) as walk:
                for path in dataset.files:
                    if path in states:
                        continue
                    descriptor = walk.open(path)
                    states[path] = State.of(os.fstat(descriptor))
                    if len(places) < most:
                        stack.callback(os.close, descriptor)
                        places[path] = _named(scratch / "held", path, dataset.root, descriptor)
                    else:
                        os.close(descriptor)
        _told[0](states)
        try:
            yield [dataset._replace(held=places) for dataset in datasets]
        finally:  # whatever came of it: what was read is not what is there
            check_unchanged(states)
            for remote in remotes:
                remote.check_unchanged()


@contextmanager
def opened_safely(root: FileRoot, path: Path) -> Iterator[Path]:
    """A name for the file that is good until the block ends, and leads nowhere else.

    Raises:
        FileUnavailable: It is no longer what was found.
        OSError: It may not be read.
    """
    with _Walk(root) as walk:
        descriptor = walk.open(path)
    try:
        yield DESCRIPTORS / str(descriptor) if DESCRIPTORS.is_dir() else path
    finally:
        os.close(descriptor)


def check_unchanged(states: States) -> None:
    """Nothing, when all files are as they were.

    Raises:
        FileUnavailable: One has changed.
    """
    for path, state in states.items():
        try:
            now = State.of(path.lstat())
        except OSError:
            raise _changed(path) from None
        if now != state:
            raise _changed(path)


def _changed(path: Path) -> FileUnavailable:
    return FileUnavailable(
        f'"{shortened(path.name)}" changed while it was read',
        constraint="files that stay as they are until the answer is there",
        reason="FILE_CHANGED",
    )


class _Walk:
    """Opens files below the base path, step by step and through no link."""

    def __init__(self, root: FileRoot) -> None:
        self._root = root
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
                raise _changed(path) from None
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _changed(path)
        return descriptor

    def _directory(self, wanted: Path) -> int:
        """The directory; the way to it is kept, as the next file is most likely near."""
        while (here := self._way[-1][0]) != wanted and here not in wanted.parents:
            os.close(self._way.pop()[1])
        for name in wanted.relative_to(here).parts:
            here = here / name
            self._way.append((here, os.open(name, STEP | os.O_NOFOLLOW, dir_fd=self._way[-1][1])))
        return self._way[-1][1]


def _named(folder: Path, path: Path, root: FileRoot, descriptor: int) -> Path:
    """A link to the descriptor, called as the file is: partitions are in its path, and messages name it."""
    link = folder / path.relative_to(root.real)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(DESCRIPTORS / str(descriptor))
    return link
