"""Looks through the lines of a JSON file: what they hold, and which are none."""

from __future__ import annotations

import gc
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from airpy.contract import Fault
from airpy.errors import CapExceeded, FileUnavailable, shortened
from airpy.files.faults import LONGEST_TEXT
from airpy.files.gates import MOST_COLUMNS, MOST_LINE_BYTES
from airpy.files.json_kinds import MOST_DEEP, Kind, TooDeep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from airpy.contract import FaultKind

__all__ = [
    "BLOCK",
    "NotPlain",
    "Survey",
    "chunks",
    "decoded",
    "fault_at",
    "lines_of",
    "refuse",
    "survey",
]

BLOCK = 1 << 20
KEY_END, NO_KEY_END = b'":', b'\\":'
"""What ends a key, and what looks like that inside of a string."""
SPACE_BEHIND_KEY = re.compile(rb'"\s+:')

decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode
decode_lines: Callable[[bytes], list[Any]] = msgspec.json.Decoder().decode_lines


class NotPlain(Exception):
    """Lines are to be looked at one by one."""


@dataclass(slots=True)
class Survey:
    """What the lines of a file hold."""

    kind: Kind = field(default_factory=Kind)
    """The rows, as objects."""
    rows: int = 0
    repeated: tuple[str, int] | None = None
    """The first key that stands twice in an object, and its line."""
    faults: list[Fault] = field(default_factory=list)
    """Lines that are no objects, where they are let pass."""


def survey(path: Path, name: str, rows: int | None, on_fault: Callable[[Fault], None]) -> Survey:
    """What the first rows of a file hold, or all when None.

    Args:
        path: The file, in UTF-8.
        name: What the caller knows it by.
        rows: How many rows to look at.
        on_fault: Is told of each line that cannot be read; it is left out if nothing is raised.

    Raises:
        CapExceeded: A line is too long, or there are too many columns.
    """
    found = Survey()
    line = byte = 0
    with path.open("rb") as file, _nothing_collected():
        for chunk in chunks(file, name):
            left = None if rows is None else rows - found.rows
            if left == 0:
                break
            try:
                seen = decoded(chunk)
                if left is not None and left < len(seen):
                    seen, looked_at = seen[:left], b"\n".join(chunk.split(b"\n", left)[:left])
                else:
                    looked_at = chunk
                _note(found, seen, looked_at, line)
            except (NotPlain, TooDeep):
                _by_line(found, chunk, (name, line, byte), left, on_fault)
            line += chunk.count(b"\n")
            byte += len(chunk)
            if found.kind.width > MOST_COLUMNS:
                raise CapExceeded(
                    f'"{name}" has more than {MOST_COLUMNS:,} columns, those of nested objects counted',
                    reason="TOO_LARGE",
                    constraint=f"at most {MOST_COLUMNS:,} columns",
                )
    return found


def decoded(chunk: bytes) -> list[dict[str, Any]]:
    """The objects on the lines.

    Raises:
        NotPlain: A line that is not blank is no object.
    """
    try:
        rows = decode_lines(chunk)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotPlain from error
    if set(map(type, rows)) - {dict} or not _a_line_each(rows, chunk):
        raise NotPlain
    return rows


def chunks(file: BinaryIO, name: str) -> Iterator[bytes]:
    """The file in pieces that end where a line does.

    Raises:
        CapExceeded: A line is too long.
    """
    while block := file.read(BLOCK):
        rest = b"" if block.endswith(b"\n") else file.readline(MOST_LINE_BYTES + 1)
        if len(rest) > MOST_LINE_BYTES:
            raise CapExceeded(
                f'"{name}" has a line of more than {MOST_LINE_BYTES // 1024**2} MiB',
                reason="TOO_LARGE",
                constraint=f"lines of at most {MOST_LINE_BYTES // 1024**2} MiB",
            )
        yield block + rest


def fault_at(name: str, row: int, line: int, byte: int, text: bytes) -> Fault | None:
    """What is wrong with a line; None when it is a JSON object."""
    kind: FaultKind = "bad_json"
    try:
        value = decode(text)
        Kind().see([value])
    except (RecursionError, TooDeep):
        kind = "too_deep"
    except UnicodeDecodeError:
        kind = "bad_bytes"
    except msgspec.MsgspecError:
        if not _in_utf8(text):
            kind = "bad_bytes"
    else:
        if type(value) is dict:
            return None
    shown = shortened(text.strip().decode("utf-8", "replace")[: LONGEST_TEXT + 1], LONGEST_TEXT)
    return Fault(file=name, row=row, line=line, byte=byte, kind=kind, text=shown)


def refuse(fault: Fault) -> None:
    """Fail of a line that cannot be read.

    Raises:
        FileUnavailable: Always.
    """
    name = fault.file.rpartition("/")[2]
    where = f'"{name}", line {fault.line:,}'
    if fault.kind == "too_deep":
        raise FileUnavailable(
            f"{where} is nested too deep",
            constraint=f"at most {MOST_DEEP} objects and lists within one another",
            reason="TOO_DEEP",
            fault=fault,
        )
    if fault.kind == "bad_bytes":
        raise FileUnavailable(
            f"{where} has bytes that are no text in UTF-8",
            constraint="text in one encoding, in UTF-8 at best",
            reason="ENCODING",
            fault=fault,
        )
    raise FileUnavailable(
        f'{where} is no JSON object: "{shortened(fault.text or "")}"',
        constraint="a JSON object on each line",
        reason="FAULTY_ROW",
        fault=fault,
    )


def _note(found: Survey, rows: list[dict[str, Any]], chunk: bytes, line: int) -> None:
    kind = Kind()  # of its own, so that nothing stays of rows that are refused
    keys = kind.see(rows)
    found.kind.merge(kind)
    found.rows += len(rows)
    ends = chunk.count(KEY_END) if found.repeated is None else keys
    if ends != keys and ends - chunk.count(NO_KEY_END) != keys:
        widths = list(map(len, rows))
        found.repeated = _repeated(chunk, line, widths if sum(widths) == keys else None)


def _by_line(
    found: Survey,
    chunk: bytes,
    start: tuple[str, int, int],
    most: int | None,
    on_fault: Callable[[Fault], None],
) -> None:
    """Take note of the lines one by one, of which one at least is none."""
    name, line, byte = start
    until = None if most is None else found.rows + most
    good: list[bytes] = []
    for text in lines_of(chunk):
        line += 1
        if text.strip():
            if until is not None and found.rows >= until:
                break
            found.rows += 1
            if fault := fault_at(name, found.rows, line, byte, text):
                on_fault(fault)
                found.faults.append(fault)
            else:
                good.append(text)
        byte += len(text)
    rows = list(map(decode, good))
    found.rows -= len(rows)
    _note(found, rows, b"".join(good), start[1])


def lines_of(chunk: bytes) -> list[bytes]:
    """The lines with their ends; other than Python's own way, a lone CR ends none."""
    lines = [text + b"\n" for text in chunk.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return [text for text in lines if text]


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """No search for cycles, of which decoded JSON has none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _a_line_each(seen: list[Any], chunk: bytes) -> bool:
    """Whether they stand on as many lines; the decoder takes values over many, and many on one."""
    lines = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
    return len(seen) in (
        lines,
        sum(1 for text in lines_of(chunk) if text.strip()) if len(seen) < lines else -1,
    )


def _repeated(chunk: bytes, line: int, widths: list[int] | None) -> tuple[str, int] | None:
    """The first key that stands twice in an object, and its line.

    Where no object holds another, `widths` says how many keys each has.
    """
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in items]
        if len(set(names)) < len(names):
            twice.extend(name for place, name in enumerate(names) if name in names[:place])

    for number, text in _doubtful(chunk, widths):
        json.loads(text, object_pairs_hook=pairs)
        if twice:
            return twice[0], line + number
    return None


def _doubtful(chunk: bytes, widths: list[int] | None) -> list[tuple[int, bytes]]:
    """The lines, by number, in which a key may stand twice: with more that looks like its end than keys."""
    lines = [(number, text) for number, text in enumerate(lines_of(chunk), 1) if text.strip()]
    if widths is None or len(lines) != len(widths) or SPACE_BEHIND_KEY.search(chunk):
        return lines
    return [each for each, width in zip(lines, widths, strict=True) if each[1].count(KEY_END) != width]


def _in_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
