"""What tests share: a Redis, data sets, and a running service."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

import polars as pl
import pytest
import redis
from hypothesis import settings

from tests.service import running_redis, running_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.service import Service

if os.environ.get("AIRPY_PLANS") != "full":
    settings.load_profile("ci")  # the same examples each time, so that what fails is what was changed


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis for the tests: the one that REDIS_URL names, or an embedded one."""
    if url := os.environ.get("REDIS_URL"):
        yield url
    else:
        with running_redis(tmp_path_factory.mktemp("redis")) as url:
            yield url


@pytest.fixture(scope="session")
def databases(redis_server: str) -> Iterator[str]:
    """URLs of databases that nobody uses, from the last one down, so that a real one's data are safe."""
    return iter(lambda: database_url(redis_server, unused_database(redis_server)), "")


def unused_database(url: str) -> int:
    """The last database of the server to which nobody is connected."""
    with redis.Redis.from_url(database_url(url, 0)) as client:
        taken = {int(each["db"]) for each in client.client_list()}
    return next(number for number in range(15, 3, -1) if number not in taken)


def database_url(url: str, number: int) -> str:
    """The URL of another database of the same server."""
    if url.startswith("unix://"):
        return f"{url.partition('?')[0]}?db={number}"
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{number}"


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """An empty database for one test."""
    url = database_url(redis_server, 1)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base path with the specification's data: 3 sites, 3 days, a reading every 6 hours."""
    base = tmp_path_factory.mktemp("base")
    write_energy(base)
    return base


@pytest.fixture(scope="session")
def service(
    tmp_path_factory: pytest.TempPathFactory, base: Path, databases: Iterator[str]
) -> Iterator[Service]:
    """A service that the whole session shares."""
    url = fresh(next(databases))
    with running_service(tmp_path_factory.mktemp("service"), base, url) as service:
        yield service


def fresh(url: str) -> str:
    """The database, emptied."""
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


def energy() -> pl.DataFrame:
    """36 readings: 2025-08-31 to 2025-09-02, every 6 hours, of 3 sites; site n uses n kWh at 0.15 each.

    The last reading of site_003 has no kWh and no cost.
    """
    start = dt.datetime(2025, 8, 31, tzinfo=dt.UTC)
    rows = [
        {
            "timestamp": start + dt.timedelta(hours=6 * reading),
            "site_id": f"site_{site:03}",
            "kwh": None if (reading, site) == (11, 3) else float(site),
            "cost": None if (reading, site) == (11, 3) else round(site * 0.15, 2),
        }
        for reading in range(12)
        for site in (1, 2, 3)
    ]
    return pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("us", "UTC")})


def write_energy(base: Path) -> None:
    """The data as the specification's examples name it, in all three formats."""
    frame = energy()
    folder = base / "energy" / "2025" / "09"
    folder.mkdir(parents=True)
    frame.write_parquet(base / "energy" / "measurements.parquet")
    for form in ("csv", "jsonl"):
        (base / form).mkdir()
    frame.write_csv(base / "csv" / "measurements.csv")
    frame.write_ndjson(base / "jsonl" / "measurements.jsonl")
