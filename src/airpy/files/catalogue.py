"""Lists the files under a directory, and remembers them for as long as none of its directories changes.

A look at ten thousand names costs a fifth of a second; one at the times of their directories, a few
milliseconds. What was reached through a link is looked up each time, since a link may lead elsewhere without
a change of any directory here.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from airpy.files.formats import format_of, is_hidden
from airpy.files.listing import data_files
from airpy.files.memory import YOUNG_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airpy.contract import FileFormat
    from airpy.files.paths import FileRoot

__all__ = ["Listing", "listed"]

MOST_REMEMBERED = 200_000
"""Files, over all listings."""


class Directory(NamedTuple):
    """What tells one state of a directory from another."""

    path: str
    device: int
    inode: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def now(cls, path: str) -> Directory:
        """The state it is in."""
        found = os.lstat(path)
        return cls(path, found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)

    @property
    def is_unchanged(self) -> bool:
        """Whether it still is in this state; no time of it changes without the second of them."""
        found = os.lstat(self.path)
        return (found.st_ctime_ns, found.st_ino, found.st_dev) == (self.ctime_ns, self.inode, self.device)


@dataclass(frozen=True)
class Listing:
    """The data files under a directory, in path order."""

    files: tuple[Path, ...]
    directories: tuple[Directory, ...] = ()
    """Every directory that was looked into; none where that is not enough to tell a change."""

    @cached_property
    def by_format(self) -> dict[FileFormat, tuple[Path, ...]]:
        """The same by their format."""
        return by_format(self.files)


def by_format(files: Iterable[Path]) -> dict[FileFormat, tuple[Path, ...]]:
    """The files by their format, in the order of the formats' names."""
    found: dict[FileFormat, list[Path]] = {}
    for path in files:
        found.setdefault(format_of(path), []).append(path)
    return {form: tuple(found[form]) for form in sorted(found)}


def listed(root: FileRoot, directory: Path) -> Listing:
    """The data files under the directory, as `data_files` lists them.

    Raises:
        FileUnavailable: A directory cannot be read.
    """
    key = (root.real, root.extensions, directory)
    with _lock:
        known = _remembered.get(key)
    if known is not None and _unchanged(known):
        with _lock:
            if key in _remembered:
                _remembered.move_to_end(key)
        return known
    found = _looked_up(root, directory)
    with _lock:
        _remembered.pop(key, None)
        if found.directories and len(found.files) <= MOST_REMEMBERED:
            _remembered[key] = found
        while sum(len(each.files) for each in _remembered.values()) > MOST_REMEMBERED:
            _remembered.popitem(last=False)
    return found


_remembered: OrderedDict[tuple[Path, tuple[str, ...], Path], Listing] = OrderedDict()
_lock = Lock()


def _unchanged(listing: Listing) -> bool:
    try:
        return all(each.is_unchanged for each in listing.directories)
    except OSError:
        return False


def _looked_up(root: FileRoot, directory: Path) -> Listing:
    directories: list[Directory] = []
    files: list[Path] = []
    pending: list[Iterator[os.DirEntry[str]]] = []
    try:
        pending.append(_entered(str(directory), directories))
        while pending:
            entry = next(pending[-1], None)
            if entry is None:
                pending.pop()
            elif is_hidden(entry.name):
                continue
            elif entry.is_symlink():
                return Listing(tuple(data_files(root, directory)))
            elif entry.is_dir():
                pending.append(_entered(entry.path, directories))
            elif entry.is_file() and root.allows(Path(entry.name)):
                files.append(Path(entry.path))
    except OSError:  # which directory, and what to do about it, the other tells
        return Listing(tuple(data_files(root, directory)))
    young = (time.time() - YOUNG_S) * 1e9
    settled = all(each.mtime_ns < young and each.ctime_ns < young for each in directories)
    return Listing(tuple(files), tuple(directories) if settled else ())


def _entered(path: str, directories: list[Directory]) -> Iterator[os.DirEntry[str]]:
    """The entries of a directory by their names; its state is noted before they are looked at."""
    directories.append(Directory.now(path))
    with os.scandir(path) as found:
        return iter(sorted(found, key=lambda entry: entry.name))
