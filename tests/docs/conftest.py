"""A service over the sample data, which the pages are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airpy.demo import make_energy_data
from tests.conftest import fresh
from tests.service import running_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service import Service


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, databases: Iterator[str]) -> Iterator[Service]:
    """A service with the data that `airpy up --demo` makes."""
    base = tmp_path_factory.mktemp("demo-data")
    make_energy_data(base)
    with running_service(tmp_path_factory.mktemp("demo"), base, fresh(next(databases))) as service:
        yield service
