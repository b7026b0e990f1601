"""Thousands of bad requests at once, with good ones among them."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.faults.hostile import BODY_MB, Line, Sent, bad_request, signed
from tests.faults.house import Caller, Verdict, memory_mb, middle, standing, tell
from tests.faults.requests import total

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.conftest import Sizes
    from tests.faults.house import House
    from tests.faults.requests import Asked

pytestmark = pytest.mark.faults

CONNECTIONS = 50
GOOD_SHARE = 0.1
WARM = 0.2
"""The share of the requests after which memory is first looked at: by then, all code has run once."""


class Flood:
    """What was sent, and what came back."""

    def __init__(self, house: House, sizes: Sizes) -> None:
        self._house = house
        self._sizes = sizes
        self._port = urlsplit(house.service.url).port or 0
        self._token = house.service.token(3600)
        self._left = sizes.bad_requests
        self.answers: Counter[int] = Counter()
        self.faults: list[bytes] = []
        self.silent: list[bytes] = []
        self.good: list[float] = []
        self.unanswered: list[tuple[int, bytes]] = []
        self.jobs: dict[int, Asked] = {}
        self.memory: list[float] = []

    async def run(self) -> None:
        """Send everything, over all connections at once."""
        await asyncio.gather(*map(self._connection, range(CONNECTIONS)))
        self._look()

    async def _connection(self, number: int) -> None:
        dice = random.Random(self._sizes.seed * CONNECTIONS + number)  # noqa: S311  no secret
        bad, good = Line(self._port), Line(self._port)
        while self._left:
            self._left -= 1
            if self._left == int(self._sizes.bad_requests * (1 - WARM)):
                self._look()
            sent = bad_request(dice, self._token)
            status, body = await bad.exchange(sent)
            self.answers[status] += 1
            if status >= 500:
                self.faults.append(sent.data[:300] + b" -> " + body[:300])
            if sent.is_http and not 400 <= status < 500:
                self.silent.append(str(status).encode() + b" " + sent.data[:500])
            if dice.random() < GOOD_SHARE:
                await self._ask(good, dice)
        await bad.close()
        await good.close()

    async def _ask(self, line: Line, dice: random.Random) -> None:
        """A good request, which must be answered as if nothing else went on."""
        asked = total(dice.randrange(1, 1000), "good")
        is_job = dice.random() < 0.3
        request = (
            signed("POST", asked.path, self._token, json.dumps(asked.body).encode())
            if is_job
            else signed("GET", "health", self._token)
        )
        began = time.monotonic()
        status, body = await line.exchange(Sent(request))
        self.good.append(time.monotonic() - began)
        if status != (202 if is_job else 200):
            self.unanswered.append((status, body))
        elif is_job:
            self.jobs[json.loads(body)["token"]] = asked

    def _look(self) -> None:
        self.memory.append(memory_mb(self._house.service.processes["server"].pid))


def test_a_flood_of_bad_requests_harms_nobody(tmp_path: Path, sizes: Sizes) -> None:
    with standing(tmp_path, workers=1, PY_MAX_BODY_MB=str(BODY_MB)) as house:
        flood = Flood(house, sizes)
        began = time.monotonic()
        asyncio.run(flood.run())
        seconds = time.monotonic() - began
        with Caller(house.service) as caller:
            lost, wrong = Verdict.on(flood.jobs, caller.outcomes(flood.jobs))

    took = sorted(flood.good)
    before, after = flood.memory
    tell(
        f"{sizes.bad_requests} bad requests over {CONNECTIONS} connections in {seconds:.0f} s, "
        f"seed {sizes.seed}: answers by status (0 is none) {dict(sorted(flood.answers.items()))}"
    )
    tell(
        f"{len(took)} good requests among them: {len(flood.unanswered)} unanswered, "
        f"p50 {1000 * middle(took):.0f} ms, p99 {1000 * took[len(took) * 99 // 100]:.0f} ms; "
        f"of their {len(flood.jobs)} jobs {len(lost)} lost, {len(wrong)} wrong"
    )
    tell(
        f"the server's memory after {WARM:.0%} of them {before:.0f} MiB, "
        f"at the end {after:.0f} MiB ({after / before - 1:+.1%})"
    )
    assert flood.faults == []
    assert flood.silent == []
    assert flood.unanswered == []
    assert (lost, wrong) == ([], [])
    assert after < before * 1.1


def test_a_crowd_that_asks_at_once_is_answered(tmp_path: Path, sizes: Sizes) -> None:
    with standing(tmp_path, workers=1) as house:
        token = house.service.submit("discover", {"datasource_id": "a", "uri": "files"})
        house.service.wait(token)
        request = Sent(signed("GET", f"jobs/{token}", house.service.token()))
        port = urlsplit(house.service.url).port or 0

        async def crowd() -> list[tuple[int, bytes]]:
            lines = [Line(port) for _ in range(sizes.crowd)]
            answers = await asyncio.gather(*(line.exchange(request) for line in lines))
            await asyncio.gather(*(line.close() for line in lines))
            return answers

        began = time.monotonic()
        answers = asyncio.run(crowd())
        seconds = time.monotonic() - began

    statuses = Counter(status for status, _ in answers)
    tell(f"{sizes.crowd} who asked at once were answered in {seconds:.1f} s, by status {dict(statuses)}")
    assert statuses == {200: sizes.crowd}
