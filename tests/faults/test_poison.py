"""Jobs that kill whatever runs them, beside jobs that do not."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.faults.house import Caller, Verdict, standing, tell, wait_for
from tests.faults.requests import ONES, Asked, slow_total, total
from tests.service import child_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.conftest import Sizes
    from tests.faults.house import House

pytestmark = pytest.mark.faults

STARTS = 3
LONG = 20


@pytest.mark.parametrize(
    ("victim", "reason", "signal"),
    [("child", "PROCESS_KILLED", "SIGKILL"), ("worker", "WORKER_DIED", None)],
)
def test_poison_is_put_aside_after_three_starts_and_its_neighbours_are_answered(
    tmp_path: Path, sizes: Sizes, victim: str, reason: str, signal: str | None
) -> None:
    with standing(tmp_path, workers=1) as house, Caller(house.service) as caller:
        began = time.monotonic()
        token = house.service.submit("query", threefold(ONES))
        # It begins beside the poison, and goes on for longer than that lives.
        patient = Asked("query", threefold(LONG), [{"total": LONG * ONES * ONES}])
        neighbours = {caller.submit(patient, "patient"): patient}
        poison = Poison(house, token, victim, next(iter(neighbours)))
        poison.start()
        for place in range(sizes.neighbours):
            asked = (total, slow_total)[place % 2](place + 1, "quick")
            neighbours[caller.submit(asked, f"neighbour-{place}")] = asked
        job = house.service.wait(token, 120)
        seconds = time.monotonic() - began
        poison.join()
        lost, wrong = Verdict.on(neighbours, caller.outcomes(neighbours))
        letters = house.service.get("dead-letters").json()["dead_letters"]
        fallen = [neighbour for neighbour in neighbours if not house.is_unharmed(neighbour)]
        house.assert_at_rest()

    cause = job["error"]["details"]
    tell(
        f"a job whose {victim} was killed {poison.kills} times: {job['attempt']} starts in {seconds:.0f} s, "
        f"then a dead letter: {cause['reason']}, {cause['post_mortem']}"
    )
    tell(
        f"{len(neighbours)} neighbours, of which {len(fallen)} fell with a worker: "
        f"{len(lost)} lost or stuck, {len(wrong)} wrong"
    )
    assert (job["attempt"], poison.kills) == (STARTS, STARTS)
    assert (cause["reason"], cause["post_mortem"]["exit_signal"]) == (reason, signal)
    assert cause["post_mortem"]["attempts"] == STARTS
    assert [(letter["token"], letter["attempts"]) for letter in letters] == [(token, STARTS)]
    assert (lost, wrong) == ([], [])


def threefold(rows: int) -> dict[str, Any]:
    """A query that counts `rows` × 6000 × 6000 ones; with 6000, it does not end."""
    plan = {
        "dataset": "ones",
        "filters": [{"col": "n", "op": "<", "val": rows}],
        "joins": [{"dataset": "units", "on": ["one"]}] * 2,
        "aggs": [{"col": "one", "fn": "sum", "as": "total"}],
    }
    return {"datasource_id": "slow", "plan": plan}


class Poison(threading.Thread):
    """Kills what runs a job, each time that it is begun."""

    def __init__(self, house: House, token: int, victim: str, neighbour: int) -> None:
        super().__init__(daemon=True)
        self._house = house
        self._token = token
        self._victim = victim
        self._neighbour = neighbour
        self.kills = 0

    def run(self) -> None:
        """Until the job has ended."""
        wait_for(lambda: self._house.attempt(self._neighbour))  # it is to be there the first time
        while not self._house.has_ended(self._token):
            with contextlib.suppress(psutil.NoSuchProcess):
                for worker in self._house.workers():
                    child = child_of(self._house.service, self._token, worker)
                    if child is not None and self._house.attempt(self._token) > self.kills:
                        (worker if self._victim == "worker" else child).kill()
                        self.kills += 1
            time.sleep(0.05)
