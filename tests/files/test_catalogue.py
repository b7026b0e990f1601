from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from airpy.errors import FileUnavailable
from airpy.files.catalogue import listed
from airpy.files.listing import data_files
from airpy.files.paths import FileRoot

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> FileRoot:
    """A base path with files in two partitions, and what is none of them; all of it an hour old."""
    for name in ("year=2024/b.csv", "year=2024/a.csv", "year=2025/c.parquet", "d.csv", "notes.txt", "_e.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("a\n1\n")
    age(tmp_path)
    return FileRoot.at(tmp_path, (".csv", ".parquet"))


def age(base: Path) -> None:
    """Make every directory look as if nothing was done to it for an hour."""
    for folder in [base, *(path for path in base.rglob("*") if path.is_dir())]:
        status = folder.stat()
        os.utime(folder, (status.st_atime - 3600, status.st_mtime - 3600))


def names(root: FileRoot) -> list[str]:
    return [path.name for path in listed(root, root.real).files]


def test_it_lists_what_a_walk_lists(root: FileRoot) -> None:
    found = listed(root, root.real)

    assert found.files == tuple(data_files(root, root.real))
    assert [path.name for path in found.files] == ["d.csv", "a.csv", "b.csv", "c.parquet"]
    assert {form: len(files) for form, files in found.by_format.items()} == {"csv": 3, "parquet": 1}


def test_a_directory_that_changed_a_moment_ago_is_not_trusted(root: FileRoot) -> None:
    # What the kernel says of when an entry was last changed cannot be set back.
    assert listed(root, root.real).directories == ()


def test_what_has_not_changed_is_not_looked_at_again(root: FileRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airpy.files.catalogue.YOUNG_S", -10)

    assert listed(root, root.real) is listed(root, root.real)


@pytest.mark.parametrize("change", ["new", "gone", "renamed", "deeper"])
def test_a_change_is_seen(root: FileRoot, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    monkeypatch.setattr("airpy.files.catalogue.YOUNG_S", -10)
    before = names(root)

    folder = root.real / "year=2024"
    if change == "new":
        (folder / "new.csv").write_text("a\n")
    elif change == "gone":
        (folder / "a.csv").unlink()
    elif change == "renamed":
        (folder / "a.csv").rename(folder / "z.csv")
    else:
        (folder / "month=1").mkdir()
        (folder / "month=1" / "x.csv").write_text("a\n")

    assert names(root) != before
    assert names(root) == [path.name for path in data_files(root, root.real)]


def test_where_there_is_a_link_every_look_is_a_new_one(
    root: FileRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airpy.files.catalogue.YOUNG_S", -10)
    (root.real / "link.csv").symlink_to(root.real / "d.csv")

    found = listed(root, root.real)

    assert found.directories == ()
    assert found.files == tuple(data_files(root, root.real))


def test_a_directory_that_is_gone_is_an_error(root: FileRoot) -> None:
    with pytest.raises(FileUnavailable):
        listed(root, root.real / "nowhere")
