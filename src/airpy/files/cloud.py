"""Finds, fetches and scans the objects of a bucket."""

from __future__ import annotations

import fnmatch
import os
import re
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import obstore
import polars as pl
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError
from obstore.store import AzureStore, GCSStore, S3Store

from airpy.errors import FileUnavailable, shortened
from airpy.files.compression import Unpacked, cut_at_line_end
from airpy.files.formats import compression_of, is_hidden
from airpy.files.walk import file_changed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from obstore import ObjectMeta
    from obstore.store import ObjectStore, RetryConfig

    from airpy.files.access import Access

__all__ = ["Object", "Remote", "find"]

BLOCK = 8 * 1024 * 1024
MOST_LISTED = 100_000
RETRIES: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
PATIENCE: dict[str, str] = {"connect_timeout": "5s", "read_timeout": "30s", "timeout": "1h"}
LOOKED_UP = ("AWS_", "GOOGLE_", "AZURE_", "MSI_", "IDENTITY_")
"""What variables begin with that clients take endpoints and keys from, some before what they are given."""
NAMED_BY_POLARS = {"s3": "aws_", "gs": "google_", "az": "azure_"}
"""What its names for the client's settings begin with."""


class Object(NamedTuple):
    """What is known of an object without reading it."""

    key: str
    size: int
    modified: dt.datetime
    tag: str
    """Changes with the content."""


class Remote(NamedTuple):
    """Objects of one bucket, by the path that stands for them here, as in `s3:/bucket/energy/a.csv`."""

    scheme: str
    bucket: str
    access: Access
    objects: Mapping[Path, Object]
    directory: Path | None = None
    """Below which hive partitions become columns; none for a single object."""

    def fetched(self, path: Path, folder: Path, most_bytes: int | None = None) -> Unpacked:
        """The object in a file of the same name below the folder; what is there already is taken as it is.

        Args:
            path: What stands for it.
            folder: Where to.
            most_bytes: When to stop, at the end of a line; never when None.

        Raises:
            FileUnavailable: It is gone, has changed since it was found, or cannot be reached.
        """
        found = self.objects[path]
        part = most_bytes is not None and most_bytes < found.size
        target = folder / ("beginning" if part else "whole") / path.relative_to(f"{self.scheme}:")
        if target.exists():
            return Unpacked(target, whole=not part)
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name(f"{target.name}.half")
        options: dict[str, Any] = {"if_match": found.tag} if found.tag else {}
        if part:
            options["range"] = (0, most_bytes)
        with _told(path.name):
            answer = obstore.get(self._store(), found.key, options=options)  # type: ignore[arg-type]
            with half.open("wb") as file:
                for block in answer.stream(min_chunk_size=BLOCK):
                    file.write(block)
        if part and not compression_of(path):
            cut_at_line_end(half)
        return Unpacked(half.rename(target), whole=not part)

    def scan_parquet(self, paths: Sequence[Path]) -> pl.LazyFrame:
        """The objects as one lazy frame, which asks for the ranges that it needs."""
        return pl.scan_parquet(
            [f"{self.scheme}://{self.bucket}/{self.objects[path].key}" for path in paths],
            glob=False,
            hive_partitioning=False,
            storage_options=_for_polars(self.access, self.scheme),
            credential_provider=None,
        )

    def check_unchanged(self) -> None:
        """Nothing, when all objects are as they were found.

        Raises:
            FileUnavailable: One has changed.
        """
        store = self._store()
        if self.directory is None:
            now = {found.key: _head(store, found.key, path.name) for path, found in self.objects.items()}
        else:
            prefix = str(Path(*self.directory.parts[2:])) if self.directory.parts[2:] else None
            now = {found.key: found for found in _list(store, prefix, self.bucket)}
        for path, found in self.objects.items():
            if now.get(found.key) != found:
                raise file_changed(path.name)

    def _store(self) -> ObjectStore:
        return _store(self.access, self.scheme, self.bucket)


def find(access: Access, uri: str, *, is_file: bool, is_pattern: bool) -> Remote:
    """The objects that a URI names, in the order of their keys: one, those below it, or those that match.

    Hidden names and those that begin with `_` are left out, as in directories.

    Args:
        access: How storage is reached.
        uri: As in `s3://bucket/energy/`; it is known to be allowed.
        is_file: Whether the URI may be that of an object; that one is meant, if it is there.
        is_pattern: Whether it else is a pattern; `**` stands for any number of directories.

    Raises:
        FileUnavailable: The bucket is not there, or cannot be reached.
    """
    _forget_environment()
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    scheme, key = scheme.lower(), key.rstrip("/")
    store = _store(access, scheme, bucket)
    here = Path(f"{scheme}:", bucket)
    if is_file and (found := _head(store, key, key.rsplit("/", 1)[-1])):
        return Remote(scheme, bucket, access, {here / key: found})
    parts = key.split("/") if key else []
    pattern: list[str] = []
    if is_pattern:
        fixed = next((place for place, part in enumerate(parts) if re.search(r"[*?\[]", part)), len(parts))
        parts, pattern = parts[:fixed], parts[fixed:]
    prefix = "/".join(parts)
    objects = {}
    for found in sorted(_list(store, prefix or None, bucket)):
        below = found.key[len(prefix) :].removeprefix("/").split("/")
        hidden = any(map(is_hidden, below))
        if "" in below or hidden or (pattern and not _matches(below, pattern)):
            continue
        objects[here / found.key] = found
    return Remote(scheme, bucket, access, objects, here / prefix)


def _forget_environment() -> None:
    """Remove what the clients would look up there: for this process, settings alone count."""
    for name in [name for name in os.environ if name.startswith(LOOKED_UP)]:
        del os.environ[name]


def _store(access: Access, scheme: str, bucket: str) -> ObjectStore:
    """The client of a bucket."""
    options: Any = {**PATIENCE, "allow_http": access.is_plain(scheme)}
    settings: Any = access.of(scheme)
    match scheme:
        case "s3":
            return S3Store(bucket, config=settings, client_options=options, retry_config=RETRIES)
        case "gs":
            return GCSStore(bucket, config=settings, client_options=options, retry_config=RETRIES)
        case _:
            return AzureStore(bucket, config=settings, client_options=options, retry_config=RETRIES)


def _for_polars(access: Access, scheme: str) -> dict[str, str]:
    """The same settings as Polars calls them."""
    options = {NAMED_BY_POLARS[scheme] + name: value for name, value in access.of(scheme).items()}
    return {**options, "allow_http": "true"} if access.is_plain(scheme) else options


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a key match those of a pattern."""
    ends = {0}  # of the pattern, after each part
    for part in parts:
        ends |= {end + 1 for end in ends if end < len(pattern) and pattern[end] == "**"}
        ends = {
            after
            for end in ends
            if end < len(pattern)
            for after in ({end} if pattern[end] == "**" else {end + 1})
            if pattern[end] == "**" or fnmatch.fnmatchcase(part, pattern[end])
        }
    return len(pattern) in ends or (pattern[-1] == "**" and len(pattern) - 1 in ends)


def _head(store: ObjectStore, key: str, name: str) -> Object | None:
    """What is known of the object; nothing where there is none."""
    try:
        with _told(name):
            return _object(obstore.head(store, key))
    except FileUnavailable as error:
        if error.reason == "FILE_MISSING":
            return None
        raise


def _list(store: ObjectStore, prefix: str | None, bucket: str) -> Iterator[Object]:
    """Every object below the prefix."""
    with _told(bucket):
        for number, found in enumerate(chain.from_iterable(obstore.list(store, prefix, chunk_size=1000))):
            if number == MOST_LISTED:
                raise FileUnavailable(
                    f"more than {MOST_LISTED:,} objects lie there",
                    constraint="a longer prefix, with fewer objects",
                    reason="TOO_LARGE",
                )
            yield _object(found)


def _object(found: ObjectMeta) -> Object:
    return Object(found["path"], found["size"], found["last_modified"], found["e_tag"] or "")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What the client raises, in words of ours; its own repeat where it asked, and all of the answer."""
    try:
        yield
    except FileNotFoundError:
        raise _missing("object", name) from None
    except PreconditionError:
        raise file_changed(name) from None
    except (PermissionDeniedError, UnauthenticatedError):
        raise FileUnavailable(
            f'the storage does not let this service read "{shortened(name)}"',
            constraint="keys in PY_S3_…, PY_GS_… or PY_AZ_… that may list the bucket and read its objects",
        ) from None
    except (BaseError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk that it is written to
            raise
        if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
            raise _missing("bucket", name) from None
        raise FileUnavailable(
            f'the storage of "{shortened(name)}" did not answer as it should',
            constraint="storage that can be reached, at the endpoint that is set",
            reason="READ_INTERRUPTED",
        ) from None


def _missing(what: str, name: str) -> FileUnavailable:
    return FileUnavailable(
        f'there is no {what} "{shortened(name)}"',
        constraint="an existing object, or a prefix of some",
        reason="FILE_MISSING",
    )
