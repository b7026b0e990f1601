"""How long ten queries of TPC-H at scale 1 take through the service, beside raw Polars and DuckDB.

    python benchmarks/tpch.py [rounds] [query …]

The tables are made once, as Parquet, under benchmarks/data/tpch. The service's time is its caller's: from the
POST, waiting to be told of its end, to the last byte of the Arrow download; its cache is off. A peer runs in
a fresh process, its imports not counted. They take turns, and the best of the rounds counts. The service's
answers are held to those that the benchmark's authors publish, to the cent, and the peers' to the service's.
"""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.testing import assert_frame_equal
from service import DATA, Caller, running
from tpch_peers import TABLES
from tpch_plans import ANSWERS, PLANS

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = DATA / "tpch"
SIDES = ("service", "polars", "duckdb")
SETTLE_S = 0.5
"""After a job its worker starts the next spare child, which is not to disturb what is measured next."""
CENT = 0.0051
NO_CACHE = {"Cache-Control": "no-cache"}


def main(rounds: int, queries: Sequence[str]) -> None:
    """Make the data, measure, compare the answers and print."""
    make_tables()
    print(f"TPC-H, scale 1, Parquet; best of {rounds} rounds; {dt.datetime.now(dt.UTC):%Y-%m-%d}")
    print(
        f"{'query':<8}{'service s':>10}{'polars s':>10}{'duckdb s':>10}{'by polars':>11}{'by duckdb':>11}",
        end="",
    )
    print(f"{'by better':>11}")
    ratios = []
    with tempfile.TemporaryDirectory() as folder, running(FOLDER) as service, Caller(service.url) as caller:
        caller.http.headers.update(NO_CACHE)
        for query in queries:
            best = dict.fromkeys(SIDES, math.inf)
            targets = {side: Path(folder, f"{side}.arrow") for side in SIDES}
            for _ in range(rounds):
                for side in SIDES:
                    run = (
                        in_service(caller, PLANS[query], targets[side])
                        if side == "service"
                        else in_peer(side, query, targets[side])
                    )
                    best[side] = min(best[side], run)
            check(query, {side: pl.read_ipc_stream(target) for side, target in targets.items()})
            better = min(best["polars"], best["duckdb"])
            ratios.append(best["service"] / better)
            print(
                f"{query:<8}"
                + "".join(f"{best[side]:>10.3f}" for side in SIDES)
                + "".join(f"{best['service'] / best[peer]:>11.2f}" for peer in SIDES[1:])
                + f"{ratios[-1]:>11.2f}",
                flush=True,
            )
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"geometric mean by the better of the two: {mean:.2f}; the worst {max(ratios):.2f}")


def make_tables() -> None:
    """Write the tables that are not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    missing = [name for name in TABLES if not Path(FOLDER, f"{name}.parquet").exists()]
    if missing:
        generator = Path(sys.executable).with_name("tpchgen-cli")
        subprocess.run(
            [
                generator,
                "parquet",
                "--scale-factor=1",
                f"--tables={','.join(missing)}",
                f"--output-dir={FOLDER}",
            ],
            check=True,
        )


def in_service(caller: Caller, plan: dict[str, Any], target: Path) -> float:
    """The plan over HTTP, its download read to the end."""
    time.sleep(SETTLE_S)
    body = {"datasource_id": "bench", "plan": plan, "output": "arrow"}
    began = time.perf_counter()
    token = caller.submit("query", body)
    caller.follow(token)
    with target.open("wb") as file, caller.http.stream("GET", f"/v1/py/jobs/{token}/download") as answer:
        answer.raise_for_status()
        for chunk in answer.iter_bytes():
            file.write(chunk)
    return time.perf_counter() - began


def in_peer(peer: str, query: str, target: Path) -> float:
    """The query in raw Polars or DuckDB."""
    script = Path(__file__).with_name("tpch_peers.py")
    command = [sys.executable, str(script), peer, query, str(FOLDER), str(target)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def check(query: str, frames: dict[str, pl.DataFrame]) -> None:
    """Stop unless the service gives what is published, and the peers what the service gives.

    Raw Polars keeps two digits of a product of prices, so that its sums differ from the eighth digit on.
    """
    numbers = pl.selectors.numeric().cast(pl.Float64)
    ours = frames["service"].with_columns(numbers)
    published = pl.DataFrame(ANSWERS[query]).with_columns(numbers)
    assert_frame_equal(ours.select(published.columns), published, rel_tol=0, abs_tol=CENT)
    for peer in SIDES[1:]:
        theirs = frames[peer].with_columns(numbers)
        assert_frame_equal(ours, theirs, check_column_order=False, check_dtypes=False, rel_tol=1e-6)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:] or list(PLANS))
