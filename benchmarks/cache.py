"""What it saves to have been asked before: an equal query, and another query of the same text file.

    python benchmarks/cache.py [queries] [rounds]

First, an equal query of the sample data, one at a time: from the POST to the rows in hand, remembered and,
with `Cache-Control: no-cache`, computed anew. Then plans over TPC-H's `lineitem` as CSV and JSONL (see
query.py): the first query of the file, and the same once a worker has copied it, with `no-cache`; of those
the best counts, but the first is the first only once.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peers import PLANS
from query import make_data
from service import DATA, Caller, running

from airpy.demo import QUERY, make_energy_data

if TYPE_CHECKING:
    from service import Running

SETTLED_S = 2.5
"""Files that were only just written are not remembered."""
LONGEST_S = 300.0
ANEW = {"Cache-Control": "no-cache"}


def main(queries: int, rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        make_energy_data(Path(folder))
        time.sleep(SETTLED_S)
        with running(Path(folder), PY_CACHE_MB="1024") as service, Caller(service.url) as caller:
            answer(caller, QUERY)
            print(f"{queries} equal queries of 54,000 rows of Parquet, one at a time; milliseconds")
            print(f"{'':<12}{'p50':>8}{'p90':>8}{'p99':>8}")
            for name, headers in (("remembered", {}), ("anew", ANEW)):
                cuts = statistics.quantiles(
                    [answer(caller, QUERY, headers) * 1000 for _ in range(queries)], n=100, method="inclusive"
                )
                print(f"{name:<12}{cuts[49]:>8.1f}{cuts[89]:>8.1f}{cuts[98]:>8.1f}", flush=True)
    make_data()
    print(f"\n{'seconds':<16}{'first':>8}{'copied':>8}{'times':>8}{'copy MiB':>10}{'made in':>9}")
    for form in ("csv", "jsonl"):
        for plan in PLANS:
            with running(DATA, PY_COPIES_MB="10240") as service, Caller(service.url) as caller:
                print_copied(service, caller, form, plan, rounds)


def print_copied(service: Running, caller: Caller, form: str, plan: str, rounds: int) -> None:
    """The first query of a file, and those after it was copied."""
    body = {"datasource_id": "bench", "plan": {"dataset": f"lineitem.{form}", **PLANS[plan]}}
    first = answer(caller, body, ANEW)
    began = time.perf_counter()
    copies = service.results / "copies"
    while not list(copies.glob("*.json")):
        if time.perf_counter() - began > LONGEST_S:
            raise SystemExit("no copy was made")
        time.sleep(0.1)
    made = time.perf_counter() - began
    size = sum(place.stat().st_size for place in copies.glob("*.parquet"))
    time.sleep(SETTLED_S)
    copied = min(answer(caller, body, ANEW) for _ in range(rounds))
    times = f"{first:>8.3f}{copied:>8.3f}{first / copied:>8.1f}"
    print(f"{form + '/' + plan:<16}{times}{size / 2**20:>10.0f}{made:>9.1f}", flush=True)


def answer(caller: Caller, body: dict[str, Any], headers: dict[str, str] | None = None) -> float:
    """How long it takes from the POST to the answer in hand."""
    began = time.perf_counter()
    response = caller.http.post("/v1/py/query", json=body, headers=headers or {})
    response.raise_for_status()
    caller.wait(response.json()["token"])
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, int(sys.argv[2]) if len(sys.argv) > 2 else 5)
