"""Compressed text files."""

from __future__ import annotations

import bz2
import gzip
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from airpy.errors import AmbiguousDataset, CapExceeded, FileUnavailable
from airpy.files import compression
from airpy.files.compression import unpacked
from airpy.files.datasets import dataset_at, find_dataset
from airpy.files.listing import describe_file
from airpy.files.scan import scan
from airpy.files.walk import Walk
from tests.files.conftest import put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airpy.files.paths import FileRoot
    from tests.files.conftest import Read


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, "zstd", asbytes=True))


PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd, ".bz2": bz2.compress}
TEXT = {"csv": b"v,w\n1,x\n2,y\n", "jsonl": b'{"v":1,"w":"x"}\n{"v":2,"w":"y"}\n'}
ENDINGS = list(PACK)


@pytest.fixture
def folder(scratch: Path) -> Path:
    """Where files are unpacked."""
    return scratch / "unpacked"


@pytest.mark.parametrize("ending", [*ENDINGS, ".GZ"])
@pytest.mark.parametrize("form", TEXT)
def test_compressed_text_is_read(root: FileRoot, read: Read, form: str, ending: str) -> None:
    put(root, f"a.{form}{ending}", PACK[ending.lower()](TEXT[form]))

    assert read(f"a.{form}{ending}").rows() == [(1, "x"), (2, "y")]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_of_several_streams_is_read_whole(root: FileRoot, read: Read, ending: str) -> None:
    text = TEXT["csv"]
    put(root, f"a.csv{ending}", PACK[ending](text[:7]) + PACK[ending](text[7:]))

    assert read(f"a.csv{ending}").rows() == [(1, "x"), (2, "y")]


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_damaged_or_cut_off_is_not_read_half(root: FileRoot, folder: Path, ending: str) -> None:
    whole = PACK[ending](bytes(range(256)) * 100)
    damaged = bytearray(whole)
    damaged[-8] ^= 255
    junk = b"and something behind it"
    for content in (whole[:-1], whole[: len(whole) // 2], whole[:5], bytes(damaged), whole + junk):
        if ending == ".zst" and content == bytes(damaged):
            continue  # its writer put no checksum in
        path = put(root, f"a.csv{ending}", content)

        with pytest.raises(FileUnavailable, match=f'"a.csv{ending}" cannot be unpacked') as raised:
            unpacked(path, path.name, folder)

        assert raised.value.reason == "UNREADABLE_FILE"
        assert [place for place in folder.rglob("*") if place.is_file()] == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_bomb_is_refused(
    root: FileRoot, folder: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "FREE_BYTES", 2**20)
    path = put(root, f"a.csv{ending}", PACK[ending](bytes(64 * 2**20)))

    with pytest.raises(CapExceeded, match="becomes too large when it is unpacked") as raised:
        unpacked(path, path.name, folder)

    assert raised.value.reason == "TOO_LARGE"
    assert [place for place in folder.rglob("*") if place.is_file()] == []


def test_a_small_file_of_equal_rows_is_no_bomb(root: FileRoot, folder: Path) -> None:
    path = put(root, "a.csv.zst", zstd(b"v\n" * 2**20))

    assert unpacked(path, path.name, folder).path.stat().st_size == 2**21


def test_no_file_is_unpacked_beyond_all_measure(
    root: FileRoot, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "MOST_BYTES", 2**20)
    path = put(root, "a.csv.gz", gzip.compress(b"v\n" * 2**20))

    with pytest.raises(CapExceeded, match="too large"):
        unpacked(path, path.name, folder)


def test_a_file_is_unpacked_once(root: FileRoot, folder: Path) -> None:
    path = put(root, "a.csv.gz", gzip.compress(TEXT["csv"]))

    first = unpacked(path, path.name, folder)
    path.write_bytes(b"")

    assert unpacked(path, path.name, folder) == first
    assert first.path.read_bytes() == TEXT["csv"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_as_much_is_unpacked_as_is_asked_for(root: FileRoot, folder: Path, encoding: str) -> None:
    text = "".join(f"{number},ж\n" for number in range(1_000_000))
    path = put(root, "a.csv.gz", gzip.compress(text.encode(encoding), 1))

    part = unpacked(path, path.name, folder, 1000)

    assert not part.whole
    shown = part.path.read_bytes().decode(encoding)
    assert text.startswith(shown)
    assert shown.endswith("\n")
    assert 1000 <= part.path.stat().st_size <= 2 * compression.BLOCK
    assert unpacked(path, path.name, folder, 1000) == part
    assert unpacked(path, path.name, folder).path.read_bytes() == text.encode(encoding)


def test_a_preview_opens_no_more_files_than_it_needs(root: FileRoot, scratch: Path) -> None:
    for name in "abc":
        put(root, f"{name}.csv.gz", gzip.compress(b"v\n" + b"1\n" * 100_000))

    opened = scan(dataset_at(root, ".", "uri"), infer_rows=10, scratch=scratch, most_unpacked=300_000)

    assert opened.frame.collect().height == 200_000
    assert not opened.whole
    assert scan(dataset_at(root, ".", "uri"), infer_rows=10, scratch=scratch).whole


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_name_finds_its_compressed_file(root: FileRoot, ending: str) -> None:
    path = put(root, f"energy.csv{ending}", PACK[ending](TEXT["csv"]))

    assert find_dataset(root, "source", "energy", "plan.dataset").files == (path,)
    assert find_dataset(root, "source", "energy_csv", "plan.dataset").files == (path,)


def test_a_name_with_a_plain_and_a_compressed_file_has_two_meanings(root: FileRoot) -> None:
    put(root, "energy.csv", TEXT["csv"])
    put(root, "energy.csv.gz", gzip.compress(TEXT["csv"]))

    with pytest.raises(AmbiguousDataset) as raised:
        find_dataset(root, "source", "energy", "plan.dataset")

    assert raised.value.suggestion == ["energy.csv", "energy.csv.gz"]


def test_hive_folders_and_patterns_have_compressed_files(root: FileRoot, read: Read) -> None:
    put(root, "ds/p=1/a.csv.gz", gzip.compress(b"v\n1\n"))
    put(root, "ds/p=2/b.csv.zst", zstd(b"v\n2\n"))
    put(root, "ds/p=3/c.csv", b"v\n3\n")

    assert read("ds").rows() == [(1, 1), (2, 2), (3, 3)]
    assert read("ds/*/*.gz").rows() == [(1, 1)]
    assert read("ds/**/*.csv*").height == 3


def test_a_pattern_that_is_suggested_finds_compressed_files_too(root: FileRoot, read: Read) -> None:
    put(root, "ds/a.csv.gz", gzip.compress(b"v\n1\n"))
    put(root, "ds/b.csv", b"v\n2\n")
    put(root, "ds/c.jsonl", b'{"v":3}\n')

    with pytest.raises(AmbiguousDataset) as raised:
        read("ds")

    assert [read(pattern).height for pattern in raised.value.suggestion] == [2, 1]


@pytest.mark.parametrize(("rows", "estimated"), [(3, 3), (100_000, None)])
def test_rows_of_a_compressed_file_are_told_where_its_first_block_has_all(
    root: FileRoot, rows: int, estimated: int | None
) -> None:
    path = put(root, "a.csv.gz", gzip.compress(b"v\n" + b"1\n" * rows))

    with Walk(root) as walk:
        described = describe_file(root, path, walk)
        damaged = describe_file(root, put(root, "b.csv.gz", b"damaged"), walk)

    assert (described.format, described.estimated_rows) == ("csv", estimated)
    assert damaged.estimated_rows is None
