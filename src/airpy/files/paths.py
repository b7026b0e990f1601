"""Resolves a requested path inside the base path, or refuses it.

No reader ever sees the caller's string. What it names is found here, checked to lie under the base path
after every link is followed, and handed on as plain paths; a pattern is expanded here too. A name that
exists is that file, whatever pattern it might also be.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import stat
from contextlib import suppress
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from airpy.errors import FileUnavailable, PathRefused, did_you_mean, listed, nearest, shortened
from airpy.files.access import Access
from airpy.files.formats import extension_of, is_hidden

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CLOUD_SCHEMES",
    "Entry",
    "FileRoot",
    "Place",
    "contained",
    "entries",
    "is_pattern",
    "locate",
    "neighbours",
    "resolve",
]

CLOUD_SCHEMES = ("s3", "gs", "az")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
MOST_BYTES = 4096
MOST_MATCHES = 100_000
MOST_COMPARED_NAMES = 10_000
"""Names of a directory that a misspelt one is compared with."""


class FileRoot(NamedTuple):
    """Where data sets may lie, and what they may be."""

    base: Path
    """The base path as the caller knows it."""
    real: Path
    """The same with every link followed."""
    extensions: tuple[str, ...]
    """Allowed extensions, in lower case with their dot."""
    cloud_prefixes: tuple[str, ...] = ()
    """What a cloud URI must begin with; none is allowed when there are none."""

    access: Access = Access()
    """How cloud storage is reached."""

    memory: Path | None = None
    """Where it is remembered what a look at a file has found; None when it is not."""

    copies: Path | None = None
    """Where copies of large text files are; None when there are none."""

    @classmethod
    def at(
        cls,
        base: Path,
        extensions: tuple[str, ...],
        cloud_prefixes: tuple[str, ...] = (),
        access: Access = Access(),  # noqa: B008  it is frozen
        memory: Path | None = None,
        copies: Path | None = None,
    ) -> Self:
        """The root at this base path."""
        base = Path(os.path.abspath(base))  # noqa: PTH100  `resolve` would follow links
        return cls(base, base.resolve(), extensions, cloud_prefixes, access, memory, copies)

    def shown(self, path: Path) -> str:
        """A path under the base path, or one that stands for an object, as the caller knows it."""
        if not path.is_absolute():
            scheme, *parts = path.parts
            return f"{scheme}//{'/'.join(parts)}"
        return str(self.base / path.relative_to(self.real))

    def allows(self, path: Path) -> bool:
        """Whether the file's extension is allowed, in capitals too, and compressed if it is one of text."""
        return extension_of(path) in self.extensions


class Place(NamedTuple):
    """What a request's path turned out to name: a directory, files, or a cloud URI."""

    name: str
    """Its last part, for messages."""
    directory: Path | None = None
    """The directory, or the fixed part of a pattern."""
    files: tuple[Path, ...] = ()
    """The file, or those that match the pattern."""
    cloud: str | None = None


class Entry(NamedTuple):
    """A file or directory in a directory."""

    name: str
    path: Path
    """Where it really is, every link followed."""
    is_directory: bool


def resolve(root: FileRoot, requested: str, field: str) -> Place:
    """The directory, files or allowed cloud URI that the request names, every link followed.

    Raises:
        PathRefused: It lies outside the base path, or its extension or scheme is not allowed.
        FileUnavailable: There is no such file, or it is no plain file.
    """
    place = locate(root, requested, field)
    if place is None:
        relative = _relative(root, requested, field)
        if relative.suffix and not (root.allows(relative) or is_pattern(str(relative))):
            raise _extension_refused(root, relative, field)
        raise _missing(root, relative, field)
    if (
        place.directory is None
        and place.cloud is None
        and not all(map(root.allows, (Path(place.name), *place.files)))
    ):
        raise _extension_refused(root, Path(place.name), field)
    return place


def locate(root: FileRoot, requested: str, field: str) -> Place | None:
    """As `resolve`, but nothing for what is not there, and a file whatever its extension.

    Raises:
        PathRefused: It lies outside the base path, its scheme is not allowed, or it is a pattern that
            matches too many files.
        FileUnavailable: It is no plain file.
    """
    _check_characters(requested, field)
    scheme = SCHEME.match(requested)
    if scheme and scheme[1].lower() != "file":
        return _cloud(root, requested, scheme[1].lower(), field)
    relative = _relative(root, requested, field)
    name = relative.name or root.base.name
    real = contained(root, root.real / relative)
    if real is None:
        raise _outside(field)
    if not os.path.exists(real):  # noqa: PTH110  pathlib raises on a name too long to exist
        return _matches(root, relative, field) if is_pattern(str(relative)) else None
    mode = real.stat().st_mode
    if stat.S_ISDIR(mode):
        return Place(name, directory=real)
    if not stat.S_ISREG(mode):
        raise FileUnavailable(
            f'"{shortened(name)}" is neither a file nor a directory',
            field=field,
            constraint="a plain file or a directory",
            reason="UNSUPPORTED",
        )
    return Place(name, files=(real,))


def entries(root: FileRoot, directory: Path, *, hidden: bool = False) -> Iterator[Entry]:
    """The files and directories in a directory, in order of their names.

    Links are followed, and those that lead outside the base path left out. So are hidden names and those
    that begin with `_`, unless asked for: writers of data sets leave their notes there.

    Raises:
        FileUnavailable: The directory cannot be read.
    """
    try:
        with os.scandir(directory) as found:
            ordered = sorted(found, key=lambda entry: entry.name)
    except OSError:
        raise FileUnavailable(
            f'the directory "{shortened(directory.name)}" may not be read by this service',
            constraint="a directory that can be read",
        ) from None
    for entry in ordered:
        if is_hidden(entry.name) and not hidden:
            continue
        if entry.is_symlink():
            yield from _entry(root, directory, entry.name)
        elif entry.is_dir() or entry.is_file():
            yield Entry(entry.name, Path(entry.path), entry.is_dir())


def neighbours(root: FileRoot, directory: Path) -> list[Entry]:
    """The data files and directories that a misspelt name in the directory may have meant."""
    with suppress(FileUnavailable):
        known = (entry for entry in entries(root, directory) if entry.is_directory or root.allows(entry.path))
        return list(islice(known, MOST_COMPARED_NAMES))
    return []


def is_pattern(text: str) -> bool:
    """Whether the text has a glob's letters."""
    return glob.has_magic(text)


def contained(root: FileRoot, path: Path) -> Path | None:
    """The path with every link followed, if that lies under the base path; else nothing.

    Raises:
        FileUnavailable: Something on the way was replaced at this very moment.
    """
    try:
        real = Path(os.path.realpath(path))
    except OSError:  # what was a link is none any more
        raise FileUnavailable(
            f'"{shortened(path.name)}" changed while it was looked up',
            constraint="files that stay as they are until the answer is there",
            reason="FILE_CHANGED",
        ) from None
    return real if real == root.real or root.real in real.parents else None


def _missing(root: FileRoot, relative: Path, field: str) -> FileUnavailable:
    """The error for a path that is not there, or a pattern without a match, with the nearest names."""
    parent = contained(root, root.real / relative.parent)
    beside = neighbours(root, parent) if parent is not None else []
    close = nearest(relative.name, [entry.name for entry in beside])
    what = "data file that matches" if is_pattern(str(relative)) else "such thing under the base path as"
    return FileUnavailable(
        f'there is no {what} "{shortened(str(relative))}"{did_you_mean(close)}',
        field=field,
        constraint="an existing file or directory",
        suggestion=[str(relative.parent / name) for name in close],
        reason="FILE_MISSING",
    )


def _check_characters(requested: str, field: str) -> None:
    try:
        encoded = requested.encode()
    except UnicodeEncodeError:
        encoded = b"\0"
    if len(encoded) > MOST_BYTES:
        raise PathRefused(
            "the path is too long", field=field, constraint=f"at most {MOST_BYTES} bytes of UTF-8"
        )
    if any(letter < " " or letter in "\x7f\\" for letter in requested) or encoded == b"\0":
        raise PathRefused(
            "the path has a character that no path here has",
            field=field,
            constraint="no control characters, no backslashes, valid Unicode",
        )


def _from_file_uri(requested: str, field: str) -> str:
    try:
        parts = urlsplit(requested)
    except ValueError:  # a host that is no host
        parts = None
    if parts is None or parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
        raise PathRefused(
            "a file:// URI names no host, no query and no fragment",
            field=field,
            constraint="file:///… under the base path",
        )
    path = unquote(parts.path)
    _check_characters(path, field)
    return path


def _relative(root: FileRoot, requested: str, field: str) -> Path:
    """The path below the base path that the request spells, whether or not it is there."""
    return _below_base(
        root, _from_file_uri(requested, field) if SCHEME.match(requested) else requested, field
    )


def _below_base(root: FileRoot, requested: str, field: str) -> Path:
    """The path relative to the base path, judged by its letters alone."""
    path = Path(requested)
    if ".." in path.parts:
        raise _outside(field)
    if not path.is_absolute():
        return path
    for base in (root.base, root.real):
        if path == base or base in path.parents:
            return path.relative_to(base)
    raise _outside(field)


def _cloud(root: FileRoot, requested: str, scheme: str, field: str) -> Place:
    if scheme not in CLOUD_SCHEMES:
        raise PathRefused(
            f'the scheme "{shortened(scheme)}" is not allowed',
            field=field,
            constraint=f"a path, file://, or one of: {listed(name + '://' for name in CLOUD_SCHEMES)}",
        )
    # Whoever reads the URI takes %2e%2e for a step up, and objects below an empty name are none of ours.
    parts = unquote(requested.partition("://")[2]).rstrip("/").split("/")
    inside = f"{requested.rstrip('/')}/".startswith(root.cloud_prefixes or "\0")
    if {".", "..", ""}.intersection(parts) or not inside:
        raise PathRefused(
            "the URI lies under no allowed cloud prefix",
            field=field,
            constraint=f"PY_CLOUD_PREFIXES: {listed(root.cloud_prefixes) or 'none'}",
        )
    name = Path(requested.rstrip("/").rpartition("/")[2])
    if name.suffix and not (root.allows(name) or requested.endswith("/") or is_pattern(requested)):
        raise _extension_refused(root, name, field)
    return Place(name.name, cloud=requested)


def _matches(root: FileRoot, relative: Path, field: str) -> Place | None:
    """The data files that match a pattern, links out of the base path left out."""
    fixed = root.real.joinpath(*takewhile(lambda part: not is_pattern(part), relative.parts))
    found = {path for path in _expanded(root, relative.parts) if root.allows(path)}
    if len(found) > MOST_MATCHES:
        raise PathRefused(
            f"more than {MOST_MATCHES:,} files match the pattern",
            field=field,
            constraint=f"a pattern that matches at most {MOST_MATCHES:,} files",
        )
    return Place(relative.name, contained(root, fixed), tuple(sorted(found))) if found else None


def _expanded(root: FileRoot, pattern: tuple[str, ...]) -> Iterator[Path]:
    """The files that match a pattern, given by its parts; `**` stands for any number of directories.

    Python's own glob would follow links out of the base path, and walk in circles where they are loops.
    """
    waiting = [(root.real, pattern)]
    seen = set(waiting)
    while waiting:
        directory, (part, *rest) = waiting.pop()
        onward: list[tuple[Path, tuple[str, ...]]] = []
        if part == "**" and rest:
            onward.append((directory, tuple(rest)))
        for entry in _matching(root, directory, part):
            if entry.is_directory and (rest or part == "**"):
                onward.append((entry.path, (part, *rest) if part == "**" else tuple(rest)))
            elif not entry.is_directory and not rest:
                yield entry.path
        for step in onward:
            if step not in seen:
                seen.add(step)
                waiting.append(step)


def _matching(root: FileRoot, directory: Path, part: str) -> Iterator[Entry]:
    """What is in the directory and matches one part of a pattern."""
    if is_pattern(part):
        for entry in entries(root, directory, hidden=is_hidden(part)):
            if fnmatch.fnmatchcase(entry.name, part):
                yield entry
    else:
        yield from _entry(root, directory, part)


def _entry(root: FileRoot, directory: Path, name: str) -> Iterator[Entry]:
    """What the name means in the directory, if that is a file or directory under the base path."""
    path = contained(root, directory / name)
    # pathlib raises on a loop of links, and on a name too long to exist.
    if path is not None and (os.path.isdir(path) or os.path.isfile(path)):  # noqa: PTH112, PTH113
        yield Entry(name, path, path.is_dir())


def _outside(field: str) -> PathRefused:
    return PathRefused(
        "the path leads outside the base path",
        field=field,
        constraint="a path under PY_BASE_PATH, without ..",
    )


def _extension_refused(root: FileRoot, path: Path, field: str) -> PathRefused:
    return PathRefused(
        f'"{shortened(path.name)}" has no allowed extension',
        field=field,
        constraint=f"one of: {listed(root.extensions)}",
        reason="EXTENSION_NOT_ALLOWED",
        suggestion=[path.stem + extension for extension in root.extensions] if path.suffix else [],
    )
