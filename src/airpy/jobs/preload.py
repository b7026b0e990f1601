"""What the fork server imports, so that no child has to, and what a child does before there is work.

Libraries import some of their modules only when they are first needed; those are named here. The fork server
computes nothing: compiling so much as a plan's schema starts threads of the engine, and a fork after that
hangs. A child that stands ready has done a small job already, so the first real one finds all of it awake.
Once the machine has nothing else to do, it does a small analysis too, which takes a tenth of a second.
"""

from __future__ import annotations

import datetime as dt
import gc
import importlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from airpy.contract import AnalyzeOptions, Plan
from airpy.engine.encoding import arrow_schema, encode_rows, write_arrow
from airpy.engine.execute import execute
from airpy.engine.profile.report import report
from airpy.engine.trials import compile_forms
from airpy.jobs import copying, kinds, preflight, preview
from airpy.jobs.results import result_frame

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LATE_IMPORTS", "copying", "kinds", "preflight", "preview", "warm_up", "warm_up_further"]

LATE_IMPORTS = (
    "encodings.utf_8_sig",
    "narwhals._duration",
    "narwhals._interchange.dataframe",
    "narwhals._namespace",
    "narwhals._polars.dataframe",
    "narwhals._polars.expr",
    "narwhals._polars.group_by",
    "narwhals._polars.namespace",
    "narwhals._polars.series",
    "narwhals._polars.utils",
    "narwhals.group_by",
    "numpy.ma",
    "pyarrow.compute",
)

SAMPLE_PLAN = Plan.model_validate(
    {
        "dataset": "sample",
        "filters": [{"col": "time", "op": ">=", "val": "2025-09-01T00:00:00Z"}],
        "groupby": ["day"],
        "aggs": [{"col": "value", "fn": "sum"}],
        "grain": "1 day",
        "order": [{"col": "day"}],
        "limit": 1,
    }
)

SAMPLE_ROWS = 20

for _name in LATE_IMPORTS:
    importlib.import_module(_name)
compile_forms()
gc.freeze()  # a child's garbage collector need not touch, and so copy, what all of them share


class _Busy(Exception):
    """There is something better to do."""


def warm_up() -> None:
    """Do a small job, in a child."""
    frame = pl.DataFrame({"time": [dt.datetime(2025, 9, 1, tzinfo=dt.UTC)], "value": [1.0]})
    with TemporaryDirectory(prefix="airpy-warm-") as folder:
        source = Path(folder, "sample.parquet")
        frame.write_parquet(source)
        answer = execute(SAMPLE_PLAN, pl.scan_parquet(source, glob=False))
        written = write_arrow(answer, source.with_suffix(".arrow"), 1)
    encode_rows(written.preview)
    result_frame("arrow", written.rows, arrow_schema(written.preview))


def warm_up_further(may: Callable[[], bool]) -> bool:
    """Do a small analysis too, which takes longer, as long as it may; whether it was done."""

    def on_step(*_: str) -> None:
        if not may():
            raise _Busy

    begin = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
    sample = {
        "time": [begin + dt.timedelta(hours=row) for row in range(SAMPLE_ROWS)],
        "value": [row % 7 / 2 for row in range(SAMPLE_ROWS)],
        "count": [row % 5 for row in range(SAMPLE_ROWS)],
        "is_on": [row % 3 == 0 for row in range(SAMPLE_ROWS)],
        "kind": [None if row % 4 == 0 else f"kind {row % 4}" for row in range(SAMPLE_ROWS)],
    }
    try:
        on_step()
        report(pl.DataFrame(sample).lazy(), "eda", AnalyzeOptions(), on_step)
    except _Busy:
        return False
    return True
