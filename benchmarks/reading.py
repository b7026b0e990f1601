"""How long it takes to say what a large file holds: schemas beside DuckDB, and previews.

    python benchmarks/reading.py [rounds] [previews]

TPC-H's `lineitem` at scale 1 as in query.py. The service's time is its caller's, over HTTP: of a schema from
the POST to the record that has it, polled every 5 ms or a twentieth of the time gone by; of a preview one
request. DuckDB works in this process, its imports not counted, and takes turns with the service; the best of
the rounds counts.

- `sample`: types of 20,000 rows and the first of them, and the exact number of rows, beside `sniff_csv` of as
  many rows and ten rows read.
- `full`: types that all rows support, their exact number, nulls and distinct values, beside the file read
  whole, once into an aggregate of all columns and once into a table.

A preview is asked for half a second after the one before, as people do, and again right after it, where it
finds no child ready and waits for one.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import duckdb
from query import make_data
from service import DATA, Caller, running

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 6_001_215
PAUSE_S = 0.5
FILE = DATA / "lineitem.csv"
SOURCE = f"read_csv('{FILE}')"


def main(rounds: int, previews: int) -> None:
    """Make the data, measure, and print."""
    make_data()
    with running(DATA) as service, Caller(service.url) as caller, duckdb.connect() as peer:
        columns = [row[0] for row in peer.sql(f"describe from {SOURCE}").fetchall()]
        largest = ", ".join(f"max({name})" for name in columns)

        def sniffed() -> None:
            peer.sql(f"from sniff_csv('{FILE}', sample_size=20000)").fetchall()
            peer.sql(f"from {SOURCE} limit 10").fetchall()

        best = taking_turns(
            {
                "service, sample": lambda: schema(caller, 20_000),
                "duckdb, sniff_csv and ten rows": sniffed,
                "service, full": lambda: schema(caller, 0),
                "duckdb, aggregate of all columns": lambda: peer.sql(
                    f"select count(*), {largest} from {SOURCE}"  # noqa: S608  the benchmark's own names
                ).fetchall(),
                "duckdb, create table": lambda: peer.sql(f"create or replace table t as from {SOURCE}"),
            },
            rounds,
        )
        for name, seconds in best.items():
            print(f"{name:<34}{seconds:8.3f} s")
        sample, sniff, full, aggregate, table = best.values()
        print(f"sample by sniff_csv {sample / sniff:.2f}; full by aggregate {full / aggregate:.2f}, ", end="")
        print(f"by table {full / table:.2f}")
        for form in ("csv", "parquet", "jsonl"):
            for pause_s in (PAUSE_S, 0):
                took = sorted(preview(caller, f"lineitem.{form}", pause_s) for _ in range(previews))
                p50, p99 = took[previews // 2], took[previews * 99 // 100]
                figures = f"p50 {p50 * 1000:6.1f} ms, p99 {p99 * 1000:6.1f} ms"
                print(f"preview of {form:<8} {pause_s} s after the one before  {figures}")


def taking_turns(sides: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The best time of each side."""
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(rounds):
        for name, run in sides.items():
            began = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - began)
    return best


def schema(caller: Caller, rows: int) -> None:
    """The schema job through the service; its answer is held to what is known of the table."""
    token = caller.submit(
        "infer_schema", {"datasource_id": "bench", "uri": "lineitem.csv", "infer_rows": rows}
    )
    data = caller.wait(token)["data"]
    types = [field["type"] for field in data["schema"]["fields"]]
    counted = data["stats"]["rows"]
    near = 0.9 * ROWS < counted < 1.1 * ROWS if rows else counted == ROWS
    if not near or (types[0], types[5], types[10]) != ("int64", "float64", "date"):
        raise RuntimeError(data["stats"], types)


def preview(caller: Caller, path: str, pause_s: float) -> float:
    """Seconds that a preview of 100 rows takes, so long after the one before."""
    time.sleep(pause_s)
    began = time.perf_counter()
    answer = caller.http.post("/v1/py/preview", json={"datasource_id": "bench", "path": path, "limit": 100})
    answer.raise_for_status()
    if len(answer.json()["rows"]) != 100:
        raise RuntimeError(path)
    return time.perf_counter() - began


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*(arguments + [3, 100][len(arguments) :]))
