"""How long the database-like ops benchmark takes through the service, beside raw Polars and DuckDB.

    python benchmarks/groupby.py [rounds] [question …]
    python benchmarks/groupby.py polars|duckdb QUESTION FOLDER TARGET

Ten groupings of 10⁷ rows and five joins of as many, in groupby_plans.py; the tables are made once, as
Parquet, under benchmarks/data/groupby. Measured as in tpch.py. The second form is a peer, in a process of its
own: it writes the answer to TARGET and prints the seconds that took.
"""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from groupby_plans import QUESTIONS, make_tables
from polars.testing import assert_frame_equal
from service import DATA, Caller, running
from tpch import NO_CACHE, SIDES, in_service

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = DATA / "groupby"


def main(rounds: int, questions: Sequence[str]) -> None:
    """Make the data, measure, compare the answers and print."""
    make_tables(FOLDER)
    print(f"10,000,000 rows, Parquet; best of {rounds} rounds; {dt.datetime.now(dt.UTC):%Y-%m-%d}")
    print(
        f"{'question':<10}{'service s':>10}{'polars s':>10}{'duckdb s':>10}{'by polars':>11}{'by duckdb':>11}"
    )
    ratios = []
    with tempfile.TemporaryDirectory() as folder, running(FOLDER) as service, Caller(service.url) as caller:
        caller.http.headers.update(NO_CACHE)
        for name in questions:
            best = dict.fromkeys(SIDES, math.inf)
            targets = {side: Path(folder, f"{side}.arrow") for side in SIDES}
            for _ in range(rounds):
                for side, target in targets.items():
                    if side == "service":
                        took = in_service(caller, QUESTIONS[name].plan, target)
                    else:
                        took = in_peer(side, name, target)
                    best[side] = min(best[side], took)
            same(name, {side: pl.read_ipc_stream(target) for side, target in targets.items()})
            ratios.append(best["service"] / min(best["polars"], best["duckdb"]))
            print(
                f"{name:<10}"
                + "".join(f"{best[side]:>10.3f}" for side in SIDES)
                + "".join(f"{best['service'] / best[peer]:>11.2f}" for peer in SIDES[1:]),
                flush=True,
            )
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"geometric mean by the better of the two: {mean:.2f}; the worst {max(ratios):.2f}")


def in_peer(peer: str, question: str, target: Path) -> float:
    """The question in raw Polars or DuckDB."""
    command = [sys.executable, __file__, peer, question, str(FOLDER), str(target)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def same(question: str, frames: dict[str, pl.DataFrame]) -> None:
    """Stop unless all three are equal, whatever the types and the order of rows."""
    keys = QUESTIONS[question].plan.get("groupby") or sorted(frames["service"].columns)
    numbers = pl.selectors.numeric().cast(pl.Float64)
    ours, *theirs = (frame.with_columns(numbers).sort(keys) for frame in frames.values())
    for other in theirs:
        assert_frame_equal(ours, other, check_column_order=False, check_dtypes=False, rel_tol=1e-6)


def in_polars(question: str, folder: Path, target: Path) -> float:
    """Scan lazily, compute on the streaming engine, write."""
    began = time.perf_counter()
    lazily = QUESTIONS[question].in_polars(lambda name: pl.scan_parquet(folder / f"{name}.parquet"))
    lazily.collect(engine="streaming").write_ipc_stream(target)
    return time.perf_counter() - began


def in_duckdb(question: str, folder: Path, target: Path) -> float:
    """Run the SQL, write what comes as Arrow batches."""
    import duckdb  # noqa: PLC0415  a peer's own
    import pyarrow as pa  # noqa: PLC0415

    began = time.perf_counter()
    with duckdb.connect() as connection:
        for path in folder.glob("*.parquet"):
            connection.sql(f"create view \"{path.stem}\" as from read_parquet('{path}')")
        batches = connection.sql(QUESTIONS[question].sql).to_arrow_reader()
        with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_stream(sink, batches.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    return time.perf_counter() - began


PEERS = {"polars": in_polars, "duckdb": in_duckdb}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in PEERS:
        print(PEERS[sys.argv[1]](sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:] or list(QUESTIONS))
