"""Shows on the terminal what a job in this process is at, and how far it is."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import Progress

from airpy.commands.terminal import bar_columns, counted_work
from airpy.errors import shortened
from airpy.jobs.work import Work, bytes_read, listen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, RenderableType

    from airpy.contract import StepName
    from airpy.engine.steps import OnStep
    from airpy.jobs.work import Unit

__all__ = ["progress_shown"]

LONGEST_STEP = 36


@contextmanager
def progress_shown(console: Console) -> Iterator[OnStep]:
    """Show one line while the job runs, and nothing afterwards; gives what is to be told of its steps."""
    with _Line(*bar_columns(), console=console, transient=True) as line:
        listen(line.heard)
        yield line.step


class _Line(Progress):
    """The line: its step, and the share of the work that is done. Bytes are counted whenever it is drawn."""

    work: Work | None = None
    read_before = 0

    def step(self, step: StepName, message: str) -> None:
        """Say what the job is at."""
        del step
        told = shortened(message, LONGEST_STEP)  # the bar needs room too
        if self.tasks:
            self.update(self.task_ids[0], description=told)
        else:
            self.add_task(told, total=None, counted="")
        self.refresh()

    def heard(self, done: int, total: int, unit: Unit) -> None:
        """Take note of how much of the work is done."""
        self.work = Work(done, total, unit)
        self.read_before = bytes_read(os.getpid()) if unit == "bytes" else 0

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn."""
        if self.work is not None and self.tasks:
            work = self.work
            if work.unit == "bytes":
                read = bytes_read(os.getpid()) - self.read_before
                work = work._replace(done=min(max(work.done, read), work.total))
            counted = counted_work(work._asdict())
            self.update(self.task_ids[0], completed=work.share or 0, total=1, counted=counted)
        return super().get_renderables()
