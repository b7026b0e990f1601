"""How long the database-like ops benchmark takes through the service, beside raw Polars and DuckDB.

    python benchmarks/groupby.py [rounds] [question …]
    python benchmarks/groupby.py polars|duckdb QUESTION FOLDER TARGET

Ten groupings of 10⁷ rows and five joins of as many, in groupby_plans.py; the tables are made once, as
Parquet, under benchmarks/data/groupby; beside.py says how it is measured. The service may use as much memory
as its peers take, since ten million groups of six keys are more than its usual cap holds without the disk.
The second form is a peer, in a process of its own: it writes the answer to TARGET and prints the seconds that
took.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import polars as pl
from beside import compare
from groupby_plans import QUESTIONS, make_tables
from peers import write_batches
from polars.testing import assert_frame_equal
from service import DATA

FOLDER = DATA / "groupby"
MEMORY_MB = "8192"


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
    import pyarrow as pa  # noqa: F401, PLC0415  its import is not counted

    began = time.perf_counter()
    with duckdb.connect() as connection:
        for path in folder.glob("*.parquet"):
            connection.sql(f"create view \"{path.stem}\" as from read_parquet('{path}')")
        write_batches(connection.sql(QUESTIONS[question].sql), target)
    return time.perf_counter() - began


SIDES = {"polars": in_polars, "duckdb": in_duckdb}


def main(rounds: int, questions: list[str]) -> None:
    """Make the data, and compare."""
    make_tables(FOLDER)
    plans = {name: QUESTIONS[name].plan for name in questions}
    compare("10,000,000 rows, Parquet", Path(__file__), FOLDER, plans, same, rounds, PY_MEMORY_MB=MEMORY_MB)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in SIDES:
        print(SIDES[sys.argv[1]](sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:] or list(QUESTIONS))
