"""Puts JSON files into plain form: an object on each line, every key once, and text where columns are that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from airpy.errors import CapExceeded, FileUnavailable
from airpy.files.json_survey import chunks, fault_at, lines_of, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from airpy.contract import Fault, OnError

__all__ = ["Rewritten", "begins_as_list", "from_list", "plain_rows"]

LARGEST_LIST = 256 * 1024 * 1024
"""A list is read as a whole, so it has to fit into memory."""
WHITESPACE = b" \t\r\n"

raw_members: Callable[[bytes], dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
raw_items: Callable[[bytes], list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw]).decode
encode = msgspec.json.Encoder().encode


class Rewritten(NamedTuple):
    """What came of a file's lines."""

    rows: int
    faults: int
    """Lines that are no objects."""
    examples: list[Fault]


def begins_as_list(path: Path) -> bool:
    """Whether the first letter opens a list, which no row does."""
    with path.open("rb") as file:
        return file.read(4096).lstrip(WHITESPACE).startswith(b"[")


def from_list(path: Path, target: Path, name: str) -> bool:
    """Write the objects of one list, each on a line of its own; false when the file is no such list.

    Raises:
        CapExceeded: The list is too large.
    """
    if path.stat().st_size > LARGEST_LIST:
        raise CapExceeded(
            f'"{name}" is one list of more than {LARGEST_LIST // 1024**2} MiB',
            reason="TOO_LARGE",
            constraint="a JSON object on each line",
        )
    try:
        items = raw_items(path.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if not items:
        raise FileUnavailable(
            f'"{name}" is an empty list', constraint="at least one object", reason="EMPTY_FILE"
        )
    with target.open("wb") as file:
        # No string has line ends in it, so they are between values and mean nothing.
        file.writelines(bytes(item).replace(b"\n", b" ").replace(b"\r", b" ") + b"\n" for item in items)
    return True


def plain_rows(
    path: Path, target: Path, name: str, text: Collection[str] | None, on_error: OnError
) -> Rewritten:
    """Write the rows of a file in plain form.

    Args:
        path: The file, in UTF-8.
        target: Where the rows go.
        name: What the caller knows the file by.
        text: Columns whose values become text: strings as they are, of all others their JSON as it is
            written. Of all columns when None.
        on_error: Whether a line that is no object is left out, or is a row without values.

    Raises:
        FileUnavailable: A line is no object, where neither is asked.
    """
    rows = faults = line = byte = 0
    examples: list[Fault] = []
    with path.open("rb") as source, target.open("wb") as file:
        for chunk in chunks(source, name):
            for each in lines_of(chunk):
                line += 1
                if each.strip():
                    rows += 1
                    if fault := fault_at(name, rows, line, byte, each):
                        if on_error == "fail":
                            refuse(fault)
                        faults += 1
                        examples.append(fault)
                        if on_error == "null":
                            file.write(b"{}\n")
                    else:
                        file.write(b"{" + b",".join(_members(each, text)) + b"}\n")
                byte += len(each)
    return Rewritten(rows, faults, examples)


def _members(line: bytes, text: Collection[str] | None) -> Iterator[bytes]:
    for name, raw in raw_members(line).items():
        value = bytes(raw)
        if value[:1] not in b'"n' and (text is None or name in text):
            value = encode(value.decode())
        elif value[:1] in b"{[":
            # As the standard library has it, so that keys which stand twice have their last value.
            value = json.dumps(json.loads(value), ensure_ascii=False, separators=(",", ":")).encode()
        elif value == b"-0":
            value = b"0"
        yield encode(name) + b":" + value
