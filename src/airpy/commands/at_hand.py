"""Answers questions about files at hand in this process, with the functions that workers and servers call."""

from __future__ import annotations

import json
import os
import sys
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Self

from airpy.engine.failures import failure
from airpy.engine.steps import ignore_steps
from airpy.errors import AirError, FileUnavailable, InvalidRequest, PathRefused, did_you_mean, nearest
from airpy.files.access import Access
from airpy.files.paths import SCHEME, FileRoot, is_pattern, neighbours
from airpy.jobs.context import JobContext

if TYPE_CHECKING:
    from airpy.config import Reading
    from airpy.contract import JobType
    from airpy.engine.steps import OnStep
    from airpy.jobs.record import ResultFrame

__all__ = ["DATA_SOURCE", "AtHand", "checked", "read_document"]

DATA_SOURCE = "at-hand"
"""The data source of every request; no folder is called so, and data sets are looked up by their path."""
TOKEN = 0
"""Of a job that has no record."""


class AtHand(NamedTuple):
    """A file, a directory or a glob, and how it is read."""

    root: FileRoot
    """The folder that it lies in; what a plan joins is looked up here."""
    name: str
    """Its path under the root."""
    reading: Reading

    @classmethod
    def find(cls, requested: str, reading: Reading) -> Self:
        """What the user's words name, seen from the current directory; a link is followed first.

        Raises:
            FileUnavailable: There is nothing there; the nearest names are suggested.
        """
        _check_unicode(requested)
        if SCHEME.match(requested):  # the service's own rules say which of these may be read
            return cls(
                FileRoot.at(Path.cwd(), reading.allowed_ext, reading.cloud_prefixes, Access(reading.storage)),
                requested,
                reading,
            )
        path = Path(requested)
        if os.path.lexists(path):
            real = Path(os.path.realpath(path))
            folder, name = real.parent, real.name
        else:
            fixed = tuple(takewhile(lambda part: not is_pattern(part), path.parts))
            folder = Path(os.path.realpath(Path(*fixed)))
            name = str(Path(*path.parts[len(fixed) :]))
            if len(fixed) == len(path.parts) or not folder.is_dir():
                raise _missing(path, reading)
        return cls(FileRoot.at(folder, reading.allowed_ext), f"./{name}", reading)

    def beside(self, other: Self) -> tuple[Self, str]:
        """This under a root that holds the other too, and the other's path under it."""
        if SCHEME.match(self.name) or SCHEME.match(other.name):
            root = self.root if SCHEME.match(self.name) else other.root
            base = other.root.real if root is self.root else self.root.real
        else:
            root = self.root
            base = Path(os.path.commonpath([self.root.real, other.root.real]))
        shared = FileRoot.at(base, root.extensions, root.cloud_prefixes, root.access)
        return self._replace(root=shared, name=self._under(base)), other._under(base)

    def _under(self, base: Path) -> str:
        """Its path under another folder; an object's is the same everywhere."""
        if SCHEME.match(self.name):
            return self.name
        folder = self.root.real.relative_to(base)
        return f"./{folder / self.name.removeprefix('./')}"

    def preview(self, limit: int, options: dict[str, Any]) -> bytes:
        """The answer to a preview request, as JSON.

        Raises:
            AirError: It cannot be read.
        """
        from airpy.contract import PreviewRequest, ReadOptions  # noqa: PLC0415  each command imports no more than it needs
        from airpy.jobs.preview import preview  # noqa: PLC0415

        request = PreviewRequest(
            datasource_id=DATA_SOURCE,
            path=self.name,
            limit=limit,
            read=ReadOptions.model_validate(options) if options else None,
        )
        try:
            return preview(
                request, self.root, self.reading.infer_rows, self.reading.max_rows_json, on_step=ignore_steps
            )
        except BaseException as error:  # noqa: BLE001  a panic in native code is no Exception
            _refuse(error)

    def run(
        self, kind: JobType, request: dict[str, Any], folder: Path, *, on_step: OnStep = ignore_steps
    ) -> ResultFrame | None:
        """Do a job of this kind at once; its data and its frame are in the folder afterwards.

        Raises:
            AirError: The request cannot be met.
        """
        from airpy.jobs.kinds import JOBS  # noqa: PLC0415  each command imports no more than it needs

        job = JOBS[kind]
        context = JobContext(
            files=self.root,
            folder=folder,
            input=folder,
            token=TOKEN,
            infer_rows=self.reading.infer_rows,
            max_rows_json=self.reading.max_rows_json,
        )
        try:
            asked = job.request.model_validate(request)
            job.check(asked, self.root)
            return job.run(asked, context, on_step=on_step)
        except BaseException as error:  # noqa: BLE001
            _refuse(error)


def checked(schema: str, document: Any, name: str) -> Any:  # noqa: ANN401  JSON is any
    """The document, which fits the contract's schema.

    Raises:
        InvalidRequest: It does not; told as the service tells it.
    """
    from airpy.web.spec import load  # noqa: PLC0415  each command imports no more than it needs
    from airpy.web.violations import compile_checker, in_json_schema  # noqa: PLC0415

    wrapped = {"type": "object", "properties": {name: {"$ref": f"#/components/schemas/{schema}"}}}
    compile_checker(in_json_schema(load()), wrapped, name).check({name: document})
    return document


def read_document(source: str, what: str) -> Any:  # noqa: ANN401  JSON is any
    """The JSON document in a file, or on standard input when that is called `-`.

    Raises:
        FileUnavailable: There is no such file, or it cannot be read.
        InvalidRequest: It is no JSON.
    """
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
        return json.loads(text)
    except OSError as error:
        raise FileUnavailable(
            f'--{what} "{source}" cannot be read: {(error.strerror or str(error)).lower()}',
            constraint="a JSON file, or - for standard input",
        ) from None
    except ValueError as error:
        raise InvalidRequest(
            f"--{what} is not valid JSON: {error}", field=what, constraint="one JSON document in UTF-8"
        ) from None


def _refuse(error: BaseException) -> NoReturn:
    """Raise what the caller is told; a fault of ours keeps its traceback."""
    told = failure(error)
    if isinstance(error, KeyboardInterrupt) or (told.code == "INTERNAL_ERROR" and told is not error):
        raise error
    raise told from None


def _check_unicode(requested: str) -> None:
    """Refuse a name that is not text in the terminal's encoding, as no request could carry it."""
    try:
        requested.encode()
    except UnicodeEncodeError:
        shown = requested.encode(errors="backslashreplace").decode()
        raise PathRefused(f'the name "{shown}" is not valid Unicode', constraint="a name in UTF-8") from None


def _missing(path: Path, reading: Reading) -> AirError:
    """The error for what is not there, with the nearest of what lies beside it."""
    parent = path.parent
    if not parent.is_dir():
        return FileUnavailable(
            f'there is no directory "{parent}"', constraint="an existing directory", reason="FILE_MISSING"
        )
    root = FileRoot.at(parent, reading.allowed_ext)
    close = nearest(path.name, [entry.name for entry in neighbours(root, root.real)])
    names = [str(parent / name) for name in close]
    return FileUnavailable(
        f'there is no file or directory "{path}"{did_you_mean(names)}',
        constraint="an existing file or directory, or a glob in quotes",
        suggestion=names,
        reason="FILE_MISSING",
    )
