"""Files that are not what their extension says."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pytest

from airpy.errors import FileUnavailable
from tests.files.conftest import put

if TYPE_CHECKING:
    from collections.abc import Callable

    from airpy.files.paths import FileRoot
    from tests.files.conftest import Read

CSV = b"a,b\n1,2\n"
JSONL = b'{"a": 1}\n{"a": 2}\n'


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, CSV)
    return content.getvalue()


def written(write: Callable[[pl.DataFrame, io.BytesIO], None]) -> bytes:
    content = io.BytesIO()
    write(pl.DataFrame({"a": [1, 2]}), content)
    return content.getvalue()


PARQUET = written(lambda frame, content: frame.write_parquet(content))
ARROW = written(lambda frame, content: frame.write_ipc(content))
SQLITE = b"SQLite format 3\x00" + bytes(84)
XLSX = zipped("[Content_Types].xml", "xl/workbook.xml")
ZSTD = pa.compress(CSV, "zstd", asbytes=True)
HTML = b"\n <!DOCTYPE HTML><html><body><table></table></body></html>"
XML = b'\xef\xbb\xbf<?xml version="1.0"?><rows/>'

NO_TEXTS = {
    "gzip": gzip.compress(CSV, mtime=0),
    "Zstandard": ZSTD,
    "bzip2": bz2.compress(CSV),
    "xz": b"\xfd7zXZ\x00rest",
    "a ZIP archive": zipped("a.csv"),
    r"a spreadsheet \(XLSX\)": XLSX,
    "an old Office document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
    "Arrow": ARROW,
    "a SQLite database": SQLITE,
    "PDF": b"%PDF-1.7\n%rest",
    "HTML": HTML,
    "XML": XML,
    "a PNG image": b"\x89PNG\r\n\x1a\nrest",
}


@pytest.mark.parametrize("form", ["csv", "CSV", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", NO_TEXTS)
def test_what_is_no_table_is_told_by_its_kind(root: FileRoot, read: Read, form: str, kind: str) -> None:
    put(root, f"a.{form}", NO_TEXTS[kind])

    with pytest.raises(FileUnavailable, match=rf'"a.{form}" is not .* but {kind}') as raised:
        read(f"a.{form}")

    assert raised.value.reason == "CONTENT_MISMATCH"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", PARQUET, "not CSV but Parquet"),
        ("a.csv", JSONL, "not CSV but JSON"),
        ("a.csv", b'[\n  {"a": 1},\n  {"a": 2}\n]\n', "not CSV but JSON"),
        ("a.csv", b'{\n  "a": 1\n}\n', "not CSV but JSON"),
        ("a.csv", JSONL.decode().encode("utf-16"), "not CSV but JSON"),
        ("a.jsonl", CSV, "not JSON lines but other text"),
        ("a.jsonl", CSV.decode().encode("utf-16"), "not JSON lines but other text"),
        ("a.jsonl", PARQUET, "not JSON lines but Parquet"),
        ("a.parquet", CSV, "not Parquet but something else"),
        ("a.parquet", JSONL, "not Parquet but JSON"),
        ("a.csv.gz", CSV, "not gzip but something else"),
        ("a.csv.gz", ZSTD, "not gzip but Zstandard"),
        ("a.csv.gz", gzip.compress(PARQUET, mtime=0), "not CSV but Parquet"),
        ("a.csv.gz", gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "not CSV but gzip"),
        ("a.csv.zst", gzip.compress(CSV, mtime=0), "not Zstandard but gzip"),
        ("a.jsonl.bz2", JSONL, "not bzip2 but JSON"),
        ("a.jsonl.zst", ZSTD, "not JSON lines but other text"),
    ],
)
def test_one_format_is_not_taken_for_another(
    root: FileRoot, read: Read, name: str, content: bytes, kind: str
) -> None:
    put(root, name, content)

    with pytest.raises(FileUnavailable, match=kind) as raised:
        read(name)

    assert raised.value.reason == "CONTENT_MISMATCH"


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("a.CSV", CSV, ["a", "b"]),
        ("a.csv", b"PAR1,PK,BZh\n1,2,3\n", ["PAR1", "PK", "BZh"]),
        ("a.csv", b"{id},[x]\n1,2\n", ["{id}", "[x]"]),
        ("a.csv", b'id,json\n1,"{""a"": 1}"\n', ["id", "json"]),
        ("a.csv", b"<b>,html\n1,2\n", ["<b>", "html"]),
        ("a.JSONL", b'\xef\xbb\xbf\n{"a": 1}\n', ["a"]),
        ("a.Parquet", PARQUET, ["a"]),
    ],
)
def test_what_only_looks_odd_is_read(
    root: FileRoot, read: Read, name: str, content: bytes, columns: list[str]
) -> None:
    put(root, name, content)

    assert read(name).columns == columns


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.csv.gz", "a.jsonl.zst"])
def test_no_bytes_are_empty_whatever_the_format(root: FileRoot, read: Read, name: str) -> None:
    put(root, name, b"")

    with pytest.raises(FileUnavailable, match=r'"a.*" is empty') as raised:
        read(name)

    assert raised.value.reason == "EMPTY_FILE"
