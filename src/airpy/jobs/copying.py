"""Copies text data sets into Parquet while a worker has nothing else to do."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import structlog

from airpy.contract import ReadOptions
from airpy.engine.steps import ignore_steps
from airpy.files.datasets import Dataset
from airpy.files.holding import held
from airpy.files.scan import scan

if TYPE_CHECKING:
    from airpy.engine.steps import OnStep
    from airpy.files.copies import Copies, Wish
    from airpy.files.paths import FileRoot
    from airpy.jobs.sandbox import Sandbox

__all__ = ["Copying", "copy"]

log = structlog.get_logger(__name__)

IDLE_TICKS = 2
"""How often in a row nothing must be at work before a copy is begun."""
LEAST_PRIORITY = 19


class Copying:
    """What grants wishes for copies, one at a time.

    Args:
        copies: Where they are.
        root: Where data sets are.
        sandbox: What reads them.
        timeout_s: How long one may take.
    """

    def __init__(self, copies: Copies, root: FileRoot, sandbox: Sandbox, timeout_s: float) -> None:
        self._copies = copies
        self._root = root
        self._sandbox = sandbox
        self._timeout_s = timeout_s
        self._idle = 0
        self._thread: threading.Thread | None = None

    def tick(self, *, at_work: bool) -> None:
        """Begin a copy if nothing has been at work for a while, and none is being made."""
        self._idle = 0 if at_work else self._idle + 1
        if self._idle < IDLE_TICKS or (self._thread is not None and self._thread.is_alive()):
            return
        if (granted := self._copies.granted()) is not None:
            self._thread = threading.Thread(target=self._make, args=granted, name="copying", daemon=True)
            self._thread.start()

    def _make(self, key: str, wish: Wish) -> None:
        try:
            self._sandbox.call(copy, key, wish, self._copies, self._root, timeout_s=self._timeout_s)
        except Exception as error:  # noqa: BLE001  whatever it is: the files are still there to be read
            self._copies.refuse(key)
            log.info("copy_failed", name=wish.name, error=str(error))
        else:
            log.info("copied", name=wish.name)
        self._copies.tidy()
        self._sandbox.prepare()


def copy(key: str, wish: Wish, copies: Copies, root: FileRoot, *, on_step: OnStep = ignore_steps) -> None:
    """Make the copy that is wished for, if the files are still as they were then.

    Raises:
        AirError: They cannot be read.
    """
    del on_step
    os.nice(LEAST_PRIORITY)
    dataset = Dataset(
        wish.name,
        "csv" if wish.format == "csv" else "jsonl",
        root,
        tuple(map(Path, wish.files)),
        None if wish.directory is None else Path(wish.directory),
    )
    options = ReadOptions.model_validate(wish.options)
    rows, every_column = wish.infer_rows, wish.every_column
    with (
        TemporaryDirectory(dir=copies.path, prefix="scratch-") as folder,
        held([dataset], Path(folder)) as [source],
    ):
        size = sum(map(source.size, source.files))
        fits = 2 * size < copies.free_bytes()  # it may have to be unpacked, or put into plain form
        if fits and copies.key(source, options, rows, every_column=every_column) == key:
            copies.keep(
                key, scan(source, options, infer_rows=rows, scratch=Path(folder), every_column=every_column)
            )
