"""Groups, joins and sorts over four times a job's memory: they finish, or are refused with the reason."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.conftest import fresh
from tests.service import running_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service import Service

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

MEMORY_MB = 192
FILES = 8
ROWS = 4 * MEMORY_MB * 1024 * 1024 // 40 // FILES * FILES
"""Of five columns of 8 bytes: four times the memory."""
KEYS = ROWS // 4
LONGEST_S = 300


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, databases: Iterator[str]) -> Iterator[Service]:
    """A service of little memory, over data of four times as much: row n has the key 7 n mod KEYS."""
    base = tmp_path_factory.mktemp("large")
    (base / "large").mkdir()
    for number in range(FILES):
        rows = pl.int_range(number * ROWS // FILES, (number + 1) * ROWS // FILES, eager=True)
        pl.DataFrame(
            {
                "key": rows * 7 % KEYS,
                "site": rows % 100,
                **{name: rows.hash(seed) / 2**64 for seed, name in enumerate("abc")},  # as if by chance
            }
        ).write_parquet(base / "large" / f"{number}.parquet", compression="lz4", row_group_size=100_000)
    pl.DataFrame({"site": range(100), "name": [f"site {n}" for n in range(100)]}).write_parquet(
        base / "sites.parquet"
    )
    settings = {"PY_MEMORY_MB": str(MEMORY_MB), "PY_WORKERS": "1"}
    folder = tmp_path_factory.mktemp("service")
    with running_service(folder, base, fresh(next(databases)), **settings) as service:
        yield service


def ended(service: Service, **plan: Any) -> dict[str, Any]:
    """The job of a plan over the large data set, at its end."""
    body = {"datasource_id": "large", "plan": {"dataset": "large", **plan}}
    return service.wait(service.submit("query", body), LONGEST_S)


def completed(service: Service, **plan: Any) -> dict[str, Any]:
    job = ended(service, **plan)
    assert job["status"] == "completed", job["error"]
    data: dict[str, Any] = job["data"]
    return data


def test_a_group_by_of_few_groups_finishes(narrow: Service) -> None:
    data = completed(narrow, groupby=["site"], aggs=[{"fn": "count", "as": "n"}])

    assert sum(row["n"] for row in data["rows"]) == ROWS
    assert data["metrics"]["rows"] == 100


def test_a_group_by_of_a_quarter_as_many_groups_as_rows_finishes(narrow: Service) -> None:
    data = completed(narrow, groupby=["key"], aggs=[{"fn": "count", "as": "n"}, {"col": "a", "fn": "sum"}])

    assert data["metrics"]["rows"] == KEYS
    assert [(row["key"], row["n"]) for row in data["rows"][:100]] == [(key, 4) for key in range(100)]


def test_a_join_with_a_small_side_finishes(narrow: Service) -> None:
    joins = [{"dataset": "sites", "on": ["site"]}]

    data = completed(narrow, joins=joins, groupby=["name"], aggs=[{"fn": "count", "as": "n"}])

    assert sum(row["n"] for row in data["rows"]) == ROWS
    assert data["metrics"]["rows"] == 100


def test_the_first_of_a_sort_finish(narrow: Service) -> None:
    data = completed(narrow, order=[{"col": "key"}, {"col": "a"}], limit=8)

    assert [row["key"] for row in data["rows"]] == [0] * 4 + [1] * 4


@pytest.mark.parametrize(
    ("plan", "helps"),
    [
        ({"order": [{"col": "a"}]}, "give a limit"),
        ({"joins": [{"dataset": "large", "on": ["key"], "how": "left"}]}, "clean, filter or select it"),
        (
            {"groupby": ["site"], "aggs": [{"col": name, "fn": "median"} for name in "abc"]},
            "ask for the mean",
        ),
    ],
)
def test_what_cannot_fit_is_refused_before_it_is_run(
    narrow: Service, plan: dict[str, Any], helps: str
) -> None:
    job = ended(narrow, **plan)

    error = job["error"]
    assert (job["code"], error["details"]["reason"]) == (413, "MEMORY_CAP")
    assert helps in error["message"]
    assert error["details"]["estimate"]["memory_mb"] > MEMORY_MB


def test_no_child_was_killed_and_nothing_is_left_on_disk(narrow: Service) -> None:
    assert "job_child_died" not in narrow.log_text()
    assert narrow.data("query", {"datasource_id": "large", "plan": {"dataset": "sites", "limit": 1}})["rows"]
    worker = narrow.processes["worker"].pid
    assert not list(Path(tempfile.gettempdir()).glob(f"airpy-child-{worker}-*/*/*"))
