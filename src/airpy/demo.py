"""Sample energy data, and the query that shows what the service does with it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table

from airpy.commands.terminal import follow

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from airpy.client import Client

__all__ = ["QUERY", "make_energy_data", "show_query"]

SITES = 25
MONTHS = (7, 8, 9)
HOURS_A_DAY = 24
SHOWN_ROWS = 8

JOURNAL = """\
visit,site_id,day,technician,minutes,repaired
1,site_001,01/09/2025,Ada,45,true
2,site_002,02/09/2025,Ben,30,true
3, site_003,02/09/2025,Ada,n/a,false
4,site_001,03/09/2025,Ada ,20,true
5,site_004,04/09/2025,,60,true
6,site_026,05/09/2025,Ben,15,false
7,site_002,08/09/2025,Cleo,-,false
8,site_005 ,09/09/2025,Cleo,75,true
8,site_005 ,09/09/2025,Cleo,75,true
9,site_003,10/09/2025,Ada,25,true
10,,11/09/2025,Ben,40,true
11,site_001,12/09/2025,Ben,35,false
"""
"""What technicians wrote by hand: spaces, marks for nothing, a row sent twice, a site that nobody knows."""

QUERY: dict[str, Any] = {
    "datasource_id": "energy-files",
    "plan": {
        "dataset": "energy_parquet",
        "filters": [{"col": "timestamp", "op": ">=", "val": "2025-09-01T00:00:00Z"}],
        "select": ["timestamp", "site_id", "kwh", "cost"],
        "groupby": ["site_id", "day"],
        "aggs": [{"col": "kwh", "fn": "sum"}, {"col": "cost", "fn": "sum"}],
        "grain": "1 day",
        "order": [{"col": "day", "dir": "asc"}],
        "limit": 50000,
    },
    "output": "arrow",
}


def make_energy_data(base: Path) -> int:
    """Write three months of hourly measurements of 25 sites under `energy/`, and say how many rows.

    Beside them are the sites, and a journal of visits that wants cleaning. The figures follow a daily and a
    weekly rhythm, without chance: every run makes the same files.
    """
    rows = 0
    for month in MONTHS:
        folder = base / "energy" / "2025" / f"{month:02}"
        folder.mkdir(parents=True, exist_ok=True)
        frame = _month(month)
        frame.write_parquet(folder / "measurements.parquet")
        rows += frame.height
    sites = pl.DataFrame(
        {"site_id": _site_names(), "region": [("north", "south")[n % 2] for n in range(SITES)]}
    )
    sites.write_csv(base / "sites.csv")
    (base / "journal.csv").write_text(JOURNAL, "utf-8")
    return rows


def show_query(client: Client, console: Console) -> None:
    """Run the sample query, printing its steps as they come and the first rows of the answer."""
    console.print("\n[bold]Energy and cost by site and day, since September[/bold]  POST /v1/py/query")
    token = client.post("query", QUERY)["token"]
    follow(client.events(token), console)
    data = client.result(token)
    table = Table(
        title=f"Job {token}: the first {SHOWN_ROWS} of {data['metrics']['rows']} rows", title_justify="left"
    )
    for field in data["schema"]["fields"]:
        numeric = field["type"] == "float64"
        table.add_column(
            f"{field['name']}\n[dim]{field['type']}[/dim]", justify="right" if numeric else "left"
        )
    for row in data["rows"][:SHOWN_ROWS]:
        table.add_row(
            *(f"{value:,.2f}" if isinstance(value, float) else str(value) for value in row.values())
        )
    console.print(table)


def _month(month: int) -> pl.DataFrame:
    start = dt.datetime(2025, month, 1, tzinfo=dt.UTC)
    end = dt.datetime(2025, month + 1, 1, tzinfo=dt.UTC)
    hours = pl.DataFrame({"timestamp": pl.datetime_range(start, end, "1h", closed="left", eager=True)})
    sites = pl.DataFrame({"site_id": _site_names(), "size": [10.0 + number for number in range(SITES)]})
    hour, weekday = pl.col("timestamp").dt.hour(), pl.col("timestamp").dt.weekday()
    daily = 1 + 0.5 * (2 * 3.141592653589793 * (hour - 8) / HOURS_A_DAY).sin()
    weekly = pl.when(weekday >= 6).then(0.7).otherwise(1.0)  # noqa: PLR2004  Saturday and Sunday
    kwh = (pl.col("size") * daily * weekly).round(2)
    return hours.join(sites, how="cross").select(
        "timestamp", "site_id", kwh.alias("kwh"), (kwh * 0.15).round(4).alias("cost")
    )


def _site_names() -> list[str]:
    return [f"site_{number + 1:03}" for number in range(SITES)]
