"""Text that no reader is to be given. Files of gibibytes are holes, and take no room."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from airpy.errors import CapExceeded
from airpy.files.gates import MOST_COLUMNS, MOST_LINE_BYTES, check_columns, check_lines

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.files.paths import FileRoot
    from tests.files.conftest import Read

GIBIBYTE = 1024**3


def hole(path: Path, before: bytes, size: int, after: bytes) -> Path:
    """A file of zeros, but for how it begins and ends."""
    with path.open("wb") as file:
        file.write(before)
        os.truncate(path, size)
        file.seek(size)
        file.write(after)
    return path


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("before", [b"", b"a,b\n", b'a,b\n1,"', b'{"a": 1}\n{"a": "', b"a\r1\r"])
@pytest.mark.parametrize("after", [b"", b"\n", b'"}\n{"a": 1}\n'])
def test_a_line_of_gibibytes_is_refused(root: FileRoot, form: str, before: bytes, after: bytes) -> None:
    path = hole(root.real / f"a.{form}", before, 2 * GIBIBYTE, after)

    with pytest.raises(CapExceeded, match=r'"a" has a line of more than 16 MiB') as raised:
        check_lines(path, "a")

    assert raised.value.reason == "TOO_LARGE"


@pytest.mark.parametrize("begins_at", [0, 1, MOST_LINE_BYTES // 2 - 1, MOST_LINE_BYTES // 2, MOST_LINE_BYTES])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_longest_line_is_known_to_the_byte(tmp_path: Path, begins_at: int, end: bytes) -> None:
    before = (b"x" * max(begins_at - len(end), 0) + end)[:begins_at] if begins_at else b""
    if begins_at and not before.endswith((b"\n", b"\r")):
        before = before[:-1] + b"\n"

    for size, refused in ((MOST_LINE_BYTES, False), (MOST_LINE_BYTES + 1, True)):
        path = hole(tmp_path / "a", before, begins_at + size, end + b"1" + end)
        if refused:
            with pytest.raises(CapExceeded):
                check_lines(path, "a")
        else:
            check_lines(path, "a")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_ten_thousand_columns_are_the_most(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a"
    path.write_text(delimiter.join(f"c{place}" for place in range(MOST_COLUMNS)) + "\n1\n")
    check_columns(path, "a")
    path.write_text(delimiter.join(f"c{place}" for place in range(MOST_COLUMNS + 1)) + "\n1\n")

    with pytest.raises(CapExceeded, match=r'"a" has more than 10,000 columns') as raised:
        check_columns(path, "a")

    assert raised.value.reason == "TOO_LARGE"


def test_what_is_in_quotes_makes_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text('"' + "," * 20_000 + '",b\n1,2\n')

    check_columns(path, "a")


def test_the_header_is_behind_what_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("," * 20_000 + "\na,b\n1,2\n")

    check_columns(path, "a", skip=1)
    with pytest.raises(CapExceeded):
        check_columns(path, "a")


def test_a_million_columns_are_refused_before_anything_is_read(root: FileRoot, read: Read) -> None:
    (root.real / "a.csv").write_text(",".join(f"c{place}" for place in range(1_000_000)) + "\n")

    with pytest.raises(CapExceeded, match="more than 10,000 columns"):
        read("a.csv")


def test_a_cell_of_a_gibibyte_is_refused_before_anything_is_read(root: FileRoot, read: Read) -> None:
    hole(root.real / "a.csv", b'a,b\n1,"', GIBIBYTE, b'"\n')

    with pytest.raises(CapExceeded, match="a line of more than 16 MiB"):
        read("a.csv")
