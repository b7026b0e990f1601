"""Describes a Parquet file as a peer does, in a process of its own, and prints the seconds that it took.

python benchmarks/profile_peers.py duckdb|polars|ydata FILE
"""

from __future__ import annotations

import importlib
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def duckdb(path: str) -> Any:
    """Type, ends, distinct values, mean, deviation, quartiles, count and nulls of each column."""
    database = importlib.import_module("duckdb")
    return database.read_parquet(path).query("lineitem", "SUMMARIZE lineitem").fetchall()


def polars(path: str) -> Any:
    """Count, nulls, mean, deviation, ends and quartiles of each column."""
    return importlib.import_module("polars").read_parquet(path).describe()


def ydata(path: str) -> Any:
    """A whole profile: statistics, distinct values, histograms, correlations, missing values, alerts."""
    frame = importlib.import_module("pandas").read_parquet(path)
    for name, column in frame.items():
        if column.dtype == object and hasattr(column.iloc[0], "as_tuple"):
            frame[name] = column.astype(float)  # it takes decimals for text
    report = importlib.import_module("ydata_profiling").ProfileReport(frame, progress_bar=False)
    return report.get_description()


PEERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "duckdb": ("duckdb", duckdb),
    "polars": ("polars", polars),
    "ydata": ("ydata_profiling", ydata),
}


if __name__ == "__main__":
    module, describe = PEERS[sys.argv[1]]
    importlib.import_module(module)
    began = time.perf_counter()
    describe(sys.argv[2])
    print(time.perf_counter() - began)
