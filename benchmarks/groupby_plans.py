"""The questions of the database-like ops benchmark: as plans, as SQL and in Polars; and its data.

Of two questions more is asked than a plan says in one column: the seventh gives both sides of its difference,
the ninth the correlation whose square is asked for. A join's answer is what the benchmark checks it by: the
sums of its values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["QUESTIONS", "Question", "make_tables"]

ROWS = 10_000_000
GROUPS = 100
SEED = 108


class Question(NamedTuple):
    """One question, in three languages."""

    plan: dict[str, Any]
    sql: str
    in_polars: Callable[[Callable[[str], pl.LazyFrame]], pl.LazyFrame]


def aggs(fn: str, *cols: str) -> list[dict[str, Any]]:
    """One aggregate of each column."""
    return [{"col": col, "fn": fn} for col in cols]


def grouped(keys: list[str], *items: dict[str, Any]) -> dict[str, Any]:
    """A plan that groups."""
    return {"dataset": "groups", "groupby": keys, "aggs": [*items]}


def sums(*cols: str) -> list[pl.Expr]:
    """In Polars."""
    return [pl.col(col).sum().alias(f"{col}_sum") for col in cols]


def means(*cols: str) -> list[pl.Expr]:
    """In Polars."""
    return [pl.col(col).mean().alias(f"{col}_mean") for col in cols]


def joined(table: str, key: str, how: str) -> Question:
    """The sums over a join of two tables; of the right side's numbers too."""
    return Question(
        {
            "dataset": "left",
            "joins": [{"dataset": table, "on": [key], "how": how, "select": [key, "v2"]}],
            "aggs": aggs("sum", "v1", "v2"),
        },
        f"""select sum(v1) as v1_sum, sum(v2) as v2_sum
            from "left" {how} join (select {key}, v2 from {table}) using ({key})""",  # noqa: S608  own names
        lambda scan: (
            scan("left").join(scan(table).select(key, "v2"), on=key, how=how).select(sums("v1", "v2"))  # type: ignore[arg-type]
        ),
    )


QUESTIONS: dict[str, Question] = {
    "g1": Question(
        grouped(["id1"], *aggs("sum", "v1")),
        "select id1, sum(v1) as v1_sum from groups group by all",
        lambda scan: scan("groups").group_by("id1").agg(sums("v1")),
    ),
    "g2": Question(
        grouped(["id1", "id2"], *aggs("sum", "v1")),
        "select id1, id2, sum(v1) as v1_sum from groups group by all",
        lambda scan: scan("groups").group_by("id1", "id2").agg(sums("v1")),
    ),
    "g3": Question(
        grouped(["id3"], *aggs("sum", "v1"), *aggs("mean", "v3")),
        "select id3, sum(v1) as v1_sum, avg(v3) as v3_mean from groups group by all",
        lambda scan: scan("groups").group_by("id3").agg(*sums("v1"), *means("v3")),
    ),
    "g4": Question(
        grouped(["id4"], *aggs("mean", "v1", "v2", "v3")),
        "select id4, avg(v1) as v1_mean, avg(v2) as v2_mean, avg(v3) as v3_mean from groups group by all",
        lambda scan: scan("groups").group_by("id4").agg(means("v1", "v2", "v3")),
    ),
    "g5": Question(
        grouped(["id6"], *aggs("sum", "v1", "v2", "v3")),
        "select id6, sum(v1) as v1_sum, sum(v2) as v2_sum, sum(v3) as v3_sum from groups group by all",
        lambda scan: scan("groups").group_by("id6").agg(sums("v1", "v2", "v3")),
    ),
    "g6": Question(
        grouped(["id4", "id5"], *aggs("median", "v3"), *aggs("std", "v3")),
        "select id4, id5, median(v3) as v3_median, stddev_samp(v3) as v3_std from groups group by all",
        lambda scan: (
            scan("groups")
            .group_by("id4", "id5")
            .agg(pl.col("v3").median().alias("v3_median"), pl.col("v3").std().alias("v3_std"))
        ),
    ),
    "g7": Question(
        grouped(["id3"], *aggs("max", "v1"), *aggs("min", "v2")),
        "select id3, max(v1) as v1_max, min(v2) as v2_min from groups group by all",
        lambda scan: (
            scan("groups")
            .group_by("id3")
            .agg(pl.col("v1").max().alias("v1_max"), pl.col("v2").min().alias("v2_min"))
        ),
    ),
    "g8": Question(
        {
            "dataset": "groups",
            "select": ["id6", "v3"],
            "top_n": {"n": 2, "by": "v3", "partition_by": ["id6"]},
        },
        """select id6, v3 from (select id6, v3,
            row_number() over (partition by id6 order by v3 desc) as place from groups) where place <= 2""",
        lambda scan: scan("groups").group_by("id6").agg(pl.col("v3").top_k(2)).explode("v3"),
    ),
    "g9": Question(
        grouped(["id2", "id4"], {"col": "v1", "fn": "corr", "col2": "v2"}),
        "select id2, id4, corr(v1, v2) as v1_corr from groups group by all",
        lambda scan: scan("groups").group_by("id2", "id4").agg(pl.corr("v1", "v2").alias("v1_corr")),
    ),
    "g10": Question(
        grouped(
            ["id1", "id2", "id3", "id4", "id5", "id6"], *aggs("sum", "v3"), {"fn": "count", "as": "count"}
        ),
        "select id1, id2, id3, id4, id5, id6, sum(v3) as v3_sum, count(*) as count from groups group by all",
        lambda scan: (
            scan("groups")
            .group_by("id1", "id2", "id3", "id4", "id5", "id6")
            .agg(*sums("v3"), pl.len().alias("count"))
        ),
    ),
    "j1": joined("small", "id1", "inner"),
    "j2": joined("medium", "id2", "inner"),
    "j3": joined("medium", "id2", "left"),
    "j4": joined("medium", "id5", "inner"),
    "j5": joined("big", "id3", "inner"),
}


def make_tables(folder: Path) -> None:
    """Write the tables that are not there yet: one to group, and four to join."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(SEED)
    if not (folder / "groups.parquet").exists():
        many = ROWS // GROUPS
        pl.DataFrame(
            {
                "id1": _ids(chance.integers(1, GROUPS + 1, ROWS), 3),
                "id2": _ids(chance.integers(1, GROUPS + 1, ROWS), 3),
                "id3": _ids(chance.integers(1, many + 1, ROWS), 10),
                "id4": chance.integers(1, GROUPS + 1, ROWS, dtype=np.int32),
                "id5": chance.integers(1, GROUPS + 1, ROWS, dtype=np.int32),
                "id6": chance.integers(1, many + 1, ROWS, dtype=np.int32),
                "v1": chance.integers(1, 6, ROWS, dtype=np.int32),
                "v2": chance.integers(1, 16, ROWS, dtype=np.int32),
                "v3": chance.uniform(0, 100, ROWS).round(6),
            }
        ).write_parquet(folder / "groups.parquet")
    # Nine tenths of a side's keys are on the other side as well.
    sizes = {"small": ROWS // 1_000_000, "medium": ROWS // 1_000, "big": ROWS}
    keys = {name: chance.permutation(size * 11 // 10) + 1 for name, size in sizes.items()}
    if not (folder / "left.parquet").exists():
        ids = {
            f"id{place}": chance.choice(keys[name][: sizes[name]], ROWS).astype(np.int32)
            for place, name in enumerate(sizes, 1)
        }
        _with_texts(pl.DataFrame({**ids, "v1": chance.uniform(0, 100, ROWS).round(6)})).write_parquet(
            folder / "left.parquet"
        )
    for place, name in enumerate(sizes, 1):
        target, size = folder / f"{name}.parquet", sizes[name]
        if not target.exists():
            own = keys[name][len(keys[name]) - size :].astype(np.int32)
            values = chance.uniform(0, 100, size).round(6)
            _with_texts(pl.DataFrame({f"id{place}": own, "v2": values})).write_parquet(target)


def _ids(numbers: np.ndarray[Any, Any], digits: int) -> pl.Series:
    return pl.Series(numbers).cast(pl.String).str.zfill(digits).str.replace("^", "id")


def _with_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """With a text for each number: `id4` for `id1`, `id5` for `id2`, `id6` for `id3`."""
    numbers = [name for name in frame.columns if name.startswith("id")]
    return frame.with_columns(
        (pl.lit("id") + pl.col(name).cast(pl.String)).alias(f"id{int(name[2:]) + 3}") for name in numbers
    )
