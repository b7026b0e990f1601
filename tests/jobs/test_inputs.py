from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from airpy.errors import FileUnavailable
from airpy.jobs.inputs import keep, received, remove

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


async def parts(*given: bytes) -> AsyncIterator[bytes]:
    for part in given:
        yield part


def test_what_is_given_is_kept_each_under_its_name(tmp_path: Path) -> None:
    result = tmp_path / "frame.arrow"
    result.write_bytes(b"a result")

    folder = tmp_path / keep(tmp_path, {"frame_ref.data.arrow": b"sent", "baseline.token.arrow": result})

    assert folder.name.startswith("input-")
    assert (folder / "frame_ref.data.arrow").read_bytes() == b"sent"
    assert (folder / "baseline.token.arrow").samefile(result)


def test_a_link_outlasts_the_file_that_it_is_of(tmp_path: Path) -> None:
    result = tmp_path / "frame.arrow"
    result.write_bytes(b"a result")
    folder = tmp_path / keep(tmp_path, {"token.arrow": result})

    result.unlink()

    assert (folder / "token.arrow").read_bytes() == b"a result"


def test_where_files_cannot_be_linked_they_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)  # a file system without links is not to be had in a test
    result = tmp_path / "frame.arrow"
    result.write_bytes(b"a result")

    folder = tmp_path / keep(tmp_path, {"token.arrow": result})

    assert (folder / "token.arrow").read_bytes() == b"a result"
    assert not (folder / "token.arrow").samefile(result)


def test_nothing_is_kept_where_something_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        keep(tmp_path, {"frame_ref.data.arrow": b"sent", "baseline.token.arrow": tmp_path / "gone"})

    assert list(tmp_path.iterdir()) == []


def test_an_input_is_removed_be_it_a_folder_or_a_file_or_gone(tmp_path: Path) -> None:
    folder = tmp_path / keep(tmp_path, {"a": b"1"})
    (tmp_path / "input-1").touch()

    for place in (folder, tmp_path / "input-1", tmp_path / "input-2"):
        remove(place)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sizes", [(0,), (1, 2, 3), (1 << 20, 5), (700_000, 700_000, 700_000)])
def test_a_body_is_received_in_a_file_for_a_while(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    sent = [bytes([place]) * size for place, size in enumerate(sizes)]

    async def read() -> tuple[Path, bytes, str]:
        async with received(parts(*sent), tmp_path) as body:
            return body.path, body.path.read_bytes(), body.digest

    path, content, digest = asyncio.run(read())

    assert content == b"".join(sent)
    assert digest == hashlib.sha256(b"".join(sent)).hexdigest()
    assert not path.exists()


def test_of_a_body_that_breaks_off_nothing_is_left(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"a" * (1 << 20)
        raise ValueError("broken off")

    async def read() -> None:
        async with received(broken(), tmp_path):
            pytest.fail("it never came")

    with pytest.raises(ValueError, match="broken off"):
        asyncio.run(read())

    assert list(tmp_path.iterdir()) == []


def test_a_body_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()

    async def read() -> None:
        async with received(parts(b"frame"), tmp_path / "a file"):
            pytest.fail("there is no such folder")

    with pytest.raises(FileUnavailable) as caught:
        asyncio.run(read())

    assert str(tmp_path) not in caught.value.message
