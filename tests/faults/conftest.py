"""How large the faults are: small enough for every change, or as large as the service must bear."""

from __future__ import annotations

import os
import random
from typing import NamedTuple

import pytest


class Sizes(NamedTuple):
    """The numbers of one run."""

    seed: int
    jobs: int
    worker_kills: int
    child_kills: int
    redis_restarts: int
    redis_stalls: int
    server_kills: int
    neighbours: int
    bad_requests: int
    crowd: int


SHORT = Sizes(
    seed=1,
    jobs=80,
    worker_kills=2,
    child_kills=2,
    redis_restarts=2,
    redis_stalls=1,
    server_kills=2,
    neighbours=20,
    bad_requests=1500,
    crowd=500,
)
FULL = Sizes(
    seed=1,
    jobs=1000,
    worker_kills=20,
    child_kills=20,
    redis_restarts=5,
    redis_stalls=2,
    server_kills=10,
    neighbours=100,
    bad_requests=10_000,
    crowd=2000,
)


@pytest.fixture(scope="session")
def sizes() -> Sizes:
    """`AIRPY_FAULTS=full` is the whole; `AIRPY_FAULTS_SEED` chooses other faults."""
    chosen = FULL if os.environ.get("AIRPY_FAULTS") == "full" else SHORT
    return chosen._replace(seed=int(os.environ.get("AIRPY_FAULTS_SEED", chosen.seed)))


@pytest.fixture
def dice(sizes: Sizes) -> random.Random:
    """What chance decides, the same for the same seed."""
    return random.Random(sizes.seed)  # noqa: S311  no secret
