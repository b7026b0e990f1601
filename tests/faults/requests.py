"""Jobs of every type whose right answers are known beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

NUMBERS = 1000
ONES = 6000
FILES = 40
SOURCES = 5


class Asked(NamedTuple):
    """A request, and what its answer must say."""

    path: str
    body: dict[str, Any]
    answer: Any

    def is_right(self, job: dict[str, Any]) -> bool:
        """Whether the job completed with the right answer."""
        return job["status"] == "completed" and bool(told(self.path, job["data"]) == self.answer)


def write_data(base: Path) -> None:
    """The data that the requests are about."""
    base.mkdir()
    numbers = pl.DataFrame({"n": range(NUMBERS)})
    numbers.write_parquet(base / "numbers.parquet")
    numbers.write_csv(base / "counted.csv")
    pl.DataFrame({"one": [1] * ONES, "n": range(ONES)}).write_parquet(base / "ones.parquet")
    pl.DataFrame({"one": [1] * ONES}).write_parquet(base / "units.parquet")
    (base / "files").mkdir()
    for number in range(FILES):
        (base / "files" / f"{number:02}.csv").write_text("n\n1\n")


def told(path: str, data: dict[str, Any]) -> Any:
    """The part of an answer that is compared."""
    match path:
        case "discover":
            return [Path(file["path"]).name for file in data["files"]], data["truncated"]
        case "infer_schema":
            return [(field["name"], field["type"]) for field in data["schema"]["fields"]]
        case "analyze":
            return data["metrics"]["rows"], data["metrics"]["columns"]
        case _:
            return data["rows"]


def mixed(random: random.Random, number: int) -> Iterator[Asked]:
    """So many requests, no two alike but for every tenth, which repeats one before it."""
    before: list[Asked] = []
    for place in range(number):
        if before and random.random() < 0.1:
            yield random.choice(before)
            continue
        limit = place % NUMBERS + 1
        source = f"source_{random.randrange(SOURCES)}"
        asked = random.choice((listing, fields, total, total, slow_total, measures))(limit, source)
        before.append(asked)
        yield asked


def listing(limit: int, source: str) -> Asked:
    """The first files of a folder."""
    most = limit % FILES + 1
    names = [f"{number:02}.csv" for number in range(most)]
    body = {"datasource_id": source, "uri": "files", "max_files": most}
    return Asked("discover", body, (names, most < FILES))


def fields(limit: int, source: str) -> Asked:
    """The schema of a file."""
    body = {"datasource_id": source, "uri": "counted.csv", "infer_rows": limit}
    return Asked("infer_schema", body, [("n", "int64")])


def total(limit: int, source: str) -> Asked:
    """0 + 1 + … + (limit − 1)."""
    plan = {
        "dataset": "numbers",
        "filters": [{"col": "n", "op": "<", "val": limit}],
        "aggs": [{"col": "n", "fn": "sum", "as": "total"}],
    }
    return Asked("query", {"datasource_id": source, "plan": plan}, [{"total": limit * (limit - 1) // 2}])


def slow_total(limit: int, source: str) -> Asked:
    """A sum of so many × 6000 ones: a join in which everything matches, at work for a while."""
    rows = limit + ONES - NUMBERS
    plan = {
        "dataset": "ones",
        "filters": [{"col": "n", "op": "<", "val": rows}],
        "joins": [{"dataset": "units", "on": ["one"]}],
        "aggs": [{"col": "one", "fn": "sum", "as": "total"}],
    }
    return Asked("query", {"datasource_id": source, "plan": plan}, [{"total": rows * ONES}])


def measures(limit: int, source: str) -> Asked:
    """Rows and columns of the numbers below the limit."""
    plan = {"dataset": "numbers", "filters": [{"col": "n", "op": "<", "val": limit}]}
    return Asked("analyze", {"datasource_id": source, "plan": plan, "job_kind": "eda"}, (limit, 1))
