from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter

from airpy.files.memory import KEPT_S, as_json, forget, remembered

if TYPE_CHECKING:
    from pathlib import Path

OLD_S = time.time() - 3600
TRUTH = as_json(TypeAdapter(bool))


class Looks:
    """Counts how often it is looked."""

    def __init__(self, *, finds: bool = True) -> None:
        self.finds = finds
        self.count = 0

    def __call__(self) -> bool:
        self.count += 1
        return self.finds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that has long been as it is."""
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    os.utime(path, (OLD_S, OLD_S))
    return path


@pytest.mark.parametrize("finds", [True, False])
def test_a_file_is_looked_at_once(tmp_path: Path, file: Path, *, finds: bool) -> None:
    look = Looks(finds=finds)

    assert [remembered(tmp_path / "known", file, "odd?", look, TRUTH) for _ in range(3)] == [finds] * 3
    assert look.count == 1


def test_another_version_of_the_file_is_looked_at_anew(tmp_path: Path, file: Path) -> None:
    look = Looks()
    remembered(tmp_path / "known", file, "odd?", look, TRUTH)
    file.write_text("a\n2\n")
    os.utime(file, (OLD_S, OLD_S))  # of the same size, and as old as before

    remembered(tmp_path / "known", file, "odd?", look, TRUTH)

    assert look.count == 2


def test_another_question_is_another_look(tmp_path: Path, file: Path) -> None:
    look = Looks()
    for question in ("odd?", "even?", "odd?"):
        remembered(tmp_path / "known", file, question, look, TRUTH)

    assert look.count == 2


def test_a_file_that_was_written_just_now_is_not_remembered(tmp_path: Path, file: Path) -> None:
    look = Looks()
    os.utime(file)
    for _ in range(2):
        remembered(tmp_path / "known", file, "odd?", look, TRUTH)

    assert look.count == 2


def test_nothing_is_remembered_where_there_is_no_folder_for_it(file: Path) -> None:
    look = Looks()
    for _ in range(2):
        remembered(None, file, "odd?", look, TRUTH)

    assert look.count == 2


def test_what_is_old_is_forgotten(tmp_path: Path, file: Path) -> None:
    known = tmp_path / "known"
    forget(known)  # nothing is there yet
    remembered(known, file, "odd?", Looks(), TRUTH)
    remembered(known, file, "even?", Looks(), TRUTH)
    first, _ = sorted(known.iterdir())
    week_ago = time.time() - KEPT_S - 60
    os.utime(first, (week_ago, week_ago))

    forget(known)

    assert len(list(known.iterdir())) == 1
    assert not first.exists()


def test_the_oldest_is_forgotten_of_what_is_too_much(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "older", "oldest")):
        (tmp_path / name).write_bytes(b"x" * 10)
        changed = time.time() - 60 * age
        os.utime(tmp_path / name, (changed, changed))

    forget(tmp_path, most_bytes=25)

    assert {path.name for path in tmp_path.iterdir()} == {"new", "older"}
