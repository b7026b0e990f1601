"""How long ten queries of TPC-H at scale 1 take through the service, beside raw Polars and DuckDB.

    python benchmarks/tpch.py [rounds] [query …]

The tables are made once, as Parquet, under benchmarks/data/tpch; beside.py says how it is measured. The
service's answers are held to those that the benchmark's authors publish, to the cent, and the peers' to them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
from beside import PEERS, compare
from polars.testing import assert_frame_equal
from service import DATA
from tpch_peers import TABLES
from tpch_plans import ANSWERS, PLANS

FOLDER = DATA / "tpch"
SCRIPT = Path(__file__).with_name("tpch_peers.py")
CENT = 0.0051


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


def check(query: str, frames: dict[str, pl.DataFrame]) -> None:
    """Stop unless the service gives what is published, and the peers what the service gives.

    Raw Polars keeps two digits of a product of prices, so that its sums differ from the eighth digit on.
    """
    numbers = pl.selectors.numeric().cast(pl.Float64)
    ours = frames["service"].with_columns(numbers)
    published = pl.DataFrame(ANSWERS[query]).with_columns(numbers)
    assert_frame_equal(ours.select(published.columns), published, rel_tol=0, abs_tol=CENT)
    for peer in PEERS:
        theirs = frames[peer].with_columns(numbers)
        assert_frame_equal(ours, theirs, check_column_order=False, check_dtypes=False, rel_tol=1e-6)


if __name__ == "__main__":
    rounds, queries = int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:] or list(PLANS)
    make_tables()
    wanted = {query: PLANS[query] for query in queries}
    compare("TPC-H, scale 1, Parquet", SCRIPT, FOLDER, wanted, check, rounds)
