"""Puts JSON into plain form: an object on each line, every key once, text where columns are that."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from airpy.errors import CapExceeded, FileUnavailable
from airpy.files.faults import MOST_EXAMPLES
from airpy.files.gates import MOST_COLUMNS
from airpy.files.json_survey import NotPlain, chunks, decoded, fault_at, lines_of, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from airpy.contract import Fault, OnError

__all__ = ["Rewritten", "begins_as_list", "from_list", "plain_rows"]

LARGEST_LIST = 256 * 1024 * 1024
"""A list is read as a whole, so it has to fit into memory."""
WHITESPACE = b" \t\r\n"

raw_members: Callable[[bytes], dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
raw_lines: Callable[[bytes], list[dict[str, msgspec.Raw]]] = msgspec.json.Decoder(
    dict[str, msgspec.Raw]
).decode_lines
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


def plain_rows(path: Path, target: Path, name: str, text: Collection[str], on_error: OnError) -> Rewritten:
    """Write the rows of a file in plain form.

    Args:
        path: The file, in UTF-8.
        target: Where the rows go.
        name: What the caller knows the file by.
        text: Columns whose values become text: strings as they are, of all others their JSON as it is
            written.
        on_error: Whether a line that is no object is left out, or is a row without values.

    Raises:
        FileUnavailable: A line is no object, where neither is asked.
    """
    rows = line = byte = 0
    faults: list[Fault] = []
    count = 0
    columns = frozenset(text)
    with path.open("rb") as source, target.open("wb") as file:
        for chunk in chunks(source, name):
            try:
                read = decoded(chunk)
            except NotPlain:
                for each in lines_of(chunk):
                    line += 1
                    if each.strip():
                        rows += 1
                        if fault := fault_at(name, rows, line, byte, each):
                            if on_error == "fail":
                                refuse(fault)
                            count += 1
                            faults.extend([fault][: MOST_EXAMPLES - len(faults)])
                            file.write(b"{}\n" if on_error == "null" else b"")
                        else:
                            file.write(_plain(raw_members(each), columns))
                    byte += len(each)
            else:
                file.writelines([_plain(members, columns) for members in raw_lines(chunk)])
                rows += len(read)
                line += chunk.count(b"\n")
                byte += len(chunk)
    return Rewritten(rows, count, faults)


def _plain(members: dict[str, msgspec.Raw], text: frozenset[str]) -> bytes:
    """A row; of keys that stand twice, the decoder has given the last value."""
    values: list[bytes] = []
    for name, raw in members.items():
        value = bytes(raw)
        first = value[:1]
        if name in text:
            if first not in b'"n':
                value = encode(value.decode())
        elif first in b"{[":
            # As the standard library has it: every key once, and no zero with a sign.
            value = json.dumps(json.loads(value), ensure_ascii=False, separators=(",", ":")).encode()
        elif value == b"-0":
            value = b"0"
        values.append(_key(name) + value)
    return b"{" + b",".join(values) + b"}\n"


@lru_cache(maxsize=MOST_COLUMNS)
def _key(name: str) -> bytes:
    return encode(name) + b":"
