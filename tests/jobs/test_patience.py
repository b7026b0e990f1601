from __future__ import annotations

import asyncio
import time

import pytest

from airpy.errors import JobUnavailable
from airpy.jobs.patience import Patience


async def answered_after(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "answer"


async def seconds_until_refused(patience: Patience) -> float:
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="no answer within"):
        await patience.answer(answered_after(60))
    return time.monotonic() - began


def test_an_answer_is_passed_on() -> None:
    assert asyncio.run(Patience().answer(answered_after(0))) == "answer"


def test_who_gets_no_answer_waits_for_less_than_two_seconds() -> None:
    seconds = asyncio.run(seconds_until_refused(Patience()))

    assert 1 <= seconds < 2


def test_a_crowd_that_gets_no_answer_waits_no_longer() -> None:
    async def crowd() -> list[float]:
        patience = Patience()
        return await asyncio.gather(*(seconds_until_refused(patience) for _ in range(200)))

    seconds = asyncio.run(crowd())

    assert max(seconds) < 2


def test_whoever_is_far_back_in_the_line_is_waited_for_while_others_are_answered() -> None:
    async def far_back() -> str:
        patience = Patience()
        last = asyncio.create_task(patience.answer(answered_after(2.5)))
        while not last.done():
            await patience.answer(answered_after(0.2))
        return last.result()

    assert asyncio.run(far_back()) == "answer"


def test_a_refusal_shows_that_somebody_is_there() -> None:
    async def refused() -> None:
        raise JobUnavailable("there is no job 7")

    async def far_back() -> str:
        patience = Patience()
        last = asyncio.create_task(patience.answer(answered_after(2.5)))
        while not last.done():
            with pytest.raises(JobUnavailable):
                await patience.answer(refused())
            await asyncio.sleep(0.2)
        return last.result()

    assert asyncio.run(far_back()) == "answer"


def test_an_answer_is_heard_that_came_while_the_process_was_busy() -> None:
    async def busy() -> str:
        question = asyncio.create_task(Patience().answer(answered_after(0.5)))
        await asyncio.sleep(0)
        time.sleep(1.5)  # noqa: ASYNC251  as a crowd of other requests does
        return await question

    assert asyncio.run(busy()) == "answer"


def test_a_question_that_is_given_up_is_asked_no_longer() -> None:
    ended = []

    async def question() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def give_up() -> None:
        asking = asyncio.create_task(Patience().answer(question()))
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.sleep(0)

    asyncio.run(give_up())

    assert ended == [True]
