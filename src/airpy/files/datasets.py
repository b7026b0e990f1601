"""Resolves a data set's name to its files.

A name that looks like a path (it is absolute or a URI, has a slash, a pattern's letters or an allowed
extension) is one. Else it is looked up as `{datasource_id}/{name}` and then `{name}` under the base path,
as a directory or as a file without its extension; and last, `{name}_{format}` is the files of one format of
directory or file `{name}`, looked up the same way.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from airpy.errors import AmbiguousDataset, FileUnavailable, did_you_mean, listed, nearest, shortened
from airpy.files.catalogue import by_format
from airpy.files.catalogue import listed as listing_of
from airpy.files.formats import EXTENSIONS, compression_of, endings, format_of
from airpy.files.paths import SCHEME, Place, is_pattern, locate, neighbours, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airpy.contract import FileFormat
    from airpy.files.cloud import Remote
    from airpy.files.paths import FileRoot

__all__ = ["Dataset", "Load", "dataset_at", "find_dataset", "load_of", "looked_up", "objects_at"]

BUCKET_SLASHES = 2
"""Of a URI that names a bucket and nothing in it, without the slash at its end."""


class Dataset(NamedTuple):
    """Files of one format that are read as one."""

    name: str
    format: FileFormat
    root: FileRoot
    """Where it was looked up; callers know its files by their path from here."""
    files: tuple[Path, ...] = ()
    directory: Path | None = None
    """Hive partitions (`year=2025/`) below it become columns; none for a single file."""
    cloud: str | None = None
    """A URI that is not looked at yet; `looked_up` does."""
    remote: Remote | None = None
    """The objects that its files stand for."""
    held: Mapping[Path, Path] = MappingProxyType({})
    """Where files that are held open are read, so that nobody can put others in their place."""

    def place(self, path: Path) -> Path:
        """Where one of the files is read."""
        return self.held.get(path, path)

    def size(self, path: Path) -> int:
        """The bytes of one of the files, as they are stored."""
        return self.remote.objects[path].size if self.remote else self.place(path).stat().st_size


class Load(NamedTuple):
    """What a job will read, as far as it is known before anything is read."""

    bytes: int = 0
    fingerprint: str | None = None
    """Changes when the files do: which they are, sizes, times, inodes. None where that is not known."""
    changed_s: float = 0.0
    """When the last of them was changed, in seconds since the epoch."""


def load_of(datasets: Iterable[Dataset]) -> Load:
    """What it takes to read these data sets."""
    total, known, changed_ns = 0, True, 0
    digest = hashlib.sha256()
    for dataset in datasets:
        if dataset.cloud is not None or dataset.remote is not None:
            known = False
            continue
        digest.update(repr((str(dataset.directory), len(dataset.files))).encode())
        for path in dataset.files:
            status = path.stat()
            total += status.st_size
            changed_ns = max(changed_ns, status.st_mtime_ns, status.st_ctime_ns)
            # Anybody may set the first of these back, nobody the second; devices have a number on each host.
            times = status.st_mtime_ns, status.st_ctime_ns
            digest.update(repr((str(path), status.st_ino, status.st_size, times)).encode())
    return Load(total, digest.hexdigest() if known else None, changed_ns / 1e9)


def dataset_at(root: FileRoot, requested: str, field: str) -> Dataset:
    """The data set that a path names.

    Raises:
        PathRefused: The path is not allowed.
        FileUnavailable: There is nothing there, or no data file.
        AmbiguousDataset: The directory holds files of more than one format.
    """
    return _dataset(root, resolve(root, requested, field), field)


def find_dataset(root: FileRoot, datasource_id: str, name: str, field: str) -> Dataset:
    """The data set that a plan names.

    Raises:
        PathRefused: The name is a path that is not allowed.
        FileUnavailable: There is none; the nearest names are suggested.
        AmbiguousDataset: The name has two meanings.
    """
    if _looks_like_path(root, name):
        return dataset_at(root, name, field)
    if place := _named(root, datasource_id, name, field):
        return _dataset(root, place, field, named=name)
    stem, _, format_name = name.rpartition("_")
    only = next((form for form in EXTENSIONS.values() if form == format_name), None)
    if stem and only and (place := _named(root, datasource_id, stem, field, only)):
        return _dataset(root, place._replace(name=name), field, named=name, only=only)
    raise _unknown(root, datasource_id, name, field)


def _looks_like_path(root: FileRoot, name: str) -> bool:
    return bool("/" in name or is_pattern(name) or root.allows(Path(name)) or SCHEME.match(name))


def _named(
    root: FileRoot, datasource_id: str, name: str, field: str, only: FileFormat | None = None
) -> Place | None:
    """What the name means at the first level where it means anything, for files of one format if so said."""
    for level in (f"{datasource_id}/{name}", name):
        meanings = [
            place
            for place in _meanings(root, level, field)
            if only is None or not place.files or format_of(place.files[0]) == only
        ]
        if len(meanings) > 1:
            # With its slash a directory is a path, and means nothing else.
            names = [
                str(Path(level).with_name(place.name)) + ("/" if place.directory else "")
                for place in meanings
            ]
            raise AmbiguousDataset(
                f'"{shortened(name)}" could be {" or ".join(names)}',
                field=field,
                constraint="a name with one meaning",
                suggestion=names,
            )
        if meanings:
            return meanings[0]
    return None


def _meanings(root: FileRoot, level: str, field: str) -> Iterator[Place]:
    """The directory of that name, and the files of that name with an extension."""
    place = locate(root, level, field)
    if place is not None and place.directory is not None:
        yield place
    for ending in endings(root.extensions):
        place = locate(root, level + ending, field)
        if place is not None and all(map(root.allows, place.files)):
            yield place


def _dataset(
    root: FileRoot,
    place: Place,
    field: str,
    *,
    named: str | None = None,
    only: FileFormat | None = None,
) -> Dataset:
    if place.cloud is not None:
        # What it is, only the storage can say; and that is not asked while a request waits.
        return Dataset(place.name, "parquet", root, cloud=place.cloud)
    found = (
        by_format(place.files) if place.files else listing_of(root, place.directory or root.real).by_format
    )
    return _of_one_format(root, place.name, found, place.directory, field, named=named, only=only)


def looked_up(dataset: Dataset, field: str) -> Dataset:
    """The data set with the objects that its URI names, if it is one of the cloud; else itself.

    Raises:
        FileUnavailable: There is no data file, or the storage cannot be reached.
        AmbiguousDataset: There are files of more than one format.
    """
    if dataset.cloud is None:
        return dataset
    root, uri = dataset.root, dataset.cloud
    remote = objects_at(root, uri)
    found = _of_one_format(root, dataset.name, by_format(remote.objects), remote.directory, field)
    return found._replace(remote=remote)


def objects_at(root: FileRoot, uri: str, *, recurse: bool = True) -> Remote:
    """The data files among the objects that an allowed URI names.

    Raises:
        FileUnavailable: The bucket is not there, or cannot be reached.
    """
    from airpy.files.cloud import find  # noqa: PLC0415  few have their data in a bucket

    is_file = root.allows(Path(uri.rpartition("/")[2])) and uri.count("/") > BUCKET_SLASHES
    remote = find(root.access, uri, is_file=is_file, is_pattern=is_pattern(uri))
    objects = {
        path: found
        for path, found in remote.objects.items()
        if root.allows(path) and (recurse or path.parent == (remote.directory or path.parent))
    }
    return remote._replace(objects=objects)


def _of_one_format(
    root: FileRoot,
    name: str,
    files: Mapping[FileFormat, tuple[Path, ...]],
    directory: Path | None,
    field: str,
    *,
    named: str | None = None,
    only: FileFormat | None = None,
) -> Dataset:
    formats = [form for form in files if only in {None, form}]
    if not formats:
        raise FileUnavailable(
            f'"{shortened(name)}" has no {only or "data"} files',
            field=field,
            constraint=f"at least one file with an extension of: {listed(root.extensions)}",
            reason="NO_DATA_FILES",
        )
    if len(formats) > 1:
        raise AmbiguousDataset(
            f'"{shortened(name)}" holds files of different formats: {listed(formats)}',
            field=field,
            constraint="files of one format",
            suggestion=[
                f"{named}_{form}"
                if named
                else f"{root.shown(directory or root.real)}/**/*.{form}{_any_ending(files[form])}"
                for form in formats
            ],
        )
    return Dataset(name, formats[0], root, files[formats[0]], directory)


def _any_ending(files: Iterable[Path]) -> str:
    """What a pattern needs behind the extension to match the compressed files too."""
    return "*" if any(map(compression_of, files)) else ""


def _stem(name: str) -> str:
    """The name without its extension and the ending of its compression."""
    return Path(name).stem if compression_of(Path(name)) is None else Path(Path(name).stem).stem


def _unknown(root: FileRoot, datasource_id: str, name: str, field: str) -> FileUnavailable:
    known = {
        entry.name if entry.is_directory else _stem(entry.name)
        for folder in (root.real / datasource_id, root.real)
        for entry in neighbours(root, folder)
    }
    stem, _, form = name.rpartition("_")
    close = nearest(stem if form in EXTENSIONS.values() else name, sorted(known))
    return FileUnavailable(
        f'there is no data set "{shortened(name)}"{did_you_mean(close)}',
        field=field,
        constraint="a path, or the name of a directory or file under the base path",
        suggestion=close,
        reason="FILE_MISSING",
    )
