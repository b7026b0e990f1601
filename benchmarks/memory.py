"""Samples the memory of processes while something runs."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Memory", "Peak", "watched"]

SAMPLE_S = 0.01


class Memory(NamedTuple):
    """Memory in MiB."""

    anonymous: float = 0
    """The processes' own: what a cap on memory counts, and what cannot be given back under pressure."""
    resident: float = 0
    """The same with what is mapped of files."""


class Peak:
    """The most memory seen so far."""

    def __init__(self) -> None:
        self.memory = Memory()

    def look(self, always: Sequence[int], one_of: Sequence[int]) -> None:
        """Take a sample: the processes of `always` together, and the largest one of `one_of`."""
        largest = max(map(memory_of, one_of), default=Memory())
        seen = [*map(memory_of, always), largest]
        anonymous = max(self.memory.anonymous, sum(memory.anonymous for memory in seen))
        resident = max(self.memory.resident, sum(memory.resident for memory in seen))
        self.memory = Memory(anonymous, resident)


@contextlib.contextmanager
def watched(always: Sequence[int] = (), one_of: Sequence[int] = ()) -> Iterator[Peak]:
    """Sample these processes every 10 ms as long as the block runs."""
    peak, done = Peak(), threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_S):
            peak.look(always, one_of)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        done.set()
        sampler.join()


def memory_of(pid: int) -> Memory:
    """What a process holds now; nothing once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return Memory()
    kilobytes = {
        name: int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in lines)
        if name in {"RssAnon", "VmRSS"}
    }
    return Memory(kilobytes.get("RssAnon", 0) / 1024, kilobytes.get("VmRSS", 0) / 1024)
