"""Jobs of every type while workers and their children are killed."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.faults.house import Caller, Restarts, Verdict, middle, standing, tell, wait_for
from tests.faults.requests import mixed
from tests.service import child_of

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.conftest import Sizes
    from tests.faults.house import House

pytestmark = pytest.mark.faults

RESTART_S = 20


def test_jobs_outlast_workers_and_children_that_are_killed(
    tmp_path: Path, sizes: Sizes, dice: random.Random
) -> None:
    requests = list(mixed(dice, sizes.jobs))
    with standing(tmp_path) as house, Caller(house.service) as caller, ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        of_workers, of_children = Restarts(house), Restarts(house)
        of_workers.start()
        of_children.start()
        submitted = pool.map(lambda place: caller.submit(requests[place], f"key-{place}"), range(sizes.jobs))
        # Those in the middle of their work are killed, spread over the whole of it.
        faults = ["worker"] * sizes.worker_kills + ["child"] * sizes.child_kills
        dice.shuffle(faults)
        for number, fault in enumerate(faults):
            due = number * sizes.jobs // (len(faults) + 1)
            house.wait_until_ended(due)
            if fault == "worker":
                kill_a_worker(house, dice, of_workers)
            else:
                kill_a_child(house, dice, of_children)
        asked = dict(zip(submitted, requests, strict=True))
        outcomes = caller.outcomes(asked)
        seconds = time.monotonic() - began
        lost, wrong = Verdict.on(asked, outcomes)
        worker_restarts, child_restarts = of_workers.finish(), of_children.finish()
        completed, led = house.completed(), house.led(asked)
        begun = sum(house.attempt(token) for token in led)
        results = house.results()
        house.assert_at_rest()

    tell(
        f"{len(asked)} jobs ({len(led)} run, the others equal to one at work), seed {sizes.seed}: "
        f"{sizes.worker_kills} workers and {sizes.child_kills} children killed in {seconds:.0f} s; "
        f"{len(lost)} lost or stuck, {len(wrong)} wrong; {begun} starts"
    )
    for name, restarts in (("worker's", worker_restarts), ("child's", child_restarts)):
        if restarts:
            tell(
                f"from a {name} death to the job's next start, {len(restarts)} jobs: "
                f"p50 {middle(restarts):.2f} s, max {restarts[-1]:.2f} s"
            )
    assert len(asked) == sizes.jobs
    assert (lost, wrong) == ([], [])
    assert completed == len(led)
    assert results == sorted(led)
    assert max([*worker_restarts, *child_restarts]) <= RESTART_S


def kill_a_worker(house: House, dice: random.Random, restarts: Restarts) -> None:
    """Kill a worker process in the middle of a job; none of its jobs may have failed twice before."""

    def busy() -> Iterator[tuple[psutil.Process, dict[int, int]]]:
        for worker in house.workers():
            jobs = house.at_work(worker)
            if jobs and all(map(house.may_fail, jobs)):
                yield worker, jobs

    worker, jobs = dice.choice(wait_for(lambda: list(busy())))
    worker.kill()
    restarts.killed(jobs)


def kill_a_child(house: House, dice: random.Random, restarts: Restarts) -> None:
    """Kill the child of a job that has not failed twice before."""

    def busy() -> Iterator[tuple[psutil.Process, dict[int, int]]]:
        for worker in house.workers():
            for token, attempt in house.at_work(worker).items():
                child = child_of(house.service, token, worker)
                if child is not None and house.may_fail(token):
                    yield child, {token: attempt}

    child, jobs = dice.choice(wait_for(lambda: list(busy())))
    with contextlib.suppress(psutil.NoSuchProcess):  # its job was done just then
        child.kill()
        restarts.killed(jobs)
