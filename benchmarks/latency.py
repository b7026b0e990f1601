"""How long a small query takes on an idle service, and where the time goes.

    python benchmarks/latency.py [queries]

Submits queries one after the other over HTTP and polls each every 5 ms until it has completed, as a client
does. The parts come from the job's own record: `queue` is from accepted to begun, `child` until the job's
function reports its first step, `work` until the result is recorded, `poll` what the client adds.
"""

from __future__ import annotations

import datetime as dt
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from service import Caller, running

from airpy.demo import QUERY, make_energy_data

WARM_UP = 10
PARTS = ("queue", "child", "work", "poll", "total")


def main(queries: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        make_energy_data(Path(folder))
        with running(Path(folder)) as service, Caller(service.url) as caller:
            for _ in range(WARM_UP):
                measure(caller)
            times = [measure(caller) for _ in range(queries)]
    print(f"{queries} queries of 54,000 rows of Parquet, one at a time, polled every 5 ms; milliseconds")
    print(f"{'part':<8}{'p50':>8}{'p90':>8}{'p99':>8}{'share':>8}")
    whole = sum(one["total"] for one in times)
    for part in PARTS:
        values = [one[part] for one in times]
        cuts = statistics.quantiles(values, n=100, method="inclusive")
        share = sum(values) / whole
        print(f"{part:<8}{cuts[49]:>8.1f}{cuts[89]:>8.1f}{cuts[98]:>8.1f}{share:>8.0%}")


def measure(caller: Caller) -> dict[str, float]:
    """The parts of one query's time, in milliseconds."""
    began = time.perf_counter()
    job = caller.wait(caller.submit("query", QUERY))
    total = (time.perf_counter() - began) * 1000
    first = job["steps"][0]
    created, ended = moment(job["created_at"]), moment(job["updated_at"])
    claimed = moment(first["timestamp"]) - first["duration_ms"]
    child = first["duration_ms"]
    work = ended - claimed - child
    queue = max(0.0, claimed - created)
    return {
        "queue": queue,
        "child": child,
        "work": work,
        "poll": max(0.0, total - queue - child - work),
        "total": total,
    }


def moment(text: Any) -> float:
    """A timestamp of the service, in milliseconds since the epoch."""
    return dt.datetime.fromisoformat(text).timestamp() * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
