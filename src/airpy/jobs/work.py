"""Counts a job's work, where it can be counted: files, or the bytes of its input.

A child does one job, so there is one listener. Bytes are counted by whoever watches the child: it only tells
how many there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    from airpy.jobs.costs import Cost

    T = TypeVar("T")

__all__ = ["Unit", "Work", "bytes_read", "counting", "listen", "listen_to_cost", "tell", "tell_cost"]

Unit: TypeAlias = Literal["files", "bytes"]


class Work(NamedTuple):
    """How much of a job's work is done."""

    done: int
    total: int
    unit: Unit

    @property
    def share(self) -> float | None:
        """How much of it is done, 0 to 0.99, as what is read is not yet computed; None where none is."""
        return min(self.done / self.total, 0.99) if self.total else None


def _ignore(done: int, total: int, unit: Unit) -> None:
    """Nobody listens."""


_told: list[Callable[[int, int, Unit], None]] = [_ignore]
_told_cost: list[Callable[[Cost], None]] = [lambda _cost: None]


def listen(listener: Callable[[int, int, Unit], None]) -> None:
    """Have this process's work told to the listener."""
    _told[0] = listener


def tell(done: int, total: int, unit: Unit) -> None:
    """Tell how much of the work is done."""
    _told[0](done, total, unit)


def tell_cost(cost: Cost) -> None:
    """Tell what the work is expected to cost, to be compared with what it does."""
    _told_cost[0](cost)


def listen_to_cost(listener: Callable[[Cost], None]) -> None:
    """Have what this process's work is expected to cost told to the listener."""
    _told_cost[0] = listener


def counting(things: Iterable[T], total: int, unit: Unit) -> Iterator[T]:
    """The things one by one, telling how many are done."""
    for number, thing in enumerate(things):
        tell(number, total, unit)
        yield thing
    tell(total, total, unit)


def bytes_read(pid: int) -> int:
    """Bytes that the process has read from files: by reading, or by touching what it has mapped."""
    try:
        counted = Path(f"/proc/{pid}/io").read_text()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended, or this is no Linux
        return 0
    total = 0
    for line in counted.splitlines():
        if line.startswith("rchar:"):
            total += int(line.split()[1])
    for line in status.splitlines():
        if line.startswith("RssFile:"):
            total += int(line.split()[1]) * 1024
    return total
