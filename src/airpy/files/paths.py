"""Resolves a requested path inside the base path, or refuses it.

No reader ever sees the caller's string. What it names is found here, checked to lie under the base path
after every link is followed, and handed on as plain paths; a pattern is expanded here too. A name that
exists is that file, whatever pattern it might also be.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

from airpy.errors import FileUnavailable, PathRefused, did_you_mean, listed, nearest, shortened

__all__ = ["CLOUD_SCHEMES", "FileRoot", "Place", "contained", "is_pattern", "locate", "resolve"]

CLOUD_SCHEMES = ("s3", "gs", "az")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
MOST_BYTES = 4096
MOST_MATCHES = 100_000


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

    @classmethod
    def at(cls, base: Path, extensions: tuple[str, ...], cloud_prefixes: tuple[str, ...] = ()) -> Self:
        """The root at this base path."""
        base = Path(os.path.abspath(base))  # noqa: PTH100  `resolve` would follow links
        return cls(base, base.resolve(), extensions, cloud_prefixes)

    def shown(self, path: Path) -> str:
        """A path under the base path, as the caller knows it."""
        return str(self.base / path.relative_to(self.real))

    def allows(self, path: Path) -> bool:
        """Whether the file's extension is allowed, in capitals too."""
        return path.suffix.lower() in self.extensions


class Place(NamedTuple):
    """What a request's path turned out to name: a directory, files, or a cloud URI."""

    name: str
    """Its last part, for messages."""
    directory: Path | None = None
    """The directory, or the fixed part of a pattern."""
    files: tuple[Path, ...] = ()
    """The file, or those that match the pattern."""
    cloud: str | None = None


def resolve(root: FileRoot, requested: str, field: str) -> Place:
    """The directory, files or allowed cloud URI that the request names, every link followed.

    Raises:
        PathRefused: It lies outside the base path, or its extension or scheme is not allowed.
        FileUnavailable: There is no such file, or it is no plain file.
    """
    place = locate(root, requested, field)
    if place is None:
        raise _missing(root, _relative(root, requested, field), field)
    return place


def locate(root: FileRoot, requested: str, field: str) -> Place | None:
    """As `resolve`, but nothing for what is not there.

    Raises:
        PathRefused: It lies outside the base path, or its extension or scheme is not allowed.
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
        if is_pattern(str(relative)):
            return _matches(root, relative)
        if relative.suffix and not root.allows(relative):
            raise _extension_refused(root, relative, field)
        return None
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
    if not (root.allows(relative) and root.allows(real)):
        raise _extension_refused(root, relative, field)
    return Place(name, files=(real,))


def is_pattern(text: str) -> bool:
    """Whether the text has a glob's letters."""
    return glob.has_magic(text)


def contained(root: FileRoot, path: Path) -> Path | None:
    """The path with every link followed, if that lies under the base path; else nothing."""
    real = Path(os.path.realpath(path))
    return real if real == root.real or root.real in real.parents else None


def _missing(root: FileRoot, relative: Path, field: str) -> FileUnavailable:
    """The error for a path that is not there, or a pattern without a match, with the nearest names."""
    parent = contained(root, root.real / relative.parent)
    beside: list[str] = []
    if parent is not None and parent.is_dir():
        beside = [
            entry.name for entry in islice(os.scandir(parent), 10_000) if not entry.name.startswith(".")
        ]
    close = nearest(relative.name, beside)
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
    parts = urlsplit(requested)
    path = unquote(parts.path)
    if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
        raise PathRefused(
            "a file:// URI names no host, no query and no fragment",
            field=field,
            constraint="file:///… under the base path",
        )
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
    parts = requested.split("/")
    if ".." in parts or not requested.startswith(root.cloud_prefixes or "\0"):
        raise PathRefused(
            "the URI begins with no allowed cloud prefix",
            field=field,
            constraint=f"PY_CLOUD_PREFIXES: {listed(root.cloud_prefixes) or 'none'}",
        )
    if not root.allows(Path(parts[-1])):
        raise _extension_refused(root, Path(parts[-1]), field)
    return Place(parts[-1], cloud=requested)


def _matches(root: FileRoot, relative: Path) -> Place | None:
    """The data files that match a pattern, links out of the base path left out."""
    fixed = root.real
    for part in relative.parts:
        if is_pattern(part):
            break
        fixed /= part
    # pathlib's glob follows no links and finds hidden files.
    found = glob.iglob(str(relative), root_dir=root.real, recursive=True)  # noqa: PTH207
    files = sorted(
        real
        for match in islice(found, MOST_MATCHES)
        if (real := contained(root, root.real / match)) is not None and real.is_file() and root.allows(real)
    )
    return Place(relative.name, directory=fixed, files=tuple(files)) if files else None


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
