"""What is listed, and what is said of it."""

from __future__ import annotations

import datetime as dt
import os
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl
import pytest

from airpy.errors import FileUnavailable
from airpy.files.listing import data_files, describe_file, estimated_rows
from airpy.files.paths import resolve
from airpy.files.walk import Walk
from tests.files.conftest import put, without_privileges

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.files.paths import FileRoot


def listed(root: FileRoot, directory: str = ".", *, recurse: bool = True) -> list[str]:
    """The data files of a directory, relative to the base path."""
    files = data_files(root, (root.real / directory).resolve(), recurse=recurse)
    return [str(path.relative_to(root.real)) for path in files]


def test_data_files_are_listed_in_the_order_of_their_paths(root: FileRoot) -> None:
    for name in (
        "b.csv",
        "a/z.jsonl",
        "a/b/c.parquet",
        "a.CSV",
        "c/x.csv",
        "a/notes.txt",
        "B.csv",
        "c/.h.csv",
    ):
        put(root, name)

    assert listed(root) == ["B.csv", "a/b/c.parquet", "a/z.jsonl", "a.CSV", "b.csv", "c/x.csv"]
    assert listed(root, "a") == ["a/b/c.parquet", "a/z.jsonl"]
    assert listed(root, recurse=False) == ["B.csv", "a.CSV", "b.csv"]


def test_an_empty_directory_has_no_files(root: FileRoot) -> None:
    assert listed(root) == []


def test_what_is_no_plain_file_is_left_out(root: FileRoot) -> None:
    put(root, "x.csv/a.csv")
    os.mkfifo(root.real / "pipe.csv")

    assert listed(root) == ["x.csv/a.csv"]


def test_links_are_followed_inside_and_never_outside(root: FileRoot, outside: Path) -> None:
    put(root, "store/a.csv")
    put(root, ".hidden/b.csv")
    put(root, "notes.txt")
    (root.real / "ds").mkdir()
    for name, target in {
        "a.csv": root.real / "store" / "a.csv",
        "b.csv": root.real / ".hidden" / "b.csv",
        "c.csv": root.real / "notes.txt",
        "d.csv": outside / "secret.csv",
        "e.csv": root.real / "gone.csv",
        "f": outside,
        "g.csv": root.real / "ds" / "g.csv",
    }.items():
        (root.real / "ds" / name).symlink_to(target)

    assert listed(root, "ds") == ["store/a.csv", ".hidden/b.csv"]


def test_loops_of_links_end(root: FileRoot) -> None:
    put(root, "a/b/x.csv")
    (root.real / "a" / "b" / "up").symlink_to("../..")
    (root.real / "a" / "self").symlink_to(".")

    assert listed(root) == ["a/b/x.csv"]
    assert listed(root, "a/b") == ["a/b/x.csv"]


def test_what_two_links_reach_is_listed_once(root: FileRoot) -> None:
    put(root, "store/a.csv")
    (root.real / "again").symlink_to("store")
    (root.real / "alone.csv").symlink_to("store/a.csv")

    assert listed(root) == ["store/a.csv"]


def test_a_thousand_directories_deep_is_not_too_deep(root: FileRoot) -> None:
    directories = [root.real]
    for _ in range(1100):
        directories.append(directories[-1] / "d")
        directories[-1].mkdir()
    file = directories[-1] / "a.csv"
    file.touch()

    files = list(data_files(root, root.real))
    pattern = resolve(root, "**/*.csv", "uri").files
    # Whoever cleans up after the tests may not be able to go so deep.
    file.unlink()
    for directory in reversed(directories):
        directory.rmdir()

    assert files == [file]
    assert pattern == (file,)


def test_listing_stops_where_nobody_asks_further(root: FileRoot, outside: Path) -> None:
    for name in ("a.csv", "b.csv", "c/d.csv"):
        put(root, name)
    (root.real / "c" / "out").symlink_to(outside)

    assert len(list(islice(data_files(root, root.real), 2))) == 2


def test_a_directory_that_may_not_be_read_is_left_out_unless_all_is_needed(public_root: FileRoot) -> None:
    put(public_root, "a.csv")
    put(public_root, "locked/b.csv")
    put(public_root, "z.csv")
    (public_root.real / "locked").chmod(0)

    with without_privileges():
        locked: list[Path] = []
        lenient = list(data_files(public_root, public_root.real, unreadable=locked.append))
        with pytest.raises(FileUnavailable, match='"locked" may not be read') as partial:
            list(data_files(public_root, public_root.real))
        with pytest.raises(FileUnavailable):
            listed(public_root, "locked")
    (public_root.real / "locked").chmod(0o700)

    assert [path.name for path in lenient] == ["a.csv", "z.csv"]
    assert locked == [public_root.real / "locked"]
    assert partial.value.reason == "UNREADABLE_FILE"


def test_a_file_is_described_as_the_caller_knows_it(root: FileRoot) -> None:
    file = put(root, "energy/a.csv", "v\n1\n2\n")
    os.utime(file, ns=(0, 1_736_937_000_999_999_999))  # 2025-01-15T10:30:00.999999999Z

    with Walk(root) as walk:
        described = describe_file(root, file, walk)

    assert described.model_dump() == {
        "path": f"{root.base}/energy/a.csv",
        "format": "csv",
        "size_bytes": 6,
        "modified": dt.datetime(2025, 1, 15, 10, 30, tzinfo=dt.UTC),
        "estimated_rows": 2,
    }


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.csv", "v\n1\n2\n", 2),
        ("a.csv", "v\n1\n2", 2),
        ("a.csv", "v\r\n1\r\n", 1),
        ("a.csv", "v\n", 0),
        ("a.csv", "v", 0),
        ("a.csv", "", 0),
        ("a.jsonl", '{"v":1}\n{"v":2}\n', 2),
        ("a.jsonl", '{"v":1}\n{"v":2}', 2),
        ("a.jsonl", "", 0),
        ("a.CSV", "v\n1\n", 1),
    ],
)
def test_lines_of_small_text_are_counted(root: FileRoot, name: str, content: str, rows: int) -> None:
    assert estimated_rows(put(root, name, content)) == rows


def test_rows_of_large_text_are_estimated_from_its_beginning(root: FileRoot) -> None:
    text = "id,name\n" + "".join(f"{number:06},a name\n" for number in range(20_000))
    one_line = put(root, "line.jsonl", '{"v":"' + "x" * 100_000 + '"}\n')

    # Every line has 14 bytes, but the header: 280 008 bytes.
    assert estimated_rows(put(root, "a.csv", text)) == pytest.approx(20_000, rel=0.001)
    assert estimated_rows(one_line) == 2  # 64 KB hold no line end, so the line is taken to end there


def test_rows_of_parquet_are_exact(root: FileRoot) -> None:
    path = root.real / "a.parquet"
    pl.DataFrame({"v": range(12_345)}).write_parquet(path, row_group_size=1000)

    assert estimated_rows(path) == 12_345


def test_rows_of_a_file_that_cannot_be_read_are_unknown(root: FileRoot) -> None:
    assert estimated_rows(put(root, "a.parquet", "no Parquet")) is None
    assert estimated_rows(put(root, "b.parquet", "")) is None
    assert estimated_rows(root.real / "gone.csv") is None


def test_rows_of_a_file_that_may_not_be_read_are_unknown(public_root: FileRoot) -> None:
    for name in ("a.csv", "a.parquet"):
        put(public_root, name, "v\n1\n").chmod(0)

    with without_privileges():
        rows = [estimated_rows(public_root.real / name) for name in ("a.csv", "a.parquet")]

    assert rows == [None, None]
