"""Submissions while the server is killed and started again."""

from __future__ import annotations

import operator
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.faults.house import Caller, Verdict, standing, tell
from tests.faults.requests import mixed

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.faults.conftest import Sizes

pytestmark = pytest.mark.faults

SUBMITTERS = 8
BETWEEN_KILLS = 20


def test_every_token_has_a_job_and_every_job_a_token(
    tmp_path: Path, sizes: Sizes, dice: random.Random
) -> None:
    number = BETWEEN_KILLS * (sizes.server_kills + 1)
    requests = list(mixed(dice, number))
    with standing(tmp_path, workers=1) as house, Caller(house.service) as caller:
        began = time.monotonic()

        with ThreadPoolExecutor(SUBMITTERS) as pool:
            submitted = pool.map(lambda place: caller.submit(requests[place], f"key-{place}"), range(number))
            for kill in range(sizes.server_kills):
                house.wait_until_issued(kill * BETWEEN_KILLS + dice.randrange(BETWEEN_KILLS))
                time.sleep(dice.uniform(0, 0.05))
                house.restart_server()
            tokens = list(submitted)
        again = [caller.submit(requests[place], f"key-{place}") for place in range(number)]
        asked = dict(zip(tokens, requests, strict=True))
        lost, wrong = Verdict.on(asked, caller.outcomes(asked))
        seconds = time.monotonic() - began
        records = sorted(map(int, house.records.zrange("airpy:jobs", 0, -1)))
        issued = house.issued()
        house.assert_at_rest()

    tell(
        f"{number} submissions in {seconds:.0f} s, seed {sizes.seed}, while the server was killed "
        f"{sizes.server_kills} times: {caller.statuses.get(0, 0)} calls without an answer; "
        f"{len(set(tokens) - set(records))} tokens without a job, "
        f"{len(set(records) - set(tokens))} jobs without a token, "
        f"{sum(map(operator.ne, tokens, again))} other tokens for the same key; "
        f"{len(lost)} lost or stuck, {len(wrong)} wrong"
    )
    assert again == tokens
    assert sorted(tokens) == records == list(range(1, issued + 1))
    assert issued == number
    assert (lost, wrong) == ([], [])
    assert caller.statuses[0] > 0
