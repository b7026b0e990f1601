from __future__ import annotations

import pytest

from airpy.engine.steps import counted, ignore_steps


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1_500, "1,500 files"), (2_000_000, "2,000,000 files")],
)
def test_a_count_and_its_noun_agree(number: int, said: str) -> None:
    assert counted(number, "file") == said


def test_nobody_need_listen() -> None:
    ignore_steps("loading_data", "Loading data")
