"""Has the engine put on disk what it holds for a plan that may not fit into memory.

Groups are what it puts away well. It holds some of the rest whatever it is told, so that nothing is promised
here: only plans that might be ended otherwise are run so, for they are several times slower.
"""

from __future__ import annotations

import json
import tempfile

import polars as pl

__all__ = ["spill"]

SHARE = 4
"""The part of the memory beyond which things are put away, since as much again and more is under way."""


def spill(memory_mb: int) -> None:
    """Put away what goes over a part of the memory, into this process's folder for temporary files.

    It is for the life of the process, which is a job's child.
    """
    settings = {
        "POLARS_OOC_MEMORY_BUDGET_MB": str(max(memory_mb // SHARE, 1)),
        "POLARS_OOC_SPILL_DIR": tempfile.gettempdir(),
    }
    pl.Config.load(json.dumps({"environment": settings}))
