from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import polars as pl
import pytest
from rich.console import Console

from airpy.client import Client
from airpy.demo import make_energy_data, show_query
from tests.service import SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service import Service


def measured(base: Path, site: str, moment: dt.datetime) -> tuple[float, float]:
    """The kWh and the cost of a site in an hour."""
    frame = pl.read_parquet(base / "energy" / "2025" / f"{moment:%m}" / "measurements.parquet")
    row = frame.filter((pl.col("site_id") == site) & (pl.col("timestamp") == moment))
    return row["kwh"].item(), row["cost"].item()


def test_a_quarter_of_25_sites_is_made(tmp_path: Path) -> None:
    rows = make_energy_data(tmp_path)

    # 31 + 31 + 30 days of 24 hours.
    assert rows == 92 * 24 * 25
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == [
        "energy/2025/07/measurements.parquet",
        "energy/2025/08/measurements.parquet",
        "energy/2025/09/measurements.parquet",
        "journal.csv",
        "sites.csv",
    ]


def test_the_figures_follow_the_hour_and_the_week(tmp_path: Path) -> None:
    make_energy_data(tmp_path)

    # Site 1 has size 10: that at 8 o'clock, half more at 14 and half less at 2; at weekends 70 % of it.
    tuesday, saturday = dt.datetime(2025, 7, 1, tzinfo=dt.UTC), dt.datetime(2025, 7, 5, tzinfo=dt.UTC)
    assert measured(tmp_path, "site_001", tuesday.replace(hour=8)) == (10.0, 1.5)
    assert measured(tmp_path, "site_001", tuesday.replace(hour=14)) == (15.0, 2.25)
    assert measured(tmp_path, "site_001", tuesday.replace(hour=2)) == (5.0, 0.75)
    assert measured(tmp_path, "site_025", saturday.replace(hour=8)) == (23.8, 3.57)


def test_every_run_makes_the_same_data(tmp_path: Path) -> None:
    for run in ("one", "two"):
        make_energy_data(tmp_path / run)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))

    assert files
    assert all(
        (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files
    )


@pytest.mark.e2e
def test_the_sample_query_is_shown_with_its_steps(service: Service) -> None:
    written = io.StringIO()

    with Client(service.url, SECRET) as client:
        show_query(client, Console(file=written, width=100))

    lines = written.getvalue().splitlines()
    steps = [line.split()[1] for line in lines if line.startswith("  ✓")]
    assert steps == ["file_found", "loading_data", "applying_filters", "aggregating", "query_complete"]
    # On 1 September site 2 had 4 readings of 2 kWh, at 0.30 each.
    assert any(
        line.split() == ["site_002", "│", "2025-09-01", "│", "8.00", "│", "1.20"]
        for line in map(inner, lines)
    )


def inner(line: str) -> str:
    """A table's line without its border."""
    return line.strip("│ ")
