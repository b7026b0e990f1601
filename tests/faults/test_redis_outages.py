"""Jobs of every type while Redis is restarted, killed and silent."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.faults.house import Caller, Verdict, middle, standing, tell
from tests.faults.requests import mixed

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.faults.conftest import Sizes
    from tests.faults.house import House
    from tests.faults.requests import Asked

pytestmark = pytest.mark.faults

STALL_S = 8
LONGEST_S = 2
SUBMITTERS = 4


def test_what_was_accepted_outlasts_redis(tmp_path: Path, sizes: Sizes, dice: random.Random) -> None:
    requests = list(mixed(dice, sizes.jobs))
    over = threading.Event()
    with standing(tmp_path) as house, Caller(house.service) as caller, Caller(house.service) as prober:
        began = time.monotonic()
        probing = threading.Thread(target=probe, args=(prober, over))
        with ThreadPoolExecutor(SUBMITTERS) as pool:
            probing.start()
            submitted = pool.map(
                lambda number: submit(caller, requests, number, over, sizes.jobs), range(SUBMITTERS)
            )
            inflict(house, sizes, dice)
            over.set()
            asked = dict(itertools.chain.from_iterable(submitted))
        probing.join()
        outcomes = caller.outcomes(asked)
        seconds = time.monotonic() - began
        lost, wrong = Verdict.on(asked, outcomes)
        completed, led = house.completed(), house.led(asked)
        issued = house.issued()
        house.assert_at_rest()

    took = sorted(caller.took + prober.took)
    statuses = caller.statuses + prober.statuses
    tell(
        f"{len(asked)} jobs accepted in {seconds:.0f} s, seed {sizes.seed}, while Redis was restarted "
        f"{sizes.redis_restarts} times and silent for {STALL_S} s {sizes.redis_stalls} times: "
        f"{len(lost)} lost or stuck, {len(wrong)} wrong"
    )
    tell(
        f"{len(took)} calls that do not wait, by status {statuses}: p50 {1000 * middle(took):.0f} ms, "
        f"max {took[-1]:.2f} s"
    )
    assert len(asked) >= sizes.jobs
    assert (lost, wrong) == ([], [])
    assert issued == len(asked)
    assert completed == len(led)
    assert set(statuses) <= {200, 202, 503}
    assert took[-1] < LONGEST_S


def inflict(house: House, sizes: Sizes, dice: random.Random) -> None:
    """Every fault, with a while between them."""
    faults = ["restart"] * sizes.redis_restarts + ["stall"] * sizes.redis_stalls
    dice.shuffle(faults)
    for number, fault in enumerate(faults):
        time.sleep(dice.uniform(1, 3))
        if fault == "stall":
            house.stall_redis(STALL_S)
        else:
            house.restart_redis((signal.SIGTERM, signal.SIGKILL)[number % 2])
    time.sleep(1)


def submit(
    caller: Caller, requests: list[Asked], number: int, over: threading.Event, jobs: int
) -> list[tuple[int, Asked]]:
    """Submit every so-manieth request, again and again from the first until it is all over."""
    accepted: list[tuple[int, Asked]] = []
    for place in itertools.count(number, SUBMITTERS):
        if place >= jobs and over.is_set():
            return accepted
        asked = requests[place % jobs]
        accepted.append((caller.submit(asked, f"key-{place}"), asked))
        over.wait(0.1)  # the load is to last as long as the faults
    raise AssertionError


def probe(prober: Caller, over: threading.Event) -> None:
    """Ask whatever is answered at once, all the while."""
    for path in itertools.cycle(("health", "jobs/1", "limits", "jobs?limit=5", "metrics", "dead-letters")):
        if over.wait(0.05):
            return
        prober.call("GET", path)
