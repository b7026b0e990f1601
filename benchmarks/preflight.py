"""How long a dry run takes over ten thousand Parquet files, in hive partitions and in one folder.

    python benchmarks/preflight.py [requests]

Sends dry runs of one plan one after the other over HTTP, with a pause between them in which a child gets
ready, as people pause; and again without, where each waits for a child of its own. The first of all, which
lists the files, is told alone.
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
from service import Caller, running

FILES = 10_000
DAYS = 2_500
ROWS = 100
PAUSE_S = 0.5
LAYOUTS = ("hive", "flat")
PLAN = {
    "filters": [{"col": "site", "op": "=", "val": "s1"}],
    "groupby": ["site"],
    "aggs": [{"col": "kwh", "fn": "sum"}],
}


def main(requests: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder))
        time.sleep(3)  # what changed a moment ago is not remembered
        with running(Path(folder), worker=False) as service, Caller(service.url) as caller:
            print(f"dry runs over {FILES:,} Parquet files; milliseconds")
            print(f"{'layout':<8}{'pause s':>9}{'first':>9}{'p50':>9}{'p99':>9}")
            for layout in LAYOUTS:
                first = measure(caller, layout)
                for pause_s in (PAUSE_S, 0):
                    times = []
                    for _ in range(requests):
                        time.sleep(pause_s)
                        times.append(measure(caller, layout))
                    cuts = statistics.quantiles(times, n=100, method="inclusive")
                    print(f"{layout:<8}{pause_s:>9}{first:>9.1f}{cuts[49]:>9.1f}{cuts[98]:>9.1f}")


def make_files(base: Path) -> None:
    """Write the same rows ten thousand times for each layout."""
    rows = range(ROWS)
    frame = pl.DataFrame(
        {
            "site": [f"s{n % 7}" for n in rows],
            "kwh": [n / 2 for n in rows],
            "cost": [1.5] * ROWS,
        }
    )
    one = base / "_one.parquet"
    frame.write_parquet(one)
    content = one.read_bytes()
    (base / "flat").mkdir()
    for number in range(FILES):
        day = dt.date(2018, 1, 1) + dt.timedelta(days=number % DAYS)
        partition = base / "hive" / f"year={day.year}" / f"month={day.month}" / f"day={day.day}"
        partition.mkdir(parents=True, exist_ok=True)
        (partition / f"{number}.parquet").write_bytes(content)
        (base / "flat" / f"{number:05}.parquet").write_bytes(content)


def measure(caller: Caller, layout: str) -> float:
    """The time of one dry run, in milliseconds."""
    body: dict[str, Any] = {"datasource_id": "bench", "plan": {"dataset": layout, **PLAN}}
    began = time.perf_counter()
    answer = caller.http.post("/v1/py/query?dry_run=true", json=body)
    took = (time.perf_counter() - began) * 1000
    answer.raise_for_status()
    if answer.json()["datasets"][0]["files"] != FILES:
        raise RuntimeError(answer.text)
    return took


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
