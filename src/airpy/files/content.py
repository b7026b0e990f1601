"""Checks that a file holds what its extension says, before a reader sees it."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING

from airpy.errors import FileUnavailable, shortened
from airpy.files.formats import COMPRESSIONS

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.contract import FileFormat
    from airpy.files.formats import Compression

__all__ = ["check_content", "check_packed"]

HEAD_BYTES = 4096
WRITTEN: dict[FileFormat, str] = {"csv": "CSV", "parquet": "Parquet", "jsonl": "JSON lines"}
PACKED: dict[Compression, tuple[bytes, str]] = {
    "gzip": (b"\x1f\x8b", "gzip"),
    "zstd": (b"\x28\xb5\x2f\xfd", "Zstandard"),
    "bz2": (b"BZh", "bzip2"),
}
# What no text begins with.
KINDS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"BZh91AY&SY", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"PAR1\x15", "Parquet"),
    (b"ARROW1\x00", "Arrow"),
    (b"\xff\xff\xff\xff", "an Arrow stream"),
    (b"Obj\x01", "Avro"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"%PDF-", "PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x7fELF", "a program"),
)
SPREADSHEET = (b"[Content_Types].xml", b"_rels/", b"xl/")
"""What the first file in the ZIP archive of a spreadsheet is called."""
MARKUP = re.compile(rb"<(!doctype\s+html|html|head|body|\?xml)\b", re.IGNORECASE)
JSON = re.compile(rb'(\[\s*)?\{\s*("(\\.|[^"\\])*"\s*:|\})')
"""How an object begins, or an array of them."""
JSON_LINE = re.compile(rb"^\s*[\[{]", re.MULTILINE)


def check_content(path: Path, name: str, form: FileFormat) -> None:
    """Nothing, when what is in the file may well be of its format.

    Args:
        path: Where its bytes are, no longer compressed.
        name: What it is called.
        form: The format of its extension.

    Raises:
        FileUnavailable: It has no bytes, or is something else.
    """
    head = _head(path, name)
    other = _kind(head)
    if form == "parquet":
        if head[:4] not in {b"PAR1", b"PARE"}:
            raise _mismatch(name, "Parquet", other or _written(head) or "something else")
    elif other:
        raise _mismatch(name, WRITTEN[form], other)
    elif form == "csv":
        if found := _written(head):
            raise _mismatch(name, "CSV", found)
    elif not JSON_LINE.search(_plain(head)) and not _is_json(_plain(head)):
        raise _mismatch(name, WRITTEN[form], _written(head) or "other text")


def check_packed(path: Path, name: str) -> None:
    """Nothing, when the file is compressed as its last ending says.

    Raises:
        FileUnavailable: It has no bytes, or is something else.
    """
    head = _head(path, name)
    packed = next(kind for ending, kind in COMPRESSIONS.items() if name.lower().endswith(ending))
    magic, called = PACKED[packed]
    if not head.startswith(magic):
        raise _mismatch(name, called, _kind(head) or _written(head) or "something else")


def _head(path: Path, name: str) -> bytes:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise FileUnavailable(
            f'"{shortened(name)}" is empty', constraint="a file with at least one byte", reason="EMPTY_FILE"
        )
    return head


def _kind(head: bytes) -> str | None:
    """What a file is that is no text, by how it begins."""
    if head.startswith(b"PK\x03\x04"):
        return "a spreadsheet (XLSX)" if head[30:].startswith(SPREADSHEET) else "a ZIP archive"
    if head[257:262] == b"ustar":
        return "a tar archive"
    return next((kind for magic, kind in KINDS if head.startswith(magic)), None)


def _written(head: bytes) -> str | None:
    """What a text is that is no table, by how it begins."""
    text = _plain(head)
    if markup := MARKUP.match(text):
        return "XML" if markup[1].startswith(b"?") else "HTML"
    if JSON.match(text):
        return "JSON"
    return None


def _plain(head: bytes) -> bytes:
    """The text without its mark and the space before it; of UTF-16 and UTF-32, the bytes that tell."""
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        head = head.removeprefix(mark)
    return head.replace(b"\x00", b"").lstrip()


def _is_json(text: bytes) -> bool:
    """Whether the first line is JSON, of whatever kind; or there is none."""
    lines = text.splitlines()
    try:
        json.loads(lines[0] if lines else b"0")
    except ValueError:
        return False
    return True


def _mismatch(name: str, expected: str, found: str) -> FileUnavailable:
    return FileUnavailable(
        f'"{shortened(name)}" is not {expected} but {found}',
        constraint="content that is what its extension says",
        reason="CONTENT_MISMATCH",
    )
