"""Does the work of a plan in raw Polars or in DuckDB, in a process of its own.

    python benchmarks/peers.py polars|duckdb PLAN FILE TARGET

Writes the answer to TARGET as an Arrow IPC stream and prints the seconds that took: from after the imports,
which a service has behind it, until the file is closed. What the service finds out by itself, a peer is told
or guesses in its own cheaper way: types come from its own inference, and raw Polars takes delimiter and quote
as they are by default and is told which strings of a JSONL file are dates. Both use every core.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import polars as pl

__all__ = ["PLANS", "SQL", "write_batches"]

PLANS: dict[str, dict[str, Any]] = {
    "pricing": {
        "filters": [{"col": "l_shipdate", "op": "<=", "val": "1998-09-02"}],
        "groupby": ["l_returnflag", "l_linestatus"],
        "aggs": [
            {"col": "l_quantity", "fn": "sum"},
            {"col": "l_extendedprice", "fn": "sum"},
            {"col": "l_quantity", "fn": "mean"},
            {"col": "l_extendedprice", "fn": "mean"},
            {"col": "l_discount", "fn": "mean"},
            {"fn": "count", "as": "rows"},
        ],
        "order": [{"col": "l_returnflag"}, {"col": "l_linestatus"}],
    },
    "revenue": {
        "filters": [
            {"col": "l_shipdate", "op": ">=", "val": "1994-01-01"},
            {"col": "l_shipdate", "op": "<", "val": "1995-01-01"},
            {"col": "l_discount", "op": "between", "val": [0.05, 0.07]},
            {"col": "l_quantity", "op": "<", "val": 24},
        ],
        "aggs": [{"col": "l_extendedprice", "fn": "sum"}],
    },
    "orders": {
        "groupby": ["l_orderkey"],
        "aggs": [{"col": "l_quantity", "fn": "sum"}, {"fn": "count", "as": "rows"}],
        "order": [{"col": "l_orderkey"}],
    },
}
"""After TPC-H's Q1 and Q6, and a grouping with 1.5 million groups."""

SQL = {
    "pricing": """
        select l_returnflag, l_linestatus, sum(l_quantity) as l_quantity_sum,
            sum(l_extendedprice) as l_extendedprice_sum, avg(l_quantity) as l_quantity_mean,
            avg(l_extendedprice) as l_extendedprice_mean, avg(l_discount) as l_discount_mean,
            count(*) as rows
        from {source} where l_shipdate <= date '1998-09-02'
        group by all order by l_returnflag, l_linestatus""",
    "revenue": """
        select sum(l_extendedprice) as l_extendedprice_sum from {source}
        where l_shipdate >= date '1994-01-01' and l_shipdate < date '1995-01-01'
            and l_discount between 0.05 and 0.07 and l_quantity < 24""",
    "orders": """
        select l_orderkey, sum(l_quantity) as l_quantity_sum, count(*) as rows from {source}
        group by all order by l_orderkey""",
}
READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".jsonl": "read_json"}


def in_polars(plan: str, source: Path, target: Path) -> float:
    """Scan lazily, compute on the streaming engine, write."""
    import polars as pl  # noqa: PLC0415  each peer loads its own library alone

    began = time.perf_counter()
    if source.suffix == ".parquet":
        frame = pl.scan_parquet(source)
    elif source.suffix == ".csv":
        frame = pl.scan_csv(source, try_parse_dates=True)
    else:
        frame = pl.scan_ndjson(source).with_columns(pl.col("l_shipdate").str.to_date("%Y-%m-%d"))
    polars_plan(plan, frame).collect(engine="streaming").write_ipc_stream(target)
    return time.perf_counter() - began


def polars_plan(plan: str, frame: pl.LazyFrame) -> pl.LazyFrame:
    """The plan as one would write it by hand."""
    import polars as pl  # noqa: PLC0415

    quantity, price, discount = map(pl.col, ("l_quantity", "l_extendedprice", "l_discount"))
    shipped = pl.col("l_shipdate")
    match plan:
        case "pricing":
            keys = ["l_returnflag", "l_linestatus"]
            return (
                frame.filter(shipped <= dt.date(1998, 9, 2))
                .group_by(keys)
                .agg(
                    quantity.sum().alias("l_quantity_sum"),
                    price.sum().alias("l_extendedprice_sum"),
                    quantity.mean().alias("l_quantity_mean"),
                    price.mean().alias("l_extendedprice_mean"),
                    discount.mean().alias("l_discount_mean"),
                    pl.len().alias("rows"),
                )
                .sort(keys)
            )
        case "revenue":
            return frame.filter(
                shipped >= dt.date(1994, 1, 1),
                shipped < dt.date(1995, 1, 1),
                discount.is_between(0.05, 0.07),
                quantity < 24,
            ).select(price.sum().alias("l_extendedprice_sum"))
        case _:
            totals = [quantity.sum().alias("l_quantity_sum"), pl.len().alias("rows")]
            return frame.group_by("l_orderkey").agg(totals).sort("l_orderkey")


def in_duckdb(plan: str, source: Path, target: Path) -> float:
    """Run the SQL, write what comes as Arrow batches."""
    import duckdb  # noqa: PLC0415
    import pyarrow as pa  # noqa: F401, PLC0415  its import is not counted

    began = time.perf_counter()
    query = SQL[plan].format(source=f"{READERS[source.suffix]}('{source}')")
    with duckdb.connect() as connection:
        write_batches(connection.sql(query), target)
    return time.perf_counter() - began


def write_batches(relation: duckdb.DuckDBPyRelation, target: Path) -> None:
    """Write what a query of DuckDB gives, as it comes, as an Arrow IPC stream."""
    import pyarrow as pa  # noqa: PLC0415

    batches = relation.to_arrow_reader()
    with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_stream(sink, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


if __name__ == "__main__":
    peer = {"polars": in_polars, "duckdb": in_duckdb}[sys.argv[1]]
    print(peer(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
