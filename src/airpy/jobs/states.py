"""Names the state of the data that an answer is of: its files, settings and versions."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import polars as pl

from airpy import __version__
from airpy.files.memory import YOUNG_S

if TYPE_CHECKING:
    from pathlib import Path

    from airpy.files.datasets import Load
    from airpy.files.paths import FileRoot

__all__ = ["STATE", "data_state", "ground_of", "keep_state"]

STATE = "state"


def ground_of(root: FileRoot, infer_rows: int, max_rows_json: int) -> str:
    """What answers depend on beside request and files: where those are looked for, settings, versions."""
    ground = (__version__, pl.__version__, str(root.base), root.extensions, infer_rows, max_rows_json)
    return hashlib.sha256(repr(ground).encode()).hexdigest()


def data_state(load: Load, ground: str) -> str | None:
    """What tells the state of the data from another; None when it is not known."""
    if load.fingerprint is None:
        return None
    return hashlib.sha256(f"{load.fingerprint} {ground}".encode()).hexdigest()


def keep_state(folder: Path, load: Load, ground: str, began: float) -> None:
    """Keep in the folder of a result what state the data was in that it was computed of.

    Args:
        folder: The folder.
        load: What was read.
        ground: What the answer depends on beside.
        began: When reading began, in seconds since the epoch. Files that had just been changed then may have
            been changed again without a trace, and nothing is kept.
    """
    state = data_state(load, ground)
    if state is not None and load.changed_s < min(began, time.time()) - YOUNG_S:
        (folder / STATE).write_text(state)
