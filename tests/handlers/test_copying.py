"""A worker that has nothing else to do copies large text, and later queries read the copy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.conftest import fresh
from tests.handlers.conftest import Judged
from tests.service import running_service, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.service import Service

ROWS = 1_500_000
"""Of some 25 bytes each: what is smaller than 32 MiB is not copied."""


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, base: Path, databases: Iterator[str]
) -> Iterator[Service]:
    """A service that remembers no answer, so that every query reads."""
    place, url = tmp_path_factory.mktemp("copying"), fresh(next(databases))
    with running_service(place, base, url, PY_CACHE_MB="0") as running:
        yield Judged(*running)


def test_a_large_text_file_is_copied_and_read_as_it_was(service: Service, base: Path) -> None:
    numbers = pl.LazyFrame({"n": range(ROWS)})
    text = pl.format("text number {}", pl.col("n") % 1000)
    numbers.with_columns(text=text, half=pl.col("n") / 2).sink_csv(base / "_large.csv")
    time.sleep(2.1)
    plan = {"dataset": "_large.csv", "groupby": ["text"], "aggs": [{"col": "half", "fn": "sum"}]}
    body = {"datasource_id": "e", "plan": {**plan, "order": [{"col": "text"}], "limit": 5}}

    def copies() -> list[Path]:
        return list((service.results / "copies").glob("*.json"))

    first = service.data("query", body)
    wait_until(copies)
    [copy] = copies()
    made = copy.stat().st_mtime_ns
    second = service.data("query", body)

    same = ("rows", "schema", "reading")
    assert {part: second[part] for part in same} == {part: first[part] for part in same}
    assert second["provenance"]["casts"] == first["provenance"]["casts"]
    assert copy.stat().st_mtime_ns > made  # that is when it was last read
    (base / "_large.csv").write_text("n,text,half\n1,a,0.5\n")
    assert service.data("query", body)["rows"] == [{"text": "a", "half_sum": 0.5}]
    (base / "_large.csv").unlink()
