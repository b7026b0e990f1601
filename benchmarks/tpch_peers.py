"""Runs a query of TPC-H in raw Polars or in DuckDB, in a process of its own.

    python benchmarks/tpch_peers.py polars|duckdb QUERY FOLDER TARGET

As peers.py: it writes the answer to TARGET as an Arrow IPC stream and prints the seconds that took, from
after the imports. The queries of Polars are as its users write them: lazily, with filters said early.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from peers import write_batches
from tpch_plans import SQL

if TYPE_CHECKING:
    import polars as pl

TABLES = ("lineitem", "orders", "customer", "part", "supplier", "nation", "region")


def in_polars(query: str, folder: Path, target: Path) -> float:
    """Scan lazily, compute on the streaming engine, write."""
    import polars as pl  # noqa: PLC0415  each peer loads its own library alone

    began = time.perf_counter()
    tables = {name: pl.scan_parquet(folder / f"{name}.parquet") for name in TABLES}
    polars_query(query, tables).collect(engine="streaming").write_ipc_stream(target)
    return time.perf_counter() - began


def polars_query(query: str, tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:  # noqa: PLR0911, C901  ten queries
    """The query as one would write it by hand."""
    import polars as pl  # noqa: PLC0415

    lineitem, orders, customer = tables["lineitem"], tables["orders"], tables["customer"]
    volume = pl.col("l_extendedprice") * (1 - pl.col("l_discount"))
    revenue = volume.sum().alias("revenue")
    shipped, ordered, quantity = pl.col("l_shipdate"), pl.col("o_orderdate"), pl.col("l_quantity")

    def during(column: pl.Expr, year: int, month: int, months: int) -> pl.Expr:
        end = dt.date(year + (month + months - 1) // 12, (month + months - 1) % 12 + 1, 1)
        return column.is_between(dt.date(year, month, 1), end, closed="left")

    match query:
        case "q1":
            keys = ["l_returnflag", "l_linestatus"]
            return (
                lineitem.filter(shipped <= dt.date(1998, 9, 2))
                .group_by(keys)
                .agg(
                    quantity.sum().alias("sum_qty"),
                    pl.col("l_extendedprice").sum().alias("sum_base_price"),
                    volume.sum().alias("sum_disc_price"),
                    (volume * (1 + pl.col("l_tax"))).sum().alias("sum_charge"),
                    quantity.mean().alias("avg_qty"),
                    pl.col("l_extendedprice").mean().alias("avg_price"),
                    pl.col("l_discount").mean().alias("avg_disc"),
                    pl.len().alias("count_order"),
                )
                .sort(keys)
            )
        case "q3":
            return (
                customer.filter(pl.col("c_mktsegment") == "BUILDING")
                .join(
                    orders.filter(ordered < dt.date(1995, 3, 15)), left_on="c_custkey", right_on="o_custkey"
                )
                .join(
                    lineitem.filter(shipped > dt.date(1995, 3, 15)),
                    left_on="o_orderkey",
                    right_on="l_orderkey",
                )
                .group_by("o_orderkey", "o_orderdate", "o_shippriority")
                .agg(revenue)
                .sort("revenue", "o_orderdate", descending=[True, False])
                .head(10)
            )
        case "q4":
            late = lineitem.filter(pl.col("l_commitdate") < pl.col("l_receiptdate"))
            return (
                orders.filter(during(ordered, 1993, 7, 3))
                .join(late, left_on="o_orderkey", right_on="l_orderkey", how="semi")
                .group_by("o_orderpriority")
                .agg(pl.len().alias("order_count"))
                .sort("o_orderpriority")
            )
        case "q5":
            return (
                tables["region"]
                .filter(pl.col("r_name") == "ASIA")
                .join(tables["nation"], left_on="r_regionkey", right_on="n_regionkey")
                .join(customer, left_on="n_nationkey", right_on="c_nationkey")
                .join(orders.filter(during(ordered, 1994, 1, 12)), left_on="c_custkey", right_on="o_custkey")
                .join(lineitem, left_on="o_orderkey", right_on="l_orderkey")
                .join(
                    tables["supplier"],
                    left_on=["l_suppkey", "n_nationkey"],
                    right_on=["s_suppkey", "s_nationkey"],
                )
                .group_by("n_name")
                .agg(revenue)
                .sort("revenue", descending=True)
            )
        case "q6":
            wanted = lineitem.filter(
                during(shipped, 1994, 1, 12),
                pl.col("l_discount").is_between(pl.lit(0.05), pl.lit(0.07)),
                quantity < 24,
            )
            return wanted.select((pl.col("l_extendedprice") * pl.col("l_discount")).sum().alias("revenue"))
        case "q10":
            keys = ["c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment"]
            return (
                customer.join(
                    orders.filter(during(ordered, 1993, 10, 3)), left_on="c_custkey", right_on="o_custkey"
                )
                .join(
                    lineitem.filter(pl.col("l_returnflag") == "R"),
                    left_on="o_orderkey",
                    right_on="l_orderkey",
                )
                .join(tables["nation"], left_on="c_nationkey", right_on="n_nationkey")
                .group_by(keys)
                .agg(revenue)
                .sort("revenue", descending=True)
                .head(20)
            )
        case "q12":
            is_high = pl.col("o_orderpriority").is_in(["1-URGENT", "2-HIGH"])
            return (
                orders.join(lineitem, left_on="o_orderkey", right_on="l_orderkey")
                .filter(
                    pl.col("l_shipmode").is_in(["MAIL", "SHIP"]),
                    pl.col("l_commitdate") < pl.col("l_receiptdate"),
                    shipped < pl.col("l_commitdate"),
                    during(pl.col("l_receiptdate"), 1994, 1, 12),
                )
                .group_by("l_shipmode")
                .agg(is_high.sum().alias("high_line_count"), (~is_high).sum().alias("low_line_count"))
                .sort("l_shipmode")
            )
        case "q14":
            promoted = pl.when(pl.col("p_type").str.starts_with("PROMO")).then(volume).otherwise(0)
            return (
                lineitem.filter(during(shipped, 1995, 9, 1))
                .join(tables["part"], left_on="l_partkey", right_on="p_partkey")
                .select((100.0 * promoted.sum() / volume.sum()).alias("promo_revenue"))
            )
        case "q18":
            large = (
                lineitem.group_by("l_orderkey")
                .agg(quantity.sum().alias("total"))
                .filter(pl.col("total") > 300)
            )
            keys = ["c_name", "o_custkey", "l_orderkey", "o_orderdate", "o_totalprice"]
            return (
                orders.join(large, left_on="o_orderkey", right_on="l_orderkey", how="semi")
                .join(lineitem, left_on="o_orderkey", right_on="l_orderkey")
                .join(customer, left_on="o_custkey", right_on="c_custkey")
                .rename({"o_orderkey": "l_orderkey"})
                .group_by(keys)
                .agg(quantity.sum().alias("quantity"))
                .sort("o_totalprice", "o_orderdate", descending=[True, False])
                .head(100)
            )
        case _:
            kinds = [
                ("Brand#12", ["SM CASE", "SM BOX", "SM PACK", "SM PKG"], 1, 5),
                ("Brand#23", ["MED BAG", "MED BOX", "MED PKG", "MED PACK"], 10, 10),
                ("Brand#34", ["LG CASE", "LG BOX", "LG PACK", "LG PKG"], 20, 15),
            ]
            parts = [
                (pl.col("p_brand") == brand)
                & pl.col("p_container").is_in(containers)
                & quantity.is_between(least, least + 10)
                & pl.col("p_size").is_between(1, size)
                for brand, containers, least, size in kinds
            ]
            return (
                lineitem.filter(
                    pl.col("l_shipmode").is_in(["AIR", "AIR REG"]),
                    pl.col("l_shipinstruct") == "DELIVER IN PERSON",
                )
                .join(tables["part"], left_on="l_partkey", right_on="p_partkey")
                .filter(pl.any_horizontal(parts))
                .select(revenue)
            )


def in_duckdb(query: str, folder: Path, target: Path) -> float:
    """Run the SQL, write what comes as Arrow batches."""
    import duckdb  # noqa: PLC0415
    import pyarrow as pa  # noqa: F401, PLC0415  its import is not counted

    began = time.perf_counter()
    with duckdb.connect() as connection:
        for name in TABLES:
            connection.sql(f"create view {name} as from read_parquet('{folder / name}.parquet')")
        write_batches(connection.sql(SQL[query]), target)
    return time.perf_counter() - began


if __name__ == "__main__":
    peer = {"polars": in_polars, "duckdb": in_duckdb}[sys.argv[1]]
    print(peer(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
