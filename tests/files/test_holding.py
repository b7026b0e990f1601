"""Files that change, or are swapped, while they are read."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import polars as pl
import pytest

from airpy.errors import FileUnavailable
from airpy.files.datasets import dataset_at
from airpy.files.holding import held, listen
from airpy.files.scan import scan
from airpy.files.walk import DESCRIPTORS, Walk, opened_safely
from tests.files.conftest import put, without_privileges, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeVar

    from airpy.files.datasets import Dataset
    from airpy.files.holding import States
    from airpy.files.paths import FileRoot

    T = TypeVar("T")

FORMATS = ["csv", "jsonl", "parquet"]


def grow(path: Path) -> None:
    with path.open("a") as file:
        file.write("2\n")


def cut(path: Path) -> None:
    os.truncate(path, 1)


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.rename(path)


def rewrite(path: Path) -> None:
    status = path.stat()
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def link(path: Path) -> None:
    path.rename(path.with_name("moved.csv"))
    path.symlink_to("moved.csv")


def hide(path: Path) -> None:
    path.chmod(0)


def remove(path: Path) -> None:
    path.unlink()


def during(root: FileRoot, scratch: Path, requested: str, act: Callable[[Dataset], T]) -> T:
    """What comes of an act while the files are held."""
    with held([dataset_at(root, requested, "uri")], scratch) as [dataset]:
        return act(dataset)


def fail(_: Dataset) -> None:
    raise FileUnavailable("something else")


def open_descriptors() -> int:
    return len(list(DESCRIPTORS.iterdir()))


CHANGES = [grow, cut, replace, rewrite, link, hide, remove]


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_read_is_noticed(
    root: FileRoot, scratch: Path, change: Callable[[Path], None]
) -> None:
    path = put(root, "a.csv")

    with pytest.raises(FileUnavailable, match=r'"a.csv" changed while it was read') as raised:
        during(root, scratch, "a.csv", lambda _: change(path))

    assert (raised.value.reason, raised.value.retryable) == ("FILE_CHANGED", True)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_told_rather_than_what_came_of_it(
    root: FileRoot, scratch: Path, change: Callable[[Path], None]
) -> None:
    path = put(root, "a.csv")

    def change_and_fail(dataset: Dataset) -> None:
        change(path)
        fail(dataset)

    with pytest.raises(FileUnavailable) as raised:
        during(root, scratch, "a.csv", change_and_fail)

    assert raised.value.reason == "FILE_CHANGED"


def test_files_that_stay_as_they_are_raise_nothing_of_their_own(root: FileRoot, scratch: Path) -> None:
    put(root, "a.csv")

    with pytest.raises(FileUnavailable, match="something else"):
        during(root, scratch, "a.csv", fail)


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_read_is_what_was_found(root: FileRoot, scratch: Path, outside: Path, form: str) -> None:
    path = root.real / f"year=2025/a.{form}"
    write(pl.DataFrame({"v": [1]}), path)
    write(pl.DataFrame({"v": [2]}), outside / f"a.{form}")
    read: list[tuple[int, int]] = []

    def swap_and_read(dataset: Dataset) -> None:
        path.unlink()
        path.symlink_to(outside / f"a.{form}")
        read.extend(scan(dataset, infer_rows=10, scratch=scratch).frame.collect().rows())

    with pytest.raises(FileUnavailable, match="changed"):
        during(root, scratch, ".", swap_and_read)
    assert read == [(1, 2025)]


@pytest.mark.parametrize("name", ["folder/a.csv", "a.csv"])
def test_a_link_that_was_put_on_the_way_is_not_followed(
    root: FileRoot, scratch: Path, outside: Path, name: str
) -> None:
    path = put(root, name)
    dataset = dataset_at(root, name, "uri")
    swapped = path if path.parent == root.real else path.parent
    swapped.rename(root.real / "was")
    (outside / "a.csv").write_text("secret\n1\n")
    swapped.symlink_to(outside if swapped != path else outside / "a.csv")

    with pytest.raises(FileUnavailable, match="changed"), held([dataset], scratch):
        pytest.fail("it was opened")
    with Walk(root) as walk, pytest.raises(FileUnavailable, match="changed"), opened_safely(walk, path):
        pytest.fail("it was opened")


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(root: FileRoot, scratch: Path) -> None:
    path = put(root, "a.csv")
    dataset = dataset_at(root, "a.csv", "uri")
    path.unlink()
    os.mkfifo(path)

    with pytest.raises(FileUnavailable, match="changed"), held([dataset], scratch):
        pytest.fail("it was opened")


def test_a_file_that_may_not_be_read_is_an_error_of_permissions(public_root: FileRoot, scratch: Path) -> None:
    scratch.chmod(0o777)
    put(public_root, "a.csv").chmod(0)

    with (
        without_privileges(),
        pytest.raises(PermissionError),
        held([dataset_at(public_root, "a.csv", "uri")], scratch),
    ):
        pytest.fail("it was opened")


def test_nothing_leaks_however_often_a_link_is_swapped(root: FileRoot, scratch: Path, outside: Path) -> None:
    """A racer swaps the file for a link that leads outside, and back, as fast as it can."""
    path, following = root.real / "a.csv", root.real / "next"
    stop = threading.Event()

    def race() -> None:
        while not stop.is_set():
            following.write_text("v\n1\n")
            following.rename(path)
            following.symlink_to(outside / "secret.csv")
            following.rename(path)

    path.write_text("v\n1\n")
    racer = threading.Thread(target=race)
    racer.start()
    seen: set[str] = set()
    try:
        for _ in range(300):
            try:
                with held([dataset_at(root, "a.csv", "uri")], scratch) as [dataset]:
                    seen |= set(scan(dataset, infer_rows=10, scratch=scratch).frame.collect().columns)
            except Exception as error:  # noqa: BLE001
                seen.add(type(error).__name__)
    finally:
        stop.set()
        racer.join()

    assert "secret" not in seen
    assert seen <= {"v", "FileUnavailable", "PathRefused"}


def test_more_files_than_may_be_open_are_compared_all_the_same(
    root: FileRoot, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airpy.files.holding.MOST_HELD", 1)
    paths = [put(root, f"p={number}/a.csv", f"v\n{number}\n") for number in range(3)]

    def read_and_grow(dataset: Dataset) -> None:
        assert len(dataset.held) == 1
        assert scan(dataset, infer_rows=10, scratch=scratch).frame.collect().rows() == [
            (0, 0),
            (1, 1),
            (2, 2),
        ]
        grow(paths[2])

    with pytest.raises(FileUnavailable, match="changed"):
        during(root, scratch, ".", read_and_grow)


def test_nothing_stays_open(root: FileRoot, scratch: Path) -> None:
    for number in range(3):
        put(root, f"a/b{number}/c/a.csv", f"v\n{number}\n")
    before = open_descriptors()

    with held([dataset_at(root, ".", "uri")], scratch):
        assert open_descriptors() == before + 3

    assert open_descriptors() == before


def test_who_listens_is_told_what_is_held(root: FileRoot, scratch: Path) -> None:
    path = put(root, "a.csv")
    told: list[States] = []
    listen(told.append)
    try:
        with held([dataset_at(root, "a.csv", "uri")], scratch):
            pass
    finally:
        listen(lambda _: None)

    assert [list(states) for states in told] == [[path]]
