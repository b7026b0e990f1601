from __future__ import annotations

import pickle
from typing import get_args

import pytest

from airpy.contract import JobType
from airpy.jobs.kinds import JOBS


def test_every_job_type_of_the_contract_has_a_kind_and_no_other() -> None:
    assert set(JOBS) == set(get_args(JobType.__value__))


@pytest.mark.parametrize("kind", JOBS)
def test_a_kinds_function_can_be_sent_to_a_child(kind: JobType) -> None:
    run = JOBS[kind].run

    assert pickle.loads(pickle.dumps(run)) is run  # noqa: S301  our own


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("discover", "File discovery job started"),
        ("infer_schema", "Schema inference job started"),
        ("query", "Query execution job started"),
        ("analyze", "Analysis job started"),
    ],
)
def test_the_caller_is_told_what_the_specification_says(kind: JobType, message: str) -> None:
    assert JOBS[kind].started == message
