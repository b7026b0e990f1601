from __future__ import annotations

from typing import TYPE_CHECKING

from airpy.jobs.work import counting, tell

if TYPE_CHECKING:
    from airpy.jobs.work import Unit


def test_things_are_counted_as_they_are_done(told: list[tuple[int, int, Unit]]) -> None:
    seen = [(thing, list(told)) for thing in counting("ab", 2, "files")]

    assert seen == [
        ("a", [(0, 2, "files")]),
        ("b", [(0, 2, "files"), (1, 2, "files")]),
    ]
    assert told[-1] == (2, 2, "files")


def test_nothing_to_do_is_all_done(told: list[tuple[int, int, Unit]]) -> None:
    assert list(counting([], 0, "files")) == []
    assert told == [(0, 0, "files")]


def test_without_a_listener_work_goes_on() -> None:
    tell(1, 2, "bytes")

    assert list(counting("ab", 2, "files")) == ["a", "b"]
