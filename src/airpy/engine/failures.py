"""Turns what Polars and Arrow raise into failures of ours, by one table.

Their messages may run over pages of query plan; only the first sentence is for a caller.
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from airpy.errors import (
    AirError,
    CapExceeded,
    FileUnavailable,
    InternalFault,
    InvalidPlan,
    TypeMismatch,
    UnknownColumn,
    shortened,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["failure", "message_of"]

LONGEST_MESSAGE = 500
INTERRUPTED = {errno.EIO, errno.ESTALE, errno.EAGAIN, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE}
"""What storage says that may work the next time."""
CAST = re.compile(
    r"conversion from `(?P<source>[^`]+)` to `(?P<target>[^`]+)` failed in column '(?P<column>[^']*)'"
)
EXAMPLES = re.compile(r"values?: \[(?P<values>[^\]]*)\]")
FOLDERS = re.compile(r"""(?<=['"`])/[^'"`]*/|(?<![^\s(=,])/(?:[^\s/'"`]+/)+""")
"""All but the last part of an absolute path, quoted or not: where files lie is not for a caller."""


def failure(error: BaseException) -> AirError:
    """What the caller is told of an exception, whoever raised it."""
    if isinstance(error, AirError):
        return error
    for kind, translate in FAILURES:
        if isinstance(error, kind):
            return translate(error)
    return InternalFault("the service has a fault; the request id finds it in the log")


def message_of(error: BaseException) -> str:
    """The first paragraph of the error's message, on one line, with files by their name alone."""
    first = " ".join(str(error).strip().split("\n\n")[0].split())
    return shortened(_in_arrows_words(FOLDERS.sub("", first)), LONGEST_MESSAGE)


def _in_arrows_words(text: str) -> str:
    """Polars' type names (`i64`) as Arrow's (`int64`)."""
    kinds = {"i": "int", "u": "uint", "f": "float"}
    text = re.sub(r"\b([iuf])(8|16|32|64|128)\b", lambda short: kinds[short[1]] + short[2], text)
    text = re.sub(r"\bdatetime\[[^\]]*\]", "timestamp", text)
    return re.sub(r"\bstr\b", "string", text)


def _column(error: BaseException) -> AirError:
    return UnknownColumn(message_of(error))


def _operation(error: BaseException) -> AirError:
    """A value that does not fit, or an operation its type does not have."""
    text = str(error)
    if cast := CAST.search(text):
        examples = EXAMPLES.search(text)
        values = f", as in {shortened(examples['values'])}" if examples else ""
        return InvalidPlan(
            _in_arrows_words(f"a value of type {cast['source']} cannot be cast to {cast['target']}") + values,
            reason="CAST_FAILED",
            constraint=_in_arrows_words(f"values that fit {cast['target']}"),
        )
    return TypeMismatch(message_of(error))


def _shape(error: BaseException) -> AirError:
    """Lists that were to be walked side by side; whatever else does not fit is in a file."""
    if not str(error).startswith("exploded column"):
        return _unreadable(error)
    return InvalidPlan(
        "the lists of a row are not equally long, so that they cannot be exploded side by side",
        field="plan.explode",
        constraint="lists of one length in each row",
    )


def _unreadable(error: BaseException) -> AirError:
    return FileUnavailable(f"the file cannot be read: {message_of(error)}")


def _computing(error: BaseException) -> AirError:
    """Polars raises this for files it cannot parse or write, and for values it cannot compute."""
    if str(error).startswith("overflow in "):
        return InvalidPlan(message_of(error), reason="CAST_FAILED", constraint="values that fit their type")
    return _operation(error) if CAST.search(str(error)) else _system(error)


def _memory(_: BaseException) -> AirError:
    return CapExceeded("the job needed more memory than it may use", constraint="PY_MEMORY_MB")


def _system(error: BaseException) -> AirError:
    number = error.errno if isinstance(error, OSError) else None
    if number in {errno.ENOSPC, errno.EDQUOT} or "No space left" in str(error):
        return CapExceeded("no space is left to write the result", reason="DISK_FULL")
    if number == errno.ENOENT or isinstance(error, FileNotFoundError):
        return FileUnavailable("a file of the data set is gone", reason="FILE_MISSING")
    if number == errno.EACCES or isinstance(error, PermissionError):
        return FileUnavailable("a file of the data set may not be read by this service")
    if number in INTERRUPTED:
        return FileUnavailable(f"the storage failed: {message_of(error)}", reason="READ_INTERRUPTED")
    return _unreadable(error)


def _panicked(error: BaseException) -> AirError:
    return FileUnavailable(f"the reader gave up on the file: {message_of(error)}", reason="READER_CRASHED")


# First match wins, so a class stands before those it derives from.
FAILURES: tuple[tuple[type[BaseException], Callable[[BaseException], AirError]], ...] = (
    (MemoryError, _memory),
    (OSError, _system),
    (pl.exceptions.ColumnNotFoundError, _column),
    (pl.exceptions.InvalidOperationError, _operation),
    (pl.exceptions.ShapeError, _shape),
    (pl.exceptions.PanicException, _panicked),
    (pl.exceptions.ComputeError, _computing),
    (pl.exceptions.PolarsError, _unreadable),
    (pa.ArrowException, _unreadable),
)
