"""Holds the files of data sets open while they are read, and notices when they change.

Between the look at a path and the reader's opening of it, somebody may put a link in its place. So each file
is opened here, step by step from the base path and through no link, and the reader is given a name for what
was opened. What a file is like is noted then, and compared once the answer is written.
"""

from __future__ import annotations

import os
import resource
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from airpy.files.walk import DESCRIPTORS, Walk, file_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from airpy.files.datasets import Dataset
    from airpy.files.paths import FileRoot

__all__ = ["States", "check_unchanged", "held", "listen"]

MOST_HELD = 16_384
"""Files that are held open at most; of more, the others are only compared before and after."""


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
            with Walk(dataset.root) as walk:
                for path in dataset.files:
                    if path in states:
                        continue
                    descriptor = walk.open(path)
                    states[path] = State.of(os.fstat(descriptor))
                    if len(places) < most:
                        stack.callback(os.close, descriptor)
                        places[path] = _named(f"{scratch}/held", path, dataset.root, descriptor)
                    else:
                        os.close(descriptor)
        _told[0](states)
        try:
            yield [dataset._replace(held=places) for dataset in datasets]
        finally:  # whatever came of it: what was read is not what is there
            check_unchanged(states)
            for remote in remotes:
                remote.check_unchanged()


def check_unchanged(states: States) -> None:
    """Nothing, when all files are as they were.

    Raises:
        FileUnavailable: One has changed.
    """
    for path, state in states.items():
        try:
            now = State.of(path.lstat())
        except OSError:
            raise file_changed(path.name) from None
        if now != state:
            raise file_changed(path.name)


def _named(folder: str, path: Path, root: FileRoot, descriptor: int) -> Path:
    """A link to the descriptor, called as the file is: partitions are in its path, and messages name it."""
    link = Path(folder + str(path).removeprefix(str(root.real)))
    target = f"{DESCRIPTORS}/{descriptor}"
    try:
        link.symlink_to(target)
    except FileNotFoundError:
        link.parent.mkdir(parents=True)
        link.symlink_to(target)
    except FileExistsError:  # of data sets that were held before
        link.unlink()
        link.symlink_to(target)
    return link
