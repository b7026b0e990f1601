"""Profiles of wide, long and empty frames, each in a process of its own: sensible, and in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
import json, sys
import numpy as np, polars as pl
from airpy.contract import AnalyzeOptions
from airpy.engine.profile.report import report
random = np.random.default_rng(7)
frame = {frame}
found = report(frame.lazy(), "profile", AnalyzeOptions())
metrics = found.metrics.model_dump(mode="json", exclude_none=True)
# Not what getrusage says, which begins with the peak of whoever started the process.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
issues = [issue.code for issue in found.issues]
json.dump({{"metrics": metrics, "issues": issues, "peak_kib": peak}}, sys.stdout)
"""
MOST_KIB = 1024 * 1024
WIDE = """pl.DataFrame({
    f"c{n}": (
        random.normal(n, 1, 10_000),
        pl.Series(np.arange(10_000) % (n + 1)),
        pl.Series(random.integers(0, 50, 10_000)).cast(pl.String),
        pl.Series(random.integers(0, 20_000, 10_000), dtype=pl.Int32).cast(pl.Date),
    )[n % 4]
    for n in range(1_000)
})"""
LONG = 'pl.DataFrame({"id": pl.Series(np.arange(1_000_000)).cast(pl.String) + " of a million"})'
NULLS = 'pl.DataFrame({"n": [None] * 500, "s": [None] * 500}, schema={"n": pl.Int64, "s": pl.String})'
ONE = 'pl.DataFrame({"n": [5], "s": ["x"]})'


def profiled(frame: str) -> tuple[dict[str, Any], list[str]]:
    """The metrics and the codes of issues of what the expression makes, within the memory there is."""
    script = SCRIPT.format(frame=frame)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=300)
    told = json.loads(done.stdout)
    assert told["peak_kib"] < MOST_KIB
    return told["metrics"], told["issues"]


@pytest.mark.e2e
def test_a_thousand_columns_are_profiled_in_a_gibibyte() -> None:
    metrics, _ = profiled(WIDE)
    columns = metrics["column_metrics"]

    assert (metrics["rows"], metrics["columns"], metrics["duplicate_rows"]) == (10_000, 1_000, 0)
    assert len(metrics["correlations"]) == 100
    assert [column["count"] for column in columns] == [10_000] * 1_000
    # A mean of 10,000 numbers that deviate by 1 is off by 0.01, one in a hundred thousand by 0.045.
    assert [n for n in range(0, 1_000, 4) if abs(columns[n]["mean"] - n) > 0.045] == []
    assert [columns[n]["unique"] for n in range(1, 1_000, 4)] == [n + 1 for n in range(1, 1_000, 4)]
    assert {columns[n]["unique"] for n in range(2, 1_000, 4)} == {50}
    assert {columns[n]["time"]["finest"] for n in range(3, 1_000, 4)} == {"day"}


@pytest.mark.e2e
def test_a_million_different_texts_are_profiled_in_a_gibibyte() -> None:
    metrics, issues = profiled(LONG)
    (column,) = metrics["column_metrics"]

    assert (metrics["rows"], metrics["duplicate_rows"]) == (1_000_000, 0)
    # What may be a key is counted, rather than estimated.
    assert (column["unique"], column["is_unique"]) == (1_000_000, True)
    assert (column["min"], column["max"]) == ("0 of a million", "999999 of a million")
    assert (column["text"]["min_length"], column["text"]["max_length"]) == (14, 19)
    # Ten numbers of one digit, ninety of two, and so on: 5,888,890 digits, and 13 letters each.
    assert column["text"]["mean_length"] == pytest.approx(18.88889)
    assert metrics["candidate_keys"] == [["id"]]
    assert "UNIQUE" in issues


def test_nulls_alone_are_profiled() -> None:
    metrics, issues = profiled(NULLS)

    assert (metrics["rows"], metrics["null_rows"], metrics["duplicate_rows"]) == (500, 500, 499)
    assert [(column["count"], column["missing"]) for column in metrics["column_metrics"]] == [(0, 500)] * 2
    assert metrics["missingness"] == [{"columns": ["n", "s"], "rows": 500, "share": 1.0}]
    assert issues.count("ALL_NULL") == 2


def test_one_row_is_profiled() -> None:
    metrics, issues = profiled(ONE)
    number, text = metrics["column_metrics"]

    assert (metrics["rows"], metrics["correlations"], metrics["associations"]) == (1, [], [])
    assert (number["mean"], number["median"], number["min"], number["max"]) == (5.0, 5.0, 5, 5)
    assert "std" not in number
    assert text["top_values"] == [{"value": "x", "count": 1, "share": 1.0}]
    assert issues == ["SMALL_SAMPLE"]
